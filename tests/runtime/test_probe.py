"""Which runtime is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.runtime import probe
from millefeuille.runtime.invocation import RuntimeMissing


def test_none_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_PATH", "/nonexistent")
    with pytest.raises(RuntimeMissing, match="no OCI runtime found"):
        probe.find("/nowhere")


@pytest.mark.parametrize(
    ("installed", "hybrid", "chosen"),
    [
        (("crun", "runc"), False, "crun"),
        (("crun", "runc"), True, "runc"),
        (("runc",), False, "runc"),
        (("crun",), True, "crun"),
    ],
)
def test_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], hybrid: bool, chosen: str
) -> None:
    for name in installed:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr(probe, "_PATH", str(tmp_path))
    monkeypatch.setattr(probe, "_hybrid", lambda: hybrid)
    assert probe.find("/nowhere").program == str(tmp_path / chosen)
