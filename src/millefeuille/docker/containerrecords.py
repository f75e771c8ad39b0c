"""From what is kept of containers to the values that Docker's shapes take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from millefeuille.annotations import Any
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import NEVER, Container
from millefeuille.containers.state import State
from millefeuille.docker.shapes.container import ContainerFacts
from millefeuille.docker.shapes.container_summary import Listed
from millefeuille.errors import MilleError, NotFound
from millefeuille.later import Later
from millefeuille.networks.networks import Networks
from millefeuille.networks.wishes import wishes
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.roots import Roots
from millefeuille.store import names
from millefeuille.store.images import images
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import execs
else:
    execs = Later("millefeuille.containers.execs")


def listed(store: Store, place: Place, networks: Networks, *, sized: bool = False) -> list[Listed]:
    """All containers as lists show them, the newest first; with what they take when `sized`.

    Of one whose record cannot be read they show what the database knows.
    """
    found = records.every(store, place)
    if not found:
        return []
    with store.reading() as tx:
        shown = {container.id: image_shown(tx, container) for container in found}
        wholes = {container.image: _image_size(tx, container.image) for container in found if sized}
    return [
        Listed(
            container=container, state=(state := records.state(place, container.id)),
            image=shown[container.id], network=_settled(network_settings(networks, container), state),
            size=(written := size(store, container)) if sized else None,
            size_with_image=written + wholes[container.image] if sized else None,
        )
        for container in found
    ]  # fmt: skip


def facts(
    store: Store, place: Place, networks: Networks, container: Container, *, driver: str, sized: bool = False
) -> ContainerFacts:
    """What inspecting shows beside the record; `driver` is that of the roots."""
    written = size(store, container) if sized else None
    whole = None
    if written is not None:
        with store.reading() as tx:
            whole = written + _image_size(tx, container.image)
    root = Roots(store.disk.snapshots).path(container.id)
    data = {
        "ID": container.id, "MergedDir": place.rootfs(container.id), "UpperDir": f"{root}/upper",
        "WorkDir": f"{root}/work",
    }  # fmt: skip
    state = records.state(place, container.id)
    # There are no files of one that was never started; a start that failed may have made some.
    begun = state.started != NEVER or os.path.lexists(place.host_file(container.id, "hostname"))
    kept = begun and ((container.host_config.get("LogConfig") or {}).get("Type") or "") != "none"
    return ContainerFacts(
        directory=place.directory(container.id) if begun else "",
        log=place.log(container.id) if kept else "",
        network=_settled(network_settings(networks, container), state),
        driver=driver, driver_data=data,
        size=written, size_with_image=whole, execs=execs.running(place, container.id),
    )  # fmt: skip


def network_settings(networks: Networks, container: Container) -> Mapping[str, Any]:
    """Docker's NetworkSettings of a container, whether it runs or not."""
    wanted = wishes(container.name, container.config, container.host_config, container.networking)
    return networks.settings(container.id, wanted)


def _settled(network: Mapping[str, Any], state: State) -> Mapping[str, Any]:
    """NetworkSettings as Docker tells them: one that does not run publishes nothing, though its lease may not
    have been given back yet; one that never ran knows no network's ID.
    """
    if state.running:
        return network
    networks = network.get("Networks") or {}
    if state.started == NEVER:
        networks = {name: {**told, "NetworkID": ""} for name, told in networks.items()}
    return {**network, "Ports": {}, "Networks": networks}


def image_shown(tx: Transaction, container: Container) -> str:
    """The name a container's image was asked for by, while that still means the same image; else its ID."""
    try:
        found = names.lookup(tx, container.image_name)
    except MilleError:
        found = None
    return container.image_name if found == container.image else str(container.image)


def descendants(tx: Transaction, text: str) -> Iterable[str]:
    """The IDs of an image and of all that were made from it; none for an unknown one."""
    try:
        first = names.find(tx, text).id
    except MilleError:
        return ()
    children: dict[Digest, list[Digest]] = {}
    for image in images(tx):
        if image.parent:
            children.setdefault(image.parent, []).append(image.id)
    found, waiting = {first}, [first]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return {str(id) for id in found}


def size(store: Store, container: Container) -> int:
    """The bytes that a container has written; 0 when its root is gone."""
    try:
        return Roots(store.disk.snapshots).usage(container.id).content
    except NotFound:
        return 0


def _image_size(tx: Transaction, id: Digest) -> int:
    return next((image.size for image in images(tx, "id = ?", (str(id),))), 0)
