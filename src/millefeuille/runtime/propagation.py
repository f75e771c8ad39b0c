"""Propagation: whether a bind can hear of what is mounted below its source later on.

Source: mount_namespaces(7); moby v28.2.2, daemon/oci_linux.go `ensureSharedOrSlave`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid, Unsupported

_SHARED: Final = frozenset(("shared", "rshared"))
_SLAVE: Final = frozenset(("slave", "rslave"))
_LIVE: Final = ("shared:", "master:")  # the optional fields of a mount that others tell of theirs


class PropagationUnsupported(Unsupported):
    """A container's mounts are not to be seen on the host."""


class Deaf(Invalid):
    """A bind is to follow the mounts of a source that is told of none; the message is Docker's."""


def check(mount: Mapping[str, Any]) -> None:
    """Hold that a mount, in the OCI spec's words, can propagate as it asks.

    Raises PropagationUnsupported, Deaf, and OSError for a source that is not there.
    """
    options = set(mount.get("options") or ())
    if options & _SHARED:
        raise PropagationUnsupported(
            f"{mount['destination']}: propagation shared is not supported",
            advice="A container's mounts are its own. Use slave to see those of the host.",
        )
    if options & _SLAVE:
        place, words = _mount_of(mount["source"])
        if not any(word.startswith(_LIVE) for word in words):
            raise Deaf(
                f"path {mount['source']} is mounted on {place} but it is not a shared or slave mount"
            )


def _mount_of(path: str) -> tuple[str, list[str]]:
    """The mount point that `path` lies on, and the mount's optional fields (proc_pid_mountinfo(5))."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        with open(f"/proc/thread-self/fdinfo/{descriptor}", encoding="ascii") as facts:
            identifier = next(line.split()[1] for line in facts if line.startswith("mnt_id:"))
    finally:
        os.close(descriptor)
    # The thread may have mounts of its own.
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            fields = line.split(" ")
            if fields[0] == identifier:
                return fields[4], fields[6 : fields.index("-")]
    return "/", []
