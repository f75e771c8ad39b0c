"""The journal of a build: how each step went, for `build history` and for the next build to compare with."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.build.report import Vertex
from millefeuille.values import dataclass, field

_ENTRY: Final = ("stage", "place", "text", "line", "outcome", "took", "size", "layer", "inputs")
_ACCOUNT: Final = ("id", "name", "started", "ended", "status", "error", "image", "bases")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step that made or found a layer. `took` is seconds, `size` the bytes of the layer's tar."""

    stage: str
    place: int
    text: str
    line: int
    outcome: str
    took: float = 0.0
    size: int = 0
    layer: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called where no total is known."""
        return f"[{self.stage} {self.place}] {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A whole build. `started` and `ended` are nanoseconds since 1970; `bases` are the digests that the names
    of base images stood for; `image` is the ID of what came of it, "" for nothing.
    """

    id: str
    name: str
    started: int
    ended: int = 0
    status: str = "completed"
    error: str = ""
    image: str = ""
    bases: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()

    def text(self) -> str:
        """The account as JSON."""
        told = {name: getattr(self, name) for name in _ACCOUNT}
        told["entries"] = [{name: getattr(one, name) for name in _ENTRY} for one in self.entries]
        return json.dumps(told, separators=(",", ":"), sort_keys=True)

    def like(self, vertex: Vertex) -> Entry | None:
        """The entry of the same step: at the same place with the same text; else with the text, in the same
        stage; else at the place.
        """
        stage = [one for one in self.entries if one.stage == vertex.stage]
        same = [one for one in stage if one.text == vertex.text]
        here = [one for one in stage if one.place == vertex.place]
        both = [one for one in same if one.place == vertex.place]
        return next(iter([*both, *same, *here]), None)


def parse(text: str) -> Account:
    """An account from what `text` wrote. Raises ValueError, TypeError, KeyError for anything else."""
    fields = json.loads(text)
    entries = tuple(Entry(**one) for one in fields.pop("entries"))
    return Account(**fields, entries=entries)


class Journal:
    """What is being written about the present build, beside the account of the one before, when there is one.

    Safe for several threads.
    """

    def __init__(self, before: Account | None = None) -> None:
        self.before = before
        self._entries: list[Entry] = []
        self._bases: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Write down how a step went."""
        with self._lock:
            self._entries.append(entry)

    def base(self, name: str, digest: str) -> None:
        """Write down what the name of a base image stood for."""
        with self._lock:
            self._bases[name] = digest

    @property
    def entries(self) -> Sequence[Entry]:
        """All steps so far, by stage and place."""
        with self._lock:
            return sorted(self._entries, key=lambda one: (one.stage, one.place))

    @property
    def bases(self) -> Mapping[str, str]:
        """What the names of base images stood for."""
        with self._lock:
            return dict(self._bases)
