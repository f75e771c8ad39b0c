"""Selection: which images a person means to save, and which of their manifests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.errors import Invalid, NotFound
from millefeuille.later import Later
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import Reference
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.store import names
    from millefeuille.store.transaction import Transaction
else:
    names = Later("millefeuille.store.names")  # who reads an archive selects nothing


class NoExportTarget(NotFound):
    """The image is there, but not for the platform asked for; the message is Docker's."""


class NothingToSave(Invalid):
    """No image is asked for, and an archive without one cannot be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One entry of an archive. `target` is an index or a manifest; `manifests` those of it that go along,
    the one the name means first. `name` is None for an image chosen by its ID.
    """

    name: Reference | None
    target: Descriptor
    manifests: tuple[Descriptor, ...]


def select(tx: Transaction, texts: Iterable[str], wanted: Platform | None = None) -> tuple[Chosen, ...]:
    """What `texts` mean, in their order, each entry once: `repo:tag` that tag, `repo` all its tags, an ID
    the image without a name, unless it comes under one.

    Raises NoSuchImage, NoExportTarget, InvalidReference, NothingToSave.
    """
    found: dict[tuple[str, Digest], Chosen] = {}
    for text in texts:
        for entry in _entries(tx, text, wanted):
            found.setdefault((str(entry.name or ""), entry.target.digest), entry)
    if not found:
        raise NothingToSave("no image to save")
    named = {image for entry in found.values() if entry.name is not None for image in _images(tx, entry)}
    return tuple(e for e in found.values() if e.name is not None or not named.issuperset(_images(tx, e)))


def _images(tx: Transaction, entry: Chosen) -> set[str]:
    query = "SELECT image FROM manifests WHERE digest = ?"
    return {tx.execute(query, (str(manifest.digest),)).fetchone()[0] for manifest in entry.manifests}


def _entries(tx: Transaction, text: str, wanted: Platform | None) -> Iterable[Chosen]:
    image = names.lookup(tx, text)
    if image is not None and names.is_id(text, image) and not _is_name(tx, text):
        return [_by_id(tx, image, wanted)]
    reference = Reference.parse(text)
    if reference.tag is None and reference.digest is None:
        rows = tx.execute("SELECT name FROM names WHERE repository = ? ORDER BY tag", (reference.name,))
        tagged = [Reference.parse(row[0]) for row in rows.fetchall()]
        if tagged:
            return [_by_name(tx, name, wanted) for name in tagged]
    if image is None:
        raise names.NoSuchImage(f"No such image: {text}")
    if reference.digest is not None:
        return [_by_id(tx, image, wanted)]
    return [_by_name(tx, reference.tagged(), wanted)]


def _is_name(tx: Transaction, text: str) -> bool:
    if text.startswith("sha256:") or len(text) == 64:
        return False
    row = tx.execute("SELECT 1 FROM names WHERE repository = ?", (Reference.parse(text).name,)).fetchone()
    return row is not None


def _by_id(tx: Transaction, image: Digest, wanted: Platform | None) -> Chosen:
    manifest, platform = tx.execute(
        "SELECT manifest, platform FROM images WHERE id = ?", (str(image),)
    ).fetchone()
    _check_platform([platform], wanted)
    descriptor = _descriptor(tx, manifest)
    return Chosen(name=None, target=descriptor, manifests=(descriptor,))


def _by_name(tx: Transaction, name: Reference, wanted: Platform | None) -> Chosen:
    target, image = tx.execute("SELECT target, image FROM names WHERE name = ?", (str(name),)).fetchone()
    rows = tx.execute(
        "SELECT platform, manifest FROM name_platforms WHERE name = ? ORDER BY image = ? DESC, platform",
        (str(name), image),
    ).fetchall()
    if wanted is not None:
        best = _check_platform([platform for platform, _ in rows], wanted)
        only = _descriptor(tx, rows[best][1])
        return Chosen(name=name, target=only, manifests=(only,))
    manifests = tuple(_descriptor(tx, manifest) for _, manifest in rows)
    return Chosen(name=name, target=_descriptor(tx, target), manifests=manifests)


def _check_platform(offered: Sequence[str], wanted: Platform | None) -> int:
    """The position of the platform that suits best."""
    if wanted is None:
        return 0
    ranks = [(rank(Platform.parse(text), wanted, strict=True), n) for n, text in enumerate(offered)]
    suitable = [(place, n) for place, n in ranks if place is not None]
    if not suitable:
        raise NoExportTarget(f"no suitable export target found for platform {wanted}")
    return min(suitable)[1]


def _descriptor(tx: Transaction, digest: str) -> Descriptor:
    row = tx.execute(
        "SELECT media_type, size FROM manifests WHERE digest = :d"
        " UNION SELECT media_type, size FROM indexes WHERE digest = :d",
        {"d": digest},
    ).fetchone()
    return Descriptor(media_type=row[0], digest=Digest.parse(digest), size=row[1])
