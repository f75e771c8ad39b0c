"""Viewed: an image that somebody looks at, of which the costly parts are worked out later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from millefeuille.analysis.image import Image
from millefeuille.analysis.layer import positions
from millefeuille.analysis.schema import Document
from millefeuille.analysis.tree import Node, Trees
from millefeuille.engine.analysis import Analysis
from millefeuille.errors import Unsupported
from millefeuille.faces.tui.wanted import Wanted
from millefeuille.layers.entry import HARDLINK

Read = Callable[[int, int], Iterator[bytes]]


class NotAtHand(Unsupported):
    """The contents of files are not where they could be read."""


class Viewed:
    """An image by its analysis; `known` gives what was worked out before, None for nothing.

    `read` gives the content of an entry, by its layer and number there.
    """

    def __init__(
        self,
        analysis: Analysis,
        *,
        known: Callable[[], Document | None] | None = None,
        read: Read | None = None,
    ) -> None:
        self.image: Image = analysis.image
        self.document: Document | None = None
        self._known = known
        self.ready = False  # whether the sizes of directories are known
        self._analysis = analysis
        self._read = read
        self._trees = Trees(analysis.image.layers, _Later(analysis))

    def children(self, path: bytes, below: int, upto: int) -> Sequence[Node]:
        """A directory as `Trees` has it; directories have the size 0 as long as theirs are not known."""
        if not self.image.parts:
            return []
        return self._trees.children(path, below=below, upto=upto, sums=self.ready)

    def paths(self) -> set[bytes]:
        """Every path of any layer, and the directories above them."""
        found: set[bytes] = set()
        for layer in self.image.layers:
            found.update(layer.paths, layer.parents)
        return found

    def places(self, wanted: Wanted) -> set[bytes]:
        """Every path of any layer that could be wanted, and the directories above them."""
        found = set(wanted.fitting) if wanted.by_path and wanted.fitting is not None else self._found(wanted)
        for path in list(found):
            while path := path.rpartition(b"/")[0]:
                if path in found:
                    break
                found.add(path)
        return found

    def _found(self, wanted: Wanted) -> set[bytes]:
        found: set[bytes] = set()
        for layer in self.image.layers:
            rows = zip(layer.paths, layer.sizes, strict=True)
            found.update(path for path, size in rows if wanted.could_be(path, size))
            # What a hard link is a name of may be as large as is wanted.
            links = (layer.paths[number] for number in positions(layer.kinds, HARDLINK))
            found.update(path for path in links if wanted.path_fits(path))
            if wanted.by_path:
                found.update(path for path in layer.parents if wanted.path_fits(path))
        return found

    def work_out(self) -> None:
        """Make what takes long: the ledger, and the sizes of directories. Raises BrokenLink."""
        # Reading what is known takes long too: it names every file that is wasted.
        self.document = (self._known() if self._known is not None else None) or self._analysis.document
        # Asking for one directory makes the sums of all, after each layer.
        self._trees.children(b"", below=-1, upto=len(self.image.layers) - 1)
        self.ready = True

    def content(self, node: Node) -> Iterator[bytes]:
        """The content of a file. Raises NotAtHand, and what reading raises."""
        if self._read is None:
            raise NotAtHand(
                "the contents of files are not at hand", advice="They are for images of the store."
            )
        return self._read(node.layer, node.entry)


class _Later:
    """The ledger of an analysis, made when it is asked for something."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    @property
    def changes(self) -> Sequence[Mapping[int, int]]:
        return self._analysis.account.changes

    @property
    def losses(self) -> Iterable[tuple[int, int, int]]:
        return self._analysis.account.losses
