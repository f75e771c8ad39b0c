"""What every step that makes a layer has at hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from millefeuille.annotations import Any, Protocol
from millefeuille.build.base import Bases
from millefeuille.build.dockerfile.instructions import Instruction
from millefeuille.build.layering import Layering, Unmade
from millefeuille.build.plan import FromContext, FromStage, Origin, PlannedStage
from millefeuille.build.report import Vertex
from millefeuille.build.request import Request
from millefeuille.build.running.failure import StepStopped
from millefeuille.build.running.wish import RunWish
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.remotes import Remotes
from millefeuille.build.state import State
from millefeuille.errors import Unsupported
from millefeuille.layers.tarstream import Member
from millefeuille.oci.digest import Digest
from millefeuille.store.images import LayerRecord
from millefeuille.values import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future


class NoContext(Unsupported):
    """The instruction wants files of a build context, and there is none."""


# Told of what a command prints: the stream, 1 or 2, and bytes.
Log = Callable[[int, bytes], None]


class Runner(Protocol):
    """Runs the command of a RUN. Called from several threads."""

    def __call__(
        self, wish: RunWish, log: Log, *, stop: threading.Event, epoch: int | None, keep: bool
    ) -> AbstractContextManager[Iterator[Member]]:
        """In the block, the members of the layer that the command made; no file is newer than `epoch`.

        With `keep`, the root of a command that failed stays. Raises as `build.running.run.run_step` does.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a build works with, the same for all its steps.

    `context` is the build's own, None when there is none; `contexts` are the named ones that are files.
    `runner` makes what runs commands, when the first one comes; `remotes` what fetches. Directories of the
    build's own lie in `scratch`. `allowed` are the entitlements that commands have, None where who runs them
    alone knows. `stop` is set when the build is to end.
    """

    layering: Layering
    request: Request
    bases: Bases
    runner: Callable[[], Runner]
    remotes: Callable[[], Remotes]
    scratch: str
    context: DirectorySource | None = None
    contexts: Mapping[str, DirectorySource] = field(default_factory=dict)
    allowed: frozenset[str] | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def directory(self, origin: FromContext) -> DirectorySource:
        """The files of a context. Raises NoContext."""
        found = self.contexts.get(origin.name) if origin.name else self.context
        if found is None:
            raise NoContext("there is no build context", advice="Give a directory instead of `-`.")
        return found


def epoch_input(workshop: Workshop) -> dict[str, Any]:
    """What the epoch adds to the inputs of a step: nothing without one, for the keys of these builds."""
    epoch = workshop.request.epoch
    return {} if epoch is None else {"epoch": epoch}


def result(stage: Future[State]) -> State:
    """What has become of a stage. Waits for it. Raises StepStopped when it failed, for that is told of the
    stage itself; Unmade.
    """
    try:
        return stage.result()
    except Unmade:
        raise
    except Exception as error:
        raise StepStopped("the build was stopped") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a step is taken: its stage and the state so far, its line of progress, the instruction as it was
    written; `states`, what has become of the stages before; `file` is what errors call the Dockerfile.
    """

    stage: PlannedStage
    state: State
    vertex: Vertex
    written: Instruction
    states: Mapping[int, Future[State]]
    file: str = "Dockerfile"

    def origin(self, name: str) -> Origin:
        """What a name in `from=` means; "" is the build's context."""
        return self.stage.origins[name] if name else FromContext()

    def layers(self, workshop: Workshop, origin: Origin) -> tuple[LayerRecord, ...]:
        """The layers of a stage or an image that files are taken from. Waits for the stage. Raises
        StepStopped as `result` does, and when the build was stopped meanwhile.
        """
        assert not isinstance(origin, FromContext)
        if isinstance(origin, FromStage):
            layers = result(self.states[origin.index]).layers
            if workshop.stop.is_set():
                raise StepStopped("the build was stopped")
            return layers
        return workshop.bases.resolve(origin.name, origin.platform).layers

    @property
    def parent(self) -> str:
        """The chain ID of what the step stands on, "" for an empty root."""
        chain: Digest | None = self.state.chain
        return str(chain) if chain is not None else ""
