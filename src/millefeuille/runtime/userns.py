"""Userns: an ordinary user made root, in a user namespace of its own, without being asked for a password.

    0        ◄─ the user
    1 … n    ◄─ the ranges that /etc/subuid and /etc/subgid give it, mapped by newuidmap and newgidmap

A container belongs to the namespace it was started in, and only from inside is it reached. So a command
goes into the namespace of a container's monitor that runs, or else of another command, and makes one when
there is none. The process itself goes in: nothing is started again, and it exits as ever. It must have one
thread only.

Source: Linux user_namespaces(7), subuid(5), newuidmap(1).
"""

from __future__ import annotations

import errno
import os
import pwd
from collections.abc import Sequence

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.errors import Denied, Unsupported
from millefeuille.later import subprocess
from millefeuille.runtime import insiders
from millefeuille.values import dataclass

# In the command line of a monitor that was started; one that a command became has the command's, and a name.
_MONITOR: Final = b"millefeuille.containers.monitor"
_PROGRAM: Final = b"mille"
_NAME: Final = b"mille-monitor\n"
_ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_TOO_MANY: Final = "no more processes"  # said by the child
_FIRST: Final = 100_000  # where useradd begins
_SPAN: Final = 65_536
_ENOUGH: Final = 1000  # IDs; with fewer, what an image calls "nobody" and its like would have none


class RangesMissing(Unsupported):
    """The user has no IDs to give to users in containers."""


class UserNamespaceDenied(Denied):
    """The kernel lets this user make no namespace, or nothing is there that may map IDs into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """The IDs of a namespace, as in /proc/<pid>/uid_map: (inside, outside, count) each."""

    users: tuple[tuple[int, int, int], ...]
    groups: tuple[tuple[int, int, int], ...]


def is_inside() -> bool:
    """Whether this process is in a user namespace other than the machine's first."""
    return _read("/proc/self/uid_map").split() != ["0", "0", "4294967295"]


def is_ordinary() -> bool:
    """Whether root is an ordinary user here, as after `enter`: it stands alone, and all others come from
    ranges. A machine of its own within another one, which has users as ever, has a root that is one.
    """
    return any(inside == 0 and count == 1 for inside, _, count in _rows("/proc/self/uid_map"))


def enter(root: str) -> bool:
    """Make this process root in a namespace, with mounts of its own; False when it is root as it is.

    Commands that start at the same time go into the same one: they meet in the store at `root`, or in the
    directory that the system gives the user. Raises RangesMissing, UserNamespaceDenied.
    """
    if os.geteuid() == 0:
        return False
    wanted = mapping()
    with insiders.met(root) as others:
        holder = _holder(wanted, others)
        if holder is None or not _join(holder):
            _make(wanted)
    try:
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        os.setgroups([])
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount_setattr("/", propagation=kernel.MS_SLAVE, recursive=True)
    except OSError as error:
        raise _denied(error) from None
    return True


def mapping() -> Mapping:
    """The mapping for the user of this process. Raises RangesMissing."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    found = Mapping(
        users=_mapped(os.getuid(), _ranges("/etc/subuid", name, os.getuid())),
        groups=_mapped(os.getgid(), _ranges("/etc/subgid", name, os.getuid())),
    )
    for rows in (found.users, found.groups):
        if sum(count for _, _, count in rows) < _ENOUGH:
            span = _free_span(_all_ranges("/etc/subuid") + _all_ranges("/etc/subgid"))
            raise RangesMissing(
                f"user {name} has no IDs for users in containers",
                advice=f"As root: usermod --add-subuids {span} --add-subgids {span} {name}",
            )
    return found


def _mapped(own: int, ranges: list[tuple[int, int]]) -> tuple[tuple[int, int, int], ...]:
    rows, inside = [(0, own, 1)], 1
    for start, count in ranges:
        rows.append((inside, start, count))
        inside += count
    return tuple(rows)


def _ranges(path: str, name: str, number: int) -> list[tuple[int, int]]:
    """The ranges of a user in a file of lines "name:start:count"; what cannot be read is passed over."""
    return [(start, count) for owner, start, count in _all_ranges(path) if owner in (name, str(number))]


def _all_ranges(path: str) -> list[tuple[str, int, int]]:
    """The ranges of all users."""
    found = []
    for line in _read(path).splitlines():
        fields = line.strip().split(":")
        if len(fields) == 3 and fields[1].isdecimal() and fields[2].isdecimal() and int(fields[2]):
            found.append((fields[0], int(fields[1]), int(fields[2])))
    return found


def _free_span(taken: list[tuple[str, int, int]]) -> str:
    """The first and the last of IDs that are nobody's, as many as useradd gives, above all that are."""
    first = max([_FIRST, *(start + count for _, start, count in taken)])
    return f"{first}-{first + _SPAN - 1}"


def _holder(wanted: Mapping, others: Sequence[int]) -> int | None:
    """A descriptor of the namespace of a monitor of this user's, or else of one of the processes `others`;
    None when none runs.
    """
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            if _is_monitor(f"/proc/{name}") and (holder := _held(int(name), wanted)) is not None:
                return holder
        except OSError:
            continue
    return next((holder for pid in others if (holder := _held(pid, wanted)) is not None), None)


def _held(pid: int, wanted: Mapping) -> int | None:
    """A descriptor of the namespace of a process; None when it is another kind of one, or out of reach."""
    process = f"/proc/{pid}"
    if _rows(f"{process}/uid_map") != wanted.users or _rows(f"{process}/gid_map") != wanted.groups:
        return None
    try:
        return os.open(f"{process}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _is_monitor(process: str) -> bool:
    with open(f"{process}/cmdline", "rb") as file:
        words = file.read(1 << 16)
    if _MONITOR in words or _PROGRAM not in words:
        return _MONITOR in words
    with open(f"{process}/comm", "rb") as file:
        return file.read() == _NAME


def _join(holder: int) -> bool:
    try:
        kernel.enter_namespace(holder, kernel.CLONE_NEWUSER)
    except OSError:
        return False
    finally:
        os.close(holder)
    return True


def _make(wanted: Mapping) -> None:
    """Go into a new namespace. A child that stays outside has the IDs mapped: from inside that is
    forbidden.
    """
    own = os.getpid()
    ready, told = os.pipe2(os.O_CLOEXEC)
    answer, said = os.pipe2(os.O_CLOEXEC)
    try:
        child = os.fork()
    except BlockingIOError:
        for descriptor in (ready, told, answer, said):
            os.close(descriptor)
        raise _too_many() from None
    if child == 0:
        os.close(told)
        _map(own, wanted, ready, said)
    os.close(ready)
    os.close(said)
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
        os.write(told, b"1")
    except OSError as error:
        raise _denied(error) from None
    finally:
        os.close(told)
        with open(answer, encoding="utf-8", errors="replace") as file:
            problem = file.read()
        os.waitpid(child, 0)
    if problem:
        raise _unmapped(problem)


def _map(pid: int, wanted: Mapping, ready: int, said: int) -> None:
    """In the child: map the IDs when the parent is inside, and say what goes wrong. Does not return."""
    try:
        if os.read(ready, 1) == b"1":
            for program, rows in (("newuidmap", wanted.users), ("newgidmap", wanted.groups)):
                words = [program, str(pid), *(str(number) for row in rows for number in row)]
                done = subprocess.run(
                    words, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
                )
                if done.returncode:
                    os.write(said, done.stderr or program.encode())
                    break
    except OSError as error:
        os.write(said, (_TOO_MANY if error.errno == errno.EAGAIN else str(error)).encode())
    finally:
        os._exit(0)


def _rows(path: str) -> tuple[tuple[int, int, int], ...]:
    """The rows of a uid_map."""
    lines = [line.split() for line in _read(path).splitlines()]
    return tuple((int(inside), int(outside), int(count)) for inside, outside, count in lines)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def _unmapped(problem: str) -> UserNamespaceDenied:
    if problem == _TOO_MANY:
        return _too_many()
    return UserNamespaceDenied(
        f"the IDs of this user cannot be mapped: {problem.strip()}",
        advice="newuidmap and newgidmap (package uidmap) map what /etc/subuid and /etc/subgid allow.",
    )


def _too_many() -> UserNamespaceDenied:
    return UserNamespaceDenied(
        "a user namespace: no more processes can be started",
        advice="`ulimit -u` says how many this user may have; end some of them.",
    )


def _denied(error: OSError) -> UserNamespaceDenied:
    reason = (error.strerror or "not permitted").lower()
    return UserNamespaceDenied(
        f"a user namespace: {reason}", advice="The host does not let ordinary users have one."
    )
