"""172 hostile and odd layers, each with the one right verdict.

Collected from the advisories and test suites of twenty years of container engines and tar readers. The
verdicts are rules, not observations: every reader of layers in this package has to come to them.
"""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case
from millefeuille.testing.hostile.formats import FORMATS
from millefeuille.testing.hostile.hardlinks import HARDLINKS
from millefeuille.testing.hostile.metadata import METADATA
from millefeuille.testing.hostile.names import NAMES
from millefeuille.testing.hostile.replacements import REPLACEMENTS
from millefeuille.testing.hostile.resources import RESOURCES
from millefeuille.testing.hostile.stacks import STACKS
from millefeuille.testing.hostile.symlinks import SYMLINKS
from millefeuille.testing.hostile.whiteouts import WHITEOUTS

GROUPS: dict[str, tuple[Case, ...]] = {
    "names": NAMES,
    "symlinks": SYMLINKS,
    "hardlinks": HARDLINKS,
    "whiteouts": WHITEOUTS,
    "replacements": REPLACEMENTS,
    "metadata": METADATA,
    "formats": FORMATS,
    "resources": RESOURCES,
    "stacks": STACKS,
}
CASES: tuple[Case, ...] = tuple(case for group in GROUPS.values() for case in group)

__all__ = ["CASES", "GROUPS", "Case"]
