"""Redaction: texts without the secrets that were found, wherever that was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from millefeuille.analysis.secrets.scan import Match, scan_command
from millefeuille.annotations import Final

_START: Final = 3  # bytes of a secret by which it is looked up
_MOST: Final = 1 << 26  # bytes that are held against secrets in all; far more than any usual history takes


class Redaction:
    """As much as may be shown of what `matches` found, in place of it."""

    def __init__(self, matches: Iterable[Match]) -> None:
        self._found = _Secrets(matches)
        self._left = _MOST

    def of(self, command: str) -> str:
        """The command without these secrets, and without what is one in itself. Of a history that was made to
        take for ever no more is shown than what was looked at.
        """
        raw = command.encode("utf-8", "replace")
        shown = b"".join(self._pieces(raw, _Secrets(scan_command(command))))
        # What is no UTF-8 stays as it is where nothing else changes.
        return command if shown == raw else shown.decode("utf-8", "replace")

    def _pieces(self, raw: bytes, own: _Secrets) -> Iterator[bytes]:
        place = told = 0
        while place < len(raw):
            if self._left < 0:
                yield raw[told:place] + "…".encode()
                return
            secret = self._secret(raw, place, own)
            if secret:
                yield raw[told:place]
                yield own.shown.get(secret) or self._found.shown[secret]
                told = place + len(secret)
            place = told if secret else place + 1
        yield raw[told:]

    def _secret(self, raw: bytes, place: int, own: _Secrets) -> bytes:
        """The longest at a place: a short one may be a part of it, and would leave the rest."""
        lengths = {*own.lengths(raw, place), *self._found.lengths(raw, place)}
        for length in sorted(lengths, reverse=True) if lengths else ():
            self._left -= length
            secret = raw[place : place + length]
            if secret in own.shown or secret in self._found.shown:
                return secret
        return b""


class _Secrets:
    """Secrets, each with what is shown of it, and their lengths by how they begin."""

    def __init__(self, matches: Iterable[Match]) -> None:
        self.shown = {one.secret: one.redacted.encode() for one in matches if one.secret}
        self._lengths: dict[bytes, set[int]] = {}
        for secret in self.shown:
            self._lengths.setdefault(secret[:_START], set()).add(len(secret))
        self._starts = sorted({len(start) for start in self._lengths})

    def lengths(self, raw: bytes, place: int) -> Iterator[int]:
        """Those of the secrets that may begin at a place."""
        for start in self._starts:
            for length in self._lengths.get(raw[place : place + start], ()):
                if place + length <= len(raw):
                    yield length
