"""One text read from left to right: what `expand` is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import takewhile

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.lexing import Lexing
from millefeuille.build.dockerfile.substitution import (
    LONGEST,
    compiled,
    replaced,
    without_prefix,
    without_suffix,
)

_DEEPEST = 64
_SPECIAL = "@*#?-$!"
# `\w` has numbers beside the decimal digits (²), which are not of a name: they are cut off behind.
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"\w+")


@cache
def _ordinary(escape: str, stop: str, quotes: bool, angles: bool) -> re.Pattern[str]:
    special = "$" + escape + stop + ("'\"" if quotes else "") + ("<" if angles else "")
    return re.compile(f"[^{re.escape(special)}]+")


@cache
def _in_double_quotes(escape: str) -> re.Pattern[str]:
    return re.compile(f'[^{re.escape(escape)}"$]+')


def _is_of_a_name(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


class Reader:
    """Reads one text from left to right; `found` and `unset` gather the variables."""

    def __init__(self, text: str, variables: Mapping[str, str], lexing: Lexing) -> None:
        self.text = text
        self.variables = variables
        self.lexing = lexing
        self.at = 0
        self.depth = 0
        self.produced = 0
        self.found: set[str] = set()
        self.unset: dict[str, None] = {}

    def pieces(self, stop: str, *, raw_escapes: bool = False) -> list[tuple[str, bool]]:
        """What stands before `stop`, which is consumed, or before the end where `stop` is empty."""
        lexing = self.lexing
        raw_escapes = raw_escapes or lexing.raw_escapes
        ordinary = _ordinary(lexing.escape, stop, not lexing.skip_quotes, lexing.here_documents)
        pieces: list[tuple[str, bool]] = []
        while self.at < len(self.text):
            chunk = ordinary.match(self.text, self.at)
            if chunk is not None:
                self.at = chunk.end()
                pieces.append((chunk.group(), False))
                continue
            char = self.text[self.at]
            if char == stop:
                self.at += 1
                return pieces
            pieces.append(self._special(char, raw_escapes))
        if stop:
            raise Complaint(f"unexpected end of statement while looking for matching {stop}")
        return pieces

    def _special(self, char: str, raw_escapes: bool) -> tuple[str, bool]:
        if char == "$":
            return self._counted(self._dollar()), False
        if char == self.lexing.escape:
            taken = self.text[self.at : self.at + 2]
            self.at += 2
            return (taken if raw_escapes else taken[1:]), True
        if char == "'":
            return self._single_quotes(), True
        if char == '"':
            return self._double_quotes(raw_escapes), True
        return self._angles(), True

    def _counted(self, value: str) -> str:
        self.produced += len(value)
        if self.produced > LONGEST:
            raise Complaint("the variables in it hold more than 16 MiB")
        return value

    def _angles(self) -> str:
        start = self.at
        self.at += 1
        if self.text.startswith("<", self.at):
            self.at += 1
            while self.text[self.at : self.at + 1] in tuple(" \t\r\n\v\f"):
                self.at += 1
        return self.text[start : self.at]

    def _single_quotes(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.at = len(self.text)
            raise Complaint("unexpected end of statement while looking for matching single-quote")
        start = self.at
        self.at = end + 1
        return self.text[start : end + 1] if self.lexing.raw_quotes else self.text[start + 1 : end]

    def _double_quotes(self, raw_escapes: bool) -> str:
        escape = self.lexing.escape
        ordinary = _in_double_quotes(escape)
        mark = '"' if self.lexing.raw_quotes else ""
        parts = [mark]
        self.at += 1
        while self.at < len(self.text):
            chunk = ordinary.match(self.text, self.at)
            if chunk is not None:
                self.at = chunk.end()
                parts.append(chunk.group())
                continue
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join((*parts, mark))
            if char == "$":
                parts.append(self._counted(self._dollar()))
                continue
            taken = self.text[self.at : self.at + 2]
            kept = len(taken) > 1 and taken[1] not in ('"', "$", escape)
            self.at += 1 if kept else 2
            parts.append(char if kept else taken if raw_escapes else taken[1:])
        raise Complaint("unexpected end of statement while looking for matching double-quote")

    def _dollar(self) -> str:
        self.at += 1
        if self.text.startswith("{", self.at):
            return self._braces()
        name = self._name()
        if not name:
            return "$"
        value = self.value(name)
        if value is None:
            self.unset[name] = None
            return f"${name}" if self.lexing.skip_unset else ""
        return value

    def _name(self) -> str:
        """Decimal digits; or letters, such digits and `_`, of any script; or one special character."""
        found = _DIGITS.match(self.text, self.at) or _WORD.match(self.text, self.at)
        name = found.group() if found else self.text[self.at : self.at + 1]
        if found is None:
            name = name if name in _SPECIAL else ""
        elif not name.isascii():
            name = "".join(takewhile(_is_of_a_name, name))
        self.at += len(name)
        return name

    def value(self, name: str) -> str | None:
        """The value of a variable, None where it is not set."""
        value = self.variables.get(name)
        if value is not None:
            self.found.add(name)
        return value

    def _braces(self) -> str:
        self.at += 1
        following = self.text[self.at : self.at + 1]
        if not following:
            raise Complaint("syntax error: missing '}'")
        if following in "{}:":
            raise Complaint("syntax error: bad substitution")
        name = self._name()
        operator = self.text[self.at : self.at + 1]
        self.at += 1
        if not operator:
            raise Complaint("syntax error: missing '}'")
        if operator == "}":
            return self._plain(name)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Complaint(f"substitutions stand more than {_DEEPEST} deep in each other")
        value = self._replacement(name) if operator == "/" else self._modified(name, operator)
        self.depth -= 1
        return value

    def _plain(self, name: str) -> str:
        value = self.value(name)
        if value is None:
            self.unset[name] = None
            return f"${{{name}}}" if self.lexing.skip_unset else ""
        return value

    def _modified(self, name: str, operator: str) -> str:
        kind = operator
        if operator == ":":
            kind = self.text[self.at : self.at + 1]
            self.at += 1
            operator += kind
        if kind not in ("+", "-", "?", "#", "%") or operator in (":#", ":%"):
            if not kind:
                raise Complaint("syntax error: missing '}'")
            raise Complaint(f"unsupported modifier ({operator}) in substitution")
        word = self._until_brace(raw_escapes=kind in "#%")
        value = self.value(name)
        if value is None and self.lexing.skip_unset:
            return f"${{{name}{operator}{word}}}"
        if kind in "#%":
            return self._stripped(name, value, kind, word)
        missing = value is None or (operator[0] == ":" and not value)
        if kind == "+":
            return "" if missing else word
        if not missing:
            return value or ""
        if kind == "-":
            return word
        reason = "unset" if value is None else "empty"
        raise Complaint(f"{name}: {word or 'is not allowed to be ' + reason}")

    def _stripped(self, name: str, value: str | None, kind: str, word: str) -> str:
        longest = word.startswith(kind)
        pattern = compiled(word[1:] if longest else word, self.lexing.escape)
        if value is None:
            self.unset[name] = None
            return ""
        strip = without_prefix if kind == "#" else without_suffix
        return strip(value, pattern, longest=longest)

    def _replacement(self, name: str) -> str:
        every = self.text.startswith("/", self.at)
        if every:
            self.at += 1
        old = self._until("/", "syntax error: missing '/' in ${", raw_escapes=True)
        new = self._until_brace(raw_escapes=True)
        value = self.value(name)
        if value is None:
            self.unset[name] = None
            if self.lexing.skip_unset:
                return f"${{{name}{'//' if every else '/'}{old}/{new}}}"
        # What is not set is an empty text, which some patterns match.
        return replaced(value or "", compiled(old, self.lexing.escape), new, every=every)

    def _until_brace(self, *, raw_escapes: bool) -> str:
        return self._until("}", "syntax error: missing '}'", raw_escapes=raw_escapes)

    def _until(self, stop: str, missing: str, *, raw_escapes: bool) -> str:
        try:
            pieces = self.pieces(stop, raw_escapes=raw_escapes)
        except Complaint:
            if self.at >= len(self.text):
                raise Complaint(missing) from None
            raise
        return "".join(piece for piece, _ in pieces)
