"""Cgroup: the control group of a container, and what it counts.

Source: Linux Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

import posixpath
from typing import Final

from millefeuille.errors import Invalid

ROOT: Final = "/sys/fs/cgroup"
_PARENT: Final = "/millefeuille"


class InvalidParent(Invalid):
    """A parent that is no path of a control group."""


def path(id: str, parent: str = "") -> str:
    """The control group of a container, below Docker's `CgroupParent` where one is given. Raises
    InvalidParent.
    """
    if parent and (".." in parent.split("/") or "\0" in parent):
        raise InvalidParent(f"invalid cgroup parent: {parent}")
    return posixpath.join("/", parent.strip("/") or _PARENT.strip("/"), id)


def oom_counters(id: str, parent: str = "") -> list[str]:
    """The files that may count, in a line "oom_kill N", processes killed for want of memory."""
    group = path(id, parent)
    return [f"{ROOT}{group}/memory.events", f"{ROOT}/memory{group}/memory.oom_control"]


def oom_killed(id: str, parent: str = "") -> bool:
    """Whether the kernel has killed a process of the container, as long as its control group is there."""
    for counter in oom_counters(id, parent):
        try:
            with open(counter, encoding="ascii") as file:
                for line in file:
                    name, _, count = line.partition(" ")
                    if name == "oom_kill" and int(count):
                        return True
        except (OSError, ValueError):
            continue
    return False
