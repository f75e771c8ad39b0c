"""Shell: the simple commands of a RUN, as far as they can be told apart without being a shell."""

from __future__ import annotations

import re
import shlex

from millefeuille.annotations import Final

# What makes parts of a line depend on each other.
_COMPOUND: Final = re.compile(r"(?:^|[\s;&|(])(?:if|for|while|until|case|function)(?:\s|$)|<<|\|\||\(|\{\s")
_PARTED: Final = re.compile(r"\|\||;|\n")
_QUOTED: Final = re.compile(r"""\\.|"(?:[^"\\]|\\.)*"|'[^']*'""", re.DOTALL)
_BACKGROUND: Final = re.compile(r"(?<![&<>|])&(?![&>\d-])")
_SUBSHELL: Final = re.compile(r"\([^()#]+\)")
_WAIT: Final = re.compile(r"(?<![\w./-])wait(?![\w./-])")
# What leaks into what follows: directories, variables, options, functions.
_LEAKING: Final = re.compile(
    r"(?:^|[\s;&|(])(?:alias|cd|coproc|declare|dirs|enable|eval|exec|exit|export|function|getopts|hash|let|local"
    r"|logout|mapfile|popd|printf\s+-v|pushd|read|readarray|readonly|return|set|setopt|shift|shopt|source|trap"
    r"|typeset|ulimit|umask|unalias|unset|unsetopt|\.)(?:\s|$|;|&|\))"
    r"|(?:^|[\s;&|(])[A-Za-z_]\w*(?:\[[^]\s]*\])?\+?="
    r"""(?:\S*(?:\$\(|`)|(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s;&|"'])*\s*(?:[;&|)\n]|$))"""
    r"|\$\{\w+(?:\[[^]]*\])?:?=|\(\(|\(\s*\)",
    re.DOTALL,
)
_SPLIT: Final = re.compile(
    r"""((?:[^"'\\;&\n]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|&(?!&)(?<!&&))+)|(&&|;|\n)""", re.DOTALL
)


def commands(text: str) -> tuple[str, ...] | None:
    """The commands that `&&` and `;` stand between; None where the text is more than a row of them."""
    if _COMPOUND.search(text):
        return None
    found, at = [], 0
    for match in _SPLIT.finditer(text):
        if match.start() != at:
            return None
        at = match.end()
        if match[1] and match[1].strip():
            found.append(match[1].strip())
    return tuple(found) if at == len(text) else None


def words(command: str) -> tuple[str, ...]:
    """The words of a simple command, quotes taken off; none where they do not match."""
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()


def lists(text: str) -> tuple[tuple[str, ...], ...] | None:
    """The commands that `&&` stands between, apart from those that are run whatever became of them; None
    where the text is more than a row of commands.
    """
    found = commands(text)
    if found is None or len(found) < 2:
        return (found,) if found else None
    rows: list[list[str]] = []
    goes_on = False
    for match in _SPLIT.finditer(text):
        if match[1] and match[1].strip():
            rows[-1:] = [[*rows[-1], match[1].strip()]] if goes_on else [*rows[-1:], [match[1].strip()]]
            goes_on = False
        else:  # behind && a line goes on
            goes_on = goes_on or match[2] == "&&"
    return tuple(map(tuple, rows))


def leaks(text: str) -> bool:
    """Whether the text may bear on what the same shell is given behind it."""
    return _LEAKING.search(text) is not None


def unquoted(text: str) -> str:
    """The text without what stands in quotes."""
    return _QUOTED.sub("", text)


def goes_on(text: str) -> bool:
    """Whether something may still run when the text has come to its end."""
    plain = unquoted(text)
    ends = [match.end() for match in _BACKGROUND.finditer(plain)]
    return bool(ends) and _WAIT.search(plain, ends[-1]) is None


def grouped(text: str) -> str:
    """The text so that it can stand in a list of `&&`: in a shell of its own where it is more than one."""
    line = _on_one_line(text)
    is_more = _PARTED.search(line) or _BACKGROUND.search(unquoted(line))  # a `&` takes the whole list with it
    return apart(text) if is_more else text


def enclosed(text: str) -> str:
    """The text so that others can stand beside it: in a shell of its own where it would bear on them."""
    return apart(text) if leaks(text) else grouped(text)


def apart(text: str) -> str:
    """The text in a shell of its own, which it may be already."""
    if text.startswith("(\n") or _SUBSHELL.fullmatch(unquoted(text)):
        return text
    return f"( {text} )" if text.startswith("(") else f"({text})"  # two brackets begin arithmetic


def _on_one_line(text: str) -> str:
    return text.replace("\\\n", " ")


def joinable(text: str) -> bool:
    """Whether something can be put behind the text on its line."""
    return bool(text) and "<<" not in text.replace("<<<", "")


def commented(text: str) -> bool:
    """Whether what is put behind the text on its line may be part of a comment."""
    return re.search(r"(?:^|\s)#", text) is not None
