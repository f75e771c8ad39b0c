"""Devices: which ones a container has in its /dev, and which ones its device cgroup lets it use.

Source: moby v28, daemon/oci_linux.go `WithDevices`, oci/devices_linux.go; OCI runtime-spec, config-linux.md.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid, NotFound
from millefeuille.later import pattern
from millefeuille.runtime import isolation

_RULE: Final = pattern(r"([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})")
_ACCESS: Final = pattern(r"[rwm]{1,3}")
# Directories of /dev that are file systems of their own, or somebody else's.
_NOT_DEVICES: Final = frozenset(("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-net", ".udev", "console"))
_DEPTH: Final = 8
# What a runtime has in every /dev; for an ordinary user, the host's.
_DEFAULTS: Final = frozenset(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty"))

Device = dict[str, Any]


class InvalidDevice(Invalid):
    """What is at that path is no device, or the rule is none."""


class NoSuchDevice(NotFound):
    """The host has nothing at that path."""


def check(host_config: Mapping[str, Any]) -> None:
    """Hold that device rules and permissions can be read. Raises InvalidDevice."""
    for rule in host_config.get("DeviceCgroupRules") or ():
        _rule(rule)
    for asked in host_config.get("Devices") or ():
        if not _ACCESS.fullmatch(asked.get("CgroupPermissions") or "rwm"):
            raise InvalidDevice(f"invalid device mode: {asked['CgroupPermissions']}")
    if host_config.get("DeviceRequests"):
        raise InvalidDevice('could not select device driver "" with capabilities: [[gpu]]')


def granted(
    host_config: Mapping[str, Any], *, rootless: bool = False
) -> tuple[list[Device], list[Device]]:
    """The device nodes to make, and the rules of the device cgroup. Raises InvalidDevice, NoSuchDevice.

    For an ordinary user (`rootless`) a runtime binds the host's device of the same name, so those under
    another name are left to `binds`.
    """
    found = _found(host_config)
    nodes = [node for source, node in found if not rootless or source == node["path"]]
    if host_config.get("Privileged"):
        return nodes, [{"allow": True, "access": "rwm"}]
    rules = isolation.devices()
    for asked in host_config.get("Devices") or ():
        access = asked.get("CgroupPermissions") or "rwm"
        rules += [
            {
                "allow": True,
                "type": node["type"],
                "major": node["major"],
                "minor": node["minor"],
                "access": access,
            }
            for _, node in _asked(asked["PathOnHost"], asked.get("PathInContainer") or asked["PathOnHost"])
        ]
    rules += [_rule(text) for text in host_config.get("DeviceCgroupRules") or ()]
    return nodes, rules


def binds(host_config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For an ordinary user, who can make no nodes: the mounts of devices that are to have another name than
    on the host, in the OCI spec's words. Raises InvalidDevice, NoSuchDevice.
    """
    mounts = []
    for source, node in _found(host_config):
        target = os.path.normpath(node["path"])
        if target == source:
            continue
        if target in _DEFAULTS:
            if os.stat(target).st_rdev == os.makedev(node["major"], node["minor"]):
                continue
            raise InvalidDevice(
                f"{source} cannot be {target} in an ordinary user's container, which has the host's {target}"
            )
        mounts.append({"destination": target, "type": "bind", "source": source, "options": ["bind"]})
    return mounts


def _found(host_config: Mapping[str, Any]) -> list[tuple[str, Device]]:
    """The nodes, each with the device's path on the host. Of a privileged container those are all of the
    host's, and what is asked for under other names; a name that is taken stays so.
    """
    is_privileged = bool(host_config.get("Privileged"))
    found = list(_below("/dev", "/dev", _DEPTH)) if is_privileged else []
    taken = {node["path"] for _, node in found}
    for asked in host_config.get("Devices") or ():
        source = asked["PathOnHost"]
        target = asked.get("PathInContainer") or source
        if not is_privileged or target != source:
            found += (pair for pair in _asked(source, target) if pair[1]["path"] not in taken)
    return found


def _asked(source: str, target: str) -> Iterator[tuple[str, Device]]:
    """The device at `source`, or all devices below it."""
    try:
        status = os.stat(source)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise NoSuchDevice(
            f'error gathering device information while adding custom device "{source}": {reason}'
        ) from None
    if stat.S_ISDIR(status.st_mode):
        found = list(_below(os.path.realpath(source), target, _DEPTH))
    else:
        found = [(source, node) for node in _node(status, target)]
    if not found:
        raise InvalidDevice(
            f'error gathering device information while adding custom device "{source}": not a device node'
        )
    yield from found


def _below(directory: str, target: str, depth: int) -> Iterator[tuple[str, Device]]:
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        inside = f"{target}/{entry.name}"
        if entry.name in _NOT_DEVICES:
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth:
                yield from _below(entry.path, inside, depth - 1)
        else:
            for node in _node(entry.stat(follow_symlinks=False), inside):
                yield entry.path, node


def _node(status: os.stat_result, path: str) -> Iterator[Device]:
    kind = "c" if stat.S_ISCHR(status.st_mode) else "b" if stat.S_ISBLK(status.st_mode) else ""
    if kind:
        yield {
            "path": path,
            "type": kind,
            "major": os.major(status.st_rdev),
            "minor": os.minor(status.st_rdev),
            "fileMode": stat.S_IMODE(status.st_mode),
            "uid": status.st_uid,
            "gid": status.st_gid,
        }


def _rule(text: str) -> Device:
    found = _RULE.fullmatch(text)
    if found is None:
        raise InvalidDevice(f"invalid device cgroup rule format: '{text}'")
    rule: Device = {"allow": True, "type": found[1], "access": found[4]}
    for key, number in (("major", found[2]), ("minor", found[3])):
        if number != "*":
            rule[key] = int(number)
    return rule
