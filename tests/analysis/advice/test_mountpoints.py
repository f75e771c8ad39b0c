"""Where the flags of a RUN mount something."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import waste

from millefeuille.analysis.advice.mountpoints import mountpoints


@pytest.mark.parametrize(("mount", "found"), [
    ("type=cache,target=/c/", ["/c"]),
    ("dst=/c/../d", ["/d"]),
    ('"type=bind,DESTINATION=c"', ["/w/c"]),
    ("type=bind,target=$D/c", ["/d/c"]),
    ("type=bind,target=$E/c", None),
    ("type=secret,id=a", ["/run/secrets/a"]),
    ("type=secret,src=k/a.pem", ["/run/secrets/a.pem"]),
    ("type=secret,id=a,target=/a", ["/a"]),
    ("type=secret,id=a,env=A", []),
    ("type=ssh", []),
])  # fmt: skip
def test_places(mount: str, found: list[str] | None) -> None:
    made = waste(("FROM a", ()), ("WORKDIR /w", ()), ("ENV D=/d", ()), ("RUN make", ()))
    flag = f"--mount={mount}"
    points = mountpoints(made, 3, ("--network=none", flag))
    assert points == (None if found is None else dict.fromkeys(found, flag))
