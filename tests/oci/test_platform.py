"""Platforms against the answers of containerd's library."""

from __future__ import annotations

import json
import platform as host
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.oci.platform import InvalidPlatform, Platform, accepts, from_json, normalise, rank

_VECTORS = json.loads((Path(__file__).parent / "vectors" / "references-and-platforms.json").read_text())
_CASES: list[dict[str, Any]] = _VECTORS["platforms"]
_UNIVERSE = [
    Platform.parse(text)
    for text in (
        "linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4 linux/386 linux/arm/v5 linux/arm/v6"
        " linux/arm/v7 linux/arm/v8 linux/arm64 linux/arm64/v8.1 linux/arm64/v8.5 linux/arm64/v9"
        " linux/arm64/v9.2 linux/riscv64 linux/ppc64le linux/s390x windows/amd64 darwin/arm64"
        " unknown/unknown"
    ).split()
]


@pytest.fixture(autouse=True)
def _amd64(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vectors were recorded on amd64, which shows where the architecture is left to the host."""
    monkeypatch.setattr(host, "machine", lambda: "x86_64")


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["Input"])
def test_answers_as_the_go_library(case: dict[str, Any]) -> None:
    if case["Error"]:
        with pytest.raises(InvalidPlatform) as caught:
            Platform.parse(case["Input"])
        assert str(caught.value) == case["Error"]
        return
    wanted = Platform.parse(case["Input"])
    assert str(wanted) == case["Canonical"]
    ranked = {candidate: rank(candidate, wanted) for candidate in _UNIVERSE}
    matching = [candidate for candidate in _UNIVERSE if ranked[candidate] is not None]
    assert [str(p) for p in sorted(matching, key=lambda p: ranked[p] or 0)] == (case["Only"] or [])


def test_all_vectors_are_here() -> None:
    assert len(_CASES) == 30


@pytest.mark.parametrize(
    "text", ["", "/", "linux//v8", "linux/amd64/", "linux amd64", "nonsense", "linux(1)/x(2)", "a/b/c/d", "é"]
)
def test_malformed_platforms(text: str) -> None:
    with pytest.raises(InvalidPlatform, match=r"invalid argument$"):
        Platform.parse(text)


def test_strict_means_this_platform_only() -> None:
    wanted = Platform.parse("linux/amd64/v3")
    assert accepts(wanted, strict=True) == (wanted,)
    assert rank(Platform.parse("linux/amd64"), wanted, strict=True) is None


def test_windows_builds_must_agree() -> None:
    wanted = Platform.parse("windows(10.0.17763)/amd64")
    same, other = (Platform.parse(f"windows(10.0.{build})/amd64") for build in ("17763.5", "20348"))
    assert rank(same, wanted) == 0
    assert rank(other, wanted) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"os": "linux", "architecture": "arm64", "variant": "v8"}, "linux/arm64"),
        ({"os": "linux", "architecture": "arm"}, "linux/arm/v7"),
        ({"os": "windows", "architecture": "amd64", "os.version": "10.0.1"}, "windows(10.0.1)/amd64"),
        ({"os": "unknown", "architecture": "unknown"}, "unknown/unknown"),
    ],
)
def test_platforms_of_descriptors(value: object, expected: str) -> None:
    assert str(from_json(value)) == expected


@pytest.mark.parametrize("value", [None, [], "linux", {}, {"architecture": "amd64"}, {"os": 1}, {"os": []}])
def test_what_is_no_platform(value: object) -> None:
    assert from_json(value) is None


_PARTS = st.from_regex(r"[A-Za-z0-9_.-]{1,12}", fullmatch=True)


@given(_PARTS, _PARTS, st.just("") | _PARTS)
def test_normalising_twice_changes_nothing(system: str, architecture: str, variant: str) -> None:
    once = normalise(system, architecture, variant)
    assert normalise(once.os, once.architecture, once.variant) == once


@given(st.sampled_from(_UNIVERSE))
def test_a_platform_accepts_itself_first(wanted: Platform) -> None:
    assert accepts(wanted)[0] == wanted
    assert len(set(accepts(wanted))) == len(accepts(wanted))
