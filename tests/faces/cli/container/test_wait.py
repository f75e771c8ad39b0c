"""`mille wait` with real containers."""

from __future__ import annotations

import pytest
from tests.faces.cli.home import Home

pytestmark = pytest.mark.walk

ENDS = ("--network", "none", "busybox", "sh", "-c", "sleep 1; exit 3")


@pytest.mark.parametrize("policy", ["always", "on-failure:50"])
def test_one_that_is_started_again_is_waited_for_until_its_next_end(box: Home, policy: str) -> None:
    assert box.mille("run", "-d", "--restart", policy, "--name", "one", *ENDS)[2] == 0
    assert box.mille("wait", "one") == ("3\n", "", 0)
    assert box.mille("wait", "one") == ("3\n", "", 0)
    assert box.mille("inspect", "-f", "{{.State.Running}}", "one")[0] == "true\n"
    assert box.mille("rm", "-f", "one")[2] == 0


def test_one_that_has_ended_is_not_waited_for(box: Home) -> None:
    assert box.mille("run", "-d", "--restart", "on-failure:1", "--name", "one", *ENDS)[2] == 0
    assert [box.mille("wait", "one") for _ in range(3)] == [("3\n", "", 0)] * 3
    assert box.mille("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", "one")[0] == "exited 1\n"
    assert box.mille("rm", "one")[2] == 0
