"""Which image an analysis is about: a name, perhaps with the place where it is."""

from __future__ import annotations

import importlib
import os
from typing import Final

from millefeuille.engine.analysis import Analysis, stored
from millefeuille.engine.store import existing
from millefeuille.errors import Invalid
from millefeuille.faces.cli.command import Context
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import InvalidReference
from millefeuille.store.names import NoSuchImage, no_such_image

STORE: Final = "store"
REGISTRY: Final = "registry"
ENGINES: Final = (REGISTRY, "docker", "podman")
ARCHIVES: Final = ("oci-archive", "docker-archive", "docker-tar", "oci")  # all are taken as what they are
SOURCE_HELP: Final = (
    'Where the image is ("store", "registry", "docker", "podman", "docker-archive", "oci-archive", "oci"); '
    "by default the store, else a file of that name, else the registry"
)


class NoSuchSource(Invalid):
    """Nobody knows this kind of place."""


def analysed(context: Context, text: str, *, source: str = "", platform: str = "") -> Analysis:
    """The image that `text` means: `NAME`, or `SOURCE://NAME`.

    Raises NoSuchImage and all that the places raise.
    """
    scheme, mark, name = text.partition("://")
    if not mark:
        scheme, name = source, text
    wanted = platform or context.settings.platform
    chosen = Platform.parse(wanted) if wanted else None
    if scheme in ("", STORE):
        try:
            store = existing(context.settings)
            if store is None:
                raise no_such_image(name)
            return stored(store, name, chosen)
        except (NoSuchImage, InvalidReference):
            if scheme == STORE:
                raise
        scheme = ARCHIVES[0] if os.path.exists(name) else REGISTRY
    # Registries and archives take long to load; an image that is here does without.
    if scheme in ARCHIVES:
        in_archive = importlib.import_module("millefeuille.engine.archives").in_archive
        found = in_archive(context.settings, name, chosen)
    elif scheme in ENGINES:
        away = importlib.import_module("millefeuille.faces.cli.analyze.away").away
        found = away(context, scheme, name, chosen)
    else:
        known = ", ".join((STORE, *ENGINES, *ARCHIVES))
        raise NoSuchSource(f'unknown source "{scheme}"', advice=f"The sources are {known}.")
    assert isinstance(found, Analysis)
    return found
