"""`login` at a terminal: what it asks for, and that the password is not shown."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from tests.faces.cli.home import Home

from millefeuille.testing.servers import ServerMissing, program, registry


class Dialogue:
    """`mille` on a terminal of its own."""

    def __init__(self, home: Home, *words: str) -> None:
        self._terminal, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [program("setsid"), "--ctty", "--wait", sys.executable, "-I", "-m", "millefeuille", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"HOME": str(home.directory), "TERM": "dumb"},
        )
        os.close(theirs)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read until `text` has been shown."""
        deadline = time.monotonic() + 30
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            self.shown += self._read()

    def answer(self, text: str) -> None:
        """Type a line."""
        os.write(self._terminal, f"{text}\n".encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        while more := self._read():
            self.shown += more
        os.close(self._terminal)
        return self._process.wait()

    def _read(self) -> str:
        try:
            return os.read(self._terminal, 4096).decode().replace("\r\n", "\n")
        except OSError:  # a terminal that nobody writes to any more
            return ""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that asks for `user` and `secret`."""
    try:
        with registry(tmp_path_factory.mktemp("registry"), users={"user": "secret"}) as server:
            yield server.address
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.walk
def test_asks_for_name_and_password(home: Home, host: str) -> None:
    dialogue = Dialogue(home, "login", host)
    dialogue.until("Username: ")
    dialogue.answer("user")
    dialogue.until("Password: ")
    dialogue.answer("secret")
    assert dialogue.end() == 0
    assert "Login Succeeded\n" in dialogue.shown
    assert "secret" not in dialogue.shown
    assert host in home.config.read_text()


@pytest.mark.parametrize(
    ("words", "prompt", "complaint"),
    [
        (["127.0.0.1:1"], "Username: ", "Error: Non-null Username Required\n"),
        (["127.0.0.1:1", "-u", "user"], "Password: ", "Error: Password Required\n"),
    ],
)
def test_nothing_is_no_answer(home: Home, words: list[str], prompt: str, complaint: str) -> None:
    dialogue = Dialogue(home, "login", *words)
    dialogue.until(prompt)
    dialogue.answer("")
    assert dialogue.end() == 1
    assert re.sub(r"\n+", "\n", dialogue.shown).endswith(complaint)
