"""Rewording: an instruction as a history tells it, and as a Dockerfile has to say it.

Builders write down what came of an instruction: lists as Go prints them, values without their quotes,
commands of several lines as they are. The config knows the values, the commands behind an ARG its value; what
neither can tell becomes a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from millefeuille.analysis import heredoc, pairs
from millefeuille.analysis.oneline import goes_on, is_line
from millefeuille.annotations import Any, Final

_QUOTED: Final = re.compile(r'\[("(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*)\]')
_ONE: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE: Final = re.compile(r"\[([^\"]*)\]")
_PORTS: Final = re.compile(r"(?:map)?\[([0-9a-z/:{} -]*)\]")
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_SECOND: Final = 1_000_000_000  # nanoseconds


def reworded(text: str, config: Mapping[str, Any], arguments: Mapping[str, str] = _NONE) -> str:
    """An instruction, one line or a here-document, that a builder takes, and no second one behind it; a
    comment where that cannot be. `config` is the image's, `arguments` what is known of the values of ARGs.
    """
    found = _worded(text, config, arguments)
    word, _, rest = text.partition(" ")
    is_whole = word in ("COPY", "ADD") and heredoc.opens(rest) and heredoc.is_whole(rest)
    # Some have a form, or a comment, for each of their lines.
    is_said = word in ("#", "RUN", "ENV", "LABEL", "ARG") or is_whole or is_line(found)
    return found if is_said else _comment(text)


def _worded(text: str, config: Mapping[str, Any], arguments: Mapping[str, str]) -> str:
    word, _, rest = text.partition(" ")
    if word in ("CMD", "ENTRYPOINT", "SHELL", "VOLUME"):
        known = config.get({"SHELL": "Shell", "VOLUME": "Volumes"}.get(word, "")) or ()
        return f"{word} {_list(rest, [str(each) for each in known])}"
    if word == "EXPOSE" and (found := _PORTS.fullmatch(rest)):
        return f"EXPOSE {' '.join(found[1].replace(':{}', '').split())}"
    if word == "ENV":
        known = dict(each.partition("=")[::2] for each in config.get("Env") or ())
        return _set(word, rest, known)
    if word == "ARG":
        return _set(word, rest, arguments, names_alone=True)
    if word == "LABEL":
        return _set(word, rest, config.get("Labels") or {})
    if word == "HEALTHCHECK" and rest[:1] in "{&":
        check = config.get("Healthcheck")
        return _healthcheck(check) if check else _comment(text)
    if word in ("COPY", "ADD") and "<<" in rest and "\n" not in rest:
        return _comment(text)  # the document is not told
    if word == "RUN" and _is_script(rest):
        return f"RUN <<{_mark(rest)}\n{rest}\n{_mark(rest)}"
    return text


def _comment(text: str) -> str:
    return f"# {' '.join(text.split())}"


def _list(rest: str, known: Sequence[str]) -> str:
    quoted = _QUOTED.fullmatch(rest)
    if quoted:
        return f"[{', '.join(_ONE.findall(quoted[1]))}]"
    bare = _BARE.fullmatch(rest)
    return json.dumps(_words(bare[1], known)) if bare else rest


def _words(text: str, known: Sequence[str]) -> list[str]:
    """The words of a list without quotes, which have blanks in them where those that are known do."""
    if " ".join(known) == text:
        return list(known)
    words = []
    text = text.strip()
    while text:
        found = (word for word in known if word and f"{text} ".startswith(f"{word} "))
        words.append(max(found, key=len, default=text.split()[0]))
        text = text[len(words[-1]) :].lstrip()
    return words


def _set(word: str, rest: str, known: Mapping[str, str], *, names_alone: bool = False) -> str:
    said, untold = pairs.quoted(rest, known, names_alone=names_alone)
    lines = [f"{word} {' '.join(said)}"] if said else []
    lines += [_comment(f"{word} {each}") for each in untold]
    return "\n".join(lines) or _comment(word)


def _healthcheck(check: Mapping[str, Any]) -> str:
    test = check.get("Test") or ["NONE"]
    if test[0] == "NONE":
        return "HEALTHCHECK NONE"
    times = (
        ("interval", "Interval"), ("timeout", "Timeout"), ("start-period", "StartPeriod"),
        ("start-interval", "StartInterval"),
    )  # fmt: skip
    flags = [f"--{flag}={_duration(check[key])}" for flag, key in times if check.get(key)]
    flags += [f"--retries={check['Retries']}"] if check.get("Retries") else []
    command = test[1] if test[0] == "CMD-SHELL" else json.dumps(test[1:])
    return " ".join(["HEALTHCHECK", *flags, "CMD", command])


def _duration(nanoseconds: int) -> str:
    """A time as Go reads it, to the last nanosecond."""
    seconds, rest = divmod(int(nanoseconds), _SECOND)
    return f"{seconds}.{rest:09d}".rstrip("0") + "s" if rest else f"{seconds}s"


def _is_script(rest: str) -> bool:
    """Whether a command has to stand in a here-document of its own."""
    if heredoc.opens(rest):
        return not heredoc.is_whole(rest)
    return not is_line(rest) and not _is_continued(rest)


def _is_continued(rest: str) -> bool:
    *lines, last = rest.split("\n")
    # A builder leaves out lines that are empty or a comment, and reads on.
    is_out = any(not line.strip() or line.lstrip().startswith("#") for line in (*lines[1:], last))
    return not is_out and all(map(goes_on, lines)) and not goes_on(last)


def _mark(rest: str) -> str:
    mark = "EOF"
    while mark in rest.split("\n"):
        mark += "F"
    return mark
