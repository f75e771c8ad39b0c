"""Credential helpers: programs called docker-credential-NAME that keep passwords in a keychain.

Source: docker-credential-helpers, "Development": the operation is the argument, the rest goes over stdin
and stdout, so that nothing secret shows in a list of processes.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence

from millefeuille.errors import Failed
from millefeuille.registry.credential import Credential, octets
from millefeuille.registry.redaction import clean
from millefeuille.values import dataclass, field

TIMEOUT = 30.0  # seconds
_LARGEST = 1 << 20  # bytes of an answer
_PIECE = 64 << 10  # bytes
_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_TOKEN_USER = "<token>"
_DOING = {"get": "getting", "store": "storing", "erase": "erasing"}
_NOTHING = (
    "credentials not found in native keychain",
    "no credentials server URL",
    "no credentials username",
)


class HelperFailed(Failed):
    """A credential helper is missing, or did not do what it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """The helper `name`; `environment` is what it is started with."""

    name: str
    environment: Mapping[str, str] = field(repr=False)

    def get(self, server: str) -> Credential | None:
        """The credential for `server`; None when the helper has none. Raises HelperFailed."""
        answer = self._run("get", server)
        if answer is None:
            return None
        try:
            fields = json.loads(answer)
            username, secret = fields["Username"], fields["Secret"]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise HelperFailed(f"{self._program}: its answer is not a credential") from None
        if not isinstance(username, str) or not isinstance(secret, str):
            raise HelperFailed(f"{self._program}: its answer is not a credential")
        username, secret = _sound(username), _sound(secret)
        if username == _TOKEN_USER:
            return Credential(identity_token=secret)
        return Credential(username=username, password=secret) if username or secret else None

    def store(self, server: str, credential: Credential) -> None:
        """Keep `credential` for `server`. Raises HelperFailed."""
        token = credential.identity_token
        fields = {
            "ServerURL": server,
            "Username": _TOKEN_USER if token else credential.username,
            "Secret": token or credential.password,
        }
        self._run("store", json.dumps(fields))

    def erase(self, server: str) -> None:
        """Forget the credential for `server`. Raises HelperFailed."""
        self._run("erase", server)

    @property
    def _program(self) -> str:
        return f"docker-credential-{self.name}"

    def _run(self, operation: str, text: str) -> str | None:
        """The helper's answer; None when it says that it has no such credential."""
        if not _NAME.fullmatch(self.name):
            raise HelperFailed("a configured credential helper has a name that no program can have")
        program = shutil.which(self._program, path=self.environment.get("PATH", "/usr/bin:/bin"))
        if program is None:
            missing = f'exec: "{self._program}": executable file not found in $PATH'
            raise HelperFailed(f"error {_DOING[operation]} credentials - err: {missing}")
        try:
            status, output = _exchange([program, operation], octets(text), self.environment)
        except TimeoutError:
            raise HelperFailed(f"{self._program} {operation}: no answer in {TIMEOUT:.0f} seconds") from None
        except OSError as error:
            raise HelperFailed(f"{self._program} {operation}: {error.strerror}") from None
        if len(output) > _LARGEST:
            raise HelperFailed(f"{self._program} {operation}: more than {_LARGEST} bytes as an answer")
        answer = output.decode("utf-8", "replace").strip()
        if status == 0:
            return answer
        if any(phrase in answer for phrase in _NOTHING):
            return None
        # What a helper prints on failure is a sentence; cut short all the same, should it ever hold more.
        raise HelperFailed(f"{self._program} {operation}: {clean(answer)[:200] or 'failed'}")


def _exchange(words: Sequence[str], given: bytes, environment: Mapping[str, str]) -> tuple[int, bytes]:
    """The exit status of a program that is given `given`, and what it printed, cut off behind _LARGEST.

    Raises TimeoutError, OSError.
    """
    end = time.monotonic() + TIMEOUT
    output = bytearray()
    with open(os.memfd_create("credential", os.MFD_CLOEXEC), "w+b", buffering=0) as stdin:
        stdin.write(given)
        stdin.seek(0)
        process = subprocess.Popen(
            words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(environment)
        )
    with process:
        assert process.stdout is not None
        try:
            while len(output) <= _LARGEST:
                if not select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                    raise TimeoutError
                piece = os.read(process.stdout.fileno(), _PIECE)
                if not piece:
                    return process.wait(max(0.0, end - time.monotonic())), bytes(output)
                output += piece
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            process.kill()
    return process.returncode, bytes(output)


def _sound(text: str) -> str:
    """`text` without halves of letters, which JSON can hold and no program can send or show."""
    return octets(text).decode("utf-8", "surrogateescape")
