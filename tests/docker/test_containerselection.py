"""The filters of `ps` and `container prune`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from millefeuille.containers.record import Container, MountPoint
from millefeuille.containers.state import State
from millefeuille.docker.containerselection import listed, prunable, selection
from millefeuille.docker.filters import Filters, InvalidFilter
from millefeuille.docker.shapes.container_summary import Listed
from millefeuille.oci.digest import Digest
from millefeuille.store.containers import NoSuchContainer

_SHA = "sha256:" + "0123456789abcdef" * 4
_OTHER = "sha256:" + "fedcba9876543210" * 4


def _container(number: int, name: str, **more: Any) -> Container:
    fields: dict[str, Any] = {
        "id": f"{number:x}" * 64, "name": name, "created": f"2026-11-23T03:00:0{number}Z",
        "image": Digest.parse(_SHA), "chain": None, "layers": (), "path": "sh", "args": (),
        "platform": "linux/amd64", "config": {}, "host_config": {}, **more,
    }  # fmt: skip
    return Container(**fields)


_ENDED = "2026-11-23T03:05:00Z"
_ALL = [  # the newest first
    Listed(
        container=_container(
            4, "web", config={"Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}},
            host_config={"PortBindings": {"80/tcp": []}},
            mounts=(MountPoint(type="volume", target="/data", name="store"),),
        ),
        state=State(status="running", started=_ENDED, health={"Status": "healthy"}), image="x",
        network={
            "Networks": {"mine": {"NetworkID": "abcdef"}},
            "Ports": {
                "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::1", "HostPort": "49153"}],
                "53/udp": [{"HostIp": "0.0.0.0", "HostPort": "8053"}], "443/tcp": None,
            },
        },
    ),
    Listed(
        container=_container(3, "paused"), state=State(status="paused", started=_ENDED), image="x",
        network={"Networks": {"bridge": {"NetworkID": "123456"}}},
    ),
    Listed(
        container=_container(2, "gone", image=Digest.parse(_OTHER), config={"Labels": {"a": "c"}}),
        state=State(status="exited", exit_code=3, started=_ENDED, finished=_ENDED), image="x", network={},
    ),
    Listed(container=_container(1, "new"), state=State(), image="x", network={}),
]  # fmt: skip


def _find(text: str) -> Container:
    for one in _ALL:
        if one.container.name == text or one.container.id.startswith(text):
            return one.container
    raise NoSuchContainer(f"No such container: {text}")


def _images(text: str) -> Iterable[str]:
    return {"sha": [_SHA], "both": [_SHA, _OTHER]}.get(text, [])


def _names(*filters: str, all: bool = True, limit: int = 0) -> str:
    chosen = selection(Filters.parse(filters), all=all, limit=limit, find=_find, images=_images)
    return " ".join(one.container.name for one in listed(_ALL, chosen))


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ((), "web paused gone new"),
        (("name=^w",), "web"),
        (("name=/web",), "web"),
        (("name=e",), "web paused gone new"),
        (("id=3333",), "paused"),
        (("id=3", "id=44"), "web paused"),
        (("id=.",), ""),
        (("id=",), ""),
        (("label=a",), "web gone"),
        (("label=a=b",), "web"),
        (("exited=3",), "gone"),
        (("exited=0",), ""),
        (("status=running",), "web"),
        (("status=paused", "status=created"), "paused new"),
        (("health=healthy",), "web"),
        (("health=none",), "paused gone new"),
        (("ancestor=sha",), "web paused new"),
        (("ancestor=both",), "web paused gone new"),
        (("ancestor=unknown",), ""),
        (("before=paused",), "gone new"),
        (("since=gone",), "web paused"),
        (("before=web", "since=new"), "paused gone"),
        (("volume=store",), "web"),
        (("volume=/data",), "web"),
        (("volume=/nothing",), ""),
        (("network=mine",), "web"),
        (("network=1234",), "paused"),
        (("publish=8080",), "web"),
        (("publish=49153",), "web"),
        (("publish=8000-8090/tcp",), "web"),
        (("publish=8053/udp",), "web"),
        (("publish=80",), ""),
        (("publish=8080/udp",), ""),
        (("expose=80",), "web"),
        (("expose=443",), "web"),
        (("expose=8080",), ""),
        (("expose=9000",), ""),
        (("is-task=false",), "web paused gone new"),
        (("is-task=true",), ""),
        (("isolation=default",), "web paused gone new"),
        (("isolation=hyperv",), "web paused gone new"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_filters(filters: tuple[str, ...], names: str) -> None:
    assert _names(*filters) == names


def test_only_what_runs_unless_asked() -> None:
    assert _names(all=False) == "web paused"
    assert _names("status=exited", all=False) == "gone"
    assert _names("name=gone", all=False) == ""
    assert _names(all=False, limit=3) == "web paused gone"
    assert _names("before=web", all=False, limit=1) == "paused"


def test_an_id_is_meant_by_its_beginning_alone() -> None:
    ids = ("ab" * 32, "ba" * 32, "bb" * 32)
    found = [
        Listed(container=_container(1, id, id=id), state=State(), image="x", network={}) for id in ids
    ]
    for value, meant in (("ab", [ids[0]]), ("ba", [ids[1]]), ("b", []), ("abab$", [])):
        filters = Filters.parse([f"id={value}"])
        chosen = selection(filters, all=True, find=_find, images=_images)
        assert [one.container.id for one in listed(found, chosen)] == meant


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ("frob=1", "invalid filter 'frob'"),
        (
            "status=gone",
            "invalid filter 'status=gone': invalid value for state (gone): must be one of created, running, "
            "paused, restarting, removing, exited, dead",
        ),
        (
            "health=ill",
            "invalid filter 'health=ill': invalid value for health (ill): must be one of none, starting, "
            "healthy, unhealthy",
        ),
        ("exited=x", "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax"),
        ("is-task=x", "invalid filter 'is-task=[x]'"),
        ("publish=1:2", "filter for 'publish' should not contain ':': 1:2"),
        (
            "expose=x",
            'error while looking up for expose x: strconv.ParseUint: parsing "x": invalid syntax',
        ),
    ],
)
def test_refuses_in_dockers_words(filter: str, said: str) -> None:
    with pytest.raises(InvalidFilter) as raised:
        _names(filter)
    assert str(raised.value) == said


def test_a_container_that_a_filter_names_must_be_there() -> None:
    with pytest.raises(NoSuchContainer, match="No such container: nobody"):
        _names("before=nobody")


def test_prune_goes_by_age_and_labels() -> None:
    now = 1795403115 * 10**9
    created = {
        "until=2026-11-23T03:00:03": "gone new",
        "label=a": "web gone",
        "label!=a=b": "paused gone new",
    }
    for text, names in created.items():
        accepts = prunable(Filters.parse([text]), now)
        assert " ".join(one.container.name for one in _ALL if accepts(one.container)) == names
    with pytest.raises(InvalidFilter, match="invalid filter 'name'"):
        prunable(Filters.parse(["name=x"]), now)
