"""Unseen: the end of a container whose monitor was killed while somebody was attached."""

from __future__ import annotations

import contextlib

from millefeuille import files
from millefeuille.containers import records, sweep
from millefeuille.containers.ending import await_release
from millefeuille.containers.host import Host
from millefeuille.containers.record import NEVER, Container


def settled(host: Host, container: Container) -> tuple[int, bool]:
    """The exit code of a container whose monitor went without a word, and whether it was killed, too, with
    nobody to see its end. Before that, what it had of the host is given back, and itself removed if it was
    to be at its end. Raises LockTimeout.
    """
    with contextlib.suppress(files.LockTimeout):  # somebody has started it again, who has the lock for long
        await_release(host, container)
    told = records.state(host.place, container.id)
    # Another command may have been first to tidy up, and left no state where there is no container any more.
    is_lost = told.running or told.started == NEVER or told.error == records.UNSEEN
    sweep.tidy_unless_running(host, container)
    return (records.KILLED, True) if is_lost else (told.exit_code, False)
