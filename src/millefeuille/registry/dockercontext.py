"""Where Docker's client would look for its daemon: a variable, or a context that it has been told of.

Source: Docker's documentation, "Docker contexts"; the client asks DOCKER_HOST first, then DOCKER_CONTEXT,
then `currentContext` of its config.json. A context lies in `contexts/meta`, in a directory that the sha256 of
its name names.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import NotFound

_SOCKET: Final = "unix:///var/run/docker.sock"
_DEFAULT: Final = "default"
_LARGEST: Final = 1 << 20  # bytes of a file of settings


class NoContext(NotFound):
    """Docker has no such context, or it names no daemon."""


def docker_host(environment: Mapping[str, str]) -> str:
    """The daemon's address, as `unix:///var/run/docker.sock`. Raises NoContext."""
    if host := environment.get("DOCKER_HOST"):
        return host
    home = environment.get("HOME") or "/"
    directory = environment.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
    name = environment.get("DOCKER_CONTEXT") or _member(f"{directory}/config.json", "currentContext")
    if not name or name == _DEFAULT:
        return _SOCKET
    key = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
    host = _member(f"{directory}/contexts/meta/{key}/meta.json", "Endpoints", "docker", "Host")
    if not host:
        raise NoContext(
            f"Docker context {name!r}: context not found in {directory}",
            advice="Choose another with `docker context use`, or set DOCKER_HOST.",
        )
    return host


def _member(path: str, *keys: str) -> str:
    """A text in a JSON document; "" where it is not there, as the client takes it too."""
    found: Any = None
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if os.path.isfile(path):  # a pipe would have no end
            with open(path, "rb") as file:
                found = json.loads(file.read(_LARGEST))
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
