"""Alpine's packages: the database of what apk installed.

Source: Alpine wiki, "Apk spec", "Installed Database V2".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from millefeuille.packages.package import APK, Package, number


def apk_packages(raw: bytes, location: bytes = b"") -> Iterator[Package]:
    """The packages of an `installed` file, each with its files."""
    for block in raw.split(b"\n\n"):
        fields: dict[bytes, bytes] = {}
        files: list[bytes] = []
        directory = b""
        for line in block.splitlines():
            key, colon, value = line.partition(b":")
            if not colon:
                continue
            if key == b"F":
                directory = value
            elif key == b"R":
                files.append(directory + b"/" + value if directory else value)
            else:
                fields.setdefault(key, value)
        if fields.get(b"P") and fields.get(b"V"):
            yield _package(fields, files, location)


def _package(fields: Mapping[bytes, bytes], files: Sequence[bytes], location: bytes) -> Package:
    def text(key: bytes) -> str:
        return fields.get(key, b"").decode(errors="replace")

    name, origin, size = text(b"P"), text(b"o"), text(b"I")
    return Package(
        kind=APK, name=name, version=text(b"V"), architecture=text(b"A"),
        source=origin if origin != name else "", licence=text(b"L"), supplier=text(b"m"),
        size=number(size), location=location, files=tuple(files),
    )  # fmt: skip
