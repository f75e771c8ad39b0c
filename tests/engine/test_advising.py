"""What advice sums up to: what the rewritten Dockerfile saves, and what a person has to see to."""

from __future__ import annotations

from millefeuille.analysis.advice.advice import MERGE, Advice
from millefeuille.analysis.advice.edits import Remove
from millefeuille.analysis.advice.step import read_step
from millefeuille.engine.advising import Advised


def test_what_has_no_patch_is_counted_apart() -> None:
    script = tuple(map(read_step, ("FROM a", "RUN true", "RUN false")))
    patched = Advice(kind=MERGE, text="x", steps=(1,), size=700, edits=(Remove(1),))
    other = Advice(kind=MERGE, text="y", steps=(2,), size=50)
    found = Advised(name="a", script=script, source=(), advice=(patched, other))
    assert (found.size, found.by_hand) == (700, 50)
