"""Common bases, by the layers of images and what is in them."""

from __future__ import annotations

from tests.analysis.test_batches import digest

from millefeuille.analysis.batches import Batches
from millefeuille.analysis.commonbase import CommonBase, common_bases
from millefeuille.oci.digest import Digest

Layers = dict[str, str]  # a letter for each file; the same letter is the same content, of a thousand bytes


def bases(layers: Layers, images: dict[str, str]) -> list[tuple[str, int, int]]:
    """Of each base its images, its size, and what it saves; an image is the names of its layers."""
    digests = {name: digest(number) for number, name in enumerate(layers)}
    stacks = {name: tuple(digests[layer] for layer in stack) for name, stack in images.items()}
    found = grouped(stacks, {digests[name]: files for name, files in layers.items()})
    return [(" ".join(one.images), one.size, one.saved) for one in found]


def grouped(stacks: dict[str, tuple[Digest, ...]], files: dict[Digest, str]) -> list[CommonBase]:
    batches = Batches()
    for layer, letters in files.items():
        batches.add(layer, {letter.encode(): (letters.count(letter), 1000) for letter in letters})
    sizes = {layer: 1000 * len(letters) for layer, letters in files.items()}
    return list(common_bases(stacks, sizes, batches.all()))


def test_twins_and_all_who_stand_on_them() -> None:
    layers = {"A": "abcd", "B": "abcde", "x": "x", "y": "y", "z": "zzzzzzzzzz"}
    assert bases(layers, {"one": "A", "two": "Ax", "three": "By", "far": "z"}) == [
        ("one three two", 4000, 4000)
    ]
    # One that has much of its own moves to the base with those whose layers it has.
    assert bases(layers, {"one": "A", "big": "Az", "three": "B"}) == [("big one three", 4000, 4000)]


def test_shared_layers_are_saved_already() -> None:
    assert bases({"A": "abcd", "x": "x", "y": "y"}, {"one": "Ax", "two": "Ay"}) == []


def test_copies_above_one_base_are_saved_by_no_other() -> None:
    assert bases({"A": "a", "x": "a", "y": "a"}, {"base": "A", "one": "Ax", "two": "Ay"}) == []
    layers = {"A": "abcd", "B": "efg", "x": "ab", "y": "abz", "z": "cd"}
    assert bases(layers, {"base": "AB", "one": "ABx", "two": "ABy", "three": "ABz"}) == []
    # What is in no layer that they have in common is.
    layers = {"A": "abcd", "x": "aefgh", "y": "aefgh"}
    assert bases(layers, {"base": "A", "one": "Ax", "two": "Ay"}) == [("one two", 8000, 4000)]
    # Another base is one more, and no copies above it.
    assert bases({"A": "a", "B": "a", "x": "a"}, {"one": "A", "two": "Ax", "three": "B"}) == [
        ("one three two", 1000, 1000)
    ]


def test_copies_in_a_chain_of_layers_are_not_counted_twice() -> None:
    assert bases({"A": "a", "x": "a", "y": "a"}, {"one": "A", "two": "Ax", "three": "Axy"}) == []


def test_what_an_image_has_twice_it_needs_twice() -> None:
    layers = {"A": "a", "B": "a", "C": "az"}
    assert bases(layers, {"one": "AB", "two": "C"}) == [("one two", 1000, 1000)]
    assert bases(layers, {"one": "AB"}) == []
    # Two of three images have it three times, the third once: a base can hold it once.
    layers = {"A": "aaa", "B": "aaa", "C": "a"}
    assert bases(layers, {"one": "A", "two": "B", "three": "C"}) == [("one two", 3000, 3000)]


def test_little_in_common_is_no_base() -> None:
    assert bases({"A": "abcd", "B": "awxyz"}, {"one": "A", "two": "B"}) == []


def test_a_small_image_does_not_part_the_others() -> None:
    layers = {"A": "abcdefgh", "B": "abcdefgi", "c": "a"}
    assert bases(layers, {"one": "A", "two": "B", "small": "c"})[0][0] == "one two"


def test_an_image_that_has_the_layers_of_two_gains_nothing() -> None:
    assert bases({"A": "abcd", "B": "abcd"}, {"one": "A", "two": "B", "both": "AB"}) == [
        ("one two", 4000, 4000)
    ]


def test_thousands_of_images() -> None:
    """Their number is not to be squared: pairs of images would be 50 million, and take half an hour."""
    layers = {digest(n): "abcd" if n < 2 else "efgh" if n < 4 else f"{n % 10}" for n in range(10_000)}
    stacks = {f"i{n}": (digest(n % 4), digest(n)) for n in range(4, 10_000)}
    found = grouped(stacks, layers)
    assert [(len(one.images), one.saved) for one in found] == [(4998, 4000), (4998, 4000)]
