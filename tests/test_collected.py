"""A run without arguments takes every test there is."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest


def test_no_directory_of_tests_is_passed_over(pytestconfig: pytest.Config) -> None:
    passed_over = pytestconfig.getini("norecursedirs")
    top = Path(__file__).parent
    parts = {part for path in top.rglob("test_*.py") for part in path.relative_to(top).parts[:-1]}
    assert "build" in parts
    assert [part for part in parts for pattern in passed_over if fnmatch(part, pattern)] == []
