"""Manifests: files that say what is to be installed, and what these name that is read besides."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection

from millefeuille.annotations import Final, NamedTuple

# Gives the content of a file by its path; None where nobody can.
Read = Callable[[str], bytes | None]


class _Asking(NamedTuple):
    """What in a manifest has more read than is known: where the command has `when`, and not `unless`."""

    content: re.Pattern[bytes]
    when: re.Pattern[str] = re.compile("")
    unless: re.Pattern[str] = re.compile(r"(?!)")


_ASKING: Final = {
    "package.json": (
        _Asking(
            re.compile(rb"\b(?:(?:pre|post)?install|prepublish|(?:pre|post)?prepare)\b[\"']?\s*[:=]"),
            unless=re.compile(r" --ignore-scripts(?:=true)?(?: |$)"),
        ),
        _Asking(re.compile(rb"\"(?:file|link|portal|patch):|patchedDependencies")),
        _Asking(re.compile(rb":\s*\"(?!\w+:)[^\"\n]*\.(?:tgz|tar\.gz|tar)\"")),
    ),
    "go.mod": (_Asking(re.compile(rb"=>\s*\.{0,2}/")),),
    "composer.json": (
        _Asking(re.compile(rb"\"scripts\""), unless=re.compile(r" --no-scripts(?: |$)")),
        _Asking(
            re.compile(rb"classmap|optimize-autoloader"), unless=re.compile(r" --no-autoloader(?: |$)")
        ),
        _Asking(re.compile(rb"\"type\"\s*:\s*\"(?:path|artifact)\"")),
        # The classes are looked for in the sources.
        _Asking(
            re.compile(b""),
            re.compile(r" (?:-\w*[oa]\w*|--optimize-autoloader|--classmap-authoritative)(?: |$)"),
            re.compile(r" --no-autoloader(?: |$)"),
        ),
    ),
    "Gemfile": (
        _Asking(re.compile(rb"\b(?:eval_gemfile|require(?:_relative)?|gemspec|File|IO|Dir|path|file)\b")),
    ),
    "pyproject.toml": (_Asking(re.compile(rb"\b(?:path|file)\s*=|\bfile:|\bworkspace\b")),),
    "Pipfile": (_Asking(re.compile(rb"\b(?:path|file|editable)\b\"?\s*=")),),
    "pom.xml": (_Asking(re.compile(rb"<systemPath>|\bfile:")),),
    "mix.exs": (_Asking(re.compile(rb"\bpath:|\b(?:File|Code|Path)\.")),),
}  # fmt: skip
_OPTION: Final = re.compile(
    r"(?:(?P<files>-r|-c|--requirement|--constraint)|(?P<places>-e|-f|--editable|--find-links))[\s=]*(?P<value>\S.*)?"
)
_AWAY: Final = re.compile(r"(?:\w+\+)?(?!file:)\w+://|git@")  # of this host
_LOCAL: Final = re.compile(r"[./~]|.*\bfile:|(?![^@]*://)\S*\.(?:whl|zip|tar\.gz|tar\.bz2|tgz)(?:\s|;|$)")


def asks_for_more(command: str, manifest: str, content: bytes | None) -> bool:
    """Whether a command that reads a manifest may read more than is known of it by its name; it may where
    nobody has the manifest's content.
    """
    rows = _ASKING.get(posixpath.basename(manifest), ())
    return bool(rows) and (
        content is None
        or any(
            each.content.search(content) and each.when.search(command) and not each.unless.search(command)
            for each in rows
        )
    )


class Required(NamedTuple):
    """The files of requirements that pip reads, and whether it reads no others."""

    files: tuple[str, ...]
    is_all: bool


def required(path: str, names: Collection[str], read: Read) -> Required:
    """What pip reads for a file of requirements: it, and what it names, as far as these are among `names`."""
    found, left, is_all = [path], [path], True
    while left:
        name = left.pop()
        content = read(name)
        if content is None:
            return Required(tuple(found), False)
        for line in _lines(content):
            other = _named(line)
            if other == "":
                continue
            inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), other or ""))
            if other is None or inside not in names:
                is_all = False
            elif inside not in found:
                found.append(inside)
                left.append(inside)
    return Required(tuple(found), is_all)


def _lines(content: bytes) -> list[str]:
    """The lines of a file of requirements, without comments."""
    text = content.decode("utf-8", "surrogateescape").replace("\\\r\n", " ").replace("\\\n", " ")
    return [re.sub(r"(?:^|\s)#.*", "", line).strip() for line in text.splitlines()]


def _named(line: str) -> str | None:
    """The other file of requirements that a line names, "" for none; None where it names something else that
    is to be there.
    """
    match = _OPTION.match(line)
    if not match:
        return None if _LOCAL.match(line) else ""
    value = (match["value"] or "").strip("\"' ")
    if _AWAY.match(value):
        return ""
    return None if match["places"] or not value or "$" in value else value
