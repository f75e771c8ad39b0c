from __future__ import annotations

import errno
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille import files
from millefeuille.testing import file_faults as faults
from millefeuille.testing.file_faults import KILL, BadFault, Fault

_CHILD = """
import os, sys
from millefeuille import files
from millefeuille.testing import file_faults as faults
faults.install(dict(os.environ))
for number in range(3):
    files.replace_file(f"{sys.argv[1]}/{number}", b"x")
"""


@pytest.fixture(autouse=True)
def _no_hook_afterwards() -> Iterator[None]:
    yield
    files.hook = None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rename:3:kill", Fault(operation="rename", site="", occurrence=3, effect=KILL)),
        ("*:1:ENOSPC", Fault(operation="*", site="", occurrence=1, effect=errno.ENOSPC)),
        ("write@a.b:12:2:EIO", Fault(operation="write", site="a.b:12", occurrence=2, effect=errno.EIO)),
    ],
)
def test_faults_are_read(text: str, fault: Fault) -> None:
    assert faults.parse(text) == fault


@pytest.mark.parametrize(
    "text", ["", "rename", "rename:1", ":1:kill", "rename:0:kill", "rename:x:kill", "rename:1:EVIL"]
)
def test_bad_faults_are_refused(text: str) -> None:
    with pytest.raises(BadFault):
        faults.parse(text)


def test_nothing_is_hooked_unless_asked() -> None:
    faults.install({})
    assert files.hook is None


def test_the_chosen_occurrence_fails_and_no_other(tmp_path: Path) -> None:
    faults.install({"MILLE_FAULT": "mkdir:2:ENOSPC"})
    files.make_directory(str(tmp_path / "a"))
    with pytest.raises(OSError, match="No space left") as caught:
        files.make_directory(str(tmp_path / "b"))
    assert caught.value.filename == str(tmp_path / "b")
    assert not (tmp_path / "b").exists()
    files.make_directory(str(tmp_path / "c"))


def test_a_fault_can_be_bound_to_a_call_site(tmp_path: Path) -> None:
    line = inspect.currentframe().f_lineno + 5  # type: ignore[union-attr]  # CPython has frames
    fault = faults.parse(f"mkdir@{__name__}:{line}:1:EIO")
    files.hook = faults.hook(fault)
    files.make_directory(str(tmp_path / "elsewhere"))
    with pytest.raises(OSError, match="Input/output"):
        files.make_directory(str(tmp_path / "here"))


def test_the_trace_names_operation_and_call_site(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    faults.install({"MILLE_FAULT_TRACE": str(trace)})
    files.replace_file(str(tmp_path / "a"), b"x")
    with files.locked(str(tmp_path / "lock"), "the lock"):
        pass
    lines = [line.split("\t") for line in trace.read_text().splitlines()]
    assert [operation for operation, _ in lines] == [
        "unlink", "create", "write", "fsync", "rename", "fsync-directory", "flock",
    ]  # fmt: skip
    assert {site.partition(":")[0] for _, site in lines} == {__name__}
    assert len({site for _, site in lines}) == 2


def test_kill_stops_the_process_before_the_operation(tmp_path: Path) -> None:
    environment = {**os.environ, "MILLE_FAULT": "rename:2:kill"}
    done = subprocess.run([sys.executable, "-c", _CHILD, str(tmp_path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(name for name in os.listdir(tmp_path) if ".tmp-" not in name) == ["0"]
    assert len(os.listdir(tmp_path)) == 2


def test_a_star_counts_operations_of_any_name(tmp_path: Path) -> None:
    environment = {**os.environ, "MILLE_FAULT": "*:8:EIO"}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Input/output error" in done.stderr
    assert os.listdir(tmp_path) == ["0"]
