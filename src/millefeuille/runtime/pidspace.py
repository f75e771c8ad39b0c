"""Pidspace: the processes of a container that is in no control group, by the PID namespace they are in.

Source: Linux pid_namespaces(7), proc(5).
"""

from __future__ import annotations

import os

from millefeuille.errors import Unsupported


class SharedSpace(Unsupported):
    """The container shares its PID namespace: which processes there are its own nobody knows."""


def processes(first: int) -> set[int]:
    """The IDs of the processes of the container whose first one is `first`, as the host has them; none when
    that is gone. Raises SharedSpace.
    """
    space = _space(first)
    if space is None:
        return set()
    if _status(first).get("NSpid", "1").split()[-1] != "1":
        raise SharedSpace(
            "the container shares its PID namespace and has no control group: its processes cannot be told"
            " from others"
        )
    every = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    parents = {pid: int(_status(pid).get("PPid", "0")) for pid in every}
    found = more = {pid for pid in every if _space(pid) == space}
    while more:  # children may have gone into namespaces of their own
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found = found | more
    return found


def _space(pid: int) -> tuple[int, int] | None:
    """What identifies the namespace of a process; None when it is gone, or none of this user's."""
    try:
        status = os.stat(f"/proc/{pid}/ns/pid")
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _status(pid: int) -> dict[str, str]:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            lines = [line.partition(":") for line in file]
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in lines}
