"""Freezer: the processes of a container halted, and let go on, by the control group that they are in.

A runtime does the same, and takes as long for it as for a start. Where a group is not as expected nothing
is done: the runtime knows what else there may be.

Source: Linux Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst and cgroup-v2.rst.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from millefeuille.annotations import Final
from millefeuille.runtime import cgroup

_ATTEMPTS: Final = 2000
_PAUSE: Final = 0.0005  # seconds between two looks
_ROUND: Final = 100  # attempts until a group of version 1 that does not halt is let go on for a moment


def freeze(pid: int, id: str) -> bool:
    """Halt all processes of container `id`, whose first one is `pid`; whether they are halted now."""
    group, is_old = _group(pid, id)
    return _freeze_old(group) if is_old else _freeze_new(group)


def thaw(pid: int, id: str) -> bool:
    """Let them go on; whether they do."""
    group, is_old = _group(pid, id)
    return _thaw_old(group) if is_old else _thaw_new(group)


def is_frozen(pid: int, id: str) -> bool:
    """Whether they are halted, or are being; False where the group is not as expected."""
    group, is_old = _group(pid, id)
    if is_old:
        return _read(f"{group}/freezer.state").strip() in ("FROZEN", "FREEZING")
    return _read(f"{group}/cgroup.freeze") == "1\n"


def _group(pid: int, id: str) -> tuple[str, bool]:
    """The directory of the group that freezes the container, and whether it is of version 1; "" where its
    first process is in none of its own.
    """
    found = {}
    for line in _read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    is_old = "freezer" in found
    path = found.get("freezer" if is_old else "", "")
    if not cgroup.is_of(path, id):
        return "", is_old
    return f"{cgroup.ROOT}/freezer{path}" if is_old else f"{cgroup.ROOT}{path}", is_old


def _freeze_old(group: str) -> bool:
    for attempt in range(1, _ATTEMPTS + 1):
        if not _write(f"{group}/freezer.state", "FROZEN"):
            return False
        if _read(f"{group}/freezer.state") == "FROZEN\n":
            return True
        if attempt % _ROUND == 0:  # one that is just forking may hold out for ever
            _write(f"{group}/freezer.state", "THAWED")
        time.sleep(_PAUSE)
    _write(f"{group}/freezer.state", "THAWED")
    return False


def _thaw_old(group: str) -> bool:
    return _write(f"{group}/freezer.state", "THAWED") and _read(f"{group}/freezer.state") == "THAWED\n"


def _freeze_new(group: str) -> bool:
    if not _write(f"{group}/cgroup.freeze", "1"):
        return False
    if _await(lambda: "frozen 1\n" in _read(f"{group}/cgroup.events")):
        return True
    _write(f"{group}/cgroup.freeze", "0")
    return False


def _thaw_new(group: str) -> bool:
    return _write(f"{group}/cgroup.freeze", "0") and _await(
        lambda: "frozen 0\n" in _read(f"{group}/cgroup.events")
    )


def _await(is_so: Callable[[], bool]) -> bool:
    for _ in range(_ATTEMPTS):
        if is_so():
            return True
        time.sleep(_PAUSE)
    return False


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> bool:
    try:
        with open(path, "r+", encoding="ascii") as file:
            file.write(text)
    except OSError:
        return False
    return True
