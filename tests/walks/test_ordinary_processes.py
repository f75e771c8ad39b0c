"""An ordinary user's containers have no control groups: what is done without."""

from __future__ import annotations

import re
from pathlib import Path

from tests.runtime.test_userns import ordinary
from tests.walks.test_ordinary_files import Commands, commands, pytestmark

__all__ = ["commands", "ordinary", "pytestmark"]


def test_top(commands: Commands) -> None:
    commands.run("-d", "--name", "it", "base:1", "sh", "-c", "sleep 100 & exec sleep 101")
    commands.done("exec", "-d", "it", "sleep", "102")
    titles, *rows = commands.done("top", "it", "-o", "pid,args").splitlines()
    assert titles.split() == ["PID", "COMMAND"]
    assert sorted(row.split()[1:] for row in rows) == [["sleep", str(n)] for n in (100, 101, 102)]
    commands.run("-d", "--name", "other", "--pid", "container:it", "base:1", "sleep", "103")
    refused = commands.mille("top", "other")
    assert (refused.stdout, refused.returncode) == ("", 1)
    assert "the container shares its PID namespace and has no control group" in refused.stderr


def test_commit(commands: Commands) -> None:
    commands.run("-d", "--name", "it", "base:1", "sh", "-c", "echo hello > /made; exec sleep 100")
    done = commands.mille("commit", "it", "made:1")
    assert done.returncode == 0, done.stderr
    id = commands.done("ps", "-q").strip()
    assert done.stderr == f"WARNING: container {id} is not paused: it has no control group\n"
    assert commands.mille("commit", "--pause=false", "it").stderr == ""
    commands.done("stop", "-t", "0", "it")
    assert commands.mille("commit", "it").stderr == ""
    assert commands.run("--rm", "made:1", "cat", "/made") == "hello\n"


def test_stats(commands: Commands) -> None:
    commands.run("-d", "--name", "it", "base:1", "sleep", "100")
    form = "{{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.BlockIO}} {{.PIDs}}"
    told = commands.done("stats", "--no-stream", "--format", form)
    assert re.fullmatch(r"0\.00% 0B / \S+ 0\.00% 0B / 0B 0\n", told)


def test_devices(commands: Commands) -> None:
    script = 'for path; do stat -c "%n %t:%T" "$path"; done'
    words = ["--device", "/dev/null:/dev/mine", "--device", "/dev/zero:/srv/zero", "--device", "/dev/full"]
    told = commands.run(
        "--rm", *words, "base:1", "sh", "-c", script, "sh", "/dev/mine", "/srv/zero", "/dev/full", "/dev/null"
    )
    assert told == "/dev/mine 1:3\n/srv/zero 1:5\n/dev/full 1:7\n/dev/null 1:3\n"
    commands.run("--rm", "--device", "/dev/null:/dev/mine", "base:1", "sh", "-c", "echo hello > /dev/mine")
    commands.run("--rm", "--device", "/dev/full:/dev//full", "base:1", "true")
    refused = commands.mille("run", "--rm", "--network", "none", "--device", "/dev/null:/dev/full", "base:1")
    assert "/dev/null cannot be /dev/full in an ordinary user's container" in refused.stderr


def test_out_of_memory(commands: Commands) -> None:
    own = int(Path("/proc/self/oom_score_adj").read_text())
    for asked in (-500, own + 7):
        told = commands.run("--rm", f"--oom-score-adj={asked}", "base:1", "cat", "/proc/self/oom_score_adj")
        assert told == f"{max(own, asked)}\n"


def test_what_needs_a_control_group_is_refused(commands: Commands) -> None:
    options = (("--cgroup-parent", "/mine"), ("--device-cgroup-rule", "c 1:1 r"), ("--device", "/dev/tty:r"))
    for words in options:
        refused = commands.mille("create", *words, "base:1")
        assert refused.returncode == 1
        assert " cannot be set here\n" in refused.stderr
