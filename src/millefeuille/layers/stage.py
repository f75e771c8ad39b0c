"""Stage: one step of a pipeline, in a thread of its own, behind a short queue."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Final, Generic, TypeVar
from millefeuille.later import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    import queue
    import threading
else:  # which a stage that is never put anything does without
    queue = Later("queue")
    threading = Later("threading")

Item = TypeVar("Item")

DEPTH: Final = 6  # items that may wait; with pieces of at most 1 MiB this bounds a stage's memory


class _Mark:
    """Stands in the queue behind the items that somebody waits for."""

    def __init__(self) -> None:
        self.reached = threading.Event()


class Stage(Generic[Item]):
    """Calls `work` on every item put, in order. The C code that `work` calls drops the interpreter lock.

    An exception in `work` is raised by the next `put` and by `close`, in the thread that calls them; the
    items behind it are taken from the queue and dropped, so that no producer waits for ever.
    """

    def __init__(self, name: str, work: Callable[[Item], object]) -> None:
        self._name = name
        self._work = work
        # A bounded queue out of two that are implemented in C: whoever puts an item takes a place first.
        self._queue: queue.SimpleQueue[Item | _Mark | None]
        self._places: queue.SimpleQueue[None]
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None  # begins with the first item

    def put(self, item: Item) -> None:
        """Hand over one item; waits while the queue is full."""
        if self._failure is not None:
            raise self._failure
        if self._thread is None:
            self._queue, self._places = queue.SimpleQueue(), queue.SimpleQueue()
            for _ in range(DEPTH):
                self._places.put(None)
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._places.get()
        self._queue.put(item)

    def drain(self) -> None:
        """Wait until everything put is worked off; more may be put then. Raises what `work` raised."""
        if self._thread is not None:
            mark = _Mark()
            self._queue.put(mark)
            mark.reached.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Wait until everything put is worked off."""
        self.stop()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the thread without raising what it met."""
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        # The work usually belongs to whoever owns this stage; both would wait for the cycle collector.
        self._work = _nothing

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Mark):
                item.reached.set()
                continue
            self._places.put(None)
            if self._failure is None:
                try:
                    self._work(item)
                except BaseException as error:  # handed to the thread that waits for the result
                    self._failure = error


def _nothing(item: object) -> None:
    """The work of a stage that has ended."""
