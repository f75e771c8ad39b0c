from __future__ import annotations

import pytest
from tests.faces.cli.home import Home
from tests.faces.cli.image.mirrored import Mirrored


@pytest.fixture
def mirrored(home: Home, monkeypatch: pytest.MonkeyPatch) -> Mirrored:
    """The index.json of the person's store."""
    return Mirrored(home, monkeypatch)
