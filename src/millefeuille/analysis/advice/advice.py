"""Advice: one thing to do about an image, what it saves, and how the Dockerfile has to change for it."""

from __future__ import annotations

from millefeuille.analysis.advice.edits import Edit
from millefeuille.annotations import Final, NamedTuple
from millefeuille.values import dataclass, field

CACHE_MOUNT: Final = "cache-mount"
IGNORE: Final = "dockerignore"
ATTRIBUTES: Final = "copy-attributes"
DUPLICATE: Final = "duplicate-copy"
BIND_MOUNT: Final = "bind-mount"
MOVED: Final = "moved-copy"
MERGE: Final = "merge-runs"
STAGES: Final = "multi-stage"
ORDER: Final = "order"
KINDS: Final = (CACHE_MOUNT, IGNORE, ATTRIBUTES, DUPLICATE, BIND_MOUNT, MOVED, MERGE, STAGES, ORDER)


class Trigger(NamedTuple):
    """What changes often, and shows what an order is worth: a file of the context, or a build argument."""

    kind: str  # "file" or "argument"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One piece of advice.

    `size` bytes are saved in the layers, about `packed` of what a pull fetches; `rebuilt` bytes are not made
    again when `trigger` changes. `paths` are some of the files. Without `edits` a person has to do it, for
    those of `left`, entries by their layers, that no other advice is for in the end.
    """

    kind: str
    text: str
    steps: tuple[int, ...]
    size: int = 0
    packed: int = 0
    rebuilt: int = 0
    trigger: Trigger | None = None
    paths: tuple[bytes, ...] = ()
    edits: tuple[Edit, ...] = field(default=())
    left: tuple[tuple[int, int], ...] = ()
