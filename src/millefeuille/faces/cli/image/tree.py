"""`mille image ls --tree`: Docker 28's view of images with their platforms below them.

Source: docker/cli v28.2.2, cli/command/image/tree.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.annotations import Final
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.terminal import DEFAULT_WIDTH, Terminal
from millefeuille.images.trees import Tree, Weight, trees
from millefeuille.images.users import Users
from millefeuille.store.images import ImageRecord
from millefeuille.store.store import Store

_WARNING: Final = (
    "WARNING: This is an experimental feature. The output may change and shouldn't be depended on."
)
_LEGEND: Final = "Info ->  U In Use "
_TITLES: Final = ("IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA")
_GAP: Final = "   "
_BOLD: Final = "\x1b[39m\x1b[1m{}\x1b[0m"


def show(terminal: Terminal, store: Store | None, found: Sequence[ImageRecord], users: Users) -> None:
    """Print the trees of `found`."""
    grown: Sequence[Tree] = ()
    if store is not None:
        with store.reading() as tx:
            grown = trees(tx, store.blobs, found, users)
    width = terminal.width if terminal.interactive else DEFAULT_WIDTH
    terminal.line(_WARNING)
    terminal.line(f"{_LEGEND:>{width}}")
    terminal.line()
    # Docker counts the bytes of a name, and three for each stroke before a platform.
    names = [name for tree in grown for name in tree.names or ("<untagged>",)]
    names += [f"├─ {variant.platform}" for tree in grown for variant in tree.variants]
    column = max([len(_TITLES[0]), *(len(name.encode()) for name in names)])
    terminal.line(_header(column, bold=terminal.interactive))
    spaced = any(tree.variants for tree in grown)
    for tree in grown:
        for line in _lines(tree, column):
            terminal.line(line)
        if spaced:
            terminal.line()


def _header(column: int, *, bold: bool) -> str:
    widths = (column, 12, len(_TITLES[2]), len(_TITLES[3]), len(_TITLES[4]))
    titles = [
        (_BOLD.format(title) if bold else title) + " " * (width - len(title))
        for title, width in zip(_TITLES, widths, strict=True)
    ]
    return _GAP.join(titles)


def _lines(tree: Tree, column: int) -> Iterable[str]:
    *others, last = tree.names or ("<untagged>",)
    yield from others
    yield f"{last:{column}}{_details(tree.id.short, tree.weight, used=tree.used)}"
    for variant in tree.variants:
        stroke = "└─" if variant is tree.variants[-1] else "├─"
        details = _details(variant.id.short, variant.weight, used=variant.used)
        yield f"{f'{stroke} {variant.platform}':{column}}{details}"


def _details(identifier: str, weight: Weight, *, used: bool) -> str:
    extra = " U " if used else ""
    cells = (
        f"{identifier:12}", f"{human_size(weight.usage, 3):>10}", f"{human_size(weight.content, 3):>12}",
        f"{extra:5}",
    )  # fmt: skip
    return "".join(_GAP + cell for cell in cells)
