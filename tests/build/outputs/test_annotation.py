"""`--annotation` is read as buildx reads it, and reaches the documents it names."""

from __future__ import annotations

import pytest

from millefeuille.build.outputs.annotation import Annotation, BadAnnotation, notes, parse_annotation
from millefeuille.oci.platform import Platform

ARM = Platform.parse("linux/arm64")


def test_level_and_platform_stand_before_the_key() -> None:
    assert parse_annotation("a.b=c:d=e") == (
        Annotation(level="manifest", platform=None, key="a.b", value="c:d=e"),
    )
    assert parse_annotation("index,manifest-descriptor[linux/arm64]:k=v") == (
        Annotation(level="index", platform=None, key="k", value="v"),
        Annotation(level="manifest-descriptor", platform=ARM, key="k", value="v"),
    )


@pytest.mark.parametrize("text", ["key", "layer:k=v", "Index:k=v", "manifest:=v", "=v"])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(BadAnnotation):
        parse_annotation(text)


def test_a_platform_goes_before_all() -> None:
    found = [*parse_annotation("manifest[linux/arm64]:k=arm"), *parse_annotation("k=all,b=x"),
             *parse_annotation("index:k=no")]  # fmt: skip
    assert notes(found, "manifest", ARM) == {"k": "arm"}
    assert notes(found, "manifest", Platform.parse("linux/amd64")) == {"k": "all,b=x"}
