"""The engine's analysis of an image, and what is worked out of it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from millefeuille.analysis import dive as dive_algorithm
from millefeuille.analysis.copies import copies, repeated_contents, written
from millefeuille.analysis.dive import DiveScore
from millefeuille.analysis.document import Texts, document, outline
from millefeuille.analysis.filelist import file_list
from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger, ledger
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Final
from millefeuille.later import Later
from millefeuille.transfer.beside import Beside, helpers
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.analysis import divejson
    from millefeuille.engine.kept import Kept
else:  # for who asks for that form
    divejson = Later("millefeuille.analysis.divejson")

# Of the entries: the account and the score of all take about as long as the lists of half of them.
_SHARE: Final = 0.4
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
        _ = self._texts  # which are kept
        return document(self.image, self.account, self.dive)

    @cached_property
    def _texts(self) -> Texts:
        texts = Texts(outline(self.image, self.account, self.dive), self.account.copies_text)
        self._keep("head", [texts.head()])
        return texts

    def json(self) -> Sequence[bytes | memoryview]:
        """The whole analysis, with all files, in pieces to be written one after the other."""
        entries = sum(len(part.layer.index) for part in self.image.parts)
        if entries < _WORTH or not helpers():
            return self._whole(self._lists())
        with Beside(self._apart) as helper:
            account, _ = self.account, self.dive
            if not self._is_stack:
                account.repeats = repeated_contents(self.image.layers)
            lists = self._lists(0, self._own)
            parts: Sequence[bytes | memoryview] = helper.parts() or list(self._apart())
        if self._is_stack:
            text, repeated, *repeats = parts[len(self.image.parts) - self._own :]
            account.repeats = [memoryview(each).cast("I") for each in repeats]
            if repeated:
                account.adopt(bytes(text), int.from_bytes(repeated, "little"))
        return self._whole([*lists, *parts[: len(self.image.parts) - self._own]])

    def dive_json(self) -> bytes:
        """The analysis as Dive writes it."""
        made = divejson.dive_json(self.image, self.dive).encode()
        self._keep("dive", [made])
        return made

    def _apart(self) -> Iterator[bytes]:
        """What needs no account: the files of the layers, those that may be there more than once, and what is
        to be said of these if none of them is dead.
        """
        yield from self._lists(self._own)
        if self._is_stack:
            layers = self.image.layers
            repeats = repeated_contents(layers)
            # Where something is removed, files are dead, and nobody could use it.
            found = copies(layers, repeats, {}) if not self._removes else None
            yield written(found or ())
            yield b"" if found is None else sum(one.extra for one in found).to_bytes(8, "little")
            for entries in repeats:
                yield array("I", entries).tobytes()

    @cached_property
    def _own(self) -> int:
        """How many layers this process lists the files of while another does all else: as both take equally
        long then.
        """
        if not self._is_stack:
            return 0
        counts = [len(layer.index) for layer in self.image.layers]
        return bisect_right(list(accumulate(counts)), _SHARE * sum(counts))

    @property
    def _is_stack(self) -> bool:
        """Whether laying the layers over each other takes longest; it does not over little or nothing."""
        layers = self.image.layers
        counts = [len(layer.index) for layer in layers]
        return 2 * max(counts) < sum(counts) or self._removes

    @property
    def _removes(self) -> bool:
        return any(layer.whiteouts for layer in self.image.layers)

    def _lists(self, first: int = 0, end: int | None = None) -> list[bytes]:
        return [file_list(part.layer) for part in self.image.parts[first:end]]

    def _whole(self, lists: Sequence[bytes | memoryview]) -> Sequence[bytes | memoryview]:
        made = self._texts.whole(self.image, self.account, lists)
        self._keep("full", made)
        return made

    def _keep(self, what: str, made: Sequence[bytes | memoryview]) -> None:
        if self.kept is not None:
            self.kept.put(what, made)
