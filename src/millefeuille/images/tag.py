"""Tag: one more name for an image."""

from __future__ import annotations

from millefeuille.errors import Invalid
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store import events, names
from millefeuille.store.transaction import Transaction


class BadTag(Invalid):
    """The name cannot be given to an image."""


def tag(tx: Transaction, source: str, target: str) -> None:
    """Let `target` name the image that `source` means. Raises NoSuchImage, InvalidReference, BadTag,
    NotAName.
    """
    reference = Reference.parse(target).tagged()
    check_tag(reference)
    image = names.find(tx, source)
    known = _target(tx, source, image.id)
    if known != _held(tx, reference):  # each one in its turn would move the name
        for digest, manifest, platform, chosen in known:
            names.assign(tx, reference, digest, chosen, manifest, platform)
    events.record(tx, "tag", str(image.id), {**image.labels, "name": reference.familiar})


def check_tag(reference: Reference) -> None:
    """Hold that an image can be given a name. Raises BadTag, NotAName."""
    if reference.digest is not None:
        raise BadTag("refusing to create a tag with a digest reference")
    names.check_name(reference)


_Held = list[tuple[Digest, Digest, str, Digest]]


def _target(tx: Transaction, source: str, image: Digest) -> _Held:
    """Target, manifest, platform and image of every platform the source name holds, the chosen one last."""
    if not names.is_id(source, image) and (held := _held(tx, Reference.parse(source).tagged())):
        return held
    manifest, platform = tx.execute(
        "SELECT manifest, platform FROM images WHERE id = ?", (str(image),)
    ).fetchone()
    return [(Digest.parse(manifest), Digest.parse(manifest), platform, image)]


def _held(tx: Transaction, reference: Reference) -> _Held:
    rows = tx.execute(
        "SELECT target, p.manifest, p.platform, p.image FROM name_platforms p JOIN names n USING (name)"
        " WHERE name = ? ORDER BY p.image = n.image, p.platform",
        (str(reference),),
    ).fetchall()
    return [(Digest.parse(t), Digest.parse(m), p, Digest.parse(i)) for t, m, p, i in rows]
