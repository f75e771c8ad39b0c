"""What is told of containers that really run: ps, inspect, logs, top, stats, port, update, prune."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faces.cli.home import Home
from tests.hosts import host_of_its_own

from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.testing.images import MadeImage, write_docker_archive
from millefeuille.values import replace

pytestmark = pytest.mark.walk


@pytest.fixture
def home(containers: None, busybox: MadeImage, tmp_path: Path) -> Iterator[Home]:
    """A home on a host of its own with the image busybox."""
    home = Home(tmp_path / "home")
    home.directory.mkdir()
    write_docker_archive(busybox, tmp_path / "busybox.tar", "busybox:latest")
    with host_of_its_own():
        done(home, "load", "-i", str(tmp_path / "busybox.tar"))
        try:
            yield home
        finally:
            for id in home.mille("ps", "-aq")[0].split():
                done(home, "rm", "-fv", id)


def done(home: Home, *words: str) -> str:
    """What a command prints that does its work."""
    out, err, code = home.mille(*words)
    assert code == 0, err
    return out


def await_true(told: Callable[[], bool]) -> None:
    """Wait until it is."""
    deadline = time.monotonic() + 20
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_container_in_all_its_tables(home: Home) -> None:
    loop = "trap 'exit 3' TERM; echo out; echo err >&2; while true; do sleep 0.1; done"
    words = ("-d", "--name", "web", "-l", "role=front", "-p", "127.0.0.1:18081:80", "-v", "data:/data")
    id = done(home, "run", *words, "-m", "64m", "busybox", "sh", "-c", loop).strip()
    assert done(home, "ps", "-q").strip() == id[:12]
    row = json.loads(done(home, "ps", "--format", "json"))
    assert row["State"] == "running" and row["Status"].startswith("Up ")
    assert (row["Names"], row["Image"], row["Labels"]) == ("web", "busybox", "role=front")
    assert (row["Ports"], row["LocalVolumes"]) == ("127.0.0.1:18081->80/tcp", "1")
    assert (
        done(home, "ps", "--format", '{{.Label "role"}} {{.Networks}} {{.Mounts}}') == "front bridge data\n"
    )
    for filter, found in (
        ("name=we", True), ("label=role=back", False), ("status=running", True), ("ancestor=busybox", True),
        ("publish=18081", True), ("publish=80", False), ("volume=data", True), ("network=bridge", True),
        ("health=none", True),
    ):  # fmt: skip
        assert bool(done(home, "ps", "-q", "-f", filter)) == found, filter
    assert home.mille("port", "web") == ("80/tcp -> 127.0.0.1:18081\n", "", 0)

    told = json.loads(done(home, "inspect", "web"))[0]
    assert told["State"]["Running"] and told["HostConfig"]["Memory"] == 64 << 20
    assert told["Mounts"][0]["Name"] == "data"
    assert done(home, "inspect", "-s", "-f", "{{.SizeRootFs}}", "web").strip().isdecimal()
    assert done(home, "top", "web", "-o", "pid,args").count("sh -c") == 1
    counted = json.loads(done(home, "stats", "--no-stream", "--format", "json", "web"))
    assert counted["Name"] == "web" and counted["MemUsage"].endswith("/ 64MiB")
    assert int(counted["PIDs"]) >= 1

    done(home, "update", "-m", "96m", "--memory-swap", "-1", "--restart", "on-failure:2", "web")
    changed = json.loads(done(home, "inspect", "-f", "{{json .HostConfig}}", "web"))
    assert (changed["Memory"], changed["RestartPolicy"]["Name"]) == (96 << 20, "on-failure")
    assert home.mille("update", "--cpus", "x", "web")[2] == 125


def test_logs_of_both_streams_and_their_end(home: Home) -> None:
    script = "echo one; sleep 0.3; echo two >&2; sleep 0.3; printf three"
    done(home, "run", "-d", "--name", "job", "busybox", "sh", "-c", script)
    began = time.monotonic()
    assert home.mille("logs", "-f", "job") == ("one\nthree", "two\n", 0)
    assert time.monotonic() - began < 10
    assert home.mille("logs", "--tail", "1", "job") == ("three", "", 0)
    stamped, _, _ = home.mille("logs", "-t", "-n", "1", "job")
    assert stamped.split(" ")[1] == "three" and stamped.split(" ")[0].endswith("Z")
    assert home.mille("logs", "--until", "2020-01-01", "job") == ("", "", 0)
    assert home.mille("logs", "nosuch") == ("", "Error: No such container: nosuch\n", 1)
    done(home, "run", "--name", "mute", "--log-driver", "none", "busybox", "echo", "x")
    assert home.mille("logs", "mute") == (
        "", "Error: configured logging driver does not support reading\n", 1,
    )  # fmt: skip


def test_prune_takes_what_has_ended_and_was_asked_for(home: Home) -> None:
    done(home, "run", "--name", "kept", "-l", "keep", "busybox", "true")
    gone = done(home, "create", "--name", "gone", "busybox", "true").strip()
    running = done(home, "run", "-d", "--name", "up", "busybox", "sleep", "60").strip()
    assert [*map(str.strip, done(home, "ps", "-a", "--format", "{{.Names}}").split())] == [
        "up",
        "gone",
        "kept",
    ]
    out = done(home, "container", "prune", "-f", "--filter", "label!=keep")
    assert out.startswith(f"Deleted Containers:\n{gone}\n\nTotal reclaimed space: ")
    assert done(home, "ps", "-aq", "--no-trunc").split()[0] == running
    assert done(home, "ps", "-aq", "-f", "name=kept")
    out, err, code = home.mille("top", "kept")
    assert (out, code) == ("", 1) and err.endswith(" is not running\n")


def test_inspect_finds_whatever_is_named(home: Home) -> None:
    done(home, "create", "--name", "cc", "-v", "vol:/v", "busybox", "true")
    out, err, code = home.mille("inspect", "cc", "busybox", "bridge", "vol", "nosuch")
    kinds = [sorted({"Path", "RepoTags", "IPAM", "Mountpoint"} & {*one})[0] for one in json.loads(out)]
    assert (kinds, err, code) == (
        ["Path", "RepoTags", "IPAM", "Mountpoint"], "Error: No such object: nosuch\n", 1,
    )  # fmt: skip
    assert home.mille("inspect", "--type", "image", "cc") == ("[]\n", "Error: No such image: cc:latest\n", 1)
    assert home.mille("container", "inspect", "busybox") == ("[]\n", "Error: No such container: busybox\n", 1)
    done(home, "rm", "cc")
    assert home.mille("inspect", "-f", "{{.Name}}", "cc") == ("\n", "Error: No such object: cc\n", 1)


def test_one_that_waits_for_its_next_start_has_no_process(home: Home) -> None:
    id = done(home, "run", "-d", "--name", "web", "--restart", "always", "busybox", "sleep", "100").strip()
    where = Place(str(home.store), "")
    told = records.recorded(where, id)
    # As its monitor writes it, which has no reason to write anything else soon.
    records.save_state(where, id, replace(told, status="restarting", pid=0))
    refusal = f"Error: Container {id} is restarting, wait until the container is running"
    for words, said in (
        (("pause", "web"), refusal),
        (("exec", "web", "true"), refusal),
        (("top", "web"), refusal),
        (("attach", "web"), "cannot attach to a restarting container, wait until it is running"),
        (
            ("rm", "web"),
            'Error: cannot remove container "web": container is restarting: stop the container before'
            " removing or force remove",
        ),
    ):
        assert home.mille(*words) == ("", f"{said}\n", 1), words
    assert home.mille("update", "-m", "64m", "--memory-swap", "-1", "web") == ("web\n", "", 0)


def test_info_counts_containers_by_what_they_do(home: Home) -> None:
    for name in ("one", "two", "three"):
        done(home, "run", "-d", "--name", name, "busybox", "sleep", "100")
    done(home, "create", "busybox")
    done(home, "pause", "two")
    id = done(home, "inspect", "-f", "{{.Id}}", "three").strip()
    where = Place(str(home.store), "")
    records.save_state(where, id, replace(records.recorded(where, id), status="restarting", pid=0))
    counts = "{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}}"
    assert done(home, "info", "-f", counts) == "4 1 1 2\n"
    lines = done(home, "info").splitlines()
    assert lines[lines.index(" Containers: 4") :][:4] == [
        " Containers: 4", "  Running: 1", "  Paused: 1", "  Stopped: 2",
    ]  # fmt: skip


def test_a_signal_that_is_to_end_a_paused_container_lets_it_go_on(home: Home) -> None:
    script = "trap 'exit 6' TERM; while true; do sleep 0.1; done"
    done(home, "run", "-d", "--name", "web", "--network", "none", "busybox", "sh", "-c", script)
    time.sleep(0.5)  # until the shell has read its trap
    done(home, "pause", "web")
    done(home, "kill", "-s", "TERM", "web")
    assert done(home, "wait", "web") == "6\n"


def test_who_joins_a_network_is_called_as_its_owner(home: Home) -> None:
    words = ("--hostname", "box", "--domainname", "example.org")
    done(home, "run", "-d", "--name", "web", *words, "busybox", "sleep", "100")
    script = "hostname; echo $HOSTNAME; cat /proc/sys/kernel/domainname; grep -c $(hostname) /etc/hosts"
    told = done(home, "run", "--name", "beside", "--network", "container:web", "busybox", "sh", "-c", script)
    assert told == "box\nbox\nexample.org\n1\n"
    names = done(home, "inspect", "-f", "{{.Config.Hostname}} {{.Config.Domainname}}", "beside")
    assert names == "box example.org\n"


def test_a_container_joins_the_same_one_after_names_have_changed_hands(home: Home) -> None:
    alone = ("run", "-d", "--network", "none", "--name")
    done(home, *alone, "web", "--hostname", "first", "busybox", "sleep", "100")
    done(home, "create", "--name", "beside", "--network", "container:web", "busybox", "hostname")
    done(home, "rename", "web", "old")
    done(home, *alone, "web", "--hostname", "second", "busybox", "sleep", "100")
    assert done(home, "start", "-a", "beside") == "first\n"


def test_what_exec_runs_is_told_as_long_as_it_does(home: Home) -> None:
    done(home, "run", "-d", "--name", "web", "--network", "none", "busybox", "sleep", "100")

    def shown() -> list[str]:
        return json.loads(done(home, "inspect", "-f", "{{json .ExecIDs}}", "web")) or []

    assert shown() == []
    done(home, "exec", "-d", "web", "sleep", "101")
    [left] = shown()
    assert len(left) == 64 and f"execID={left}" in done(home, "events", "--since=1m", "--until=-1s")
    bundle = Path(done(home, "inspect", "-f", "{{.GraphDriver.Data.MergedDir}}", "web").strip()).parent
    assert [path.name for path in (bundle / f"exec-{left}").iterdir()] == ["pid"]
    command = (sys.executable, "-I", "-m", "millefeuille", "--root", str(home.store), "exec")
    for words in (("web",), ("-t", "web")):
        waiting = subprocess.Popen([*command, *words, "sleep", "102"], env={"PATH": os.environ["PATH"]})
        await_true(lambda: len(shown()) == 2)
        waiting.kill()
        waiting.wait()
        [orphan] = {*shown()} - {left}
        os.kill(int((bundle / f"exec-{orphan}" / "pid").read_text()), signal.SIGKILL)
        await_true(lambda: shown() == [left])
    os.kill(int((bundle / f"exec-{left}" / "pid").read_text()), signal.SIGKILL)
    await_true(lambda: shown() == [])
    done(home, "exec", "-d", "web", "true")
    assert not (bundle / f"exec-{left}").exists()


def test_a_limit_of_processes_that_was_lifted_shows_as_zero(home: Home) -> None:
    done(home, "create", "--name", "web", "--pids-limit", "-1", "--network", "none", "busybox", "true")
    shown = ("inspect", "-f", "{{.HostConfig.PidsLimit}}", "web")
    assert done(home, *shown) == "<nil>\n"
    for limit, told in (("-5", "0"), ("10", "10"), ("0", "10"), ("-1", "0")):
        done(home, "update", "--pids-limit", limit, "web")
        assert done(home, *shown) == f"{told}\n"
    done(home, "start", "-a", "web")


def test_zero_is_no_last_time_of_a_log(home: Home) -> None:
    done(home, "run", "--name", "web", "--network", "none", "busybox", "echo", "said")
    assert done(home, "logs", "--until", "0", "web") == done(home, "logs", "--since", "0", "web") == "said\n"
    assert done(home, "logs", "--until", "1", "web") == ""


def test_no_container_joins_its_own_network(home: Home) -> None:
    done(home, "create", "--name", "me", "--network", "container:me", "busybox", "true")
    assert home.mille("start", "me")[1].startswith("Error: cannot join own network\n")
    done(home, "create", "--name", "early", "--network", "container:later", "busybox", "true")
    done(home, "create", "--name", "later", "busybox", "true")
    refused = home.mille("start", "early")[1]
    assert refused.startswith("Error: cannot join network of a non running container: later\n")


def test_what_the_kernel_shows_is_replaced_by_who_says_so(home: Home, tmp_path: Path) -> None:
    (tmp_path / "told").write_text("by lxcfs\n")
    mounts = ("-v", "/sys:/sys:ro", "-v", f"{tmp_path}/told:/proc/meminfo:ro", "-v", "/:/host:ro")
    words = ("run", "--rm", "--network", "none")
    command = ("busybox", "sh", "-c", "cat /proc/meminfo; ls -d /sys/kernel")
    out, err, code = home.mille(*words, *mounts, *command)
    assert (out, code) == ("", 125)
    assert err.startswith("mille: Error: ") and ": nothing can be mounted on /" in err and "`--unsafe`" in err
    assert done(home, *words, "--unsafe", *mounts, *command) == "by lxcfs\n/sys/kernel\n"
    for target in ("/proc/version", "/proc/self", "/"):
        out, err, code = home.mille(*words, "--unsafe", "-v", f"{tmp_path}/told:{target}", *command)
        assert (out, code) == ("", 125), target
    assert home.mille(*words, "--unsafe", "-v", "data:/sys", *command)[2] == 125
