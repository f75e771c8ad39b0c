"""Named: what a text that names a build context means: `docker build TEXT`, `--build-context NAME=TEXT`.

PATH, docker-image://REF, oci-layout://PATH[:TAG|@DIGEST], target:STAGE, a Git URL, an HTTP URL, `-`
"""

from __future__ import annotations

from millefeuille.build.sources.download import is_http, parts
from millefeuille.build.sources.giturl import GitUrl, parse
from millefeuille.errors import Invalid
from millefeuille.registry.redaction import clean
from millefeuille.values import dataclass

_IMAGE = "docker-image://"
_LAYOUT = "oci-layout://"
_TARGET = "target:"


class BadContext(Invalid):
    """A text names no build context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory of this host, by a path as it was given."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image, by a reference as it was given."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """An image in an OCI layout, a directory; one of `tag` and `digest` may say which."""

    path: str
    tag: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A stage of the same build."""

    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What lies at an HTTP URL: an archive, or a Dockerfile."""

    url: str


@dataclass(frozen=True, slots=True)
class Input:
    """What comes on standard input: an archive, or a Dockerfile."""


Context = Directory | Image | Layout | Target | Download | Input | GitUrl


def context(text: str) -> Context:
    """What `text` names. Raises BadContext, BadGitUrl, BadUrl."""
    if not text:
        raise BadContext("a build context has no name")
    if text == "-":
        return Input()
    if text.startswith(_IMAGE):
        return Image(reference=_rest(text, _IMAGE))
    if text.startswith(_LAYOUT):
        return _layout(_rest(text, _LAYOUT))
    if text.startswith(_TARGET):
        return Target(stage=_rest(text, _TARGET))
    git = parse(text)
    if git is not None:
        return git
    if is_http(text):
        parts(text)
        return Download(url=text)
    if "\0" in text:
        raise BadContext("a path has no NUL in it")
    return Directory(path=text)


def named(option: str) -> tuple[str, Context]:
    """The name and the context of a value of --build-context. Raises BadContext, BadGitUrl, BadUrl."""
    name, found, value = option.partition("=")
    if not found:
        raise BadContext(f"invalid context value: {clean(option)}, expected key=value")
    if not name.strip():
        raise BadContext(f"invalid context value: {clean(option)}, it has no name")
    found_context = context(value)
    if isinstance(found_context, Input):
        raise BadContext(f"context {clean(name)} cannot come from standard input")
    return name.strip(), found_context


def _rest(text: str, scheme: str) -> str:
    rest = text.removeprefix(scheme)
    if not rest:
        raise BadContext(f"{text} names nothing")
    return rest


def _layout(rest: str) -> Layout:
    path, found, digest = rest.rpartition("@")
    if found:
        return Layout(path=path, digest=digest)
    directory, slash, last = rest.rpartition("/")
    name, found, tag = last.partition(":")
    return Layout(path=directory + slash + name, tag=tag) if found else Layout(path=rest)
