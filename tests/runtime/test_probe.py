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


@pytest.mark.parametrize(("installed", "options"), [("crun", ["--cgroup-manager=disabled"]), ("runc", [])])
def test_an_ordinary_user_sets_no_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: str, options: list[str]
) -> None:
    (tmp_path / installed).touch(mode=0o755)
    monkeypatch.setattr(probe, "_PATH", str(tmp_path))
    found = probe.find("/nowhere", rootless=True)
    assert found.command() == [str(tmp_path / installed), "--root", "/nowhere", *options]
    assert not found.limits
    assert probe.find("/nowhere").limits
