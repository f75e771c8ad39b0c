"""`mille start` with real containers."""

from __future__ import annotations

import pytest
from tests.faces.cli.home import Home

pytestmark = pytest.mark.walk


@pytest.mark.parametrize("flags", [("-i",), ("-a", "-i")])
def test_whoever_gives_input_sees_what_comes_of_it(box: Home, flags: tuple[str, ...]) -> None:
    made = box.mille("create", "-i", "--name", "one", "busybox", "sh", "-c", "cat; echo err >&2; exit 4")
    assert made[2] == 0
    assert box.mille("start", *flags, "one", typed="foo\n") == ("foo\n", "err\n", 4)
