"""Why a tar is refused, and how much of anything one layer may hold."""

from __future__ import annotations

from millefeuille.errors import Invalid
from millefeuille.values import dataclass


class TarError(Invalid):
    """A tar, a layer's or another, breaks a rule: `rule` is a short word for it, `reason` what is wrong,
    `path` the entry as far as it is known.
    """

    def __init__(self, rule: str, message: str, path: bytes = b"") -> None:
        where = f" ({quoted(path)})" if path else ""
        self.reason = message + where
        super().__init__(f"the tar is refused: {self.reason}")
        self.rule = rule
        self.path = path


def quoted(path: bytes) -> str:
    """A path as messages have it: in quotes, one line, bytes that are no UTF-8 as escapes."""
    return repr(path.decode("utf-8", "backslashreplace"))


class BrokenLink(Invalid):
    """A hard link names a file that the merged tree does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one layer may hold. Sizes and lengths in bytes."""

    entries: int = 2_000_000
    metadata: int = 256 << 20  # paths, link targets, attributes and sparse maps together
    size: int = 1 << 40  # of one entry's data
    component: int = 255
    path: int = 4095
    depth: int = 1024
    hops: int = 40  # symlinks followed to find one entry's parent
    steps: int = 50_000_000  # components looked at one by one, in all names together
    extension: int = 1 << 20  # one PAX header, GNU long name or sparse map
    extensions: int = 16  # in a row before one entry
    extents: int = 65_536  # runs of data in one sparse file
    expanded: int = 8 << 30  # holes of all sparse files together
    xattr_name: int = 255
    xattr_value: int = 64 << 10
    xattrs: int = 128 << 10  # names and values of one entry together
