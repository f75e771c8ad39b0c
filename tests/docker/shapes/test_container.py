"""Containers as Docker shows them, against transcripts of dockerd 28.2.2."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from millefeuille.containers.record import Container, MountPoint
from millefeuille.containers.state import State
from millefeuille.docker.inspection import render as render_inspected
from millefeuille.docker.listing import render
from millefeuille.docker.shapes.container import CONTAINER, ContainerFacts, container_inspect
from millefeuille.docker.shapes.container_ports import port_list, ports_text, published_lines
from millefeuille.docker.shapes.container_status import status_text
from millefeuille.docker.shapes.container_summary import (
    CONTAINERS,
    Listed,
    container_row,
    container_summary,
)
from millefeuille.oci.digest import Digest

_VECTORS = Path(__file__).parent.parent / "vectors" / "container"
_INSPECTED: dict[str, Any] = json.loads((_VECTORS / "inspect.json").read_text())
_LISTED: list[dict[str, Any]] = json.loads((_VECTORS / "list.json").read_text())
_REQUEST: dict[str, Any] = json.loads((_VECTORS / "create.json").read_text())
_NOW = 1795403115.0  # 2026-11-23 03:05:15
_CONFIG = {k: v for k, v in _REQUEST.items() if k not in ("HostConfig", "NetworkingConfig")}


@pytest.fixture
def container() -> Container:
    """The container of the transcript, as its record would be here."""
    config = {**_CONFIG, "Hostname": _INSPECTED["Config"]["Hostname"], "Volumes": None}
    return Container(
        id=_INSPECTED["Id"], name="exx", created=_INSPECTED["Created"],
        image=Digest.parse(_INSPECTED["Image"]), chain=None, layers=(), path="sleep", args=("100",),
        platform="linux/amd64", config=config, host_config=_REQUEST["HostConfig"],
        networking=_REQUEST["NetworkingConfig"],
    )  # fmt: skip


_RUNNING = State(status="running", pid=1350, started="2026-11-23T03:05:14.459311572Z")


def _facts() -> ContainerFacts:
    return ContainerFacts(
        directory=_INSPECTED["LogPath"].rpartition("/")[0], log=_INSPECTED["LogPath"],
        network=_INSPECTED["NetworkSettings"], driver_data=_INSPECTED["GraphDriver"]["Data"],
    )  # fmt: skip


def test_inspects_as_docker_does(container: Container) -> None:
    shown = container_inspect(container, _RUNNING, _facts())
    assert shown == _INSPECTED
    assert json.dumps(shown) == json.dumps(_INSPECTED)  # the order of the members too


def test_lists_as_docker_does(container: Container) -> None:
    listed = Listed(
        container=container, state=_RUNNING, image="busybox", network=_INSPECTED["NetworkSettings"]
    )
    shown = container_summary(listed, _NOW)
    assert json.dumps(shown) == json.dumps(_LISTED[0])
    row = container_row(shown, _NOW)
    assert render(CONTAINERS, [row]) == (
        "CONTAINER ID   IMAGE     COMMAND       CREATED        STATUS                  PORTS     NAMES\n"
        'c0a60fa967fb   busybox   "sleep 100"   1 second ago   Up Less than a second             exx\n'
    )
    assert render(CONTAINERS, [row], "json") == (
        '{"Command":"\\"sleep 100\\"","CreatedAt":"2026-11-23 03:05:14 +0000 UTC","ID":"c0a60fa967fb",'
        '"Image":"busybox","Labels":"","LocalVolumes":"0","Mounts":"","Names":"exx","Networks":"none",'
        '"Platform":null,"Ports":"","RunningFor":"1 second ago","Size":"0B","State":"running",'
        '"Status":"Up Less than a second"}\n'
    )


def test_an_image_that_lost_its_name_is_shown_by_its_id(container: Container) -> None:
    id = str(container.image)
    row = {
        truncated: container_row(
            container_summary(
                Listed(container=container, state=State(), image=id, network={}), _NOW
            ), _NOW, truncate=truncated,
        )["Image"]
        for truncated in (True, False)
    }  # fmt: skip
    assert row == {True: "58f792f769ac", False: id}


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (State(), "Created"),
        (_RUNNING, "Up Less than a second"),
        (replace(_RUNNING, started="2026-11-23T03:05:12Z"), "Up 3 seconds"),
        (
            replace(_RUNNING, started="2026-11-23T03:05:12Z", health={"Status": "healthy"}),
            "Up 3 seconds (healthy)",
        ),
        (
            replace(_RUNNING, started="2026-11-23T03:05:12Z", health={"Status": "starting"}),
            "Up 3 seconds (health: starting)",
        ),
        (State(status="paused", started="2026-11-23T03:03:12Z"), "Up 2 minutes (Paused)"),
        (
            State(status="exited", exit_code=137, started="2026-11-23T03:03:12Z",
                  finished="2026-11-23T03:05:13Z"), "Exited (137) 2 seconds ago",
        ),
        (
            State(status="restarting", exit_code=1, started="2026-11-23T03:03:12Z",
                  finished="2026-11-23T03:05:12Z"), "Restarting (1) 3 seconds ago",
        ),
        (State(status="removing"), "Removal In Progress"),
        (State(status="dead"), "Dead"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_status(state: State, text: str) -> None:
    assert status_text(state, _NOW) == text


def _bound(*ports: str) -> list[dict[str, str]]:
    return [{"HostIp": address, "HostPort": port} for port in ports for address in ("0.0.0.0", "::")]


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ({}, ""),
        ({"80/tcp": None}, "80/tcp"),
        ({"80/tcp": _bound("8089")}, "0.0.0.0:8089->80/tcp, [::]:8089->80/tcp"),
        ({"80/tcp": _bound("80")}, "0.0.0.0:80->80/tcp, [::]:80->80/tcp"),
        (
            {"80/tcp": _bound("80"), "81/tcp": _bound("81"), "82/tcp": _bound("82")},
            "0.0.0.0:80-82->80-82/tcp, [::]:80-82->80-82/tcp",
        ),
        ({"90/tcp": None, "91/tcp": None, "93/tcp": None, "90/udp": None}, "90-91/tcp, 93/tcp, 90/udp"),
        (
            {"80/tcp": _bound("8080"), "443/tcp": None, "53/udp": _bound("53")},
            "443/tcp, 0.0.0.0:53->53/udp, [::]:53->53/udp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
        ),
    ],
    ids=str,
)
def test_ports(ports: dict[str, Any], text: str) -> None:
    assert sorted(ports_text(port_list(ports)).split(", ")) == sorted(text.split(", "))


def test_published_ports_by_number() -> None:
    ports = {"443/tcp": [{"HostIp": "::", "HostPort": "8443"}], "80/tcp": _bound("8080"), "90/tcp": None}
    assert published_lines(ports) == [
        ("80/tcp", "0.0.0.0:8080"), ("80/tcp", "[::]:8080"), ("443/tcp", "[::]:8443"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.ID}}: {{.Command}}", 'c0a60fa967fb: "sleep 100"\n'),
        ('{{.Label "a"}}|{{.Label "none"}}', "b|\n"),
        ('table {{.Names}}\t{{.Label "com.x-y_z"}}', "NAMES     x y z\nexx       \n"),
        ("{{.Labels}} {{.LocalVolumes}} {{.Networks}}", "a=b,c2=,c=d 1 none\n"),
        ("{{.Mounts}}", "data,/srv/a-very-lo…\n"),
        ("{{.Size}} {{.State}} {{.Image}}", "2B (virtual 1.98MB) running busybox\n"),
        ("{{.Platform}} {{json .Platform}}", "<nil> null\n"),
    ],
)
def test_templates(container: Container, template: str, text: str) -> None:
    labelled = replace(
        container,
        config={**container.config, "Labels": {"c": "d", "a": "b", "c2": ""}},
        mounts=(
            MountPoint(type="volume", target="/d", name="data", source="/v/data"),
            MountPoint(type="bind", target="/s", source="/srv/a-very-long-path"),
        ),
    )
    listed = Listed(
        container=labelled, state=_RUNNING, image="busybox@sha256:" + "a" * 64,
        network=_INSPECTED["NetworkSettings"], size=2, size_with_image=1984174,
    )  # fmt: skip
    assert render(CONTAINERS, [container_row(container_summary(listed, _NOW), _NOW)], template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{json .State}} {{json .Config}}", None),
        ("{{.State.Pid}} {{.State.Running}} {{.Id}} {{.Name}}", f"1350 true {_INSPECTED['Id']} /exx\n"),
        ("{{.ID}}", f"{_INSPECTED['Id']}\n"),
        ("{{slice (print .State) 0 10}} {{.State.Health}}", "&{running  <nil>\n"),
        ("{{if eq .State.ExitCode 0}}zero{{end}}", "zero\n"),
        ("{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{.NetworkID}}{{end}}",
         "none 0e18652c8b1271b27b97ee046c7baf69c6feac7f6250010bf2259302d31827e7\n"),
        ("{{.HostConfig.NetworkMode}} {{.HostConfig.ShmSize}}", "none 67108864\n"),
        ("{{json .HostConfig.RestartPolicy}}", '{"Name":"no","MaximumRetryCount":0}\n'),
        ("{{.Config.Cmd}} {{len .Mounts}} {{.Config.Image}}", "[sleep 100] 0 busybox\n"),
    ],
)  # fmt: skip
def test_inspect_templates(container: Container, template: str, text: str | None) -> None:
    shown = container_inspect(container, _RUNNING, _facts())
    output, problems = render_inspected([shown], template, CONTAINER)
    expected = text or (_VECTORS / "state-config.txt").read_text()
    assert (output, problems) == (expected, ())


def test_a_missing_member_is_an_error_of_the_template(container: Container) -> None:
    shown = container_inspect(container, _RUNNING, _facts())
    _, problems = render_inspected([shown], "{{.State.Health.Status}}", CONTAINER)
    assert [str(problem) for problem in problems] == [
        'template parsing error: template: :1:8: executing "" at <.State.Health.Status>:'
        ' map has no entry for key "Health"'
    ]


def test_mounts_of_each_kind(container: Container) -> None:
    mounted = replace(
        container,
        host_config={
            **container.host_config, "Tmpfs": {"/t": ""}, "Mounts": [{"Target": "/n/"}, {"Target": "/o"}],
        },
        mounts=(
            MountPoint(type="bind", target="/b", source="/srv", read_only=True, options=("ro",)),
            MountPoint(
                type="bind", target="/s", source="/srv", propagation="rslave", options=("Z", "rslave")
            ),
            MountPoint(type="volume", target="/v", source="/vol/x/_data", name="x"),
            MountPoint(type="tmpfs", target="/t"),
            MountPoint(type="tmpfs", target="/u"),
            MountPoint(type="volume", target="/n", name="y", source="/vol/y/_data", options=("nocopy",)),
            MountPoint(type="bind", target="/o", source="/srv", options=("bind",)),
        ),
    )  # fmt: skip
    assert container_inspect(mounted, _RUNNING, _facts())["Mounts"] == [
        {"Type": "bind", "Source": "/srv", "Destination": "/b", "Mode": "ro", "RW": False,
         "Propagation": "rprivate"},
        {"Type": "bind", "Source": "/srv", "Destination": "/s", "Mode": "Z,rslave", "RW": True,
         "Propagation": "rslave"},
        {"Type": "volume", "Name": "x", "Source": "/vol/x/_data", "Destination": "/v", "Driver": "local",
         "Mode": "z", "RW": True, "Propagation": ""},
        {"Type": "tmpfs", "Source": "", "Destination": "/u", "Mode": "", "RW": True, "Propagation": ""},
        {"Type": "volume", "Name": "y", "Source": "/vol/y/_data", "Destination": "/n", "Driver": "local",
         "Mode": "z", "RW": True, "Propagation": ""},
        {"Type": "bind", "Source": "/srv", "Destination": "/o", "Mode": "", "RW": True,
         "Propagation": "rprivate"},
    ]  # fmt: skip
