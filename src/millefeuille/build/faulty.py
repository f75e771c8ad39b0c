"""Faulty archives: what is wrong with one, and which one it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.errors import Corrupt, Invalid


@contextlib.contextmanager
def faulty(name: str) -> Iterator[None]:
    """Within the block an archive is read: say what it is called in errors about what is in it."""
    try:
        yield
    except (Corrupt, Invalid) as error:
        error.args = (f"{name}: {error}",)
        raise
