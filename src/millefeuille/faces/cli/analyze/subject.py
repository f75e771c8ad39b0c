"""Which image an analysis is about: a name, perhaps with the place where it is."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial

from millefeuille.analysis.schema import Document
from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.faces.cli.command import Context
from millefeuille.later import Later
from millefeuille.store.disk import Disk, StoreDenied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.engine.analysis import Analysis
    from millefeuille.engine.kept import Kept
    from millefeuille.faces.cli.analyze import instore
    from millefeuille.oci.platform import Platform
else:
    instore = Later("millefeuille.faces.cli.analyze.instore")

STORE: Final = "store"
REGISTRY: Final = "registry"
ENGINES: Final = (REGISTRY, "docker", "podman")
ARCHIVES: Final = ("oci-archive", "docker-archive", "docker-tar", "oci")  # all are taken as what they are
_DOCKERS: Final = ("docker-archive", "docker-tar")  # but of several images, the first as Docker lists them
SOURCE_HELP: Final = (
    'Where the image is ("store", "registry", "docker", "podman", "docker-archive", "docker-tar", '
    '"oci-archive", "oci"); '
    "by default the store, else a file of that name, else the registry"
)


class NoSuchSource(Invalid):
    """Nobody knows this kind of place."""


class Subject:
    """An image that is analysed when something is asked that is not kept of it. `stored_as` is its name in
    the store, "" when it is elsewhere.
    """

    def __init__(
        self, make: Callable[[], Analysis], kept: Kept | None = None, *, stored_as: str = ""
    ) -> None:
        self._make = make
        self._kept = kept
        self.stored_as = stored_as

    @cached_property
    def analysis(self) -> Analysis:
        """The analysis itself. Raises what the place of the image and its layers raise."""
        return self._make()

    @property
    def is_stored(self) -> bool:
        """Whether the image is in the store."""
        return bool(self.stored_as)

    @cached_property
    def known(self) -> Document | None:
        """The analysis without the files of the layers, where it was made before."""
        return self._kept.document() if self._kept is not None else None

    @cached_property
    def document(self) -> Document:
        """The analysis without the files of the layers."""
        return self.analysis.document if self.known is None else self.known

    def json(self) -> Sequence[bytes | memoryview]:
        """The whole analysis, in pieces."""
        kept = self._text("full")
        return self.analysis.json() if kept is None else [kept]

    def dive_json(self) -> bytes | memoryview:
        """The analysis as Dive writes it."""
        return self._text("dive") or self.analysis.dive_json()

    def _text(self, what: str) -> memoryview | None:
        return self._kept.get(what) if self._kept is not None else None


def analysed(
    context: Context, text: str, *, source: str = "", platform: str = "", glance: bool = False
) -> Subject:
    """The image that `text` means: `NAME`, or `SOURCE://NAME`.

    `glance` is for who asks for no digest of a file, and compares with no other image.
    Raises NoSuchImage, NoSuchSource and all that the places raise.
    """
    scheme, mark, name = text.partition("://")
    if not mark:
        scheme, name = source, text
    chosen = _platform(platform or context.settings.platform)
    if scheme in ("", STORE):
        try:
            if scheme == STORE or Disk(context.settings.root).exists():
                return Subject(*instore.stored(context.settings, name, chosen), stored_as=name)
        except (instore.NoSuchImage, instore.InvalidReference):
            if scheme == STORE:
                raise
        except StoreDenied:
            if scheme == STORE or not name.startswith(("/", ".")):  # which no image's name does
                raise
        scheme = ARCHIVES[0] if os.path.exists(name) else REGISTRY
    # Analysing takes long to load, registries take longer; what was worked out before does without.
    if scheme in ARCHIVES:
        in_archive = importlib.import_module("millefeuille.engine.archives").in_archive
        docker = scheme in _DOCKERS
        return Subject(partial(in_archive, context.settings, name, chosen, glance=glance, docker=docker))
    if scheme in ENGINES:
        away = importlib.import_module("millefeuille.faces.cli.analyze.away").away
        return Subject(partial(away, context, scheme, name, chosen))
    known = ", ".join((STORE, *ENGINES, *ARCHIVES))
    raise NoSuchSource(f'unknown source "{scheme}"', advice=f"The sources are {known}.")


def _platform(text: str) -> Platform | None:
    if not text:
        return None
    chosen: Platform = importlib.import_module("millefeuille.oci.platform").Platform.parse(text)
    return chosen
