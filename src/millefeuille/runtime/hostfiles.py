"""The three files a container gets from its host: /etc/hosts, /etc/hostname, /etc/resolv.conf."""

from __future__ import annotations

import os

from millefeuille import files
from millefeuille.annotations import Final

# What Docker writes for a container without a network.
_HOSTS: Final = (
    b"127.0.0.1\tlocalhost\n"
    b"::1\tlocalhost ip6-localhost ip6-loopback\n"
    b"fe00::\tip6-localnet\n"
    b"ff00::\tip6-mcastprefix\n"
    b"ff02::1\tip6-allnodes\n"
    b"ff02::2\tip6-allrouters\n"
)
_MAXIMUM: Final = 1 << 20


def write(directory: str, hostname: str, *, host_network: bool) -> dict[str, str]:
    """Write the files into `directory`; their paths by the places in a container."""
    contents = {
        "hosts": _host("/etc/hosts") if host_network else _HOSTS,
        "hostname": f"{hostname}\n".encode(),
        "resolv.conf": _host("/etc/resolv.conf"),
    }
    written = {}
    for name, data in contents.items():
        path = f"{directory}/{name}"
        descriptor = files.create(path)
        try:
            with files.about(path):
                files.write(descriptor, data)
            # Whatever the umask: users inside must be able to read it.
            files.change_mode(descriptor, 0o644)
        finally:
            os.close(descriptor)
        written[f"/etc/{name}"] = path
    return written


def _host(path: str) -> bytes:
    """A file of the host's; empty when it has none."""
    try:
        with open(path, "rb") as file:
            return file.read(_MAXIMUM)
    except FileNotFoundError:
        return b""
