"""The image that all Dockerfiles begin with: a busybox, and things to copy, replace and remove."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from millefeuille.testing.images import MadeImage, Step, make_image
from millefeuille.testing.tars import Entry, directory_entry, file_entry, link_entry, make_layer

NAME: Final = "base:1"
PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PASSWD: Final = (
    "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nalice:x:1000:1001::/home/alice:/bin/sh\n"
    "bob:x:1002:1002::/home/bob:/bin/sh\n"
)
_GROUP: Final = "root:x:0:\ndaemon:x:1:\nalice:x:1001:\nbob:x:1002:\nstaff:x:50:alice,bob\nwheel:x:10:alice\n"


def base_image(busybox: MadeImage, directory: Path) -> MadeImage:
    """Two layers: the applets of `busybox`, and the things."""
    applets = make_layer(directory / "applets.tar.gz", _applets(busybox))
    things = make_layer(directory / "things.tar.gz", _things())
    steps = [Step("applets"), Step("things"), Step('CMD ["sh"]', empty=True)]
    return make_image([applets, things], config={"Env": [PATH], "Cmd": ["sh"]}, steps=steps)


def _applets(busybox: MadeImage) -> Iterator[Entry]:
    """The layer of a busybox, with one mode for all names: some take the last one's."""
    with tarfile.open(busybox.layers[0].path) as archive:
        for member in archive:
            if member.islnk():
                member.mode = 0o755
            yield Entry(header=member, content=archive.extractfile(member) if member.isreg() else None)


def _things() -> Iterator[Entry]:
    for name in ("home", "home/alice", "run", "sys", "srv", "usr", "usr/bin", "var", "var/lib"):
        yield directory_entry(name)
    yield file_entry("etc/passwd", _PASSWD.encode())
    yield file_entry("etc/group", _GROUP.encode())
    for name in ("hosts", "hostname", "resolv.conf"):  # engines make these when they are missing
        yield file_entry(f"etc/{name}", b"")
    yield directory_entry("srv/tree")
    yield directory_entry("srv/tree/sub", mode=0o2775)
    yield file_entry("srv/tree/one", b"one\n")
    yield file_entry("srv/tree/sub/two", b"two\n", mode=0o600)
    again = link_entry("srv/tree/again", "srv/tree/one", hard=True)
    again.header.mode = 0o644
    yield again
    yield link_entry("srv/tree/to-one", "one")
    yield link_entry("srv/absolute", "/srv/tree")
    yield link_entry("srv/dangling", "nowhere")
    yield directory_entry("srv/sticky", mode=0o1777)
    yield file_entry("srv/suid", b"#!/bin/sh\n", mode=0o4755)
