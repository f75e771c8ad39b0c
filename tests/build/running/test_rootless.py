"""Steps of an ordinary user, without any right on the host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig

import pytest
from tests.runtime.test_userns import SOURCE, TOP, Ordinary, ordinary

__all__ = ["ordinary"]

pytestmark = pytest.mark.walk


def test_steps(ordinary: Ordinary) -> None:
    if shutil.which("runc") is None and shutil.which("crun") is None:
        pytest.skip("needs a runtime")
    packages = sysconfig.get_path("purelib")
    done = subprocess.run(
        [ordinary.interpreter, "-W", "error", f"{TOP}/tests/build/running/ordinary.py", ordinary.directory],
        cwd="/", env={"PYTHONPATH": f"{SOURCE}:{TOP}:{packages}", "PATH": os.environ["PATH"]},
        user=ordinary.number, group=ordinary.group, extra_groups=[], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["plain"] == [[["etc", 0, 0], ["etc/.wh.passwd", 0, 0], ["new", 33, 34]], "0\n"]
    assert told["user"] == [[["w", 33, 34], ["w/made", 33, 34]], "33\n34 50\n"]
    assert told["stacked"][0] == [["etc", 0, 0], ["etc/.wh.passwd", 0, 0]]
    assert told["none"][1].count(":") == 1
    changes, output = told["mounts"]
    assert changes == []
    assert output.split() == ["/m:", "file", "/t:", "group", "passwd", "x", "hush33"]
    assert (told["context"], told["kept"], told["swept"]) == ("context", [4, 0, "left\n"], [])
    owned = os.stat(f"{ordinary.directory}/work/cache-mounts")
    assert owned.st_uid == ordinary.number
