"""`mille image packages`."""

from __future__ import annotations

import json

from millefeuille.annotations import Final
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.engine.store import existing
from millefeuille.errors import Invalid
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.escaped import printable
from millefeuille.faces.cli.image.inside import PLATFORM
from millefeuille.faces.cli.options import boolean, repeated
from millefeuille.images.content import find_platform
from millefeuille.images.packages import ImagePackages, Installed, image_packages
from millefeuille.oci.platform import Platform
from millefeuille.store.images import layers_of
from millefeuille.store.names import no_such_image

_KINDS: Final = ("deb", "apk", "rpm", "pypi", "npm")

JSON = boolean("json", "Print in JSON format")
KIND = repeated("kind", "Only packages of this kind (deb, apk, rpm, pypi, npm)")
QUIET = boolean("quiet", "Only show names", short="q")


def run(context: Context, call: Call) -> int:
    """List the packages of an image, and which layer brought each."""
    for kind in call[KIND]:
        if kind not in _KINDS:
            raise Invalid(f'unknown kind of packages "{kind}"', advice=f"The kinds are {', '.join(_KINDS)}.")
    found = packages_of(context, call.arguments[0], call[PLATFORM])
    chosen = [one for one in found.packages if not call[KIND] or one.package.kind in call[KIND]]
    if call[JSON]:
        context.terminal.line(json.dumps(_document(found, chosen), indent=2))
        return 0
    if call[QUIET]:
        for one in chosen:
            context.terminal.line(printable(one.package.name))
        return 0
    rows = [
        (
            one.package.kind, printable(one.package.name), printable(one.package.version),
            printable(one.package.architecture) or "-",
            human_size(one.package.size) if one.package.size else "-", str(one.layer),
        )
        for one in chosen
    ]  # fmt: skip
    context.terminal.write(table(("KIND", "NAME", "VERSION", "ARCHITECTURE", "SIZE", "LAYER"), rows))
    for text in found.unread:
        context.terminal.complain(f"Not read: {printable(text)}")
    return 0


def packages_of(context: Context, text: str, platform: str) -> ImagePackages:
    """The packages of an image in the store. Raises NoSuchImage, PlatformMissing, and what reading raises."""
    store = existing(context.settings)
    if store is None:
        raise no_such_image(text)
    with store.reading() as tx:
        image = find_platform(tx, text, Platform.parse(platform) if platform else None)
        return image_packages(store.disk, layers_of(tx, image.id))


def _document(found: ImagePackages, chosen: list[Installed]) -> dict[str, object]:
    return {
        "schemaVersion": "1.0",
        "system": dict(found.system),
        "packages": [
            {
                "kind": one.package.kind, "name": one.package.name, "version": one.package.version,
                "architecture": one.package.architecture, "source": one.package.source,
                "licence": one.package.licence, "sizeBytes": one.package.size, "layer": one.layer,
                "location": one.package.location.decode("utf-8", "surrogateescape"),
            }
            for one in chosen
        ],
        "unread": list(found.unread),
    }  # fmt: skip


COMMAND = Command(
    usage="[OPTIONS] IMAGE",
    arguments=exactly(1),
    options=(
        JSON,
        KIND,
        PLATFORM,
        QUIET,
    ),
    run=run,
    complete="image",
)
