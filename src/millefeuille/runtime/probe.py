"""Which OCI runtime this host has, and which of them works here."""

from __future__ import annotations

import os

from millefeuille.runtime.invocation import RuntimeMissing
from millefeuille.runtime.runc import Runc

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find(directory: str, *, rootless: bool = False, store: str = "") -> Runc:
    """The runtime to use, with its state under `directory`, for a `store` (see Runc). Raises RuntimeMissing.

    crun first, as it starts faster; runc first where control groups are of both versions, which crun refuses.
    In an ordinary user's namespace (`rootless`) neither has control groups, so no limits can be set.
    """
    names = ("runc", "crun") if _hybrid() else ("crun", "runc")
    for name in names:
        for place in _PATH.split(":"):
            program = os.path.join(place, name)
            if os.access(program, os.X_OK):
                options = ("--cgroup-manager=disabled",) if rootless and name == "crun" else ()
                return Runc(program, directory, options=options, limits=not rootless, store=store)
    raise RuntimeMissing("no OCI runtime found", advice="Install crun or runc.")


def _hybrid() -> bool:
    return not os.path.exists("/sys/fs/cgroup/cgroup.controllers")
