"""WORKDIR: the directory that what follows is done in; a layer, in which it is there."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.build import process
from millefeuille.build.copying.root import RootTree
from millefeuille.build.copying.workdir import made
from millefeuille.build.dockerfile.instructions import Workdir
from millefeuille.build.layering import Task
from millefeuille.build.state import State
from millefeuille.build.steps.step import Site, Workshop, epoch_input
from millefeuille.store.images import LayerRecord
from millefeuille.values import replace


def workdir(workshop: Workshop, site: Site, instruction: Workdir) -> State:
    """The state with that working directory. Raises NoSuchOwner, WrongKind, TooManyLinks."""
    state, epoch = site.state, workshop.request.epoch
    path = process.joined(state.directory, instruction.path)
    state = replace(state, config={**state.config, "WorkingDir": path})
    if path == "/":
        return state.told(f"WORKDIR {path}")
    user = process.user(state.config)
    inputs: dict[str, Any] = {"op": "workdir", "parent": site.parent, "path": path, "owner": user}
    task = Task(
        vertex=site.vertex, created_by=f"WORKDIR {path}", inputs=inputs | epoch_input(workshop),
        fresh=workshop.request.renews(site.stage.name),
    )  # fmt: skip

    def make() -> LayerRecord:
        with RootTree(workshop.layering.store.disk, state.layers) as tree:
            return workshop.layering.stored(made(tree, path, user, epoch))

    return workshop.layering.step(state, task, make)
