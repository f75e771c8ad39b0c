"""Keys: what went into a step, as one canonical text, and its hash.

A key stands for the operation with all its inputs by content: the stack of layers below (its chain ID), the
files that are copied (their digest), the command, its environment. Two builds that reach the same stack by
different ways share what comes after; nothing that does not reach the layer (texts of comments, secrets) is
in it, nor are times of files, but with an epoch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from blake3 import blake3

from millefeuille.annotations import Any, Final

VERSION: Final = 1

Inputs = Mapping[str, Any]


def canonical(inputs: Inputs) -> str:
    """The one text of these inputs: JSON with sorted keys, so that equal inputs are equal texts."""
    return json.dumps({"v": VERSION, **inputs}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def key(text: str) -> str:
    """The key of a canonical text, blake3 in hex."""
    return blake3(text.encode("utf-8", "surrogateescape")).hexdigest()
