"""Scan: the secrets in the bytes of one file, and in what a config says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from millefeuille.analysis.secrets.rules import ASSIGNMENT, EVERYWHERE, IN_FILES, VARIABLE, WORDS, Rule
from millefeuille.annotations import Final
from millefeuille.oci.config import ImageConfig
from millefeuille.values import dataclass

_SHOWN: Final = 4  # characters of a secret that are shown
_LIBRARY: Final = re.compile(rb"\.so(\.[\d.]+)?$")
_EXAMPLES: Final = (b"EXAMPLE", b"example", b"XXXX", b"xxxx", b"changeme", b"<", b"****")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A secret in a file: the rule's name, where it begins, its length, its SHA-256 in hex, and as much of it
    as may be shown.
    """

    rule: str
    offset: int
    length: int
    sha256: str
    redacted: str


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
    """The secrets in an image's variables, labels and history, each with where it is."""
    variables = config.process.get("Env")
    for text in variables if isinstance(variables, list) else ():
        name, _, value = str(text).partition("=")
        found = list(scan(b"", value.encode("utf-8", "replace")))
        if not found and VARIABLE.search(name) and len(value) >= 3 and value.lower() not in WORDS:
            found = [_made("variable", value.encode("utf-8", "replace"), 0)]
        for match in found:
            yield f"Env {name}", match
    for number, step in enumerate(config.history):
        for match in _in_command(step.created_by):
            yield f"history step {number}", match
    for name, value in config.labels.items():
        for match in scan(b"", value.encode("utf-8", "replace")):
            yield f"label {name}", match


def _in_command(text: str) -> Iterator[Match]:
    """The secrets in a command: those that look like one, and what is given to variables that hold one."""
    raw = text.encode("utf-8", "replace")
    found = list(scan(b"", raw))
    for match in ASSIGNMENT.finditer(text):
        name, value = match[1], match[3]
        if VARIABLE.search(name) and value.lower() not in WORDS and not value.startswith(("/", "<", "http")):
            offset = len(text[: match.start(3)].encode("utf-8", "replace"))
            if not any(one.offset <= offset < one.offset + one.length for one in found):
                found.append(_made("variable", value.encode("utf-8", "replace"), offset))
    yield from found


def _matches(rule: Rule, data: bytes) -> Iterator[Match]:
    for match in rule.pattern.finditer(data):
        secret = match["s"]
        if not any(word in secret for word in _EXAMPLES):
            yield _made(rule.name, secret, match.start("s"))


def _made(rule: str, secret: bytes, offset: int) -> Match:
    head = secret.partition(b"\n")[0] if rule == "private-key" else secret[: min(_SHOWN, len(secret) // 3)]
    shown = head[:40].decode("ascii", "replace")
    return Match(
        rule=rule, offset=offset, length=len(secret), sha256=hashlib.sha256(secret).hexdigest(),
        redacted=f"{shown}… ({len(secret)} characters)",
    )  # fmt: skip
