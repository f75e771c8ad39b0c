"""Browser: the rows of a tree that is open here and there, made as far down as somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence

from millefeuille.analysis.tree import ADDED, REMOVED, UNCHANGED, Node
from millefeuille.annotations import NamedTuple
from millefeuille.faces.tui.wanted import Wanted
from millefeuille.layers.entry import DIRECTORY

Children = Callable[[bytes], Sequence[Node]]


class Row(NamedTuple):
    """One line of the tree: `guide` stands in front of the name; `open` is None but for directories."""

    node: Node
    guide: str
    open: bool | None
    above: int  # the number of the row of the directory it is in, -1 for the root


class Browser:
    """The tree that `children` gives, by directory.

    What somebody opened and closed stays so when the tree is another one: see `show`. `hidden` has the
    changes that are not shown.
    """

    def __init__(self, children: Children, *, collapsed: bool = False) -> None:
        self._children = children
        self._collapsed = collapsed
        self._turned: set[bytes] = set()  # directories that are not as `_collapsed` says
        self._rows: list[Row] = []
        self._rest: Iterator[Row] | None = None
        self._known: dict[bytes, bool] = {}  # whether a directory has something to show
        self.hidden: set[str] = set()
        self.wanted: Wanted | None = None
        self.allowed: Container[bytes] | None = None  # the paths to look at for what is wanted; None for all
        self.by_size = False
        self.renew()

    def show(self, children: Children) -> None:
        """Show another tree."""
        self._children = children
        self.renew()

    def renew(self) -> None:
        """Make all rows anew, when they are looked at."""
        self._rows = []
        self._known = {}
        self._rest = self._walk()

    def row(self, number: int) -> Row | None:
        """A row; None behind the last."""
        while self._rest is not None and len(self._rows) <= number:
            made = next(self._rest, None)
            if made is None:
                self._rest = None
            else:
                self._rows.append(made)
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def exists(self, number: int) -> bool:
        """Whether there is such a row."""
        return self.row(number) is not None

    def last(self) -> int:
        """The number of the last row, -1 for none; all of them are made for it."""
        while self._rest is not None:
            self.row(len(self._rows))
        return len(self._rows) - 1

    def number_of(self, path: bytes) -> int | None:
        """The row of a path; None when it is not shown. All directories above it are opened."""
        above = path
        while above := above.rpartition(b"/")[0]:
            self._turned.discard(above) if not self._collapsed else self._turned.add(above)
        self.renew()
        number = 0
        while (row := self.row(number)) is not None:
            if row.node.path == path:
                return number
            number += 1
        return None

    def turn(self, path: bytes, *, open: bool | None = None) -> None:
        """Open a directory that is closed, and the other way round; or only one of both."""
        if open is not None and self._is_open(path) == open:
            return
        self._turned ^= {path}
        self.renew()

    def turn_all(self) -> None:
        """Close every directory, or open every one."""
        self._collapsed = not self._collapsed
        self._turned.clear()
        self.renew()

    def toggle(self, changes: frozenset[str]) -> bool:
        """Hide what has these changes, or show it again; gives whether it is shown now."""
        shown = changes <= self.hidden
        self.hidden = self.hidden - changes if shown else self.hidden | changes
        self.renew()
        return shown

    def _is_open(self, path: bytes) -> bool:
        return (path in self._turned) == self._collapsed

    def _walk(self) -> Iterator[Row]:
        # No call for each directory below another: a tree may be deeper than calls may be.
        levels = [_Level(self._sorted(b""), "", -1)]
        while levels:
            level = levels[-1]
            node = level.upcoming
            if node is None:
                levels.pop()
                continue
            level.upcoming = next(level.rest, None)
            bent, straight = ("├── ", "│   ") if level.upcoming is not None else ("└── ", "    ")
            if node.kind != DIRECTORY:
                yield Row(node, level.guide + bent, None, level.above)
                continue
            here = len(self._rows)
            opened = self._is_open(node.path)
            yield Row(node, level.guide + bent, opened, level.above)
            if opened:
                levels.append(_Level(self._sorted(node.path), level.guide + straight, here))

    def _sorted(self, path: bytes) -> Iterator[Node]:
        nodes = self._children(path)
        if self.by_size:
            nodes = sorted(nodes, key=lambda node: (-node.size, node.name))
        return (node for node in nodes if self._shows(node))

    def _shows(self, node: Node) -> bool:
        shown = self._by_itself(node)
        return self._has_something(node.path) if shown is None else shown

    def _by_itself(self, node: Node) -> bool | None:
        """Whether a node is shown; None for a directory that is where something below it is."""
        hidden = node.change in self.hidden
        if self.wanted is not None:
            if self.allowed is not None and node.path not in self.allowed:
                return False
            hidden |= node.change in _THROUGHOUT and not self.wanted.change_fits(node.change)
        if node.kind != DIRECTORY:
            return not hidden and (self.wanted is None or self.wanted.fits(node))
        if hidden and node.change in _THROUGHOUT:
            return False
        named = self.wanted is None or (self.wanted.by_path and self.wanted.path_fits(node.path))
        return True if named and not hidden else self._known.get(node.path)

    def _has_something(self, path: bytes) -> bool:
        """Whether something in a directory is shown; what is learned on the way is known from then on."""
        above = [(path, iter(self._children(path)))]
        while above:
            path, rest = above[-1]
            for child in rest:
                shown = self._by_itself(child)
                if shown is None:
                    above.append((child.path, iter(self._children(child.path))))
                    break
                if shown:
                    self._known.update((each, True) for each, _ in above)
                    return True
            else:
                self._known[path] = False
                above.pop()
        return False


class _Level:
    """A directory whose rows are being made: the next node, those behind it, and as in a row of each."""

    def __init__(self, nodes: Iterator[Node], guide: str, above: int) -> None:
        self.upcoming = next(nodes, None)
        self.rest = nodes
        self.guide = guide
        self.above = above


# What is true of all that is in a directory with such a change.
_THROUGHOUT = frozenset({ADDED, REMOVED, UNCHANGED})
