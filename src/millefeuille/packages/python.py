"""Python's packages: the metadata of an installed distribution.

Source: PyPA specifications, "Recording installed projects" and "Core metadata".
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from millefeuille.packages.package import PYPI, Package
from millefeuille.packages.paragraphs import paragraphs

_LONGEST_LICENCE = 100  # some put the whole text into the field


def python_packages(raw: bytes, location: bytes = b"") -> Iterator[Package]:
    """The distribution that a METADATA or PKG-INFO file describes; none when it has no name or version."""
    fields = next(paragraphs(raw), {})
    if not fields.get("name") or not fields.get("version"):
        return
    licence = fields.get("license-expression") or fields.get("license", "")
    supplier = fields.get("author-email") or fields.get("author", "")
    yield Package(
        kind=PYPI, name=fields["name"], version=fields["version"], supplier=supplier, location=location,
        licence=licence if len(licence) <= _LONGEST_LICENCE and "\n" not in licence else "",
    )  # fmt: skip


def python_files(raw: bytes, location: bytes) -> tuple[bytes, ...]:
    """The paths that a RECORD file at `location` lists, relative to the root."""
    base = location.split(b"/")[:-2]
    paths = []
    for row in csv.reader(raw.decode(errors="surrogateescape").splitlines()):
        parts = list(base) if row and not row[0].startswith("/") else []
        for part in row[0].encode(errors="surrogateescape").split(b"/") if row else ():
            if part == b"..":
                del parts[-1:]
            elif part not in (b"", b"."):
                parts.append(part)
        if row:
            paths.append(b"/".join(parts))
    return tuple(paths)
