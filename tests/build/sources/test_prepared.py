"""Contexts from everywhere, made directories."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.sources.test_tarcontext import PLAIN, slices

from millefeuille.build.sources import prepared
from millefeuille.build.sources.download import Download, Downloads
from millefeuille.build.sources.git import Checkout, Git
from millefeuille.build.sources.named import Context, context
from millefeuille.build.sources.prepared import LongDockerfile, Prepared, Reach, prepare
from millefeuille.oci.digest import Digest


class OneFile(Downloads):
    """Whatever is asked for, it is this."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.headers: object = None

    def fetch(self, url: str, path: str, **options: object) -> Download:  # type: ignore[override]
        self.headers = options["headers"]
        Path(path).write_bytes(self._content)
        return Download(path=path, name="x", size=0, digest=Digest.of(b""), modified=77, etag="")


class OneCommit(Git):
    """Whatever is asked for, it is this."""

    def resolve(self, url: object, directory: str) -> str:
        return "c0"

    def check_out(self, url: object, commit: str, directory: str) -> Checkout:
        return Checkout(root=directory, commit=commit, time=5)


def made(text: str, scratch: Path, *, stdin: bytes = b"", content: bytes = b"") -> Prepared:
    parsed: Context = context(text)
    reach = Reach(
        git=OneCommit(environment={}),
        downloads=OneFile(content),
        secret=lambda name: None,
        stdin=slices(stdin, 100),
    )
    return prepare(parsed, str(scratch), reach)  # type: ignore[arg-type]


def test_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert made(".", tmp_path) == Prepared(root=str(tmp_path), local=True)


@pytest.mark.parametrize("data", [PLAIN, gzip.compress(PLAIN)])
def test_an_archive(tmp_path: Path, data: bytes) -> None:
    found = made("-", tmp_path, stdin=data)
    assert (found.dockerfile, found.time, found.local) == (b"", 1234, False)
    assert sorted(os.listdir(found.root)) == ["Dockerfile", "a", "h"]


def test_an_archive_from_afar(tmp_path: Path) -> None:
    found = made("https://h/x", tmp_path, content=gzip.compress(PLAIN))
    assert found.time == 77
    assert sorted(os.listdir(found.root)) == ["Dockerfile", "a", "h"]
    assert os.listdir(tmp_path) == ["context"]


@pytest.mark.parametrize("text", [b"", b"FROM scratch\n", b"FROM scratch\n" + b"# line\n" * 50_000])
def test_a_dockerfile(tmp_path: Path, text: bytes) -> None:
    assert made("-", tmp_path, stdin=text) == Prepared(dockerfile=text)
    assert made("https://h/x", tmp_path, content=text) == Prepared(dockerfile=text, time=77)


def test_no_dockerfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_DOCKERFILE", 100_000)
    with pytest.raises(LongDockerfile):
        made("-", tmp_path, stdin=b"x" * 200_000)


def test_a_repository(tmp_path: Path) -> None:
    found = made("https://h/x.git", tmp_path)
    assert found == Prepared(root=f"{tmp_path}/clone", time=5, commit="c0")


def test_the_secrets_of_the_build_are_for_their_host(tmp_path: Path) -> None:
    downloads = OneFile(b"FROM scratch\n")
    secrets = {"HTTP_AUTH_TOKEN_h": b"t"}

    def pieces() -> Iterator[bytes]:
        raise AssertionError("standard input is not read")
        yield b""

    reach = Reach(git=OneCommit(environment={}), downloads=downloads, secret=secrets.get, stdin=pieces())
    prepare(context("https://h/x"), str(tmp_path), reach)  # type: ignore[arg-type]
    assert downloads.headers == {"Authorization": "Bearer t"}
