"""What steps of an ordinary user do: a program of its own for test_rootless.py. Its answer is JSON.

ordinary.py DIRECTORY
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.build.running.steps import Steps
from tests.runtime.box import fill

from millefeuille.build.running import kept
from millefeuille.build.running.failure import StepFailed
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.shell import open_shell
from millefeuille.build.running.sweep import sweep
from millefeuille.build.running.wish import Bind, Cache, ChainTree, HostTree, Memory, Secret
from millefeuille.oci.digest import Digest
from millefeuille.runtime import userns
from millefeuille.runtime.probe import find
from millefeuille.runtime.runtime import Stdio
from millefeuille.snapshots.overlay.driver import OverlaySnapshotter
from millefeuille.snapshots.overlay.marks import marks

CHAIN = Digest.parse("sha256:" + "ab" * 32)  # one layer
OTHER = Digest.parse("sha256:" + "cd" * 32)  # two


def answers(top: Path) -> dict[str, Any]:
    fill(top / "layer", "/usr/bin/busybox")
    (top / "above").mkdir()
    (top / "context").mkdir()
    (top / "context/file").write_text("context")
    (top / "context/hidden").write_text("hidden")

    def extracted(chain: Digest) -> list[str]:
        return [str(top / "layer")] if chain == CHAIN else [str(top / "above"), str(top / "layer")]

    host = RunHost(
        snapshots=OverlaySnapshotter(str(top / "snapshots"), extracted, marks=marks()),
        runtime=find(str(top / "runtime"), rootless=True), directory=str(top / "run/bundles"),
        work=str(top / "work"), limited=False, rootless=True,
    )  # fmt: skip
    steps = Steps(host, CHAIN)
    told: dict[str, Any] = {}

    def tell(name: str, script: str, **wishes: Any) -> None:
        changes = steps.sh(script, **wishes)
        told[name] = [
            sorted((path, entry.uid, entry.gid) for path, entry in changes.items()), steps.output
        ]  # fmt: skip

    tell("plain", "touch /new; chown 33:34 /new; id -u; rm /etc/passwd")
    tell("user", "id -u; id -G; touch made", user="web", directory="/w")
    tell("none", "cat /proc/net/dev", network="none")
    steps.parent = OTHER
    tell("stacked", "cat /etc/group; rm /etc/passwd")
    steps.parent = CHAIN
    tree = HostTree(root=str(top / "context"), hidden=(b"hidden",))
    mounts = (
        Bind(target="/m", source=tree), Bind(target="/w", source=tree, writable=True),
        Bind(target="/t", source=ChainTree(chain=CHAIN, path="/etc")),
        Bind(target="/u", source=ChainTree(chain=CHAIN, path="/etc"), writable=True),
        Memory(target="/memory"), Cache(target="/c", uid=33), Secret(value=b"hush", target="/run/secrets/it"),
    )  # fmt: skip
    tell(
        "mounts",
        "ls /m /t; echo x > /w/file; rm /u/passwd; cat /w/file /run/secrets/it; stat -c %u /c; touch /c/x",
        mounts=mounts,
    )
    told["context"] = (top / "context/file").read_text()
    try:
        steps.sh("echo left > /left; exit 4", keep=True)
    except StepFailed as failed:
        root = kept.find(host, failed.kept or "")
        reading, writing = os.pipe()
        code = open_shell(
            host, root, ["/bin/cat", "/left"], stdio=Stdio(stdout=writing, stderr=writing), terminal=False
        )
        os.close(writing)
        with open(reading) as file:
            told["kept"] = [failed.code, code, file.read()]
        kept.forget(host, root.id)
    told["swept"] = sweep(host)
    steps.check()
    return told


if __name__ == "__main__":
    if not userns.enter(sys.argv[1]):
        sys.exit("an ordinary user is needed")
    print(json.dumps(answers(Path(sys.argv[1]))))
