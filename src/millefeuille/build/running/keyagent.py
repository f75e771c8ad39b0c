"""Key agent: an SSH agent of the build's own, which has keys from files.

It is OpenSSH's, and a shell that waits for the end of a pipe ends it with the build, however that ends.
Commands never reach it but through an AgentProxy.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.scratch import scratch
from millefeuille.errors import Invalid, Unavailable

_LONGEST: Final = 107  # bytes of a socket's path; unix(7)
_SOCKET: Final = "agent"
_PATH: Final = "/usr/bin:/bin"
# The program has a group of its own, so that the kernel forgets whose end would be its own (prctl(2)).
_UNTIL_THE_END: Final = 'ssh-agent -D -a "$0" & exec >&-; cat >/dev/null; kill $!; wait'


class NoKeyAgent(Unavailable):
    """There is no program that holds keys, or it does not listen."""


class BadKey(Invalid):
    """A file holds no private key that can be used without a pass phrase."""


@contextlib.contextmanager
def key_agent(parent: str, keys: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """The socket of an agent with the keys of these files; it lies in scratch below `parent`.

    For the thread that lives as long as the agent is needed. Raises NoKeyAgent, BadKey, OSError.
    """
    with scratch(parent) as directory, _short(f"{directory}/{_SOCKET}") as path:
        agent = _started(directory, environment)
        try:
            for key in keys:
                _add(directory, key, environment)
            yield path
        finally:
            _end(agent)


@contextlib.contextmanager
def _short(path: str) -> Iterator[str]:
    """The path of a socket, or another way to it that is not too long for one, as long as this is open."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    directory, name = os.path.split(path)
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/{os.getpid()}/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


def _started(directory: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    if shutil.which("ssh-agent", path=environment.get("PATH", _PATH)) is None:
        raise _missing()
    files.act("create", f"{directory}/{_SOCKET}")
    agent = subprocess.Popen(
        ["/bin/sh", "-c", _UNTIL_THE_END, _SOCKET], cwd=directory, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, env=environment,
    )  # fmt: skip
    assert agent.stdout is not None
    if not agent.stdout.readline():  # it tells of its socket once it listens
        _end(agent)
        raise NoKeyAgent(f"{directory}: ssh-agent does not listen there")
    return agent


def _end(agent: subprocess.Popen[bytes]) -> None:
    assert agent.stdin is not None and agent.stdout is not None
    agent.stdin.close()
    agent.wait()
    agent.stdout.close()


def _add(directory: str, key: str, environment: Mapping[str, str]) -> None:
    # By standard input: of a file it would ask for a mode, which BuildKit does not.
    told = {**environment, "SSH_AUTH_SOCK": _SOCKET, "SSH_ASKPASS_REQUIRE": "never"}
    try:
        with open(key, "rb") as file:
            done = subprocess.run(
                ["ssh-add", "-q", "-"], cwd=directory, stdin=file, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, env=told, start_new_session=True, check=False,
            )  # fmt: skip
    except FileNotFoundError as error:
        raise (_missing() if error.filename == "ssh-add" else error) from error
    if done.returncode:
        raise BadKey(f"{key}: not a private key without a pass phrase", advice="Add it to an agent.")


def _missing() -> NoKeyAgent:
    advice = "Install OpenSSH's client, or give --ssh an agent's socket."
    return NoKeyAgent("ssh-agent is not installed", advice=advice)
