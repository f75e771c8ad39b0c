"""Package: one installed package, as its manager's records tell of it."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.values import dataclass

DEB: Final = "deb"
APK: Final = "apk"
RPM: Final = "rpm"
PYPI: Final = "pypi"
NPM: Final = "npm"
GO: Final = "golang"


_DIGITS: Final = 18  # of the largest number that is taken for a size


class BadRecord(Invalid):
    """A file that should list packages is not what its name promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package. `kind` is the type of package URLs: deb, apk, rpm, pypi, npm, golang.

    `source` is the source package it was built from, where that has another name; `size` in bytes as its
    manager counts, 0 when it does not say. `files` are paths relative to the root, where the same record
    lists them; `location` is the path of that record.
    """

    kind: str
    name: str
    version: str
    architecture: str = ""
    source: str = ""
    source_version: str = ""
    licence: str = ""
    supplier: str = ""
    size: int = 0
    location: bytes = b""
    files: tuple[bytes, ...] = ()


def number(text: str) -> int:
    """A size that a record tells; 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else 0
