"""The collector rests within the block alone, and stays off for whoever had turned it off."""

from __future__ import annotations

import gc

import pytest

from millefeuille.layers.uncollected import uncollected


def test_the_collector_rests_within_the_block_alone() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="within"), uncollected():
        raise ValueError("within")
    assert gc.isenabled()
