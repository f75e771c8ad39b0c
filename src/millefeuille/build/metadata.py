"""The instructions that change only what is known of an image: a state and an instruction in, a state out.

What they hold is expanded already. ARG, ENV and the instructions that make layers are not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.build import process, words
from millefeuille.build.dockerfile.instructions import (
    Cmd,
    Command,
    Entrypoint,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Shell,
    ShellForm,
    StopSignal,
    User,
    Volume,
)
from millefeuille.build.state import State
from millefeuille.values import replace


def apply(state: State, instruction: Instruction) -> State:
    """The state after one such instruction."""
    return _ACTS[type(instruction)](state, instruction)


def is_metadata(instruction: Instruction) -> bool:
    """Whether `apply` knows the instruction."""
    return type(instruction) in _ACTS


def arguments(config: Mapping[str, Any], command: Command) -> tuple[str, ...]:
    """A command as it is executed: a shell form by the shell of the image."""
    if isinstance(command, ShellForm):
        return (*process.shell(config), command.text)
    return command


def _label(state: State, one: Label) -> State:
    config = process.with_labels(state.config, one.pairs)
    return state.told(words.pairs("LABEL", one.pairs), config)


def _maintainer(state: State, one: Maintainer) -> State:
    return replace(state.told(f"MAINTAINER {one.author}"), author=one.author)


def _user(state: State, one: User) -> State:
    return state.told(f"USER {one.user}", {**state.config, "User": one.user})


def _expose(state: State, one: Expose) -> State:
    config = process.with_ports(state.config, one.ports)
    return state.told(f"EXPOSE {words.plain_list(one.ports)}", config)


def _volume(state: State, one: Volume) -> State:
    config = process.with_volumes(state.config, one.volumes)
    return state.told(f"VOLUME {words.plain_list(one.volumes)}", config)


def _cmd(state: State, one: Cmd) -> State:
    argv = arguments(state.config, one.command)
    config = process.with_command(state.config, argv, escaped=isinstance(one.command, ShellForm))
    return replace(state.told(f"CMD {words.quoted_list(argv)}", config), has_command=True)


def _entrypoint(state: State, one: Entrypoint) -> State:
    argv = arguments(state.config, one.command)
    config = process.with_entrypoint(state.config, argv, keeps_command=state.has_command)
    return state.told(f"ENTRYPOINT {words.quoted_list(argv)}", config)


def _shell(state: State, one: Shell) -> State:
    config = {**state.config, "Shell": list(one.argv)}
    return state.told(f"SHELL {words.plain_list(one.argv)}", config)


def _stop_signal(state: State, one: StopSignal) -> State:
    return state.told(f"STOPSIGNAL {one.signal}", {**state.config, "StopSignal": one.signal})


def _healthcheck(state: State, one: Healthcheck) -> State:
    check: dict[str, Any] = {"Test": list(one.test)}
    times = {
        "Interval": one.interval, "Timeout": one.timeout, "StartPeriod": one.start_period,
        "StartInterval": one.start_interval, "Retries": one.retries,
    }  # fmt: skip
    check |= {name: value for name, value in times.items() if value}
    return state.told(words.healthcheck(check), {**state.config, "Healthcheck": check})


def _onbuild(state: State, one: Onbuild) -> State:
    # It tells no history, as BuildKit does not.
    return replace(state, config=process.with_trigger(state.config, one.text))


_ACTS: Final[dict[type[Instruction], Callable[[State, Any], State]]] = {
    Label: _label, Maintainer: _maintainer, User: _user, Expose: _expose, Volume: _volume, Cmd: _cmd,
    Entrypoint: _entrypoint, Shell: _shell, StopSignal: _stop_signal, Healthcheck: _healthcheck,
    Onbuild: _onbuild,
}  # fmt: skip
