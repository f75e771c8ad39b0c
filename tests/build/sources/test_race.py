"""Somebody swaps directories for symlinks out of the context while it is read: nothing of that is copied."""

from __future__ import annotations

import os
from pathlib import Path

from tests.containers.swapper import INSIDE, PAIRS, SECRET, furnish, swapping

from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.reading import ContextChanged
from millefeuille.build.sources.scan import ScanFailed
from millefeuille.build.sources.source import NotFound


def test_a_swapped_directory_leads_nowhere(tmp_path: Path, all_cases: bool) -> None:
    (tmp_path / "context").mkdir()
    root = str(tmp_path / "context")
    furnish(root, tmp_path / "secret")
    seen: set[bytes] = set()
    errors = escapes = rounds = 0
    descriptor = os.open(root, os.O_RDONLY)
    with DirectorySource(root) as source, swapping(descriptor, 2_000_000 if all_cases else 40_000) as swapper:
        while swapper.running:
            rounds += 1
            try:
                escapes += (
                    Path(root, "d0", "file").read_bytes() == SECRET
                )  # the same harness shows a careless one
            except OSError:
                pass
            for pattern in (".", "d0", "d1/file", "z2/file", "*/file", "z3"):
                try:
                    matches = source.match(pattern)
                    source.digest(matches)
                    for match in matches:
                        for item in match.items:
                            if item.entry.size and item.entry.kind == 1:
                                content = source.open(item)
                                assert isinstance(content, bytes)
                                seen.add(content)
                except (NotFound, ContextChanged, ScanFailed):
                    errors += 1
    os.close(descriptor)
    assert swapper.swaps >= 40_000 - 25 * PAIRS
    assert rounds > 10
    assert escapes, "the swapping had no effect"
    assert errors
    assert seen == {INSIDE}
