"""Docker's words for what happens to a layer, and its lines around them."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.progress import (
    Event,
    Finished,
    LayerDone,
    LayerFound,
    LayerVerifying,
    LayerWaiting,
    Retrying,
    Started,
    Warned,
)

FOUND: Final = {"pull": "Pulling fs layer", "push": "Preparing", "load": "Loading layer"}
MOVING: Final = {"pull": "Downloading", "push": "Pushing", "load": "Loading layer"}
VERIFYING: Final = {"pull": "Verifying Checksum", "push": "", "load": ""}

_DONE: Final = {
    "pulled": ("Download complete", "Pull complete"),
    "pushed": ("Pushed",),
    "loaded": (),
}
_EXISTS: Final = {"pull": "Already exists", "push": "Layer already exists", "load": ""}


def short(digest: Digest) -> str:
    """The first 12 digits, by which Docker calls a layer."""
    return digest.hex[:12]


def layer_states(event: Event, verb: str) -> tuple[Digest, tuple[str, ...]] | None:
    """The layer that `event` is about and the states it has come through, None when about none.

    Movement of bytes is no state of its own.
    """
    match event:
        case LayerFound(exists=True):
            return event.digest, _states(_EXISTS[verb] if verb == "pull" else FOUND[verb])
        case LayerFound():
            return event.digest, _states(FOUND[verb])
        case LayerWaiting():
            return event.digest, ("Waiting",)
        case LayerVerifying():
            return event.digest, _states(VERIFYING[verb])
        case LayerDone(outcome="exists"):
            return event.digest, _states(_EXISTS[verb])
        case LayerDone(outcome="mounted"):
            return event.digest, (f"Mounted from {event.source}",)
        case LayerDone():
            return event.digest, _DONE.get(event.outcome, ())
    return None


class Around:
    """The lines that are not about one layer; remembers which image they are about."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._name = ""
        self._label = ""

    def lines(self, event: Event) -> Iterator[str]:
        """The lines `event` gives."""
        match event:
            case Started():
                yield from self._started(event)
            case Finished():
                yield from self._finished(event)
            case Retrying():
                seconds = max(1, round(event.delay))
                yield f"{event.what}: Retrying in {seconds} second{'' if seconds == 1 else 's'}"
            case Warned():
                yield f"WARNING: {event.message}"

    def _started(self, event: Started) -> Iterator[str]:
        if self._verb == "pull":
            yield f"{event.label}: Pulling from {event.name}"
        elif self._verb == "push" and event.name != self._name:
            yield f"The push refers to repository [{event.name}]"
        self._name, self._label = event.name, event.label

    def _finished(self, event: Finished) -> Iterator[str]:
        if self._verb == "push" and event.digest is not None:
            yield f"{self._label}: digest: {event.digest} size: {event.size}"
        elif self._verb == "pull" and event.digest is not None:
            yield f"Digest: {event.digest}"
        if event.status:
            yield f"Status: {event.status}"


def _states(state: str) -> tuple[str, ...]:
    return (state,) if state else ()
