"""Scan: the secrets in the bytes of one file, and in what a config says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from millefeuille.analysis.secrets.rules import EVERYWHERE, IN_FILES, VARIABLE, Rule
from millefeuille.annotations import Final
from millefeuille.oci.config import ImageConfig
from millefeuille.values import dataclass

_SHOWN: Final = 4  # characters of a secret that are shown
# One pass that tells whether any of the patterns can match at all.
_HINT: Final = re.compile(
    rb"PRIVATE KEY|AKIA|ASIA|(?i:aws_?secret)|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|hooks\.slack"
    rb"|k_live_|AIza|npm_|pypi-Ag|sk-(?:proj|ant)-|eyJ"
)
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
    rules = [rule for rule in IN_FILES if rule.paths is not None and rule.paths.search(path)]
    seen: set[int] = set()
    for rule in (*(EVERYWHERE if _HINT.search(data) else ()), *rules):
        for match in _matches(rule, data):
            if match.offset not in seen:
                seen.add(match.offset)
                yield match


def scan_config(config: ImageConfig) -> Iterator[tuple[str, Match]]:
    """The secrets in an image's variables, labels and history, each with where it is."""
    variables = config.process.get("Env")
    for text in variables if isinstance(variables, list) else ():
        name, _, value = str(text).partition("=")
        found = list(scan(b"", value.encode("utf-8", "replace")))
        if not found and VARIABLE.search(name) and len(value) >= 3:
            found = [_made("variable", value.encode("utf-8", "replace"), 0)]
        for match in found:
            yield f"Env {name}", match
    for number, step in enumerate(config.history):
        for match in scan(b"", step.created_by.encode("utf-8", "replace")):
            yield f"history step {number}", match
    for name, value in config.labels.items():
        for match in scan(b"", value.encode("utf-8", "replace")):
            yield f"label {name}", match


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
