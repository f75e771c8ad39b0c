"""What `top` makes of the output of the host's ps."""

from __future__ import annotations

import pytest

from millefeuille.containers.processes import BadArguments, parsed

_PS = """\
UID          PID    PPID  C STIME TTY          TIME CMD
root           1       0  0 03:05 ?        00:00:01 init
root          12       1  0 03:05 ?        00:00:00 sleep 100  and more
user          13       1  0 03:05 ?        00:00:00 sh\u00a0-c x
"""


def test_only_the_processes_of_the_container() -> None:
    assert parsed(_PS, {12, 13}) == [
        ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
        ["root", "12", "1", "0", "03:05", "?", "00:00:00", "sleep 100 and more"],
        ["user", "13", "1", "0", "03:05", "?", "00:00:00", "sh\u00a0-c x"],
    ]


def test_threads_belong_to_the_process_above() -> None:
    output = "PID LWP CMD\n5 - a\n- 6 -\n9 - b\n- 10 -\n"
    assert parsed(output, {9}) == [["PID", "LWP", "CMD"], ["9", "-", "b"], ["-", "10", "-"]]


def test_without_a_column_of_pids_nothing_can_be_told() -> None:
    with pytest.raises(BadArguments, match="Couldn't find PID field in ps output"):
        parsed("USER CMD\nroot sh\n", {1})
    with pytest.raises(BadArguments, match="Unexpected pid 'x'"):
        parsed("PID CMD\nx sh\n", {1})
