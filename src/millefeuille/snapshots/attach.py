"""Mount values made real, through the mount API: nothing is parsed, nothing is limited to a page."""

from __future__ import annotations

import os
from collections.abc import Sequence

from millefeuille import files, kernel
from millefeuille.errors import Denied, Failed, MilleError
from millefeuille.snapshots.snapshotter import Mount, Option


class MountFailed(Failed):
    """The kernel refused a mount."""


class MountDenied(Denied):
    """This process may not mount."""


def detached(type: str, options: Sequence[Option], *, read_only: bool = False) -> int:
    """A detached mount of a new file system; its descriptor. Raises OSError, with the kernel's own words."""
    context = kernel.fsopen(type)
    try:
        for key, value in options:
            kernel.configure(context, key, value)
        kernel.create(context)
        return kernel.fsmount(context, kernel.ATTR_RDONLY if read_only else 0)
    except OSError as error:
        words = "; ".join([*kernel.messages(context), error.strerror or "refused"])
        raise OSError(error.errno, words, error.filename) from None
    finally:
        os.close(context)


def make(mount: Mount) -> int:
    """The detached mount that `mount` describes; its descriptor is the caller's.

    Raises MountFailed, MountDenied.
    """
    try:
        if mount.type != "bind":
            return detached(mount.type, (("source", mount.source), *mount.options), read_only=mount.read_only)
        if isinstance(mount.source, int):
            return os.dup(mount.source)
        copy = kernel.open_tree(mount.source)
        if mount.read_only:
            kernel.mount_setattr("", directory=copy, set=kernel.ATTR_RDONLY)
        return copy
    except OSError as error:
        raise explain(error, f"mount {mount.type}") from None


def attach(mounts: Sequence[Mount], root: str) -> None:
    """Make `mounts` and attach them in order at `root`. Raises MountFailed, MountDenied; then none stay."""
    done: list[str] = []
    try:
        for mount in mounts:
            descriptor = make(mount)
            try:
                files.act("mount", root + mount.target)
                kernel.move_mount(descriptor, root + mount.target)
            except OSError as error:
                raise explain(error, f"attach {mount.type} at {root + mount.target}") from None
            finally:
                os.close(descriptor)
            done.append(root + mount.target)
    except MilleError:
        detach(done)
        raise


def detach(targets: Sequence[str]) -> None:
    """Detach what was attached at `targets`, the last first; that it is gone already is no error."""
    for target in reversed(targets):
        files.act("unmount", target)
        try:
            kernel.unmount(target, detach=True)
        except OSError:
            pass


def explain(error: OSError, what: str) -> MilleError:
    """The one-line error for a mount that the kernel refused."""
    if isinstance(error, PermissionError):
        return MountDenied(f"{what}: not permitted", advice="Mounting needs root.")
    return MountFailed(f"{what}: {error.strerror or error}")
