"""Locked flags: what a mount keeps of its source's in a user namespace.

Whoever owns no more than a namespace may add flags to a bind of one of the host's mounts, and drop none. A
runtime mounts a bind anew as soon as it has an option, with nothing but what the options say.

Source: mount_namespaces(7), "Restrictions on mount namespaces"; moby v28, daemon/oci_linux.go
`getUnprivilegedMountFlags`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.annotations import Any, Final

# Those of access times are not here: the kernel keeps them where a mount says nothing of them.
_WORDS: Final = (
    (os.ST_RDONLY, "ro"), (os.ST_NOSUID, "nosuid"), (os.ST_NODEV, "nodev"), (os.ST_NOEXEC, "noexec"),
)  # fmt: skip


def keeping(mount: Mapping[str, Any]) -> dict[str, Any]:
    """The mount, in the OCI spec's words, with the options that its source's flags ask for where it is a
    bind. One whose source cannot be looked at stays as it is: the runtime says what is wrong with that.
    """
    if mount["type"] != "bind":
        return dict(mount)
    try:
        flags = os.statvfs(mount["source"]).f_flag
    except OSError:
        return dict(mount)
    words = [word for flag, word in _WORDS if flags & flag]
    dropped = {*words, *(("rw",) if "ro" in words else ())}
    kept = [word for word in mount.get("options") or () if word not in dropped]
    return {**mount, "options": [*kept, *words]}
