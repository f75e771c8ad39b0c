"""Names: the two files that say what a command's network calls things, /etc/hosts and /etc/resolv.conf.

Source: BuildKit, executor/oci/hosts.go and resolvconf.go.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from millefeuille import files
from millefeuille.annotations import Any, Final

_RESOLVER: Final = "/etc/resolv.conf"
_MAXIMUM: Final = 1 << 20


def write(directory: str, hostname: str, extra: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Write both into `directory`; how they are mounted, read-only, in the OCI spec's words.

    `extra` are further (name, address).
    """
    lines = [f"127.0.0.1\tlocalhost {hostname}", "::1\tlocalhost ip6-localhost ip6-loopback"]
    lines += [f"{address}\t{name}" for name, address in extra]
    contents = {"hosts": "".join(f"{line}\n" for line in lines).encode(), "resolv.conf": _resolver()}
    mounts = []
    for name, data in contents.items():
        write_file(f"{directory}/{name}", data, mode=0o644)
        mounts.append(bind(f"/etc/{name}", f"{directory}/{name}", writable=False))
    return mounts


def bind(target: str, source: str, *, writable: bool) -> dict[str, Any]:
    """A bind mount in the OCI spec's words."""
    options = ["rbind", "rprivate", "rw" if writable else "ro"]
    return {"destination": target, "type": "bind", "source": source, "options": options}


def write_file(path: str, data: bytes, *, mode: int, uid: int = 0, gid: int = 0) -> None:
    """Write a new file; its mode is that, whatever the umask."""
    descriptor = files.create(path)
    try:
        with files.about(path):
            files.write(descriptor, data)
        if (uid, gid) != (0, 0):
            files.change_owner(descriptor, uid, gid)
        files.change_mode(descriptor, mode)
    finally:
        os.close(descriptor)


def _resolver() -> bytes:
    """The host's, as commands are in the host's network; empty when it has none."""
    try:
        with open(_RESOLVER, "rb") as file:
            return file.read(_MAXIMUM)
    except FileNotFoundError:
        return b""
