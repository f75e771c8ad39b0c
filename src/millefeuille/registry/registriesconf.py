"""registries.conf: mirrors, rewrites and blocks of registries, as podman, skopeo and buildah read them.

Source: containers-registries.conf(5), format version 2.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.later import tomllib
from millefeuille.registry.redaction import clean
from millefeuille.values import dataclass

_PULLS = {"all": (True, True), "digest-only": (False, True), "tag-only": (True, False)}


class BadRegistriesConf(Invalid):
    """A registries.conf cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a prefix leads: `location` is host[:port][/path]; which references may be asked there."""

    location: str
    insecure: bool = False
    by_tag: bool = True
    by_digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One `[[registry]]`. An empty `location` leaves names as they are."""

    prefix: str
    location: str
    insecure: bool = False
    blocked: bool = False
    mirrors: tuple[Location, ...] = ()

    def matches(self, name: str) -> bool:
        """True when this entry is about `name` (host[:port]/path[:tag][@digest])."""
        return self._end(name) is not None

    def rewrite(self, name: str, location: str) -> str:
        """`name`, which this entry is about, with the prefix replaced by `location`."""
        if not location:
            return name
        end = self._end(name)  # None where the prefix ends with a tag or a digest
        return location + (name[end:] if end is not None else "")

    def _end(self, name: str) -> int | None:
        """Where in `name` the prefix ends; None when this entry is not about it."""
        if not self.prefix.startswith("*."):
            length = len(self.prefix)
            return length if name.startswith(self.prefix) and _ends(name, length) else None
        domain = self.prefix[1:]
        start = name.find(domain)
        while start >= 0 and "/" not in name[:start]:
            if _ends(name, start + len(domain)):
                return start + len(domain)
            start = name.find(domain, start + 1)
        return None


def _ends(name: str, length: int) -> bool:
    """True when a part of `name` ends after `length` characters."""
    return name[length : length + 1] in ("", "/", ":", "@")


def load(environment: Mapping[str, str], home: str) -> tuple[Entry, ...]:
    """All entries, the longest prefix first. Raises BadRegistriesConf."""
    entries: dict[str, Entry] = {}
    for path in _paths(environment, home):
        for entry in _read(path):
            entries[entry.prefix] = entry
    return tuple(sorted(entries.values(), key=lambda entry: -len(entry.prefix)))


def _paths(environment: Mapping[str, str], home: str) -> Sequence[str]:
    """The files to read; a later one replaces entries of an earlier one."""
    chosen = environment.get("CONTAINERS_REGISTRIES_CONF")
    if chosen:
        return [chosen]
    user = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    directories = [os.path.join(user, "containers"), "/etc/containers", "/usr/share/containers"]
    main = [os.path.join(directory, "registries.conf") for directory in directories]
    found = [path for path in main if os.path.isfile(path)][:1]
    drop_ins: dict[str, str] = {}
    for directory in directories:
        for name in _names(os.path.join(directory, "registries.conf.d")):
            drop_ins.setdefault(name, os.path.join(directory, "registries.conf.d", name))
    found += [drop_ins[name] for name in sorted(drop_ins)]
    override = environment.get("CONTAINERS_REGISTRIES_CONF_OVERRIDE")
    return [*found, override] if override else found


def _names(directory: str) -> list[str]:
    try:
        return [name for name in os.listdir(directory) if name.endswith(".conf")]
    except OSError:
        return []


def _read(path: str) -> list[Entry]:
    try:
        with open(path, "rb") as stream:
            document = tomllib.load(stream)
    except FileNotFoundError:
        raise BadRegistriesConf(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise BadRegistriesConf(f"{path}: {clean(str(error))}") from error
    registries = document.get("registry", [])
    if not isinstance(registries, list):
        raise BadRegistriesConf(f"{path}: registry must be a list of tables")
    return [_entry(table, path) for table in registries]


def _entry(table: Any, path: str) -> Entry:
    location = _text(table, "location", path).rstrip("/")
    prefix = _text(table, "prefix", path).rstrip("/") or location
    if not prefix:
        raise BadRegistriesConf(f"{path}: a registry needs a location or a prefix")
    if prefix.startswith("*") and not prefix.startswith("*."):
        raise BadRegistriesConf(f"{path}: invalid prefix {clean(prefix)!r}")
    digests_only = _flag(table, "mirror-by-digest-only", path)
    mirrors = table.get("mirror", [])
    if not isinstance(mirrors, list):
        raise BadRegistriesConf(f"{path}: mirror must be a list of tables")
    return Entry(
        prefix=prefix,
        location=location or ("" if prefix.startswith("*.") else prefix),
        insecure=_flag(table, "insecure", path),
        blocked=_flag(table, "blocked", path),
        mirrors=tuple(_mirror(mirror, digests_only, path) for mirror in mirrors),
    )


def _mirror(table: Any, digests_only: bool, path: str) -> Location:
    location = _text(table, "location", path).rstrip("/")
    if not location:
        raise BadRegistriesConf(f"{path}: a mirror needs a location")
    pull = _text(table, "pull-from-mirror", path) or ("digest-only" if digests_only else "all")
    if pull not in _PULLS:
        raise BadRegistriesConf(f"{path}: unsupported pull-from-mirror {clean(pull)!r}")
    by_tag, by_digest = _PULLS[pull]
    insecure = _flag(table, "insecure", path)
    return Location(location=location, insecure=insecure, by_tag=by_tag, by_digest=by_digest)


def _text(table: Any, key: str, path: str) -> str:
    value = table.get(key, "") if isinstance(table, dict) else None
    if not isinstance(value, str):
        raise BadRegistriesConf(f"{path}: {key} must be a string")
    return value


def _flag(table: Mapping[str, Any], key: str, path: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise BadRegistriesConf(f"{path}: {key} must be true or false")
    return value
