"""The description of the engine, against the lines that docker 28.2.2 prints."""

from __future__ import annotations

import json

import pytest

from millefeuille.docker.formatted import InvalidFormat, execute, parse
from millefeuille.docker.shapes.info import EngineInfo, info_json, info_text
from millefeuille.docker.shapes.info_struct import info_struct

_INFO = EngineInfo(
    id="abc",
    version="1.0",
    root="/root",
    time="2026-11-23T03:05:18.396560916Z",
    name="vm",
    kernel="6.18",
    operating_system="Debian",
    architecture="x86_64",
    cpus=2,
    memory=25_276_502_016,
    images=10,
    driver="erofs",
    driver_status=(("A", "b"),),
    running=1,
    stopped=2,
    limits=frozenset({"MemoryLimit"}),
    cgroup_version="1",
    runtimes={"runc": "/usr/sbin/runc", "crun": "/usr/bin/crun"},
    default_runtime="crun",
    security=("name=seccomp,profile=builtin", "name=rootless"),
    insecure=("127.0.0.1:5055", "::1/128"),
    mirrors=("http://m/",),
    http_proxy="http://h",
)

_TEXT = """\
Client:
 Version: 1.0

Server:
 Containers: 3
  Running: 1
  Paused: 0
  Stopped: 2
 Images: 10
 Server Version: 1.0
 Storage Driver: erofs
  A: b
 Logging Driver: json-file
 Cgroup Driver: cgroupfs
 Cgroup Version: 1
 Plugins:
  Volume: local
  Network: bridge host null
  Log: json-file none
 Runtimes: crun runc
 Default Runtime: crun
 Security Options:
  seccomp
   Profile: builtin
  rootless
 Kernel Version: 6.18
 Operating System: Debian
 OSType: linux
 Architecture: x86_64
 CPUs: 2
 Total Memory: 23.54GiB
 Name: vm
 ID: abc
 Docker Root Dir: /root
 Debug Mode: false
 HTTP Proxy: http://h
 Experimental: false
 Insecure Registries:
  127.0.0.1:5055
  ::1/128
 Registry Mirrors:
  http://m/
 Live Restore Enabled: false
"""


def test_the_lines_of_docker() -> None:
    assert info_text(info_json(_INFO), {"Version": "1.0"}) == _TEXT


def test_members_that_clients_read() -> None:
    info = info_json(_INFO)
    assert (info["OSType"], info["Swarm"]["LocalNodeState"], info["DefaultRuntime"]) == (
        "linux",
        "inactive",
        "crun",
    )
    assert (info["MemoryLimit"], info["PidsLimit"], info["Containers"]) == (True, False, 3)
    assert info["RegistryConfig"]["IndexConfigs"]["127.0.0.1:5055"]["Secure"] is False
    assert info["RegistryConfig"]["IndexConfigs"]["docker.io"]["Secure"] is True


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Driver}} {{.DriverStatus}} {{.ServerVersion}} {{.ClientInfo.Version}}", "erofs [[A b]] 1.0 2.0"),
        ("{{.Images}}|{{.Swarm.LocalNodeState}}|{{.SecurityOptions}}|{{.MemTotal}}",
         "10|inactive|[name=seccomp,profile=builtin name=rootless]|25276502016"),
        ("{{.CPUCfsQuota}} {{.CPUCfsPeriod}} {{.HTTPProxy}} {{.ServerErrors}} {{.Containerd}}",
         "false false http://h [] <nil>"),
        ("{{.KernelMemory}} {{.SystemStatus}} {{.Swarm.Nodes}} {{.Swarm.Cluster}} {{.RuncCommit.Expected}}|",
         "false [] 0 <nil> |"),
        ("{{.ClientInfo.APIVersion}}|{{.ClientInfo.Platform}}", "|<nil>"),
        ("{{range .Runtimes}}{{.Path}}|{{.Args}} {{end}}", "/usr/bin/crun|[] /usr/sbin/runc|[] "),
        ("{{.Info.Name}} {{join .SecurityOptions \"+\"}}", "vm name=seccomp,profile=builtin+name=rootless"),
    ],
)  # fmt: skip
def test_templates(template: str, text: str) -> None:
    assert execute(parse(template), info_struct(info_json(_INFO), {"Version": "2.0"})) == text


def test_json_has_the_members_that_the_object_has() -> None:
    found = info_json(_INFO)
    shown = json.loads(execute(parse("{{json .}}"), info_struct(found, {"Version": "2.0"})))
    assert shown == {**found, "ClientInfo": {"Version": "2.0"}}


def test_unknown_fields_name_the_type() -> None:
    with pytest.raises(InvalidFormat, match=r"can't evaluate field Nope in type system\.dockerInfo$"):
        execute(parse("{{.Nope}}"), info_struct(info_json(_INFO), {}))
