from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.containers.remaining import ContainerGoing, refuse_going
from millefeuille.containers.state import State
from millefeuille.oci.digest import Digest


@pytest.mark.parametrize(("status", "words"), [("removing", "being removed"), ("dead", "Dead")])
def test_a_container_on_its_way_out_is_refused_in_dockers_words(
    tmp_path: Path, status: str, words: str
) -> None:  # fmt: skip
    place = Place(str(tmp_path), str(tmp_path / "run"))
    container = Container(
        id="c" * 64, name="it", created="", image=Digest("sha256", "0" * 64), chain=None, layers=(),
        path="sh", args=(), platform="linux/amd64", config={}, host_config={},
    )  # fmt: skip
    (tmp_path / "containers" / container.id).mkdir(parents=True)
    refuse_going(place, container, "commit")
    records.save_state(place, container.id, State(status=status))
    with pytest.raises(ContainerGoing, match=f"^You cannot commit container c{{64}} which is {words}$"):
        refuse_going(place, container, "commit")
