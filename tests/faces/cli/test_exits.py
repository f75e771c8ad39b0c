from __future__ import annotations

import errno
import io

import pytest

from millefeuille import errors
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.terminal import Terminal


def test_every_kind_of_error_has_an_exit_code() -> None:
    kinds = {kind for kind in errors.MilleError.__subclasses__() if kind.__module__ == errors.__name__}
    assert set(exits.CODES) == kinds
    assert all(0 < code < 125 for code in exits.CODES.values())


class _Concrete(errors.NotFound):
    pass


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (_Concrete("No such image: a:latest"), 1, "Error: No such image: a:latest"),
        (errors.Denied("no", advice="Log in."), 1, "Error: no\nLog in."),
        (Refusal("invalid reference format"), 1, "invalid reference format"),
        (Refusal("template parsing error", code=exits.TEMPLATE), 64, "template parsing error"),
    ],
)
def test_errors_are_said_as_docker_says_them(error: errors.MilleError, code: int, text: str) -> None:
    stderr = io.StringIO()
    assert exits.report(Terminal(io.StringIO(), io.StringIO(), stderr), error) == code
    assert stderr.getvalue() == f"{text}\n"


def test_refusing_takes_the_prefix_from_what_is_raised_within() -> None:
    with pytest.raises(Refusal, match=r"^bad name$") as caught, exits.refusing(code=3):
        raise errors.Invalid("bad name", advice="Use a better one.")
    assert (caught.value.code, caught.value.advice) == (3, "Use a better one.")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOENT, "No such file or directory", "/a"), "/a: no such file or directory"),
        (OSError(errno.ENOENT, "No such file or directory", b"/a"), "/a: no such file or directory"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a" * 4095), "a" * 4095 + ": file name too long"),
        (OSError(errno.ENAMETOOLONG, "File name too long", b"a" * 4095 + b"z"),
         f"{'a' * 120}…{'a' * 119}z: file name too long"),
        (OSError(errno.ENOENT, "No such file or directory"), "getcwd: no such file or directory"),
        (OSError(errno.EIO, "Input/output error"), "a system call: input/output error"),
        (MemoryError(), "there is not enough memory for this"),
        (RuntimeError("can't start new thread"),
         "no thread can be started: memory or the number of processes is limited"),
        (RuntimeError("other"), "internal error: RuntimeError: other"),
        (ValueError("two\nlines"), "internal error: ValueError: two lines"),
    ],
)  # fmt: skip
def test_any_exception_becomes_one_line(error: Exception, text: str) -> None:
    known = exits.known(error)
    assert isinstance(known, errors.Failed)
    assert str(known) == text


_PRUNE = "Free some with `mille image prune` or `mille system prune`."
_CHOOSE = "Choose a writable store with --root or MILLE_ROOT."


@pytest.mark.parametrize(
    ("number", "path", "about_store"),
    [
        (errno.ENOSPC, "/nowhere/store/blobs/x", True),
        (errno.ENOSPC, "/nowhere/run/x", False),
        (errno.ENOSPC, "/nowhere/store-2", False),
        (errno.ENOSPC, None, True),
        (errno.EACCES, "/nowhere/store/db.sqlite", True),
        (errno.EACCES, "/nowhere", True),
        (errno.EACCES, "/nowhere/run/x", False),
    ],
)
def test_advice_about_the_store_is_for_what_lies_there(
    number: int, path: str | None, about_store: bool
) -> None:
    advice = exits.known(OSError(number, "No", path), "/nowhere/store").advice or ""
    assert advice.endswith((_PRUNE, _CHOOSE)) is about_store
    assert ("bytes and" in advice) is (number == errno.ENOSPC and path is not None)


def test_our_own_errors_stay_what_they_are() -> None:
    error = errors.Conflict("in use")
    assert exits.known(error) is error
