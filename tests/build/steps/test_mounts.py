"""What of a RUN's mounts is in its key."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from millefeuille.build.dockerfile.instructions import Run
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.request import Request, SecretSource
from millefeuille.build.scope import Scope
from millefeuille.build.steps.mounts import mounts
from millefeuille.build.steps.step import Site, Workshop


def key(mount: str) -> Any:
    run = parse(f"FROM scratch\nRUN --mount={mount} true\n".encode()).stages[0].instructions[0]
    assert isinstance(run, Run)
    request = Request(secrets={"s": SecretSource(variable="S", value="x")}, agents={"a": "/agent"})
    site = SimpleNamespace(state=SimpleNamespace(scope=Scope(), directory="/"), file="", written=run)
    found = mounts(cast(Workshop, SimpleNamespace(request=request)), cast(Site, site), run)
    return found.inputs


@pytest.mark.parametrize(
    "one",
    [
        "type=secret,id=s,mode=0444", "type=secret,id=s,uid=1000", "type=secret,id=s,gid=5",
        "type=secret,id=s,env=S",
        "type=ssh,id=a,mode=0666", "type=ssh,id=a,uid=3", "type=tmpfs,target=/t,size=1m",
        "type=cache,target=/c,ro", "type=cache,target=/c,mode=0700", "type=cache,target=/c,uid=7",
    ],
)  # fmt: skip
def test_what_a_command_sees_of_a_mount_is_in_the_key(one: str) -> None:
    plain = one.rpartition(",")[0]
    assert key(one) != key(plain)


@pytest.mark.parametrize(
    ("plain", "more"),
    [
        ("type=secret,id=s", "mode=0400,uid=0"), ("type=ssh,id=a", "mode=0600"),
        ("type=cache,target=/c", "mode=0755,gid=0"), ("type=cache,target=/c", "sharing=locked"),
    ],
)  # fmt: skip
def test_what_it_has_anyway_is_not(plain: str, more: str) -> None:
    assert key(f"{plain},{more}") == key(plain)
