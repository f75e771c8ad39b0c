"""Which processes that `exec` has started in a container run: each has a directory in the container's bundle,
called by its ID, with its process ID in the file `pid`.
"""

from __future__ import annotations

import os

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.place import Place

_CALLED: Final = "exec-"
PROCESS: Final = "process.json"  # what whoever waits for it has there, too


def directory(place: Place, container: str, id: str) -> str:
    """Where the files of one are."""
    return f"{place.bundle(container)}/{_CALLED}{id}"


def running(place: Place, container: str) -> list[str]:
    """The IDs of those that run, in order."""
    known = _known(place, container)
    first = records.state(place, container).pid if known else 0
    return [id for id in known if first and _runs(directory(place, container, id), first)]


def leave(place: Place, container: str, id: str) -> None:
    """Keep no more of one that nobody waits for than says that it runs. Raises OSError."""
    for name in (PROCESS, "runtime.log"):
        files.unlink(f"{directory(place, container, id)}/{name}")


def forget_ended(place: Place, container: str) -> None:
    """Remove what is kept of those that have ended, and that nobody waited for. Raises OSError."""
    ended = {*_known(place, container)} - {*running(place, container)}
    for kept in (directory(place, container, id) for id in ended):
        if os.path.exists(f"{kept}/pid") and not os.path.exists(f"{kept}/{PROCESS}"):
            files.remove_tree(kept)


def _known(place: Place, container: str) -> list[str]:
    try:
        names = os.listdir(place.bundle(container))
    except OSError:  # it has ended, or its session has
        return []
    return sorted(name.removeprefix(_CALLED) for name in names if name.startswith(_CALLED))


def _runs(kept: str, first: int) -> bool:
    """Whether the process is there, in the container with that first process: its number may be another's."""
    try:
        with open(f"{kept}/pid") as file:
            pid = int(file.read())
        return os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink(f"/proc/{first}/ns/mnt")
    except PermissionError:  # it is there, where an ordinary user may not look
        return True
    except (OSError, ValueError):
        return False
