"""Sizes. The texts are those of docker/go-units' own table, and of the docker CLI where it rounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.units import bytes_size, human_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (-1, "-1B"),
        (999, "999B"),
        (1000, "1kB"),
        (1024, "1.024kB"),
        (1_000_000, "1MB"),
        (1_048_576, "1.049MB"),
        (2_000_000, "2MB"),
        (3.42e9, "3.42GB"),
        (5.372e12, "5.372TB"),
        (2.22e15, "2.22PB"),
        (999_949, "999.9kB"),
        (999_950, "1000kB"),
        (1e27, "1000YB"),
    ],
)
def test_decimal_sizes(size: float, text: str) -> None:
    assert human_size(size) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(1_984_172, "1.98MB"), (999_499, "999kB"), (999_999, "1e+03kB"), (12, "12B"), (0, "0B")],
)
def test_three_digits_for_images(size: int, text: str) -> None:
    assert human_size(size, 3) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(1024, "1KiB"), (2**31, "2GiB"), (3.42 * 2**30, "3.42GiB"), (25_276_502_016, "23.54GiB")],
)
def test_binary_sizes(size: float, text: str) -> None:
    assert bytes_size(size) == text


@given(st.integers(0, 10**24))
def test_a_size_is_right_to_four_digits(size: int) -> None:
    text = human_size(size)
    number = text.rstrip("BkMGTPEZY")
    scale = 1000 ** ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"].index(text[len(number) :])
    assert float(number) * scale == pytest.approx(size, rel=5.1e-4)
