"""The scripts, run by the shells they are for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from millefeuille.faces.cli import catalogue
from millefeuille.faces.cli.commands import COMMANDS
from millefeuille.faces.cli.completion import bash, fish, zsh
from millefeuille.faces.cli.completion.vocabulary import Place
from millefeuille.faces.cli.main import main

# A command line up to the cursor, and what must be offered, or must be the whole offer.
_SOME = [
    ("mille ", {"image", "images", "pull", "completion"}),
    ("mille image ls --", {"--format", "--no-trunc", "--help"}),
    ("mille --", {"--root", "--debug"}),
]
_ALL = [
    ("mille im", {"image", "images", "import"}),
    ("mille image r", {"rm"}),
    ("mille image ls --fo", {"--format"}),
    ("mille images -f x=y --q", {"--quiet"}),
    ("mille image rm x --n", {"--no-prune"}),
    ("mille --root /tmp image l", {"load", "ls", "ls-files"}),
    ("mille --debug system d", {"df"}),
    ("mille rmi bu", {"busybox:latest"}),
    ("mille image rm x alp", {"alpine:3.20"}),
    ("mille stop ", {"web", "db"}),
    ("mille container logs w", {"web"}),
    ("mille completion ", {"bash", "fish", "zsh"}),
]
_IMAGES = r"busybox:latest\nalpine:3.20\n<none>:<none>\n"

_KINDS = {"image", "container", "file", "directory"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a `mille` that only knows some images, which the shells find first."""
    fake = tmp_path / "mille"
    fake.write_text(
        f'#!/bin/sh\ncase "$1" in ps) printf "web\\ndb\\n";; *) printf "{_IMAGES}";; esac\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def script(shell: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert main(["completion", shell]) == 0
    path = folder / f"completion.{shell}"
    path.write_text(capfd.readouterr().out)
    return path


def output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def offered(shell: str, path: Path, line: str) -> set[str]:
    if shell == "bash":
        body = 'source "$1"; COMP_LINE="$2"; COMP_POINT=${#2}; _mille; printf "%s\\n" "${COMPREPLY[@]}"'
        return set(output("bash", "-c", body, "bash", str(path), line).split())
    found = output("fish", "--no-config", "-c", f"source {path}; complete -C '{line}'")
    return {entry.partition("\t")[0] for entry in found.splitlines()}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_shells_offer_commands_flags_and_images(
    shell: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = script(shell, folder, capfd)
    for line, wanted in _SOME:
        assert wanted <= offered(shell, path, line), line
    for line, wanted in _ALL:
        assert offered(shell, path, line) == wanted, line


def test_bash_completes_behind_a_colon(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = script("bash", folder, capfd)
    assert offered("bash", path, "mille rmi busybox:la") == {"latest"}


def test_files_are_offered_where_a_file_is_meant(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = script("bash", folder, capfd)
    assert str(path) in offered("bash", path, f"mille load -i {folder}/comp")
    assert offered("bash", path, "mille image ls --format ") == set()


def test_directories_are_offered_to_a_build(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = script("bash", folder, capfd)
    (folder / "context").mkdir()
    assert offered("bash", path, f"mille build {folder}/") == {f"{folder}/context"}


@pytest.mark.parametrize("kind", sorted(_KINDS))
@pytest.mark.parametrize("shell", [bash, zsh, fish])
def test_no_kind_is_offered_as_a_word(shell: ModuleType, kind: Any) -> None:
    place = Place(names=("",), complete=kind)
    assert f"arguments '{' '.join(kind)}'" not in shell.script([place])
    if shell is not fish:
        assert f"            {kind}) " in shell.script([place])


def test_there_is_no_other_kind() -> None:
    named = {catalogue.load(row).complete for row in COMMANDS}
    assert {kind for kind in named if isinstance(kind, str) and kind} == _KINDS


def test_zsh_accepts_its_script(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = script("zsh", folder, capfd)
    load = f"autoload -U compinit; compinit -u -D; source {path}"
    look = (
        "print $_comps[mille]; place=image; _mille_place; print $subcommands;"
        "compadd() { print ${(P)2} }; _mille_containers; _mille_images"
    )
    body = f"{load}; {look}"
    registered, commands, containers, images = output("zsh", "-f", "-c", body).splitlines()
    assert registered == "_mille"
    assert "rm:Remove one or more images" in commands
    assert (containers, images) == ("web db", "busybox:latest alpine:3.20")


def test_an_unknown_shell_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 1
    assert capfd.readouterr().err == 'unknown shell "tcsh"\nChoose one of bash, fish, zsh.\n'
