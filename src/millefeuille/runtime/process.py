"""Process: what a container runs, from the image's config and the words of the caller."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping

from millefeuille import kernel
from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.later import pattern
from millefeuille.runtime import executable, inroot
from millefeuille.runtime.users import User, look_up
from millefeuille.values import dataclass

_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_VARIABLE: Final = pattern(r"(?s)[^=\0]+=[^\0]*")


class NoCommand(Invalid):
    """Neither the caller nor the image says what to run."""


class InvalidDirectory(Invalid):
    """The working directory is none a process may start in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The first process of a container. `environment` holds NAME=VALUE texts, each name once."""

    arguments: tuple[str, ...]
    environment: tuple[str, ...]
    directory: str
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller wants otherwise than the image has it; None leaves it to the image."""

    arguments: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    environment: tuple[str, ...] = ()
    directory: str | None = None
    user: str | None = None


def process(root: int, config: Mapping[str, Any], wishes: Wishes, hostname: str) -> Process:
    """The process that `config` and `wishes` ask for, in the root file system of descriptor `root`.

    Raises NoCommand, InvalidDirectory, NoSuchUser, InvalidUserFile, StartFailed.
    """
    user = config.get("User") if wishes.user is None else wishes.user
    wanted = Process(
        arguments=arguments(config, wishes),
        environment=environment(config, wishes, hostname),
        directory=directory(config, wishes),
        user=look_up(root, user if isinstance(user, str) else ""),
    )
    executable.check(root, wanted.arguments[0], wanted.environment, wanted.directory)
    return wanted


def configured(root: int, config: Mapping[str, Any], host_config: Mapping[str, Any]) -> Process:
    """The first process of a container: `config` says what to run, with the image's word in it already.

    Raises NoCommand, InvalidDirectory, NoSuchUser, InvalidUserFile.
    """
    user = look_up(root, config.get("User") or "", host_config.get("GroupAdd") or ())
    return Process(
        arguments=arguments(config, Wishes()),
        environment=environment(
            config, Wishes(), config.get("Hostname") or "", terminal=bool(config.get("Tty")), home=user.home
        ),
        directory=directory(config, Wishes()),
        user=user,
    )


def arguments(config: Mapping[str, Any], wishes: Wishes) -> tuple[str, ...]:
    """The command line. Raises NoCommand.

    Another entrypoint drops the image's Cmd. Source: moby, daemon/commit.go, merge.
    """
    entrypoint = _texts(config, "Entrypoint") if wishes.entrypoint is None else wishes.entrypoint
    if tuple(entrypoint) == ("",):  # moby's word for none
        entrypoint = ()
    command = wishes.arguments
    if not command and wishes.entrypoint is None:
        command = _texts(config, "Cmd")
    words = (*entrypoint, *command)
    if not words:
        raise NoCommand("no command specified")
    return words


def environment(
    config: Mapping[str, Any], wishes: Wishes, hostname: str, *, terminal: bool = False, home: str = ""
) -> tuple[str, ...]:
    """PATH, HOSTNAME and, at a terminal, TERM; then the image's variables, then the caller's; the last of
    each name counts. HOME is added when none of them has it.

    A name alone removes what came before it (moby v28, container/env.go). Neither it nor any other entry that
    is no NAME=VALUE is handed on: a runtime would fill it from the host's environment.
    """
    merged: dict[str, str] = {}
    own = (_PATH, f"HOSTNAME={hostname}", *(("TERM=xterm",) if terminal else ()))
    for entry in (*own, *_texts(config, "Env"), *wishes.environment):
        if _VARIABLE.fullmatch(entry):
            merged[entry.partition("=")[0]] = entry
        else:
            merged.pop(entry, None)
    if home:
        merged.setdefault("HOME", f"HOME={home}")
    return tuple(merged.values())


def directory(config: Mapping[str, Any], wishes: Wishes) -> str:
    """The absolute working directory. Raises InvalidDirectory.

    Below /proc a path could lead out of the container through a descriptor of the runtime (CVE-2024-21626).
    """
    wanted = wishes.directory or config.get("WorkingDir") or "/"
    if not isinstance(wanted, str) or "\0" in wanted:
        raise InvalidDirectory("the working directory is not a path")
    path = "/" + posixpath.normpath("/" + wanted).lstrip("/")
    refuse_outside(path)
    return path


def refuse_outside(path: str) -> None:
    """Raise InvalidDirectory for a working directory that could lead out of the container."""
    if path == "/proc" or path.startswith("/proc/"):
        raise InvalidDirectory(f"the working directory {path} lies below /proc")


def make_directory(root: int, path: str) -> None:
    """Make a working directory that is missing, below descriptor `root`.

    Raises InvalidDirectory, UnsafePath.
    """
    real = inroot.make_directory(root, path)
    refuse_outside(real)
    try:
        flags = os.O_PATH | os.O_DIRECTORY
        os.close(kernel.openat2(root, real.lstrip("/") or ".", flags, resolve=kernel.RESOLVE_IN_ROOT))
    except NotADirectoryError:
        raise InvalidDirectory(f"Cannot mkdir: {path} is not a directory") from None


def _texts(config: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = config.get(key)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
