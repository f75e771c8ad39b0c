"""The values that stand in front of the command of a RUN in a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from millefeuille.analysis.dockerfile import instruction
from millefeuille.analysis.runarguments import command, first_values, known_values
from millefeuille.oci.config import History

SHELL = "/bin/sh -c"


def _steps(*created_by: str) -> list[tuple[History, str, str]]:
    steps = [History(created_by=each) for each in created_by]
    return [(step, instruction(step), SHELL) for step in steps]


@pytest.mark.parametrize(
    ("history", "text", "found"),
    [
        ([], "busybox touch /a b", "busybox touch /a b"),
        ([], "|1 V=1 2 /bin/sh -c x", "/bin/sh -c x"),
        ([], "|1 V=1 busybox", None),
        (["ARG V=1 2"], "|1 V=1 2 busybox touch /a b", "busybox touch /a b"),
        (["/bin/sh -c #(nop)  ARG V=1 2"], "|1 V=1 2 busybox", "busybox"),
        (["ARG V=1 2"], "|1 V=3 busybox", None),
        (["ARG V=1"], "|1 V=1 2 busybox", None),  # no program is called 2: another value was given
        (["ARG V=1"], "|1 V=1 -g A=b busybox", None),
        (["ARG V=1", "RUN |1 V=1 2 /bin/sh -c x # buildkit"], "|1 V=1 2 busybox", "busybox"),
        (["ARG V", "|1 V=3 /bin/sh -c x"], "|1 V=3 busybox", "busybox"),
        (["ARG V=curl", "|1 V=curl git /bin/sh -c x"], "|1 V=curl git clone", None),
        (["ARG V"], "|1 V= busybox", "busybox"),
        (["ARG V", "ENV V=a b W=2"], "|1 V=a b busybox", "busybox"),
        (["ARG A=1 B=2 3"], "|2 A=1 B=2 3 busybox", "busybox"),
        (["ARG A=1 B=2 3"], "|1 A=1 B=2 3 busybox", "busybox"),
        (["ARG A=1", "ARG B=2 3"], "|2 A=1 B=2 3 ./b C=4", "./b C=4"),
        (["ARG A=1"], "|2 A=1 B=2 busybox", None),
        (["ARG A=1"], "|9999999999 A=1 busybox", None),
        (["ARG A=1"], "|9999 A=1 busybox", None),
    ],
)  # fmt: skip
def test_where_a_command_begins(history: Sequence[str], text: str, found: str | None) -> None:
    assert command(text, SHELL, known_values(_steps(*history))) == found


@pytest.mark.parametrize(
    ("history", "found"),
    [
        (["|1 V=1 2 busybox", "|1 V=1 2 /bin/sh -c x"], {"V": "1 2"}),
        (["|1 V=1 busybox", "ARG V=2", "ARG W=3", "|2 V=2 W=3 /bin/sh -c x"], {}),
        (["ARG W=3", "|2 V=2 W=3 /bin/sh -c x", "|1 V=4 /bin/sh -c x"], {"V": "2"}),
        (["|1 V=1 2 busybox"], {}),
        (["|3 V=1 W=2 3 /bin/sh -c x"], {"V": "1", "W": "2 3"}),  # buildah counts words
        (["|3 V=1 W=2 /bin/sh -c x"], {}),
        (["|2 V=1 W=2 X=3 /bin/sh -c x"], {}),
    ],
)
def test_values_of_the_first_command_with_a_shell(history: Sequence[str], found: Mapping[str, str]) -> None:
    assert first_values(_steps(*history)) == found


def test_very_many_values_take_no_more_than_their_text() -> None:
    many = " ".join(f"V={number}" for number in range(20_000))
    known = known_values(_steps(f"ENV {many}", f"ENV {many.replace('V', 'W')}"))
    assert sum(len(value) for values in known.values() for value in values) < 1000
    assert command(f"|9999 {many} busybox", SHELL, known) is None
