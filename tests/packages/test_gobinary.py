"""Modules of Go are found in executables that Go built, and nowhere else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.packages.gofiles import go_header

from millefeuille.packages.gobinary import go_packages

MODULES = (
    b"path\texample.org/app\nmod\texample.org/app\t(devel)\t\ndep\texample.org/a\tv1.2.3\th1:x=\n"
    b"dep\texample.org/old\tv1.0.0\n=>\texample.org/new\tv2.0.0\th1:y=\nbuild\t-compiler=gc\n"
)


def found(raw: bytes) -> list[tuple[str, str]]:
    return [(one.name, one.version) for one in go_packages(raw)]


def test_modules_that_replace_others_are_named_instead() -> None:
    assert found(bytes(32) + go_header(b"go1.21.5 X:boring", MODULES) + bytes(100)) == [
        ("stdlib", "1.21.5"), ("example.org/a", "v1.2.3"), ("example.org/new", "v2.0.0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x7fELF", b"\xff Go buildinf:", bytes(5) + go_header(b"go1.21", MODULES),
        go_header(b"nothing", MODULES),
        go_header(b"go1.21", MODULES).replace(bytes([8, 2]), bytes([8, 0]), 1),
        b"\xff Go buildinf:\x08\x02" + bytes(16) + b"\xff" * 40,
    ],
)  # fmt: skip
def test_other_bytes_list_nothing(raw: bytes) -> None:
    assert found(raw) == []


@pytest.mark.walk
@pytest.mark.parametrize("name", ["skopeo", "umoci", "docker-registry", "runc"])
def test_programs_of_this_machine(name: str) -> None:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"no {name} here")
    packages = found(Path(program).read_bytes())
    release = subprocess.run(
        ["grep", "-aoEm1", r"go1\.[0-9]+\.[0-9]+", program], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    assert packages[0] == ("stdlib", release.removeprefix("go"))
