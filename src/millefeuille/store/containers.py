"""Containers in the database: who has which name, and stands on which image and chain.

What else is known of a container lies in its own directory, `containers/<id>/config.json`. From that these
rows can be made again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Conflict, Corrupt, Invalid, NotFound
from millefeuille.later import Later, pattern
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.moment import nanoseconds
from millefeuille.plainjson import loads
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.store import layers, recording
else:
    layers = Later("millefeuille.store.layers")
    recording = Later("millefeuille.store.recording")

_NAME: Final = pattern(r"(?a)[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_ID: Final = pattern(r"(?a)[0-9a-f]{1,64}")


class NoSuchContainer(NotFound):
    """No container has this name or ID; the message is Docker's."""


class AmbiguousPrefix(Invalid):
    """More than one container's ID begins so; the message is Docker's."""


class InvalidName(Invalid):
    """The text cannot name a container."""


class NameTaken(Conflict):
    """Another container has this name."""


class ImageGone(NotFound):
    """The image was removed while a container was being made from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One container's row."""

    id: str
    name: str
    image: Digest
    chain: Digest | None
    created_ns: int


def check_name(name: str) -> None:
    """Raise InvalidName for what cannot name a container."""
    if not _NAME.fullmatch(name):
        raise InvalidName(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")


def add(tx: Transaction, row: Row) -> None:
    """Record a container. Raises NameTaken, and ImageGone when its image is not there any more."""
    if tx.execute("SELECT 1 FROM images WHERE id = ?", (str(row.image),)).fetchone() is None:
        raise ImageGone(f"No such image: {row.image}")
    _claim_name(tx, row.name)
    _insert(tx, row)


def rename(tx: Transaction, id: str, name: str) -> None:
    """Give a container another name. Raises InvalidName, NameTaken."""
    check_name(name)
    _claim_name(tx, name)
    tx.execute("UPDATE containers SET name = ? WHERE id = ?", (name, id))


def has_name(tx: Transaction, name: str) -> bool:
    """Whether a container is called `name`."""
    query = "SELECT 1 FROM containers WHERE name = ?"
    return name.isascii() and tx.execute(query, (name,)).fetchone() is not None


def find(tx: Transaction, text: str) -> Row:
    """The container that `text` means: an ID, a name, or the beginning of one ID.

    Raises NoSuchContainer, AmbiguousPrefix.
    """
    name = text.removeprefix("/")
    for condition in ("id = ?", "name = ?") if name.isascii() else ():  # SQLite takes no broken text
        found = [*rows(tx, condition, (name,))]
        if found:
            return found[0]
    if _ID.fullmatch(text):
        found = [*rows(tx, "id GLOB ? || '*'", (text,))]
        if len(found) > 1:
            raise AmbiguousPrefix(f"multiple IDs found with provided prefix: {text}")
        if found:
            return found[0]
    raise NoSuchContainer(f"No such container: {text}")


def rows(tx: Transaction, where: str = "1", values: tuple[object, ...] = ()) -> Iterator[Row]:
    """Containers, the newest first; `where` is an SQL condition on the table."""
    query = f"SELECT id, name, image, chain, created_ns FROM containers WHERE {where}"
    for id, name, image, chain, created in tx.execute(
        f"{query} ORDER BY created_ns DESC, id", values
    ).fetchall():
        yield Row(
            id=id, name=name, image=Digest.parse(image), chain=Digest.parse(chain) if chain else None,
            created_ns=created,
        )  # fmt: skip


def restore(tx: Transaction) -> list[str]:
    """Make the rows of all containers again from their directories; a sentence on each that is lost."""
    losses = []
    for id in sorted(os.listdir(tx.disk.containers)):
        path = f"{tx.disk.containers}/{id}/config.json"
        try:
            with open(path, "rb") as file:
                _restore(tx, id, loads(file.read()))
        except FileNotFoundError:
            continue  # one that was never made, or is half removed
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            losses.append(f"container {id[:12]}: {error}")
        except (Corrupt, Invalid) as error:
            losses.append(f"container {id[:12]}: {error}")
    return losses


def _restore(tx: Transaction, id: str, record: Mapping[str, Any]) -> None:
    diff_ids = [Digest.parse(text) for text in record["Layers"]]
    records = tuple(layers.measure(tx.disk, diff_id) for diff_id in diff_ids)
    recording.record_layers(tx, records)
    recording.add_chains(tx, records, tuple(chain_ids(diff_ids)))
    _insert(
        tx,
        Row(
            id=id, name=record["Name"], image=Digest.parse(record["Image"]),
            chain=Digest.parse(record["Chain"]) if record["Chain"] else None,
            created_ns=nanoseconds(record["Created"]),
        ),
    )  # fmt: skip


def _claim_name(tx: Transaction, name: str) -> None:
    row = tx.execute("SELECT id FROM containers WHERE name = ?", (name,)).fetchone()
    if row is not None:
        raise NameTaken(
            f'Conflict. The container name "/{name}" is already in use by container "{row[0]}".'
            " You have to remove (or rename) that container to be able to reuse that name."
        )


def _insert(tx: Transaction, row: Row) -> None:
    tx.execute(
        "INSERT INTO containers VALUES (?,?,?,?,?)",
        (row.id, row.name, str(row.image), str(row.chain) if row.chain else None, row.created_ns),
    )
