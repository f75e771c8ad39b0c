"""A store that must not be entered is not taken for none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive

from millefeuille.testing import rawtars

LOOKING = (
    "images", "ps -a", "image prune -f", "rmi app", "history app", "inspect app", "save -o app.out app",
    "analyze app", "analyze app.tar", "system df", "system check", "builder du", "logs app", "info",
)  # fmt: skip
WITHOUT_POWERS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A directory with an archive and a store that nobody may enter but root with all its powers."""
    (tmp_path / "store" / "blobs").mkdir(parents=True)
    (tmp_path / "store" / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    write_archive(tmp_path / "app.tar", [rawtars.archive(rawtars.file(b"file", b"text"))])
    (tmp_path / "store").chmod(0)
    yield tmp_path
    (tmp_path / "store").chmod(0o700)


def mille(closed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    before = WITHOUT_POWERS if os.geteuid() == 0 else ()
    return subprocess.run(
        [*before, sys.executable, "-I", "-m", "millefeuille", "--root", closed / "store", *words],
        cwd=closed, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("line", LOOKING)
def test_every_command_names_it(closed: Path, line: str) -> None:
    done = mille(closed, *line.split())
    assert done.returncode in (1, 2)
    assert f"Error: the store {closed}/store: permission denied\nChoose a store of your own" in done.stderr


@pytest.mark.parametrize("line", ["./app.tar", "docker-archive://app.tar", "--advise ./app.tar"])
def test_archives_are_analysed_beside_it(closed: Path, line: str) -> None:
    done = mille(closed, "analyze", *line.split())
    assert (done.returncode, done.stderr) == (0, "")
