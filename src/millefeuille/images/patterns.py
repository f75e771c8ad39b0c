"""Patterns: `image rm 'app:*'` means every tag that matches."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from millefeuille.oci.reference import InvalidReference, Reference
from millefeuille.store.names import NoSuchImage
from millefeuille.store.transaction import Transaction


def expand(tx: Transaction, text: str) -> Sequence[str]:
    """The tags that a pattern with `*`, `?` or `[…]` matches, familiar or full; `text` itself without one.

    A pattern without a tag matches names of every tag. Raises NoSuchImage when nothing matches.
    """
    if not any(character in text for character in "*?[") or _is_reference(text):
        return (text,)
    matches = []
    for (name,) in tx.execute("SELECT name FROM names ORDER BY name").fetchall():
        reference = Reference.parse(name)
        spellings = (reference.familiar, str(reference), reference.familiar_name, reference.name)
        if any(fnmatch.fnmatchcase(spelling, text) for spelling in spellings):
            matches.append(name)
    if not matches:
        raise NoSuchImage(f"No such image: {text}")
    return matches


def _is_reference(text: str) -> bool:
    """True for `[::1]:5000/app`, whose brackets are those of an address."""
    try:
        Reference.parse(text)
    except InvalidReference:
        return False
    return True
