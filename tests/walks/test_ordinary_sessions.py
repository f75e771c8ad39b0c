"""The same user from several sessions, of which each has a runtime directory of its own or none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.runtime.test_userns import ordinary
from tests.walks.test_ordinary_files import Commands, commands, pytestmark

__all__ = ["commands", "ordinary", "pytestmark"]


def session(commands: Commands, name: str) -> dict[str, str]:
    """The environment of a session with a runtime directory of this name."""
    directory = commands.directory / name
    directory.mkdir(exist_ok=True)
    shutil.chown(directory, commands.who.number)
    return {"XDG_RUNTIME_DIR": str(directory)}


def test_another_session(commands: Commands) -> None:
    login, other = session(commands, "login"), session(commands, "other")
    words = ("run", "-d", "--name", "it", "--network", "none", "base:1", "sleep", "100")
    assert commands.mille(*words, more=login).returncode == 0
    assert commands.done("exec", "it", "echo", "hello") == "hello\n"
    assert commands.mille("exec", "it", "echo", "hello", more=other).stdout == "hello\n"
    assert commands.mille("kill", "it", more=other).returncode == 0
    assert commands.done("rm", "it") == "it\n"


def test_a_session_that_ended(commands: Commands) -> None:
    login = session(commands, "login")
    trap = "trap 'exit 5' TERM; while :; do sleep 0.1; done"
    sleeping = dict.fromkeys(("one", "two", "four"), "sleep 100")
    for name, command in {**sleeping, "three": trap, "five": "sleep 4; exit 7"}.items():
        words = ("run", "-d", "--name", name, "--network", "none", "base:1", "sh", "-c", command)
        assert commands.mille(*words, more=login).returncode == 0
    shutil.rmtree(commands.directory / "login")
    for command in (("exec", "one", "true"), ("attach", "one")):
        refused = commands.mille(*command)
        assert refused.returncode == 1
        assert "Error: container one cannot be reached: " in refused.stderr
        assert "`mille restart one`" in refused.stderr
    for verb, name, code in (("kill", "one", 137), ("stop", "three", 5)):
        commands.done(verb, name)
        [told] = json.loads(commands.done("inspect", name))
        assert (told["State"]["Status"], told["State"]["ExitCode"]) == ("exited", code)
    assert commands.done("rm", "-f", "two") == "two\n"
    commands.done("restart", "-t", "0", "four")
    assert commands.done("wait", "five") == "7\n"
    assert commands.done("exec", "four", "echo", "hello") == "hello\n"


def test_containers_that_start_together(commands: Commands) -> None:
    words = ("run", "-d", "--network", "none", "base:1", "sleep", "100")
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: commands.mille(*words), range(3)))
    ids = [done.stdout.strip() for done in started]
    pids = [json.loads(commands.done("inspect", id))[0]["State"]["Pid"] for id in ids]
    assert len({os.readlink(f"/proc/{pid}/ns/user") for pid in pids}) == 1
    for id in ids:
        assert commands.done("exec", id, "echo", "hello") == "hello\n"


def test_a_directory_that_cannot_be_used(commands: Commands) -> None:
    refused = commands.mille("create", "base:1", more={"XDG_RUNTIME_DIR": "/root"})
    assert "XDG_RUNTIME_DIR=/root: /root/millefeuille: permission denied" in refused.stderr


def test_a_container_that_its_command_waits_for(commands: Commands) -> None:
    words = [commands.python, "-m", "millefeuille", "run", "--name", "it", "--network", "none", "base:1"]
    with subprocess.Popen(
        [*words, "sh", "-c", "echo begun; sleep 100"], cwd="/", env=commands.environment(),
        user=commands.who.number, group=commands.who.group, extra_groups=[], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as waiting:  # fmt: skip
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == b"begun\n"
        assert commands.done("exec", "it", "echo", "hello") == "hello\n"
        commands.done("kill", "it")
        assert waiting.wait() == 137


def test_a_comma_in_the_path(commands: Commands) -> None:
    words = ("run", "--rm", "--network", "none", "base:1", "echo", "hello")
    refused = commands.mille(*words, more=session(commands, "a,b"))
    if refused.returncode:  # not so crun
        assert refused.returncode == 125
        assert "runc takes no comma in the path of the run directory" in refused.stderr
        assert commands.mille(*words, more=session(commands, "ab")).stdout == "hello\n"
