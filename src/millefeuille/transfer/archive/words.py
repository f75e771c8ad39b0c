"""The words of one Dockerfile instruction: quotes, backslashes and variables, as Docker reads them.

Source: the Dockerfile reference, "Environment replacement" and "ENV".
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.later import pattern, re
from millefeuille.plainjson import dumps, loads

_VARIABLE: Final = pattern(r"(?a)\$(?:\{(\w+)(?:(:[-+])([^}]*))?\}|(\w+))")


class BadInstruction(Invalid):
    """A line is no instruction, or one that cannot be used here."""


def split_words(text: str) -> list[str]:
    """Words between blanks; quotes hold words together, and stay. An open quote holds all to the end."""
    words, word, quote, position = [], "", "", 0
    while position < len(text):
        character = text[position]
        if character == "\\" and quote != "'" and position + 1 < len(text):
            word += text[position : position + 2]
            position += 2
            continue
        if character in "\"'" and quote in ("", character):
            quote = "" if quote else character
        if character.isspace() and not quote:
            words += [word] if word else []
            word = ""
        else:
            word += character
        position += 1
    return [*words, word] if word else words


def expand(text: str, variables: Mapping[str, str]) -> str:
    """A word without its quotes and backslashes, variables replaced. Raises BadInstruction."""
    result, quote, position = "", "", 0
    while position < len(text):
        character = text[position]
        match = _VARIABLE.match(text, position) if character == "$" and quote != "'" else None
        if match:
            result += _value(match, variables)
            position = match.end()
            continue
        following = text[position + 1 : position + 2]
        if character == "\\" and following and (not quote or (quote == '"' and following in '"$\\')):
            result += following
            position += 2
            continue
        if character in "\"'" and quote in ("", character):
            quote = "" if quote else character
        else:
            result += character
        position += 1
    if quote:
        raise BadInstruction(
            f"failed to process {dumps(text, ensure_ascii=False)}: "
            f"unexpected end of statement while looking for matching {_named(quote)}"
        )
    return result


def read_pairs(text: str, what: str, variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """`a=1 b="2 3"`, or `a everything else`; `what` names the instruction. Raises BadInstruction."""
    words = split_words(text)
    if not words:
        raise BadInstruction(f"{what} requires at least one argument")
    if "=" not in words[0]:
        value = text.strip()[len(words[0]) :].strip()
        if not value:
            raise BadInstruction(f"{what} must have two arguments")
        return [(expand(words[0], variables), expand(value, variables))]
    pairs = []
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise BadInstruction(
                f"Syntax error - can't find = in {dumps(word)}. Must be of the form: name=value"
            )
        if not name:
            raise BadInstruction(f"{what} names can not be blank")
        pairs.append((expand(name, variables), expand(value, variables)))
    return pairs


def read_list(text: str) -> list[str] | None:
    """A JSON list of strings; None when the text is no such list and therefore a command line."""
    if not text.lstrip().startswith("["):
        return None
    try:
        value = loads(text)
    except ValueError:
        return None
    return value if isinstance(value, list) and all(isinstance(word, str) for word in value) else None


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(match[1] or match[4], "")
    if match[2] == ":-":
        return value or match[3]
    if match[2] == ":+":
        return match[3] if value else ""
    return value


def _named(quote: str) -> str:
    return "double-quote" if quote == '"' else "single-quote"
