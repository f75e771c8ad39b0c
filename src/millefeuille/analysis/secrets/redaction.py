"""Redaction: a text with the secrets in it that were found, wherever that was."""

from __future__ import annotations

import re
from collections.abc import Iterable

from millefeuille.analysis.secrets.scan import Match, scan_command


def redact(command: str, matches: Iterable[Match]) -> str:
    """The command with as much as may be shown of what `matches` found, and of what is a secret in itself."""
    raw = command.encode("utf-8", "replace")
    shown = {one.secret: one.redacted.encode() for one in (*matches, *scan_command(command))}
    # The longest first: a short one may be a part of it, and would leave the rest.
    secrets = sorted((secret for secret in shown if secret in raw), key=len, reverse=True)
    if not secrets:
        return command
    pattern = re.compile(b"|".join(re.escape(secret) for secret in secrets))
    return pattern.sub(lambda match: shown[match[0]], raw).decode("utf-8", "replace")
