"""Admission: a place in a firewall that forwards nothing unless told to.

Docker's engine, ufw and firewalld set one up. What one table of the packet filter accepts another may still
drop, so our own rules are not enough there: each bridge gets two lines at the head of the chain FORWARD,
which go with the bridge. On a host that forwards freely nothing is done.

Source: iptables(8); Docker's documentation, "Packet filtering and firewalls".
"""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.later import subprocess

_PROGRAM: Final = "iptables"
_CHAIN: Final = "FORWARD"
_TIMEOUT: Final = 30.0  # seconds
_PATH: Final = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"


def admit(bridges: Iterable[str], record: str, lock: int) -> None:
    """Let packets from and to these bridges through, and forget all others in the file `record`.

    The file is written before the chain is changed. `lock` is held until the other program has ended, even if
    this process is killed before. Best effort: a host without iptables has no such chain.
    Raises OSError.
    """
    wanted = set(bridges)
    before = _recorded(record)
    if not wanted and not before:
        return
    chain = _chain(lock)
    if not any(" DROP" in line or " REJECT" in line for line in chain):
        wanted = set()
    if wanted | before:
        _record(record, wanted | before)
    for bridge in sorted(before - wanted):
        _change(lock, "-D", bridge, [line for line in _lines(bridge) if f"-A {_CHAIN} {line}" in chain])
    for bridge in sorted(wanted):
        _change(lock, "-I", bridge, [line for line in _lines(bridge) if f"-A {_CHAIN} {line}" not in chain])
    if wanted:
        _record(record, wanted)
    else:
        files.unlink(record)


def _lines(bridge: str) -> tuple[str, str]:
    return f"-i {bridge} -j ACCEPT", f"-o {bridge} -j ACCEPT"


def _change(lock: int, verb: str, bridge: str, lines: Iterable[str]) -> None:
    for line in lines:
        files.act("admission", bridge)
        _run(lock, verb, _CHAIN, *line.split())


def _chain(lock: int) -> list[str]:
    return _run(lock, "-S", _CHAIN).splitlines()


def _run(lock: int, *words: str) -> str:
    try:
        done = subprocess.run(
            [_PROGRAM, "-w", *words], capture_output=True, check=False, timeout=_TIMEOUT,
            stdin=subprocess.DEVNULL, env={"PATH": _PATH, "LC_ALL": "C"}, pass_fds=(lock,),
        )  # fmt: skip
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode() if done.returncode == 0 else ""


def _record(path: str, bridges: Iterable[str]) -> None:
    files.replace_file(path, "\n".join(sorted(bridges)).encode(), lasting=False)


def _recorded(path: str) -> set[str]:
    try:
        with open(path) as file:
            return set(file.read().split())
    except FileNotFoundError:
        return set()
