"""Debian's packages: dpkg's status file, one file for each package (distroless), and lists of files.

Source: Debian Policy, section 5.6; dpkg(1), "FILES"; deb-control(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from millefeuille.annotations import Final
from millefeuille.packages.package import DEB, Package, number
from millefeuille.packages.paragraphs import paragraphs

_GONE: Final = ("config-files", "not-installed")  # states without files; in all others some are there
_SOURCE: Final = re.compile(r"(\S+)(?:\s+\(([^)]+)\))?")


def dpkg_packages(raw: bytes, location: bytes = b"") -> Iterator[Package]:
    """The packages of a status file that have files, configured or not; a paragraph without a status is of
    one that is installed.
    """
    for fields in paragraphs(raw):
        status = fields.get("status", "install ok installed").split()
        if status and status[-1] not in _GONE and fields.get("package") and fields.get("version"):
            yield _package(fields, location)


def dpkg_files(raw: bytes) -> tuple[bytes, ...]:
    """The paths in a `.list` file of dpkg, relative to the root; directories are among them."""
    paths = (line.strip(b"/") for line in raw.split(b"\n"))
    return tuple(path for path in paths if path not in (b"", b"."))


def _package(fields: Mapping[str, str], location: bytes) -> Package:
    source = _SOURCE.match(fields.get("source", ""))
    size = fields.get("installed-size", "")
    return Package(
        kind=DEB, name=fields["package"], version=fields["version"],
        architecture=fields.get("architecture", ""), source=source[1] if source else "",
        source_version=(source[2] or "") if source else "", supplier=fields.get("maintainer", ""),
        size=number(size) * 1024, location=location,
    )  # fmt: skip
