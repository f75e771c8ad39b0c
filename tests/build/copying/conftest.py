from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _modes_of_sources() -> Iterator[None]:
    """The modes of files that these tests make to be copied are told in what is expected."""
    old = os.umask(0o022)
    yield
    os.umask(old)
