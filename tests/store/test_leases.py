from __future__ import annotations

import fcntl
import itertools
import os
import signal
import threading
import warnings
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, layer
from tests.store.state import dump, tidy

from millefeuille import files
from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.oci.digest import Digest
from millefeuille.store import leases
from millefeuille.store.store import Store

ITEM = Digest.of(b"item")


@pytest.fixture
def made(store: Store) -> Store:
    store.create()
    return store


def _claims(store: Store) -> set[str]:
    with store.writing() as tx:
        return leases.sweep(tx)


def test_it_lives_as_long_as_the_block(made: Store) -> None:
    with leases.lease(made.disk, "test", [ITEM]) as held:
        assert os.listdir(made.disk.leases) == [held.id]
        assert leases.anyone(made.disk)
        assert _claims(made) == {str(ITEM)}
        held.claim([Digest.of(b"more")])
        assert len(_claims(made)) == 2
    assert os.listdir(made.disk.leases) == []
    assert not leases.anyone(made.disk)
    assert _claims(made) == set()
    assert dump(made.disk.database)["leases"] == []


def test_one_that_claims_nothing_yet_writes_nothing(made: Store) -> None:
    with made.writing():
        pass  # the database is made
    before = Path(made.disk.database).read_bytes()
    with leases.lease(made.disk, "test") as held:
        assert Path(made.disk.database).read_bytes() == before
        assert leases.anyone(made.disk)
        assert _claims(made) == set()
        held.claim([ITEM])
        assert _claims(made) == {str(ITEM)}
        assert dump(made.disk.database)["leases"] != []
    assert _claims(made) == set()


def test_who_rehearses_leaves_the_dead_and_takes_no_lease(
    made: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Path(made.disk.leases, "dead")
    dead.touch()
    with made.writing() as tx:
        tx.execute("INSERT INTO leases VALUES ('dead', 'test', 1, 1)")
        tx.execute("INSERT INTO lease_items VALUES ('dead', ?)", (str(ITEM),))
    with made.rehearsing() as rehearsal:
        assert leases.sweep(rehearsal) == set()
    assert dead.exists()
    looking: list[int] = []

    def look(act: str, subject: object) -> None:
        """As one does who rehearses, between the making of a lease's file and its lock."""
        if act == "flock" and not looking and (new := set(os.listdir(made.disk.leases)) - {"dead"}):
            looking.append(os.open(f"{made.disk.leases}/{new.pop()}", os.O_RDONLY))
            fcntl.flock(looking[0], fcntl.LOCK_SH)
            threading.Timer(0.05, os.close, looking).start()

    monkeypatch.setattr(files, "hook", look)
    with leases.lease(made.disk, "test", [ITEM]):
        assert looking
        assert leases.anyone(made.disk)
        with made.rehearsing() as rehearsal:
            assert leases.sweep(rehearsal) == {str(ITEM)}


def test_release_drops_its_claims_in_the_transaction(made: Store) -> None:
    with leases.lease(made.disk, "test", [ITEM]) as held, made.writing() as tx:
        leases.release(tx, held)
        assert leases.sweep(tx) == set()


def test_it_dies_with_its_process(made: Store) -> None:
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child of a process with threads
        pid = os.fork()
    if pid == 0:
        with leases.lease(made.disk, "test", [ITEM]):
            os.write(writer, b"x")
            signal.pause()
    assert os.read(reader, 1) == b"x"
    assert _claims(made) == {str(ITEM)}
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert _claims(made) == set()
    assert os.listdir(made.disk.leases) == []
    os.close(reader)
    os.close(writer)


def test_what_is_claimed_outlives_its_image(made: Store, memory: Memory) -> None:
    memory.add("1", [layer(1), layer(2)])
    brought(made, memory, "app:1")
    kept = layer(1)
    claims = [kept.descriptor().digest, kept.diff_id]
    with leases.lease(made.disk, "pull", claims):
        with made.writing() as tx:
            remove(tx, "app:1", Nobody())
        assert list(made.blobs) == [kept.descriptor().digest]
        assert os.listdir(made.disk.layers) == [kept.diff_id.hex]
    tidy(made)
    assert list(made.blobs) == []
    assert os.listdir(made.disk.layers) == []


def test_a_chain_that_was_claimed_for_nothing_goes(made: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(made, memory, "app:1")
    chain = layer(1).diff_id  # of a single layer
    with leases.lease(made.disk, "pull", [chain]), made.writing() as tx:
        remove(tx, "app:1", Nobody())
        assert tx.execute("SELECT chain FROM chains").fetchall() == [(str(chain),)]
    tidy(made)
    assert dump(made.disk.database)["chains"] == []
    assert dump(made.disk.database)["layers"] == []
    assert os.listdir(made.disk.layers) == []


def test_a_file_whose_process_died_before_its_row(made: Store) -> None:
    Path(made.disk.leases, "f" * 32).write_bytes(b"")
    assert not leases.anyone(made.disk)
    assert os.listdir(made.disk.leases) == []


def test_what_is_found_is_looked_for_again_once_it_is_claimed(made: Store) -> None:
    looks = iter([{b"one"}, {b"two"}, {b"two"}])
    with leases.upheld(made.disk, "test", lambda: next(looks), lambda them: map(Digest.of, them)) as found:
        assert found[0] == {b"two"}
        assert str(Digest.of(b"two")) in _claims(made)
    assert _claims(made) == set()


def test_what_is_another_one_at_each_look(made: Store) -> None:
    looks = itertools.count()
    held = leases.upheld(made.disk, "test", lambda: next(looks), lambda n: [Digest.of(b"%d" % n)])
    with pytest.raises(leases.Unsettled, match=r"^test: another one at each of 20 looks$"), held:
        pass
    assert os.listdir(made.disk.leases) == []
