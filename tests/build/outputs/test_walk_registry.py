"""What a build pushes, read in a registry by another tool."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.build.outputs.states import ARM64, file, state, stored

from millefeuille.build.outputs.attest import AttestWish
from millefeuille.build.outputs.delivery import Delivered, Delivery, Doors, deliver
from millefeuille.build.outputs.provenance import PROVENANCE, Facts, provenance
from millefeuille.build.outputs.sbom import SPDX, found_packages, sbom
from millefeuille.build.outputs.wish import parse_output
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.registry.client import Registries
from millefeuille.registry.credentials import Credentials
from millefeuille.registry.hosts import Hosts
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.transfer.push import push

_MISSING = [name for name in ("docker-registry", "skopeo") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.walk,
    pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}: the walk was NOT done"),
]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry's host:port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {
        "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "data")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "shared"},
    }  # fmt: skip
    (tmp_path / "config.yml").write_text(json.dumps(config))
    with subprocess.Popen(["docker-registry", "serve", str(tmp_path / "config.yml")]) as process:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"localhost:{port}"
        process.terminate()


def put_out(store: Store, lease: Lease, delivery: Delivery, states: list[Any], home: Path) -> Delivered:
    hosts = Hosts.load({}, str(home))
    registries = Registries(hosts, Credentials.load({}, str(home)), Silent())

    def send(name: Reference, nameless: tuple[Digest, Digest] | None) -> Digest:
        repository = registries.repository(name, push=True)
        return push(store, repository, name, Silent(), nameless=nameless)

    return deliver(store, states, delivery, Doors(write=print, push=send), lease)


def raw(reference: str) -> Any:
    command = ["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{reference}"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_index_with_attestations(store: Store, lease: Lease, registry: str, tmp_path: Path) -> None:
    wish = AttestWish(provenance="max", sbom=True)
    states = [state([stored(store, lease, [file("a")])], platform=one) for one in (ARM64.host(), ARM64)]
    facts = Facts(invocation="abc", started=0, ended=0)
    statements = tuple(
        (sbom(one, found_packages(store, one), ()), provenance(facts, one, wish, ())) for one in states
    )
    name = Reference.parse(f"{registry}/app:1")
    delivery = Delivery(outputs=(parse_output("type=registry"),), names=(name,), statements=statements)
    done = put_out(store, lease, delivery, states, tmp_path)
    index = raw(f"{registry}/app:1")
    assert done.product is not None and len(index["manifests"]) == 4
    for image, said in zip(index["manifests"][:2], index["manifests"][2:], strict=True):
        assert said["annotations"]["vnd.docker.reference.digest"] == image["digest"]
        manifest = raw(f"{registry}/app@{said['digest']}")
        kinds = [layer["annotations"]["in-toto.io/predicate-type"] for layer in manifest["layers"]]
        assert kinds == [SPDX, PROVENANCE]
        assert manifest["subject"]["digest"] == image["digest"]
        (layer,) = raw(f"{registry}/app@{image['digest']}")["layers"]
        assert layer["mediaType"].endswith("+gzip")


def test_digest_without_a_tag(store: Store, lease: Lease, registry: str, tmp_path: Path) -> None:
    output = parse_output(f"type=image,name={registry}/app,push-by-digest=true,push=true,compression=zstd")
    states = [state([stored(store, lease, [file("a")])])]
    done = put_out(store, lease, Delivery(outputs=(output,)), states, tmp_path)
    assert done.recorded is not None
    (layer,) = raw(f"{registry}/app@{done.recorded.target}")["layers"]
    assert layer["mediaType"].endswith("+zstd")
    with pytest.raises(subprocess.CalledProcessError):
        raw(f"{registry}/app:latest")
