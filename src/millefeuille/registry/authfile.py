"""Auth files: Docker's config.json and the containers tools' auth.json; both hold `auths` and helpers."""

from __future__ import annotations

import base64
import binascii
import errno
import json
import os
import select
import stat
from collections.abc import Mapping

from millefeuille import files
from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.oci.reference import HUB
from millefeuille.oci.strictjson import InvalidDocument, parse_object
from millefeuille.registry.credential import Credential, octets
from millefeuille.registry.helper import Helper
from millefeuille.values import dataclass, field

HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})
_ENV_FIELDS = frozenset({"auth"})
_LINE_BREAKS = {ord(letter): None for letter in "\r\n"}  # Go's decoder passes over them
_LARGEST = 4 << 20  # bytes
_PATIENCE = 2000  # milliseconds until somebody has opened a pipe to write to it


class BadAuthFile(Invalid):
    """A file (or variable) of credentials cannot be read. The message never quotes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFile:
    """One file. `docker` tells Docker's config.json from auth.json; `legacy` is ~/.dockercfg."""

    path: str
    environment: Mapping[str, str] = field(repr=False)
    docker: bool = True
    legacy: bool = False

    def lookup(self, registry: str, repository: str) -> Credential | None:
        """The credential for a repository. Raises BadAuthFile, HelperFailed."""
        fields = self._read()
        helper = self._helper(fields, registry)
        if helper is not None:
            return helper.get(self._server(registry))
        return find(fields if self.legacy else _table(fields, "auths"), registry, repository, self.path)

    def holds(self, registry: str) -> bool:
        """True when this file itself, or a helper for just this registry, speaks of `registry`."""
        fields = self._read()
        if registry in _table(fields, "credHelpers"):
            return True
        return any(normal_key(key) == _normal(registry) for key in _table(fields, "auths"))

    def store(self, registry: str, credential: Credential) -> bool:
        """Keep `credential`; True when it lies unencrypted in the file now.

        Raises BadAuthFile, HelperFailed, OSError.
        """
        fields = self._read()
        helper = self._helper(fields, registry)
        auths = dict(_table(fields, "auths"))
        if helper is not None:
            helper.store(self._server(registry), credential)
            entry: dict[str, str] = {}
        else:
            entry = _entry(credential)
        auths[self._server(registry)] = entry
        self._write({**fields, "auths": auths})
        return helper is None

    def erase(self, registry: str) -> bool:
        """Forget the credential for `registry`; True when there was one. Raises as `store` does."""
        fields = self._read()
        helper = self._helper(fields, registry)
        if helper is not None:
            helper.erase(self._server(registry))
        auths = _table(fields, "auths")
        kept = {key: value for key, value in auths.items() if normal_key(key) != _normal(registry)}
        if len(kept) != len(auths):
            self._write({**fields, "auths": kept})
        return helper is not None or len(kept) != len(auths)

    def _helper(self, fields: Mapping[str, Any], registry: str) -> Helper | None:
        if self.legacy:
            return None
        by_host = _table(fields, "credHelpers")
        names = [by_host.get(name) for name in (self._server(registry), registry)]
        names.append(fields.get("credsStore") if self.docker else None)
        chosen = next((name for name in names if isinstance(name, str) and name), None)
        return Helper(name=chosen, environment=self.environment) if chosen else None

    def _server(self, registry: str) -> str:
        """The key under which a registry is kept."""
        return HUB_KEY if registry == HUB and self.docker else registry

    def _read(self) -> dict[str, Any]:
        try:
            raw = files.read_regular(self.path, _LARGEST) if self.docker else _all_of(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise BadAuthFile(f"{self.path}: {error.strerror}") from error
        return parse(raw, self.path) if raw.strip() else {}

    def _write(self, fields: Mapping[str, Any]) -> None:
        # A link (dotfiles kept elsewhere) stays a link.
        path = os.path.realpath(self.path)
        _make_directories(os.path.dirname(path))
        files.replace_file(path, json.dumps(fields, indent="\t").encode(), 0o600)


def _all_of(path: str) -> bytes:
    # The containers tools' may be a pipe, which a shell makes of `<(...)`: one that somebody writes to.
    with open(path, "rb", opener=_opened_at_once) as stream:
        descriptor = stream.fileno()
        begin = _begin(descriptor, path) if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else b""
        os.set_blocking(descriptor, True)
        data = begin + stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return data


def _opened_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _begin(descriptor: int, path: str) -> bytes:
    """What is in a pipe already, once somebody writes to it. Raises OSError when nobody does."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    for patience in (_PATIENCE, 0):
        try:
            data = os.read(descriptor, _LARGEST)
        except BlockingIOError:  # somebody has it open
            return b""
        if data or (patience == 0 and waiting.poll(0)):  # a writer that has written nothing is one
            return data
        waiting.poll(patience)
    raise OSError(errno.EPIPE, "Nobody writes to this pipe", path)


def from_variable(text: str) -> Mapping[str, Any]:
    """The `auths` of DOCKER_AUTH_CONFIG, which may hold nothing else. Raises BadAuthFile."""
    what = "DOCKER_AUTH_CONFIG"
    fields = parse(octets(text), what)
    auths = _table(fields, "auths")
    if set(fields) - {"auths"}:
        raise BadAuthFile(f"{what}: fields other than auths")
    if any(not isinstance(entry, dict) or set(entry) - _ENV_FIELDS for entry in auths.values()):
        raise BadAuthFile(f"{what}: an entry may hold auth only")
    return auths


def parse(raw: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `raw`. Raises BadAuthFile, which tells nothing of what it holds."""
    try:
        return parse_object(raw, what)
    except InvalidDocument:
        raise BadAuthFile(f"{what}: not a valid JSON object") from None


def find(auths: Mapping[str, Any], registry: str, repository: str, what: str) -> Credential | None:
    """The entry of the most specific key: host/name/space first, then the host. Raises BadAuthFile."""
    levels = repository.split("/") if repository else []
    for length in range(len(levels), 0, -1):
        key = "/".join([registry, *levels[:length]])
        found = _credential(auths[key], what) if key in auths else None
        if found is not None:
            return found
    keys = [key for key in auths if normal_key(key) == _normal(registry)]
    keys.sort(key=lambda key: key != registry)
    return next((found for key in keys if (found := _credential(auths[key], what)) is not None), None)


def normal_key(key: str) -> str | None:
    """The host that a key is about; None for keys about a part of a registry."""
    host, slash, rest = key.partition("://")[2].partition("/") if "://" in key else key.partition("/")
    if slash and "://" not in key and rest not in ("v1/", "v2/", "v1", "v2", ""):
        return None
    return _normal(host)


def _normal(host: str) -> str:
    host = host.lower()
    return HUB if host in _HUB_NAMES else host


def _credential(entry: object, what: str) -> Credential | None:
    if not isinstance(entry, dict):
        raise BadAuthFile(f"{what}: an entry of auths must be an object")
    username, password = _string(entry, "username"), _string(entry, "password")
    encoded = _string(entry, "auth")
    if encoded:
        try:
            raw = base64.b64decode(encoded.translate(_LINE_BREAKS), validate=True)
        except (binascii.Error, ValueError):
            raise BadAuthFile(f"{what}: an auth is not valid base64") from None
        username, colon, password = raw.decode("utf-8", "surrogateescape").rstrip("\0").partition(":")
        if not colon:
            raise BadAuthFile(f"{what}: an auth is not user:password")
    identity, bearer = _string(entry, "identitytoken"), _string(entry, "registrytoken")
    if not (bearer.isascii() and bearer.isprintable()):
        raise BadAuthFile(f"{what}: a registrytoken holds characters that no token may hold")
    if not (password or identity or bearer):
        return None
    return Credential(username=username, password=password, identity_token=identity, registry_token=bearer)


def _entry(credential: Credential) -> dict[str, str]:
    entry = {"auth": credential.encoded}
    if credential.identity_token:
        entry["identitytoken"] = credential.identity_token
    return entry


def _string(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key, "")
    return value if isinstance(value, str) else ""


def _table(fields: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = fields.get(key)
    return value if isinstance(value, dict) else {}


def _make_directories(path: str) -> None:
    if path and not os.path.isdir(path):
        _make_directories(os.path.dirname(path))
        files.make_directory(path)
