"""What a sweep cannot put in order is left to the next one, and holds up no command."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille import files
from millefeuille.containers.place import Place
from millefeuille.containers.sweep import sweep
from millefeuille.store.store import Store


def host(tmp_path: Path, error: Exception) -> tuple[Any, list[str]]:
    """A host whose parts cannot be swept for this reason; which of them were called upon."""
    store = Store(str(tmp_path / "store"))
    called: list[str] = []

    def refuse(name: str) -> None:
        called.append(name)
        raise error

    parts = SimpleNamespace(
        store=store, place=Place(store.disk.root, str(tmp_path / "run")),
        networks=SimpleNamespace(sweep=lambda idle: refuse("networks")),
        volumes=SimpleNamespace(sweep=lambda: refuse("volumes")),
        snapshots=SimpleNamespace(release_idle=lambda: refuse("snapshots")),
    )  # fmt: skip
    return parts, called


@pytest.mark.parametrize(
    "error", [OSError(errno.EROFS, "x"), OSError(errno.ENOSPC, "x"), files.ReadOnlyStore("x")]
)
def test_a_disk_that_cannot_be_written_holds_up_nothing(tmp_path: Path, error: Exception) -> None:
    parts, called = host(tmp_path, error)
    assert sweep(parts) == []
    assert called == ["networks", "volumes", "snapshots"]


def test_any_other_error_is_told(tmp_path: Path) -> None:
    parts, _ = host(tmp_path, OSError(errno.EIO, "x"))
    with pytest.raises(OSError, match="x"):
        sweep(parts)
