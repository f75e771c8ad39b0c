"""A disk that fills up in the midst of a build: a clear error, a whole store, and the next build works."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.yard import BASE, COPY, MADE, Yard

from millefeuille.testing.images import MadeImage

pytestmark = pytest.mark.walk


@pytest.fixture
def yard(tmp_path: Path, busybox: MadeImage) -> Iterator[Yard]:
    """A yard whose store is on a file system of 24 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    store, image = tmp_path / "store", tmp_path / "disk"
    store.mkdir()
    with open(image, "wb") as file:
        file.truncate(24 << 20)
    made = ["mkfs.ext4", "-q", "-m", "0", str(image)]
    mounted = ["mount", "-o", "loop", str(image), str(store)]
    for command in (made, mounted):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            pytest.skip(str(error))
        if done.returncode:
            pytest.skip(done.stderr)
    try:
        os.chmod(store, 0o700)
        os.rmdir(store / "lost+found")
        yard = Yard(tmp_path, busybox)
        yield yard
        assert yard.remnants() == []
        assert yard.done("system", "check", "--data")
    finally:
        subprocess.run(["umount", "--lazy", str(store)], check=True)


def check_the_rest_works(yard: Yard) -> None:
    assert yard.done("system", "check", "--data")
    assert yard.left() == []
    done = yard.build(COPY)
    assert done.returncode == 0, done.stderr
    assert yard.done("image", "inspect", MADE)


def test_a_copy_that_does_not_fit(yard: Yard) -> None:
    (yard.context / "large").write_bytes(os.urandom(26 << 20))
    refused = yard.build("FROM scratch\nCOPY tree /t\nCOPY large /\n")
    assert refused.returncode == 1
    errors = [line for line in refused.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and "no space left on device" in errors[0], refused.stderr
    check_the_rest_works(yard)


def test_a_command_that_fills_the_disk(yard: Yard) -> None:
    words = yard.words(f"FROM {BASE}\nRUN dd if=/dev/urandom of=/large bs=1M count=30\n")
    refused = yard.mille(*(word for word in words if word != "-q"))
    assert refused.returncode == 1
    assert "No space left on device" in refused.stderr
    assert "Error: process \"/bin/sh -c dd if=" in refused.stderr, refused.stderr
    check_the_rest_works(yard)


def test_a_layer_that_does_not_fit_beside_what_was_written(yard: Yard) -> None:
    refused = yard.build(f"FROM {BASE}\nRUN dd if=/dev/urandom of=/large bs=1M count=11\n")
    assert refused.returncode == 1
    errors = [line for line in refused.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and "no space left on device" in errors[0], refused.stderr
    check_the_rest_works(yard)
