"""The keys that let go of a container: `ctrl-p,ctrl-q`, or what the caller names."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.exits import Refusal

_DEFAULT: Final = "ctrl-p,ctrl-q"
_SPECIAL: Final = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


def detach_keys(context: Context, text: str) -> bytes:
    """The bytes of a sequence such as `ctrl-p,ctrl-q` or `a,b`. Raises Refusal."""
    found = b""
    for key in (text or _DEFAULT).split(","):
        letter = key.removeprefix("ctrl-")
        if len(key) == 1:
            found += key.encode()
        elif key != letter and len(letter) == 1 and (letter.isascii() and letter.islower()):
            found += bytes((ord(letter) - ord("a") + 1,))
        elif key != letter and letter in _SPECIAL:
            found += bytes((_SPECIAL[letter],))
        else:
            raise Refusal(f"invalid detach keys ({text}): Unknown character: '{key}'", code=1)
    return found
