"""What an ordinary user does: a program of its own for test_userns.py. Its answer is JSON on standard output.

ordinary.py DIRECTORY ACT [RUNTIME]
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.runtime import box

from millefeuille import kernel
from millefeuille.runtime import spec, userns
from millefeuille.runtime.runc import Runc
from millefeuille.runtime.runtime import Stdio
from millefeuille.snapshots import attach


def identity() -> dict[str, Any]:
    """Who this process is, inside."""
    path = Path(sys.argv[1], "owned")
    path.touch()
    os.chown(path, 33, 34)
    return {
        "ids": [*os.getresuid(), *os.getresgid()],
        "groups": os.getgroups(),
        "inside": userns.is_inside(),
        "owner": [path.stat().st_uid, path.stat().st_gid],
        "namespace": os.readlink("/proc/self/ns/user"),
    }


def attached_root(top: Path) -> Path:
    """A busybox root, attached as an overlay: what is written stays in `upper`."""
    box.fill(top / "lower", "/usr/bin/busybox")
    for name in ("upper", "work", "root"):
        (top / name).mkdir()
    places = [(f"{key}dir", str(top / key)) for key in ("lower", "upper", "work")]
    mount = attach.detached("overlay", [("source", "overlay"), *places, ("userxattr", None)])
    kernel.move_mount(mount, str(top / "root"))
    os.close(mount)
    return top / "root"


def ran(
    top: Path, rootfs: Path, runtime: Runc, script: str, *, mounts: Sequence[Mapping[str, Any]] = (),
    host_files: Mapping[str, str] = MappingProxyType({}), **host_config: Any,
) -> list[Any]:  # fmt: skip
    """The exit code and the output of a script in a container."""
    id = f"ordinary-{os.getpid()}-{os.urandom(4).hex()}"
    bundle = top / id
    bundle.mkdir()
    root = os.open(rootfs, os.O_PATH)
    wanted = spec.Bundle(
        id=id,
        rootfs=str(rootfs),
        root=root,
        config={"Cmd": ["sh", "-c", script], "User": host_config.pop("User", "")},
        host_config=host_config,
        mounts=mounts,
        host_files=host_files,
        cgroup=runtime.group(id),
        limited=False,
        rootless=True,
    )
    (bundle / "config.json").write_text(json.dumps(spec.document(wanted)))
    reading, writing = os.pipe()
    attached = runtime.run(id, str(bundle), Stdio(stdout=writing, stderr=writing))
    os.close(writing)
    with open(reading, "rb") as file:
        output = file.read().decode()
    code = attached.wait()
    runtime.delete(id)
    return [code, output]


def containers() -> dict[str, Any]:
    """What containers with different wishes see."""
    top = Path(sys.argv[1])
    runtime = Runc(sys.argv[3], str(top / "runtime"), limits=False)
    root = attached_root(top)
    wishes: dict[str, tuple[str, dict[str, Any]]] = {
        "plain": ("id -u; touch /new; chown 33:34 /new; head -c 2 /dev/urandom | wc -c; ls /dev/pts", {}),
        "user": ("id -u; id -G", {"User": "web"}),
        "host": ("ls /sys/class/net /dev/shm >/dev/null; stat -c %N /proc/self/ns/net",
                 {"NetworkMode": "host", "PidMode": "host", "IpcMode": "host", "UTSMode": "host"}),
        "bounds": ("grep -E 'CapEff|Seccomp:' /proc/self/status; mknod /tmp/d b 8 0", {}),
        "privileged": ("mount -t tmpfs none /tmp && echo mounted", {"Privileged": True}),
        "read-only": ("touch /x || echo refused", {"ReadonlyRootfs": True}),
    }  # fmt: skip
    answers = {name: ran(top, root, runtime, script, **wish) for name, (script, wish) in wishes.items()}
    written = (top / "upper/new").stat()
    return {**answers, "written": [written.st_uid, written.st_gid], "net": os.readlink("/proc/self/ns/net")}


def binds() -> dict[str, Any]:
    """What containers see of a mount of the host's, `source` in the directory."""
    top = Path(sys.argv[1])
    runtime = Runc(sys.argv[3], str(top / "runtime"), limits=False)
    root = attached_root(top)
    source = top / "source"
    answers = {}
    for access in ("ro", "rw"):
        options = ["rbind", access, "rprivate"]
        bind = {"destination": "/m", "type": "bind", "source": str(source), "options": options}
        script = "cat /m/file; grep ' /m ' /proc/mounts"
        answers[access] = ran(top, root, runtime, script, mounts=[bind])
    named = {"/named": str(source / "file")}
    answers["file"] = ran(top, root, runtime, "cat /named", host_files=named, ReadonlyRootfs=True)
    return answers


def wait() -> dict[str, Any]:
    """Stay, as a monitor does."""
    print(json.dumps(identity()), flush=True)
    sys.stdin.read()
    return {}


if __name__ == "__main__":
    if not userns.enter(sys.argv[1]):
        sys.exit("an ordinary user is needed")
    acts = {"identity": identity, "containers": containers, "binds": binds, "wait": wait}
    print(json.dumps(acts[sys.argv[2]]()))
