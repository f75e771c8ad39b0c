"""Whether a root file system has the program to run: asked before a runtime is started.

The runtime would say the same, but on the container's own error stream.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Sequence

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.oci.gotext import quoted
from millefeuille.runtime.runtime import StartFailed

_REASON: Final = "runc create failed: unable to start container process: exec: "
# What is mounted there while the container runs cannot be seen yet.
_MOUNTED: Final = ("/proc/", "/dev/", "/sys/")


def check(root: int, program: str, environment: Sequence[str], directory: str) -> None:
    """Look `program` up below descriptor `root`, as execvp would. Raises StartFailed in Docker's words.

    Source: Go's os/exec, LookPath, which runc uses.
    """
    if "/" in program:
        path = posixpath.join(directory, program)
        problem = None if path.startswith(_MOUNTED) else _problem(root, path)
        if problem:
            detail = f"stat {program}: {problem}" if problem.startswith("no such") else problem
            raise StartFailed(f"{_REASON}{quoted(program)}: {detail}")
        return
    paths = [entry.partition("=")[2] for entry in environment if entry.startswith("PATH=")]
    for place in paths[-1].split(":") if paths else ():
        path = posixpath.join(directory, place, program)
        if path.startswith(_MOUNTED) or not _problem(root, path):
            return
    raise StartFailed(f"{_REASON}{quoted(program)}: executable file not found in $PATH")


def check_directory(root: int, directory: str) -> None:
    """Hold that a process can begin in `directory`, below descriptor `root`. Raises StartFailed."""
    if f"{directory}/".startswith(_MOUNTED):
        return
    flags = os.O_PATH | os.O_DIRECTORY
    try:
        os.close(kernel.openat2(root, directory, flags, resolve=kernel.RESOLVE_IN_ROOT))
    except OSError as error:
        reason = (error.strerror or "no such file or directory").lower()
        raise StartFailed(
            "runc create failed: unable to start container process: "
            f"chdir to cwd ({quoted(directory)}) set in config.json failed: {reason}"
        ) from None


def _problem(root: int, path: str) -> str | None:
    """Why the file cannot be run; None when it can."""
    try:
        descriptor = kernel.openat2(root, path, os.O_PATH, resolve=kernel.RESOLVE_IN_ROOT)
    except OSError as error:
        return (error.strerror or "no such file or directory").lower()
    try:
        mode = os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
    if stat.S_ISDIR(mode) or not mode & 0o111:
        return "permission denied"
    return None
