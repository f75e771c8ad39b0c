"""The words of the analysis document, for whoever reads one and makes none."""

from __future__ import annotations

from millefeuille.annotations import Any, Final

# The first number changes when a member goes or means something else, the second when some are added.
VERSION: Final = "1.0"

KINDS: Final = (
    "", "file", "directory", "symlink", "hardlink", "character", "block", "fifo", "whiteout", "opaque",
)  # fmt: skip

Document = dict[str, Any]
