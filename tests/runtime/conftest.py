"""A root file system to run: a static busybox with two users."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.box import Box, fill
from tests.snapshots.erofs.tars import chain, gnu_tar

from millefeuille.runtime.invocation import RuntimeMissing
from millefeuille.runtime.once import Host
from millefeuille.runtime.probe import find
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter

PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n33:x:99:99::/:\n"
GROUP = "root:x:0:\nweb:x:34:\nextra:x:50:web,other\n"


@pytest.fixture(scope="session")
def busybox_chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A chain of one layer."""
    program = shutil.which("busybox")
    if program is None or subprocess.run(["ldd", program], capture_output=True).returncode == 0:
        pytest.skip("needs a static busybox")
    directory = tmp_path_factory.mktemp("busybox")
    root = directory / "root"
    for name in ("bin", "etc", "srv", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(program, root / "bin/busybox")
    for name in "sh true false echo id env pwd sleep cat stat touch ls kill".split():
        os.symlink("busybox", root / "bin" / name)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text(GROUP)
    (root / "etc/plain").touch()
    root.chmod(0o751)
    return chain(directory, [gnu_tar(root, directory / "layer.tar")])


@pytest.fixture
def host(tmp_path: Path, busybox_chain: Chain) -> Host:
    """A host of this test's own."""
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    try:
        runtime = find(str(tmp_path / "runtime"))
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    snapshots = ErofsSnapshotter(str(tmp_path / "snapshots"), lambda _: busybox_chain)
    return Host(snapshots=snapshots, runtime=runtime, directory=str(tmp_path / "run/bundles"))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A root to run things in, of this test's own."""
    program = shutil.which("busybox")
    if program is None or subprocess.run(["ldd", program], capture_output=True).returncode == 0:
        pytest.skip("needs a static busybox")
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    try:
        runtime = find(str(tmp_path / "runtime"))
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    fill(tmp_path / "root", program)
    made = Box(tmp_path, tmp_path / "root", runtime)
    yield made
    made.close()
