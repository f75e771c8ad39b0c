"""Scan: the secrets in the bytes of one file, in a command, and in what a config says."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from millefeuille.analysis.secrets.assignments import Given, assignments, in_step, in_words, known_values
from millefeuille.analysis.secrets.rules import EVERYWHERE, IN_FILES, VARIABLE, WORDS, Rule
from millefeuille.annotations import Final
from millefeuille.oci.config import ImageConfig
from millefeuille.values import dataclass, field

_SHOWN: Final = 4  # characters of a secret that are shown
_HEADER: Final = re.compile(rb"-----BEGIN [A-Z ]+-----|PuTTY-User-Key-File-\d+")  # says nothing of the key
_LIBRARY: Final = re.compile(rb"\.so(\.[\d.]+)?$")
_EXAMPLES: Final = (b"EXAMPLE", b"example", b"XXXX", b"xxxx", b"changeme", b"changeit", b"<", b"****")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A secret in a file: the rule's name, where it begins, its length, its SHA-256 in hex, as much of it
    as may be shown, and the secret itself, which nobody is shown.
    """

    rule: str
    offset: int
    length: int
    sha256: str
    redacted: str
    secret: bytes = field(repr=False)


def scan(path: bytes, data: bytes) -> Iterator[Match]:
    """The secrets in a file's bytes."""
    seen: set[int] = set()
    for rule in (*EVERYWHERE, *IN_FILES):
        if rule.paths is not None and not rule.paths.search(path):
            continue
        # Looking for a word takes a fraction of what a pattern does.
        if rule.hints and not any(hint in data for hint in rule.hints):
            continue
        if rule.name == "private-key" and _is_library(path, data):
            continue
        for match in _matches(rule, data):
            if match.offset not in seen:
                seen.add(match.offset)
                yield match


def _is_library(path: bytes, data: bytes) -> bool:
    """Whether it is a shared library: those for TLS have the keys of their own tests in them."""
    return data.startswith(b"\x7fELF") and _LIBRARY.search(path) is not None


def scan_config(config: ImageConfig) -> Iterator[tuple[str, Match]]:
    """The secrets in an image's variables, commands, history and labels, each with where it is."""
    for text in _texts(config.process.get("Env")):
        name, _, value = text.partition("=")
        found = list(scan(b"", value.encode("utf-8", "replace")))
        if not found and VARIABLE.search(name) and len(value) >= 3 and value.lower() not in WORDS:
            found = [_made("variable", value.encode("utf-8", "replace"), 0)]
        for match in found:
            yield f"Env {name}", match
    for where, command, given in _commands(config):
        for match in scan_command(command, given):
            yield where, match
    for name, value in config.labels.items():
        for match in scan(b"", value.encode("utf-8", "replace")):
            yield f"label {name}", match


def _commands(config: ImageConfig) -> Iterator[tuple[str, str, Iterable[Given]]]:
    """The commands of a config, lists as the line that one would type, each with where it is, and with what
    their form says that it gives to names.
    """
    process, known = config.process, known_values(config)
    health = process.get("Healthcheck")
    test = health.get("Test") if isinstance(health, dict) else None
    named = (("Entrypoint", process.get("Entrypoint")), ("Cmd", process.get("Cmd")))
    for where, value in (*named, ("Healthcheck", test), ("Shell", process.get("Shell"))):
        words = _texts(value)
        yield where, " ".join(words), in_words(words)
    for text in _texts(process.get("OnBuild")):
        yield "OnBuild", text, in_step(text, known)
    for number, step in enumerate(config.history):
        yield f"history step {number}", step.created_by, in_step(step.created_by, known)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(text) for text in value) if isinstance(value, list) else ()


def scan_command(text: str, given: Iterable[Given] = ()) -> Iterator[Match]:
    """The secrets in a command: those that look like one, and what is given to variables that hold one.

    `given` is what is known to be, besides what one sees in the command.
    """
    found = list(scan(b"", text.encode("utf-8", "replace")))
    yield from found
    spans = sorted((match.offset, match.offset + match.length) for match in found)
    starts = [start for start, _ in spans]
    ends = list(accumulate((end for _, end in spans), max))
    place = offset = taken = 0
    # The longest of those that begin at one place, in the order of the text.
    for one in sorted((*given, *assignments(text)), key=lambda one: (one.start, -len(one.value))):
        if one.start < taken or not _holds_secret(one):
            continue
        offset += len(text[place : one.start].encode("utf-8", "replace"))
        place, taken = one.start, one.start + len(one.value)
        match = _made("variable", one.value.encode("utf-8", "replace"), offset)
        before = bisect_left(starts, offset + match.length)
        if not before or ends[before - 1] <= offset:
            yield match


def _holds_secret(one: Given) -> bool:
    known = one.value.lower() in WORDS or one.value.startswith(("/", "<", "http", "$"))
    return len(one.value) >= 3 and not known and VARIABLE.search(one.name) is not None


def _matches(rule: Rule, data: bytes) -> Iterator[Match]:
    for match in rule.pattern.finditer(data):
        secret = match["s"]
        told = match["b"] if "b" in rule.pattern.groupindex else None
        if secret is not None and not any(word in (told or secret) for word in _EXAMPLES):
            yield _made(rule.name, secret, match.start("s"))


def _made(rule: str, secret: bytes, offset: int) -> Match:
    header = _HEADER.match(secret)
    head = header[0] if header else secret[: min(_SHOWN, len(secret) // 3)]
    shown = head.decode("ascii", "replace")
    return Match(
        rule=rule, offset=offset, length=len(secret), sha256=hashlib.sha256(secret).hexdigest(),
        redacted=f"{shown}… ({len(secret)} characters)", secret=secret,
    )  # fmt: skip
