"""Layers on their way in: cut, resumed, waited for, taken over, and refused."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from tests.store.memory import Layer, Memory, Stream, brought, layer
from tests.store.state import state

from millefeuille.errors import Corrupt, Failed
from millefeuille.layers.ingest import CHUNK
from millefeuille.oci.descriptor import Descriptor
from millefeuille.progress import Event, LayerAdvanced, LayerDone, LayerFound, LayerWaiting, Warned
from millefeuille.store import images
from millefeuille.store.check import check
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import ingest
from millefeuille.store.store import Store
from millefeuille.transfer.layers import LayerFetch

BIG = layer(1, 900_000)
BLOB = BIG.descriptor()


class Seen:
    """Keeps the events it is told of."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def report(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def _fetch(store: Store, memory: Memory, *layers: Layer, seen: Seen | None = None) -> dict[Any, LayerRecord]:
    fetch = LayerFetch(store, memory, seen or Seen(), {})
    return fetch.run([(one.descriptor(), one.diff_id) for one in layers])


@pytest.fixture
def made(store: Store, memory: Memory) -> Store:
    """A store that exists, and a source with two layers."""
    store.create()
    memory.add("1", [BIG, layer(2)])
    return store


def _forked(work: Any) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child of a process with threads
        pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def test_a_cut_layer_goes_on_where_it_stopped_in_another_process(made: Store, memory: Memory) -> None:
    def cut() -> None:
        memory.cuts[BLOB.digest] = 300_000
        _fetch(made, memory, BIG)

    os.waitpid(_forked(cut), 0)
    kept = os.stat(made.disk.partial(BLOB.digest)).st_size
    assert kept == 300_000
    assert not os.path.exists(f"{made.disk.partial(BLOB.digest)}.layer")
    seen = Seen()
    _fetch(made, memory, BIG, seen=seen)
    assert memory.opened == [(BLOB.digest, kept)]
    assert {event.resumed for event in seen.of(LayerAdvanced)} == {kept}
    assert Path(made.disk.blob(BLOB.digest)).read_bytes() == BIG.blob


def test_a_cut_is_a_clear_error(made: Store, memory: Memory) -> None:
    memory.cuts[BLOB.digest] = 1000
    with pytest.raises(Failed, match=f"^layer {BLOB.digest}: connection reset by peer$"):
        _fetch(made, memory, BIG)


def test_all_bytes_there_need_no_source(made: Store, memory: Memory) -> None:
    Path(made.disk.partial(BLOB.digest)).write_bytes(BIG.blob)
    _fetch(made, memory, BIG)
    assert memory.opened == []


@pytest.mark.parametrize("step", [1 << 20, 100_000, 70_001, 3])
def test_the_index_does_not_depend_on_how_bytes_come(step: int, store: Store, memory: Memory) -> None:
    small = layer(3, 300) if step == 3 else BIG
    memory.step = step
    memory.add("1", [small])
    store.create()
    record = _fetch(store, memory, small)[small.descriptor().digest]
    other = Store(f"{store.disk.root}-other")
    other.create()
    memory.step = CHUNK
    assert _fetch(other, memory, small)[small.descriptor().digest] == record
    ours, theirs = (Path(one.disk.layer_index(small.diff_id)).read_bytes() for one in (store, other))
    assert ours == theirs


def test_nor_on_where_it_was_cut(made: Store, memory: Memory) -> None:
    for position in (5, 300_001, 2 * CHUNK):
        memory.cuts[BLOB.digest] = position - (
            os.stat(path).st_size if os.path.exists(path := made.disk.partial(BLOB.digest)) else 0
        )
        with pytest.raises(Failed):
            _fetch(made, memory, BIG)
    cut = _fetch(made, memory, BIG)
    other = Store(f"{made.disk.root}-other")
    other.create()
    assert _fetch(other, memory, BIG) == cut


class Lying(Memory):
    """Serves other bytes than it should, the first `times` times."""

    times = 1
    lie = staticmethod(lambda data: data)

    def open(self, blob: Descriptor, *, offset: int = 0) -> Stream:
        stream = super().open(blob, offset=offset)
        if self.times > 0:
            self.times -= 1
            return Stream(self.lie(self.blobs[blob.digest]), offset, None, self.step)
        return stream


LIES = {
    "longer": lambda data: data + b"more",
    "shorter": lambda data: data[:-10],
    "other bytes": lambda data: data[:2000] + b"?" + data[2001:],
    "other bytes at the end": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "another blob": lambda data: layer(9, 899_000).blob,
    "nothing": lambda data: b"",
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
def test_wrong_bytes_are_tried_once_more(lie: str, compression: str, store: Store) -> None:
    one = layer(1, 900_000, compression)
    memory = Lying()
    memory.add("1", [one])
    memory.lie = LIES[lie]
    store.create()
    seen = Seen()
    _fetch(store, memory, one, seen=seen)
    assert len(seen.of(Warned)) == 1
    assert Path(store.disk.blob(one.descriptor().digest)).read_bytes() == one.blob


@pytest.mark.parametrize("lie", LIES)
def test_wrong_bytes_twice_are_an_error_and_leave_nothing(lie: str, store: Store) -> None:
    memory = Lying()
    memory.add("1", [BIG])
    memory.lie, memory.times = LIES[lie], 2
    store.create()
    before = state_of_files(store)
    with pytest.raises(Corrupt) as caught:
        _fetch(store, memory, BIG)
    assert str(BLOB.digest) in str(caught.value) or "stream" in str(caught.value)
    if lie not in ("shorter", "nothing"):
        assert state_of_files(store) == before


def state_of_files(store: Store) -> set[str]:
    return {str(path.relative_to(store.disk.root)) for path in Path(store.disk.root).rglob("*")}


def test_rotten_kept_bytes_are_fetched_anew(made: Store, memory: Memory) -> None:
    Path(made.disk.partial(BLOB.digest)).write_bytes(b"?" * 300_000)
    _fetch(made, memory, BIG)
    assert Path(made.disk.blob(BLOB.digest)).read_bytes() == BIG.blob


def test_kept_bytes_beyond_the_end_are_cut(made: Store, memory: Memory) -> None:
    Path(made.disk.partial(BLOB.digest)).write_bytes(BIG.blob + b"more")
    _fetch(made, memory, BIG)
    assert memory.opened == [(BLOB.digest, 0)]


def test_one_failure_stops_the_others_and_is_the_one_told(made: Store, memory: Memory) -> None:
    memory.cuts[layer(2).descriptor().digest] = 10
    with pytest.raises(Failed, match=f"layer {layer(2).descriptor().digest}"):
        _fetch(made, memory, BIG, layer(2))
    assert layer(2).descriptor().digest not in made.blobs


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _hold(store: Store, memory: Memory, reached: Any) -> int:
    """A process that has fetched a part of the blob and keeps the lock until it is killed."""

    def work() -> None:
        with ingest(store.disk, BLOB, lambda: None) as coming:
            coming.feed(BIG.blob[:400_000])
            os.write(reached, b"x")
            signal.pause()

    return _forked(work)


def test_a_second_process_waits_and_takes_over_from_a_dead_one(made: Store, memory: Memory) -> None:
    reader, writer = os.pipe()
    leader = _hold(made, memory, writer)
    assert os.read(reader, 1) == b"x"
    seen = Seen()
    thread = threading.Thread(target=lambda: _fetch(made, memory, BIG, seen=seen))
    thread.start()
    _wait_for(lambda: seen.of(LayerWaiting))
    assert memory.opened == []
    os.kill(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    thread.join(30)
    assert memory.opened == [(BLOB.digest, 400_000)]
    assert len(seen.of(LayerDone)) == 1
    os.close(reader)
    os.close(writer)


def test_a_second_process_takes_what_the_first_has_stored(made: Store, memory: Memory) -> None:
    seen = Seen()
    with ingest(made.disk, BLOB, lambda: None) as coming:
        thread = threading.Thread(target=lambda: _fetch(made, memory, BIG, seen=seen))
        thread.start()
        _wait_for(lambda: seen.of(LayerWaiting))
        coming.feed(BIG.blob)
        coming.commit(BIG.diff_id)
    thread.join(30)
    assert memory.opened == []
    assert len(seen.of(LayerDone)) == 1
    assert os.listdir(made.disk.ingest) == []


def test_a_failure_ends_the_wait_for_another_process(made: Store, memory: Memory) -> None:
    memory.cuts[layer(2).descriptor().digest] = 10
    with ingest(made.disk, BLOB, lambda: None), pytest.raises(Failed, match="connection reset"):
        _fetch(made, memory, BIG, layer(2))


def test_one_blob_is_not_two_layers(made: Store, memory: Memory) -> None:
    wanted = [(BLOB, layer(2).diff_id), (BLOB, BIG.diff_id)]
    with pytest.raises(Corrupt, match=f"but the image config says {BIG.diff_id}"):
        LayerFetch(made, memory, Seen(), {}).run(wanted)


def test_what_is_known_is_not_fetched(made: Store, memory: Memory) -> None:
    brought(made, memory, "app:1")
    before = state(made)
    memory.opened.clear()
    with made.reading() as tx:
        known = {BLOB.digest: images.layer_of_blob(tx, BLOB.digest)}
    seen = Seen()
    LayerFetch(made, memory, seen, known).run([(BLOB, BIG.diff_id)])  # type: ignore[arg-type]
    assert [event.exists for event in seen.of(LayerFound)] == [True]
    assert memory.opened == []
    assert state(made) == before
    assert check(made, data=True).problems == ()
