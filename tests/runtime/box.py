"""A box: a busybox root in which things are run through a real runtime, from Docker's configurations."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millefeuille.runtime import spec
from millefeuille.runtime.runc import Runc
from millefeuille.runtime.runtime import Stdio

COMMANDS = (
    "sh true false echo id env pwd sleep cat stat touch ls kill df mount hostname dd grep ps mkdir chroot "
    "unshare tail head mknod rm seq wc ping"
).split()
PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n"
GROUP = "root:x:0:\nweb:x:34:\nextra:x:50:web,other\nmore:x:60:\n"


def fill(root: Path, program: str) -> None:
    """Make the root file system."""
    for name in ("bin", "etc", "srv", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(program, root / "bin/busybox")
    for name in COMMANDS:
        os.symlink("busybox", root / "bin" / name)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text(GROUP)


@dataclass
class Ran:
    """What came of it."""

    code: int
    output: str


class Box:
    """Makes bundles below `top` with the root file system `root`."""

    def __init__(self, top: Path, root: Path, runtime: Runc) -> None:
        self.top = top
        self.root = root
        self.runtime = runtime
        self.ids: list[str] = []

    def bundle(
        self,
        *words: str,
        config: Mapping[str, Any] | None = None,
        mounts: Sequence[Mapping[str, Any]] = (),
        chosen: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
        network: str | None = None,
        **host_config: Any,
    ) -> tuple[str, str]:
        """Write a bundle; the container's ID, and the bundle's path."""
        id = f"test-{os.getpid()}-{len(self.ids)}-{os.urandom(4).hex()}"
        self.ids.append(id)
        path = self.top / id
        path.mkdir()
        root = os.open(self.root, os.O_PATH | os.O_DIRECTORY)
        try:
            document = spec.document(
                spec.Bundle(
                    id=id,
                    rootfs=str(self.root),
                    root=root,
                    config={"Cmd": list(words), **(config or {})},
                    host_config=host_config,
                    mounts=mounts,
                    chosen=chosen,
                    host_files=files or {},
                    network_namespace=network,
                    cgroup=self.runtime.group(id, host_config.get("CgroupParent") or ""),
                    limited=self.runtime.limits,
                )
            )
        finally:
            os.close(root)
        (path / "config.json").write_text(json.dumps(document))
        return id, str(path)

    def run(self, *words: str, **wishes: Any) -> Ran:
        """Run to the end."""
        id, bundle = self.bundle(*words, **wishes)
        reading, writing = os.pipe()
        try:
            attached = self.runtime.run(id, bundle, Stdio(stdout=writing, stderr=writing))
            os.close(writing)
            writing = -1
            with open(reading, "rb") as file:
                output = file.read().decode()
            return Ran(attached.wait(), output)
        finally:
            if writing >= 0:
                os.close(writing)
                os.close(reading)
            self.runtime.delete(id)

    def sh(self, script: str, **wishes: Any) -> str:
        """The output of a shell script that must succeed."""
        ran = self.run("sh", "-c", script, **wishes)
        assert ran.code == 0, ran.output
        return ran.output

    def close(self) -> None:
        """Nothing may be left."""
        for id in self.ids:
            self.runtime.delete(id)
