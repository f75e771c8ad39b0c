"""Network namespaces that outlive who made them: each one mounted on a file of its own.

Source: network_namespaces(7), ip-netns(8).
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading

from millefeuille import files, kernel
from millefeuille.networks import links
from millefeuille.networks.netlink import Netlink


def make(path: str) -> Netlink:
    """Make a namespace with the loopback interface up, held by the file at `path`; a socket inside it.

    Whatever was at `path` is replaced. Raises OSError.
    """
    remove(path)
    os.close(files.create(path))
    made: list[Netlink | BaseException] = []
    # A thread of its own goes into the new namespace, so that this one never has to find back.
    thread = threading.Thread(target=_make, args=(path, made))
    thread.start()
    thread.join()
    [result] = made
    if isinstance(result, BaseException):
        raise result
    links.set_up(result, "lo")
    return result


def _make(path: str, made: list[Netlink | BaseException]) -> None:
    try:
        kernel.unshare(kernel.CLONE_NEWNET)
        # Docker's networks have no IPv6 unless asked: no interface shall give itself a link-local address.
        with contextlib.suppress(FileNotFoundError):
            _write("/proc/sys/net/ipv6/conf/default/disable_ipv6", b"1")
        # An address that another container had is announced, so that nobody looks for the old one.
        _write("/proc/sys/net/ipv4/conf/default/arp_notify", b"1")
        files.act("mount", path)
        tree = kernel.open_tree("/proc/thread-self/ns/net")
        try:
            kernel.move_mount(tree, path)
        finally:
            os.close(tree)
        made.append(Netlink())
    except BaseException as error:
        made.append(error)


def is_governed() -> bool:
    """Whether this process may make interfaces in the namespace that it is in. Not so an ordinary user who
    became root in a user namespace: the network it came with belongs to the one above.
    """
    if os.geteuid() != 0:
        return False
    descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.close(kernel.owner_of_namespace(descriptor))
    except PermissionError:
        return False
    finally:
        os.close(descriptor)
    return True


def enter(path: str) -> Netlink:
    """A socket inside the namespace held by `path`. Raises OSError."""
    made: list[Netlink | BaseException] = []
    thread = threading.Thread(target=_enter, args=(path, made))
    thread.start()
    thread.join()
    [result] = made
    if isinstance(result, BaseException):
        raise result
    return result


def _enter(path: str, made: list[Netlink | BaseException]) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.enter_namespace(descriptor, kernel.CLONE_NEWNET)
        finally:
            os.close(descriptor)
        made.append(Netlink())
    except BaseException as error:
        made.append(error)


def remove(path: str) -> None:
    """Let go of the namespace; it ends with its last process. That there is none is no error."""
    files.act("unmount", path)
    try:
        kernel.unmount(path, detach=True)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):
            raise
    # Unlinking also unmounts the copies that other mount namespaces have of it.
    files.unlink(path)


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)
