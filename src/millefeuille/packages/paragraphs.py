"""Paragraphs of fields, as Debian's control files and Python's metadata are written.

Source: Debian Policy, chapter 5; RFC 5322, section 2.2, as far as these files use it.
"""

from __future__ import annotations

from collections.abc import Iterator


def paragraphs(raw: bytes) -> Iterator[dict[str, str]]:
    """The fields of each paragraph, by lower-case name; a field that comes again does not count.

    A line that is no field is left out, bytes that are not UTF-8 are replaced: others read on, too.
    """
    fields: dict[str, str] = {}
    name = ""
    for line in raw.decode(errors="replace").replace("\r\n", "\n").split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if name:
                fields[name] += "\n" + line.strip()
        else:
            key, colon, value = line.partition(":")
            name = key.strip().lower() if colon and key.strip().lower() not in fields else ""
            if name:
                fields[name] = value.strip()
    if fields:
        yield fields
