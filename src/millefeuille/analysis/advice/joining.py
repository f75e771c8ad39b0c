"""Joining: the commands of several RUNs as one, which fails where one of these would have failed.

In a list of `&&` a shell does not mind its option -e but in the last part (POSIX, `set`). So commands that
rely on it stand in a row of `;`, in which the option holds for all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from millefeuille.analysis.advice.shell import apart, commands, enclosed, goes_on, grouped, leaks, unquoted
from millefeuille.annotations import Final

_SET: Final = re.compile(r"set((?:\s+-(?:[A-Za-z]*o\s+\w+|[A-Za-z]+))+)\s*(?:;|\n|&&)\s*")
_SETTING: Final = re.compile(
    r"\bset\s+(?:[-+]\w+\s+|(?:pipefail|nounset|xtrace|errtrace)\s+)*-(?:\w*e|\w*o\s+errexit)|\bERR\b"
)
_LETTERS: Final = {"e": "errexit", "u": "nounset", "x": "xtrace", "v": "verbose", "E": "errtrace"}
_UNFELT: Final = frozenset(("errexit", "xtrace", "verbose", "errtrace"))  # by a single list of commands
_APART: Final = re.compile(r"[;\n]|(?<![&<>|])&(?![&>\d-])")
_PIPE: Final = re.compile(r"(?<!\|)\|(?!\|)")
_LISTED: Final = re.compile(r"&&|\|\||(?:^|[;\n])\s*!")  # in which a failure need not end the shell
_OPTION: Final = re.compile(r"-[a-zA-Z]*e[a-zA-Z]*|errexit")

Row = tuple[str, str]
"""The directory to go to, or the commands that do, "" for none, and what is run there."""


def exits(shell: Sequence[str]) -> bool:
    """Whether a shell with these words ends with the first command that fails."""
    return any(map(_OPTION.fullmatch, shell[1:]))


def sets_errexit(text: str) -> bool:
    """Whether the commands have the shell end with the first that fails, from the beginning on."""
    return "errexit" in _parted(text)[1]


def joined(rows: Sequence[Row], *, errexit: bool = False) -> str:
    """One text that does what these do one after the other, and ends with the first that fails; "" where that
    cannot be said. `errexit` for a shell that `exits`.
    """
    before = [text for _, text in rows[:-1]]
    if any(map(goes_on, before)):
        return ""  # it would go on beside the next ones
    if not any((errexit or _SETTING.search(text)) and _is_row(text) for text in before):
        return " && \\\n    ".join(enclosed(_there(*row)) for row in rows)
    if errexit:
        return _in_row(rows, frozenset(), "")
    words, options, _ = _parted(rows[0][1])
    if "errexit" in options:
        return _in_row(rows, options, f"set{words}; ")
    return _in_row(rows, frozenset(("errexit",)), "set -e; ")


def prefixed(command: str, text: str) -> str:
    """The text with another command run first."""
    words, options, rest = _parted(text)
    if "errexit" in options and not text.startswith("(\n"):
        return f"set{words}; {command}; {rest}"
    return f"{command} && {enclosed(text)}"


def _there(directory: str, text: str) -> str:
    return f"{directory} && {grouped(text)}" if directory else text


def _in_row(rows: Sequence[Row], options: frozenset[str], head: str) -> str:
    """The texts with `;` between, in a shell that ends with the first command that fails."""
    pieces = []
    for place, (directory, text) in enumerate(rows):
        piece = _under(text, options).strip()
        if not piece:
            return ""
        piece = f"{directory.replace(' && ', '; ')}; {piece}" if directory else piece
        if place < len(rows) - 1:
            piece = re.sub(r"(?<!\\);$", "", piece).rstrip()
            piece = piece if _is_bare(piece) else apart(piece)
        pieces.append(piece)
    return head + "; \\\n    ".join(pieces)


def _under(text: str, options: frozenset[str]) -> str:
    """What does the same when these options are set, as the text alone; "" where nothing does."""
    _, own, rest = _parted(text)
    if own == options:
        return f"(\n{rest}\n)" if text.startswith("(\n") and options else rest if options else text
    if not options or ("errexit" in own and options - _UNFELT <= own):
        return text
    if text.startswith("(\n") and options == {"errexit"} and not own:
        return f"(\nset +e\n{_inner(text)}\n)"
    plain = unquoted(text)
    is_safe = (
        not _is_row(text)
        and options <= _UNFELT | {"nounset", "pipefail"}
        and not ("nounset" in options and "$" in text)
        and not ("pipefail" in options and _PIPE.search(plain))
    )
    return text if is_safe else ""


def _is_row(text: str) -> bool:
    """Whether the text is more than one list, between the parts of which -e ends it."""
    plain = _inner(text).replace("\\\n", " ").replace("\\;", "").strip().rstrip(";")
    return _APART.search(plain) is not None


def _is_bare(text: str) -> bool:
    """Whether the text needs no shell of its own in front of others."""
    if text.startswith("(\n"):
        return True
    return not leaks(text) and not _LISTED.search(text) and commands(text) is not None


def _parted(text: str) -> tuple[str, frozenset[str], str]:
    """What `set` at the beginning is given, the options that it sets, and what stands behind it."""
    inner = _inner(text)
    found = _SET.match(inner)
    if not found:
        return "", frozenset(), text
    options, words = set(), iter(found[1].split())
    for word in words:
        options |= {_LETTERS.get(letter, letter) for letter in word[1:] if letter != "o"}
        if "o" in word:
            options.add(next(words, ""))
    return found[1], frozenset(options), inner[found.end() :]


def _inner(text: str) -> str:
    """The text without the shell of its own that it has for its lines."""
    return text[2:-2] if text.startswith("(\n") and text.endswith("\n)") else text
