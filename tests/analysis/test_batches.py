"""Batches, held against counting every content by itself."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from millefeuille.analysis.batches import Batches, Counts
from millefeuille.oci.digest import Digest

SIZES = {b"a": 1, b"b": 10, b"c": 100, b"d": 1000, b"e": 10000}
COUNTS = st.dictionaries(st.sampled_from(sorted(SIZES)), st.integers(1, 3))


def digest(number: int) -> Digest:
    return Digest("sha256", f"{number:064x}")


def held(layer: dict[bytes, int]) -> Counts:
    return {content: (count, SIZES[content]) for content, count in layer.items()}


@given(st.lists(COUNTS, max_size=6))
def test_every_content_is_in_the_batch_of_its_layers(layers: list[dict[bytes, int]]) -> None:
    batches = Batches()
    for number, layer in enumerate(layers):
        batches.add(digest(number), held(layer))
    expected: Counter[frozenset[tuple[Digest, int]]] = Counter()
    repeated = []
    for content, size in SIZES.items():
        holders = {digest(n): layer[content] for n, layer in enumerate(layers) if content in layer}
        if holders:
            expected[frozenset(holders.items())] += size
        if len(holders) > 1:
            extra = sum(holders.values()) - max(holders.values())
            repeated.append((size * extra, content, tuple(holders)))
    assert {frozenset(one.copies.items()): one.size for one in batches.all()} == expected
    found = [(one.extra, one.content, one.layers) for one in batches.repeated(len(SIZES))]
    assert found == sorted(repeated, key=lambda each: (-each[0], each[1]))
