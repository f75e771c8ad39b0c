"""Fields of an inspected container that its JSON leaves out, against the CLI of Docker 28.2.2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from millefeuille.docker.inspection import render
from millefeuille.docker.shapes.container import CONTAINER

_INSPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "container" / "inspect.json").read_text()
)
_BIND = {
    "Type": "bind", "Source": "/tmp", "Destination": "/t", "Mode": "", "RW": True, "Propagation": "rprivate",
}  # fmt: skip
_VOLUME = {
    "Type": "volume", "Name": "q", "Source": "/v/q", "Destination": "/q", "Driver": "local", "Mode": "z",
    "RW": True, "Propagation": "",
}  # fmt: skip
_SHOWN: dict[str, Any] = {
    **_INSPECTED,
    "State": {
        **_INSPECTED["State"],
        "Health": {
            "Status": "healthy", "FailingStreak": 0,
            "Log": [{"Start": "2026-11-23T03:05:14.5Z", "End": "2026-11-23T03:05:15Z", "ExitCode": 0,
                     "Output": "fine"}],
        },
    },
    "Config": {
        **_INSPECTED["Config"], "Healthcheck": {"Test": ["CMD-SHELL", "x"], "Timeout": 90_000_000_000},
    },
    "HostConfig": {
        **_INSPECTED["HostConfig"],
        "Mounts": [{"Type": "volume", "Source": "q", "Target": "/q",
                    "VolumeOptions": {"NoCopy": True, "DriverConfig": {}}},
                   {"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o750}}],
    },
    "Mounts": [_BIND, _VOLUME],
    "NetworkSettings": {
        **_INSPECTED["NetworkSettings"],
        "Networks": {"n": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}, "NetworkID": "i"}},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{range .Mounts}}{{.Name}}|{{.Driver}},{{end}}", "|,q|local,"),
        ("{{range .Mounts}}{{if .Name}}{{.Name}}{{end}}{{end}}", "q"),
        ("{{.Mounts}}", "[{bind  /tmp /t   true rprivate} {volume q /v/q /q local z true }]"),
        ("{{with .Config.Healthcheck}}{{.Interval}} {{.Timeout}} {{.StartPeriod}} {{.Retries}}{{end}}",
         "0s 1m30s 0s 0"),
        ("{{if .Config.Healthcheck.Interval}}set{{end}}", ""),
        ("{{range .HostConfig.Mounts}}{{.ReadOnly}} {{.Consistency}}|{{.BindOptions}},{{end}}",
         "false |<nil>,false |<nil>,"),
        ("{{with (index .HostConfig.Mounts 0).VolumeOptions}}{{.NoCopy}} {{.Labels}}{{.Subpath}}"
         "|{{.DriverConfig.Name}}{{end}}", "true map[]|"),
        ("{{.Config.MacAddress}}|{{.Config.NetworkDisabled}} {{.Config.ArgsEscaped}} {{.Config.StopTimeout}}"
         " {{.Config.Shell}}", "|false false <nil> []"),
        ("{{.HostConfig.KernelMemory}} {{.HostConfig.KernelMemoryTCP}} {{.HostConfig.Init}}", "0 0 <nil>"),
        ("{{with .NetworkSettings.Networks.n.IPAMConfig}}{{.IPv4Address}} {{.IPv6Address}}|{{.LinkLocalIPs}}"
         "{{end}}", "10.0.0.9 |[]"),
        ("{{(index .HostConfig.Mounts 1).TmpfsOptions}}", "{1048576 -rwxr-x--- []}"),
        ("{{.ImageManifestDescriptor}} {{.SizeRw}}", "<nil> <nil>"),
        ("{{range .State.Health.Log}}{{.Start}} {{.Output}}{{end}}", "2026-11-23 03:05:14.5 +0000 UTC fine"),
    ],
)  # fmt: skip
def test_fields_that_json_leaves_out_are_zero(template: str, text: str) -> None:
    assert render([_SHOWN], template, CONTAINER) == (f"{text}\n", ())


def test_json_shows_what_it_did_without_a_template() -> None:
    assert json.loads(render([_SHOWN], "{{json .}}", CONTAINER)[0]) == _SHOWN
    shown = json.loads(render([_INSPECTED], "{{json .}}", CONTAINER)[0])
    assert json.dumps(shown) == json.dumps(_INSPECTED), "in the same order"
