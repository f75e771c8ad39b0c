"""`--mount`: one member of Mounts from its fields."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.docker.creation.quantities import memory, unsigned

_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")
_RECURSIVE: Final = {
    "enabled": "", "disabled": "NonRecursive", "writable": "ReadOnlyNonRecursive",
    "readonly": "ReadOnlyForceRecursive",
}  # fmt: skip
# The members in the order of Docker's JSON; each group belongs to one type of mount.
_GROUPS: Final = {
    "BindOptions": (
        "bind",
        ("Propagation", "NonRecursive", "ReadOnlyNonRecursive", "ReadOnlyForceRecursive"),
    ),
    "VolumeOptions": ("volume", ("NoCopy", "Labels", "Subpath", "DriverConfig")),
    "ImageOptions": ("image", ("Subpath",)),
    "TmpfsOptions": ("tmpfs", ("SizeBytes", "Mode")),
}
_MIXED: Final = ("VolumeOptions", "BindOptions", "ImageOptions", "TmpfsOptions")  # the order of complaints


class _Mount:
    """A mount while its fields are read."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.fields: dict[str, Any] = {"Type": "volume"}
        self.groups: dict[str, dict[str, Any]] = {}

    def group(self, name: str) -> dict[str, Any]:
        return self.groups.setdefault(name, {"DriverConfig": {}} if name == "VolumeOptions" else {})


def mount(fields: Sequence[str], directory: str = "") -> dict[str, Any]:
    """A member of Mounts from the comma-separated fields of a `--mount`.

    A source that begins with a dot lies below `directory`, "" for the current one. Raises InvalidOption, and
    OSError where that is needed and gone.
    """
    read = _Mount(directory)
    for field in fields:
        name, equals, value = field.partition("=")
        name = name.lower()
        if not equals:
            _switch(read, name, field)
        elif name in _READERS:
            _READERS[name](read, name, value)
        else:
            raise InvalidOption(f"unexpected key '{name}' in '{field}'")
    _check(read)
    return _json(read)


def _switch(read: _Mount, name: str, field: str) -> None:
    if name in ("readonly", "ro"):
        read.fields["ReadOnly"] = True
    elif name == "volume-nocopy":
        read.group("VolumeOptions")["NoCopy"] = True
    elif name == "bind-nonrecursive":
        read.group("BindOptions")["NonRecursive"] = True
    else:
        raise InvalidOption(f"invalid field '{field}' must be a key=value pair")


def _check(read: _Mount) -> None:
    kind = read.fields["Type"]
    if not kind:
        raise InvalidOption("type is required")
    if not read.fields.get("Target"):
        raise InvalidOption("target is required")
    for name in _MIXED:
        wanted = _GROUPS[name][0]
        if name in read.groups and kind != wanted:
            raise InvalidOption(f"cannot mix '{wanted}-*' options with mount type '{kind}'")
    bind = read.groups.get("BindOptions", {})
    for how, member in (("writable", "ReadOnlyNonRecursive"), ("readonly", "ReadOnlyForceRecursive")):
        if bind.get(member) and not read.fields.get("ReadOnly"):
            raise _requires(how, "readonly")
    if bind.get("ReadOnlyForceRecursive") and bind.get("Propagation") != "rprivate":
        raise _requires("readonly", "bind-propagation=rprivate")


def _requires(how: str, what: str) -> InvalidOption:
    return InvalidOption(f"option 'bind-recursive={how}' requires '{what}' to be specified in conjunction")


def _json(read: _Mount) -> dict[str, Any]:
    members = ("Type", "Source", "Target", "ReadOnly", "Consistency")
    shown = {name: read.fields[name] for name in members if read.fields.get(name)}
    for name, (_, parts) in _GROUPS.items():
        if name in read.groups:
            group = read.groups[name]
            shown[name] = {
                part: group[part] for part in parts if group.get(part) or part in _SHOWN & {*group}
            }
    return shown


_SHOWN: Final = {"DriverConfig"}  # told even when empty


def _text(member: str, change: Callable[[str], str] = str) -> Callable[[_Mount, str, str], None]:
    def read_text(read: _Mount, name: str, value: str) -> None:
        read.fields[member] = change(value)

    return read_text


def _source(read: _Mount, name: str, value: str) -> None:
    relative = value == "." or value.startswith("./")
    if relative:
        value = os.path.normpath(os.path.join(read.directory or os.getcwd(), value))
    read.fields["Source"] = value


def _read_only(read: _Mount, name: str, value: str) -> None:
    read.fields["ReadOnly"] = _truth(name, value)


def _option(
    group: str, member: str, change: Callable[[str], Any] = str
) -> Callable[[_Mount, str, str], None]:
    def read_option(read: _Mount, name: str, value: str) -> None:
        try:
            read.group(group)[member] = change(value)
        except InvalidOption:
            raise InvalidOption(f"invalid value for {name}: {value}") from None

    return read_option


def _flag(group: str, member: str) -> Callable[[_Mount, str, str], None]:
    def read_flag(read: _Mount, name: str, value: str) -> None:
        read.group(group)[member] = _truth(name, value)

    return read_flag


def _recursive(read: _Mount, name: str, value: str) -> None:
    if value not in _RECURSIVE:
        known = 'must be "enabled", "disabled", "writable", or "readonly"'
        raise InvalidOption(f"invalid value for {name}: {value} ({known})")
    if _RECURSIVE[value]:
        read.group("BindOptions")[_RECURSIVE[value]] = True


def _driver(read: _Mount, name: str, value: str) -> None:
    config = read.group("VolumeOptions")["DriverConfig"]
    read.group("VolumeOptions")["DriverConfig"] = {"Name": value, **config}


def _driver_option(read: _Mount, name: str, value: str) -> None:
    config = read.group("VolumeOptions")["DriverConfig"]
    _add(config, "Options", value)


def _label(read: _Mount, name: str, value: str) -> None:
    _add(read.group("VolumeOptions"), "Labels", value)


def _add(group: dict[str, Any], member: str, text: str) -> None:
    key, _, value = text.partition("=")
    if key:
        group[member] = dict(sorted({**group.get(member, {}), key: value}.items()))


def _truth(name: str, value: str) -> bool:
    if value not in (*_TRUE, *_FALSE):
        raise InvalidOption(f"invalid value for {name}: {value}")
    return value in _TRUE


_READERS: Final[dict[str, Callable[[_Mount, str, str], None]]] = {
    "type": _text("Type", str.lower),
    "source": _source,
    "src": _source,
    "target": _text("Target"),
    "dst": _text("Target"),
    "destination": _text("Target"),
    "readonly": _read_only,
    "ro": _read_only,
    "consistency": _text("Consistency", str.lower),
    "bind-propagation": _option("BindOptions", "Propagation", str.lower),
    "bind-nonrecursive": _flag("BindOptions", "NonRecursive"),
    "bind-recursive": _recursive,
    "volume-subpath": _option("VolumeOptions", "Subpath"),
    "volume-nocopy": _flag("VolumeOptions", "NoCopy"),
    "volume-label": _label,
    "volume-driver": _driver,
    "volume-opt": _driver_option,
    "image-subpath": _option("ImageOptions", "Subpath"),
    "tmpfs-size": _option("TmpfsOptions", "SizeBytes", memory),
    "tmpfs-mode": _option("TmpfsOptions", "Mode", lambda text: unsigned(text, 32, 8)),
}
