"""`system prune`: containers, networks and volumes beside images, in Docker's order and words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.docker.units import human_size
from millefeuille.store.journal import Reader


@pytest.fixture
def used(home: Home, tmp_path: Path) -> Home:
    """A home with an image, and a network, an anonymous and a named volume that nobody uses."""
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    assert home.mille("import", str(tmp_path / "empty.tar"), "x")[2] == 0
    assert home.mille("network", "create", "--subnet", "10.211.0.0/24", "--label", "k=v", "ours")[2] == 0
    assert home.mille("volume", "create", "named")[2] == 0
    return home


def test_asks_what_docker_asks(used: Home) -> None:
    assert used.mille("system", "prune", "--volumes", "--filter", "label=k", typed="n\n") == (
        "WARNING! This will remove:\n"
        "  - all stopped containers\n"
        "  - all networks not used by at least one container\n"
        "  - all anonymous volumes not used by at least one container\n"
        "  - all dangling images\n"
        "  - unused build cache\n\n"
        "  Items to be pruned will be filtered with:\n"
        "  - label=k\n\n"
        "Are you sure you want to continue? [y/N] ",
        "",
        0,
    )


def test_volumes_stay_unless_asked_for(used: Home) -> None:
    anonymous = used.mille("volume", "create")[0].strip()
    (used.store / "volumes" / anonymous / "_data" / "file").write_bytes(bytes(1500))
    out, err, code = used.mille("system", "prune", "-f")
    assert (out, err, code) == ("Deleted Networks:\nours\n\nTotal reclaimed space: 0B\n", "", 0)
    out, err, code = used.mille("system", "prune", "-f", "--volumes")
    assert (out, err, code) == (f"Deleted Volumes:\n{anonymous}\n\nTotal reclaimed space: 1.5kB\n", "", 0)
    assert used.mille("volume", "ls", "-q")[0] == "named\n"


def test_filters_hold_for_all(used: Home) -> None:
    assert used.mille("system", "prune", "-f", "--filter", "label=other") == (
        "Total reclaimed space: 0B\n",
        "",
        0,
    )
    assert used.mille("system", "prune", "-f", "--filter", "label=k=v")[0].startswith(
        "Deleted Networks:\nours\n"
    )
    assert used.mille("system", "prune", "-f", "--filter", "dangling=true")[2] == 1


def test_until_and_volumes_do_not_go_together(used: Home) -> None:
    assert used.mille("system", "prune", "-f", "--volumes", "--filter", "until=1h") == (
        "", 'ERROR: The "until" filter is not supported with "--volumes"\n', 1,
    )  # fmt: skip


def test_without_a_store_there_is_nothing(home: Home) -> None:
    assert home.mille("system", "prune", "-f") == ("Total reclaimed space: 0B\n", "", 0)
    assert not home.store.exists()


def test_each_prune_is_told(used: Home, tmp_path: Path) -> None:
    """As docker 20.10 tells of them, whether or not there was anything to remove."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY empty.tar /\n")
    assert used.mille("build", "-q", str(tmp_path))[2] == 0
    assert used.mille("image", "prune", "-af")[2] == 0
    anonymous = used.mille("volume", "create")[0].strip()
    (used.store / "volumes" / anonymous / "_data" / "file").write_bytes(bytes(1500))
    reader = Reader(str(used.store / "journal"))
    reader.fresh()

    def told() -> list[str]:
        found = [one for one in reader.fresh() if one.action == "prune"]
        assert not any(one.actor for one in found)
        return [f"{one.kind} {one.attributes['reclaimed']}" for one in found]

    for kind, freed in (("container", 0), ("network", 0), ("volume", 1500), ("volume", 0)):
        assert used.mille(kind, "prune", "-f")[2] == 0
        assert told() == [f"{kind} {freed}"]
    out = used.mille("builder", "prune", "-af")[0]
    [builder] = told()
    freed = int(builder.removeprefix("builder "))
    assert freed and out.endswith(f"Total reclaimed space: {human_size(freed)}\n")
    assert used.mille("system", "prune", "-f", "--volumes")[2] == 0
    assert told() == ["container 0", "network 0", "volume 0", "builder 0"]
    assert used.mille("system", "prune", "-f")[2] == 0
    assert told() == ["container 0", "network 0", "builder 0"]
    assert used.mille("system", "prune", "-f", "--filter", "label=x")[2] == 0
    assert told() == ["container 0", "network 0", "builder 0"]
