"""The command line under kill -9, on a full disk and on one that cannot be written."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import counts
from tests.faults.commands import mille, stocked
from tests.faults.scenarios import docker_archive
from tests.store.state import state

from millefeuille.store.store import Store
from millefeuille.testing.registry import FakeRegistry

VERBS = {
    "pull": ("pull", "-q", "{host}/app:1"),
    "load": ("load", "-q", "-i", "{archive}"),
    "tag": ("tag", "{host}/app:base", "renamed"),
    "rm": ("rmi", "{host}/app:2"),
    "prune": ("image", "prune", "-a", "-f"),
    "check": ("system", "check", "--repair"),
}


@pytest.fixture
def served() -> Iterator[FakeRegistry]:
    with stocked() as registry:
        yield registry


@pytest.fixture
def given(tmp_path: Path, served: FakeRegistry) -> Path:
    """A store with two images, an interrupted pull's rest and a damaged layer."""
    root = tmp_path / "given"
    for tag in ("base", "2"):
        assert mille(root, "pull", "-q", f"{served.host}/app:{tag}").returncode == 0
    layer = max((root / "layers").iterdir())
    (layer / "layer.index").unlink()
    (root / "ingest" / f"sha256-{'0' * 64}").write_bytes(b"rest")
    return root


@pytest.mark.long
@pytest.mark.parametrize("verb", VERBS)
def test_a_killed_command_line(
    verb: str, tmp_path: Path, given: Path, served: FakeRegistry, all_cases: bool
) -> None:
    archive = tmp_path / "archive.tar"
    archive.write_bytes(docker_archive("1"))
    words = [word.format(host=served.host, archive=archive) for word in VERBS[verb]]
    trace, never = tmp_path / "trace", tmp_path / "never"
    shutil.copytree(given, never)
    assert mille(never, *words, MILLE_FAULT_TRACE=str(trace)).returncode in (0, 4)
    _tidy(never)
    places = Counter(trace.read_text().splitlines())
    chosen = sorted(places) if all_cases else random.Random(verb).sample(sorted(places), 2)
    for number, place in enumerate(chosen):
        operation, _, site = place.partition("\t")
        root = tmp_path / f"killed{number}"
        shutil.copytree(given, root)
        occurrence = random.Random(place).randint(1, places[place])
        killed = mille(root, *words, MILLE_FAULT=f"{operation}@{site}:{occurrence}:kill")
        assert killed.returncode == -9, (place, killed)
        again = mille(root, *words)
        assert again.returncode in (0, 4) or "No such image" in again.stderr, (place, again)
        _tidy(root)
        assert state(Store(str(root))) == state(Store(str(never))), place
        shutil.rmtree(root)
    counts.said.append(f"mille {verb}: {len(chosen)} of {len(places)} places killed in a process of its own")


def _tidy(root: Path) -> None:
    assert mille(root, "system", "check", "--repair").returncode in (0, 4)
    assert mille(root, "image", "prune", "-f").returncode == 0
    assert mille(root, "system", "check", "--data").returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB with 300 inodes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m,nr_inodes=300,mode=700", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill_bytes(disk: Path) -> None:
    with open(disk / "filler", "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue


def _fill_inodes(disk: Path) -> None:
    (disk / "filler").mkdir()
    try:
        for number in range(1000):
            (disk / "filler" / str(number)).touch()
    except OSError:
        return


@pytest.mark.walk
@pytest.mark.parametrize("fill", [_fill_bytes, _fill_inodes])
def test_a_full_disk(fill: object, small_disk: Path, served: FakeRegistry) -> None:
    root = small_disk / "store"
    for tag in ("base", "2"):
        assert mille(root, "pull", "-q", f"{served.host}/app:{tag}").returncode == 0
    assert callable(fill)
    fill(small_disk)
    refused = mille(root, "pull", "-q", f"{served.host}/app:1")
    assert refused.returncode == 1
    error, *advice = refused.stderr.splitlines()
    assert error.startswith("Error: ") and "no space left on device" in error
    assert any("prune" in line for line in advice)
    for words in (("image", "ls"), ("system", "df"), ("system", "check")):
        assert mille(root, *words).returncode == 0, words
    assert mille(root, "rmi", f"{served.host}/app:2").returncode == 0
    assert mille(root, "image", "prune", "-a", "-f").returncode == 0
    filler = small_disk / "filler"
    shutil.rmtree(filler) if filler.is_dir() else filler.unlink()
    assert mille(root, "pull", "-q", f"{served.host}/app:1").returncode == 0
    assert (root / "ballast").stat().st_blocks * 512 >= 4 << 20
    assert mille(root, "system", "check", "--data").returncode == 0


@pytest.mark.walk
def test_a_disk_that_cannot_be_written(small_disk: Path, served: FakeRegistry) -> None:
    root = small_disk / "store"
    name = f"{served.host}/app:base"
    assert mille(root, "pull", "-q", name).returncode == 0
    listed = mille(root, "image", "ls", "-q").stdout
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert mille(root, "image", "ls", "-q").stdout == listed != ""
    for words in (("inspect", name), ("history", name), ("system", "df"), ("system", "check", "--data")):
        assert mille(root, *words).returncode == 0, words
    pull = ("pull", f"{served.host}/app:1")
    for words in (pull, ("rmi", name), ("image", "prune", "-f"), ("tag", name, "x")):
        refused = mille(root, *words)
        assert refused.returncode == 1
        error, advice = refused.stderr.splitlines()
        assert "read-only file system" in error
        assert advice == "Choose a writable store with --root or MILLE_ROOT."
    assert os.listdir(small_disk) == ["store"]
