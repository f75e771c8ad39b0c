from __future__ import annotations

import os
from pathlib import Path

import pytest

from millefeuille.settings import settle


@pytest.mark.parametrize(
    ("environment", "uid", "option", "root"),
    [
        ({}, 0, "", "/var/lib/millefeuille"),
        ({"XDG_DATA_HOME": "/data"}, 0, "", "/var/lib/millefeuille"),
        ({}, 1000, "", "/home/u/.local/share/millefeuille"),
        ({"XDG_DATA_HOME": "/data"}, 1000, "", "/data/millefeuille"),
        ({"XDG_DATA_HOME": "data"}, 1000, "", "/home/u/.local/share/millefeuille"),
        ({"MILLE_ROOT": "/env"}, 0, "", "/env"),
        ({"MILLE_ROOT": ""}, 0, "", "/var/lib/millefeuille"),
        ({"MILLE_ROOT": "/env"}, 1000, "/option", "/option"),
    ],
)
def test_root(environment: dict[str, str], uid: int, option: str, root: str) -> None:
    assert settle(environment, uid=uid, home="/home/u", root=option).root == root


@pytest.mark.parametrize(
    ("environment", "uid", "run"),
    [
        ({"XDG_RUNTIME_DIR": "/run/user/0"}, 0, "/run/millefeuille"),
        ({"XDG_RUNTIME_DIR": "/run/user/1"}, 1, "/run/user/1/millefeuille"),
        ({}, 1, "/home/u/.local/share/millefeuille/run"),
        ({"MILLE_RUN": "/told", "XDG_RUNTIME_DIR": "/run/user/0"}, 0, "/told"),
    ],
)
def test_run_directory(environment: dict[str, str], uid: int, run: str) -> None:
    assert settle(environment, uid=uid, home="/home/u").run == run


@pytest.mark.parametrize("name", ["MILLE_RUN", "XDG_RUNTIME_DIR"])
def test_the_run_directory_has_no_links_in_its_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    run = settle({name: f"{tmp_path}/link/new"}, uid=1, home="/home/u").run
    assert run == f"{tmp_path}/real/new" + ("" if name == "MILLE_RUN" else "/millefeuille")


def test_snapshotter() -> None:
    assert settle({}, uid=0, home="/").snapshotter == ""
    assert settle({"MILLE_SNAPSHOTTER": "overlay"}, uid=0, home="/").snapshotter == "overlay"


def test_paths_become_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/usr")
    assert settle({}, uid=0, home="/", root="store").root == "/usr/store"
    assert settle({"MILLE_RUN": "runs"}, uid=1, home="/").run == "/usr/runs"


def test_docker_configuration_is_handed_on() -> None:
    assert settle({}, uid=0, home="/root").docker_config == "/root/.docker"
    assert settle({"DOCKER_CONFIG": "/env"}, uid=0, home="/root").docker_config == "/env"
    settings = settle(
        {"DOCKER_CONFIG": "/env", "no_proxy": "*"}, uid=0, home="/root", docker_config="/option"
    )
    assert settings.environment == {"DOCKER_CONFIG": "/option", "no_proxy": "*"}


def test_secrets_stay_out_of_the_repr() -> None:
    assert "hunter2" not in repr(settle({"DOCKER_AUTH_CONFIG": "hunter2"}, uid=0, home="/"))


def test_platform_comes_from_docker_variable() -> None:
    assert settle({"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}, uid=0, home="/").platform == "linux/arm64"


def test_the_run_directory_that_the_store_remembers(tmp_path: Path) -> None:
    def run(uid: int = os.getuid() or 1) -> str:
        return settle({"XDG_RUNTIME_DIR": "/run/user/1"}, uid=uid, home="/", root=str(tmp_path)).run

    link, kept = tmp_path / "run-directory", tmp_path / "kept"
    kept.mkdir()
    os.chown(kept, os.getuid() or 1, -1)
    link.symlink_to(kept)
    assert run() == str(kept)
    assert run(4711) == "/run/user/1/millefeuille"  # another user's
    assert run(0) == "/run/millefeuille"
    kept.rmdir()
    assert run() == "/run/user/1/millefeuille"
    link.unlink()
    link.symlink_to("relative")
    assert run() == "/run/user/1/millefeuille"
