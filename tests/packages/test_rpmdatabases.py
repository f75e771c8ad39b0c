"""Databases of rpm beside SQLite's: files that Berkeley DB 5.3 wrote, and ndb as its source says.

The vectors are `db5.3_load -t hash` of the dump that `dump` gives, with pages of 512 bytes, `bdb-little` of
db_lorder=1234 and `bdb-big` of db_lorder=4321.
"""

from __future__ import annotations

import struct
from pathlib import Path
from zlib import adler32

import pytest
from tests.packages.test_found import BASH, Tree, rpm_header

from millefeuille.packages.berkeley import hash_items
from millefeuille.packages.found import find
from millefeuille.packages.ndb import blobs
from millefeuille.packages.package import BadRecord
from millefeuille.packages.rpm import berkeley_packages, ndb_packages

VECTORS = Path(__file__).with_name("vectors")
ORDERS = ("little", "big")
KEY = rpm_header({1000: "gpg-pubkey", 1001: "1", 1002: "1"}, {}, {})
SMALL = rpm_header({1000: "sed", 1001: "4.8", 1002: "1"}, {}, {})
LARGE = rpm_header(
    {1000: "tzdata", 1001: "2024a", 1002: "1"},
    {1116: [0] * 200},
    {1117: [f"zone{number}" for number in range(200)], 1118: ["/usr/share/zoneinfo/"]},
)
HEADERS = (KEY, SMALL, BASH, LARGE)


def dump(order: str) -> str:
    """What `db5.3_load` makes such a database from."""
    numbers = [(0, len(HEADERS).to_bytes(4, "little")), *enumerate(HEADERS, 1)]
    lines = [f" {number.to_bytes(4, 'little').hex()}\n {value.hex()}" for number, value in numbers]
    lorder = {"little": 1234, "big": 4321}[order]
    head = f"VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder={lorder}\ndb_pagesize=512\nHEADER=END\n"
    return head + "\n".join(lines) + "\nDATA=END\n"


def ndb(*headers: bytes, at: int = 256) -> bytes:
    """A `Packages.db` with a package in every second slot, the first at block `at`."""
    slots, space = b"", b""
    for number, header in enumerate(headers, 1):
        blocks = -(-(len(header) + 28) // 16)
        head = struct.pack("<4s3I", b"BlbS", number, 1, len(header))
        body = (head + header).ljust(blocks * 16 - 12, b"\0")
        slots += struct.pack("<4s3I", b"Slot", number, at + len(space) // 16, blocks)
        slots += struct.pack("<4s3I", b"Slot", 0, 0, 0)
        space += body + struct.pack("<2I4s", adler32(body), len(header), b"BlbE")
    first = struct.pack("<4s4I12x", b"RpmP", 0, 1, 1, len(headers) + 1) + slots
    free = struct.pack("<4s3I", b"Slot", 0, 0, 0) * ((4096 - len(first)) // 16)
    return (first + free).ljust(at * 16, b"\0") + space


@pytest.mark.parametrize("order", ORDERS)
def test_packages_in_berkeley_db(order: str) -> None:
    raw = (VECTORS / f"bdb-{order}").read_bytes()
    found = {one.name: one for one in berkeley_packages(raw, b"var/lib/rpm/Packages")}
    assert sorted(found) == ["bash", "sed", "tzdata"]
    assert (found["bash"].version, found["bash"].location) == ("1:5.2.15-5.fc39", b"var/lib/rpm/Packages")
    assert found["tzdata"].files[-1] == b"usr/share/zoneinfo/zone199"
    assert {value for key, value in hash_items(raw) if any(key)} == {*HEADERS}


def test_packages_in_ndb() -> None:
    names = [one.name for one in ndb_packages(ndb(*HEADERS))]
    assert names == ["sed", "bash", "tzdata"]
    assert [*blobs(ndb(*HEADERS, at=300))] == [*HEADERS]
    assert [*blobs(ndb())] == []


def test_packages_of_a_tree_are_found_in_both() -> None:
    raw = (VECTORS / "bdb-little").read_bytes()
    for path, database in ((b"var/lib/rpm/Packages", raw), (b"usr/lib/sysimage/rpm/Packages.db", ndb(BASH))):
        found = find(Tree({path: database}))
        assert "bash" in [one.name for one in found.packages]
        assert not found.unread
        assert find(Tree({path: b""})).unread == ()
        (told,) = find(Tree({path: b"x" * 600})).unread
        assert told.startswith(f"/{path.decode()}: not a ")


@pytest.mark.parametrize("order", ORDERS)
def test_berkeley_databases_that_lie_are_refused_or_read_within_themselves(order: str) -> None:
    raw = (VECTORS / f"bdb-{order}").read_bytes()
    refused = 0
    for position in range(0, len(raw), 5):
        for value in {0, 1, 0xFF} - {raw[position]}:
            broken = raw[:position] + bytes([value]) + raw[position + 1 :]
            try:
                list(berkeley_packages(broken))
            except BadRecord:
                refused += 1
    assert refused > 100
    for size in range(1, len(raw), 97):
        with pytest.raises(BadRecord):
            list(berkeley_packages(raw[:size]))


def test_ndb_databases_that_lie_are_refused() -> None:
    raw = ndb(KEY, SMALL)
    packages = [*blobs(raw)]
    for position in (*range(64), *range(4096, len(raw))):
        for value in {0, 1, 0xFF} - {raw[position]}:
            broken = raw[:position] + bytes([value]) + raw[position + 1 :]
            try:
                kept = [*blobs(broken)]
            except BadRecord:
                continue
            # A slot may be free, and what numbers packages get is not looked at.
            assert {*kept} <= {*packages}, position
            assert position < 64, position
    for size in range(0, len(raw), 33):
        with pytest.raises(BadRecord):
            list(blobs(raw[:size]))


def test_packages_that_share_their_space_are_not_read_again_and_again() -> None:
    raw = ndb(LARGE)
    slot = raw[32:48]
    with pytest.raises(BadRecord, match="slot that is none"):
        list(blobs(raw[:32] + slot * 254 + raw[4096:]))
    little = (VECTORS / "bdb-little").read_bytes()
    item = little.index(struct.pack("<I", len(LARGE))) - 8
    pages = len(little) // 512
    # A page full of keys, each with the largest package's chain of pages for a value.
    items = [b"\1\1\1\1\1", little[item : item + 12]] * 20
    ends = [512 - sum(map(len, items[: number + 1])) for number in range(len(items))]
    page = struct.pack("<8s3I2H2B", b"", pages, 0, 0, len(items), ends[-1], 0, 13)
    page += struct.pack(f"<{len(ends)}H", *ends)
    page = page.ljust(ends[-1], b"\0") + b"".join(reversed(items))
    more = bytearray(little + page)
    struct.pack_into("<I", more, 32, pages)
    with pytest.raises(BadRecord, match="share their pages"):
        list(berkeley_packages(bytes(more)))
