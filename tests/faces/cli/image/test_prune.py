"""`image prune`, and what `events` tells of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

DANGLING = "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] "
UNUSED = (
    "WARNING! This will remove all images without at least one container associated to them.\n"
    "Are you sure you want to continue? [y/N] "
)


@pytest.fixture
def image(home: Home, tmp_path: Path) -> str:
    """The ID of an image that a later one has taken the name of."""
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    out, err, code = home.mille("import", str(tmp_path / "empty.tar"), "x")
    assert (err, code) == ("", 0)
    assert home.mille("import", "-m", "again", str(tmp_path / "empty.tar"), "x")[2] == 0
    return out.strip()


def events(home: Home, *words: str) -> list[str]:
    """What `events` tells of prunes, up to now; it reads times in whole seconds."""
    until = str(int(time.time()) + 1)
    out, err, code = home.mille("events", "--since", "1", "--until", until, "-f", "event=prune", *words)
    assert (err, code) == ("", 0)
    return out.splitlines()


def test_asks_first(home: Home, image: str) -> None:
    assert home.mille("image", "prune", typed="n\n") == (DANGLING, "", 0)
    assert home.mille("image", "prune", "-a", typed="") == (UNUSED, "", 0)
    assert len(home.mille("images", "-q")[0].splitlines()) == 2


def test_tells_what_went(home: Home, image: str) -> None:
    deleted = f"Deleted Images:\ndeleted: {image}\n\nTotal reclaimed space: 0B\n"
    assert home.mille("image", "prune", typed="y\n") == (DANGLING + deleted, "", 0)
    assert home.mille("image", "prune", "-f") == ("Total reclaimed space: 0B\n", "", 0)


def test_counts_files_without_an_owner(home: Home, image: str) -> None:
    left = home.store / "ingest" / "left"  # by a command that was killed
    left.write_bytes(bytes(1_228_800))
    rehearsed = home.mille("image", "prune", "--dry-run")[0]
    assert rehearsed.endswith("Unowned files: 1.229MB\nTotal space to be reclaimed: 1.229MB\n")
    assert home.mille("image", "prune", "-f")[0].endswith("\n\nTotal reclaimed space: 1.229MB\n")
    left.write_bytes(bytes(1_228_800))
    assert home.mille("system", "prune", "-f") == ("Total reclaimed space: 1.229MB\n", "", 0)


def test_is_an_event(home: Home, image: str) -> None:
    home.mille("image", "prune", "-f")
    (line,) = events(home, "--format", "json")
    event = json.loads(line)
    assert (event["Type"], event["Action"]) == ("image", "prune")
    assert event["Actor"] == {"ID": "", "Attributes": {"reclaimed": "0"}}


def test_events_of_names_carry_the_labels(home: Home, tmp_path: Path) -> None:
    """As Docker's do: a tag and its digests are one event, and a deleted image has no labels any more."""
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    image = home.mille("import", "-c", "LABEL a=b", str(tmp_path / "empty.tar"), "x")[0].strip()
    home.mille("tag", "x", "y:1")
    home.mille("rmi", "x", "y:1")
    until = str(int(time.time()) + 1)
    words = ("--format", "{{.Action}} {{json .Actor.Attributes}}", "-f", "event=tag", "-f", "event=untag")
    out, _, code = home.mille(
        "events", "--since", "1", "--until", until, *words, "-f", "event=delete", "-f", f"image={image}"
    )
    assert code == 0
    named = json.dumps({"a": "b", "name": image}, separators=(",", ":"))
    lines = [line for line in out.splitlines() if "x:latest" not in line]
    assert lines == [
        'tag {"a":"b","name":"y:1"}',
        f"untag {named}",
        f"untag {named}",
        f'delete {{"name":"{image}"}}',
    ]


def test_a_rehearsal_is_none(home: Home, image: str) -> None:
    out, _, code = home.mille("image", "prune", "--dry-run")
    assert code == 0
    assert image[7:19] in out
    assert events(home) == []
    assert len(home.mille("images", "-q")[0].splitlines()) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
@pytest.mark.parametrize("words", [("image", "prune", "-a", "--dry-run"), ("system", "map")])
def test_a_rehearsal_in_a_store_that_is_read_only(words: tuple[str, ...], home: Home, image: str) -> None:
    writable = home.mille(*words)
    assert writable[2] == 0
    subprocess.run(["mount", "--bind", home.store, home.store], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", home.store], check=True)
        assert home.mille(*words) == writable
    finally:
        subprocess.run(["umount", home.store], check=True)
