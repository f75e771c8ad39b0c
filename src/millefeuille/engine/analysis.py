"""The engine's analysis of an image, and what is worked out of it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from millefeuille.analysis import dive as dive_algorithm
from millefeuille.analysis.dive import DiveScore
from millefeuille.analysis.divejson import dive_json
from millefeuille.analysis.document import Texts, document
from millefeuille.analysis.filelist import file_list
from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger, ledger, repeated_contents
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Final
from millefeuille.transfer.beside import Beside, helpers
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.engine.kept import Kept

_WORTH: Final = 5000  # entries below which a copy of the process takes longer to make than it saves


@dataclass(kw_only=True)
class Analysis:
    """An image, and everything that is worked out of it when it is asked for.

    With `kept`, the texts are put there, for the next one who asks.
    """

    image: Image
    kept: Kept | None = None

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
        return self._texts[0]

    @cached_property
    def _texts(self) -> tuple[Document, Texts]:
        made = document(self.image, self.account, self.dive)
        texts = Texts(made)
        self._keep("head", texts.head)
        return made, texts

    def json(self) -> bytes:
        """The whole analysis, with all files."""
        entries = sum(len(part.layer.index) for part in self.image.parts)
        if entries < _WORTH or not helpers():
            return self._whole(self._lists())
        with Beside(self._apart) as helper:
            account, _ = self.account, self.dive
            if not self._is_stack:
                account.repeats = repeated_contents(self.image.layers)
            parts: Sequence[bytes | memoryview] = helper.parts() or list(self._apart())
        count = len(self.image.parts)
        if self._is_stack:
            account.repeats = [memoryview(each).cast("I") for each in parts[count:]]
        return self._whole(parts[:count])

    def dive_json(self) -> bytes:
        """The analysis as Dive writes it."""
        return self._keep("dive", lambda: dive_json(self.image, self.dive).encode())

    def _apart(self) -> Iterator[bytes]:
        """What needs no account: the files of each layer, and those that may be there more than once."""
        yield from self._lists()
        for entries in repeated_contents(self.image.layers) if self._is_stack else ():
            yield array("I", entries).tobytes()

    @property
    def _is_stack(self) -> bool:
        """Whether laying the layers over each other takes longest; it does not over little or nothing."""
        layers = self.image.layers
        counts = [len(layer.index) for layer in layers]
        return 2 * max(counts) < sum(counts) or any(layer.whiteouts for layer in layers)

    def _lists(self) -> list[bytes]:
        return [file_list(part.layer) for part in self.image.parts]

    def _whole(self, lists: Sequence[bytes | memoryview]) -> bytes:
        return self._keep("full", lambda: self._texts[1].whole(self.image, self.account, lists))

    def _keep(self, what: str, make: Callable[[], bytes]) -> bytes:
        made = make()
        if self.kept is not None:
            self.kept.put(what, made)
        return made
