"""One hostile input and what is right to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.testing.rawtars import END
from millefeuille.values import dataclass, field

Tar = bytes | Callable[[], bytes]
Tree = Mapping[bytes, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Layers, the lowest first, and the one right verdict.

    Either `refused` is the rule they break, or `tree` is what they look like from above: by path, `d` for
    a directory, `f CONTENT` for a file, `l TARGET` for a symlink, `c|b MAJOR:MINOR` for a device, `p`. With
    `attributes`, by path the fields of the inode that matter; with `notes`, what must have been noted. A
    `tree` of None with no rule leaves the tree open (it would be too large to write down).
    """

    id: str
    about: str
    layers: tuple[Tar, ...]
    tree: Tree | None = None
    refused: str | None = None
    attributes: Mapping[bytes, Mapping[str, object]] = field(default_factory=dict)
    notes: frozenset[str] = frozenset()

    def tars(self) -> list[bytes]:
        """The bytes of the layers."""
        return [layer if isinstance(layer, bytes) else layer() for layer in self.layers]


def accept(
    id: str,
    about: str,
    *entries: bytes,
    tree: Tree | None,
    attributes: Mapping[bytes, Mapping[str, object]] | None = None,
    notes: tuple[str, ...] = (),
) -> Case:
    """A layer that is right, of these entries."""
    layers = (b"".join(entries) + END,)
    return Case(
        id=id, about=about, layers=layers, tree=tree, attributes=attributes or {}, notes=frozenset(notes)
    )


def refuse(id: str, about: str, *entries: bytes, rule: str) -> Case:
    """A layer that breaks `rule`."""
    return Case(id=id, about=about, layers=(b"".join(entries) + END,), refused=rule)


def stack(id: str, about: str, *layers: bytes, tree: Tree | None = None, refused: str | None = None) -> Case:
    """Layers over each other, each the bytes of its entries."""
    return Case(id=id, about=about, layers=tuple(layer + END for layer in layers), tree=tree, refused=refused)


def raw(id: str, about: str, tar: Tar, *, tree: Tree | None = None, refused: str | None = None) -> Case:
    """A tar as it is, without end blocks added."""
    return Case(id=id, about=about, layers=(tar,), tree=tree, refused=refused)
