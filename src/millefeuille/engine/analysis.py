"""The engine's analysis of an image in the store, with what was worked out before."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from millefeuille.analysis import dive as dive_algorithm
from millefeuille.analysis.dive import DiveScore
from millefeuille.analysis.divejson import dive_json
from millefeuille.analysis.document import VERSION, Document, document, file_lists, text
from millefeuille.analysis.image import Image, make_image
from millefeuille.analysis.ledger import Ledger, ledger
from millefeuille.engine.kept import Kept
from millefeuille.images.content import config_of, find_platform
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform
from millefeuille.store.images import ImageRecord, blobs_of, images, layers_of
from millefeuille.store.layers import open_index
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(kw_only=True)
class Analysis:
    """An image, and everything that is worked out of it when it is asked for.

    With `kept`, what was worked out before is taken from there, and the rest is put there.
    """

    load: Callable[[], Image]
    kept: Kept | None = None

    @cached_property
    def image(self) -> Image:
        """The layers' indexes and the documents. Raises DamagedLayer."""
        return self.load()

    @cached_property
    def account(self) -> Ledger:
        """The exact ledger. Raises BrokenLink."""
        return ledger(self.image.layers, self.image.sizes, base=self.image.base)

    @cached_property
    def dive(self) -> DiveScore:
        """Dive's score."""
        return dive_algorithm.score(self.image.layers)

    @cached_property
    def document(self) -> Document:
        """The analysis without the files of the layers."""
        if self.kept is not None and (found := self.kept.document()) is not None:
            return found
        made = document(self.image, self.account, self.dive)
        if self.kept is not None:
            self.kept.put("head", text(made).encode())
        return made

    def json(self) -> bytes:
        """The whole analysis, with all files."""
        return self._text("full", lambda: text(self.document, file_lists(self.image, self.account)))

    def dive_json(self) -> bytes:
        """The analysis as Dive writes it."""
        return self._text("dive", lambda: dive_json(self.image, self.dive))

    def _text(self, what: str, make: Callable[[], str]) -> bytes:
        if self.kept is not None and (found := self.kept.get(what)) is not None:
            return found
        made = make().encode()
        if self.kept is not None:
            self.kept.put(what, made)
        return made


def stored(store: Store, name: str, platform: Platform | None = None) -> Analysis:
    """The analysis of an image in the store. Raises NoSuchImage, PlatformMissing, InvalidReference."""
    with store.reading() as tx:
        record = find_platform(tx, name, platform)
        layers = layers_of(tx, record.id)
        blobs = blobs_of(tx, record.manifest)
        base, base_name = base_of(tx, tuple(layer.diff_id for layer in layers))
        # Opened within the transaction: a removal cannot take away what is mapped.
        indexes = (
            [] if _is_kept(store, record, name, base) else [open_index(store.disk, each) for each in layers]
        )

    def load() -> Image:
        found = indexes or [open_index(store.disk, each) for each in layers]
        rows = [(index, blob.digest, blob.size) for index, blob in zip(found, blobs, strict=True)]
        return make_image(name, config_of(store.blobs, record), rows, base=base, base_name=base_name)

    return Analysis(load=load, kept=_kept(store, record, name, base))


def base_of(tx: Transaction, diff_ids: tuple[Digest, ...]) -> tuple[int, str]:
    """How many of the lowest layers are all that another named image has, and its name; (0, "") for none."""
    chains = list(chain_ids(diff_ids))[:-1]
    for count in range(len(chains), 0, -1):
        for record in images(tx, "chain = ?", (str(chains[count - 1]),)):
            if record.tags or record.digests:
                return count, record.tags[
                    0
                ] if record.tags else f"{record.digests[0][0]}@{record.digests[0][1]}"
    return 0, ""


def _kept(store: Store, record: ImageRecord, name: str, base: int) -> Kept | None:
    if record.chain is None:
        return None
    key = f"{VERSION}\0{record.id}\0{record.manifest}\0{name}\0{base}"
    return Kept(store.disk.root, record.chain, key)


def _is_kept(store: Store, record: ImageRecord, name: str, base: int) -> bool:
    kept = _kept(store, record, name, base)
    return kept is not None and kept.exists()
