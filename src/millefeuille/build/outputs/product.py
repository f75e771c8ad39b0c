"""Product: the documents of what is put out, made once, whatever they are put into then.

states → configs → layers, packed where that is asked for → manifests → attestations → index
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.build.outputs.annotation import Annotation, notes
from millefeuille.build.outputs.attestation import Attestation, Statement, attestation
from millefeuille.build.outputs.blobs import blobs_of
from millefeuille.build.outputs.config import described
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.manifest import image_plan, index_of
from millefeuille.errors import Unsupported
from millefeuille.later import Later
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.manifest import Index
from millefeuille.oci.platform import Platform, rank
from millefeuille.store.images import LayerRecord
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.transfer.plan import Plan
from millefeuille.values import dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.transfer import compressed
    from millefeuille.transfer.packing import Packing
else:  # the store's layers are put out as they are
    compressed = Later("millefeuille.transfer.compressed")


class MisplacedAnnotation(Unsupported):
    """There is no document that the annotation could be on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the documents are to look. `statements` are to be attested of each state, in the states' order;
    `packing` None leaves the layers as the store has them.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    packing: Packing | None = None
    oci_types: bool = True
    statements: tuple[tuple[Statement, ...], ...] = ()
    oci_artifacts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The image for one platform, and what is attested of it. Its plan leads from the product's target."""

    plan: Plan
    layers: tuple[LayerRecord, ...]
    attestation: Attestation | None = None

    @property
    def records(self) -> dict[Digest, LayerRecord]:
        """The layers by the digests of their blobs."""
        return {
            blob.digest: layer for blob, layer in zip(self.plan.manifest.layers, self.layers, strict=True)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is put out: one manifest, or an `index` of several and of attestations."""

    variants: tuple[Variant, ...]
    index: Index | None
    target: Descriptor

    @property
    def chosen(self) -> Variant:
        """The variant that suits this machine best, else the first."""
        host = Platform.host()
        places = [(rank(variant.plan.config.platform, host), variant) for variant in self.variants]
        suiting = [(place, n) for n, (place, _) in enumerate(places) if place is not None]
        return self.variants[min(suiting)[1] if suiting else 0]

    @property
    def documents(self) -> dict[Digest, bytes]:
        """Everything but layers, by digest."""
        found = {self.target.digest: self.index.raw} if self.index is not None else {}
        for variant in self.variants:
            found |= dict(variant.plan.documents)
            found |= variant.attestation.documents if variant.attestation is not None else {}
        return found

    @property
    def claims(self) -> set[Digest]:
        """All that must stay in the store until the product is an image's own, or has gone."""
        found = {*self.documents}
        for variant in self.variants:
            diff_ids = variant.plan.config.diff_ids
            found |= {*variant.records, *diff_ids, *chain_ids(diff_ids)}
        return found


def assemble(store: Store, states: Sequence[Finished], shape: Shape, lease: Lease) -> Product:
    """Make the documents of what `states` came to, one for each platform; the store keeps none of them yet.

    Raises MissingLayer, InvalidConfig, MisplacedAnnotation, and what packing raises.
    """
    statements = shape.statements or tuple(() for _ in states)
    variants = tuple(
        _variant(store, state, shape, told, lease) for state, told in zip(states, statements, strict=True)
    )
    if len(variants) == 1 and variants[0].attestation is None:
        _check_alone(shape)
        return Product(variants=variants, index=None, target=variants[0].plan.descriptor)
    entries = [variant.plan.descriptor for variant in variants]
    entries += [variant.attestation.descriptor for variant in variants if variant.attestation is not None]
    index = index_of(entries, notes(shape.annotations, "index"), oci_types=shape.oci_types)
    target = replace(index.descriptor(), annotations=notes(shape.annotations, "index-descriptor"))
    led = tuple(
        replace(variant, plan=replace(variant.plan, indexes=((target, index),))) for variant in variants
    )
    return Product(variants=led, index=index, target=target)


def _variant(
    store: Store, state: Finished, shape: Shape, statements: Sequence[Statement], lease: Lease
) -> Variant:
    config = described(state, shape.labels)
    layers = blobs_of(store, state)
    if shape.packing is not None:
        pairs = tuple(zip(layers, config.diff_ids, strict=True))
        layers = compressed.packed_layers(store, pairs, shape.packing, lease)
    platform = config.platform
    told = notes(shape.annotations, "manifest", platform)
    plan = image_plan(config, layers, told, oci_types=shape.oci_types)
    entry = replace(
        plan.descriptor, platform=platform,
        annotations=notes(shape.annotations, "manifest-descriptor", platform),
    )  # fmt: skip
    said = attestation(entry, statements, oci_artifact=shape.oci_artifacts) if statements else None
    return Variant(plan=replace(plan, descriptor=entry), layers=state.layers, attestation=said)


def _check_alone(shape: Shape) -> None:
    """A lone manifest stands in no index; the words are BuildKit's."""
    if any(one.level in ("index", "index-descriptor") for one in shape.annotations):
        raise MisplacedAnnotation("index annotations not supported for single platform export")
