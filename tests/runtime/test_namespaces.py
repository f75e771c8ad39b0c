from __future__ import annotations

import pytest

from millefeuille.runtime.namespaces import entries


@pytest.mark.parametrize("path", [None, ""])
def test_the_network_of_the_host_is_no_namespace(path: str | None) -> None:
    found = [entry["type"] for entry in entries({"NetworkMode": "host"}, path, hybrid=True)]
    assert "network" not in found


def test_a_network_namespace_of_its_own_or_to_join() -> None:
    assert {"type": "network"} in entries({"NetworkMode": "none"}, None, hybrid=True)
    assert {"type": "network", "path": "/n"} in entries({"NetworkMode": "x"}, "/n", hybrid=True)
