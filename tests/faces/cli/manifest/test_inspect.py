"""`manifest inspect`, against what docker 28.2.2 printed for the same documents."""

from __future__ import annotations

import base64
import json
import urllib.request
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.testing.images import MadeImage, digest_of, make_image, push
from millefeuille.testing.servers import RegistryServer
from millefeuille.testing.tars import file_entry, make_layer

pytestmark = pytest.mark.walk

MANIFEST = """{{
{0}"schemaVersion": 2,
{0}"mediaType": "application/vnd.{kind}+json",
{0}"config": {{
{0}	"mediaType": "application/vnd.{config}+json",
{0}	"size": {image.config_size},
{0}	"digest": "{image.id}"
{0}}},
{0}"layers": [
{0}	{{
{0}		"mediaType": "application/vnd.{layer}",
{0}		"size": {image.layer_size},
{0}		"digest": "{image.layer}"
{0}	}}
{0}]
"""
DOCKER = {
    "kind": "docker.distribution.manifest.v2",
    "config": "docker.container.image.v1",
    "layer": "docker.image.rootfs.diff.tar.gzip",
}
OCI = {
    "kind": "oci.image.manifest.v1",
    "config": "oci.image.config.v1",
    "layer": "oci.image.layer.v1.tar+gzip",
}
LIST = """{{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
   "manifests": [
      {{
         "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
         "size": {size},
         "digest": "{digest}",
         "platform": {{
            "architecture": "amd64",
            "os": "linux"
         }}
      }}
   ]
}}
"""
VERBOSE = """{{
{0}"Ref": "{name}",
{0}"Descriptor": {{
{0}	"mediaType": "application/vnd.{kind}+json",
{0}	"digest": "{digest}",
{0}	"size": {size},
{0}	"platform": {{
{0}		"architecture": "amd64",
{0}		"os": "linux"
{0}	}}
{0}}},
{0}"Raw": "{raw}",
{0}"{member}": """


class Shown:
    """What the templates above ask of an image."""

    def __init__(self, image: MadeImage) -> None:
        self.id = image.id
        self.config_size = len(image.config)
        self.layer = image.layers[0].digest
        self.layer_size = image.layers[0].size


@pytest.fixture
def image(tmp_path: Path) -> MadeImage:
    return make_image([make_layer(tmp_path / "layer", [file_entry("a", b"some bytes")])])


@pytest.mark.parametrize(("kind", "words"), [("docker", DOCKER), ("oci", OCI)])
def test_one_image(
    home: Home, registry_server: RegistryServer, image: MadeImage, kind: str, words: dict[str, str]
) -> None:
    name = f"{registry_server.address}/team/{kind}:1"
    push(image, registry_server.address, f"team/{kind}", "1", kind=kind)
    content = MANIFEST.format("\t", image=Shown(image), **words) + "}\n"
    assert home.mille("manifest", "inspect", name) == (content, "", 0)
    assert home.mille("manifest", "inspect", "--insecure", name) == (content, "", 0)
    raw = image.manifest(kind)
    head = VERBOSE.format(
        "\t", name=name, digest=digest_of(raw), size=len(raw), raw=base64.b64encode(raw).decode(),
        member="OCIManifest" if kind == "oci" else "SchemaV2Manifest", **words,
    )  # fmt: skip
    inner = MANIFEST.format("\t\t", image=Shown(image), **words) + "\t}\n}\n"
    assert home.mille("manifest", "inspect", "-v", name) == (head + inner, "", 0)


def test_a_list(home: Home, registry_server: RegistryServer, image: MadeImage) -> None:
    name = f"{registry_server.address}/team/list:1"
    push([image], registry_server.address, "team/list", "1")
    raw = image.manifest("docker")
    content = LIST.format(size=len(raw), digest=digest_of(raw))
    assert home.mille("manifest", "inspect", name) == (content, "", 0)
    head = VERBOSE.format(
        "\t\t", name=f"{name}@{digest_of(raw)}", digest=digest_of(raw), size=len(raw),
        raw=base64.b64encode(raw).decode(), member="SchemaV2Manifest", **DOCKER,
    )  # fmt: skip
    inner = MANIFEST.format("\t\t\t", image=Shown(image), **DOCKER)
    expected = f"[\n\t{head}{inner}\t\t}}\n\t}}\n]\n"
    assert home.mille("manifest", "inspect", "-v", name) == (expected, "", 0)


def test_a_list_of_lists(home: Home, registry_server: RegistryServer, image: MadeImage) -> None:
    address, kind = registry_server.address, "application/vnd.docker.distribution.manifest.list.v2+json"
    push([image], address, "team/nest", "inner")
    inner = home.mille("manifest", "inspect", "-v", f"{address}/team/nest:inner")
    with urllib.request.urlopen(
        urllib.request.Request(f"http://{address}/v2/team/nest/manifests/inner", headers={"Accept": kind})
    ) as answer:
        raw = answer.read()
    entry = {"mediaType": kind, "size": len(raw), "digest": digest_of(raw)}
    outer = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [entry, entry]}).encode()
    urllib.request.urlopen(urllib.request.Request(
        f"http://{address}/v2/team/nest/manifests/outer", outer, {"Content-Type": kind}, method="PUT"
    )).close()  # fmt: skip
    shown, _, code = home.mille("manifest", "inspect", "-v", f"{address}/team/nest:outer")
    assert (code, shown.replace("nest:outer@", "nest:inner@")) == (0, inner[0])
    assert json.loads(shown)


def test_what_is_not_there(home: Home, registry_server: RegistryServer) -> None:
    missing = f"{registry_server.address}/a/b"
    assert home.mille("manifest", "inspect", missing) == ("", f"no such manifest: {missing}:latest\n", 1)
    assert home.mille("manifest", "inspect", "x", f"{missing}:1") == (
        "",
        f"No such manifest: {missing}:1\n",
        1,
    )
    assert home.mille("manifest", "inspect", "UPPER") == (
        "",
        "invalid reference format: repository name (library/UPPER) must be lowercase\n",
        1,
    )
