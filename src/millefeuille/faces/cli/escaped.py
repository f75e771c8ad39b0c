"""Paths on a terminal: what an image calls its files may hold anything, and must not steer the screen."""

from __future__ import annotations

_SHORT = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def escaped(path: bytes) -> str:
    """A path as one line of printable characters; others, and bytes that are no UTF-8, as C writes them."""
    text = path.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(letter if letter.isprintable() and letter != "\\" else _code(letter) for letter in text)


def printable(text: str) -> str:
    """Words from an image as one line that does not steer the screen."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)


def printable_lines(text: str) -> str:
    """As `printable`, of a text of several lines, with its tabs."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)


def _code(letter: str) -> str:
    if letter in _SHORT:
        return _SHORT[letter]
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
