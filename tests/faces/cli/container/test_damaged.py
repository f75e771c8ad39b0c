"""One container whose record cannot be read stands in nobody's way, and can be removed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.faces.cli.home import Home

pytestmark = pytest.mark.walk

DEEP = b"[" * 100_000
SHAPES: list[bytes | None] = [
    None, b"", b"null", b"[]", b'"x"', b"5", b"{}", b"\xff", DEEP, b'{"Id": ' + DEEP,
]  # fmt: skip
WRONG: list[dict[str, Any]] = [
    {"Id": "0" * 64}, {"Created": 5}, {"Config": []}, {"HostConfig": "x"}, {"Args": [1]},
    {"MountPoints": [7]}, {"Image": "latest"}, {"NetworkingConfig": None},
]  # fmt: skip


def made(box: Home, name: str) -> Path:
    """A new container's directory."""
    out, err, code = box.mille("create", "--name", name, "--label", "k=v", "busybox", "true")
    assert code == 0, err
    return box.store / "containers" / out.strip()


def damage(box: Home, name: str, data: bytes | None) -> Path:
    """A container whose record has these bytes; without any, its directory is gone."""
    directory = made(box, name)
    if data is None:
        shutil.rmtree(directory)
    else:
        (directory / "config.json").write_bytes(data)
    return directory


def names(box: Home, *words: str) -> list[str]:
    out, err, code = box.mille("ps", "-a", "--format", "{{.Names}}", *words)
    assert (code, err) == (0, "")
    return out.split()


@pytest.mark.parametrize("data", SHAPES, ids=range(len(SHAPES)))
def test_others_are_listed_and_it_can_be_removed(box: Home, data: bytes | None) -> None:
    made(box, "good")
    damage(box, "bad", data)
    assert names(box) == ["bad", "good"]
    assert box.mille("system", "df")[2] == 0
    out, err, code = box.mille("start", "bad")
    assert (out, code) == ("", 1) and "config.json: " in err and "internal error" not in err
    assert "Remove the container with `mille rm -f " in err
    assert box.mille("rm", "-f", "bad") == ("bad\n", "", 0)
    assert names(box) == ["good"]
    made(box, "bad")


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
def test_members_of_the_wrong_type(box: Home, wrong: dict[str, Any]) -> None:
    path = made(box, "bad") / "config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | wrong))
    assert names(box) == ["bad"]
    assert "not a container's record" in box.mille("inspect", "bad")[1]
    assert box.mille("container", "prune", "-f")[2] == 0
    assert names(box) == []


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b'"x"', DEEP, b'{"Status": 5}'], ids=range(6)
)  # fmt: skip
def test_a_state_that_cannot_be_read(box: Home, data: bytes) -> None:
    directory = made(box, "one")
    (directory / "state.json").write_bytes(data)
    assert names(box, "--filter", "status=created") == ["one"]
    out, _, code = box.mille("system", "check", "--repair")
    moved = f"moved the state of container {directory.name[:12]} to {box.store}/lost+found/"
    assert (code, moved in out) == (4, True)
    assert box.mille("start", "-a", "one") == ("", "", 0)


def test_one_that_runs_is_ended(box: Home) -> None:
    id = box.mille("run", "-d", "--network", "none", "--name", "bad", "busybox", "sleep", "100")[0].strip()
    (box.store / "containers" / id / "config.json").write_bytes(b"")
    assert names(box, "--filter", "status=running") == ["bad"]
    assert "stays as it is" in box.mille("system", "check", "--repair")[0]
    assert box.mille("rm", "bad")[2] == 1
    assert box.mille("volume", "create")[2] == 0
    out, err, code = box.mille("system", "prune", "-f", "--volumes")
    assert (out, code) == ("Total reclaimed space: 0B\n", 1) and "config.json: " in err
    assert box.mille("rm", "-f", "bad") == ("bad\n", "", 0)


def test_one_that_runs_with_a_state_that_cannot_be_read(box: Home) -> None:
    id = box.mille("run", "-d", "--network", "none", "--name", "bad", "busybox", "sleep", "100")[0].strip()
    (box.store / "containers" / id / "state.json").write_bytes(b"null")
    assert "is running: stop the container before" in box.mille("rm", "bad")[1]
    assert box.mille("rm", "-f", "bad") == ("bad\n", "", 0)


@pytest.mark.parametrize("data", [b"", None], ids=["empty", "missing"])
def test_check_tells_and_repair_sets_aside_what_it_wrote(box: Home, data: bytes | None) -> None:
    directory = damage(box, "bad", data)
    written = box.store / "snapshots" / directory.name / "upper" / "dear"
    written.write_text("me")
    out, _, code = box.mille("system", "check")
    assert (code, f"container {directory.name}: {directory}/config.json: " in out) == (3, True)
    assert box.mille("system", "check", "--repair")[2] == 4
    [kept] = (box.store / "lost+found").iterdir()
    assert (kept / "root" / "upper" / "dear").read_text() == "me"
    assert names(box) == []
    assert box.mille("system", "check")[2] == 0
    made(box, "bad")


def test_no_volume_goes_that_it_may_have(box: Home) -> None:
    assert box.mille("volume", "create", "dear")[2] == 0
    directory = damage(box, "bad", b"")
    for words in (("volume", "rm", "dear"), ("volume", "prune", "-af")):
        out, err, code = box.mille(*words)
        assert (out, code) == ("", 1)
        assert err.endswith(f"Remove the container with `mille rm -f {directory.name[:12]}`.\n")
    assert box.mille("volume", "ls", "-q", "-f", "dangling=true")[0] == "dear\n"
    assert box.mille("rm", "bad")[2] == 0
    assert box.mille("volume", "rm", "dear")[2] == 0


def test_nobody_knows_its_labels(box: Home) -> None:
    damage(box, "bad", b"")
    assert box.mille("container", "prune", "-f", "--filter", "label!=k=v")[0].startswith("Total")
    assert names(box) == ["bad"]
