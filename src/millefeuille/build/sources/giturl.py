"""Git URLs: which texts name a repository, and what in it they mean.

    https://host/path.git#ref:subdir        http(s) only with `.git` at the path's end
    https://host/path.git?branch=b&subdir=d the same as a query
    ssh://user@host/path, git://host/path, user@host:path, github.com/owner/name

Source: Docker, "Build context", Git repositories; BuildKit, frontend/dockerfile/dfgitutil.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.registry.redaction import clean, show_url
from millefeuille.values import dataclass, replace

_SCP: Final = re.compile(r"[a-zA-Z0-9_.-]+@[a-zA-Z0-9.-]+:(?!//)\S+")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PREFIX: Final = re.compile(r"[0-9a-f]{1,64}")
# What git itself refuses in the name of a ref, and what would pass for an option.
_BAD_REF: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|/$|\.lock$|\.$")
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")
_TRUE: Final = ("1", "t", "true", "y", "yes", "")
_FALSE: Final = ("0", "f", "false", "n", "no")


class BadGitUrl(Invalid):
    """A text names a repository, but not what is to be taken from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitUrl:
    """A repository, and what is to be taken from it; "" and None where nothing is said.

    `ref` is a name, or begins with `refs/`, or is a commit. `commit` is what it must turn out to be, or a
    prefix of that. `commit_times` gives files the time of the commit. `plain` is a text that a path could be.
    """

    remote: str
    ref: str = ""
    subdir: str = ""
    commit: str = ""
    keep_git: bool | None = None
    submodules: bool | None = None
    commit_times: bool = False
    fetch_by_commit: bool = False
    plain: bool = False

    @property
    def is_ssh(self) -> bool:
        """Whether the way to it is SSH."""
        return self.remote.startswith("ssh://") or "://" not in self.remote

    @property
    def is_commit(self) -> bool:
        """Whether `ref` is a whole commit, which nobody has to be asked for."""
        return _COMMIT.fullmatch(self.ref) is not None

    @property
    def address(self) -> str:
        """The repository without the account that its URL may hold: for what others may see."""
        if not self.remote.startswith(("http://", "https://")):
            return self.remote
        parts = urlsplit(self.remote)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def account(self) -> Mapping[str, str]:
        """The header for that account, by the beginning of the URLs that it is for; empty without one."""
        if self.address == self.remote:
            return {}
        parts = urlsplit(self.remote)
        user, _, host = parts.netloc.rpartition("@")
        pair = unquote(user if ":" in user else f"{user}:", errors="surrogateescape")
        encoded = base64.b64encode(pair.encode("utf-8", "surrogateescape")).decode()
        return {f"{parts.scheme}://{host}/": f"Authorization: Basic {encoded}"}

    @property
    def shown(self) -> str:
        """The repository in words, without secrets."""
        return show_url(self.remote) if "://" in self.remote else self.remote


def parse(text: str) -> GitUrl | None:
    """The repository that a text names; None when it names none. Raises BadGitUrl."""
    found = _remote(text)
    if found is None:
        return None
    url, query, fragment = found
    ref, _, subdir = fragment.partition(":")
    url = replace(url, ref=ref, subdir=subdir)
    if query:
        url = _asked(url, query)
    if url.ref and _BAD_REF.search(url.ref):
        raise BadGitUrl(f"invalid git ref {url.ref!r} in {url.shown}")
    if _CONTROL.search(url.subdir):
        raise BadGitUrl(f"invalid git subdirectory {url.subdir!r} in {url.shown}")
    if url.commit and not _PREFIX.fullmatch(url.commit):
        raise BadGitUrl(f"invalid commit {url.commit!r} in {url.shown}, expected hex")
    if url.remote.startswith("-") or _CONTROL.search(url.remote):
        raise BadGitUrl(f"invalid git URL {clean(url.shown)}")
    return url


def _remote(text: str) -> tuple[GitUrl, str, str] | None:
    """The repository, with its query and its fragment apart."""
    head, _, fragment = text.partition("#")
    head, _, query = head.partition("?")
    if text.startswith(("http://", "https://")):
        if not head.endswith(".git") or "/" not in head.partition("://")[2]:
            return None
        try:
            urlsplit(head)
        except ValueError as error:
            raise BadGitUrl(f"invalid git URL: {str(error).lower()}") from error
        return GitUrl(remote=head), query, fragment
    if text.startswith(("git://", "ssh://")):
        return GitUrl(remote=head), query, fragment
    if text.startswith("github.com/"):
        return GitUrl(remote=f"https://{head}", plain=True), query, fragment
    if _SCP.fullmatch(head):
        return GitUrl(remote=head), query, fragment
    return None


def _asked(url: GitUrl, query: str) -> GitUrl:
    fields: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in _QUERY:
            raise BadGitUrl(f"unexpected query {key!r} in {url.shown}")
        name, convert = _QUERY[key]
        converted = convert(value)
        if converted is None:
            raise BadGitUrl(f"invalid {key} value {value!r} in {url.shown}")
        known = fields.get(name) or (name in ("ref", "subdir") and getattr(url, name))
        if known and known != converted:
            raise BadGitUrl(f"{name} conflicts: {known!r} vs {converted!r} in {url.shown}")
        fields[name] = converted
    made: GitUrl = replace(url, **fields)
    if made.commit and not made.ref and _COMMIT.fullmatch(made.commit):
        made = replace(made, ref=made.commit)
    return made


def _switch(value: str) -> bool | None:
    lowered = value.lower()
    return True if lowered in _TRUE else False if lowered in _FALSE else None


def _times(value: str) -> bool | None:
    return {"commit": True, "checkout": False}.get(value)


_QUERY: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "ref": ("ref", str),
    "tag": ("ref", lambda value: f"refs/tags/{value.removeprefix('refs/tags/')}"),
    "branch": ("ref", lambda value: f"refs/heads/{value.removeprefix('refs/heads/')}"),
    "commit": ("commit", str),
    "checksum": ("commit", str),
    "subdir": ("subdir", str),
    "keep-git-dir": ("keep_git", _switch),
    "submodules": ("submodules", _switch),
    "mtime": ("commit_times", _times),
    "fetch-by-commit": ("fetch_by_commit", _switch),
}
