"""Delivery: a build's result to all the places that were asked for.

    states ─► image ─► the store ─► a registry
           ─► oci, docker ─► an archive, a layout, standard output
           ─► local, tar ─► files, with what is attested of them beside
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from millefeuille.annotations import Final
from millefeuille.build.outputs.annotation import Annotation
from millefeuille.build.outputs.archive import archive_to_file, archive_to_layout, archive_to_stream
from millefeuille.build.outputs.attestation import Statement
from millefeuille.build.outputs.directory import write_directory
from millefeuille.build.outputs.exported import Export, carried, exports
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.image import Recorded, record
from millefeuille.build.outputs.product import Product, Shape, assemble
from millefeuille.build.outputs.tarball import stream_tar, write_tar
from millefeuille.build.outputs.wish import STDOUT, OutputWish
from millefeuille.errors import Invalid
from millefeuille.layers.carried import Carried
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.chains import Prepare
from millefeuille.store.leases import Lease
from millefeuille.store.names import check_name
from millefeuille.store.store import Store
from millefeuille.transfer.packing import Packing
from millefeuille.values import dataclass, field, replace

Write = Callable[[bytes | memoryview], object]

# What a build without `--output` comes to.
DEFAULT: Final = (OutputWish(kind="image"),)


class BadDelivery(Invalid):
    """The outputs cannot be had together, or not of this build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is to be put out, the same for all `outputs`: `names` come from `-t`, to which an output adds its
    own; `statements` are to be attested of each state, in the states' order.
    """

    outputs: tuple[OutputWish, ...] = DEFAULT
    names: tuple[Reference, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    statements: tuple[tuple[Statement, ...], ...] = ()
    oci_artifacts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where a result leaves by: standard output, a registry, and `prepare` for the metadata images of the
    store. `push` sends what a name of the store stands for, and gives its digest there; with an index or a
    manifest and an image of it, it sends these to the name's repository instead, without a tag.
    """

    write: Write
    push: Callable[[Reference, tuple[Digest, Digest] | None], Digest]
    prepare: Prepare | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What was put out. `product` is the first output's that has documents, and `names` what it is called;
    `recorded` the image of the store. These are empty where nothing but files was asked for; `attested` is
    what is said of each platform's result, wherever it went.
    """

    product: Product | None = None
    names: tuple[Reference, ...] = ()
    recorded: Recorded | None = None
    attested: tuple[tuple[Platform, tuple[Statement, ...]], ...] = ()


def check_delivery(delivery: Delivery) -> None:
    """Hold, before anything is built, that the outputs can be had. Raises BadDelivery, NotAName."""
    if sum(wish.destination == STDOUT for wish in delivery.outputs) > 1:
        raise BadDelivery("multiple outputs configured to stdout")
    for wish in delivery.outputs:
        if wish.push and not names_of(delivery, wish):
            raise BadDelivery("tag is needed when pushing to registry")
        for name in names_of(delivery, wish) if wish.kind == "image" and not wish.by_digest else ():
            check_name(name)
    places = [wish.destination for wish in delivery.outputs if wish.destination not in (None, STDOUT)]
    for place in places:
        if places.count(place) > 1:
            raise BadDelivery(f"duplicate output destination: {place}")


def names_of(delivery: Delivery, wish: OutputWish) -> tuple[Reference, ...]:
    """What an output calls the image: its own names after those of the build, each once.

    One that goes by its digest has its own alone.
    """
    if wish.by_digest:
        return wish.names
    return tuple(dict.fromkeys([*delivery.names, *wish.names]))


def deliver(
    store: Store, states: Sequence[Finished], delivery: Delivery, doors: Doors, lease: Lease
) -> Delivered:
    """Put the result, a state for each platform, to all places, in the order they were asked for.

    The caller holds the `lease`, which claims the layers already. Raises BadDelivery, MissingLayer,
    InvalidConfig, MisplacedAnnotation, AttestationTooLarge, BadOutput, BadLayout, ExportFailed, DamagedLayer,
    DamagedContent, CorruptBlob, DiskFull, ReadOnlyStore, Failed, and what the doors raise. What was put out
    before stays.
    """
    check_delivery(delivery)
    done = Delivered()
    for wish in delivery.outputs:
        if wish.kind in ("local", "tar"):
            _files(store, states, delivery, wish, doors)
        elif wish.kind != "cacheonly":
            made = _image(store, states, delivery, wish, doors, lease)
            done = made if done.product is None else replace(done, recorded=done.recorded or made.recorded)
    platforms = [state.platform for state in states]
    return replace(done, attested=tuple(zip(platforms, delivery.statements, strict=False)))


def shape_of(delivery: Delivery, wish: OutputWish, platforms: int) -> Shape:
    """How the documents of an output are to look.

    Layers are packed for what leaves the store at once, and below an index, which `push` sends as it is.
    """
    leaves = wish.push or wish.kind == "oci" or platforms > 1 or any(delivery.statements)
    return Shape(
        labels=delivery.labels, annotations=(*delivery.annotations, *wish.annotations),
        packing=wish.packing or (Packing() if leaves and wish.kind != "docker" else None),
        oci_types=wish.oci_types, statements=delivery.statements,
        oci_artifacts=delivery.oci_artifacts and wish.oci_types,
    )  # fmt: skip


def _image(
    store: Store, states: Sequence[Finished], delivery: Delivery, wish: OutputWish, doors: Doors, lease: Lease
) -> Delivered:
    names = names_of(delivery, wish)
    product = assemble(store, states, shape_of(delivery, wish, len(states)), lease)
    if wish.kind == "image":
        recorded = record(store, product, () if wish.by_digest else names, lease, prepare=doors.prepare)
        nameless = (recorded.target, recorded.image) if wish.by_digest else None
        for name in names if wish.push else ():
            doors.push(name, nameless)
        return Delivered(product=product, names=names, recorded=recorded)
    oci, place = wish.kind == "oci", wish.destination or STDOUT
    if wish.layout:
        archive_to_layout(store, product, names, place, oci=oci)
    elif place == STDOUT:
        archive_to_stream(store, product, names, doors.write, oci=oci)
    else:
        archive_to_file(store, product, names, place, oci=oci)
    return Delivered(product=product, names=names)


def _files(
    store: Store, states: Sequence[Finished], delivery: Delivery, wish: OutputWish, doors: Doors
) -> None:
    wanted = exports(states, delivery.statements, split=wish.platform_split)
    place = wish.destination or STDOUT
    if wish.kind == "local":
        write_directory(place, _all(store, wanted))
    elif place == STDOUT:
        stream_tar(doors.write, _all(store, wanted))
    else:
        write_tar(place, _all(store, wanted))


def _all(store: Store, wanted: Sequence[Export]) -> Iterator[Carried]:
    for export in wanted:
        yield from carried(store, export)
