"""StepFailed: a RUN whose command ended with something else than 0, in BuildKit's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from millefeuille.errors import Conflict, Denied, Failed

_ESCAPES: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\",
    '"': '\\"',
}  # fmt: skip


class StepFailed(Failed):
    """The command ended with `code`. `kept` is the ID of its root for `shell`, None when that is gone;
    `lines` are the last that it printed; `line` is where it stands in the Dockerfile, 0 until somebody says
    so.
    """

    line = 0

    def __init__(
        self, arguments: Sequence[str], code: int, *, kept: str | None = None, lines: Sequence[bytes] = ()
    ) -> None:
        words = quoted(" ".join(arguments))
        super().__init__(f"process {words} did not complete successfully: exit code: {code}")
        self.code = code
        self.kept = kept
        self.lines = tuple(lines)


class StepStopped(Conflict):
    """The command was ended because the build was."""


class EntitlementMissing(Denied):
    """The command asks for more than it was granted."""


def quoted(text: str) -> str:
    """The text as Go's `%q` has it. Source: Go's strconv.Quote."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
