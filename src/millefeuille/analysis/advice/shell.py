"""Shell: the simple commands of a RUN, as far as they can be told apart without being a shell."""

from __future__ import annotations

import re
import shlex

from millefeuille.annotations import Final

# What makes parts of a line depend on each other.
_COMPOUND: Final = re.compile(r"(?:^|[\s;&|(])(?:if|for|while|until|case|function)(?:\s|$)|<<|\|\||\(|\{\s")
_PARTED: Final = re.compile(r"\|\||;|\n|(?<!&)&\s*$")
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


def without(text: str, dropped: tuple[str, ...], instead: str = "") -> str:
    """The text without these of its commands, `instead` where the first was; "" when none is left."""
    found = commands(text) or (text,)
    first = next((place for place, one in enumerate(found) if one in dropped), None)
    kept, is_apart = "", False
    for place, (one, apart) in enumerate(zip(found, _apart(text, len(found)), strict=True)):
        # What is run whatever became of one command is so without what stood between them.
        is_apart = is_apart or apart
        left = one if one not in dropped else instead if place == first else ""
        if left:
            between = " " if kept.endswith("&") else "; " if is_apart else " && "
            kept, is_apart = f"{kept}{between}{left}" if kept else left, False
    return kept


def _apart(text: str, count: int) -> list[bool]:
    """Of each of the commands, whether it is run when the one before it failed, too."""
    found, is_apart = [], False
    for match in _SPLIT.finditer(text) if count > 1 else ():
        if match[1] and match[1].strip():
            found.append(is_apart)
            is_apart = False
        elif match[2]:
            is_apart = is_apart or match[2] != "&&"
    return found or [False]


def leaks(text: str) -> bool:
    """Whether the text may bear on what the same shell is given behind it."""
    return _LEAKING.search(text) is not None


def grouped(text: str) -> str:
    """The text so that it can stand in a list of `&&`: in a shell of its own where it is more than one."""
    return f"({text})" if _PARTED.search(_on_one_line(text)) and not text.startswith("(\n") else text


def enclosed(text: str) -> str:
    """The text so that others can stand beside it: in a shell of its own where it would bear on them."""
    return f"({text})" if leaks(text) and not text.startswith("(\n") else grouped(text)


def _on_one_line(text: str) -> str:
    return text.replace("\\\n", " ")


def joinable(text: str) -> bool:
    """Whether something can be put behind the text on its line."""
    return bool(text) and "<<" not in text.replace("<<<", "")


def commented(text: str) -> bool:
    """Whether what is put behind the text on its line may be part of a comment."""
    return re.search(r"(?:^|\s)#", text) is not None
