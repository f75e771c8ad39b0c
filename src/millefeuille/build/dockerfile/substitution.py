"""The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`.

`*` stands for any text, `?` for any character. A backslash takes the special meaning from `*`, `?` and
itself, and protects `}` and `/`. A pattern is matched by a set of positions in it, held as the bits of
one integer, so the time is linear in the text whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.complaint import Complaint

_MOST = 4096
LONGEST = 16 << 20


class Pattern(NamedTuple):
    """`singles` are what stands for one character each, None for any.

    Bit i of `stars`: a star before single i.
    """

    singles: tuple[str | None, ...]
    stars: int

    def mirrored(self) -> Pattern:
        """The pattern that matches the mirrored texts."""
        count = len(self.singles)
        stars = sum(1 << count - bit for bit in range(count + 1) if self.stars >> bit & 1)
        return Pattern(self.singles[::-1], stars)


def compiled(source: str, escape: str) -> Pattern:
    """`source` as a pattern. Raises Complaint for an escape of anything but a special character."""
    singles: list[str | None] = []
    stars = 0
    position = 0
    while position < len(source):
        char = source[position]
        position += 1
        if char == "*":
            stars |= 1 << len(singles)
            continue
        if char in ("\\", escape):
            char = _protected(source, position, char)
            position += 1
            singles.append(char)
        else:
            singles.append(None if char == "?" else char)
    if len(singles) > _MOST:
        raise Complaint(f"a pattern in a substitution has {len(singles)} characters, {_MOST} are allowed")
    return Pattern(tuple(singles), stars)


def _protected(source: str, position: int, escape: str) -> str:
    char = source[position : position + 1]
    if char and char in ("}/*?\\" if escape == "\\" else "}/"):
        return char
    raise Complaint(f"invalid pattern ({source}) in substitution: invalid escape '{escape}{char}'")


def without_prefix(text: str, pattern: Pattern, *, longest: bool) -> str:
    """`text` without the shortest, or longest, beginning that the pattern matches whole."""
    ends = _match_end(pattern, text, 0, longest=longest)
    return text if ends is None else text[ends:]


def without_suffix(text: str, pattern: Pattern, *, longest: bool) -> str:
    """`text` without the shortest, or longest, end that the pattern matches whole."""
    return without_prefix(text[::-1], pattern.mirrored(), longest=longest)[::-1]


def replaced(text: str, pattern: Pattern, new: str, *, every: bool) -> str:
    """`text` with `new` for the first match, or each one.

    A match begins as far left and is as long as it can.
    """
    if not pattern.stars and None not in pattern.singles:
        old = "".join(single for single in pattern.singles if single)
        _check_size(len(text) + len(new) * text.count(old))
        return text.replace(old, new, -1 if every else 1)
    parts: list[str] = []
    done = size = 0
    for start in _starts(pattern, text):
        if start < done or (start == done and parts and start == len(text)):
            continue
        end = _match_end(pattern, text, start, longest=True)
        if end is None:
            continue
        parts += [text[done:start], new]
        done = end
        size += len(parts[-2]) + len(new)
        _check_size(size)
        if not every:
            break
    return "".join((*parts, text[done:]))


def _check_size(size: int) -> None:
    if size > LONGEST:
        raise Complaint("the variables in it hold more than 16 MiB")


def _masks(pattern: Pattern) -> tuple[dict[str, int], int]:
    """Per character, the singles that accept it; and the singles that accept any."""
    anything = 0
    for bit, single in enumerate(pattern.singles):
        if single is None:
            anything |= 1 << bit
    masks: dict[str, int] = {}
    for bit, single in enumerate(pattern.singles):
        if single is not None:
            masks[single] = masks.get(single, anything) | 1 << bit
    return masks, anything


def _match_end(pattern: Pattern, text: str, start: int, *, longest: bool) -> int | None:
    masks, anything = _masks(pattern)
    accepted = 1 << len(pattern.singles)
    states = 1
    best = start if accepted == 1 else None
    if best is not None and not longest:
        return best
    for position in range(start, len(text)):
        states = (states & masks.get(text[position], anything)) << 1 | states & pattern.stars
        if states & accepted:
            best = position + 1
            if not longest:
                return best
        if not states:
            break
    return best


def _starts(pattern: Pattern, text: str) -> Sequence[int]:
    """Each place in `text` where a match begins, ascending."""
    mirrored = pattern.mirrored()
    masks, anything = _masks(mirrored)
    accepted = 1 << len(pattern.singles)
    states = 1
    found = [len(text)] if accepted == 1 else []
    for position in range(len(text) - 1, -1, -1):
        states = (states & masks.get(text[position], anything)) << 1 | states & mirrored.stars | 1
        if states & accepted:
            found.append(position)
    return found[::-1]
