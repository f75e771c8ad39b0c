"""One more process in a container that runs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping

from millefeuille import files, kernel
from millefeuille.annotations import Any, Final
from millefeuille.containers import execs, records, roots
from millefeuille.containers.connection import refuse_unreachable
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.piping import Piping
from millefeuille.containers.record import Container
from millefeuille.containers.restarting import refuse_restarting
from millefeuille.errors import Conflict
from millefeuille.runtime import executable, execution
from millefeuille.runtime.execution import Wanted
from millefeuille.runtime.runtime import ExecFailed, StartFailed, Stdio
from millefeuille.runtime.signals import forwarding
from millefeuille.store.containers import NoSuchContainer
from millefeuille.values import dataclass, replace

_ENDING: Final = 0.5  # seconds until the end of a process is noted at the latest
_PAUSE: Final = 0.01


class NotExecutable(Conflict):
    """The container does not run, or is paused; the message is Docker's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run beside the container's own process; "" and None leave it to the container."""

    words: tuple[str, ...]
    environment: tuple[str, ...] = ()
    user: str = ""
    directory: str = ""
    tty: bool = False
    privileged: bool = False


def execute(host: Host, container: Container, command: Command, stdio: Stdio) -> int:
    """Run it to its end; its exit code. Signals to this process go to it.

    Without a terminal, this process is from here on the parent of what its children leave. Raises
    NotExecutable, ContainerRestarting, NoSuchContainer, OutOfReach, ExecFailed, NoSuchUser, and OutputLost
    when it has ended and some of what it wrote is nowhere.
    """
    lost = None
    with _prepared(host, container, command) as (document, directory, identifier), forwarding() as forwarder:
        if command.tty:
            with _beside_terminal(stdio, as_input=host.runtime.program.endswith("crun")) as streams:
                attached = host.runtime.exec(container.id, document, directory, streams)
                forwarder.aim(attached)
                code = attached.wait()
        else:
            # The runtime would stay as long as anybody has the streams, who runs in the background too.
            kernel.collect_orphans()
            with Piping(stdio) as piping:
                started = _Started(
                    host.runtime.exec_detached(container.id, document, directory, piping.inner)
                )
                piping.carry()
                forwarder.aim(started)
                code = started.wait()
                lost = piping.finish()
        note(host.store, container, "exec_die", execID=identifier, exitCode=str(code))
    if lost is not None:
        raise lost
    return code


class _Started:
    """A process that became a child of this one."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def signal(self, number: int) -> None:
        if self._pid:
            os.kill(self._pid, number)  # nobody else waits for it, so it is still there

    def wait(self) -> int:
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        self._pid = 0
        return 128 - code if code < 0 else code


def execute_detached(host: Host, container: Container, command: Command) -> int:
    """Start it, and leave it alone; its process ID. Raises as `execute` does."""
    nothing = Stdio(stdin=None, stdout=None, stderr=None)
    execs.forget_ended(host.place, container.id)
    with _prepared(host, container, command, stays=True) as (document, directory, _):
        if command.tty:
            document = {**document, "terminal": False}  # nobody would hold its other end
        return host.runtime.exec_detached(container.id, document, directory, nothing)


def _tell(host: Host, container: Container, command: Command, identifier: str) -> None:
    """Note that a process is about to start."""
    name, *rest = command.words
    for act in ("exec_create", "exec_start"):
        note(host.store, container, f"{act}: {name} {' '.join(rest)}", execID=identifier)


@contextlib.contextmanager
def _beside_terminal(stdio: Stdio, *, as_input: bool) -> Iterator[Stdio]:
    """Streams of which one is a terminal where the process is to have one: runtimes look for the size there.

    With a terminal nothing is written to the standard error, so that is the one to give; `as_input`: to a
    runtime that looks at the standard input alone, that one where nobody's is to be read.
    """
    silent = as_input and stdio.stdin is None
    given = (stdio.stdin, stdio.stdout, stdio.stderr)
    if not silent and any(stream is not None and os.isatty(stream) for stream in given):
        yield stdio
        return
    ours, theirs = os.openpty()
    try:
        yield replace(stdio, stdin=theirs) if silent else replace(stdio, stderr=theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@contextlib.contextmanager
def _prepared(
    host: Host, container: Container, command: Command, *, stays: bool = False
) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """The runtime's process document, a directory for its files that is gone afterwards, and its ID. Where it
    `stays`, the process goes on then, and some of the directory with it.
    """
    told = records.state(host.place, container.id)
    if told.status == "paused":
        raise NotExecutable(f"container {container.name} is paused, unpause the container before exec")
    refuse_restarting(container, told)
    if not told.running or not told.pid:
        raise NotExecutable(f"container {container.id} is not running")
    identifier = os.urandom(32).hex()
    _tell(host, container, command, identifier)
    document = _document(host, container, command)
    directory = execs.directory(host.place, container.id, identifier)
    started = False
    try:
        files.make_directory(directory)
        yield document, directory, identifier
        started = True
    except (ExecFailed, FileNotFoundError):
        _refuse_ended(host, container, told.pid)
        refuse_unreachable(host.place, container)
        raise
    finally:
        if started and stays:
            execs.leave(host.place, container.id, identifier)
        else:
            files.remove_tree(directory)


def _refuse_ended(host: Host, container: Container, pid: int) -> None:
    """Raise NotExecutable, ContainerRestarting, NoSuchContainer when the container's run with that first
    process is over: whatever went wrong did so for that. What is just ending may take its time to be noted.
    """
    deadline = time.monotonic() + _ENDING
    while True:
        told = records.state(host.place, container.id)
        if not told.running or told.pid != pid:
            break
        if time.monotonic() > deadline:
            return
        time.sleep(_PAUSE)
    if not records.is_recorded(host.store, container.id):
        raise NoSuchContainer(f"No such container: {container.name}") from None
    refuse_restarting(container, told)
    raise NotExecutable(f"container {container.id} is not running") from None


def _document(host: Host, container: Container, command: Command) -> dict[str, Any]:
    wanted = Wanted(
        arguments=command.words, environment=command.environment, directory=command.directory,
        user=command.user, terminal=command.tty, privileged=command.privileged,
    )  # fmt: skip
    if command.directory and not command.directory.startswith("/"):
        raise ExecFailed("exec failed: Cwd must be an absolute path")
    with roots.opened(host, container) as root:
        document = execution.document(root, container.config, container.host_config, wanted)
        try:
            # The runtime would say it too, but on the standard error that is the command's.
            executable.check_directory(root, document["cwd"])
            executable.check(root, command.words[0], tuple(document["env"]), document["cwd"])
        except StartFailed as error:
            raise ExecFailed(error.reason.replace("runc create", "exec", 1)) from None
    return document
