"""Pausing: all processes of a container frozen, and let go on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from millefeuille.annotations import Final, Protocol
from millefeuille.containers import records
from millefeuille.containers.connection import Connection, NotRunning, connected
from millefeuille.containers.happening import note
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.containers.restarting import refuse_restarting
from millefeuille.errors import Conflict, MilleError
from millefeuille.runtime import freezer
from millefeuille.store.store import Store
from millefeuille.values import dataclass

_PAUSE: Final = 0.0005  # seconds between two looks
_PATIENCE: Final = 2.0  # seconds for a monitor to note something


class WrongState(Conflict):
    """The container is not in the state that this needs."""


class Freezer(Protocol):
    """The part of a runtime that is needed here."""

    def pause(self, id: str) -> None:
        """Freeze a container's processes."""

    def resume(self, id: str) -> None:
        """Let them go on."""


class Parts(Protocol):
    """What is needed of the host; a `Host` has all of it."""

    @property
    def store(self) -> Store:
        """Where events are kept."""

    @property
    def place(self) -> Place:
        """Where containers are told of."""

    @property
    def runtime(self) -> Freezer:
        """What freezes processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezing:
    """The parts, for who needs no more of a host."""

    store: Store
    place: Place
    runtime: Freezer


def pause(host: Parts, container: Container) -> None:
    """Freeze all processes. Raises WrongState, ContainerRestarting."""
    told = records.state(host.place, container.id)
    if told.status == "paused":
        raise WrongState(f"Container {container.id} is already paused")
    if not told.running:
        raise WrongState(f"Container {container.id} is not running")
    refuse_restarting(container, told)
    try:
        with connected(host.place, container.id) as connection:
            # Until it is noted, the monitor lets the container go, should this process vanish.
            connection.send(b"h", b"1")
            _freeze(host, container, told.pid)
            connection.send_all((b"p", b"1"), (b"h", b"0"))
            _await(host.place, container, lambda status: status == "paused")
    except (MilleError, NotRunning):
        told = records.state(host.place, container.id)
        refuse_restarting(container, told)
        if told.running:
            raise
        raise WrongState(f"Container {container.id} is not running") from None
    note(host.store, container, "pause")


def unpause(host: Parts, container: Container) -> None:
    """Let them go on. Raises WrongState."""
    told = records.state(host.place, container.id)
    if told.status != "paused":
        raise WrongState(f"Container {container.id} is not paused")
    _thaw(host, container, told.pid)
    tell(host.place, container, b"p", b"0")
    _await(host.place, container, lambda status: status == "running")
    note(host.store, container, "unpause")


@contextlib.contextmanager
def paused(host: Parts, container: Container) -> Iterator[None]:
    """Hold a container that runs for the length of the block; one that does not is left as it is.

    Raises what the runtime raises when it cannot be held.
    """
    with contextlib.ExitStack() as stack:
        told = records.state(host.place, container.id)
        if told.status == "running":
            with contextlib.suppress(NotRunning):
                # One connection for both: what is said over two may arrive in either order.
                connection = stack.enter_context(connected(host.place, container.id))
                # From here on the monitor lets it go, should this process vanish.
                connection.send(b"h", b"1")
                try:
                    _freeze(host, container, told.pid)
                except MilleError:
                    if records.state(host.place, container.id).running:
                        raise
                    raise NotRunning(f"container {container.id} is not running") from None
                stack.callback(_let_go, host, container, told.pid, connection)
                connection.send(b"p", b"1")
                note(host.store, container, "pause")
        yield


def let_go(host: Parts, container: Container) -> bool:
    """Let the processes go on that are halted, whatever is recorded of them: halted, they take no signal.
    True when the container was paused.
    """
    told = records.recorded(host.place, container.id)
    if told.status == "paused" or (told.pid and freezer.is_frozen(told.pid, container.id)):
        with contextlib.suppress(MilleError):  # it goes on already, or is gone
            _thaw(host, container, told.pid)
    if told.status == "paused":
        tell(host.place, container, b"p", b"0")
    return told.status == "paused"


def _freeze(host: Parts, container: Container, pid: int) -> None:
    if not freezer.freeze(pid, container.id):
        host.runtime.pause(container.id)


def _thaw(host: Parts, container: Container, pid: int) -> None:
    if not freezer.thaw(pid, container.id):
        host.runtime.resume(container.id)


def _let_go(host: Parts, container: Container, pid: int, connection: Connection) -> None:
    with contextlib.suppress(MilleError):  # it has been killed meanwhile
        # Who holds it next goes by what the monitor has noted of this time, first and last.
        _await(host.place, container, lambda status: status != "running")
        _thaw(host, container, pid)
        connection.send(b"p", b"0")
        connection.send(b"h", b"0")
        _await(host.place, container, lambda status: status != "paused")
        note(host.store, container, "unpause")


def _await(place: Place, container: Container, is_noted: Callable[[str], bool]) -> None:
    """Wait until the monitor has noted what it was told; who asks for the next thing must find it so."""
    deadline = time.monotonic() + _PATIENCE
    while not is_noted(records.state(place, container.id).status) and time.monotonic() < deadline:
        time.sleep(_PAUSE)


def tell(place: Place, container: Container, kind: bytes, payload: bytes) -> None:
    """Send the container's monitor a frame, if there is one."""
    try:
        with connected(place, container.id) as connection:
            connection.send(kind, payload)
    except NotRunning:
        return
