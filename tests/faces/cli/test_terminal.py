from __future__ import annotations

import errno
import io

import pytest

from millefeuille.errors import Failed
from millefeuille.faces.cli.terminal import ReaderGone, Terminal


class _Broken(io.StringIO):
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def write(self, text: str) -> int:
        raise OSError(self.code, "No space left on device")


def make(answer: str = "", stdout: io.StringIO | None = None) -> Terminal:
    return Terminal(io.StringIO(answer), stdout or io.StringIO(), io.StringIO())


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        ("y\n", True),
        ("Y\n", True),
        (" y \n", True),
        ("y", True),
        ("yes\n", False),
        ("n\n", False),
        ("\n", False),
        ("", False),
    ],
)
def test_only_y_is_agreement(answer: str, agreed: bool) -> None:
    terminal = make(answer)
    assert terminal.confirm("WARNING! Gone.\nAre you sure you want to continue?") is agreed
    assert isinstance(terminal.stdout, io.StringIO)
    assert terminal.stdout.getvalue() == "WARNING! Gone.\nAre you sure you want to continue? [y/N] "


def test_a_reader_that_left_is_told_apart_from_a_full_disk() -> None:
    with pytest.raises(ReaderGone):
        make(stdout=_Broken(errno.EPIPE)).line("text")
    with pytest.raises(Failed, match=r"^standard output: no space left on device$"):
        make(stdout=_Broken(errno.ENOSPC)).line("text")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("user \x1b[31mEVIL\x07", "user \ufffd[31mEVIL\ufffd\n"),
        ("a\u202eb\x9bc\rd", "a\ufffdb\ufffdc\ufffdd\n"),
        ("one\n\ttwo", "one\n\ttwo\n"),
    ],
)
def test_complaints_do_not_steer_the_screen(text: str, shown: str) -> None:
    terminal = make()
    terminal.complain(text)
    assert isinstance(terminal.stderr, io.StringIO)
    assert terminal.stderr.getvalue() == shown


def test_complaints_never_fail() -> None:
    stderr = _Broken(errno.EPIPE)
    Terminal(io.StringIO(), _Broken(errno.ENOSPC), stderr).complain("text")
    assert stderr.getvalue() == ""


def test_texts_go_out_as_utf8_whatever_the_locale() -> None:
    raw = io.BytesIO()
    terminal = Terminal(io.StringIO(), io.TextIOWrapper(raw, encoding="ascii"), io.StringIO())
    terminal.line("é … \udcff")
    terminal.flush()
    assert raw.getvalue() == "é … ".encode() + b"\xff\n"


def test_bytes_come_after_the_texts_before_them() -> None:
    raw = io.BytesIO()
    terminal = Terminal(io.StringIO(), io.TextIOWrapper(raw, encoding="utf-8"), io.StringIO())
    terminal.line("text")
    terminal.binary.write(b"bytes")
    terminal.flush()
    assert raw.getvalue() == b"text\nbytes"


def test_width_is_80_where_there_is_no_terminal() -> None:
    assert make().width == 80
