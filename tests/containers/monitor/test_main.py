"""The monitor as a process, over a runtime that needs neither root nor containers."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from millefeuille.containers.connection import Connection
from millefeuille.containers.ending import end_monitor
from millefeuille.containers.monitor.health import duration
from millefeuille.containers.place import Place

SECOND = 1_000_000_000


def test_output_goes_to_the_client_and_the_log(monitored: Any) -> None:
    one = monitored("echo out; echo err >&2; exit 7")
    assert one.answer.startswith("started ")
    assert one.until_end() == 7
    assert one.output == {b"o": b"out\n", b"x": b"err\n"}
    told = [json.loads(line) for line in (one.directory / "log").read_text().splitlines()]
    pairs = {(record["stream"], record["log"]) for record in told}
    assert pairs == {("stdout", "out\n"), ("stderr", "err\n")}
    assert (one.state["Status"], one.state["ExitCode"], one.state["Pid"]) == ("exited", 7, 0)
    assert one.state["StartedAt"] < one.state["FinishedAt"]


def test_much_output_comes_whole_to_a_slow_client(monitored: Any) -> None:
    one = monitored("head -c 5000000 /dev/zero | tr '\\0' x")
    time.sleep(0.3)
    assert one.until_end() == 0
    assert len(one.output[b"o"]) == 5_000_000


def test_input_reaches_the_process_and_ends(monitored: Any) -> None:
    one = monitored("cat; echo end", open_stdin=True, stdin_once=True)
    one.connection.send(b"i", b"x" * 200_000)
    one.connection.send(b"e")
    assert one.until_end() == 0
    assert one.output[b"o"] == b"x" * 200_000 + b"end\n"


def test_a_signal_ends_it(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    one.connection.send(b"k", str(int(signal.SIGTERM)).encode())
    assert one.until_end() == 128 + signal.SIGTERM


def test_it_starts_again_as_the_policy_says(monitored: Any) -> None:
    one = monitored("exit 3", policy="on-failure", retries=2)
    assert one.until_end() == 3
    assert one.state["RestartCount"] == 2


def test_who_is_stopped_does_not_come_back(monitored: Any) -> None:
    one = monitored("exec sleep 60", policy="always")
    one.connection.send(b"s")
    one.connection.send(b"k", b"9")
    assert one.until_end() == 137
    assert one.state["RestartCount"] == 0


def test_pause_is_noted(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    one.connection.send(b"p", b"1")
    _until(lambda: one.state["Status"] == "paused")
    one.connection.send(b"p", b"0")
    _until(lambda: one.state["Status"] == "running")


def _another(one: Any) -> Connection:
    """One more client."""
    client = socket.socket(socket.AF_UNIX)
    place = os.open(one.directory, os.O_PATH)  # its whole path is too long for an address
    client.connect(f"/proc/self/fd/{place}/attach.sock")
    os.close(place)
    return Connection(client)


def _holder(one: Any) -> Connection:
    """One more client, that freezes the container for a while."""
    connection = _another(one)
    connection.send(b"h", b"1")
    connection.send(b"p", b"1")
    _until(lambda: one.state["Status"] == "paused")
    return connection


def test_who_froze_it_and_vanishes_has_it_let_go(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    _holder(one).close()
    _until(lambda: one.state["Status"] == "running")
    assert one.calls() == ["resume c1"]


def test_it_may_be_frozen_only_after_that(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    (one.directory / "refuses").touch()
    holder = _holder(one)
    holder.close()
    _until(lambda: len(one.calls()) > 2)
    assert one.state["Status"] == "paused"
    (one.directory / "refuses").unlink()
    _until(lambda: one.state["Status"] == "running")


def test_who_vanished_does_not_undo_what_another_froze(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    (one.directory / "refuses").touch()
    vanished = _another(one)
    vanished.send(b"h", b"1")
    vanished.close()
    _until(lambda: one.calls() != [])
    second = _another(one)
    second.send(b"h", b"1")
    time.sleep(0.2)
    (one.directory / "refuses").unlink()
    tries = len(one.calls())
    time.sleep(0.3)
    assert len(one.calls()) == tries, "nobody lets go what somebody is about to freeze"
    second.send_all((b"p", b"1"), (b"h", b"0"))
    second.close()
    _until(lambda: one.state["Status"] == "paused")
    time.sleep(0.3)
    assert (one.state["Status"], len(one.calls())) == ("paused", tries)


def test_what_vanished_before_is_let_go_when_another_leaves(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    (one.directory / "refuses").touch()
    second = _another(one)
    second.send(b"h", b"1")
    time.sleep(0.2)
    vanished = _another(one)
    vanished.send(b"h", b"1")
    vanished.close()
    time.sleep(0.3)
    assert one.calls() == []
    second.send(b"h", b"0")
    _until(lambda: one.calls() != [])
    second.close()


def test_who_lets_it_go_himself_may_leave(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    holder = _holder(one)
    holder.send(b"p", b"0")
    holder.send(b"h", b"0")
    holder.close()
    one.connection.send(b"k", b"9")
    assert one.until_end() == 137
    assert one.calls() == []


def _check(*command: str, timeout: int = SECOND) -> dict[str, Any]:
    return {
        "command": list(command), "interval": SECOND // 20, "timeout": timeout, "start_period": 0,
        "start_interval": 0, "retries": 2,
    }  # fmt: skip


def test_health_is_asked_for(monitored: Any) -> None:
    one = monitored("exec sleep 60", health=_check("sh", "-c", "echo fine"))
    assert one.state["Health"]["Status"] == "starting"
    _until(lambda: one.state["Health"]["Status"] == "healthy")
    assert one.state["Health"]["Log"][0]["Output"] == "fine\n"


def test_a_check_has_the_usual_umask(monitored: Any) -> None:
    before = os.umask(0o077)
    try:
        one = monitored("exec sleep 60", health=_check("sh", "-c", "umask"))
    finally:
        os.umask(before)
    _until(lambda: one.state["Health"]["Status"] == "healthy")
    assert one.state["Health"]["Log"][0]["Output"] == "0022\n"


def test_a_check_that_fails_or_hangs_makes_it_unhealthy(monitored: Any, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    hangs = f"echo $$ >> {seen}; sleep 60 & echo $! >> {seen}; wait"
    one = monitored("exec sleep 60", health=_check("sh", "-c", hangs, timeout=SECOND // 5))
    _until(lambda: one.state["Health"]["Status"] == "unhealthy")
    assert one.state["Health"]["FailingStreak"] >= 2
    last = one.state["Health"]["Log"][-1]
    assert (last["ExitCode"], last["Output"]) == (-1, "Health check exceeded timeout (200ms)")
    one.connection.send(b"k", b"9")
    one.until_end()
    # Each was ended in the container, and what it had started there.
    pids = [int(line) for line in seen.read_text().split()]
    assert len(pids) >= 2
    _until(lambda: not any(_is_alive(pid) for pid in pids))


def test_what_a_check_leaves_in_the_background_is_not_waited_for(monitored: Any, tmp_path: Path) -> None:
    leaves = f"sleep 60 & echo $! >> {tmp_path}/left; echo done"
    one = monitored("exec sleep 60", health=_check("sh", "-c", leaves, timeout=20 * SECOND))
    _until(lambda: one.state["Health"]["Status"] == "healthy")
    _until(lambda: len(one.state["Health"]["Log"]) > 1)
    assert {(each["ExitCode"], each["Output"]) for each in one.state["Health"]["Log"]} == {(0, "done\n")}
    one.connection.send(b"k", b"9")
    one.until_end()
    for pid in (tmp_path / "left").read_text().split():
        os.kill(int(pid), signal.SIGKILL)


def test_what_a_check_said_before_it_was_ended_is_told(monitored: Any) -> None:
    says = _check("sh", "-c", "echo began; sleep 60", timeout=SECOND // 2)
    one = monitored("exec sleep 60", health=says)
    _until(lambda: bool(one.state["Health"]["Log"]))
    assert one.state["Health"]["Log"][0]["Output"] == "Health check exceeded timeout (500ms): began\n"


def test_a_check_that_began_in_the_start_period_is_not_held_against_it(monitored: Any) -> None:
    check = _check("sh", "-c", "sleep 1; exit 1", timeout=20 * SECOND)
    one = monitored("exec sleep 60", health={**check, "start_period": SECOND // 2, "retries": 1})
    _until(lambda: len(one.state["Health"]["Log"]) == 1)
    assert (one.state["Health"]["Status"], one.state["Health"]["FailingStreak"]) == ("starting", 0)
    _until(lambda: one.state["Health"]["Status"] == "unhealthy")
    assert len(one.state["Health"]["Log"]) == 2


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_check_that_cannot_begin(monitored: Any) -> None:
    one = monitored("exec sleep 60", health=_check("missing"))
    _until(lambda: one.state["Health"]["Status"] == "unhealthy")
    last = one.state["Health"]["Log"][-1]
    why = 'exec: "a": no such program'
    assert (last["ExitCode"], last["Output"]) == (-1, f"OCI runtime exec failed: {why}: unknown")


def test_long_output_of_a_check_is_cut(monitored: Any) -> None:
    one = monitored("exec sleep 60", health=_check("sh", "-c", "head -c 9000 /dev/zero | tr '\\0' x"))
    _until(lambda: one.state["Health"]["Status"] == "healthy")
    assert one.state["Health"]["Log"][0]["Output"] == "x" * 4096 + "..."


def test_nothing_is_held_against_who_is_halted(monitored: Any, tmp_path: Path) -> None:
    one = monitored("exec sleep 60", health=_check("sh", "-c", f"echo >> {tmp_path}/seen"))
    _until(lambda: one.state["Health"]["Status"] == "healthy")
    one.connection.send(b"p", b"1")
    _until(lambda: one.state["Status"] == "paused")
    assert one.state["Health"]["Status"] == "unhealthy"  # as Docker calls it
    before = (tmp_path / "seen").read_text()
    time.sleep(0.3)
    assert (tmp_path / "seen").read_text() == before
    assert one.state["Health"]["FailingStreak"] == 0
    one.connection.send(b"p", b"0")
    _until(lambda: one.state["Health"]["Status"] == "healthy")
    one.connection.send(b"k", b"9")
    one.until_end()
    assert one.state["Health"]["Status"] == "unhealthy"


def test_results_are_kept_over_starts(monitored: Any) -> None:
    check = _check("sh", "-c", "echo fine")
    one = monitored("sleep 1.5; exit 3", policy="on-failure", retries=1, health=check)
    assert one.until_end() == 3
    assert len(one.state["Health"]["Log"]) == 5
    again = monitored("exec sleep 60", health=check, state=str(one.directory / "state.json"))
    assert len(one.state["Health"]["Log"]) >= 5 and one.state["Status"] == "running"
    again.connection.send(b"k", b"9")
    again.until_end()


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (SECOND // 2, "500ms"), (1_500_000, "1.5ms"), (SECOND, "1s"), (3 * SECOND // 2, "1.5s"),
        (90 * SECOND, "1m30s"), (7200 * SECOND, "2h0m0s"),
    ],
)  # fmt: skip
def test_times_are_written_as_go_writes_them(nanoseconds: int, text: str) -> None:
    assert duration(nanoseconds) == text


def test_who_is_attached_leaves_before_it_starts_again(monitored: Any) -> None:
    one = monitored("sleep 0.5; echo out; exit 3", policy="on-failure", retries=2)
    waits = _another(one)
    assert one.until_end() == 3
    assert (one.ends, one.output[b"o"]) == ([3], b"out\n")  # and nothing of the runs after it
    assert waits.await_end(5) == 3
    waits.close()


def test_who_waits_for_the_next_end_is_told_of_that_alone(monitored: Any) -> None:
    one = monitored("sleep 0.5; exit 3", policy="on-failure", retries=2)
    waits = _another(one)
    assert waits.await_next_end() == 3
    waits.send(b"w")
    kinds = [kind for frames in iter(waits.receive, None) for kind, _ in frames]
    assert kinds == [b"n", b"q"]
    waits.close()


def test_who_waits_for_the_next_end_of_one_that_stays_ended(monitored: Any) -> None:
    one = monitored("sleep 0.5; exit 3")
    waits = _another(one)
    assert waits.await_next_end() == 3
    waits.close()


def test_what_the_runtime_leaves_is_removed_without_calling_it(monitored: Any) -> None:
    one = monitored("mkdir -p $(dirname $0)/group $(dirname $0)/kept; touch $(dirname $0)/kept/state.json")
    assert one.until_end() == 0
    assert not (one.directory / "group").exists() and not (one.directory / "kept").exists()
    assert not (one.directory / "calls").exists()


def test_a_group_that_somebody_still_is_in_is_left_to_the_runtime(monitored: Any) -> None:
    one = monitored("mkdir -p $(dirname $0)/group/inner")
    assert one.until_end() == 0
    assert "delete --force c1" in (one.directory / "calls").read_text()


def test_a_state_that_cannot_be_written_is_tried_again(monitored: Any, tmp_path: Path) -> None:
    later = tmp_path / "later"
    one = monitored("exec sleep 60", state=str(later / "state.json"))
    assert one.answer.startswith("started ")
    later.mkdir()
    _until((later / "state.json").exists)
    assert json.loads((later / "state.json").read_text())["Status"] == "running"
    one.connection.send(b"k", b"9")
    one.until_end()
    assert json.loads((later / "state.json").read_text())["ExitCode"] == 137


def test_one_that_is_halted_is_killed_and_no_other(monitored: Any, tmp_path: Path) -> None:
    one, other = monitored("exec sleep 60"), monitored("exec sleep 60")
    os.makedirs(tmp_path / "containers")
    (tmp_path / "containers" / "c1").symlink_to(one.directory)
    (tmp_path / "containers" / "c2").symlink_to(other.directory)
    place = Place(str(tmp_path), str(tmp_path))
    listens, halted = _another(other), _another(one)
    for connection in (listens, halted):
        connection.send(b"w")
    _until(listens.is_read)
    end_monitor(place, "c2", listens)
    os.kill(one.process.pid, signal.SIGSTOP)
    halted.send(b"w")
    assert not halted.is_read()
    end_monitor(place, "c2", halted)  # whose lock is another's
    time.sleep(0.1)
    assert one.process.poll() is None
    end_monitor(place, "c1", halted)
    assert one.process.wait(10) == -signal.SIGKILL
    assert other.process.poll() is None
    os.kill(one.state["Pid"], signal.SIGKILL)
    for connection in (listens, halted):
        connection.close()


def test_a_runtime_that_fails_is_told(monitored: Any, tmp_path: Path) -> None:
    one = monitored("", runtime=["/bin/false"])
    assert one.answer.startswith("failed")
    assert one.process.wait(10) == 1


def test_it_is_small(monitored: Any) -> None:
    one = monitored("exec sleep 60")
    status = Path(f"/proc/{one.process.pid}/status").read_text()
    kilobytes = int(status.partition("VmRSS:")[2].split()[0])
    assert kilobytes <= 12_000


def test_paths_stay_apart() -> None:
    place = Place("/root", "/run")
    assert place.log("abc").startswith(place.directory("abc"))
    assert place.socket("abc").startswith(place.bundle("abc"))


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
