"""Execution: another process in a container that runs, as `exec` asks for one.

Source: moby v28, daemon/exec_linux.go `ExecSetPlatformOpt`, daemon/exec.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.runtime import capabilities, isolation, processdocument
from millefeuille.runtime import process as processes
from millefeuille.runtime.process import Process, Wishes
from millefeuille.runtime.users import look_up
from millefeuille.values import dataclass


class NoExecCommand(Invalid):
    """Nothing is said to be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to run. What is empty is as the container has it; `console` is rows and columns."""

    arguments: Sequence[str]
    environment: Sequence[str] = ()
    directory: str = ""
    user: str = ""
    terminal: bool = False
    privileged: bool = False
    console: tuple[int, int] = (0, 0)


def document(
    root: int, config: Mapping[str, Any], host_config: Mapping[str, Any], wanted: Wanted
) -> dict[str, Any]:
    """The OCI `process` to run in the container of these configurations, whose root is descriptor `root`.

    Raises NoExecCommand, InvalidDirectory, NoSuchUser, InvalidUserFile.
    """
    if not wanted.arguments:
        raise NoExecCommand("No exec command specified")
    user = look_up(root, wanted.user or config.get("User") or "", host_config.get("GroupAdd") or ())
    wishes = Wishes(environment=tuple(wanted.environment), directory=wanted.directory or None)
    process = Process(
        arguments=tuple(wanted.arguments),
        environment=processes.environment(
            config, wishes, config.get("Hostname") or "", terminal=wanted.terminal, home=user.home
        ),
        directory=processes.directory(config, wishes),
        user=user,
    )
    told = processdocument.document(process, {**config, "Tty": wanted.terminal}, host_config)
    if wanted.privileged:
        told["capabilities"] = isolation.capabilities(capabilities.available(), root=True)
    if all(wanted.console):
        told["consoleSize"] = {"height": wanted.console[0], "width": wanted.console[1]}
    return told
