"""The corpus of hostile layers: each is accepted with the one right tree, or refused for the right reason."""

from __future__ import annotations

import stat

import pytest
from blake3 import blake3

from millefeuille.layers import compression
from millefeuille.layers.compression import Bomb, BrokenStream
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import BrokenLink
from millefeuille.layers.tar import TarError, TarParser
from millefeuille.layers.tree import Merger
from millefeuille.testing.hostile import CASES, GROUPS, Case
from millefeuille.testing.trees import content, describe, walk

COUNTS = {
    "names": 24, "symlinks": 20, "hardlinks": 18, "whiteouts": 24, "replacements": 16, "metadata": 22,
    "formats": 32, "resources": 10, "stacks": 6,
}  # fmt: skip
WHOLE = 1 << 62
# Too many bytes to be fed in slices of seven.
BIG = {"T3.16", "T5.15", "T8.01", "T8.02", "T8.05", "T8.06", "T8.07", "T8.08", "T8.09", "T8.10"}
TWO_MILLION = "T8.05"


def _read(blob: bytes, piece: int) -> tuple[LayerIndex, bytes]:
    """Index of a layer, and its uncompressed tar as far as it is small."""
    builder = IndexBuilder()
    parser = TarParser(builder)
    inflater = compression.inflater(compression.sniff(blob[:4]))
    kept = bytearray()
    for at in range(0, len(blob), 256 << 10):
        for data in inflater.feed(blob[at : at + (256 << 10)]):
            kept += data if len(kept) < 16 << 20 else b""
            for start in range(0, len(data), piece):
                parser.feed(data[start : start + piece], inflater.consumed)
    inflater.finish()
    parser.finish()
    index = LayerIndex(builder.finish())
    index.verify()
    return index, bytes(kept)


def _judge(case: Case, piece: int = WHOLE) -> None:
    """Read a case's layers and hold the outcome against its verdict."""
    merger = Merger()
    tars, notes = [], set()
    try:
        for layer in case.tars():
            index, tar = _read(layer, piece)
            tars.append(tar)
            notes |= {code for code, _ in index.notes()}
            merger.add(index)
    except TarError as error:
        assert case.refused == error.rule, error
        return
    except BrokenLink as error:
        assert case.refused == "broken", error
        return
    except (BrokenStream, Bomb) as error:
        assert case.refused == "stream", error
        return
    assert case.refused is None, f"accepted, but breaks the rule {case.refused}"
    nodes = dict(walk(merger.root))
    if case.tree is not None:
        assert describe(merger.root, tars) == dict(case.tree)
    for path, fields in case.attributes.items():
        assert {name: getattr(nodes[path], name) for name in fields} == dict(fields), path
    assert case.notes <= notes


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_verdict(case: Case, all_cases: bool) -> None:
    if case.id == TWO_MILLION and not all_cases:
        pytest.skip("two million entries take their time; scripts/test --all")
    _judge(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.id not in BIG], ids=lambda case: case.id)
@pytest.mark.parametrize("piece", [7, 511, 512, 513])
def test_same_verdict_whatever_the_pieces(case: Case, piece: int) -> None:
    _judge(case, piece)


def test_corpus_is_complete() -> None:
    numbers = {name: {case.id[:5] for case in group} for name, group in GROUPS.items()}
    assert {name: len(found) for name, found in numbers.items()} == COUNTS
    assert sum(COUNTS.values()) == 172
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.id not in BIG and not case.refused], ids=lambda case: case.id
)
def test_content_hashes_are_of_what_reading_gives(case: Case) -> None:
    for blob in case.tars():
        index, tar = _read(blob, WHOLE)
        merger = Merger()
        try:
            merger.add(index)
        except BrokenLink:
            return  # a layer that needs one below
        for _, node in walk(merger.root):
            if stat.S_ISREG(node.mode):
                assert index.content(node.entry) == blake3(content(node, tar)).digest()
