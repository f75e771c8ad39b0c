"""Where Docker's daemon is, as its client tells it from its environment and its files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from millefeuille.registry.dockercontext import NoContext, docker_host

SOCKET = "unix:///var/run/docker.sock"
HOST = "unix:///elsewhere.sock"


def context_of(directory: Path, name: str, document: Any) -> str:
    """A directory of Docker's settings with one context in it."""
    place = directory / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    place.mkdir(parents=True)
    (place / "meta.json").write_text(json.dumps(document))
    return str(directory)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """An environment with the context `there`, which nothing chooses."""
    return {"DOCKER_CONFIG": context_of(tmp_path, "there", {"Endpoints": {"docker": {"Host": HOST}}})}


def test_nothing_is_told(tmp_path: Path) -> None:
    assert docker_host({}) == docker_host({"HOME": str(tmp_path)}) == SOCKET
    assert docker_host({"DOCKER_HOST": "", "DOCKER_CONTEXT": "", "DOCKER_CONFIG": str(tmp_path)}) == SOCKET


def test_a_variable_goes_before_another(settings: dict[str, str]) -> None:
    assert docker_host({**settings, "DOCKER_CONTEXT": "there", "DOCKER_HOST": "tcp://a:1"}) == "tcp://a:1"
    assert docker_host({**settings, "DOCKER_CONTEXT": "there"}) == HOST
    Path(settings["DOCKER_CONFIG"], "config.json").write_text('{"currentContext": "there"}')
    assert docker_host(settings) == HOST
    assert docker_host({**settings, "DOCKER_CONTEXT": "default"}) == SOCKET


def test_in_the_home(tmp_path: Path) -> None:
    context_of(tmp_path / ".docker", "é", {"Endpoints": {"docker": {"Host": HOST}}})
    assert docker_host({"HOME": str(tmp_path), "DOCKER_CONTEXT": "é"}) == HOST


@pytest.mark.parametrize("text", ["", "[]", "{", '{"currentContext": 3}', "[" * 100_000, "\xff", "null"])
def test_settings_that_are_none(settings: dict[str, str], text: str) -> None:
    Path(settings["DOCKER_CONFIG"], "config.json").write_text(text)
    assert docker_host(settings) == SOCKET


def test_settings_that_are_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    assert docker_host({"DOCKER_CONFIG": str(tmp_path)}) == SOCKET


@pytest.mark.parametrize("document", [{}, [], {"Endpoints": {}}, {"Endpoints": {"docker": {"Host": ""}}}])
def test_a_context_without_a_daemon(tmp_path: Path, document: Any) -> None:
    environment = {"DOCKER_CONFIG": context_of(tmp_path, "x", document), "DOCKER_CONTEXT": "x"}
    with pytest.raises(NoContext, match=r"^Docker context 'x': context not found in "):
        docker_host(environment)
    with pytest.raises(NoContext, match="context 'other'"):
        docker_host({**environment, "DOCKER_CONTEXT": "other"})
