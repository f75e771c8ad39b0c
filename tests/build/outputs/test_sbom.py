"""The bill of materials lists what the merged files list, as SPDX asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.build.outputs.states import file, gone, state, stored
from tests.packages.gofiles import go_header

from millefeuille.build.outputs.sbom import SPDX, document, found_packages, sbom
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store

STATUS = b"""Package: zlib1g
Status: install ok installed
Architecture: amd64
Version: 1:1.2
Source: zlib
Maintainer: Mark <mark@example.org>

Package: adduser
Status: install ok installed
Architecture: all
Version: 3.1
"""
RELEASE = b'ID=debian\nVERSION_ID="12"\n'
SYSTEM = [file("usr/lib/os-release", RELEASE), file("var/lib/dpkg/status", STATUS)]


def test_packages_are_those_of_the_merged_files(store: Store, lease: Lease) -> None:
    module = b"Metadata-Version: 2.1\nName: left_pad\nVersion: 1\n\n"
    lower = [*SYSTEM, file("opt/left_pad-1.dist-info/METADATA", module), file("opt/gone-1.egg-info", module)]
    built = state([stored(store, lease, lower), stored(store, lease, [gone("opt/gone-1.egg-info")])])
    found = found_packages(store, built)
    assert [(one.kind, one.name) for one in found.packages] == [
        ("deb", "adduser"), ("deb", "zlib1g"), ("pypi", "left_pad"),
    ]  # fmt: skip
    told = document(built, found)
    root, _, zlib, _ = told["packages"]
    assert zlib["externalRefs"][0]["referenceLocator"] == (
        "pkg:deb/debian/zlib1g@1%3A1.2?arch=amd64&distro=debian-12&upstream=zlib"
    )
    assert zlib["supplier"] == "Organization: Mark (mark@example.org)"
    assert told["relationships"][0]["relatedSpdxElement"] == root["SPDXID"]
    assert {one["relatedSpdxElement"] for one in told["relationships"][1:]} == {
        one["SPDXID"] for one in told["packages"][1:]
    }


def test_executables_say_what_they_are_built_from(store: Store, lease: Lease) -> None:
    modules = b"path\tx\nmod\tx\tv1.0.0\th1:a=\ndep\tgithub.com/A/b\tv0.2.0\n"
    raw = b"\x7fELF" + bytes(28) + go_header(b"go1.22.1", modules)
    files = [file("app", raw, 0o755), file("data", raw, 0o644), file("script", b"#!/bin/sh\n", 0o755)]
    built = state([stored(store, lease, files)])
    found = found_packages(store, built)
    assert [(one.name, one.version, one.location) for one in found.packages] == [
        ("github.com/A/b", "v0.2.0", b"app"), ("stdlib", "1.22.1", b"app"), ("x", "v1.0.0", b"app"),
    ]  # fmt: skip
    url = document(built, found)["packages"][1]["externalRefs"][0]["referenceLocator"]
    assert url == "pkg:golang/github.com/a/b@v0.2.0"


def test_document_is_spdx_and_the_same_each_time(store: Store, lease: Lease) -> None:
    built = state([stored(store, lease, SYSTEM)], epoch=1000)
    said = sbom(built, found_packages(store, built), ("name",))
    assert (said.predicate_type, said.subjects) == (SPDX, ("name",))
    assert said.predicate == document(built, found_packages(store, built))
    assert said.predicate["spdxVersion"] == "SPDX-2.3"
    assert said.predicate["creationInfo"]["created"] == "1970-01-01T00:16:40Z"
    for one in said.predicate["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one["SPDXID"])
        assert {"name", "SPDXID", "downloadLocation"} <= {*one}


def test_record_that_cannot_be_read_is_told_of(store: Store, lease: Lease) -> None:
    built = state([stored(store, lease, [file("var/lib/rpm/rpmdb.sqlite", b"no database")])])
    told = document(built, found_packages(store, built))
    assert "/var/lib/rpm/rpmdb.sqlite" in told["creationInfo"]["comment"]


@pytest.mark.walk
def test_this_machine_is_described(store: Store, lease: Lease) -> None:
    status, release = Path("/var/lib/dpkg/status"), Path("/etc/os-release")
    if not status.exists():
        pytest.skip("no dpkg here")
    files = [file("etc/os-release", release.read_bytes()), file("var/lib/dpkg/status", status.read_bytes())]
    built = state([stored(store, lease, files)])
    packages = document(built, found_packages(store, built))["packages"]
    assert len({one["SPDXID"] for one in packages}) == len(packages) > 20
