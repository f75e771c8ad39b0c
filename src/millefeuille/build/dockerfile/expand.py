"""Variables, quotes and escapes in the words of a Dockerfile.

The rules are those of the Dockerfile reference, "Environment replacement", and of BuildKit where it is
silent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.lexing import Lexing
from millefeuille.build.dockerfile.reader import Reader
from millefeuille.build.dockerfile.words import SPACE_CLASS, SPACES
from millefeuille.oci.gotext import quoted
from millefeuille.values import dataclass

_BARE = re.compile(f"[^{SPACE_CLASS}]+|[{SPACE_CLASS}]+")


PLAIN = Lexing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """A text after expansion; the words it splits into; the variables it asked for that were set, and unset.

    A variable with a default, a replacement or a message of its own is not in `unset`.
    """

    text: str
    words: tuple[str, ...]
    found: frozenset[str]
    unset: tuple[str, ...]


def expand(text: str, variables: Mapping[str, str], lexing: Lexing = PLAIN) -> Expanded:
    """`text` with its variables replaced by their values and its quotes and escapes taken away.

    Words are split after that: white space in the value of a variable without quotes ends a word. Raises
    Complaint for quotes and braces that are not closed, for a substitution that is none, for
    `${name:?message}` of a name that is not set, and for a result beyond 16 MiB.
    """
    reader = Reader(text, variables, lexing)
    try:
        pieces = reader.pieces("")
    except Complaint as error:
        shown = text if len(text) <= 256 else text[:256] + "…"
        raise Complaint(f"failed to process {quoted(shown)}: {error.message}") from None
    return Expanded(
        text="".join(piece for piece, _ in pieces),
        words=tuple(_words(pieces)),
        found=frozenset(reader.found),
        unset=tuple(reader.unset),
    )


def _words(pieces: list[tuple[str, bool]]) -> list[str]:
    """The words of pieces, of which those marked are never split."""
    words = []
    word: list[str] = []
    for piece, whole in pieces:
        if whole:
            word.append(piece)
            continue
        for part in _BARE.findall(piece):
            if part[0] not in SPACES:
                word.append(part)
            elif any(word):
                words.append("".join(word))
                word = []
    if any(word):
        words.append("".join(word))
    return words
