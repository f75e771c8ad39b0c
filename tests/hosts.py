"""A host of a test's own: a network namespace that this process, and what it starts, is in for a while."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import kernel
from millefeuille.networks import links
from millefeuille.networks.netlink import Netlink


@contextlib.contextmanager
def host_of_its_own() -> Iterator[None]:
    """Be on a host with nothing but its loopback interface. Needs root."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    kernel.unshare(kernel.CLONE_NEWNET)
    try:
        with Netlink() as host:
            links.set_up(host, "lo")
        yield
    finally:
        kernel.enter_namespace(before, kernel.CLONE_NEWNET)
        os.close(before)
