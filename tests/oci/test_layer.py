"""Chain IDs. The expected value is the definition of the OCI image specification, written out."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_id, chain_ids

_A, _B, _C = (Digest.of(letter) for letter in (b"a", b"b", b"c"))


def _sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_chain_of_three() -> None:
    second = _sha256(f"{_A} {_B}")
    assert [str(chain) for chain in chain_ids([_A, _B, _C])] == [str(_A), second, _sha256(f"{second} {_C}")]


def test_no_layers_have_no_chain() -> None:
    assert chain_id([]) is None


@given(st.lists(st.binary(max_size=3).map(Digest.of), min_size=1, max_size=6))
def test_a_chain_depends_on_all_below(diff_ids: list[Digest]) -> None:
    chains = list(chain_ids(diff_ids))
    assert len(chains) == len(diff_ids)
    assert chain_id(diff_ids) == chains[-1]
    assert list(chain_ids(diff_ids[:-1])) == chains[:-1]
