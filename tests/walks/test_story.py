"""One afternoon with containers: a site that serves, a shell at a terminal, and what images in use allow."""

from __future__ import annotations

import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.testing.images import MadeImage, push
from millefeuille.testing.servers import ServerMissing, registry

pytestmark = pytest.mark.walk

REGISTRIES = """\
unqualified-search-registries = ["docker.io"]

[[registry]]
location = "docker.io"

[[registry.mirror]]
location = "{address}"
insecure = true
"""
PATIENCE = 20.0  # seconds


class Shell:
    """A person's shell: `mille` with a store of its own, and a registry that answers for Docker Hub."""

    def __init__(self, directory: Path, address: str) -> None:
        (directory / "registries.conf").write_text(REGISTRIES.format(address=address))
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8", "TERM": "xterm",
            "MILLE_ROOT": str(directory / "store"),
            "CONTAINERS_REGISTRIES_CONF": str(directory / "registries.conf"),
        }  # fmt: skip

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-I", "-m", "millefeuille", *words]

    def mille(self, *words: str, typed: str = "") -> tuple[str, str, int]:
        """What a command prints to both streams, and its exit code."""
        done = subprocess.run(
            self.words(*words), env=self.environment, input=typed, capture_output=True, text=True, check=False
        )
        return done.stdout, done.stderr, done.returncode

    def out(self, *words: str) -> str:
        """The output of a command that succeeds."""
        out, err, code = self.mille(*words)
        assert code == 0, err
        return out

    def terminal(self, *words: str) -> Terminal:
        return Terminal(self.words(*words), self.environment)


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execve(words[0], words, environment)
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, pattern: str) -> None:
        """Wait until `pattern` is on the screen; what was before it is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.shown)) is None:
            assert self._more(deadline), f"no {pattern!r} in {self.shown!r}"
        self.shown = self.shown[found.end() :]

    def end(self) -> int:
        """The exit code."""
        while self._more(time.monotonic() + PATIENCE):
            pass
        os.close(self._master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _more(self, deadline: float) -> bool:
        ready = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))[0]
        try:
            data = os.read(self._master, 4096) if ready else b""
        except OSError:  # how Linux tells that nobody has the other end any more
            data = b""
        self.shown += data.decode(errors="replace")
        return bool(data)


@pytest.fixture
def shell(containers: None, nginx: MadeImage, busybox: MadeImage, tmp_path: Path) -> Iterator[Shell]:
    try:
        with registry(tmp_path / "registry") as server:
            push(nginx, server.address, "library/nginx", "1.24", kind="docker")
            push(busybox, server.address, "library/busybox", "latest", kind="oci")
            shell = Shell(tmp_path, server.address)
            try:
                yield shell
            finally:
                if ids := shell.out("ps", "-aq").split():
                    shell.mille("rm", "-f", *ids)
    except ServerMissing as missing:
        pytest.skip(str(missing))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def page(port: int) -> str:
    """What the site answers, once it does."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_site_that_is_in_use(shell: Shell) -> None:
    port = free_port()
    out, err, code = shell.mille("run", "-d", "-p", f"{port}:80", "--name", "web", "nginx:1.24")
    assert code == 0 and re.fullmatch(r"[0-9a-f]{64}\n", out), err
    assert err.startswith("Unable to find image 'nginx:1.24' locally\n1.24: Pulling from library/nginx\n")
    short = out[:12]

    assert "Welcome to nginx!" in page(port)
    assert shell.out("ps", "--format", "{{.Names}} {{.Image}} {{.Ports}}") == (
        f"web nginx:1.24 0.0.0.0:{port}->80/tcp\n"
    )
    assert shell.out("port", "web") == f"80/tcp -> 0.0.0.0:{port}\n"
    assert '"GET / HTTP/1.1" 200' in shell.out("logs", "web")
    assert shell.out("exec", "web", "cat", "/proc/1/comm") == "nginx\n"

    image = shell.out("images", "-q", "nginx").strip()
    assert shell.mille("image", "rm", "nginx:1.24") == (
        "", 'Error: conflict: unable to remove repository reference "nginx:1.24" (must force) - container '
        f"{short} is using its referenced image {image}\n", 1,
    )  # fmt: skip
    assert shell.mille("image", "rm", "-f", image) == (
        "", f"Error: conflict: unable to delete {image} (cannot be forced) - image is being used by running "
        f"container {short}\n", 1,
    )  # fmt: skip
    assert shell.mille("image", "prune", "-a", "-f") == ("Total reclaimed space: 0B\n", "", 0)
    assert "Welcome to nginx!" in page(port)

    assert shell.mille("rm", "web")[1:] == (
        'Error: cannot remove container "web": container is running: stop the container before removing or '
        "force remove\n", 1,
    )  # fmt: skip
    assert shell.out("stop", "web") == "web\n"
    assert shell.mille("image", "rm", image)[1:] == (
        f"Error: conflict: unable to delete {image} (must be forced) - image is being used by stopped "
        f"container {short}\n", 1,
    )  # fmt: skip
    assert shell.out("start", "web") == "web\n"
    assert "Welcome to nginx!" in page(port)
    assert shell.out("rm", "-f", "web") == "web\n"
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
    lines = shell.out("image", "rm", "nginx:1.24").splitlines()
    assert lines[0] == "Untagged: nginx:1.24"
    assert sum(line.startswith("Deleted: sha256:") for line in lines) == 1 + 4  # the image and its layers
    assert shell.out("images", "-aq") == ""


def test_a_shell_at_a_terminal(shell: Shell) -> None:
    shell.out("pull", "-q", "busybox")
    terminal = shell.terminal("run", "-it", "--name", "box", "busybox")
    terminal.expect(r"/ # ")
    terminal.type("tty; echo $((6 * 7))\r")
    terminal.expect(r"/dev/pts/0\r\n42\r\n/ # ")
    terminal.type("echo kept > /file; exit 7\r")
    assert terminal.end() == 7
    assert "A /file\n" in shell.out("diff", "box")

    again = shell.terminal("start", "-ai", "box")
    again.type("cat /file\r")
    again.expect(r"\r\nkept\r\n")
    again.type("\x10\x11")  # ctrl-p ctrl-q: let go of it
    assert again.end() == 0
    assert shell.out("ps", "--format", "{{.Names}}") == "box\n"
    assert shell.out("rm", "-f", "box") == "box\n"


def test_prune_takes_what_nobody_uses(shell: Shell) -> None:
    shell.out("pull", "-q", "nginx:1.24")
    shell.out("run", "--name", "box", "busybox", "true")
    shell.out("tag", "busybox", "spare")
    old = shell.out("images", "-q", "--no-trunc", "nginx").strip()
    shell.out("commit", "box", "nginx:1.24")  # the name goes over to another image
    assert shell.mille("image", "prune", typed="n\n")[2] == 0
    assert old in shell.out("images", "-aq", "--no-trunc")
    out = shell.out("image", "prune", "-f")
    assert out.startswith("Deleted Images:\n") and f"deleted: {old}\n" in out
    assert old not in shell.out("images", "-aq", "--no-trunc")

    shell.out("image", "prune", "-a", "-f")
    assert "busybox" in shell.out("images")  # a container keeps it, though that has ended
    assert shell.out("container", "prune", "-f").startswith("Deleted Containers:\n")
    assert "untagged: busybox:latest" in shell.out("image", "prune", "-a", "-f")
    assert shell.out("images", "-aq") == ""
