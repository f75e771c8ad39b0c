"""References against the answers of distribution/reference."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from millefeuille.oci import reference as reference_module
from millefeuille.oci.digest import Digest, InvalidDigest
from millefeuille.oci.reference import InvalidReference, Reference

_VECTORS = json.loads((Path(__file__).parent / "vectors" / "references-and-platforms.json").read_text())
_CASES: list[dict[str, Any]] = _VECTORS["references"]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["input"][:60] or "empty")
def test_answers_as_the_go_library(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises((InvalidReference, InvalidDigest)) as caught:
            Reference.parse(case["input"])
        assert str(caught.value) == case["error"]
        return
    reference = Reference.parse(case["input"])
    digest = str(reference.digest) if reference.digest else None
    assert (reference.registry, reference.repository) == (case["domain"], case["path"])
    assert (reference.tag, digest) == (case.get("tag"), case.get("digest"))
    assert (str(reference), reference.familiar) == (case["full"], case["familiar"])
    wanted = reference.pinned(reference.digest) if reference.digest else reference.tagged()
    assert str(wanted) == case["docker_ref"]


def test_all_vectors_are_here() -> None:
    assert len(_CASES) == 119


@pytest.mark.parametrize(
    "case", [case for case in _CASES if "error" not in case], ids=lambda case: case["input"][:60]
)
def test_printed_forms_are_read_back(case: dict[str, Any]) -> None:
    reference = Reference.parse(case["input"])
    assert Reference.parse(str(reference)) == reference
    # A bare name of 64 hex digits is an image ID, so that the familiar form of such a name is no name.
    if len(reference.familiar) != 64:
        assert Reference.parse(reference.familiar) == reference


def test_a_tag_replaces_the_digest() -> None:
    reference = Reference.parse(f"team/app:1@{Digest.of(b'')}")
    assert str(reference.with_tag("v2")) == "docker.io/team/app:v2"
    assert str(reference.repository_only) == "docker.io/team/app"
    for tag in ("", ".x", "a b", "x" * 129, "ü"):
        with pytest.raises(InvalidReference, match=r"^invalid reference format$"):
            reference.with_tag(tag)


_WORD = st.from_regex(r"[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,6}){0,3}", fullmatch=True)


@given(
    st.sampled_from(["", "localhost/", "host.example/", "[::1]:5000/", "127.0.0.1:5055/"]),
    st.lists(_WORD, min_size=1, max_size=4),
    st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.booleans(),
)
def test_what_is_well_formed_is_read_and_printed_again(
    registry: str, path: list[str], tag: str | None, pinned: bool
) -> None:
    # Without a registry, a first component with a dot would be one.
    assume(registry or len(path) == 1 or ("." not in path[0] and path[0] != "localhost"))
    text = registry + "/".join(path) + (f":{tag}" if tag else "") + (f"@{Digest.of(b'')}" if pinned else "")
    reference = Reference.parse(text)
    assert reference.tag == tag
    assert (reference.digest is not None) is pinned
    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference


@given(st.text(max_size=60) | st.from_regex(r"[a-zA-Z0-9./:@_\[\]-]{0,40}", fullmatch=True))
def test_any_text_is_a_reference_or_an_error(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except (InvalidReference, InvalidDigest):
        return
    assert str(reference).isascii()
    assert ".." not in reference.repository.split("/")
    assert Reference.parse(str(reference)) == reference


# The grammar of distribution/reference, for what is read here without regular expressions.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PARTS = st.text("ab0-_./:A\n", max_size=12)


@given(_PARTS | st.from_regex(rf"(?a){_COMPONENT}(?:/{_COMPONENT})*", fullmatch=True))
def test_paths(text: str) -> None:
    wanted = re.fullmatch(rf"(?a){_COMPONENT}(?:/{_COMPONENT})*", text) is not None
    assert reference_module._is_path(text) is wanted


@given(_PARTS | st.from_regex(r"(?a)[\w][\w.-]{120,128}", fullmatch=True))
def test_tags(text: str) -> None:
    assert reference_module._is_tag(text) is (re.fullmatch(r"(?a)[\w][\w.-]{0,127}", text) is not None)
