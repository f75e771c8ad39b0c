"""What is happening, as values. The core reports these; faces draw them or turn them into lines."""

from __future__ import annotations

from millefeuille.annotations import Protocol
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An image's transfer begins. `name` is its familiar repository, `label` its tag or digest."""

    name: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFound:
    """A layer belongs to the image. `total` is its compressed size in bytes."""

    digest: Digest
    total: int
    exists: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWaiting:
    """Another process fetches this layer already."""

    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerAdvanced:
    """`current` of `total` bytes have moved; `resumed` of them in an earlier attempt."""

    digest: Digest
    current: int
    total: int
    resumed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVerifying:
    """All bytes are here; digests and index are being finished."""

    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDone:
    """The layer is complete. `outcome` is one of pulled, pushed, exists, mounted, loaded."""

    digest: Digest
    outcome: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """A request failed and will be tried again in `delay` seconds."""

    what: str
    delay: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something a person should know; not an error."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An image's transfer is complete. `status` is Docker's sentence about it, "" for none."""

    digest: Digest | None
    size: int
    status: str


Event = (
    Started
    | LayerFound
    | LayerWaiting
    | LayerAdvanced
    | LayerVerifying
    | LayerDone
    | Retrying
    | Warned
    | Finished
)


class Progress(Protocol):
    """Whoever wants to know. Called from several threads at once; must return soon and never raise."""

    def report(self, event: Event) -> None:
        """Take notice of `event`."""


class Silent:
    """A Progress that does nothing."""

    def report(self, event: Event) -> None:
        """Take no notice."""
