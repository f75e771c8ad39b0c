"""SSH agents: what reaches them through the socket of a RUN, and what does not."""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.running.steps import Steps

from millefeuille.build.running.agent import AgentProxy
from millefeuille.build.running.wish import Bind, HostTree, Ssh

LIST, SIGN, ADD, REMOVE_ALL, EXTENSION, FAILURE = 11, 13, 17, 19, 27, 5


def packed(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


class FakeAgent:
    """Answers each message with itself reversed, and remembers them."""

    def __init__(self, path: Path) -> None:
        self.seen: list[bytes] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as file:
            while head := file.read(4):
                self.seen.append(file.read(struct.unpack(">I", head)[0]))
                client.sendall(packed(self.seen[-1][::-1]))


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FakeAgent]:
    made = FakeAgent(tmp_path / "agent")
    yield made
    made.listener.shutdown(socket.SHUT_RDWR)
    made.listener.close()


def ask(path: Path, *messages: bytes) -> list[bytes]:
    answers = []
    with socket.socket(socket.AF_UNIX) as one, one.makefile("rb") as file:
        one.connect(str(path))
        for message in messages:
            one.sendall(packed(message))
            answers.append(file.read(struct.unpack(">I", file.read(4))[0]))
    return answers


@pytest.fixture
def proxy(tmp_path: Path, agent: FakeAgent) -> Iterator[Path]:
    path = tmp_path / "proxy"
    made = AgentProxy(str(path), str(tmp_path / "agent"), mode=0o600, uid=0, gid=0)
    yield path
    made.close()


def test_keys_and_signatures(proxy: Path, agent: FakeAgent) -> None:
    asked = [bytes([LIST]), bytes([SIGN]) + b"x" * 70_000]
    assert ask(proxy, *asked) == [message[::-1] for message in asked]
    assert agent.seen == asked
    assert proxy.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", [ADD, REMOVE_ALL, EXTENSION, 0, 255])
def test_anything_else(proxy: Path, agent: FakeAgent, kind: int) -> None:
    assert ask(proxy, bytes([kind]) + b"x", bytes([LIST])) == [bytes([FAILURE]), bytes([LIST])]
    assert agent.seen == [bytes([LIST])]


def test_empty_message(proxy: Path, agent: FakeAgent) -> None:
    assert ask(proxy, b"") == [bytes([FAILURE])]
    assert agent.seen == []


def test_message_that_is_too_long(proxy: Path, agent: FakeAgent) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(proxy))
        one.sendall(struct.pack(">I", 1 << 30))
        assert one.recv(1) == b""
    assert agent.seen == []


def test_agent_that_is_gone(tmp_path: Path) -> None:
    made = AgentProxy(str(tmp_path / "proxy"), str(tmp_path / "absent"), mode=0o600, uid=0, gid=0)
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(tmp_path / "proxy"))
        assert one.recv(1) == b""
    made.close()


def test_closing_ends_connections(tmp_path: Path, agent: FakeAgent) -> None:
    made = AgentProxy(str(tmp_path / "proxy"), str(tmp_path / "agent"), mode=0o600, uid=0, gid=0)
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(tmp_path / "proxy"))
        one.sendall(packed(bytes([LIST])))
        assert one.recv(5) == packed(bytes([LIST]))
        made.close()
        assert one.recv(1) == b""


@pytest.mark.walk
@pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl")
def test_in_a_step(steps: Steps, tmp_path: Path, agent: FakeAgent) -> None:
    system = [
        Bind(target=f"/{name}", source=HostTree(root="/usr", path=path))
        for name, path in (("usr", ""), ("lib", "lib"), ("lib64", "lib64"))
    ]
    agents = (Ssh(agent=str(tmp_path / "agent"), uid=33, gid=34), Ssh(agent="/absent", target="/s"))
    script = """
    echo $SSH_AUTH_SOCK; stat -c '%a %u %g %F' $SSH_AUTH_SOCK /s
    /usr/bin/perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new($ENV{SSH_AUTH_SOCK}) or die $!;
        syswrite $s, "\\0\\0\\0\\2\\13x"; sysread $s, my $a, 6; print unpack("H*", $a), "\\n"
    '
    """
    assert steps.sh(script, mounts=(*system, *agents)) == {}
    assert steps.output.splitlines() == [
        "/run/buildkit/ssh_agent.0", "600 33 34 socket", "600 0 0 socket", "00000002780b"
    ]  # fmt: skip
    assert agent.seen == [b"\x0bx"]


@pytest.mark.walk
def test_variable_that_is_set(steps: Steps, tmp_path: Path, agent: FakeAgent) -> None:
    steps.sh("echo $SSH_AUTH_SOCK", mounts=(Ssh(agent="/a"),), environment=("SSH_AUTH_SOCK=/mine",))
    assert steps.output == "/mine\n"
