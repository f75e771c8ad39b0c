"""`info`: the lines and members of docker 28.2.2, with facts of this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille import kernel
from millefeuille.runtime import cgroup
from millefeuille.snapshots import attach

_NO_FIELD = 'template: :1:2: executing "" at <.Nope>: can\'t evaluate field'


def info(home: Home, template: str) -> str:
    out, err, code = home.mille("info", "--format", template)
    assert (err, code) == ("", 0)
    return out.removesuffix("\n")


def test_the_text(home: Home) -> None:
    out, _, code = home.mille("info")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Client:"
    assert lines[2:6] == [" Context:    default", " Debug Mode: false", "", "Server:"]
    assert " Images: 0" in lines
    assert " Storage Driver: erofs" in lines
    assert f" Kernel Version: {os.uname().release}" in lines
    assert f" Docker Root Dir: {home.store}" in lines
    assert lines[-1] == " Live Restore Enabled: false"
    assert not home.store.exists(), "looking makes no store"


def test_facts_of_this_machine(home: Home) -> None:
    found = json.loads(info(home, "json"))
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    # The kernel keeps some pages for itself between the two ways to ask.
    assert abs(found["MemTotal"] - int(memory.split()[1]) * 1024) < 256 << 20
    assert found["NCPU"] == len(os.sched_getaffinity(0))
    assert (found["Architecture"], found["Name"]) == (os.uname().machine, os.uname().nodename)
    assert found["ClientInfo"]["Version"] == found["ServerVersion"]
    assert found["RegistryConfig"]["InsecureRegistryCIDRs"] == ["::1/128", "127.0.0.0/8"]
    assert info(home, "{{.ID}}") == found["ID"], "the same store says the same"


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's containers are held to other things")
def test_what_containers_are_held_to(home: Home) -> None:
    found = json.loads(info(home, "json"))
    limits = ("MemoryLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit")
    assert frozenset(name for name in limits if found[name]) == cgroup.limits() - {"SwapLimit"}
    seccomp = ["name=seccomp,profile=builtin"] if "Seccomp:" in Path("/proc/self/status").read_text() else []
    assert (found["CgroupDriver"], found["SecurityOptions"]) == ("cgroupfs", seccomp)
    assert found["LoggingDriver"] == "json-file"
    assert found["Plugins"]["Network"] == ["bridge", "host", "null"]


def test_configured_registries(home: Home) -> None:
    configuration = home.directory / "daemon.json"
    configuration.write_text(
        json.dumps({"registry-mirrors": ["http://127.0.0.1:5000"], "insecure-registries": ["r.example:5000"]})
    )
    lines = home.mille("info", environment={"MILLE_DAEMON_JSON": str(configuration)})[0].splitlines()
    first = lines.index(" Insecure Registries:")
    assert lines[first + 1 : first + 4] == ["  r.example:5000", "  ::1/128", "  127.0.0.0/8"]
    assert lines[lines.index(" Registry Mirrors:") + 1] == "  http://127.0.0.1:5000/"


def test_a_proxy_keeps_its_password(home: Home) -> None:
    environment = {"HTTPS_PROXY": "http://user:secret@p.example:3128"}
    out = home.mille("info", environment=environment)[0]
    assert " HTTPS Proxy: http://p.example:3128" in out
    assert "secret" not in out
    assert "secret" not in home.mille("info", "--format", "json", environment=environment)[0]


def test_how_images_are_mounted(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    assert home.mille("import", str(tmp_path / "empty.tar"), "x")[2] == 0
    assert info(home, "{{.Images}}") == "1"
    rows = dict(json.loads(info(home, "{{json .DriverStatus}}")))
    assert rows["Backing Filesystem"]
    if os.geteuid() == 0:
        assert rows["Mounts"].startswith(("the kernel mounts", "not possible: "))
    else:
        assert rows["Mounts"] == "not possible: only root can mount EROFS images"
    assert list((home.store / "trash").iterdir()) == []


@pytest.mark.parametrize(
    ("template", "out", "err", "code"),
    [
        ("{{.Nope}}", "\n",
         f"{_NO_FIELD} Nope in type system.dockerInfo\n", 1),
        ("{{.Nope", "", "template parsing error: template: :1: unclosed action\n", 64),
        ("{{.Driver}} {{.ClientInfo.Context}}", "erofs default\n", "", 0),
    ],
)  # fmt: skip
def test_templates(home: Home, template: str, out: str, err: str, code: int) -> None:
    assert home.mille("info", "-f", template) == (out, err, code)


def test_the_snapshotter_asked_for(home: Home) -> None:
    environment = {"MILLE_SNAPSHOTTER": "overlay"}
    assert " Storage Driver: overlay" in home.mille("info", environment=environment)[0].splitlines()
    out, err, code = home.mille("info", environment={"MILLE_SNAPSHOTTER": "btrfs"})
    assert (out, code) == ("", 1)
    assert err == "Error: unknown snapshotter 'btrfs'\nMILLE_SNAPSHOTTER can be erofs or overlay.\n"


@pytest.mark.walk
def test_a_store_where_nothing_can_be_changed(home: Home, tmp_path: Path) -> None:
    """On an overlay, as in a container without a volume."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    assert json.loads(info(home, "{{json .Warnings}}")) is None
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    home.store.mkdir()
    options = [("source", "overlay"), ("lowerdir", str(home.store))]
    options += [("upperdir", str(tmp_path / "upper")), ("workdir", str(tmp_path / "work"))]
    descriptor = attach.detached("overlay", options)
    kernel.move_mount(descriptor, str(home.store))
    os.close(descriptor)
    try:
        (tmp_path / "empty.tar").write_bytes(bytes(10240))
        assert home.mille("import", str(tmp_path / "empty.tar"), "x")[2] == 0
        where = f"overlayfs cannot keep what it changes on the file system of {home.store}"
        warning = f"WARNING: No container can run: {where}"
        out, err, code = home.mille("info", "-f", "{{json .Warnings}}")
        assert (json.loads(out), err, code) == ([warning], "", 0)
        _, err, code = home.mille("run", "--network", "none", "x", "true")
        assert code == 125
        assert err.splitlines()[1] == (
            "Put the store on another one, such as a volume or a tmpfs, with `--root` or MILLE_ROOT."
        )
    finally:
        kernel.unmount(str(home.store), detach=True)
