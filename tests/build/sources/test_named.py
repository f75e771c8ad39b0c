"""What texts that name a build context mean."""

from __future__ import annotations

import pytest

from millefeuille.build.sources.giturl import GitUrl
from millefeuille.build.sources.named import (
    BadContext,
    Context,
    Directory,
    Download,
    Image,
    Input,
    Layout,
    Target,
    context,
    named,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".", Directory(path=".")),
        ("-", Input()),
        ("docker-image://alpine:3", Image(reference="alpine:3")),
        ("oci-layout:///a/b", Layout(path="/a/b")),
        ("oci-layout://a:t", Layout(path="a", tag="t")),
        ("oci-layout:///a:b/c", Layout(path="/a:b/c")),
        ("oci-layout:///a/b:t", Layout(path="/a/b", tag="t")),
        ("oci-layout:///a/b@sha256:0", Layout(path="/a/b", digest="sha256:0")),
        ("target:base", Target(stage="base")),
        ("https://h/a.tar.gz", Download(url="https://h/a.tar.gz")),
        ("https://h/a.git#r", GitUrl(remote="https://h/a.git", ref="r")),
        ("git@h:a", GitUrl(remote="git@h:a")),
    ],
)
def test_contexts(text: str, expected: Context) -> None:
    assert context(text) == expected


def test_options() -> None:
    assert named("a=../b=c") == ("a", Directory(path="../b=c"))
    for text in ("a", "=b", "a=", "a=-", "a=docker-image://", "a=oci-layout://"):
        with pytest.raises(BadContext):
            named(text)
