"""Docker 20.10's words as Docker 28 and `mille` say them, and both without what differs by nature."""

from __future__ import annotations

import re
from typing import Final

# What the release under test says and the one that is the norm words otherwise: client first, then engine.
_TODAY: Final = (
    (r"Error response from daemon: ", "Error: "),
    (
        r"(?<=Error: )failed to create shim task:",
        "failed to create task for container: failed to create shim task:",
    ),
    (r"requires exactly (?=\d)", "requires "),
    (r'^time="[^"]*" level=error msg="error waiting for container: context canceled"\n', ""),
    (r"\nSee '[a-z ]+ --help'\.", ""),
    (r'^"docker ([a-z ]+)" (requires|accepts) (.*)\.$', r"docker: 'docker \1' \2 \3"),
    (r"^(docker: .*)\.$", r"\1"),
    (r"(?<=that container to be able to reuse that name)$", "."),
    (r"(?<![-./\w])docker(?=[ :'])", "mille"),
)
_USAGE: Final = r"\n+(?:Usage: .*|(?:See|Run) 'mille [a-z ]*--help' for more information)(?:\n.*)*"

_MASKS: Final = (
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"\b(?!0{12})[0-9a-f]{12}\b", "<id>"),
    (r"\b(?:Less than a second|About a minute|\d+ (?:second|minute)s?)\b", "<age>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "<time>"),
    (r"\b\d+(?:\.\d+)?(?:kB|MB|GB|B)\b", "<size>"),
    (r"/\S*/work/(?:ours|theirs)\b", "<here>"),
    (r"\b1876[56]\b", "<port>"),
    (r"\b10\.7[78]\.0\b", "<subnet>"),
    (r" {2,}(?=\S)", "   "),
    (r"(?<=endpoint )[a-z]+_[a-z]+", "<name>"),
)


def today(text: str) -> str:
    """What Docker 20.10 printed, as `mille` would."""
    for pattern, words in _TODAY:
        text = re.sub(pattern, words, text, flags=re.MULTILINE)
    return text


def masked(text: str) -> str:
    """A text without IDs, times, sizes, directories, blanks of a table, and what usage errors end in."""
    text = re.sub(_USAGE, "", text)
    for pattern, name in _MASKS:
        text = re.sub(pattern, name, text)
    return text.removesuffix("\n")
