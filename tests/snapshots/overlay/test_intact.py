"""What is not as its layer any more in what was extracted: found, set aside, and extracted again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.analysis.stacks import stack
from tests.snapshots.overlay.test_stored import LOWER, UPPER
from tests.snapshots.stored import bring
from tests.snapshots.test_hostile import BEYOND_EXT4, SLOW, inflated
from tests.store.memory import Memory

from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.overlay.intact import damaged
from millefeuille.snapshots.overlay.stored import extracted_chain
from millefeuille.store.check import check
from millefeuille.store.repair import repair
from millefeuille.store.store import Store
from millefeuille.testing.hostile import CASES

pytestmark = pytest.mark.walk


@pytest.fixture(autouse=True)
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("owners and mounts need root")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    status, data = path.stat(), bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))


def again(path: Path) -> None:
    status, data = path.stat(), path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    path.chmod(status.st_mode & 0o7777)


CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "emptied": ("d/f1", empty),
    "flipped": ("d/f2", flip),
    "gone": ("d/f3", Path.unlink),
    "a link's other name gone": ("d/link", Path.unlink),
    "new": ("d/new", Path.touch),
    "another mode": ("d/f1", lambda path: path.chmod(0o600)),
    "another time": ("d/f1", again),
    "another owner": ("d", lambda path: os.chown(path, 1, 1)),
    "another target": ("s", lambda path: (path.unlink(), path.symlink_to("d/f3"))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_and_mended(store: Store, memory: Memory, change: str) -> None:
    lower, upper = bring(store, memory, "app:1", LOWER, UPPER)
    paths = extracted_chain(store, upper, marks="trusted")

    def look(data: bool) -> dict[Digest, str]:
        return damaged(store, marks="trusted", data=data)

    assert check(store, data=True, extractions=look).problems == ()
    name, act = CHANGES[change]
    act(Path(paths[1]) / name)
    report = check(store, data=True, extractions=look)
    assert [(one.kind, one.subject) for one in report.problems] == [("extraction", str(lower))]
    assert bool(look(False)) == (change != "flipped"), "bytes are read only where that is asked for"
    assert repair(store, report, data=True)[0].startswith(f"moved what was extracted of chain {lower} to")
    assert check(store, data=True, extractions=look).problems == ()
    assert extracted_chain(store, upper, marks="trusted") == paths
    assert check(store, data=True, extractions=look).problems == ()


def test_whatever_is_extracted_is_as_its_layers_say(store: Store, memory: Memory, all_cases: bool) -> None:
    count = 200 if all_cases else 40
    looked = 0
    for seed in range(count):
        chain = bring(store, memory, f"app:{seed}", *stack(seed))[-1]
        looked += bool(extracted_chain(store, chain, marks="trusted"))
    assert (looked, damaged(store, marks="trusted", data=True)) == (count, {})


def test_what_is_hostile_is_extracted_as_its_layers_say(store: Store, memory: Memory) -> None:
    looked = 0
    for case in CASES:
        if case.refused is not None or case.id in SLOW or case.id in BEYOND_EXT4:
            continue
        chain = bring(store, memory, f"app:{case.id.lower()}", *map(inflated, case.tars()))[-1]
        extracted_chain(store, chain, marks="trusted")
        assert damaged(store, marks="trusted", data=True) == {}, case.id
        looked += 1
        with store.writing() as tx:
            remove(tx, f"app:{case.id.lower()}", Nobody())
    assert looked > 80
