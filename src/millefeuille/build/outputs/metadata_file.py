"""What a build reports of its result: the files of `--metadata-file` and `--iidfile`.

Source: Docker's reference, "docker buildx build --metadata-file".
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.build.outputs.archive import CREATED
from millefeuille.build.outputs.delivery import Delivered
from millefeuille.build.outputs.provenance import PROVENANCE
from millefeuille.oci.digest import Digest
from millefeuille.oci.gotext import encoded


def image_id(delivered: Delivered) -> Digest | None:
    """The ID of the image, of several platforms the one that suits this machine; None where no output has
    one.
    """
    if delivered.recorded is not None:
        return delivered.recorded.image
    return delivered.product.chosen.plan.config.id if delivered.product is not None else None


def metadata_file(delivered: Delivered, reference: str) -> bytes:
    """The JSON document: `reference` is what `build history` knows the build by."""
    fields: dict[str, Any] = {**_provenance(delivered), "buildx.build.ref": reference}
    product = delivered.product
    if product is not None:
        config = product.chosen.plan.config
        notes = {**product.target.annotations, **({CREATED: config.created} if config.created else {})}
        if product.index is None:
            fields["containerimage.config.digest"] = str(config.id)
            notes["config.digest"] = str(config.id)
        described = product.target.to_json()
        fields["containerimage.descriptor"] = {**described, "annotations": dict(sorted(notes.items()))}
        fields["containerimage.digest"] = str(product.target.digest)
        if delivered.names:
            fields["image.name"] = ",".join(map(str, delivered.names))
    return encoded(json.dumps(dict(sorted(fields.items())), indent=2, ensure_ascii=False)) + b"\n"


def _provenance(delivered: Delivered) -> Mapping[str, Mapping[str, Any]]:
    found = [
        (platform, statement.predicate)
        for platform, told in delivered.attested
        for statement in told
        if statement.predicate_type == PROVENANCE
    ]
    key = "buildx.build.provenance"
    if len(found) == 1:
        return {key: found[0][1]}
    return {f"{key}/{platform}": predicate for platform, predicate in found}
