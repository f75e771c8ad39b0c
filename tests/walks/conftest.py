"""What the walks need to run containers."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def containers() -> None:
    """Containers can be run here: by root, with a runtime. The test is skipped otherwise."""
    if os.geteuid() != 0 or not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("running containers needs root, and crun or runc")
