"""Packages are found as their own managers list them, and records of other kinds by their specifications."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from millefeuille.packages.apk import apk_packages
from millefeuille.packages.dpkg import dpkg_files, dpkg_packages
from millefeuille.packages.found import find, parser_of
from millefeuille.packages.npm import npm_packages
from millefeuille.packages.osrelease import os_release
from millefeuille.packages.package import BadRecord, Package
from millefeuille.packages.purl import purl
from millefeuille.packages.python import python_files, python_packages
from millefeuille.packages.rpm import berkeley_packages, header_values, ndb_packages, rpm_packages


class Tree:
    def __init__(self, files: dict[bytes, bytes]) -> None:
        self.files = files

    def paths(self) -> Iterable[bytes]:
        return self.files

    def read(self, path: bytes) -> bytes:
        return self.files[path]


@pytest.mark.walk
def test_debian_packages_are_those_that_dpkg_lists() -> None:
    if shutil.which("dpkg-query") is None:
        pytest.skip("no dpkg here")
    form = (
        "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Installed-Size}\n"
    )
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split("\t") for line in listed.splitlines()]
    expected = sorted(
        (name, version, arch, source, int(size or 0) * 1024)
        for status, name, version, arch, source, size in rows
        if status not in ("config-files", "not-installed")
    )
    ours = dpkg_packages(Path("/var/lib/dpkg/status").read_bytes())
    found = sorted((p.name, p.version, p.architecture, p.source or p.name, p.size) for p in ours)
    assert found == expected and len(found) > 20


@pytest.mark.walk
def test_python_packages_are_those_that_python_lists() -> None:
    site = next(path for path in sys.path if path.endswith("site-packages"))
    expected = {
        (found.metadata["Name"], found.version) for found in importlib.metadata.distributions(path=[site])
    }
    tree = {
        os.path.relpath(path, "/").encode(): path.read_bytes()
        for path in [*Path(site).glob("*.dist-info/METADATA"), *Path(site).glob("*.egg-info/PKG-INFO")]
    }
    assert {(one.name, one.version) for one in find(Tree(tree)).packages} == expected


@pytest.mark.parametrize(("state", "there"), [
    ("installed", True), ("half-configured", True), ("unpacked", True), ("half-installed", True),
    ("triggers-pending", True), ("triggers-awaited", True), ("config-files", False), ("not-installed", False),
])  # fmt: skip
def test_debian_packages_that_have_files_count(state: str, there: bool) -> None:
    raw = f"Package: a\nStatus: install ok {state}\nVersion: 1\n".encode()
    assert [one.name for one in dpkg_packages(raw)] == ["a"] * there


def test_half_removed_debian_packages_do_not_count() -> None:
    raw = b"""Package: a
Status: deinstall ok config-files
Version: 1

Package: b
Status: install ok installed
Version: 2:1.0-1+b1
Source: bsrc (2:1.0-1)
Architecture: amd64
Installed-Size: 12
Description: x
 Package: not-a-field
"""
    (found,) = dpkg_packages(raw)
    assert (found.name, found.source, found.source_version, found.size) == ("b", "bsrc", "2:1.0-1", 12288)
    assert purl(found, {"ID": "debian", "VERSION_ID": "12"}) == (
        "pkg:deb/debian/b@2%3A1.0-1%2Bb1?arch=amd64&distro=debian-12&upstream=bsrc"
    )


def test_packages_without_a_status_are_installed() -> None:
    assert parser_of(b"var/lib/dpkg/status.d/base") is dpkg_packages
    assert parser_of(b"var/lib/dpkg/status.d/base.md5sums") is None
    assert [p.name for p in dpkg_packages(b"Package: base\nVersion: 1\n")] == ["base"]


def test_lists_of_files_of_dpkg() -> None:
    assert dpkg_files(b"/.\n/usr\n/usr/bin\n/usr/bin/a b\n") == (b"usr", b"usr/bin", b"usr/bin/a b")


APK = b"""C:Q1abc=
P:busybox
V:1.36.1-r2
A:x86_64
I:962560
o:busybox
m:Someone <some@one.org>
L:GPL-2.0-only
F:bin
R:busybox
a:0:0:755
R:sh
F:
R:linuxrc

P:ssl_client
V:1.36.1-r2
A:x86_64
o:busybox
"""


def test_alpine_packages() -> None:
    busybox, client = apk_packages(APK, b"lib/apk/db/installed")
    assert (busybox.version, busybox.size, busybox.licence) == ("1.36.1-r2", 962560, "GPL-2.0-only")
    assert busybox.files == (b"bin/busybox", b"bin/sh", b"linuxrc")
    assert (busybox.source, client.source) == ("", "busybox")
    assert purl(client, {"ID": "alpine", "VERSION_ID": "3.19"}) == (
        "pkg:apk/alpine/ssl_client@1.36.1-r2?arch=x86_64&distro=alpine-3.19&upstream=busybox"
    )


def rpm_header(strings: dict[int, str], numbers: dict[int, list[int]], lists: dict[int, list[str]]) -> bytes:
    """A header written as rpm's documentation of the format says."""
    entries, data = b"", b""
    for tag, items in numbers.items():
        data += bytes(-len(data) % 4)
        entries += struct.pack(">IIiI", tag, 4, len(data), len(items))
        data += b"".join(item.to_bytes(4, "big") for item in items)
    for tag, text in strings.items():
        entries += struct.pack(">IIiI", tag, 6, len(data), 1)
        data += text.encode() + b"\0"
    for tag, texts in lists.items():
        entries += struct.pack(">IIiI", tag, 8, len(data), len(texts))
        data += b"".join(text.encode() + b"\0" for text in texts)
    return struct.pack(">II", len(entries) // 16, len(data)) + entries + data


def rpm_database(path: Path, *blobs: bytes) -> bytes:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
        )
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
    connection.close()
    return path.read_bytes()


BASH = rpm_header(
    {1000: "bash", 1001: "5.2.15", 1002: "5.fc39", 1011: "Fedora Project", 1014: "GPLv3+", 1022: "x86_64",
     1044: "bash-5.2.15-5.fc39.src.rpm"},
    {1003: [1], 1009: [8_000_000], 1116: [0, 1, 0]},
    {1117: ["bash", "bashrc", "sh"], 1118: ["/usr/bin/", "/etc/"]},
)  # fmt: skip


def test_rpm_packages(tmp_path: Path) -> None:
    key = rpm_header({1000: "gpg-pubkey", 1001: "1", 1002: "1"}, {}, {})
    (bash,) = rpm_packages(rpm_database(tmp_path / "rpmdb.sqlite", key, BASH))
    assert (bash.name, bash.version, bash.architecture) == ("bash", "1:5.2.15-5.fc39", "x86_64")
    assert (bash.size, bash.licence, bash.source) == (8_000_000, "GPLv3+", "bash-5.2.15-5.fc39.src.rpm")
    assert bash.files == (b"usr/bin/bash", b"etc/bashrc", b"usr/bin/sh")
    assert purl(bash, {"ID": "fedora", "VERSION_ID": "39"}) == (
        "pkg:rpm/fedora/bash@5.2.15-5.fc39?arch=x86_64&distro=fedora-39&epoch=1"
    )


LOGGED = "ls", "cat", "sed"


def rpm_database_with_log(path: Path, page_size: int) -> tuple[bytes, bytes]:
    """A database that a program left without closing it, and its log, with all names but `ls` in it."""
    headers = [rpm_header({1000: name, 1001: "1", 1002: "1"}, {}, {}) for name in LOGGED]
    connection = sqlite3.connect(path, isolation_level=None)
    with closing(connection):
        connection.execute(f"PRAGMA page_size={page_size}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        for number, header in enumerate(headers):
            connection.execute("INSERT INTO Packages (blob) VALUES (?)", (header.ljust(5000, b"\0"),))
            if not number:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes(), Path(f"{path}-wal").read_bytes()


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_packages_in_a_write_ahead_log_are_found(tmp_path: Path, page_size: int) -> None:
    raw, log = rpm_database_with_log(tmp_path / "rpmdb.sqlite", page_size)

    def names(raw: bytes, log: bytes) -> list[str]:
        return [one.name for one in rpm_packages(raw, b"", log)]

    assert names(raw, b"") == names(raw, log[:500]) == names(raw, b"not a log".ljust(40000)) == ["ls"]
    assert names(raw, log) == [*LOGGED]
    assert names(raw, log[:-1]) == names(raw, log[:-9] + b"~" + log[-8:]) == ["ls", "cat"]
    tree = Tree({b"var/lib/rpm/rpmdb.sqlite-wal": log, b"var/lib/rpm/rpmdb.sqlite": raw})
    assert [one.name for one in find(tree).packages] == sorted(LOGGED)
    other = {512: 4096, 4096: 512, 65536: 4096}[page_size]
    tree.files[b"var/lib/rpm/rpmdb.sqlite"] = rpm_database_with_log(tmp_path / "other", other)[0]
    assert find(tree).unread == (
        "/var/lib/rpm/rpmdb.sqlite: its write-ahead log has pages of another size",
    )


def test_broken_rpm_databases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecord):
        tuple(rpm_packages(b"not a database" * 100, b"var/lib/rpm/rpmdb.sqlite"))
    raw = rpm_database(tmp_path / "rpmdb.sqlite", BASH[:40])
    with pytest.raises(BadRecord):
        tuple(rpm_packages(raw))


def test_headers_that_lie_are_refused_or_read_within_themselves() -> None:
    for position in range(len(BASH)):
        for value in (0, 0x7F, 0xFF):
            damaged = bytearray(BASH)
            damaged[position] = value
            try:
                header_values(bytes(damaged))
            except BadRecord:
                continue


def test_python_metadata() -> None:
    raw = b"Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.0\nLicense: MIT\n\nName: not this\n"
    (found,) = python_packages(raw)
    assert (found.name, found.version, found.licence) == ("Some_Thing", "1.0", "MIT")
    assert purl(found, {}) == "pkg:pypi/some-thing@1.0"
    assert python_files(b"a/b.py,sha256=x,1\n../../bin/tool,,\n", b"lib/py/a-1.dist-info/RECORD") == (
        b"lib/py/a/b.py", b"bin/tool",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "parser"),
    [
        (b"app/node_modules/left-pad/package.json", npm_packages),
        (b"app/node_modules/@babel/core/package.json", npm_packages),
        (b"app/package.json", None),
        (b"app/node_modules/left-pad/test/package.json", None),
        (b"usr/lib/python3/dist-packages/six-1.egg-info", python_packages),
        (b"x/a-1.dist-info/METADATA", python_packages),
        (b"METADATA", None),
        (b"x/a-1-py3.11.egg/EGG-INFO/PKG-INFO", python_packages),
        (b"EGG-INFO/PKG-INFO", None),
        (b"x/EGG-INFO/PKG-INFO", None),
        (b"usr/share/rpm/rpmdb.sqlite", rpm_packages),
        (b"var/lib/rpm/Packages", berkeley_packages),
        (b"usr/lib/sysimage/rpm/Packages.db", ndb_packages),
        (b"srv/var/lib/rpm/Packages", None),
        (b"srv/var/lib/dpkg/status", None),
    ],
)
def test_records_are_known_by_their_place(path: bytes, parser: object) -> None:
    assert parser_of(path) is parser


def test_node_packages() -> None:
    def one(**fields: object) -> Package:
        (found,) = npm_packages(json.dumps(fields).encode())
        return found

    assert one(name="a", version="1", license="MIT").licence == "MIT"
    assert one(name="a", version="1", license={"type": "ISC"}).licence == "ISC"
    assert one(name="a", version="1", licenses=[{"type": "MIT"}, {"type": "BSD"}]).licence == "MIT OR BSD"
    assert purl(one(name="@Babel/core", version="7.0.0"), {}) == "pkg:npm/%40babel/core@7.0.0"
    assert [*npm_packages(b'{"name": "a"}')] == [] and [*npm_packages(b"[]")] == []
    with pytest.raises(BadRecord):
        tuple(npm_packages(b"{"))


def test_unreadable_record_does_not_hide_the_others() -> None:
    tree = Tree(
        {
            b"lib/apk/db/installed": APK,
            b"a/node_modules/x/package.json": b"{",
            b"usr/lib/os-release": b'ID=alpine\nVERSION_ID="3.19"\n# x=y\nBAD="\n',
        }
    )
    found = find(tree)
    assert [one.name for one in found.packages] == ["busybox", "ssl_client"]
    assert found.system == {"ID": "alpine", "VERSION_ID": "3.19"}
    assert found.unread == ("/a/node_modules/x/package.json: not JSON",)


def test_os_release_is_read_as_a_shell_would() -> None:
    assert os_release(b'NAME=\'A B\'\nPRETTY="C \\"D\\""\n') == {"NAME": "A B", "PRETTY": 'C "D"'}
