"""A shell in the root of a command that failed, with what that had: user, directory, variables, mounts."""

from __future__ import annotations

import os
from collections.abc import Sequence

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.running.host import RunHost, remove
from millefeuille.build.running.kept import KeptRoot, entered
from millefeuille.build.running.step import Step, settle
from millefeuille.build.running.wish import Bind, HostTree, RunMount
from millefeuille.runtime.bundles import claimed
from millefeuille.runtime.runtime import Stdio
from millefeuille.runtime.signals import forwarding
from millefeuille.values import replace

SHELL: Final = ("/bin/sh",)


def open_shell(
    host: RunHost, root: KeptRoot, arguments: Sequence[str] = SHELL, *, stdio: Stdio, terminal: bool
) -> int:
    """Run a command in a kept root to its end; its exit code. What it changes stays.

    It may have what the command had: nothing is kept of one that was not allowed to run. What that had
    mounted of a context that is gone by now is left out. With `terminal` it gets one of its own, for which
    one of `stdio` must be one. Signals to this process go to it. Raises StartFailed, RootInUse, NoSuchRoot,
    NotFound when the layers below are gone, and what `run_step` raises.
    """
    mounts_left = tuple(mount for mount in root.wish.mounts if _is_there(mount))
    wish = replace(root.wish, arguments=tuple(arguments), mounts=mounts_left)
    id = os.urandom(32).hex()
    with entered(host, root.id), forwarding() as forwarder, claimed(host.directory, id) as bundle:
        step = Step(host, wish, id, bundle, terminal=terminal)
        try:
            files.make_directories(host.scratch(id))
            mounts = host.snapshots.mounts(root.id)
            settle(mounts)  # a shell that was killed has left it as it was
            with step.started(mounts, stdio, lambda: None) as process:
                forwarder.aim(process)
                code = process.wait()
                step.clear()
            settle(mounts)
            return code
        finally:
            remove(host, id, step.keys)


def _is_there(mount: RunMount) -> bool:
    tree = mount.source if isinstance(mount, Bind) else None
    return not isinstance(tree, HostTree) or os.path.lexists(f"{tree.root}/{tree.path.strip('/')}")
