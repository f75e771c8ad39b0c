"""`RUN --mount=`: its text made a value.

Source of the keys and rules: the Dockerfile reference, "RUN --mount", and BuildKit's messages.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.csvfields import csv_fields
from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.oci.gotext import quoted
from millefeuille.values import dataclass

_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARINGS = ("shared", "private", "locked")
_KEYS = {
    "type": "type",
    "from": "from",
    "source": "source",
    "src": "source",
    "target": "target",
    "dst": "target",
    "destination": "target",
    "readonly": "readonly",
    "ro": "readonly",
    "readwrite": "readwrite",
    "rw": "readwrite",
    "required": "required",
    "id": "id",
    "sharing": "sharing",
    "mode": "mode",
    "uid": "uid",
    "gid": "gid",
    "size": "size",
    "env": "env",
}
_SWITCHES = ("readonly", "readwrite", "required")
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_SIZE = r"([0-9]{1,18})(?:\.([0-9]{1,9}))? ?([kmgtp]?)(?:i?b)?"
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_HIGHEST = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mount of RUN.

    `type` is bind, cache, tmpfs, secret or ssh. `target` is as written, see `mount_target`; empty for a
    secret that is only a variable, and for a socket whose place is not given. `id` is that of the cache
    (empty: its target), the secret or the agent. `mode`, `uid`, `gid` are None where not given: then a
    cache has 0755, a secret 0400, an agent 0600, owned by 0:0. `size` in bytes, 0 without a limit; `env`
    is the variable that a secret goes into.
    """

    type: str = "bind"
    from_: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = True
    id: str = ""
    sharing: str = ""
    required: bool = False
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int = 0
    env: str = ""


def check_mount(text: str, escape: str) -> None:
    """Raises Complaint for a mount that is wrong whatever the variables in it hold."""
    if any(char in text for char in ("$", "'", escape)):
        _fields(text)
    else:
        read_mount(text, str)


def read_mount(text: str, expand: Callable[[str], str]) -> Mount:
    """The mount that `text` asks for; `expand` replaces the variables in each value but that of `from`.

    Raises Complaint for keys and values that are unknown, do not belong together, or are not readable.
    """
    given: dict[str, str] = {}
    for name, value, field in _fields(text):
        key = _KEYS.get(name)
        if key is None:
            meant = nearest(name, _KEYS)
            raise Complaint(f"unexpected key '{name}' in '{field}'", suggestion=meant)
        given[key] = value if key == "from" else expand(value)
        if key in ("readonly", "readwrite"):
            given["readonly"] = str(_boolean(name, given.pop(key)) == (key == "readonly"))
    kind = given.get("type", "bind").lower()
    if kind not in _TYPES:
        meant = nearest(kind, _TYPES, fold_case=True)
        raise Complaint(f"unsupported mount type {quoted(given['type'])}", suggestion=meant)
    _check_belonging(kind, given)
    return _with_defaults(kind, given)


def mount_target(mount: Mount, workdir: str) -> str:
    """Where a mount goes: its target below the working directory. Raises Complaint for the root itself."""
    target = posixpath.normpath(posixpath.join("/", workdir, mount.target)).replace("//", "/", 1)
    if target == "/":
        raise Complaint(f"invalid mount target {quoted(mount.target)}")
    return target


def _fields(text: str) -> list[tuple[str, str, str]]:
    """Key in lower case, value and field, for each field."""
    try:
        fields = csv_fields(text)
    except Complaint as error:
        raise Complaint(f"failed to parse csv mounts: {error.message}") from None
    found = []
    for field in fields:
        name, equals, value = field.partition("=")
        name = name.lower()
        if not equals:
            if _KEYS.get(name) not in _SWITCHES:
                raise Complaint(f"invalid field '{field}' must be a key=value pair")
            value = "true"
        if name == "from" and "$" in value[:-1]:
            raise Complaint("'from' doesn't support variable expansion, define alias stage instead")
        found.append((name, value, field))
    return found


def _check_belonging(kind: str, given: Mapping[str, str]) -> None:
    for key in ("required", "env"):
        if key in given and kind != "secret" and not (key == "required" and kind == "ssh"):
            raise Complaint(f"unexpected key '{key}' for mount type '{kind}'")
    for key in ("mode", "uid", "gid"):
        if key in given and kind not in ("cache", "secret", "ssh"):
            raise Complaint(f"{key} not allowed for {quoted(kind)} type mounts")
    if "size" in given and kind != "tmpfs":
        raise Complaint(f"unexpected key 'size' for mount type '{kind}'")
    if given.get("sharing") and kind != "cache":
        raise Complaint(f"invalid cache sharing set for {kind} mount")
    if kind == "secret":
        if given.get("from"):
            raise Complaint("secret mount should not have a from")
        if not (given.get("source") or given.get("target") or given.get("id")):
            raise Complaint("invalid secret mount. one of source, target required")
        if given.get("source") and given.get("id"):
            raise Complaint("both source and id can't be set")


def _with_defaults(kind: str, given: Mapping[str, str]) -> Mount:
    target = given.get("target", "")
    name = given.get("id", "")
    env = given.get("env", "")
    if kind == "secret":
        name = given.get("source", "") or name or posixpath.basename(target.rstrip("/")) or "/"
        target = target or ("" if env else "/run/secrets/" + posixpath.basename(name.rstrip("/")))
    read_only = given["readonly"] == "True" if "readonly" in given else kind not in ("cache", "tmpfs")
    return Mount(
        type=kind,
        from_=given.get("from", ""),
        source="" if kind == "secret" else given.get("source", ""),
        target=target,
        read_only=read_only,
        id=name or ("default" if kind == "ssh" else ""),
        sharing=_sharing(given.get("sharing", "")) or ("shared" if kind == "cache" else ""),
        required=_boolean("required", given.get("required", "false")),
        mode=_number("mode", given, 8),
        uid=_number("uid", given, 10),
        gid=_number("gid", given, 10),
        size=_size(given.get("size", "")),
        env=env,
    )


def _sharing(value: str) -> str:
    if value and value.lower() not in _SHARINGS:
        meant = nearest(value, _SHARINGS, fold_case=True)
        raise Complaint(f"unsupported sharing value {quoted(value)}", suggestion=meant)
    return value.lower()


def _boolean(key: str, value: str) -> bool:
    if value not in _TRUE + _FALSE:
        raise Complaint(f"invalid value for {key}: {value}")
    return value in _TRUE


def _number(key: str, given: Mapping[str, str], base: int) -> int | None:
    value = given.get(key)
    if value is None:
        return None
    digits = "01234567" if base == 8 else "0123456789"
    if not value or len(value) > 12 or value.strip(digits) or int(value, base) >= _HIGHEST:
        raise Complaint(f"invalid value {value} for {key}")
    return int(value, base)


def _size(value: str) -> int:
    if not value:
        return 0
    found = re.fullmatch(_SIZE, value.lower())
    if found is None:
        raise Complaint(f"invalid value for size: {value}")
    shift = _UNITS[found[3]]
    fraction = found[2] or ""
    below_one: int = (int(fraction or "0") << shift) // 10 ** len(fraction)
    return (int(found[1]) << shift) + below_one
