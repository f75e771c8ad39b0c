"""Whatever is given, an answer or an error of ours."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from millefeuille.build.sources import arguments, ignore
from millefeuille.build.sources.download import BadUrl, file_name
from millefeuille.build.sources.glob import BadPattern, component
from millefeuille.build.sources.ignore import BadIgnoreFile, Ignore
from millefeuille.build.sources.named import context, named
from millefeuille.build.sources.statcache import StatCache
from millefeuille.build.sources.tarcontext import is_archive
from millefeuille.errors import MilleError

COUNT = 20_000 if os.environ.get("MILLE_ALL") else 300
PIECES = st.lists(
    st.sampled_from([
        "http://", "https://", "git@", "ssh://", "git://", "github.com/", "h", "[", "]", ":", "@", "/",
        ".git", "#", "?", "ref=", "tag=", "subdir=", "commit=", "&", "%", "%00", "..", "-",
        "oci-layout://",
        "docker-image://", "target:", "=", "a", "0", "é", "\udc80", "\0", "\n",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=COUNT)
@given(st.binary(max_size=60), st.text("ab/.*", max_size=12))
@example(b"\xff[\n", "a")
def test_ignore_files(data: bytes, path: str) -> None:
    try:
        Ignore(ignore.parse(data, "x")).leaves_out(path)
    except BadIgnoreFile as error:
        assert "line" in str(error)


@settings(max_examples=COUNT)
@given(st.lists(st.text("a*?[]^-\\!/", max_size=8), max_size=4), st.text("a/-^", max_size=8))
def test_patterns(patterns: list[str], path: str) -> None:
    try:
        Ignore(patterns).leaves_out(path)
    except BadPattern:
        pass
    for pattern in patterns:
        try:
            component(pattern).fullmatch(path)
            list(arguments.expanded(pattern, lambda directory: [("a", True), ("-", False)]))
        except BadPattern:
            pass


@settings(max_examples=COUNT)
@given(PIECES)
@example("http://[x.git")
@example("https://h/x.git?ref=a&tag=%")
def test_contexts(text: str) -> None:
    for read in (context, named):
        try:
            read(text)
        except MilleError as error:
            assert "\n" not in str(error)
    try:
        assert "/" not in file_name(text)
    except BadUrl:
        pass


@settings(max_examples=COUNT)
@given(st.binary(max_size=600))
@example(b"\x1f\x8b\x08\x00")
@example(b"\x28\xb5\x2f\xfd\x00")
@example(b"BZh9")
@example(b"\xfd7zXZ\x00")
def test_archives(data: bytes) -> None:
    assert is_archive(data) in (True, False)


@settings(max_examples=COUNT)
@given(data=st.binary(max_size=400))
def test_stat_caches(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "cache"
    path.write_bytes(data)
    assert StatCache(str(path)).find([os.stat("/")]) == [None]
