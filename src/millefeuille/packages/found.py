"""Found: all packages of a tree, whatever the tree is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter

from millefeuille.annotations import Final, Protocol
from millefeuille.packages.apk import apk_packages
from millefeuille.packages.dpkg import dpkg_packages
from millefeuille.packages.gobinary import go_packages
from millefeuille.packages.npm import npm_packages
from millefeuille.packages.osrelease import PATHS, os_release
from millefeuille.packages.package import BadRecord, Package
from millefeuille.packages.python import python_packages
from millefeuille.packages.rpm import berkeley_packages, ndb_packages, rpm_packages
from millefeuille.values import dataclass, field, replace

Parser = Callable[[bytes, bytes], Iterator[Package]]

_WHOLE: Final[Mapping[bytes, Parser]] = {
    b"var/lib/dpkg/status": dpkg_packages,
    b"usr/lib/dpkg/status": dpkg_packages,
    b"lib/apk/db/installed": apk_packages,
    b"usr/lib/apk/db/installed": apk_packages,
}
_RPM: Final[Mapping[bytes, Parser]] = {
    b"rpmdb.sqlite": rpm_packages,
    b"Packages": berkeley_packages,
    b"Packages.db": ndb_packages,
}
_RPM_DIRECTORIES: Final = (b"var/lib/rpm", b"usr/lib/sysimage/rpm", b"usr/share/rpm")
_LOG: Final = b"-wal"  # behind the name of a database, its write-ahead log's
LOGS: Final = frozenset(directory + b"/rpmdb.sqlite" + _LOG for directory in _RPM_DIRECTORIES)
_STATUS_DIRECTORY: Final = b"var/lib/dpkg/status.d/"


class Files(Protocol):
    """A tree of files, its paths relative to the root."""

    def paths(self) -> Iterable[bytes]:
        """The paths of all regular files."""

    def read(self, path: bytes) -> bytes:
        """The content of one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The packages of a tree, sorted; its os-release; and the records that could not be read, and why."""

    packages: tuple[Package, ...]
    system: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def parser_of(path: bytes) -> Parser | None:
    """Who reads the file at `path`, relative to the root; None when it lists no packages."""
    if path in _WHOLE:
        return _WHOLE[path]
    parts = path.rsplit(b"/", 4)
    leaf = parts[-1]
    if leaf in _RPM and path.rpartition(b"/")[0] in _RPM_DIRECTORIES:
        return _RPM[leaf]
    if leaf == b"package.json":
        is_package = parts[-3:-2] == [b"node_modules"]
        is_scoped = len(parts) > 3 and parts[-4] == b"node_modules" and parts[-3].startswith(b"@")
        return npm_packages if is_package or is_scoped else None
    if leaf in (b"METADATA", b"PKG-INFO") and len(parts) > 1:
        endings = {b"METADATA": b".dist-info", b"PKG-INFO": b".egg-info"}
        is_egg = leaf == b"PKG-INFO" and parts[-2] == b"EGG-INFO" and b"".join(parts[-3:-2]).endswith(b".egg")
        return python_packages if is_egg or parts[-2].endswith(endings[leaf]) else None
    if leaf.endswith(b".egg-info"):
        return python_packages
    if path.startswith(_STATUS_DIRECTORY) and not leaf.endswith(b".md5sums"):
        return dpkg_packages
    return None


def with_executables(found: Found, executables: Iterable[tuple[bytes, bytes]]) -> Found:
    """What was found, and what executables, each a path and its content, say they were built from."""
    packages = [*found.packages]
    for path, raw in executables:
        packages += go_packages(raw, path)
    return replace(found, packages=_sorted(packages))


def _sorted(packages: Iterable[Package]) -> tuple[Package, ...]:
    order = attrgetter("kind", "name", "version", "architecture", "location")
    return tuple(sorted(packages, key=order))


def find(files: Files) -> Found:
    """All packages of a tree. A record that cannot be read is told of, and the others are read."""
    packages: list[Package] = []
    unread: list[str] = []
    known: set[bytes] = set()
    records: list[tuple[bytes, Parser]] = []
    for path in files.paths():
        if path in PATHS or path in LOGS:
            known.add(path)
        parser = parser_of(path)
        if parser is not None:
            records.append((path, parser))
    for path, parser in records:
        log = path + _LOG
        try:
            if parser is rpm_packages and log in known:
                packages += rpm_packages(files.read(path), path, files.read(log))
            else:
                packages += parser(files.read(path), path)
        except BadRecord as error:
            unread.append(f"/{path.decode(errors='replace')}: {error}")
    system = next((os_release(files.read(path)) for path in PATHS if path in known), {})
    return Found(packages=_sorted(packages), system=system, unread=tuple(unread))
