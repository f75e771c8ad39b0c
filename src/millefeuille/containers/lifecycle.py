"""What is done to containers that exist: stop, kill, restart, pause, rename, wait."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.containers import records, sweep
from millefeuille.containers.connection import Connection, NotRunning, Unanswering, connected
from millefeuille.containers.ending import await_release, end_at_once, end_monitor
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.pausing import WrongState, let_go, pause, unpause
from millefeuille.containers.record import Container
from millefeuille.errors import Invalid
from millefeuille.later import Later
from millefeuille.oci import signals
from millefeuille.oci.signals import InvalidSignal, signal_number
from millefeuille.store import containers
from millefeuille.store.containers import InvalidName, NameTaken
from millefeuille.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import plugging, stranded
    from millefeuille.containers import start as starting
else:
    plugging = Later("millefeuille.containers.plugging")
    starting = Later("millefeuille.containers.start")
    stranded = Later("millefeuille.containers.stranded")

__all__ = [
    "UnknownToLinux", "WrongState", "deliverable", "kill", "pause", "rename", "restart", "stop", "unpause",
    "wait",
]  # fmt: skip

STOP_TIMEOUT: Final = 10  # seconds
_ALLOCATING: Final = "Error when allocating new name"


class SameName(Invalid):
    """The container has this name already."""


class UnknownToLinux(Invalid):
    """A number that is no signal of this system."""


def stop(host: Host, container: Container, *, timeout: int | None = None, signal: str = "") -> None:
    """Ask the process to end, kill it after `timeout` seconds (-1: never); it stays away. Its network, and
    what else it had of the host, is given back then. Raises LockTimeout.
    """
    number = signal_number(signal) if signal else _stop_signal(container)
    chosen = container.config.get("StopTimeout") if timeout is None else timeout
    seconds = STOP_TIMEOUT if chosen is None else int(chosen)
    try:
        with connected(host.place, container.id) as connection:
            let_go(host, container)
            if 0 < number <= signals.LAST:
                note(host.store, container, "kill", signal=str(number))
                connection.send_all((b"c", b""), (b"s", b""), (b"k", str(number).encode()))
            else:
                connection.send_all((b"c", b""), (b"s", b""))
            if connection.await_end(None if seconds < 0 else max(seconds, 0.001)) is None:
                note(host.store, container, "kill", signal="9")
                _end(host, container, connection)
    except (NotRunning, Unanswering) as error:
        if not _stop_stranded(host, container, number, seconds, isinstance(error, Unanswering)):
            return sweep.tidy_after(host, container)
    await_release(host, container)
    note(host.store, container, "stop")
    return sweep.tidy_after(host, container)


def _end(host: Host, container: Container, connection: Connection) -> None:
    """Kill the process, and a monitor that listens to nobody with it."""
    if not end_at_once(host, container, connection):
        end_monitor(host.place, container.id, connection)


def _stop_stranded(host: Host, container: Container, number: int, seconds: int, silent: bool) -> bool:
    """`stop` for a container that cannot be reached, or whose monitor is `silent`; whether it is one."""
    with stranded.found(host.place, container, silent=silent) as found:
        if found is None:
            return False
        if 0 < number <= signals.LAST:
            note(host.store, container, "kill", signal=str(number))
            found.send(number)
        if not found.await_end(None if seconds < 0 else seconds):
            note(host.store, container, "kill", signal="9")
        found.end()
        return True


def deliverable(signal: str) -> int:
    """The number of a signal that can be sent. Raises InvalidSignal, UnknownToLinux."""
    number = signal_number(signal)
    if not 0 < number <= signals.LAST:
        raise UnknownToLinux(f"the linux daemon does not support signal {number}")
    return number


def kill(host: Host, container: Container, number: int) -> None:
    """Send a signal, that is `deliverable`, to the process. After one that is to end it, it is not started
    again, and it goes on if it was paused, for it would not take the signal otherwise: KILL, the stop signal
    and, where the container names none, any. Raises WrongState when it does not run, Unanswering,
    LockTimeout.

    Source: moby v28, daemon/kill.go `killWithSignal`.
    """
    told = records.state(host.place, container.id)
    if not told.running:
        raise WrongState(
            f"cannot kill container: {container.name}: container {container.id} is not running"
        )  # fmt: skip
    try:
        with connected(host.place, container.id) as connection:
            note(host.store, container, "kill", signal=str(number))
            if number == 9:
                _end(host, container, connection)
            else:
                _signal(host, container, number, connection)
    except (NotRunning, Unanswering) as error:
        if isinstance(error, Unanswering) and number != 9:
            raise
        with stranded.found(host.place, container, silent=isinstance(error, Unanswering)) as found:
            if found is not None:
                note(host.store, container, "kill", signal=str(number))
                found.end() if number == 9 else found.send(number)
    if number == 9:
        sweep.tidy_after(host, container)


def _signal(host: Host, container: Container, number: int, connection: Connection) -> None:
    ends = not container.config.get("StopSignal") or number == _stop_signal(container)
    connection.send_all(*((b"s", b""),) * ends, (b"k", str(number).encode()))
    if ends and let_go(host, container):
        note(host.store, container, "unpause")


def restart(host: Host, container: Container, *, timeout: int | None = None, signal: str = "") -> None:
    """Stop and start again; one that is to be removed at its end is not between the two."""
    with _kept(host, container):
        stop(host, container, timeout=timeout, signal=signal)
        starting.start(host, container)
    note(host.store, container, "restart")


@contextlib.contextmanager
def _kept(host: Host, container: Container) -> Iterator[None]:
    """Have a container outlive its end for the length of the block: whoever finds it ended would remove it.

    Source: moby v28, daemon/restart.go `containerRestart`. Who is killed within the block leaves it so.
    """
    if not container.host_config.get("AutoRemove"):
        yield
        return
    _remove_at_end(host, container, False)
    try:
        yield
    finally:
        _remove_at_end(host, container, True)


def _remove_at_end(host: Host, container: Container, wanted: bool) -> None:
    with host.store.writing(), contextlib.suppress(containers.NoSuchContainer):  # nobody renames it meanwhile
        now = records.load(host.place, container.id)
        records.save(host.place, replace(now, host_config={**now.host_config, "AutoRemove": wanted}))


def rename(host: Host, container: Container, name: str) -> None:
    """Give another name, by which others on its networks find it, too.

    Raises InvalidName, NameTaken, SameName, whose messages are Docker's, and what `Networks.rename` raises.
    """
    name = name.removeprefix("/")
    if name == container.name:
        raise SameName("Renaming a container with the same name as its current name")
    with host.store.writing() as tx:
        try:
            containers.rename(tx, container.id, name)
        except NameTaken as error:
            raise NameTaken(f"{_ALLOCATING}: {error}") from None
        except InvalidName as error:
            raise InvalidName(f"{_ALLOCATING}: {str(error).replace(f'({name})', f'(/{name})')}") from None
        records.save(host.place, container.renamed(name))
    renamed = container.renamed(name)
    host.networks.rename(container.id, plugging.wishes_of(host.place, renamed))
    note(host.store, renamed, "rename", oldName=f"/{container.name}")


def wait(host: Host, container: Container) -> int:
    """Wait until it ends; its exit code. If it is not started again, it has given back what it had of the
    host. One that is about to be started again counts as one that runs: its next end is waited for.

    Source: moby v28, container/state.go `Wait` and `SetRestarting`.
    """
    while (told := records.state(host.place, container.id)).running:
        try:
            with connected(host.place, container.id, patience=0) as connection:
                code = connection.await_next_end()
                if code is not None:
                    sweep.tidy_unless_running(host, container)
                    return code
        except NotRunning:
            with stranded.found(host.place, container) as found:
                if found is not None:
                    found.await_end(None)
            await_release(host, container)
    sweep.tidy_unless_running(host, container)
    return told.exit_code  # as it was known before: there is no state of one that was to be removed


def _stop_signal(container: Container) -> int:
    """What it asks to be stopped by; an image may name none that there is."""
    try:
        return signal_number(container.config.get("StopSignal") or "SIGTERM")
    except InvalidSignal:
        return signals.NUMBERS["TERM"]


