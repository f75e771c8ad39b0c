"""Prepared: a build context from anywhere, made a directory; or the Dockerfile that came instead of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from millefeuille import files
from millefeuille.build.sources.download import Downloads, authorization
from millefeuille.build.sources.git import Git
from millefeuille.build.sources.giturl import GitUrl
from millefeuille.build.sources.named import Directory, Download, Input
from millefeuille.build.sources.tarcontext import HEAD, is_archive, unpack
from millefeuille.errors import Invalid

_DOCKERFILE: Final = 64 << 20  # bytes


class LongDockerfile(Invalid):
    """What came as a Dockerfile is longer than any is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A context: its directory `root`, or where there is none the text of the Dockerfile that came instead.

    `time` is that of the context in seconds, for SOURCE_DATE_EPOCH, where it has one: of a commit, the newest
    entry of an archive, or a download. `commit` is that of a repository. `local` says that it is the caller's
    directory, in which .dockerignore counts.
    """

    root: str = ""
    dockerfile: bytes = b""
    time: int | None = None
    commit: str = ""
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What contexts are fetched with: git, HTTP, the secrets of the build, and standard input in pieces."""

    git: Git
    downloads: Downloads
    secret: Callable[[str], bytes | None]
    stdin: Iterable[bytes] = ()


def prepare(context: Directory | Input | Download | GitUrl, scratch: str, reach: Reach) -> Prepared:
    """Make a directory of a context. `scratch` is an empty directory, which the caller removes in any case.

    Raises what fetching, checking out and unpacking do, and LongDockerfile.
    """
    if isinstance(context, Directory):
        return Prepared(root=os.path.abspath(context.path), local=True)
    if isinstance(context, GitUrl):
        for name in ("resolve", "clone"):
            files.make_directory(f"{scratch}/{name}")
        commit = reach.git.resolve(context, f"{scratch}/resolve")
        found = reach.git.check_out(context, commit, f"{scratch}/clone")
        return Prepared(root=found.root, time=found.time, commit=commit)
    if isinstance(context, Input):
        return _streamed(iter(reach.stdin), scratch, None)
    return _fetched(context, scratch, reach)


def _fetched(context: Download, scratch: str, reach: Reach) -> Prepared:
    path = f"{scratch}/download"
    headers = authorization(context.url, reach.secret)
    found = reach.downloads.fetch(context.url, path, headers=headers)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        files.unlink(path)
        return _streamed(iter(lambda: os.read(descriptor, HEAD), b""), scratch, found.modified)
    finally:
        os.close(descriptor)


def _streamed(pieces: Iterator[bytes], scratch: str, modified: int | None) -> Prepared:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= HEAD:
            break
    if is_archive(head):
        found = unpack(chain((head,), pieces), scratch)
        return Prepared(root=found.root, time=found.newest if modified is None else modified)
    parts, size = [head], len(head)
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > _DOCKERFILE:
            raise LongDockerfile(f"the Dockerfile is longer than {_DOCKERFILE} bytes")
    return Prepared(dockerfile=b"".join(parts), time=modified)
