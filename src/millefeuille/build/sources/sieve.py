"""Sieve: what of a tree is there for one COPY: .dockerignore, --exclude and --parents together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from millefeuille.annotations import Final, NamedTuple
from millefeuille.build.sources.ignore import NOTHING, Ignore, Matched
from millefeuille.build.sources.patterns import AnyOf, Pattern

_IGNORED: Final = 1
_EXCLUDED: Final = 2
_NOT_SELECTED: Final = 4


def nothing(path: str) -> object:
    """Leaves no path out."""
    return False


class State(NamedTuple):
    """What a directory passes on to what is in it."""

    ignored: Matched
    excluded: Matched
    selected: bool


class Sieve:
    """The entries below the directory `base` that are there.

    `ignore` goes by paths from the root on; `exclude` by those from the base on, and so does `select`: a
    pattern that what is taken must match, itself or a directory above it; "" takes all.
    """

    def __init__(self, ignore: Ignore, base: str, *, exclude: Sequence[str] = (), select: str = "") -> None:
        """Raises BadPattern."""
        self._ignore = ignore
        self._exclude = Ignore(exclude) if exclude else NOTHING
        self._select = AnyOf([Pattern(select)]) if select else None
        self._start = len(base) + 1 if base else 0
        self._simple = self._select is None and self._exclude.nothing
        self.top = State(ignore.above(base), self._exclude.top, self._select is None)

    @property
    def plain(self) -> Callable[[str], object] | None:
        """What tells of a path whether it is left out, where that is final for all that is below it.

        None where it is not so simple.
        """
        if not self._simple or self._ignore.exceptions:
            return None
        return nothing if self._ignore.nothing else self._ignore.matches_itself

    def judge(self, path: str, above: State) -> tuple[int, State]:
        """Why a path is not there, 0 when it is; and what its directory passes on."""
        return self.why(path, above), self.passes_on(path, above)

    def why(self, path: str, above: State) -> int:
        """Why a path is not there, alone."""
        why = _IGNORED if self._ignore.verdict(path, above.ignored) else 0
        if self._simple:
            return why
        below = path[self._start :]
        if self._exclude.verdict(below, above.excluded):
            why |= _EXCLUDED
        return why if self._is_selected(below, above) else why | _NOT_SELECTED

    def passes_on(self, path: str, above: State) -> State:
        """What a directory passes on, alone."""
        below = path[self._start :]
        return State(
            self._ignore.passes_on(path, above.ignored),
            self._exclude.passes_on(below, above.excluded),
            self._is_selected(below, above),
        )

    def _is_selected(self, below: str, above: State) -> bool:
        return above.selected or (self._select is not None and bool(self._select.matches(below)))

    def may_show_below(self, directory: str, why: int) -> bool:
        """Whether something may be there in a directory that is not, for the reasons `judge` gave."""
        below = directory[self._start :]
        if why & _IGNORED and not self._ignore.may_keep_below(directory):
            return False
        if why & _EXCLUDED and not self._exclude.may_keep_below(below):
            return False
        return not why & _NOT_SELECTED or (self._select is not None and self._select.may_match_below(below))
