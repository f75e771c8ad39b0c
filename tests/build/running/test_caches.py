"""Cache mounts: what outlives a step, who shares it with whom, and what is told and removed of it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.build.running.steps import Steps

from millefeuille import files
from millefeuille.build.running import caches
from millefeuille.build.running.failure import StepStopped
from millefeuille.build.running.wish import Cache, ChainTree, HostTree

pytestmark = pytest.mark.walk

CACHE = Cache(target="/c")


def test_outlives_the_step(steps: Steps) -> None:
    assert steps.sh("stat -c '%a %u %g' /c; echo x > /c/x", mounts=(CACHE,)) == {}
    assert steps.output == "755 0 0\n"
    steps.sh("cat /elsewhere/x", mounts=(Cache(target="/elsewhere", id="/c"),))
    assert steps.output == "x\n"
    steps.sh("ls /c", mounts=(Cache(target="/c", id="other"),))
    assert steps.output == ""


def test_owner_and_mode(steps: Steps) -> None:
    steps.sh("stat -c '%a %u %g' /c", mounts=(Cache(target="/c", mode=0o1700, uid=33, gid=34),))
    assert steps.output == "1700 33 34\n"


def test_read_only(steps: Steps) -> None:
    steps.sh("touch /c/x || echo refused", mounts=(Cache(target="/c", read_only=True),))
    assert "refused\n" in steps.output


def test_id_is_no_path(steps: Steps) -> None:
    steps.sh("echo x > /c/x", mounts=(Cache(target="/c", id="../../../escape"),))
    work = Path(steps.host.work)
    assert [path.parent.parent.parent for path in work.rglob("x")] == [work / "cache-mounts"]


def test_seed(steps: Steps, tmp_path: Path) -> None:
    (tmp_path / "seed/below").mkdir(parents=True)
    (tmp_path / "seed/below/file").write_text("first")
    seeded = Cache(target="/c", seed=HostTree(root=str(tmp_path), path="seed"))
    steps.sh("cat /c/below/file; echo second > /c/below/file", mounts=(seeded,))
    assert steps.output == "first\n"
    steps.sh("cat /c/below/file", mounts=(seeded,))
    assert steps.output == "second\n"
    assert (tmp_path / "seed/below/file").read_text() == "first"
    steps.sh("ls /c", mounts=(Cache(target="/c", seed=ChainTree(chain=steps.parent, path="/etc")),))
    assert steps.output == "group\npasswd\nplain\n"


def test_same_cache_twice_in_one_step(steps: Steps) -> None:
    both = (Cache(target="/a", id="i", sharing="locked"), Cache(target="/b", id="i", sharing="locked"))
    steps.sh("echo x > /a/x; cat /b/x", mounts=both)
    assert steps.output == "x\n"


def at_once(steps: Steps, script: str, *mounts: Cache, count: int = 3) -> list[str]:
    """What several steps print that run at once."""

    def one(number: int) -> str:
        own = Steps(steps.host, steps.parent)
        own.sh(script, mounts=mounts, environment=(f"N={number}",))
        return own.output

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


# Waits until three are there.
MEET = """
touch /c/$N; i=0
while [ $(ls /c | busybox wc -l) -lt 3 ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done
ls /c
"""


def test_shared(steps: Steps) -> None:
    assert at_once(steps, MEET, CACHE) == ["0\n1\n2\n"] * 3


def test_locked(steps: Steps) -> None:
    script = "[ ! -e /c/in ] || echo both; touch /c/in; sleep 0.1; busybox rm /c/in"
    assert at_once(steps, script, Cache(target="/c", sharing="locked")) == ["", "", ""]


def test_private(steps: Steps) -> None:
    private = Cache(target="/c", sharing="private")
    script = "touch /c/$N; sleep 0.7; ls /c"
    assert at_once(steps, script, private) == ["0\n", "1\n", "2\n"]
    assert [cache.copy for cache in caches.every(steps.host.caches)] == [0, 1, 2]
    steps.sh("ls /c", mounts=(private,))
    assert steps.output in ("0\n", "1\n", "2\n")  # one of them, free by now


def test_two_in_opposite_orders_do_not_wait_for_each_other(steps: Steps) -> None:
    one, other = Cache(target="/c", sharing="locked"), Cache(target="/d", sharing="locked")

    def run(mounts: tuple[Cache, ...]) -> None:
        Steps(steps.host, steps.parent).sh("sleep 0.1", mounts=mounts)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, [(one, other), (other, one)] * 2))


def test_waiting_can_be_stopped(steps: Steps) -> None:
    locked = Cache(target="/c", sharing="locked")
    _, lock = caches.claim(steps.host.caches, locked, None, lambda: None)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(StepStopped), open(lock, "rb"):
        steps.sh("true", mounts=(locked,), stop=stop)


def test_a_cache_that_cannot_be_made_is_not_there(steps: Steps) -> None:
    def fail(target: int) -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        caches.claim(steps.host.caches, CACHE, fail, lambda: None)
    steps.sh("ls /c", mounts=(CACHE,))
    assert steps.output == ""


def test_told(steps: Steps) -> None:
    before = time.time()
    steps.sh("busybox dd if=/dev/zero of=/c/x bs=1k count=300", mounts=(CACHE,))
    (told,) = caches.every(steps.host.caches)
    assert (told.id, told.copy, told.is_in_use, told.key) == ("/c", 0, False, caches.key(CACHE))
    assert 300 << 10 <= told.size < 340 << 10
    assert before - 1 < told.used < time.time() + 1


def test_pruned(steps: Steps) -> None:
    steps.sh("mkdir /c/sub; touch /c/sub/x", mounts=(CACHE, Cache(target="/d")))
    _, lock = caches.claim(steps.host.caches, CACHE, None, lambda: None)
    with open(lock, "rb"):
        assert [cache.is_in_use for cache in caches.every(steps.host.caches) if cache.id == "/c"] == [True]
        assert [cache.id for cache in caches.prune(steps.host.caches, lambda _: True)] == ["/d"]
    assert caches.prune(steps.host.caches, lambda cache: cache.id != "/c") == []
    assert [cache.id for cache in caches.prune(steps.host.caches, lambda _: True)] == ["/c"]
    assert [path.name for path in Path(steps.host.caches).iterdir()] == ["lock"]
    steps.sh("ls /c", mounts=(CACHE,))
    assert steps.output == ""


def test_a_removal_that_was_killed_is_ended_by_the_next(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.sh("touch /c/x", mounts=(CACHE,))
    acts: list[str] = []
    limit = 0

    def kill(name: str, subject: object) -> None:
        acts.append(name)
        if len(acts) == limit:
            raise KeyboardInterrupt

    while limit < 12:
        limit += 1
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(files, "hook", kill)
            acts.clear()
            caches.prune(steps.host.caches, lambda _: True)
            raise KeyboardInterrupt
        steps.sh("touch /c/y; ls /c", mounts=(CACHE,))
        assert steps.output in ("x\ny\n", "y\n")
        caches.clear(steps.host.caches)
        assert not [p for p in Path(steps.host.caches).iterdir() if p.name.startswith("gone-")]


def test_what_a_killed_build_left_of_the_name_goes(steps: Steps) -> None:
    top = Path(steps.host.caches, caches.key(CACHE))
    top.mkdir(parents=True)
    (top / "id.tmp-1-2").touch()
    steps.sh("true", mounts=(CACHE,))
    assert (top / "id").read_text() == "/c"
    assert not list(top.glob("*.tmp-*"))
