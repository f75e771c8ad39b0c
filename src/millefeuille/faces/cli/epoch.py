"""SOURCE_DATE_EPOCH: the time that an image is to have, whenever it is made."""

from __future__ import annotations

from millefeuille.faces.cli.exits import Refusal
from millefeuille.oci.moment import LATEST


def read_epoch(text: str, name: str = "SOURCE_DATE_EPOCH") -> int | None:
    """Seconds since 1970 from a text, None for none; `name` is what gave it. Raises Refusal."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(LATEST)) or int(text) > LATEST:
        raise Refusal(f"invalid {name}: {text}")
    return int(text)
