"""An ordinary user: root in a namespace of its own, with containers."""

from __future__ import annotations

import errno
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import millefeuille
from millefeuille import kernel
from millefeuille.runtime import userns
from millefeuille.runtime.userns import RangesMissing, UserNamespaceDenied

pytestmark = pytest.mark.walk

TOP = Path(__file__).parents[2]
SOURCE = Path(millefeuille.__file__).parents[1]
START = 700_000  # of the IDs that the user gets


@dataclass
class Ordinary:
    """A user of the machine's, with a directory."""

    name: str
    number: int
    group: int
    directory: str
    interpreter: str

    def start(self, *words: str, mark: str = "") -> subprocess.Popen[bytes]:
        program = f"{TOP}/tests/runtime/ordinary.py"
        return subprocess.Popen(
            [self.interpreter, "-W", "error", program, self.directory, *words, *([mark] if mark else ())],
            cwd="/", env={"PYTHONPATH": f"{SOURCE}:{TOP}", "PATH": os.environ["PATH"]}, user=self.number,
            group=self.group, extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def answer(self, *words: str) -> Any:
        with self.start(*words) as process:
            output = process.communicate()[0]
        assert process.returncode == 0
        return json.loads(output)


@pytest.fixture
def ordinary() -> Iterator[Ordinary]:
    if os.geteuid() != 0:
        pytest.skip("making a user needs root")
    if not all(map(shutil.which, ("useradd", "userdel", "newuidmap"))):
        pytest.skip("needs useradd and newuidmap")
    name, number = f"mille{os.getpid() % 100_000}", 20_000 + os.getpid() % 30_000
    words = ["--no-create-home", "--uid", str(number), "--user-group", "--shell", "/bin/false"]
    subprocess.run(["useradd", *words, "-F", name], check=False, capture_output=True)
    if subprocess.run(["id", name], capture_output=True).returncode:
        subprocess.run(["useradd", *words, name], check=True)
    directory = tempfile.mkdtemp(prefix="mille-ordinary-")
    group = pwd.getpwnam(name).pw_gid
    os.chown(directory, number, group)
    try:
        for kind in ("uids", "gids"):
            # Its own range, whatever the machine's defaults are.
            span = f"{START}-{START + 65535}"
            subprocess.run(["usermod", f"--add-sub{kind}", span, name], check=True)
        interpreter = _interpreter(number)
        if interpreter is None or not _readable(TOP):
            pytest.skip("an ordinary user cannot run this checkout")
        made = Ordinary(name, number, group, directory, interpreter)
        yield made
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)
        shutil.rmtree(directory)


def _interpreter(number: int) -> str | None:
    """A Python that the user may run: this one may lie where only root can go."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    for path in (sys.executable, "/usr/bin/python3"):
        try:
            words = [path, "-c", check]
            if subprocess.run(words, user=number, group=number, extra_groups=[], cwd="/").returncode == 0:
                return path
        except OSError:
            continue
    return None


def _readable(path: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (path, *path.parents))


def test_root_inside(ordinary: Ordinary) -> None:
    told = ordinary.answer("identity")
    assert told["ids"] == [0] * 6
    assert (told["groups"], told["inside"], told["owner"]) == ([], True, [33, 34])
    assert told["namespace"] != os.readlink("/proc/self/ns/user")
    owner = os.stat(f"{ordinary.directory}/owned")
    # In the ranges of the user, as seen from outside.
    assert owner.st_uid >= 100_000
    assert owner.st_uid not in (33, ordinary.number)


def test_the_namespace_of_a_monitor_is_joined(ordinary: Ordinary) -> None:
    with ordinary.start("wait", mark="millefeuille.containers.monitor") as monitor:
        assert monitor.stdout is not None
        told = json.loads(monitor.stdout.readline())
        assert ordinary.answer("identity")["namespace"] == told["namespace"]
        monitor.communicate(b"")
    # Any other process of the user's is none: its namespace is its own, if it is not on the list.
    with ordinary.start("wait") as other:
        assert other.stdout is not None
        told = json.loads(other.stdout.readline())
        Path(ordinary.directory, "insiders").unlink()
        assert ordinary.answer("identity")["namespace"] != told["namespace"]
        other.communicate(b"")


def test_commands_that_start_together_share_a_namespace(ordinary: Ordinary) -> None:
    together = [ordinary.start("wait") for _ in range(4)]
    told = [json.loads(one.stdout.readline())["namespace"] for one in together if one.stdout]
    # The one that made it may be gone: who joined holds it as well.
    for one in together[:-1]:
        one.communicate(b"")
    told.append(ordinary.answer("identity")["namespace"])
    together[-1].communicate(b"")
    assert len(told) == 5
    assert len(set(told)) == 1
    # Whoever is gone is on the list no longer.
    ordinary.answer("identity")
    assert len(Path(ordinary.directory, "insiders").read_text().splitlines()) == 1


def test_containers(ordinary: Ordinary) -> None:
    program = shutil.which("runc")
    if program is None:
        pytest.skip("needs runc")
    told = ordinary.answer("containers", program)
    assert told["plain"] == [0, "0\n2\nptmx\n"]
    assert told["written"] == [33, 34]
    assert told["user"] == [0, "33\n34 50\n"]
    assert told["host"][0] == 0, told["host"]
    assert told["net"] in told["host"][1]
    code, output = told["bounds"]
    assert code == 1
    assert "CapEff:\t00000000a80425fb\nSeccomp:\t2\n" in output
    assert "Operation not permitted" in output
    assert told["privileged"] == [0, "mounted\n"]
    assert "refused\n" in told["read-only"][1]


@pytest.mark.parametrize(
    "flags", ["nosuid,nodev", "noexec,noatime", "nodev,nodiratime,strictatime", "nosuid,ro", "relatime"]
)
def test_binds_of_mounts_whose_flags_are_locked(ordinary: Ordinary, flags: str) -> None:
    program = shutil.which("runc")
    if program is None:
        pytest.skip("needs runc")
    source = Path(ordinary.directory, "source")
    source.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", source], check=True)
    try:
        (source / "file").write_text("seen")
        subprocess.run(["mount", "-o", f"remount,{flags}", source], check=True)
        told = ordinary.answer("binds", program)
    finally:
        subprocess.run(["umount", source], check=True)
    given = {*flags.split(",")} - {"strictatime"}
    for access in ("ro", "rw"):
        code, output = told[access]
        assert (code, output.partition("/")[0]) == (0, "seennone "), (access, output)
        shown = {*output.split()[3].split(",")}
        assert given | {access} - ({"rw"} if "ro" in given else set()) <= shown
    assert told["file"] == [0, "seen"]


def test_no_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userns, "_ranges", lambda path, name, number: [])
    with pytest.raises(RangesMissing, match="has no IDs for users in containers"):
        userns.mapping()


def test_the_advice_is_for_ids_of_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/etc/subuid": "one:100000:65536\ntwo:300000:10\n", "/etc/subgid": "one:200000:200000\nbad\n"}
    monkeypatch.setattr(userns, "_read", lambda path: files[path])
    with pytest.raises(RangesMissing) as raised:
        userns.mapping()
    assert "--add-subuids 400000-465535 --add-subgids 400000-465535 " in str(raised.value.advice)
    files.update(dict.fromkeys(files, ""))
    with pytest.raises(RangesMissing) as raised:
        userns.mapping()
    assert "--add-subuids 100000-165535 " in str(raised.value.advice)


def _refuse(*_: object, **__: object) -> None:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@pytest.mark.parametrize("where", ["os.fork", "subprocess.run"])
def test_no_more_processes(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"millefeuille.runtime.userns.{where}", _refuse)
    monkeypatch.setattr(kernel, "unshare", lambda _: None)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(UserNamespaceDenied, match=r"^a user namespace: no more processes can be started$"):
        userns._make(userns.Mapping(users=((0, 1000, 1),), groups=((0, 1000, 1),)))
    assert os.listdir("/proc/self/fd") == before


def test_ranges(tmp_path: Path) -> None:
    path = tmp_path / "subuid"
    path.write_text("other:1:5\nme:100:20\n# me:1:1\nme:x:20\nme:5:0\n7:300:40\nme:1:2:3\n")
    assert userns._ranges(str(path), "me", 7) == [(100, 20), (300, 40)]
    assert userns._ranges(str(tmp_path / "none"), "me", 7) == []
    assert userns._mapped(7, [(100, 20), (300, 40)]) == ((0, 7, 1), (1, 100, 20), (21, 300, 40))


@pytest.mark.parametrize(
    ("rows", "is_ordinary"),
    [
        ("         0          0 4294967295\n", False),
        ("         0       1000          1\n         1     100000      65536\n", True),
        ("         0     100000      65536\n", False),  # a machine within a machine, with all its users
        ("", False),
    ],
)
def test_whose_root_it_is(monkeypatch: pytest.MonkeyPatch, rows: str, is_ordinary: bool) -> None:
    monkeypatch.setattr(userns, "_read", lambda path: rows)
    assert userns.is_ordinary() is is_ordinary


def test_root_stays_as_it_is() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    assert userns.enter("/nowhere") is False


def test_containers_on_the_command_line(ordinary: Ordinary, tmp_path: Path) -> None:
    """The whole engine, as an ordinary user has it: a store of its own, layers extracted, runc."""
    packages = next(Path(sys.prefix).glob("lib/python3.*/site-packages"))
    version = f"python3.{sys.version_info.minor}"
    if packages.parent.name != version or shutil.which("busybox") is None:
        pytest.skip("needs the libraries of this Python, and busybox")
    root = tmp_path / "rootfs"
    (root / "bin").mkdir(parents=True)
    shutil.copy(str(shutil.which("busybox")), root / "bin/busybox")
    for name in ("sh", "id", "cat", "sleep", "touch", "stat"):
        os.symlink("busybox", root / "bin" / name)
    archive = f"{ordinary.directory}/rootfs.tar"
    subprocess.run(["tar", "-C", str(root), "-cf", archive, "."], check=True)

    def mille(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [ordinary.interpreter, "-m", "millefeuille", "--root", f"{ordinary.directory}/store", *words],
            cwd="/", user=ordinary.number, group=ordinary.group, extra_groups=[], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=60,
            env={
                "PYTHONPATH": f"{SOURCE}:{packages}", "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1", "HOME": ordinary.directory,
            },
        )  # fmt: skip
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout.strip()

    mille("import", archive, "busybox")
    quiet = ("--network", "none")
    assert mille("run", "--rm", *quiet, "busybox", "id", "-u") == "0"
    assert mille("run", "--rm", *quiet, "-u", "1000:1000", "busybox", "id", "-u") == "1000"
    mille("run", "--rm", *quiet, "busybox", "sh", "-c", "exit 3", code=3)
    mille("run", "-d", "--name", "one", *quiet, "busybox", "sh", "-c", "echo begun; exec sleep 100")
    assert mille("exec", "one", "sh", "-c", "touch /new; stat -c %u /new") == "0"
    assert "begun" in mille("logs", "one")
    assert "A /new" in mille("diff", "one").splitlines()
    mille("rmi", "busybox", code=1)
    mille("stop", "-t", "0", "one")
    mille("rm", "one")
    mille("rmi", "busybox")
    assert mille("ps", "-aq") == ""
    assert not os.listdir(f"{ordinary.directory}/store/containers")
