"""Images and layers as values that know their store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from millefeuille.images.content import config_of
from millefeuille.layers.entry import Entry
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.config import History, ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store.images import ImageRecord, LayerRecord
from millefeuille.store.store import Store
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image in the store; sizes in bytes."""

    record: LayerRecord
    _store: Store = field(repr=False, compare=False)

    @property
    def diff_id(self) -> Digest:
        """The digest of the uncompressed tar."""
        return self.record.diff_id

    @property
    def size(self) -> int:
        """What the layer's regular files hold."""
        return self.record.content_size

    def entries(self) -> Iterator[Entry]:
        """Every entry of the layer's tar, in its order; read from the index, not from the tar."""
        index = LayerIndex.open(self._store.disk.layer_index(self.diff_id))
        return (index.entry(number) for number in range(len(index)))


@dataclass(frozen=True, slots=True)
class Image:
    """One image in the store, as it was when asked for."""

    record: ImageRecord
    layers: tuple[Layer, ...]
    _store: Store = field(repr=False, compare=False)

    @property
    def id(self) -> Digest:
        """The digest of the config."""
        return self.record.id

    @property
    def size(self) -> int:
        """What the layers' regular files hold, in bytes."""
        return self.record.size

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of the image as Docker prints them."""
        return tuple(Reference.parse(tag).familiar for tag in self.record.tags)

    @property
    def config(self) -> ImageConfig:
        """The image's config. Raises BlobNotFound, CorruptBlob."""
        return config_of(self._store.blobs, self.record)

    @property
    def history(self) -> tuple[History, ...]:
        """The steps of its making, oldest first."""
        return self.config.history


def image_of(store: Store, record: ImageRecord, layers: Iterable[LayerRecord]) -> Image:
    """The value for what the store's database says of an image."""
    return Image(record, tuple(Layer(layer, store) for layer in layers), store)
