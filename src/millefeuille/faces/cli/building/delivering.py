"""What the flags of `mille build` say of outputs; loaded by a build that has some."""

from __future__ import annotations

from millefeuille.build.outputs.annotation import parse_annotation
from millefeuille.build.outputs.attest import AttestWish, parse_attests
from millefeuille.build.outputs.delivery import DEFAULT, Delivered, Delivery, Doors, check_delivery
from millefeuille.build.outputs.metadata_file import image_id, metadata_file
from millefeuille.build.outputs.wish import OutputWish, parse_output
from millefeuille.engine.build import Built
from millefeuille.engine.metadata import prepare
from millefeuille.engine.registries import registries
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.building import flags
from millefeuille.faces.cli.command import Call, Context
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.store.store import Store
from millefeuille.transfer.push import push
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be put out, and attested of it."""

    delivery: Delivery
    attest: AttestWish


def asked(call: Call, names: tuple[Reference, ...], labels: dict[str, str]) -> Asked:
    """What the flags ask for. Raises Refusal."""
    with exits.refusing():
        outputs = tuple(parse_output(text) for text in call[flags.OUTPUT])
        if call[flags.PUSH]:
            outputs = (*outputs, OutputWish(kind="image", push=True))
        elif call[flags.LOAD]:
            outputs = (*outputs, OutputWish(kind="image"))
        annotations = tuple(
            one for text in call[flags.ANNOTATION] for one in parse_annotation(text)
        )  # fmt: skip
        attests: tuple[str, ...] = call[flags.ATTEST]
        wish = parse_attests(
            attests,
            provenance=call[flags.PROVENANCE] if call.given(flags.PROVENANCE) else None,
            sbom=call[flags.SBOM] if call.given(flags.SBOM) else None,
        )
        delivery = Delivery(
            outputs=outputs or DEFAULT, names=names, labels=labels, annotations=annotations
        )  # fmt: skip
        check_delivery(delivery)
    return Asked(delivery=delivery, attest=wish)


def doors(context: Context, store: Store) -> Doors:
    """Standard output, and registries."""

    def send(name: Reference, nameless: tuple[Digest, Digest] | None) -> Digest:
        repository = registries(context.settings, Silent()).repository(name, push=True)
        return push(store, repository, name, Silent(), nameless=nameless)

    return Doors(write=context.terminal.write_bytes, push=send, prepare=prepare(context.settings))


def told(built: Built) -> bytes:
    """What a metadata file says of what was put out."""
    return metadata_file(built.delivered or Delivered(), built.id)


def image(built: Built) -> Digest | None:
    """The ID of the image, also of one that only an archive has."""
    return image_id(built.delivered) if built.delivered is not None else None
