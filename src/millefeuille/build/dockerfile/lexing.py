"""How a text with variables is read."""

from __future__ import annotations

from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexing:
    """How a text is read.

    `raw_quotes` and `raw_escapes` leave quotes and escape characters in the result; `skip_unset` leaves
    variables that are not set as they are written; `skip_quotes` makes quotes ordinary characters;
    `here_documents` lets a word go on behind `<<` and the blanks after it.
    """

    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    skip_unset: bool = False
    skip_quotes: bool = False
    here_documents: bool = False
