"""Capabilities by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.runtime.capabilities import ALL, KNOWN, UnknownCapability, available, chosen
from millefeuille.runtime.isolation import CAPABILITIES

NAMES = st.lists(st.sampled_from([*KNOWN, ALL]), unique=True)


@pytest.mark.parametrize("name", ["NOSUCH", "CAP_NOSUCH", "", "cap_"])
def test_unknown(name: str) -> None:
    full = name.upper() if name.upper().startswith("CAP_") else f"CAP_{name.upper()}"
    with pytest.raises(UnknownCapability) as caught:
        chosen([name], [])
    assert str(caught.value) == f'invalid CapAdd: unknown capability: "{full}"'
    with pytest.raises(UnknownCapability, match="invalid CapDrop"):
        chosen([], [name], privileged=True)


def test_numbers() -> None:
    # Linux include/uapi/linux/capability.h
    assert [KNOWN.index(f"CAP_{name}") for name in ("CHOWN", "SETPCAP", "SYS_ADMIN", "SYSLOG", "BPF")] == [
        0, 8, 21, 34, 39,
    ]  # fmt: skip
    assert len(KNOWN) == 41
    assert set(available()) <= set(KNOWN)


@given(NAMES, NAMES)
def test_what_is_left(add: list[str], drop: list[str]) -> None:
    left = chosen([name.lower().removeprefix("cap_") for name in add], drop)
    assert len(set(left)) == len(left)
    assert set(left) <= set(KNOWN)
    if ALL not in add:
        # What is added explicitly is there, whatever is dropped.
        assert set(add) <= set(left)
        assert set(left) - set(add) == (set() if ALL in drop else set(CAPABILITIES) - set(drop) - set(add))
    else:
        assert set(left) == set(available()) - set(drop)
