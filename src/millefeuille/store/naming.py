"""Giving a finished file its name, unless the name is taken. Apart from `files`, because it needs ctypes,
which commands that only look can do without.
"""

from __future__ import annotations

import ctypes
import errno
import os

from millefeuille import files
from millefeuille.annotations import Final

_RENAME_NOREPLACE: Final = 1
_AT_FDCWD: Final = -100
_libc: Final = ctypes.CDLL(None, use_errno=True)


def rename_new(source: str, target: str) -> bool:
    """Give a file another name; False, and nothing done, when that name is taken."""
    files.act("rename", target)
    arguments = (_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE)
    if _libc.renameat2(*arguments) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EEXIST, errno.ENOTEMPTY):
        return False
    if code in (errno.EINVAL, errno.ENOSYS):  # the file system knows no RENAME_NOREPLACE
        if os.path.lexists(target):
            return False
        os.rename(source, target)
        return True
    raise OSError(code, os.strerror(code), target)
