"""os-release: which distribution a tree of files is.

Source: os-release(5).
"""

from __future__ import annotations

import shlex

from millefeuille.annotations import Final

PATHS: Final = (b"etc/os-release", b"usr/lib/os-release")


def os_release(raw: bytes) -> dict[str, str]:
    """The fields of an os-release file; lines that are none are left out."""
    fields = {}
    for line in raw.decode(errors="replace").splitlines():
        key, equals, value = line.strip().partition("=")
        if not equals or key.startswith("#"):
            continue
        try:
            fields[key] = "".join(shlex.split(value))
        except ValueError:  # an open quote
            continue
    return fields
