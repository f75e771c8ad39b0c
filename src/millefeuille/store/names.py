"""Names: what a person calls an image, and what the name points to."""

from __future__ import annotations

import time

from millefeuille.errors import Invalid, NotFound
from millefeuille.oci.digest import Digest, is_hex
from millefeuille.oci.reference import HUB, Reference
from millefeuille.store.images import ImageRecord, images
from millefeuille.store.transaction import Transaction

_HEX_LENGTH = 64
_ALGORITHM = "sha256"  # as a name with a tag it reads like an ID, and would hide the image that has it


class NoSuchImage(NotFound):
    """No image has this name or ID; the message is Docker's."""


class NotAName(Invalid):
    """A reference with a digest says itself what it means, and one to `sha256` is taken for an ID."""


def check_name(reference: Reference) -> None:
    """Hold that a reference can be made a name. Raises NotAName."""
    if reference.digest is not None:
        raise NotAName(f"invalid tag {reference}: a digest cannot be given")
    if reference.familiar_name == _ALGORITHM:
        raise NotAName("refusing to create an ambiguous tag using digest algorithm as name")


def assign(
    tx: Transaction, reference: Reference, target: Digest, image: Digest, manifest: Digest, platform: str
) -> Digest | None:
    """Let a name point to a target, and to the image chosen from it. Gives the image it pointed to before.

    The images that the name holds for other platforms stay under it as long as the target is the same.
    Raises NotAName.
    """
    check_name(reference)
    name = str(reference)
    before = tx.execute("SELECT target, image FROM names WHERE name = ?", (name,)).fetchone()
    held = (name, platform, str(manifest), str(image))
    if before == (str(target), str(image)) and _is_held(tx, held):
        return image
    if before and before[0] != str(target):
        tx.execute("DELETE FROM name_platforms WHERE name = ?", (name,))
    tx.execute(
        "INSERT INTO names VALUES (?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE"
        " SET tagged_ns = CASE WHEN target = excluded.target AND image = excluded.image"
        " THEN tagged_ns ELSE excluded.tagged_ns END, target = excluded.target, image = excluded.image",
        (name, reference.name, reference.tag or "", str(target), str(image), time.time_ns()),
    )
    tx.execute("INSERT OR REPLACE INTO name_platforms VALUES (?,?,?,?)", held)
    tx.changed_names = True
    return Digest.parse(before[1]) if before else None


def _is_held(tx: Transaction, row: tuple[str, str, str, str]) -> bool:
    query = "SELECT 1 FROM name_platforms WHERE name = ? AND platform = ? AND manifest = ? AND image = ?"
    return tx.execute(query, row).fetchone() is not None


def add_repo_digest(tx: Transaction, repository: str, target: Digest, image: Digest) -> None:
    """Remember under which digest a repository offers an image."""
    row = (repository, str(target), str(image))
    new = tx.execute("INSERT OR IGNORE INTO repo_digests VALUES (?,?,?)", row).rowcount
    tx.changed_names |= new > 0


def unassign(tx: Transaction, name: str) -> None:
    """Forget a name; that it is forgotten already is no error."""
    tx.execute("DELETE FROM names WHERE name = ?", (name,))
    tx.changed_names = True


def misnomers(tx: Transaction) -> list[str]:
    """Names that `check_name` refuses, which versions before this one let an image have; all lead to images.
    """
    query = (
        "SELECT name FROM names JOIN images ON id = image"
        " WHERE (instr(name, repository || CASE tag WHEN '' THEN '' ELSE ':' || tag END || '@') = 1"
        f" OR repository = '{HUB}/library/{_ALGORITHM}')"
        " AND target IN (SELECT digest FROM manifests UNION SELECT digest FROM indexes) ORDER BY name"
    )
    return [row[0] for row in tx.execute(query)]


def target(tx: Transaction, reference: Reference) -> tuple[Digest, Digest] | None:
    """The target and the image that a tagged reference points to."""
    row = tx.execute("SELECT target, image FROM names WHERE name = ?", (str(reference),)).fetchone()
    return (Digest.parse(row[0]), Digest.parse(row[1])) if row else None


def lookup(tx: Transaction, text: str) -> Digest | None:
    """The ID of the image that `text` means: a name, a name with a digest, an ID or the start of one.

    A name goes before an ID that begins alike. Raises InvalidReference for text that can be neither.
    """
    identifier = _full_id(text)
    if identifier:
        row = tx.execute("SELECT id FROM images WHERE id = ?", (identifier,)).fetchone()
        return Digest.parse(row[0]) if row else None
    reference = Reference.parse(text)
    found = _by_name(tx, reference)
    return found or _by_prefix(tx, text)


def is_id(text: str, image: Digest) -> bool:
    """True when `text` means `image` by its ID and not by a name."""
    digits = _digits(text)
    return digits is not None and image.hex.startswith(digits)


def is_full_id(text: str) -> bool:
    """True when `text` is all 64 digits of an ID: it can mean nothing else then."""
    return _full_id(text) is not None


def find(tx: Transaction, text: str) -> ImageRecord:
    """The image that `text` means. Raises NoSuchImage, InvalidReference."""
    identifier = lookup(tx, text)
    if identifier is None:
        raise no_such_image(text)
    return next(images(tx, "id = ?", (str(identifier),)))


def no_such_image(text: str) -> NoSuchImage:
    """Docker's error for a name or ID that nothing has."""
    if _full_id(text):
        return NoSuchImage(f"No such image: {text}")
    return NoSuchImage(f"No such image: {Reference.parse(text).tagged().familiar}")


def _full_id(text: str) -> str | None:
    digits = _digits(text)
    return f"sha256:{digits}" if digits is not None and len(digits) == _HEX_LENGTH else None


def _digits(text: str) -> str | None:
    """The beginning of an ID, without its algorithm; None for any other text."""
    digits = text.removeprefix("sha256:")
    return digits if is_hex(digits) and len(digits) <= _HEX_LENGTH else None


def _by_name(tx: Transaction, reference: Reference) -> Digest | None:
    if reference.digest is not None:
        row = tx.execute(
            # Of several platforms the one that a name stands for, else the one that came last.
            "SELECT image FROM repo_digests r JOIN images i ON i.id = r.image"
            " WHERE repository = ? AND digest = ? ORDER BY"
            " EXISTS (SELECT 1 FROM names n WHERE n.target = r.digest AND n.image = r.image) DESC,"
            " added_ns DESC, i.id",
            (reference.name, str(reference.digest)),
        ).fetchone()
    else:
        query = "SELECT image FROM names WHERE name = ?"
        row = tx.execute(query, (str(reference.tagged()),)).fetchone()
    return Digest.parse(row[0]) if row else None


def _by_prefix(tx: Transaction, text: str) -> Digest | None:
    digits = _digits(text)
    if digits is None:
        return None
    low, high = f"sha256:{digits}", f"sha256:{digits}g"  # g sorts behind every hex digit
    rows = tx.execute("SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2", (low, high)).fetchall()
    return Digest.parse(rows[0][0]) if len(rows) == 1 else None
