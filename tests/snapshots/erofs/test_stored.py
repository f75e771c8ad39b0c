"""Metadata images of a store: made when missing, and held against their hash before they are mounted."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from tests.snapshots.stored import bring
from tests.store.memory import Memory

from millefeuille.oci.digest import Digest
from millefeuille.snapshots.erofs import stored
from millefeuille.snapshots.erofs.checked import Checked
from millefeuille.snapshots.erofs.stored import DamagedChain, stored_chain
from millefeuille.store.store import Store
from millefeuille.testing.rawtars import archive, directory, file

TAR = archive(directory(b"d"), *(file(b"d/f%d" % n, bytes([n]) * 700) for n in range(20)))


@pytest.fixture
def chain(store: Store, memory: Memory) -> Digest:
    return bring(store, memory, "app:1", TAR)[-1]


def flip(path: Path, position: int, bit: int) -> None:
    """Turn one bit over, in place."""
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << bit
    path.write_bytes(data)


def test_made_at_the_first_mount(store: Store, chain: Digest) -> None:
    assert not os.path.exists(store.disk.chain(chain))
    found = stored_chain(store, chain)
    assert found.metadata == store.disk.chain(chain)
    inode = os.stat(found.metadata).st_ino
    assert stored_chain(store, chain) == found
    assert os.stat(found.metadata).st_ino == inode


@pytest.mark.parametrize("remembers", [True, False])
def test_a_flipped_bit_is_found_before_the_mount(
    store: Store, chain: Digest, tmp_path: Path, remembers: bool
) -> None:
    checked = Checked(str(tmp_path / "run/checked")) if remembers else None
    path = Path(stored_chain(store, chain, checked).metadata)
    whole = path.read_bytes()
    dice = random.Random(7)
    for _ in range(50):
        flip(path, dice.randrange(len(whole)), dice.randrange(8))
        assert path.read_bytes() != whole
        stored_chain(store, chain, checked)
        assert path.read_bytes() == whole


def test_a_flipped_bit_in_an_index_is_found(store: Store, chain: Digest) -> None:
    path = Path(store.disk.layer_index(Digest.of(TAR)))
    dice = random.Random(7)
    for _ in range(50):
        position, bit = dice.randrange(path.stat().st_size), dice.randrange(8)
        flip(path, position, bit)
        with pytest.raises(DamagedChain):
            stored_chain(store, chain)
        flip(path, position, bit)
    stored_chain(store, chain)


def test_read_once_while_it_is_the_same_file(
    store: Store, chain: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = Checked(str(tmp_path / "checked"))
    hashed: list[str] = []
    hash_of = stored.hash_of
    monkeypatch.setattr(stored, "hash_of", lambda path: hashed.append(path) or hash_of(path))
    stored_chain(store, chain, checked)
    for _ in range(3):
        stored_chain(store, chain, checked)
    assert len(hashed) == 1
    os.utime(store.disk.chain(chain))
    stored_chain(store, chain, checked)
    assert len(hashed) == 2
    monkeypatch.setattr("millefeuille.snapshots.erofs.checked.boot", lambda: "another")
    stored_chain(store, chain, checked)
    assert len(hashed) == 3
