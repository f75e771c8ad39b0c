"""The terminal is given back, however the view ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from millefeuille.faces.tui.app import AnalyserApp
from millefeuille.faces.tui.state import State

_GUARDED = """
import os, sys
from millefeuille.faces.tui import ending
ending.guard(sys.stdout)
sys.stdout.write("a frame")
sys.stdout.flush()
os.kill(os.getpid(), int(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_before_the_program_is_loaded(number: int) -> None:
    done = subprocess.run([sys.executable, "-c", _GUARDED, str(int(number))], capture_output=True)
    assert done.stdout == b"a frame\x1b[?25h\x1b[?1049l"
    assert done.returncode == -number
    assert done.stderr == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_while_it_runs_it_leaves_first(state: State, number: signal.Signals) -> None:
    app = AnalyserApp(state)

    async def sit() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            os.kill(os.getpid(), number)
            while not app.ended_by:
                await asyncio.sleep(0.01)

    asyncio.run(sit())
    assert app.ended_by == number
    assert not app.is_running
