"""Extended attributes, encoded."""

from __future__ import annotations

import pytest

from millefeuille.snapshots.erofs.format import ImageTooLarge
from millefeuille.snapshots.erofs.xattrs import XattrTable, count


def test_equal_entries_are_stored_once() -> None:
    table = XattrTable()
    first = table.encode({b"user.a": b"1", b"user.b": b"2"})
    second = table.encode({b"user.b": b"2"})
    # Name length, prefix user., value length, name and value, padded to four bytes.
    assert bytes(table.area) == bytes.fromhex("0101 0100 6131 0000") + bytes.fromhex("0101 0100 6232 0000")
    # Filter, two shared entries, seven zeros, their numbers.
    assert first == bytes.fromhex("00000000 02 00000000000000 00000000 02000000")
    assert second == bytes.fromhex("00000000 01 00000000000000 02000000")
    assert (count(first), count(second), count(b"")) == (3, 2, 0)


@pytest.mark.parametrize(
    "name", [b"trusted.overlay.opaque", b"system.nfs4_acl", b"system.posix_acl_access2", b"other.x", b""]
)
def test_what_is_left_out(name: bytes) -> None:
    table = XattrTable()
    assert table.encode({name: b"y"}) == b""
    assert not table.area


def test_limits() -> None:
    with pytest.raises(ImageTooLarge):
        XattrTable().encode({b"user." + b"n" * 256: b""})
    with pytest.raises(ImageTooLarge):
        XattrTable().encode({b"user.n": bytes(1 << 16)})
    table = XattrTable()
    huge = table.encode({b"user.%03d" % n: bytes(60_000) for n in range(270)})
    with pytest.raises(ImageTooLarge):
        count(huge)
