"""The engine's run directory, made, and remembered by the store.

An ordinary user's commands come from sessions with other environments, a login's or cron's, and are to find
the same containers: the first that needs a directory leaves its path as a link in the store, and it is used
as long as it is there (see `settings`).
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.engine.place import run_directory
from millefeuille.errors import Denied
from millefeuille.settings import REMEMBERED, SYSTEM_RUN, Settings, remembered
from millefeuille.values import replace

_VARIABLE = "XDG_RUNTIME_DIR"
_UNUSABLE = frozenset((errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EROFS))


class RunDirectoryDenied(Denied):
    """The environment names a directory that this user cannot use."""


def prepared(settings: Settings) -> Settings:
    """Have the run directory there, with the store's own below it. The settings with the one that counts:
    another command may have chosen at the same time.

    Raises RunDirectoryDenied, OSError.
    """
    with _named(settings):
        files.make_directory(settings.run)
    settings = replace(settings, run=_agreed(settings))
    files.make_directory(run_directory(settings))
    return settings


def _agreed(settings: Settings) -> str:
    """The directory that the store remembers; it remembers this one where it has none that is there."""
    if settings.run == SYSTEM_RUN or settings.environment.get("MILLE_RUN"):
        return settings.run
    known = remembered(settings.root, os.geteuid())
    if known:
        return known
    path = os.path.join(settings.root, REMEMBERED)
    if "," in settings.run:
        return settings.run  # runc does not take it, so it is not to stay
    with contextlib.suppress(OSError):  # on a disk that is full or read-only nothing starts anyway
        if os.path.exists(f"{settings.root}/oci-layout"):
            # A link whose directory is gone; who takes another's away at the same time has the last word.
            files.unlink(path)
            files.act("link", path)
            os.symlink(settings.run, path)
    return remembered(settings.root, os.geteuid()) or settings.run


@contextlib.contextmanager
def _named(settings: Settings) -> Iterator[None]:
    """Name the variable that leads to a directory which cannot be made."""
    try:
        yield
    except OSError as error:
        told = settings.environment.get(_VARIABLE, "")
        leads = bool(told) and os.path.realpath(os.path.join(told, "millefeuille")) == settings.run
        if not leads or settings.environment.get("MILLE_RUN") or error.errno not in _UNUSABLE:
            raise
        raise RunDirectoryDenied(
            f"{_VARIABLE}={told}: {settings.run}: {(error.strerror or 'not permitted').lower()}",
            advice=f"Have {_VARIABLE} name a directory of this user's, or unset it.",
        ) from None
