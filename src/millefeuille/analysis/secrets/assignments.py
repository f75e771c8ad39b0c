"""Assignments: what a command, or a step of a history, gives to names, with the blanks in it.

A shell's command has quotes around a value with blanks, a list has it in one word. What a history tells of
ENV and ARG, and in front of the command of a RUN, has none: there a value goes on to where the config or the
rest of the history says, else to the next pair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from millefeuille.analysis import pairs
from millefeuille.analysis.runarguments import SHELLS
from millefeuille.annotations import Final, NamedTuple
from millefeuille.oci.config import ImageConfig

# Those with `-` and `.` are flags: other words that have them are packages with versions (`libsecret-1-0=2`).
_NAME: Final = r"(?:--?([A-Za-z_][\w.-]*)|([A-Za-z_]\w*))=(?!=)"
_BARE: Final = r"([^\s\"'$`;&|]{3,})"
_ASSIGNMENT: Final = re.compile(
    rf"(?:^|[\s;&|]){_NAME}(?:\"([^\"$`]{{3,}})\"|'([^']{{3,}})'|{_BARE})(?=[\s;&|)]|$)"
    # A word in quotes is one pair, but for the command of a shell.
    rf"|(?<!c )(?<!c\",)(?<!c\" )(?<!c\", )[\"']{_NAME}([^\"'$`\n]{{3,}})[\"']"
    rf"|[\"']{_NAME}{_BARE}(?=[\s\"';&|)])"
)
_COMMAND_FOLLOWS: Final = re.compile(r"-\w*c|CMD-SHELL")
_WORD: Final = re.compile(rf"{_NAME}(.+)", re.DOTALL)
_SETTING: Final = re.compile(r"\s*(?:.*?#\(nop\)\s*)?(?:ONBUILD )?(ENV|ARG) ", re.DOTALL)
_RUN: Final = re.compile(r"\s*(?:ONBUILD )?(?:RUN )?\|(\d{1,4}) ")
_PAIR: Final = re.compile(r"(?<!\S)([A-Za-z_][\w.-]*)=")
_QUOTED: Final = re.compile(r"\"([^\"]*)\"(?!\S)|'([^']*)'(?!\S)")
_VALUES: Final = 16  # that are kept of one name

Known = Mapping[str, Iterable[str]]
"""What is known of values, by name."""


class Given(NamedTuple):
    """A name, what it is given, and where that begins in the text, in characters."""

    name: str
    value: str
    start: int


def assignments(command: str) -> Iterator[Given]:
    """Those that one sees in a command; a value that is none of three characters is left out."""
    for match in _ASSIGNMENT.finditer(command):
        name, value = [number for number, text in enumerate(match.groups(), 1) if text is not None]
        yield Given(match[name], match[value], match.start(value))


def in_words(words: Iterable[str]) -> Iterator[Given]:
    """Those of the words of a list, placed as in the words with a blank between each two."""
    place, before = 0, ""
    for word in words:
        found = None if _COMMAND_FOLLOWS.fullmatch(before) else _WORD.fullmatch(word)
        if found:
            yield Given(found[1] or found[2], found[3], place + found.start(3))
        place, before = place + len(word) + 1, word


def known_values(config: ImageConfig) -> Known:
    """The values that a config and its history tell of for sure."""
    known: dict[str, list[str]] = {}
    variables = config.process.get("Env")
    told = [str(text).partition("=")[::2] for text in (variables if isinstance(variables, list) else ())]
    for step in config.history:
        told += _sure(step.created_by)
    for name, value in told:
        values = known.setdefault(name, [])
        if value and value not in values and len(values) < _VALUES:
            values.append(value)
    return known


def _sure(text: str) -> Iterable[tuple[str, str]]:
    """The pairs of an ARG alone, and of a RUN in front of its shell."""
    setting, run = _SETTING.match(text), _RUN.match(text)
    if setting and setting[1] == "ARG":
        return pairs.parted(text[setting.end() :].strip(), 1).items()
    shell = SHELLS.search(text, run.end()) if run else None
    if run and shell:
        return pairs.parted(text[run.end() : shell.start()].rstrip(), int(run[1])).items()
    return ()


def in_step(text: str, known: Known) -> Iterator[Given]:
    """Those of ENV and ARG, and of the arguments in front of the command of a RUN."""
    setting, run = _SETTING.match(text), _RUN.match(text)
    if setting:
        yield from _told(text, setting.end(), len(text.rstrip()), known)
    elif run:
        shell = SHELLS.search(text, run.end())
        yield from _told(text, run.end(), shell.start() - 1 if shell else None, known)


def _told(text: str, place: int, end: int | None, known: Known) -> Iterator[Given]:
    """The pairs from `place` to `end`; where nothing says where they end, only those that are known."""
    limit = len(text) if end is None else end
    while found := _PAIR.search(text, place, limit):
        name, start = found[1], found.end()
        values = [each for each in known.get(name, ()) if _stands(each, text, start, limit)]
        quoted = _QUOTED.match(text, start, limit)
        if values:
            value = max(values, key=len)
        elif quoted:
            value, start = quoted[quoted.lastindex or 0], start + 1
        else:
            following = _PAIR.search(text, start, limit)
            value = text[start : following.start() if following else limit].rstrip()
        if values or quoted or end is not None:
            yield Given(name, value, start)
            place = start + len(value)
        else:
            place = start


def _stands(value: str, text: str, start: int, limit: int) -> bool:
    end = start + len(value)
    return text.startswith(value, start) and end <= limit and (end == limit or text[end].isspace())
