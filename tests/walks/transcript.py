"""Recorded command lines: read from a file, and compared after masking what differs by nature.

$ docker rmi nosuch
E| Error response from daemon: No such image: nosuch:latest
=> rc=1
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One command and what came of it. `key` is the command, numbered from its second time on."""

    command: str
    key: str
    stdout: str
    stderr: str
    code: int


def read(path: Path) -> Iterator[Act]:
    """The acts of a transcript. What stands between two of them is left out."""
    seen: dict[str, int] = {}
    text = re.sub(r"(?<=[^\n])=> rc=", "\n=> rc=", path.read_text())  # an output without a line's end
    for match in re.finditer(r"^\$ (.*)\n((?:[OE]\|.*\n)*)=> rc=(\d+)$", text, re.MULTILINE):
        command, body, code = match.groups()
        seen[command] = seen.get(command, 0) + 1
        key = command if seen[command] == 1 else f"{command} #{seen[command]}"
        yield Act(
            command=command, key=key, stdout=_stream(body, "O"), stderr=_stream(body, "E"), code=int(code)
        )


def _stream(body: str, letter: str) -> str:
    return "".join(f"{line[3:]}\n" for line in body.splitlines() if line.startswith(f"{letter}|"))


def in_our_words(act: Act) -> Act:
    """Docker's act as `mille` would do it: the program's name, the prefix of errors, one typing error."""
    return replace(act, stdout=_reworded(act.stdout), stderr=_reworded(act.stderr))


def _reworded(text: str) -> str:
    text = text.replace("Error response from daemon: ", "Error: ").replace("SRun '", "Run '")
    return re.sub(r"(?<![-./\w])docker(?=[ :'])", "mille", text)


_ID = re.compile(r"(?<![0-9a-f])(?!0{12})[0-9a-f]{12,64}(?![0-9a-f])")
_AGE = r"(?:Less than a second|About a minute|About an hour|\d+ (?:second|minute|hour)s?)"
_MASKS = (
    (r'(?<=")/[^"]*/(?=(?:containers|snapshots|overlay2|netns)/)', "<root>/"),
    (r'Get "https?://[^"]*/v2/": dial tcp.*', "<registry out of reach>"),
    (rf"{_AGE} ago|(?<=Up ){_AGE}", "<age>"),
    (r'(?<="Pid":)( ?)[1-9]\d*', r"\1<pid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "<time>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d \+0000 UTC)?", "<time>"),
    (r"127\.0\.0\.1:\d{4,5}\b", "127.0.0.1:<port>"),
    (r"\b[1-9]\d*(?:\.\d+)?(?:kB|MB|GB|B)\b", "<size>"),
    (r"(?<= 0/0) +\d+", "   <bytes>"),
    (r"(?<=size: )\d+|(?<=\"size\":)\d+|\b\d{6,12}\b", "<bytes>"),
)


def masked(text: str) -> str:
    """The text without IDs, times, sizes and ports, and without the blanks that depend on their widths."""
    text = _ID.sub(lambda match: "<id>" if len(match[0]) == 12 else "<digest>", text)
    for pattern, name in _MASKS:
        text = re.sub(pattern, name, text)
    if "CREATED" in text or "RECLAIMABLE" in text or "0/0" in text:
        text = re.sub(r" {2,}(?=\S)", "   ", text)
    return text.removesuffix("\n")


def same(recorded: Act, played: Act) -> bool:
    """Whether two acts came to the same, but for what is masked."""
    return recorded.code == played.code and all(
        masked(one) == masked(other)
        for one, other in ((recorded.stdout, played.stdout), (recorded.stderr, played.stderr))
    )


class Objects:
    """Which object of ours stands for which recorded one: it must be the same wherever it is printed."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}

    def mistaken(self, recorded: Act, played: Act) -> list[str]:
        """What two equal acts disagree on: recorded IDs that stood for another object before."""
        pairs = zip(identifiers(recorded), identifiers(played), strict=True)
        return [one for one, ours in pairs if self._ours.setdefault(one[:12], ours[:12]) != ours[:12]]


def identifiers(act: Act) -> list[str]:
    """The IDs and digests that an act printed, in order."""
    return _ID.findall(act.stdout + act.stderr)
