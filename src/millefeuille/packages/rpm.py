"""RPM's packages: the database of what was installed, in any of the forms it has had.

That is Berkeley DB up to rpm 4.15, SQLite since, and on SUSE ndb.

Source: rpm, docs/manual/hregions.md and tags.md; lib/backend/sqlite.c; lib/backend/db3.c.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing

from millefeuille.annotations import Final
from millefeuille.packages.berkeley import hash_items
from millefeuille.packages.ndb import blobs
from millefeuille.packages.package import RPM, BadRecord, Package
from millefeuille.packages.writeahead import with_log

_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE = 1000, 1001, 1002, 1003, 1009
_VENDOR, _LICENCE, _ARCHITECTURE, _SOURCE = 1011, 1014, 1022, 1044
_DIRECTORY_NUMBERS, _BASE_NAMES, _DIRECTORIES = 1116, 1117, 1118
_LONG_SIZE: Final = 5009

_INT32, _INT64, _STRING, _STRINGS, _I18N = 4, 5, 6, 8, 9
_NUMBERS: Final = {_INT32: ">I", _INT64: ">Q"}
_ENTRY: Final = struct.Struct(">IIiI")  # tag, type, offset, count
_HEAD: Final = struct.Struct(">II")  # number of entries, bytes of data
_KEYS: Final = "gpg-pubkey"  # keys are kept as if they were packages
_MAXIMUM_ITEMS: Final = 1 << 20

Value = int | bytes | tuple[int, ...] | tuple[bytes, ...]


def rpm_packages(raw: bytes, location: bytes = b"", log: bytes = b"") -> Iterator[Package]:
    """The packages of a `rpmdb.sqlite` with the write-ahead log beside it, each with its files. Raises
    BadRecord.
    """
    raw = with_log(raw, log)
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            # A database in memory has no log.
            connection.deserialize(raw[:18] + b"\1\1" + raw[20:])
            rows = connection.execute("SELECT blob FROM Packages ORDER BY hnum").fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise BadRecord(f"not a database of rpm ({error})") from error
    return _packages((blob if isinstance(blob, bytes) else b"" for (blob,) in rows), location)


def berkeley_packages(raw: bytes, location: bytes = b"") -> Iterator[Package]:
    """The packages of a `Packages` in Berkeley DB. Raises BadRecord."""
    if not raw:
        return iter(())
    # Under number 0 stands which number the next package gets.
    return _packages((blob for key, blob in hash_items(raw) if any(key)), location)


def ndb_packages(raw: bytes, location: bytes = b"") -> Iterator[Package]:
    """The packages of a `Packages.db`. Raises BadRecord."""
    return _packages(blobs(raw), location) if raw else iter(())


def _packages(headers: Iterable[bytes], location: bytes) -> Iterator[Package]:
    for blob in headers:
        package = _package(header_values(blob), location)
        if package is not None:
            yield package


def header_values(blob: bytes) -> dict[int, Value]:
    """The values of a package's header by tag: a number or bytes, or a tuple of them. Raises BadRecord."""
    try:
        count, size = _HEAD.unpack_from(blob)
        start = _HEAD.size + count * _ENTRY.size
        if count > _MAXIMUM_ITEMS or start + size > len(blob):
            raise BadRecord("a package's header is cut off")
        data = blob[start : start + size]
        entries = _ENTRY.iter_unpack(blob[_HEAD.size : start])
        return {
            tag: _value(data, kind, offset, items)
            for tag, kind, offset, items in entries
            if kind in (_INT32, _INT64, _STRING, _STRINGS, _I18N)
        }
    except (struct.error, ValueError) as error:
        raise BadRecord(f"a package's header is malformed ({error})") from error


def _value(data: bytes, kind: int, offset: int, items: int) -> Value:
    if offset < 0 or offset > len(data) or items > len(data):
        raise BadRecord("a package's header points outside of itself")
    if kind in _NUMBERS:
        code = _NUMBERS[kind]
        numbers = struct.unpack_from(f">{items}{code[1]}", data, offset)
        return numbers[0] if items == 1 else tuple(numbers)
    if kind == _STRING:
        return data[offset : data.index(b"\0", offset)]
    strings = []
    for _ in range(items):
        end = data.index(b"\0", offset)
        strings.append(data[offset:end])
        offset = end + 1
    return tuple(strings)


def _package(values: Mapping[int, Value], location: bytes) -> Package | None:
    def text(tag: int) -> str:
        value = values.get(tag, b"")
        value = value[0] if isinstance(value, tuple) and value else value
        return value.decode(errors="replace") if isinstance(value, bytes) else ""

    def number(tag: int) -> int:
        value = values.get(tag)
        return value if isinstance(value, int) else 0

    name = text(_NAME)
    if not name or name == _KEYS:
        return None
    epoch = f"{number(_EPOCH)}:" if _EPOCH in values else ""
    return Package(
        kind=RPM, name=name, version=f"{epoch}{text(_VERSION)}-{text(_RELEASE)}",
        architecture=text(_ARCHITECTURE), source=text(_SOURCE), licence=text(_LICENCE),
        supplier=text(_VENDOR), size=number(_LONG_SIZE) or number(_SIZE), location=location,
        files=_files(values),
    )  # fmt: skip


def _files(values: Mapping[int, Value]) -> tuple[bytes, ...]:
    names, directories = values.get(_BASE_NAMES, ()), values.get(_DIRECTORIES, ())
    numbers = values.get(_DIRECTORY_NUMBERS, ())
    numbers = (numbers,) if isinstance(numbers, int) else numbers
    if not (isinstance(names, tuple) and isinstance(directories, tuple) and isinstance(numbers, tuple)):
        return ()
    found = []
    for name, at in zip(names, numbers, strict=False):
        if isinstance(at, int) and at < len(directories):
            directory = directories[at]
            if isinstance(name, bytes) and isinstance(directory, bytes):
                found.append((directory + name).lstrip(b"/"))
    return tuple(found)
