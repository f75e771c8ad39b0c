"""Provenance tells what BuildKit's tells, and of values that were passed in only when it is asked to."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.build.outputs.states import AMD64, file, state, stored

from millefeuille.build.outputs.attest import AttestWish
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.provenance import (
    PROVENANCE,
    Dependency,
    Facts,
    image_dependency,
    provenance,
    subject,
)
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store

DIGEST = Digest.of(b"base")
FACTS = Facts(
    invocation="abc", started=10**18, ended=10**18 + 10**9, dockerfile="sub/Dockerfile", source=b"FROM x\n",
    options={"target": "out"}, arguments={"TOKEN": "hidden"}, labels={"a": "b"}, secrets=("key",),
    agents=("default",), locals=("context", "dockerfile"),
    dependencies=(image_dependency("busybox", AMD64, DIGEST),), vcs={"revision": "1", "source": "git"},
)  # fmt: skip


@pytest.fixture
def built(store: Store, lease: Lease) -> Finished:
    return state([stored(store, lease, [file("a")])])


def told(facts: Facts, built: Finished, **wish: Any) -> dict[str, Any]:
    said = provenance(facts, built, AttestWish(**{"provenance": "min", **wish}), ())
    assert said.predicate_type == PROVENANCE
    found: dict[str, Any] = json.loads(json.dumps(said.predicate))
    return found


def test_least_mode_keeps_what_was_passed_in_to_itself(built: Finished) -> None:
    found = told(FACTS, built)
    definition = found["buildDefinition"]
    assert definition["externalParameters"] == {
        "configSource": {"path": "sub/Dockerfile"},
        "request": {"frontend": "dockerfile.v0", "args": {"target": "out"},
                    "locals": [{"name": "context"}, {"name": "dockerfile"}]},
    }  # fmt: skip
    assert "buildConfig" not in definition["internalParameters"]
    assert definition["resolvedDependencies"] == [
        {"uri": "pkg:docker/busybox@latest?platform=linux%2Famd64", "digest": {"sha256": DIGEST.hex}}
    ]
    assert found["runDetails"]["metadata"] == {
        "invocationId": "abc", "startedOn": "2001-09-09T01:46:40Z", "finishedOn": "2001-09-09T01:46:41Z",
        "buildkit_metadata": {"vcs": {"revision": "1", "source": "git"}}, "buildkit_hermetic": False,
        "buildkit_completeness": {"request": False, "resolvedDependencies": False},
        "buildkit_reproducible": False,
    }  # fmt: skip
    assert "hidden" not in json.dumps(found)


def test_whole_mode_tells_the_request_the_source_and_the_steps(built: Finished) -> None:
    found = told(FACTS, built, provenance="max", builder="https://ci/1", reproducible=True)
    definition, details = found["buildDefinition"], found["runDetails"]
    request = definition["externalParameters"]["request"]
    assert request["args"] == {"build-arg:TOKEN": "hidden", "label:a": "b", "target": "out"}
    assert request["secrets"] == [{"id": "key", "optional": True}]
    assert request["ssh"] == [{"id": "default", "optional": True}]
    assert definition["internalParameters"]["buildConfig"]["steps"] == [
        {"id": "step0", "createdBy": "COPY 0 / # buildkit", "layer": str(built.layers[0].diff_id)}
    ]
    assert details["builder"]["id"] == "https://ci/1"
    (info,) = details["metadata"]["buildkit_metadata"]["source"]["infos"]
    assert base64.b64decode(info["data"]) == b"FROM x\n" and info["filename"] == "sub/Dockerfile"
    assert details["metadata"]["buildkit_completeness"]["request"] is True
    assert details["metadata"]["buildkit_reproducible"] is True


def test_remote_context_is_the_source_of_the_config(built: Finished) -> None:
    source = Dependency(uri="https://example.org/a.git#main", digests={"sha1": "1" * 40})
    found = told(replace(FACTS, config=source, locals=()), built)
    config = found["buildDefinition"]["externalParameters"]["configSource"]
    assert config == {"uri": source.uri, "digest": {"sha1": "1" * 40}, "path": "sub/Dockerfile"}
    assert found["runDetails"]["metadata"]["buildkit_completeness"]["resolvedDependencies"] is True


def test_names_are_package_urls() -> None:
    assert subject(Reference.parse("localhost:5000/a/b:1"), AMD64) == (
        "pkg:docker/localhost%3A5000/a/b@1?platform=linux%2Famd64"
    )
    assert len({image_dependency("alpine", AMD64, DIGEST), image_dependency("alpine", AMD64, DIGEST)}) == 1
    pinned = image_dependency(f"alpine@{DIGEST}", AMD64, DIGEST)
    assert pinned.uri == f"pkg:docker/alpine?digest={DIGEST}&platform=linux%2Famd64"
