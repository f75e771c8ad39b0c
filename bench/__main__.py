"""Measure rows: `scripts/bench [--runs N] [ROW...]`; without a row, all of them."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.contest import show
from bench.ground import Ground
from bench.rows import analyze, build, commit, containers, load, ls, pull, push, rm, runstep, save, view
from millefeuille.errors import MilleError

_ROWS = {
    "pull": pull.run, "rm": rm.run, "load": load.run, "save": save.run, "push": push.run, "ls": ls.run,
    "start": containers.start, "warm": containers.warm, "connected": containers.connected,
    "find": containers.find, "read": containers.read,
    "commit": commit.run, "build": build.cold, "rebuild": build.cached, "change": build.changed,
    "runstep": runstep.run, "view": view.run,
    "analyze-flat": analyze.flat, "analyze-deep": analyze.deep, "analyze-whiteouts": analyze.whiteouts,
    "analyze-crowded": analyze.crowded, "analyze-nested": analyze.nested,
    "analyze-bulk": analyze.bulk, "analyze-stored": analyze.stored, "analyze-kept": analyze.kept,
}  # fmt: skip


def main() -> int:
    """Run the rows named; 1 when a row failed or missed a goal."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(_ROWS)}")
    parser.add_argument("--runs", type=int, default=5, help="runs of each contestant (5)")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="where the loop file stands")
    options = parser.parse_args()
    if unknown := [name for name in options.rows if name not in _ROWS]:
        parser.error(f"no such row: {', '.join(unknown)}")
    if os.geteuid() != 0:
        parser.error("the stores stand on a file system of their own, and only root can mount it")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "millefeuille-tests")
    signal.signal(signal.SIGTERM, _leave)
    failed = False
    print(f"{os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}")
    with ExitStack() as stack:
        work = stack.enter_context(tempfile.TemporaryDirectory(prefix="mille-bench-", dir=options.work))
        ground = Ground(Path(work), cache, options.runs, stack)
        for name in options.rows or _ROWS:
            try:
                result, goals = _ROWS[name](ground)
            except MilleError as error:
                print(f"\nFAILED {name}: {error}", flush=True)
                failed = True
                continue
            show(result, goals)
            failed |= bool(result.failures) or not all(goal.met for goal in goals)
    return int(failed)


def _leave(number: int, _frame: object) -> None:
    """End as by an exception, so that servers are stopped and the volume is unmounted."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
