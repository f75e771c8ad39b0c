"""Pasta: the process that carries the traffic of a namespace which no cable leads to.

An ordinary user may make a network namespace, but nothing on the host that would lead into it. `pasta` holds
a tap device inside, and makes ordinary connections of the user's on the host for what comes from there.

    a shell that waits ─► the lease names it ─► it becomes pasta ─► interface and ports are there: it says so

Who starts it and is killed before the lease names it leaves a shell whose input ends, and which ends with
that. Pasta also ends by itself when the file that holds the namespace is removed.

Source: pasta(1), of 2023_03_09.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable, Iterable, Sequence

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Failed, Unsupported
from millefeuille.networks.lease import Carrier, Endpoint, Port
from millefeuille.networks.ports import PortTaken

# Where a container reaches the resolver of the host that listens on the host's loopback interface alone.
RESOLVER: Final = "169.254.1.1"
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GATE: Final = 'read -r _ && exec "$@" </dev/null'
_PATIENCE: Final = 10.0  # seconds for pasta to be ready, or gone
_NOISE: Final = "Failed to send"  # what it says about a host without a system log
_FAR: Final = ("192.0.2.1", 9)  # an address of nobody's (RFC 5737); nothing is sent there


class PastaMissing(Unsupported):
    """This host has no pasta."""


class PastaFailed(Failed):
    """Pasta did not start; the message has its words."""


def find() -> str:
    """The path of the program. Raises PastaMissing."""
    for place in _PATH.split(":"):
        program = os.path.join(place, "pasta")
        if os.access(program, os.X_OK):
            return program
    raise PastaMissing(
        "an ordinary user's container has a network of its own through pasta, which this host does not have",
        advice="Install passt, or use --network host.",
    )


def command(program: str, namespace: str, end: Endpoint, published: Iterable[Port]) -> list[str]:
    """The words that connect the namespace at this path as `end` says, and publish these ports.

    Raises Unsupported.
    """
    words = [program, "--foreground", "--quiet", "--ipv4-only", "--pid", "/proc/self/fd/1"]
    words += ["--config-net", "--ns-ifname", end.interface, "--ns-mac-addr", end.mac]
    words += ["--address", end.ip, "--netmask", str(end.prefix), "--gateway", end.gateway]
    # Nothing of the host's loopback interface is reached from inside, but its resolver.
    words += ["--no-map-gw", "--tcp-ns", "none", "--udp-ns", "none", "--dns-forward", RESOLVER]
    ports = list(published)
    for protocol in ("tcp", "udp"):
        wanted = [f"{one.host_ip}/{one.host_port}:{one.port}" for one in ports if one.protocol == protocol]
        for spec in wanted or ["none"]:
            words += [f"--{protocol}-ports", spec]
    for one in ports:
        if one.protocol not in ("tcp", "udp"):
            raise Unsupported(f"pasta publishes ports of TCP and UDP only, not {one.key}")
    return [*words, "--netns", namespace]


def start(words: Sequence[str], note: Callable[[Carrier], None]) -> None:
    """Start pasta, and wait until the namespace is connected. `note` writes down which process it will be.

    Raises PortTaken, PastaFailed, OSError, and what `note` does; it may be there then, as noted.
    """
    files.act("spawn", words[-1])
    told, telling = os.pipe2(os.O_CLOEXEC)
    said, saying = os.pipe2(os.O_CLOEXEC)
    with open(told, "rb", buffering=0) as answer, open(said, "rb", buffering=0) as complaints:
        carrier, opening = _waiting(words, telling, saying)
        try:
            note(carrier)
            files.act("carry", words[-1])
            os.write(opening, b"\n")
        finally:
            os.close(opening)
        if not _answers(answer.fileno()):
            end(carrier)
            raise _failure(complaints.read().decode(errors="replace"))


def end(carrier: Carrier) -> None:
    """End the process, and wait until it is gone, with its ports; that it is gone already is no error."""
    try:
        descriptor = os.pidfd_open(carrier.pid)
    except ProcessLookupError:
        return
    try:
        if _started(carrier.pid) == carrier.started:
            files.act("kill", carrier.pid)
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            _ready(descriptor)
            with contextlib.suppress(ChildProcessError):  # of whoever started it
                os.waitpid(carrier.pid, os.WNOHANG)
    finally:
        os.close(descriptor)


def host_address() -> str:
    """The address of this host by which it reaches others, and containers it; "" when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as tried:
        try:
            tried.connect(_FAR)
        except OSError:
            return ""
        return str(tried.getsockname()[0])


def _waiting(words: Sequence[str], telling: int, saying: int) -> tuple[Carrier, int]:
    """A process that becomes the program once a line is written to the descriptor, and ends when none is."""
    gate, opening = os.pipe2(os.O_CLOEXEC)
    try:
        streams = enumerate((gate, telling, saying))
        actions = [(os.POSIX_SPAWN_DUP2, given, number) for number, given in streams]
        pid = os.posix_spawn(
            "/bin/sh", ["sh", "-c", _GATE, "sh", *words], {"PATH": _PATH}, file_actions=actions, setsid=True,
            setsigdef=(signal.SIGPIPE,),  # pasta refuses to start where it is ignored
        )  # fmt: skip
    except BaseException:
        os.close(opening)
        raise
    finally:
        for descriptor in (gate, telling, saying):
            os.close(descriptor)
    return Carrier(pid=pid, started=_started(pid)), opening


def _answers(descriptor: int) -> bool:
    """Whether it says which process it is, as it does when everything is there."""
    return _ready(descriptor) and bool(os.read(descriptor, 64))


def _ready(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(_PATIENCE * 1000))


def _failure(complaints: str) -> PortTaken | PastaFailed:
    lines = [line for line in complaints.splitlines() if line and not line.startswith(_NOISE)]
    reason = "; ".join(lines) or "it ended without a word"
    if "Failed to bind" in reason:
        return PortTaken(f"failed to bind host port: {reason}")
    return PastaFailed(
        f"pasta cannot connect the container: {reason}",
        advice="Without it there are --network host and --network none.",
    )


def _started(pid: int) -> int:
    """When a process started, in clock ticks since the boot; -1 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return -1
