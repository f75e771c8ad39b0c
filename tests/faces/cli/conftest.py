from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new home directory, with an empty store."""
    directory = tmp_path / "home"
    directory.mkdir()
    return Home(directory)
