"""Processes: those of a container, as the host's `ps` tells them.

Source: moby v28.2.2, daemon/top_unix.go.
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Sequence

from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.containers.restarting import refuse_restarting
from millefeuille.errors import Conflict, Failed, Invalid, MilleError, Unavailable
from millefeuille.later import re
from millefeuille.runtime import pidspace
from millefeuille.runtime.runc import Runc

_DEFAULT: Final = ("-ef",)
_RENAMED: Final = r"\s+(\S*)=\s*(PID\S*)"
_SEPARATORS: Final = " \t\n\v\f\r"  # not the other blanks of Unicode, which names may have


class NoProcesses(Conflict):
    """The container does not run."""


class BadArguments(Invalid):
    """`ps` does not say which process is which with these arguments."""


class PsFailed(Failed):
    """`ps` refused its arguments; the message is its own."""


class PsMissing(Unavailable):
    """The host has no `ps`."""


def listed(host: Host, container: Container, arguments: Sequence[str] = ()) -> list[list[str]]:
    """The titles, then one row for each process.

    Raises NoProcesses, ContainerRestarting, SharedSpace, BadArguments, PsFailed, PsMissing.
    """
    told = records.state(host.place, container.id)
    if not told.running:
        raise NoProcesses(f"container {container.id} is not running")
    refuse_restarting(container, told)
    words = list(arguments) or list(_DEFAULT)
    _check(" ".join(words))
    try:
        pids = _processes(host.runtime, container.id, told.pid)
    except MilleError:
        if records.state(host.place, container.id).running:
            raise
        raise NoProcesses(f"container {container.id} is not running") from None
    if not pids:
        raise NoProcesses(f"container {container.id} is not running")
    return parsed(_output(words, pids), pids)


def parsed(output: str, pids: Collection[int]) -> list[list[str]]:
    """The titles and the rows of `pids` in what `ps` printed. Raises BadArguments."""
    titles, *lines = (_fields(line) for line in output.split("\n"))
    if "PID" not in titles:
        raise BadArguments("Couldn't find PID field in ps output")
    place = titles.index("PID")
    found = [titles]
    within = False
    for fields in lines:
        if len(fields) <= place:
            continue
        if fields[place] != "-":  # a thread of the process above otherwise
            if not fields[place].isdecimal():
                raise BadArguments(f"Unexpected pid '{fields[place]}'")
            within = int(fields[place]) in pids
        if within:
            found.append(_joined(fields, len(titles)))
    return found


def _processes(runtime: Runc, id: str, first: int) -> set[int]:
    # Where it can set no limits there are no control groups, by which a runtime knows the processes.
    return set(runtime.processes(id)) if runtime.limits else pidspace.processes(first)


def _check(arguments: str) -> None:
    for name, title in re.findall(_RENAMED, arguments):
        if name != "pid":
            raise BadArguments(f'specifying "{name}={title}" is not allowed')


def _output(words: Sequence[str], pids: Collection[int]) -> str:
    chosen = f"-q{','.join(map(str, sorted(pids)))}"
    # Some options cannot be used together with -q.
    done = _run([*words, chosen])
    if done.returncode != 0:
        done = _run(words)
    if done.returncode != 0:
        reason = done.stderr.split("\n", 1)[0] or f"exit status {done.returncode}"
        raise PsFailed(f"ps: {reason}")
    return done.stdout


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["ps", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise PsMissing(
            "ps: executable file not found in $PATH", advice="Install procps on this host."
        ) from None


def _fields(line: str) -> list[str]:
    return [field for field in re.split(f"[{_SEPARATORS}]+", line) if field]


def _joined(fields: Sequence[str], count: int) -> list[str]:
    """As many fields as there are titles: what is left over belongs to the command, the last."""
    return [*fields[: count - 1], " ".join(fields[count - 1 :])]
