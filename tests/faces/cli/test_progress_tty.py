from __future__ import annotations

import io
import re

import pytest

from millefeuille.faces.cli import progress
from millefeuille.faces.cli.progress_tty import Drawing
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.oci.digest import Digest
from millefeuille.progress import (
    Finished,
    LayerAdvanced,
    LayerDone,
    LayerFound,
    LayerVerifying,
    Progress,
    Started,
)

FIRST = Digest("sha256", "a" * 64)
SECOND = Digest("sha256", "b" * 64)


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> _Tty:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    return _Tty()


def pull(reporter: Progress) -> None:
    reporter.report(Started(name="library/nginx", label="1.24"))
    reporter.report(LayerFound(digest=FIRST, total=2_000_000, exists=True))
    reporter.report(LayerFound(digest=SECOND, total=2_000_000, exists=False))
    reporter.report(LayerAdvanced(digest=SECOND, current=1_500_000, total=2_000_000))


def visible(screen: _Tty) -> list[str]:
    """The lines left on a terminal: cursor movements carried out, colours dropped."""
    lines = [""]
    row = 0
    for part in re.findall(r"\x1b\[[?0-9;]*[a-zA-Z]|\n|\r|[^\x1b\n\r]+", screen.getvalue()):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part != "\r" and not part.startswith("\x1b"):
            lines[row] += part
    return [line.rstrip() for line in lines if line.strip()]


def test_what_stays_on_the_screen(screen: _Tty) -> None:
    with progress.shown(Terminal(io.StringIO(), screen, io.StringIO()), "pull") as reporter:
        pull(reporter)
        reporter.report(LayerVerifying(digest=SECOND))
        reporter.report(LayerDone(digest=SECOND, outcome="pulled"))
        reporter.report(Finished(digest=FIRST, size=1, status="Downloaded newer image for nginx:1.24"))
    assert visible(screen) == [
        "1.24: Pulling from library/nginx",
        "aaaaaaaaaaaa: Already exists",
        "bbbbbbbbbbbb: Pull complete",
        f"Digest: {FIRST}",
        "Status: Downloaded newer image for nginx:1.24",
    ]


def test_a_moving_layer_shows_its_share_of_the_total(screen: _Tty) -> None:
    with Drawing(Terminal(io.StringIO(), screen, io.StringIO()), "pull") as drawing:
        pull(drawing)
    assert re.search(r"bbbbbbbbbbbb: Downloading .*1\.5MB/2MB", "\n".join(visible(screen)))


def test_an_error_leaves_the_last_state_on_the_screen(screen: _Tty) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        Drawing(Terminal(io.StringIO(), screen, io.StringIO()), "pull") as drawing,
    ):
        pull(drawing)
        raise ZeroDivisionError
    assert visible(screen)[1] == "aaaaaaaaaaaa: Already exists"
    assert screen.getvalue().endswith("\n")
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h") == 1
