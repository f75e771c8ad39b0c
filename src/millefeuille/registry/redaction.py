"""Texts from outside, and URLs, made fit to be shown: no secrets, no control characters, no floods."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

MAXIMUM_TEXT = 2048  # characters of a server's text that are worth showing
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
)


def clean(text: str) -> str:
    """One line of printable text, cut to MAXIMUM_TEXT characters."""
    return _CONTROL.sub(" ", text[: 2 * MAXIMUM_TEXT]).strip()[:MAXIMUM_TEXT]


def show_url(url: str) -> str:
    """A URL without user, password and query: signed URLs and upload states are secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable URL)"
    host = parts.netloc.rpartition("@")[2]
    return clean(urlunsplit((parts.scheme, host, parts.path, "", "")))
