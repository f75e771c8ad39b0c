"""README's Python runs as it stands there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, blocks, steps


@pytest.mark.walk
def test_the_ten_lines_of_python_run(surroundings: dict[str, str], tmp_path: Path) -> None:
    (block,) = [block for block in blocks(ROOT / "README.md") if block.language == "python"]
    assert len([line for line in block.text.splitlines() if line]) <= 10
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text],
        cwd=tmp_path,
        env=surroundings | {"MILLE_ROOT": str(tmp_path / "store")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Started(name='library/nginx', label='1.24'")
    assert "LayerAdvanced(" in done.stdout
    assert lines[-1].endswith(" bytes could be freed")
    assert int(lines[-1].split()[0]) > 50_000_000


@pytest.mark.walk
def test_the_commands_of_every_day_work(surroundings: dict[str, str], tmp_path: Path, can_run: bool) -> None:
    commands = [step.command for step in steps(ROOT / "README.md") if "daily" in step.words]
    assert len(commands) == 7
    for command in commands:
        if command.startswith(("mille run", "mille rm")) and not can_run:
            continue
        done = subprocess.run(
            command.replace("8080:80", "127.0.0.1::80"),  # that port may be taken
            shell=True,
            cwd=tmp_path,
            env=surroundings | {"MILLE_ROOT": str(tmp_path / "store")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
