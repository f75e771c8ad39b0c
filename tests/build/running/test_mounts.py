"""What a RUN may have mounted: trees, memory, secrets, scripts; and that the layer has nothing of it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.build.running.steps import Steps

from millefeuille.build.running.failure import StepFailed
from millefeuille.build.running.mounts import BadTarget
from millefeuille.build.running.wish import Bind, ChainTree, HostTree, Memory, RunMount, Script, Secret
from millefeuille.build.sources.source import NotFound
from millefeuille.runtime.filesystems import UnsafeMount

pytestmark = pytest.mark.walk


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A directory of files to mount."""
    top = tmp_path / "context"
    (top / "src/deep").mkdir(parents=True)
    (top / "src/deep/file").write_text("deep")
    (top / "src/secret").write_text("hidden")
    (top / "top").write_text("top")
    (top / "way-out").symlink_to("/etc")
    (top / "way-in").symlink_to("/src/deep")
    for path in ("src/deep", "src"):
        os.utime(top / path, (1000, 1000))
    return top


def test_bind(steps: Steps, context: Path) -> None:
    mount = Bind(target="/mnt/in", source=HostTree(root=str(context)))
    changes = steps.sh("cat /mnt/in/src/deep/file; echo x > /mnt/in/new || echo refused", mounts=(mount,))
    assert [line for number, line in steps.lines if number == 1] == [b"deeprefused"]
    assert changes == {}
    assert not (context / "new").exists()


def test_bind_of_one_file(steps: Steps, context: Path) -> None:
    mount = Bind(target="file", source=HostTree(root=str(context), path="/src/deep/file"))
    assert steps.sh("cat /srv/file", mounts=(mount,), directory="/srv") == {}
    assert steps.output == "deep\n"


def test_links_lead_nowhere_but_into_the_context(steps: Steps, context: Path) -> None:
    inside = Bind(target="/m", source=HostTree(root=str(context), path="way-in"))
    steps.sh("cat /m/file", mounts=(inside,))
    assert steps.output == "deep\n"
    for path in ("way-out/passwd", "../context-beside", "absent", "top/below"):
        mount = Bind(target="/m", source=HostTree(root=str(context), path=path))
        with pytest.raises(NotFound, match=f'"/{path}": not found'):
            steps.sh("ls /m", mounts=(mount,))


@pytest.mark.parametrize("writable", [False, True])
def test_what_is_ignored_is_not_there(steps: Steps, context: Path, writable: bool) -> None:
    tree = HostTree(root=str(context), hidden=(b"src/secret", b"src/deep", b"absent/x"))
    mount = Bind(target="/m", source=tree, writable=writable)
    steps.sh("cd /m; ls; ls src; stat -c %Y src; cat src/secret || echo none", mounts=(mount,))
    assert [line for number, line in steps.lines if number == 1] == [
        b"src", b"top", b"way-in", b"way-out", b"1000", b"none"
    ]  # fmt: skip
    beside = Bind(target="/m", source=HostTree(root=str(context), path="src/deep", hidden=(b"src/secret",)))
    steps.sh("ls /m", mounts=(beside,))
    assert steps.output == "file\n"
    for path in ("src/secret", "src/deep/file"):
        with pytest.raises(NotFound):
            mount = Bind(target="/m", source=HostTree(root=str(context), path=path, hidden=tree.hidden))
            steps.sh("ls /m", mounts=(mount,))


@pytest.mark.parametrize(("path", "file"), [("src", "secret"), ("top", "")])
def test_what_is_written_is_thrown_away(steps: Steps, context: Path, path: str, file: str) -> None:
    before = sorted((found, found.lstat().st_mtime_ns) for found in context.rglob("*"))
    place = f"/m/{file}".rstrip("/")
    mount = Bind(target="/m", source=HostTree(root=str(context), path=path), writable=True)
    assert steps.sh(f"echo changed > {place}; cat {place}", mounts=(mount,)) == {}
    assert steps.output == "changed\n"
    assert sorted((found, found.lstat().st_mtime_ns) for found in context.rglob("*")) == before


@pytest.mark.parametrize("writable", [False, True])
def test_bind_of_a_chain(steps: Steps, writable: bool) -> None:
    mount = Bind(target="/m", source=ChainTree(chain=steps.parent, path="/etc"), writable=writable)
    script = "cat /m/group; echo x > /m/plain && echo written; rm /m/passwd"
    changes = steps.sh(f"{script}; true", mounts=(mount,))
    assert changes == {}
    assert steps.output.startswith("root:x:0:\n")
    assert ("written" in steps.output) == writable


def test_bind_of_nothing(steps: Steps) -> None:
    mount = Bind(target="/m", source=ChainTree(chain=None), writable=True)
    assert steps.sh("ls -a /m; echo x > /m/x", mounts=(mount,)) == {}
    assert steps.output == ".\n..\n"


def test_memory(steps: Steps) -> None:
    mounts = (Memory(target="/m", size=1 << 20), Memory(target="/n"))
    assert steps.sh("touch /n/x; stat -c %a /m; cat /proc/mounts", mounts=mounts) == {}
    assert steps.lines[0] == (1, b"1777")
    assert any(" /m tmpfs " in line and "size=1024k" in line for line in steps.output.splitlines())


SECRET = Secret(value=b"hush", target="/run/secrets/it", variable="IT", uid=33, gid=34, mode=0o440)


def test_secret(steps: Steps) -> None:
    script = "cat /run/secrets/it; echo; stat -c '%a %u %g' /run/secrets/it; echo $IT; touch /run/secrets/it"
    changes = steps.sh(script + " || echo x > /new", mounts=(SECRET,))
    assert [line for number, line in steps.lines if number == 1] == [b"hush", b"440 33 34", b"hush"]
    assert sorted(changes) == ["new"]


def test_secret_in_a_variable_only(steps: Steps) -> None:
    steps.sh("echo $IT; ls -d /run || true", mounts=(Secret(value=b"h u\nsh", variable="IT"),))
    assert [line for number, line in steps.lines if number == 1] == [b"h u sh"]


def test_secret_is_written_nowhere(steps: Steps, tmp_path: Path) -> None:
    """Not even while the command runs, but in its own memory."""

    def search() -> None:
        for directory, _, names in os.walk(tmp_path):
            for name in names:
                path = Path(directory, name)
                if stat.S_ISREG(path.lstat().st_mode):
                    assert b"hush" not in path.read_bytes(), path

    steps.during(search, "echo begun; sleep 0.3; exit 3", mounts=(SECRET,))
    assert steps.kept is not None
    search()
    steps.forget()


def test_places_that_the_command_uses_stay(steps: Steps) -> None:
    mounts = (Memory(target="/a/b/c"), SECRET)
    assert sorted(steps.sh("echo x > /a/b/x", mounts=mounts)) == ["a", "a/b", "a/b/x"]


def test_places_are_not_looked_for_again(steps: Steps) -> None:
    """CVE-2024-23652: where a place was, the command leaves a link to something of the host's."""
    script = "mkdir /q; cd /; mv /a /q/a; ln -s /etc /a"
    changes = steps.sh(script, mounts=(Memory(target="/a/plain"),))
    assert "etc/.wh.plain" not in changes
    assert os.path.exists("/etc")


def test_script(steps: Steps) -> None:
    mount = Script(name="EOF", content=b"#!/bin/cat\nbody\n")
    assert steps.run(mount.target, mounts=(mount, Script(name="X", content=b"#!/bin/sh\n"))) == {}
    assert steps.output == "#!/bin/cat\nbody\n"
    steps.sh("stat -c %a /dev/pipes/EOF; echo x >> /dev/pipes/EOF || echo refused", mounts=(mount,))
    assert [line for number, line in steps.lines if number == 1] == [b"755", b"refused"]


@pytest.mark.parametrize("target", ["/", "", ".", "/x/.."])
def test_no_place(steps: Steps, target: str) -> None:
    with pytest.raises(BadTarget):
        steps.run("true", mounts=(Memory(target=target),))


@pytest.mark.parametrize("target", ["/proc", "/sys", "/proc/self/x"])
def test_unsafe_place(steps: Steps, target: str) -> None:
    with pytest.raises(UnsafeMount):
        steps.run("true", mounts=(Memory(target=target),))


def test_mount_over_a_file_of_the_networks(steps: Steps, context: Path) -> None:
    mount = Bind(target="/etc/hosts", source=HostTree(root=str(context), path="top"))
    assert steps.sh("cat /etc/hosts", mounts=(mount,)) == {}
    assert steps.output == "top\n"


def test_within_each_other(steps: Steps, context: Path) -> None:
    mounts: tuple[RunMount, ...] = (
        Memory(target="/m/src"), Bind(target="/m", source=HostTree(root=str(context), path="."))
    )  # fmt: skip
    assert steps.sh("ls /m/src; cat /m/top", mounts=mounts) == {}
    assert steps.output == "top\n"


def test_kept_root_knows_no_secret(steps: Steps) -> None:
    with pytest.raises(StepFailed) as caught:
        steps.sh("exit 1", mounts=(SECRET, Memory(target="/m")), proxies=("http_proxy=hush",), keep=True)
    record = Path(steps.host.record(caught.value.kept or "")).read_text()
    assert "hush" not in record
    assert [mount["type"] for mount in json.loads(record)["mounts"]] == ["tmpfs"]
    steps.kept = caught.value.kept
    steps.forget()
