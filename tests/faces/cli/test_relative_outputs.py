"""Files that a user names from where he stands: every command that writes one, and what is no file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

LAYER = rawtars.archive(rawtars.directory(b"etc"), rawtars.file(b"etc/a", b"x" * 300))


@pytest.fixture
def here(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "here"
    place.mkdir()
    write_archive(place / "image.tar", [LAYER], ["one"])
    (place / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /f\n")
    monkeypatch.chdir(place)
    assert home.mille("load", "-q", "-i", "image.tar")[2] == 0
    return place


@pytest.mark.parametrize("words", [
    ["analyze", "docker-archive://image.tar", "--json=out"],
    ["analyze", "random:latest", "--html", "out"],
    ["analyze", "random:latest", "--json=./out"],
    ["dive", "random:latest", "-j", "out"],
    ["dive", "--source", "docker-archive", "image.tar", "--json", "out"],
    ["save", "-o", "out", "random:latest"],
    ["save", "-o", "./out", "random:latest"],
    ["image", "cp", "random:latest:/etc/a", "out"],
    ["image", "cp", "random:latest:/etc", "out"],
    ["build", "-q", "-o", "out", "."],
    ["build", "-q", "-o", "type=local,dest=out/a/b", "."],
    ["build", "-q", "-o", "type=tar,dest=out", "."],
    ["build", "-q", "-o", "type=oci,dest=out", "."],
    ["build", "-q", "-o", "type=docker,dest=out", "."],
    ["build", "-q", "-o", "type=oci,tar=false,dest=out", "."],
    ["build", "-q", "-o", "type=oci,tar=false,dest=out/a/b", "."],
    ["build", "-q", "--iidfile", "out", "."],
    ["build", "-q", "--metadata-file", "out", "."],
], ids=" ".join)  # fmt: skip
def test_it_is_there(words: list[str], home: Home, here: Path) -> None:
    before = set(here.iterdir())
    _, err, code = home.mille(*words)
    assert (err, code) == ("", 0)
    assert set(here.iterdir()) - before == {here / "out"}


def test_a_link_is_written_through(home: Home, here: Path) -> None:
    (here / "link").symlink_to("real")
    (here / "real").touch()
    assert home.mille("analyze", "random:latest", "--json=link") == ("", "", 0)
    assert (here / "link").is_symlink()
    assert json.loads((here / "real").read_text())["schemaVersion"]


@pytest.mark.parametrize(("target", "error"), [
    (".", ".: is a directory"),
    ("missing/out", "missing/out: no such file or directory"),
    ("image.tar/out", "image.tar/out: not a directory"),
    ("/dev/full", "/dev/full: no space left on device"),
])  # fmt: skip
@pytest.mark.parametrize("words", [["analyze", "--html"], ["dive", "-j"]])
def test_what_cannot_be_written(words: list[str], target: str, error: str, home: Home, here: Path) -> None:
    command, flag = words
    out, err, code = home.mille(command, "random:latest", flag, target)
    assert (out, err.splitlines()[0], code) == ("", f"Error: {error}", 2)


@pytest.mark.parametrize("words", [
    ["save", "random:latest", "-o", "/sys/out"],
    ["image", "cp", "random:latest:/etc/a", "/sys/out"],
    ["build", "-q", ".", "-o", "/sys/out"],
    ["build", "-q", ".", "-o", "type=local,dest=/sys"],
    ["build", "-q", ".", "-o", "type=tar,dest=/sys/out"],
    ["build", "-q", ".", "-o", "type=oci,dest=/sys/out"],
    ["build", "-q", ".", "-o", "type=oci,tar=false,dest=/sys/out"],
], ids=" ".join)  # fmt: skip
def test_what_is_written_elsewhere_has_no_advice_about_the_store(
    words: list[str], home: Home, here: Path
) -> None:
    out, err, code = home.mille(*words)
    assert (out, code) == ("", 1)
    assert err.endswith((" denied\n", " permitted\n"))
    assert len(err.splitlines()) == 1


def test_an_open_descriptor_is_written_where_it_stands(here: Path) -> None:
    command = [sys.executable, "-I", "-m", "millefeuille", "analyze", "docker-archive://image.tar"]
    with open("both", "wb") as file:
        file.write(b"first\n")
        file.flush()
        for name in ("/dev/stdout", "/dev/fd/1"):
            done = subprocess.run([*command, f"--json={name}"], stdout=file, check=False)
            assert done.returncode == 0
        file.write(b"last\n")
    lines = (here / "both").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("first", "last")
    assert [json.loads(line)["schemaVersion"] for line in lines[1:3]] == ["1.0", "1.0"]


@pytest.mark.parametrize(("words", "told"), [
    (["images"], {"MILLE_ROOT": "rel"}),
    (["--root", "rel", "images"], {}),
    (["images"], {"DOCKER_CONFIG": "rel"}),
    (["images"], {"HOME": "rel"}),
    (["save", "-o", "out", "random:latest"], {}),
    (["create", "-v", "./a:/b", "random:latest", "true"], {}),
    (["create", "--mount", "type=bind,src=.,dst=/b", "random:latest", "true"], {}),
])  # fmt: skip
def test_from_a_directory_that_is_gone(
    words: list[str], told: dict[str, str], home: Home, here: Path
) -> None:
    shutil.rmtree(here)
    _, err, code = home.mille(*words, environment=told)
    assert err.splitlines()[0].endswith("Error: getcwd: no such file or directory")
    assert "Traceback" not in err
    assert code == 1


@pytest.mark.parametrize(
    "words", [["-v", "/etc:/b"], ["-v", "named:/b"], ["--mount", "type=bind,src=/,dst=/b"]]
)
def test_a_directory_that_is_gone_is_no_obstacle_to_whole_paths(
    words: list[str], home: Home, here: Path
) -> None:
    shutil.rmtree(here)
    _, err, code = home.mille("create", *words, "random:latest", "true")
    assert (err, code) == ("", 0)
