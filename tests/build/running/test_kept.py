"""Roots of steps that failed: what is kept of them, a shell in one, how many there are, and how they go."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from tests.build.running.steps import Steps

from millefeuille.build.running import kept, record
from millefeuille.build.running.failure import StepFailed
from millefeuille.build.running.kept import KeptRoot, NoSuchRoot, RootInUse
from millefeuille.build.running.shell import open_shell
from millefeuille.build.running.sweep import sweep
from millefeuille.build.running.wish import (
    Bind,
    Cache,
    ChainTree,
    HostTree,
    Memory,
    RunWish,
    Script,
    Secret,
    Ssh,
)
from millefeuille.oci.digest import Digest
from millefeuille.runtime.runtime import StartFailed, Stdio

CHAIN = Digest.parse("sha256:" + "ab" * 32)


def test_record() -> None:
    public = (
        Bind(target="/b", source=HostTree(root="/x", path="y", hidden=(b"a\xff", b"c")), writable=True),
        Bind(target="/c", source=ChainTree(chain=CHAIN, path="/z")),
        Bind(target="/d", source=ChainTree(chain=None)),
        Cache(target="/e", id="i", sharing="locked", mode=0o700, uid=1, gid=2, read_only=True),
        Cache(target="/f", seed=ChainTree(chain=CHAIN)),
        Memory(target="/g", size=3), Script(name="EOF", content=b"#!/bin/sh\n\xfe"),
    )  # fmt: skip
    secret = (Secret(value=b"hush", target="/s"), Ssh(agent="/agent"))
    wish = RunWish(
        parent=CHAIN, arguments=("a", "b"), environment=("A=1",), proxies=("P=hush",), directory="/d",
        user="u:g", mounts=(*public, *secret), network="none", security="insecure", hostname="h",
        extra_hosts=(("n", "1.2.3.4"),), shm_size=5, ulimits=({"Name": "nofile", "Soft": 1, "Hard": 2},),
        resources={"Memory": 7},
    )  # fmt: skip
    text = record.encoded(wish, 12.5)
    assert b"hush" not in text
    again, moment = record.decoded(text)
    assert moment == 12.5
    assert again.mounts == public
    assert again.proxies == ()
    names = [name for name in wish.__slots__ if name not in ("mounts", "proxies")]  # type: ignore[attr-defined]
    assert all(getattr(again, name) == getattr(wish, name) for name in names)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"mounts": [{"type": "x"}]}'])
def test_damaged_record(text: str) -> None:
    with pytest.raises(record.DamagedRecord):
        record.decoded(text.encode())


def failed(steps: Steps, script: str = "echo x > /srv/left; exit 3", **wishes: object) -> KeptRoot:
    with pytest.raises(StepFailed) as caught:
        steps.sh(script, keep=True, **wishes)
    assert caught.value.kept is not None
    return kept.find(steps.host, caught.value.kept[:12])


def inside(steps: Steps, root: KeptRoot, *arguments: str) -> tuple[int, str]:
    reading, writing = os.pipe()
    try:
        code = open_shell(
            steps.host, root, arguments, stdio=Stdio(stdin=None, stdout=writing, stderr=writing),
            terminal=False,
        )  # fmt: skip
    finally:
        os.close(writing)
        with open(reading) as file:
            output = file.read()
    return code, output


@pytest.mark.walk
def test_shell(steps: Steps, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context/file").write_text("context\n")
    mounts = (
        Bind(target="/m", source=HostTree(root=str(tmp_path / "context"))), Cache(target="/c", uid=33),
        Secret(value=b"hush", target="/run/secrets/it"),
    )  # fmt: skip
    root = failed(
        steps, "echo x > left; echo y > /c/y; exit 3", mounts=mounts, user="web", directory="/w",
        environment=("A=1",),
    )  # fmt: skip
    assert root.wish.arguments[0] == "/bin/sh"
    code, output = inside(
        steps, root, "/bin/sh", "-c", "pwd; id -u; echo $A; cat left /m/file; ls /c; ls /run 2>&1; exit 5"
    )
    assert (code, output.splitlines()[:6]) == (5, ["/w", "33", "1", "x", "context", "y"])
    assert "hush" not in output
    assert inside(steps, root, "/bin/sh", "-c", "echo more > left") == (0, "")
    assert inside(steps, root, "/bin/cat", "left") == (0, "more\n")
    kept.forget(steps.host, root.id)
    with pytest.raises(NoSuchRoot):
        inside(steps, root, "/bin/true")


@pytest.mark.walk
def test_context_that_is_gone(steps: Steps, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    mount = Bind(target="/m", source=HostTree(root=str(tmp_path / "context")))
    root = failed(steps, "exit 1", mounts=(mount, Memory(target="/t")))
    (tmp_path / "context").rmdir()
    assert inside(steps, root, "/bin/sh", "-c", "[ ! -e /m ] && [ -d /t ]") == (0, "")
    kept.forget(steps.host, root.id)


@pytest.mark.walk
def test_places_for_mounts_are_not_in_a_kept_root(steps: Steps) -> None:
    root = failed(steps, "exit 1", mounts=(Memory(target="/a/b"),))
    upper = Path(steps.host.snapshots.changes(root.id).upper)
    assert not (upper / "a").exists()
    inside(steps, root, "/bin/true")
    assert not (upper / "a").exists()
    kept.forget(steps.host, root.id)


@pytest.mark.walk
def test_terminal(steps: Steps) -> None:
    root = failed(steps)
    ours, theirs = os.openpty()
    stdio = Stdio(stdin=theirs, stdout=theirs, stderr=theirs)
    code = open_shell(steps.host, root, ["/bin/sh", "-c", "[ -t 0 ] && exit 7"], stdio=stdio, terminal=True)
    os.close(ours)
    os.close(theirs)
    assert code == 7
    kept.forget(steps.host, root.id)


@pytest.mark.walk
def test_no_shell(steps: Steps) -> None:
    root = failed(steps)
    with pytest.raises(StartFailed, match="no such file"):
        inside(steps, root, "/bin/bash")
    assert inside(steps, root, "/bin/cat", "/srv/left") == (0, "x\n")
    kept.forget(steps.host, root.id)


@pytest.mark.walk
def test_one_at_a_time(steps: Steps) -> None:
    root = failed(steps)
    with kept.entered(steps.host, root.id):
        with pytest.raises(RootInUse):
            inside(steps, root, "/bin/true")
        assert kept.prune(steps.host) == []
    assert [one.id for one in kept.prune(steps.host)] == [root.id]


@pytest.mark.walk
def test_what_roots_take_is_told_when_they_go(steps: Steps) -> None:
    small, large = failed(steps), failed(steps, "head -c 2000000 /dev/urandom > /srv/left; exit 3")
    with kept.entered(steps.host, large.id):
        found = {root.id: root for root in kept.every(steps.host.kept, steps.host.snapshots)}
    assert [found[root.id].is_in_use for root in (small, large)] == [False, True]
    assert found[small.id].size < 2_000_000 <= found[large.id].size < 2_200_000
    assert found[large.id].arguments == large.wish.arguments
    gone = kept.prune(steps.host, lambda root: root.size > 1_000_000)
    assert [(root.id, root.size) for root in gone] == [(large.id, found[large.id].size)]
    assert [root.id for root in kept.prune(steps.host)] == [small.id]
    assert kept.every(steps.host.kept, steps.host.snapshots) == []


@pytest.mark.walk
def test_the_newest_are_kept(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST", 2)
    roots = [failed(steps) for _ in range(4)]
    assert [root.id for root in kept.kept_roots(steps.host)] == [roots[3].id, roots[2].id]
    assert sorted(steps.host.snapshots) == sorted(root.id for root in roots[2:])
    kept.prune(steps.host)


@pytest.mark.walk
def test_kept_over_a_sweep(steps: Steps) -> None:
    root = failed(steps)
    # As a build that is killed right after the record leaves it.
    bundle = Path(steps.host.directory, root.id)
    bundle.mkdir()
    (bundle / "lock").touch()
    assert sweep(steps.host) == [root.id]
    assert inside(steps, root, "/bin/cat", "/srv/left") == (0, "x\n")
    kept.forget(steps.host, root.id)


@pytest.mark.walk
def test_removal_that_was_killed(steps: Steps) -> None:
    root = failed(steps)
    upper = Path(steps.host.snapshots.changes(root.id).upper)
    (upper.parent / "parent").unlink()  # as `remove` begins
    sweep(steps.host)
    assert kept.kept_roots(steps.host) == []
    assert not upper.parent.exists()


@pytest.mark.walk
def test_nothing_is_kept_unless_asked_for(steps: Steps) -> None:
    with pytest.raises(StepFailed) as caught:
        steps.sh("echo last words; exit 3")
    assert caught.value.kept is None
    assert caught.value.lines == (b"last words",)
    assert kept.kept_roots(steps.host) == []


@pytest.mark.walk
def test_find(steps: Steps) -> None:
    root = failed(steps)
    for text in ("", root.id[:3], "nothing"):
        with pytest.raises(NoSuchRoot):
            kept.find(steps.host, text)
    assert kept.find(steps.host, root.id) == root
    Path(steps.host.record(root.id)).write_text(json.dumps({}))
    assert kept.kept_roots(steps.host) == []
    kept.forget(steps.host, root.id)


def test_a_failure_whose_root_does_not_fit_is_told(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "the record")

    monkeypatch.setattr(kept, "keep", full)
    with pytest.raises(StepFailed) as caught:
        steps.sh("exit 3", keep=True)
    assert (caught.value.code, caught.value.kept) == (3, None)
    assert caught.value.advice == "Nothing of it was kept: no space left on device"
