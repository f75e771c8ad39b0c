"""Listing: which images a person sees, one row per name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store.images import ImageRecord, images
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the list. An image without a name has repository and tag "", one without digest None."""

    image: ImageRecord
    repository: str
    tag: str
    digest: Digest | None


def visible(tx: Transaction, *, all: bool = False) -> tuple[ImageRecord, ...]:
    """The images, newest first, without the untagged parents of others unless `all`."""
    found = tuple(images(tx))
    if all:
        return found
    parents = {image.parent for image in found if image.parent is not None}
    return tuple(image for image in found if image.tags or image.digests or image.id not in parents)


def rows(found: Iterable[ImageRecord], *, digests: bool = False) -> Iterator[Row]:
    """Docker's rows: one per tag; with `digests` one per tag and digest of its repository."""
    for image in found:
        yield from _rows(image, digests=digests)


def _rows(image: ImageRecord, *, digests: bool) -> Iterator[Row]:
    by_repository: dict[str, list[Digest]] = {}
    for repository, digest in image.digests:
        by_repository.setdefault(familiar(repository), []).append(digest)
    tagged: set[str] = set()
    for name in image.tags:
        reference = Reference.parse(name)
        repository = reference.familiar_name
        tagged.add(repository)
        for shown in _shown(by_repository.get(repository, ()), digests):
            yield Row(image=image, repository=repository, tag=reference.tag or "", digest=shown)
    for repository, held in by_repository.items():
        if repository not in tagged:
            for shown in _shown(held, digests):
                yield Row(image=image, repository=repository, tag="", digest=shown)
    if not image.tags and not image.digests:
        yield Row(image=image, repository="", tag="", digest=None)


def _shown(digests: Sequence[Digest], wanted: bool) -> Sequence[Digest | None]:
    return (digests or (None,)) if wanted else (None,)


def familiar(repository: str) -> str:
    """A repository's name as Docker prints it."""
    return Reference.parse(repository).familiar_name
