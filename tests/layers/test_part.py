"""A layer read in two parts: the same index as read in one, wherever it is cut, or no index at all."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterator

import pytest
from tests.analysis.stacks import stack

from millefeuille.errors import MilleError
from millefeuille.layers import part
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import Limits
from millefeuille.layers.tar import TarParser
from millefeuille.testing import rawtars

CASES = {
    "plain files": [rawtars.file(b"d/f%d" % n, b"x" * n) for n in range(12)],
    "a symlink that later names pass": [
        rawtars.directory(b"real"),
        rawtars.symlink(b"way", b"real"),
        rawtars.file(b"a"),
        rawtars.file(b"way/f", b"1"),
    ],
    "a file where later names want a directory": [
        rawtars.file(b"a"),
        rawtars.file(b"b"),
        rawtars.file(b"a/f"),
    ],
    "a directory becomes a file": [
        rawtars.file(b"d/f", b"1"),
        rawtars.file(b"d", b"2"),
        rawtars.file(b"e/f", b"3"),
    ],
    "a link back": [rawtars.file(b"a", b"1"), rawtars.file(b"b", b"2"), rawtars.hardlink(b"c", b"a")],
    "a whiteout": [rawtars.file(b"a", b"1"), rawtars.file(b"b/c", b"2"), rawtars.file(b"b/.wh.a")],
    "a name twice": [rawtars.file(b"a", b"1"), rawtars.file(b"b", b"2"), rawtars.file(b"a", b"3")],
    "a global header": [
        rawtars.extension(b"g", rawtars.record(b"mtime", b"77")),
        rawtars.file(b"a", b"1"),
        rawtars.file(b"b", b"2"),
    ],
    "extended headers": [
        rawtars.pax({b"path": b"p" * 200}) + rawtars.file(b"short", b"1"),
        rawtars.long_name(b"l" * 150),
        rawtars.file(b"cut", b"2"),
        rawtars.pax({b"SCHILY.xattr.user.a": b"1"}) + rawtars.file(b"x", b"3"),
        rawtars.pax({b"SCHILY.xattr.user.b": b"2"}) + rawtars.file(b"y", b"3"),
        rawtars.pax({b"SCHILY.xattr.user.a": b"1"}) + rawtars.file(b"z", b""),
    ],
    "a tar in a tar": [
        rawtars.file(b"a", b"1"),
        rawtars.file(b"inner.tar", rawtars.archive(*(rawtars.file(b"i%d" % n, b"y") for n in range(6)))),
        rawtars.file(b"b", b"2"),
    ],
    "sparse files": [
        rawtars.file(b"a", b"1"),
        rawtars.pax_sparse(b"s", [(512, 4)], 4096, b"data", "1.0"),
        rawtars.pax_sparse(b"t", [(0, 4)], 9000, b"more", "1.0"),
        rawtars.file(b"b", b"2"),
    ],
    "notes": [rawtars.file(b".wh..wh.a", b"1"), rawtars.file(b"b", b"2"), rawtars.file(b".wh..wh.c", b"3")],
    "an escape": [rawtars.file(b"a", b"1"), rawtars.file(b"../b", b"2"), rawtars.file(b"c", b"3")],
}


def tree() -> bytes:
    """A tar with devices, links and directories, as another program writes it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for number in range(12):
            entry = tarfile.TarInfo(f"dev/{number}")
            entry.type = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.SYMTYPE)[number % 4]
            entry.devmajor, entry.devminor, entry.linkname = 4, number, "1" if number % 4 == 3 else ""
            tar.addfile(entry)
    return made.getvalue()


def facts(index: LayerIndex) -> object:
    sizes = (index.tar_size, index.end, index.compressed_size, index.content_size, index.lower_links)
    sets = [index.xattrs(number) for number in range(len(index))]
    same = [a == b for a, b in zip(index.xattr_sets, index.xattr_sets[1:], strict=False)]
    return [index.entry(n) for n in range(len(index))], sizes, sorted(index.notes()), sets, same


def in_one(tar: bytes, limits: Limits) -> object:
    builder = IndexBuilder()
    parser = TarParser(builder, limits=limits)
    try:
        parser.feed(tar, len(tar))
        parser.finish()
    except MilleError as error:
        return str(error)
    return facts(LayerIndex.made(builder))


def the_rest(tar: bytes, cut: int, limits: Limits) -> bytes:
    builder = IndexBuilder()
    parser = TarParser(builder, limits=limits, offset=cut)
    try:
        parser.feed(tar[cut:], len(tar))
        parser.finish()
    except MilleError:
        return b""
    return part.encoded(builder, parser.entries)


def in_two(tar: bytes, cut: int, limits: Limits) -> tuple[object, bool]:
    """What comes of a layer that is cut, and whether its end was of use."""
    builder = IndexBuilder()
    parser = TarParser(builder, limits=limits)
    try:
        parser.feed(tar[:cut], cut)
        index = part.joined(parser, builder, the_rest(tar, cut, limits))
        if index is not None:
            return facts(index), True
        parser.feed(tar[cut:], len(tar))
        parser.finish()
    except MilleError as error:
        return str(error), False
    return facts(LayerIndex.made(builder)), False


def held(tar: bytes, limits: Limits | None = None) -> int:
    """Cut a layer at every block; how many of the cuts gave something."""
    limits = limits or Limits()
    whole, used = in_one(tar, limits), 0
    for cut in range(0, len(tar), 512):
        found, joined = in_two(tar, cut, limits)
        assert found == whole, cut
        used += joined
    return used


@pytest.mark.parametrize("case", CASES)
def test_every_cut_gives_the_same_index(case: str) -> None:
    used = held(rawtars.archive(*CASES[case]))
    assert used > 0 or case in ("an escape", "a file where later names want a directory")


def test_devices_and_other_kinds() -> None:
    assert held(tree()) > 12


@pytest.mark.parametrize("seed", range(25))
def test_random_layers(seed: int) -> None:
    for tar in stack(seed + 900):
        held(tar)


def test_the_limits_are_those_of_the_whole_layer() -> None:
    tar = rawtars.archive(*(rawtars.file(b"f%d" % n, b"x") for n in range(9)))
    assert held(tar, Limits(entries=8)) == 0
    assert held(tar, Limits(entries=9)) > 8
    assert held(tar, Limits(metadata=17)) == 0


@pytest.mark.parametrize(
    "case", ["a symlink that later names pass", "a link back", "a whiteout", "a global header"]
)
def test_what_bears_on_the_rest_is_seen(case: str) -> None:
    entries = CASES[case]
    assert not in_two(rawtars.archive(*entries), len(b"".join(entries[:-1])), Limits())[1]


def guesses(tar: bytes) -> Iterator[int | None]:
    for middle in range(0, len(tar), 512):
        yield part.entry_behind(lambda count, at: tar[at : at + count], middle, len(tar))


def test_an_entry_is_found_behind_the_middle() -> None:
    chance = random.Random(3)
    tar = rawtars.archive(*(rawtars.file(b"f%d" % n, b"x" * chance.randrange(3000)) for n in range(40)))
    found = set(guesses(tar))
    assert len(found) > 30
    for cut in found - {None}:
        assert in_two(tar, cut, Limits())[1]
    assert next(guesses(bytes(5000))) is None
    assert not list(guesses(b""))


def test_headers_in_a_file_are_no_entries_of_the_layer() -> None:
    tar = rawtars.archive(*CASES["a tar in a tar"])
    used = [cut for cut in set(guesses(tar)) - {None} if in_two(tar, cut, Limits())[1]]
    wrong = [cut for cut in set(guesses(tar)) - {None} if not in_two(tar, cut, Limits())[1]]
    assert used and wrong
