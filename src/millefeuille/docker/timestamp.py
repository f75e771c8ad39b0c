"""Points in time as people give them to Docker: `10m`, `2026-11-23`, `1795403047`.

Source: moby, api/types/time/timestamp.go, and Go's time package.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

from millefeuille.errors import Invalid
from millefeuille.later import pattern, re

_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000,
    "s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND,
}  # fmt: skip
_PART_TEXT = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_PART = pattern(f"(?a){_PART_TEXT}")
_DURATION = pattern(rf"(?a)([+-]?)((?:{_PART_TEXT})+)")
_DIGITS = 18  # of seconds and larger units, that count as nanoseconds too
_UNIX = pattern(r"(?a)([+-]?\d+)(?:\.(\d+))?")
_Element = tuple[str, int, int, int, int, str]
# Each element of a layout: its spelling, the digits it takes, and what lies in range.
_DATE = (("2006", 4, 4, 0, 9999, ""), ("-", 0, 0, 0, 0, ""), ("01", 2, 2, 1, 12, "month"),
         ("-", 0, 0, 0, 0, ""), ("02", 2, 2, 0, 31, "day"))  # fmt: skip
_CLOCK = (("T", 0, 0, 0, 0, ""), ("15", 1, 2, 0, 23, "hour"), (":", 0, 0, 0, 0, ""),
          ("04", 2, 2, 0, 59, "minute"), (":", 0, 0, 0, 0, ""), ("05", 2, 2, 0, 59, "second"))  # fmt: skip
_FRACTION = pattern(r"(?a)[.,](\d+)")
_OFFSET = pattern(r"(?a)([+-])(\d\d):(\d\d)")


class InvalidTime(Invalid):
    """The text is no time; the message is Docker's."""


def parse_time(text: str, now: int, zone: tzinfo | None = None) -> int:
    """Nanoseconds since 1970 for a duration before `now` (nanoseconds too), a date or a Unix time.

    `zone` holds for dates that name none; None is UTC. Raises InvalidTime.
    """
    duration = _DURATION.fullmatch(text)
    if duration:
        length = sum(_nanoseconds(number, unit) for number, unit in _PART.findall(duration[2]))
        before = now + length if duration[1] == "-" else now - length
        return before // _SECOND * _SECOND
    try:
        return _date(text, zone or UTC)
    except InvalidTime:
        unix = _UNIX.fullmatch(text)
        if "-" in text:
            raise
        if unix is None or len(unix[1]) > _DIGITS:
            raise InvalidTime(f'failed to parse value as time or duration: "{text}"') from None
    return int(unix[1]) * _SECOND + int((unix[2] or "")[:9].ljust(9, "0"))


def sent_time(text: str, now: int) -> str:
    """The text that Docker's client sends for such a time, and errors of the engine name: seconds since 1970,
    as they were given where they were. Raises InvalidTime.
    """
    moment = parse_time(text, now)
    if _DURATION.fullmatch(text):
        return str(moment // _SECOND)
    return text if _UNIX.fullmatch(text) else f"{moment // _SECOND}.{moment % _SECOND:09}"


def _nanoseconds(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    if len(whole) > _DIGITS:
        raise InvalidTime(f'failed to parse value as time or duration: "{number}{unit}"')
    fraction = fraction[:_DIGITS]
    scale = _UNITS[unit]
    return int(whole or 0) * scale + int(fraction or 0) * scale // int(10 ** len(fraction))


def _date(text: str, zone: tzinfo) -> int:
    is_local = not (set(text) & set("zZ+") or text.count("-") == 3)
    clock = 0
    fraction = "." in text
    if fraction:
        clock = len(_CLOCK)
    elif "T" in text:
        colons = text.count(":")
        if not is_local and not set(text) & set("zZ") and colons:
            colons -= 1
        clock = {0: 2, 1: 4}.get(colons, len(_CLOCK))
    elements = (*_DATE, *_CLOCK[:clock])
    layout = "".join(element[0] for element in elements) + (".999999999" if fraction else "")
    return _Reader(text, layout + ("" if is_local else "Z07:00")).read(elements, is_local, zone)


class _Reader:
    """Reads a date by its layout, with the errors of Go's time.Parse."""

    def __init__(self, text: str, layout: str) -> None:
        self._text = text
        self._layout = layout
        self._rest = text

    def read(self, elements: tuple[_Element, ...], local: bool, zone: tzinfo) -> int:
        numbers: list[int] = []
        for spelling, least, most, low, high, what in elements:
            if not most:
                self._literal(spelling)
                continue
            found = re.match(rf"\d{{{least},{most}}}", self._rest, re.ASCII)
            if found is None:
                raise self._cannot(spelling)
            numbers.append(int(found[0]))
            if not low <= numbers[-1] <= high:
                raise self._range(what)
            self._rest = self._rest[found.end() :]
        nanoseconds = self._fraction() if len(numbers) == 6 else 0
        zone = zone if local else self._zone()
        if self._rest:
            raise InvalidTime(f'parsing time "{self._text}": extra text: "{self._rest}"')
        try:
            moment = datetime(*numbers, tzinfo=zone)  # type: ignore[arg-type,misc]  # three to six integers
        except ValueError:
            raise self._range("day") from None
        return int(moment.timestamp()) * _SECOND + nanoseconds

    def _literal(self, spelling: str) -> None:
        if not self._rest.startswith(spelling):
            raise self._cannot(spelling)
        self._rest = self._rest[len(spelling) :]

    def _fraction(self) -> int:
        found = _FRACTION.match(self._rest)
        if found is None:
            return 0
        self._rest = self._rest[found.end() :]
        return int(found[1][:9].ljust(9, "0"))

    def _zone(self) -> tzinfo:
        if self._rest.startswith("Z"):
            self._rest = self._rest[1:]
            return UTC
        found = _OFFSET.match(self._rest)
        if found is None:
            raise self._cannot("Z07:00")
        self._rest = self._rest[found.end() :]
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if int(found[2]) > 23 or int(found[3]) > 59:
            raise self._range("time zone offset hour" if int(found[2]) > 23 else "time zone offset minute")
        return timezone(-offset if found[1] == "-" else offset)

    def _cannot(self, spelling: str) -> InvalidTime:
        return InvalidTime(
            f'parsing time "{self._text}" as "{self._layout}": cannot parse "{self._rest}" as "{spelling}"'
        )

    def _range(self, what: str) -> InvalidTime:
        return InvalidTime(f'parsing time "{self._text}": {what} out of range')
