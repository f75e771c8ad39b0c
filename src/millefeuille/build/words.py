"""The words of an image's history, BuildKit's: what each instruction did to the image.

Source: BuildKit, frontend/dockerfile/dockerfile2llb/convert.go, `commitToHistory` and its callers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.oci.gotext import quoted

_MADE: Final = " # buildkit"


def quoted_list(texts: Iterable[str]) -> str:
    """A list of texts as Go's %q writes it: ["a" "b"]."""
    return f"[{' '.join(map(quoted, texts))}]"


def plain_list(texts: Iterable[str]) -> str:
    """A list of texts as Go's %v writes it: [a b]."""
    return f"[{' '.join(texts)}]"


def pairs(word: str, values: Iterable[tuple[str, str | None]]) -> str:
    """`ENV a=b c=d`; an argument without a value is its name alone."""
    return " ".join([word, *(name if value is None else f"{name}={value}" for name, value in values)])


def run(arguments: Sequence[str], args: Sequence[tuple[str, str]]) -> str:
    """What a RUN ran, with the build arguments it could see."""
    seen = [f"|{len(args)}", *(f"{name}={value}" for name, value in args)] if args else []
    return "RUN " + " ".join([*seen, *arguments]) + _MADE


def copy(word: str, flags: Iterable[str], sources: Iterable[str], destination: str) -> str:
    """What a COPY or ADD copied."""
    return " ".join([word, *flags, *sources, destination]) + _MADE


def healthcheck(check: Mapping[str, Any]) -> str:
    """A health check, with its times in nanoseconds as durations."""
    fields = [f"Test:{plain_list(check.get('Test') or ())}"]
    for name in ("Interval", "Timeout", "StartPeriod", "StartInterval"):
        fields.append(f"{name}:{duration(int(check.get(name) or 0))}")
    fields.append(f"Retries:{int(check.get('Retries') or 0)}")
    return "HEALTHCHECK {" + " ".join(fields) + "}"


def duration(nanoseconds: int) -> str:
    """Nanoseconds as Go's Duration writes them: 1h30m0s, 1.5s, 20ms."""
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1_000:
            return _decimal(nanoseconds, size) + unit
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    seconds = _decimal(rest, 1_000_000_000) + "s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).rjust(len(str(unit)) - 1, '0').rstrip('0')}"
