"""RUN: a command, and what it writes as a layer.

In the key: the command, its environment in order, directory, user, networks and mounts, the stack below, the
time that no file of the layer is newer than.
Not in it: secrets, agents, addresses of extra hosts, proxies, limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.build import process, words
from millefeuille.build.dockerfile.instructions import Run, ShellForm
from millefeuille.build.layering import Task
from millefeuille.build.report import Printed
from millefeuille.build.running.failure import StepFailed
from millefeuille.build.running.wish import RunMount, RunWish, Script
from millefeuille.build.state import State
from millefeuille.build.steps.mounts import Mounts, mounts, stacks
from millefeuille.build.steps.step import Site, Workshop, epoch_input
from millefeuille.store.images import LayerRecord
from millefeuille.values import dataclass

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ALONE: Final = re.compile(r"\d*<<-?\s*\S+\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Line:
    """What is executed: `text` or an argument list, and a file that it needs."""

    arguments: tuple[str, ...]
    script: Script | None = None


def run(workshop: Workshop, site: Site, instruction: Run) -> State:
    """The state after the command. Raises StepFailed, and what `run_step` raises."""
    state = site.state
    line = _line(instruction, state.config)
    mounted = mounts(workshop, site, instruction)
    wish = _wish(workshop, site, instruction, line, mounted)
    task = Task(
        vertex=site.vertex,
        created_by=words.run(line.arguments, state.scope.history_args()),
        inputs=_inputs(site, wish, instruction, mounted) | epoch_input(workshop),
        fresh=workshop.request.renews(site.stage.name),
    )

    def make() -> LayerRecord:
        for stack in stacks(mounted, state.layers):
            workshop.layering.cache.stand(stack)
        try:
            runs, request = workshop.runner(), workshop.request
            with runs(
                wish, log, stop=workshop.stop, epoch=request.epoch, keep=request.keep_failed
            ) as members:
                return workshop.layering.stored(members)
        except StepFailed as error:
            error.line = site.vertex.line
            raise

    def log(stream: int, line: bytes) -> None:
        workshop.layering.reporter.report(Printed(vertex=site.vertex, stream=stream, data=line + b"\n"))

    return workshop.layering.step(state, task, make)


def _line(instruction: Run, config: Mapping[str, Any]) -> _Line:
    command = instruction.command
    if not isinstance(command, ShellForm):
        return _Line(command)
    shell, text, script = process.shell(config), command.text, None
    if instruction.heredocs and _ALONE.fullmatch(text):
        document = instruction.heredocs[0]
        text = document.chomped()
        if text.startswith("#!"):
            script = Script(name=document.name, content=text.encode("utf-8", "surrogateescape"))
            text = script.target
    else:
        # The shell reads them: bodies as they were written, each with its end.
        for document in instruction.heredocs:
            text += f"\n{document.content}{document.name}"
    return _Line((*shell, text), script)


def _wish(workshop: Workshop, site: Site, instruction: Run, line: _Line, mounted: Mounts) -> RunWish:
    request, state = workshop.request, site.state
    variables = [*state.scope.run_env()]
    if not any(name == "PATH" for name, _ in variables):
        variables.append(("PATH", PATH))
    scripts: tuple[RunMount, ...] = (line.script,) if line.script else ()
    return RunWish(
        parent=state.chain,
        arguments=line.arguments,
        environment=tuple(f"{name}={value}" for name, value in variables),
        proxies=tuple(f"{name}={value}" for name, value in state.scope.proxies()),
        directory=state.directory,
        user=process.user(state.config),
        mounts=(*mounted.mounts, *scripts),
        network=_network(instruction.network or request.network),
        security="insecure" if instruction.security == "insecure" else "sandbox",
        extra_hosts=request.hosts,
        shm_size=request.shm_size,
        ulimits=request.ulimits,
        resources=request.resources,
    )


def _network(name: str) -> Any:
    return name if name in ("none", "host") else "default"


def _inputs(site: Site, wish: RunWish, instruction: Run, mounted: Mounts) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "op": "run",
        "parent": site.parent,
        "arguments": list(wish.arguments),
        "environment": list(wish.environment),
        "directory": wish.directory,
        "user": wish.user,
        "platform": str(site.state.platform),
    }
    further = {
        "network": wish.network if wish.network != "default" else "",
        "security": wish.security if wish.security != "sandbox" else "",
        "hosts": [name for name, _ in wish.extra_hosts],
        "ulimits": [dict(one) for one in wish.ulimits],
        "mounts": list(mounted.inputs),
        "scripts": [document.chomped() for document in instruction.heredocs],
    }
    return inputs | {name: value for name, value in further.items() if value}

