"""The forms that arguments take: a JSON array, a list of words, names with values."""

from __future__ import annotations

import json
import re

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.instructions import Command, Declared, Pair, ShellForm
from millefeuille.build.dockerfile.words import SPACES, quoted_words, split_blanks, split_once
from millefeuille.oci.gotext import quoted

_SURROGATES = "[\ud800-\udfff]"


def json_array(text: str) -> tuple[str, ...] | None:
    """The strings of a JSON array; None where `text` is no valid JSON array.

    Raises Complaint for a valid array that holds anything but strings.
    """
    start = text.lstrip(SPACES)
    if not start.startswith("["):
        return None
    try:
        values = json.loads(start, parse_int=_number, parse_float=_number, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(value, str) for value in values):
        raise Complaint("when using JSON array syntax, arrays must be comprised of strings only")
    return tuple(re.sub(_SURROGATES, "\ufffd", value) for value in values)


def _number(_digits: str) -> None:
    """A number is valid JSON but no string; how large it is does not matter."""


def _no_constant(name: str) -> None:
    raise ValueError(name)


def json_or_words(text: str) -> tuple[str, ...]:
    """A JSON array, or words between blanks."""
    if not text:
        return ()
    values = json_array(text)
    return tuple(split_blanks(text)) if values is None else values


def json_or_text(text: str) -> Command:
    """A JSON array as argv, anything else as text for the shell."""
    values = json_array(text)
    return ShellForm(text) if values is None else values


def names_with_values(text: str, escape: str, keyword: str) -> tuple[tuple[Pair, ...], bool]:
    """The pairs of ENV and LABEL, and whether they stand in the old form without an equals sign.

    Raises Complaint where a value, an equals sign or a name is missing.
    """
    words = quoted_words(text, escape)
    if not words:
        raise Complaint(f"{keyword} requires at least one argument")
    if "=" not in words[0]:
        name, value = split_once(text)
        if value is None:
            raise Complaint(f"{keyword} must have two arguments")
        return (Pair(name, value),), True
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Complaint(f"Syntax error - can't find = in {quoted(word)}. Must be of the form: name=value")
        if not name:
            raise Complaint(f"{keyword} names can not be blank")
        pairs.append(Pair(name, value))
    return tuple(pairs), False


def declared_names(text: str, escape: str, comments: tuple[str, ...]) -> tuple[Declared, ...]:
    """The arguments of ARG. Raises Complaint where there is none, or one without a name."""
    words = quoted_words(text, escape)
    if not words:
        raise Complaint("ARG requires at least one argument")
    declared = []
    for word in words:
        name, equals, value = word.partition("=")
        if not name:
            raise Complaint("ARG names can not be blank")
        declared.append(Declared(name, value if equals else None, description(comments, name)))
    return tuple(declared)


def description(comments: tuple[str, ...], name: str) -> str:
    """What the comments above say of `name`: the rest of the first one that begins with it."""
    for line in comments:
        if name and line.startswith(name + " "):
            return line[len(name) + 1 :]
    return ""
