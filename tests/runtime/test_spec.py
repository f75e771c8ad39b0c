"""Every option of HostConfig, by what it changes for the processes inside."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.box import Box

from millefeuille.errors import MilleError
from millefeuille.runtime import acceptance, cgroup, limits, namespaces, sharedmemory
from millefeuille.runtime.devices import InvalidDevice, NoSuchDevice
from millefeuille.runtime.filesystems import UnsafeMount
from millefeuille.runtime.init import InitMissing, find
from millefeuille.runtime.inroot import UnsafePath
from millefeuille.runtime.mountspace import privately
from millefeuille.runtime.namespaces import InvalidMode
from millefeuille.runtime.process import InvalidDirectory, NoCommand
from millefeuille.runtime.propagation import Deaf, PropagationUnsupported
from millefeuille.runtime.runtime import StartFailed, Stdio
from millefeuille.runtime.usage import usage
from millefeuille.runtime.users import NoSuchUser

pytestmark = pytest.mark.walk

DOCKERS = 0xA80425FB  # the mask of Docker's fourteen capabilities
KILL, NET_ADMIN, CHOWN = 1 << 5, 1 << 12, 1
CPUS = os.cpu_count() or 1


def status(text: str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def counted(box: Box, version1: str, version2: str, **wishes: Any) -> str:
    """A file of a container's control group, read while it is there."""
    id, bundle = box.bundle("sleep", "60", **wishes)
    box.runtime.create(id, bundle, Stdio(stdout=None, stderr=None))
    try:
        if namespaces.is_hybrid():
            controller, _, name = version1.partition("/")
            return Path(f"{cgroup.ROOT}/{controller}{box.runtime.group(id)}/{name}").read_text().strip()
        return Path(f"{cgroup.ROOT}{box.runtime.group(id)}/{version2}").read_text().strip()
    finally:
        box.runtime.delete(id)


def bind(source: object, target: str, *options: str) -> dict[str, Any]:
    words = ["rbind", "rprivate", *options]
    return {"destination": target, "type": "bind", "source": str(source), "options": words}


# What runs


def test_the_process_that_config_describes(box: Box) -> None:
    config = {
        "Entrypoint": ["sh", "-c"],
        "Cmd": ["pwd; id -u; id -G; hostname; env"],
        "Env": ["A=1", "B", "*", "A=2"],
        "User": "web",
        "WorkingDir": "/new/place",
        "Hostname": "somename",
    }
    ran = box.run(config=config, GroupAdd=["more", "77"])
    lines = ran.output.splitlines()
    assert lines[:4] == ["/new/place", "33", "34 50 60 77", "somename"]
    assert {"A=2", "HOSTNAME=somename", "HOME=/srv"} <= set(lines[4:])
    assert not any(line.startswith(("B", "*", "TERM")) for line in lines[4:])
    made = (box.root / "new/place").stat()
    assert (made.st_uid, stat.S_IMODE(made.st_mode)) == (0, 0o755)


def test_no_more_descriptors_than_three(box: Box) -> None:
    inherited = os.open("/etc", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    try:
        # The fourth is the directory that is listed.
        assert box.sh("ls /proc/self/fd").split() == ["0", "1", "2", "3"]
    finally:
        os.close(inherited)


def test_words_that_cannot_be_run(box: Box) -> None:
    with pytest.raises(NoCommand, match="no command specified"):
        box.run()
    with pytest.raises(StartFailed, match=r'exec: "nosuch": executable file not found in \$PATH'):
        box.run("nosuch")
    with pytest.raises(NoSuchUser, match="Unable to find group nosuch"):
        box.run("true", GroupAdd=["nosuch"])


def test_a_program_that_a_mount_brings(box: Box, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/tool").symlink_to("/bin/busybox")
    mounts = [bind(tmp_path / "tools", "/opt/tools")]
    assert box.run("/opt/tools/tool", "echo", "x", mounts=mounts).code == 127  # busybox knows no such applet
    with pytest.raises(StartFailed) as caught:
        box.run("/opt/tools/nosuch", mounts=mounts)
    assert caught.value.exit_code == 127


@pytest.mark.parametrize("path", ["/proc", "/proc/self/fd/7", "/link", "/deep/link/x"])
def test_working_directories_that_lead_out(box: Box, path: str) -> None:
    (box.root / "link").symlink_to("/proc/self/fd/7")
    (box.root / "deep").mkdir()
    (box.root / "deep/link").symlink_to("../../../../proc/self")
    with pytest.raises(InvalidDirectory, match="below /proc"):
        box.run("true", config={"WorkingDir": path})


def test_working_directories_through_links_stay_inside(box: Box, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (box.root / "away").symlink_to(outside)
    (box.root / "up").symlink_to("../../../..")
    (box.root / "round").symlink_to("round")
    assert box.sh("pwd", config={"WorkingDir": "/away/in"}) == f"{outside}/in\n"
    assert box.sh("pwd", config={"WorkingDir": "/up/x"}) == "/x\n"
    assert list(outside.iterdir()) == []
    with pytest.raises(UnsafePath, match="too many levels"):
        box.run("true", config={"WorkingDir": "/round/x"})


# What it may do


@pytest.mark.parametrize(
    ("wishes", "mask"),
    [
        ({}, DOCKERS),
        ({"CapAdd": ["NET_ADMIN"]}, DOCKERS | NET_ADMIN),
        ({"CapAdd": ["cap_net_admin"], "CapDrop": ["KILL"]}, (DOCKERS | NET_ADMIN) & ~KILL),
        ({"CapDrop": ["ALL"]}, 0),
        ({"CapDrop": ["all"], "CapAdd": ["CHOWN"]}, CHOWN),
    ],
)
def test_capabilities(box: Box, wishes: dict[str, Any], mask: int) -> None:
    told = status(box.sh("cat /proc/self/status", **wishes))
    assert [int(told[key], 16) for key in ("CapBnd", "CapEff", "CapPrm")] == [mask] * 3
    assert [int(told[key], 16) for key in ("CapInh", "CapAmb")] == [0, 0]


def test_all_capabilities_and_privileged(box: Box) -> None:
    ours = int(status(Path("/proc/self/status").read_text())["CapBnd"], 16)
    told = status(box.sh("cat /proc/self/status", CapAdd=["ALL"], CapDrop=["CHOWN"]))
    assert int(told["CapEff"], 16) == ours & ~CHOWN
    script = (
        "cat /proc/self/status; ls /dev/loop-control; touch /proc/sys/vm/swappiness; mkdir /sys/fs/cgroup/x"
    )
    script += "; cat /proc/mounts"
    told = status(output := box.run("sh", "-c", script, Privileged=True).output)
    assert int(told["CapEff"], 16) == ours
    assert (told["Seccomp"], "Read-only" in output) == ("0", False)
    assert ("/dev/loop-control\n" in output) == os.path.exists("/dev/loop-control")
    for path in Path("/sys/fs/cgroup").glob("*/x"):
        path.rmdir()


def test_seccomp(box: Box, tmp_path: Path) -> None:
    script = "grep Seccomp: /proc/self/status; unshare -U true 2>&1; echo $?"
    output = box.sh(script)
    assert output.startswith("Seccomp:\t2\n")
    assert "Operation not permitted" in output
    assert box.sh(script, SecurityOpt=["seccomp=unconfined"]) == "Seccomp:\t0\n0\n"
    assert box.sh(script, CapAdd=["SYS_ADMIN"]).endswith("\n0\n")
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}],
    }
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    for value in (json.dumps(profile), tmp_path / "profile.json"):
        ran = box.run("mkdir", "/x", SecurityOpt=[f"seccomp={value}"])
        assert "Operation not supported" in ran.output


def test_no_new_privileges(box: Box) -> None:
    for option in ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"):
        assert "NoNewPrivs:\t1\n" in box.sh("cat /proc/self/status", SecurityOpt=[option])
    assert "NoNewPrivs:\t0\n" in box.sh("cat /proc/self/status", SecurityOpt=["no-new-privileges:false"])


def test_masked_and_read_only_paths(box: Box) -> None:
    script = "ls /proc/acpi | wc -l; cat /proc/timer_list | wc -c; touch /proc/sys/vm/swappiness 2>&1"
    masked = box.run("sh", "-c", script).output
    assert masked.startswith("0\n0\n")
    assert "Read-only file system" in masked
    for wishes in ({"SecurityOpt": ["systempaths=unconfined"]}, {"MaskedPaths": [], "ReadonlyPaths": []}):
        assert "Read-only" not in box.run("sh", "-c", script, **wishes).output
    assert box.run("ls", "/srv/..", MaskedPaths=["/srv"]).code == 0
    (box.root / "srv/file").touch()
    assert box.sh("ls /srv", MaskedPaths=["/srv"]) == ""


def test_read_only_root(box: Box, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("x\n")
    script = "touch /x /srv/x /etc/hosts /sys/x; touch /dev/x /dev/shm/x /t/x && echo fine"
    ran = box.run(
        "sh", "-c", script, ReadonlyRootfs=True, Tmpfs={"/t": ""}, files={"/etc/hosts": f"{tmp_path}/hosts"}
    )
    assert ran.output.count("Read-only file system") == 4
    assert "fine\n" in ran.output


@pytest.mark.parametrize("option", ["no-new-privileges:maybe", "seccomp=/nosuch", "nosuch", "systempaths=x"])
def test_security_options_that_mean_nothing(box: Box, option: str) -> None:
    with pytest.raises(MilleError, match=r"invalid --security-opt 2|opening seccomp profile"):
        acceptance.check({"SecurityOpt": [option]})


def test_security_modules_are_not_driven() -> None:
    acceptance.check({"SecurityOpt": ["apparmor=unconfined", "label=disable", "label:disable"]})
    for option in ("apparmor=mine", "label=type:x"):
        with pytest.raises(MilleError, match="not supported"):
            acceptance.check({"SecurityOpt": [option]})


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"Annotations": {"a": "b"}}, "HostConfig.Annotations is not supported"),
        ({"StorageOpt": {"size": "1g"}}, "HostConfig.StorageOpt is not supported"),
        ({"Isolation": "hyperv"}, "HostConfig.Isolation is not supported"),
        ({"Runtime": "runsc"}, "unknown or invalid runtime name: runsc"),
        ({"UsernsMode": "private"}, "--userns private: not supported"),
        ({"CapAdd": ["X"]}, 'invalid CapAdd: unknown capability: "CAP_X"'),
        ({"DeviceRequests": [{"Count": -1}]}, "could not select device driver"),
        ({"PidMode": "ns:/proc/1/ns/pid"}, "invalid PID mode"),
    ],
)
def test_refused_at_creation(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(MilleError, match=re.escape(message)):
        acceptance.check(wishes)


def test_accepted_at_creation() -> None:
    acceptance.check({"Runtime": "runc", "PidMode": "container:x", "IpcMode": "shareable", "Annotations": {}})


# What it sees


def test_memory_file_systems(box: Box) -> None:
    output = box.sh(
        "grep -E ' (/t|/dev/shm|/u) ' /proc/mounts",
        Tmpfs={"/t": "rw,size=1m,mode=0700", "/u": "exec"},
        ShmSize=2 << 20,
    )
    lines = {line.split()[1]: line.split()[3].split(",") for line in output.splitlines()}
    assert {"size=1024k", "mode=700", "noexec", "nosuid", "nodev"} <= set(lines["/t"])
    assert "noexec" not in lines["/u"]
    assert "size=2048k" in lines["/dev/shm"]


def test_ipc_modes(box: Box) -> None:
    assert box.run("grep", " /dev/shm ", "/proc/mounts", IpcMode="none").code == 1
    host = os.readlink("/proc/self/ns/ipc")
    look = "stat -c %N /proc/self/ns/ipc"
    assert host in box.sh(look, IpcMode="host")
    assert host not in box.sh(look, IpcMode="shareable")


def test_namespaces_that_are_shared(box: Box) -> None:
    look = "for n in pid uts net; do stat -c %N /proc/self/ns/$n; done; hostname"
    host = box.sh(look, PidMode="host", UTSMode="host", NetworkMode="host")
    for name in ("pid", "uts", "net"):
        assert os.readlink(f"/proc/self/ns/{name}") in host
    assert host.endswith(f"\n{socket.gethostname()}\n")
    own = box.sh(look, config={"Hostname": "mine"})
    for name in ("pid", "uts", "net"):
        assert os.readlink(f"/proc/self/ns/{name}") not in own
    assert own.endswith("\nmine\n")


def test_namespaces_of_another_container(box: Box) -> None:
    id, bundle = box.bundle("sleep", "60")
    pid = box.runtime.create(id, bundle, Stdio(stdout=None, stderr=None))
    box.runtime.start(id)
    output = box.sh(
        "ps; stat -c %N /proc/self/ns/ipc /proc/self/ns/net",
        PidMode=f"ns:/proc/{pid}/ns/pid",
        IpcMode=f"ns:/proc/{pid}/ns/ipc",
        network=f"/proc/{pid}/ns/net",
    )
    assert "sleep 60" in output
    for name in ("ipc", "net"):
        assert os.readlink(f"/proc/{pid}/ns/{name}") in output


def test_cgroup_namespace(box: Box) -> None:
    assert "/millefeuille/" in box.sh("cat /proc/self/cgroup", CgroupnsMode="host")
    assert "/millefeuille/" not in box.sh("cat /proc/self/cgroup", CgroupnsMode="private")


def test_cgroup_parent(box: Box) -> None:
    output = box.sh("cat /proc/self/cgroup", CgroupnsMode="host", CgroupParent="/mille-test-parent")
    assert "/mille-test-parent/test-" in output
    for path in Path(cgroup.ROOT).glob("**/mille-test-parent"):
        path.rmdir()


@pytest.mark.parametrize(
    "mode", [{"PidMode": "x"}, {"IpcMode": "x"}, {"UTSMode": "ns:/x"}, {"CgroupnsMode": "x"}]
)
def test_modes_that_do_not_exist(box: Box, mode: dict[str, str]) -> None:
    with pytest.raises(InvalidMode):
        acceptance.check(mode)
    with pytest.raises(InvalidMode):
        box.run("true", **mode)


def test_sysctls_and_domain(box: Box) -> None:
    script = "cd /proc/sys; cat kernel/shm_rmid_forced kernel/domainname net/ipv4/ip_unprivileged_port_start"
    output = box.sh(script, Sysctls={"kernel.shm_rmid_forced": "1"}, config={"Domainname": "example.net"})
    assert output.split() == ["1", "example.net", "0"]
    with pytest.raises(StartFailed, match="sysctl"):
        box.run("true", Sysctls={"vm.swappiness": "10"})


def test_devices(box: Box) -> None:
    look = "stat -c '%F %t:%T %a' /dev/mine"
    device = {"PathOnHost": "/dev/zero", "PathInContainer": "/dev/mine", "CgroupPermissions": "r"}
    assert box.sh(look, Devices=[device]) == "character special file 1:5 666\n"
    with pytest.raises(NoSuchDevice, match='custom device "/dev/nosuch": no such file or directory'):
        box.run("true", Devices=[{"PathOnHost": "/dev/nosuch", "PathInContainer": "/dev/nosuch"}])
    with pytest.raises(InvalidDevice, match="not a device node"):
        box.run("true", Devices=[{"PathOnHost": "/etc/passwd", "PathInContainer": "/dev/x"}])


def test_device_rules(box: Box) -> None:
    # The control of loop devices, which is there whether or not any are.
    script = "mknod /tmp/d c 10 237 && head -c 0 /tmp/d 2>&1; rm /tmp/d"
    assert "Operation not permitted" in box.sh(script)
    assert "Operation not permitted" not in box.sh(script, DeviceCgroupRules=["c 10:* rwm"])
    with pytest.raises(InvalidDevice, match="invalid device cgroup rule format: 'x 1:1 r'"):
        acceptance.check({"DeviceCgroupRules": ["x 1:1 r"]})


def test_init(box: Box) -> None:
    try:
        find()
    except InitMissing:
        pytest.skip("no static init program")
    output = box.sh("cat /proc/1/cmdline; echo; ps", Init=True)
    assert output.startswith("/sbin/docker-init\0--\0sh\0")
    assert "docker-init" not in box.sh("cat /proc/1/cmdline", Init=False)


# Mounts


def test_mounts(box: Box, tmp_path: Path) -> None:
    volume, file = tmp_path / "volume", tmp_path / "file"
    volume.mkdir()
    file.write_text("content")
    (volume / "inner").mkdir()
    (box.root / "link").symlink_to("/srv/real")
    mounts = [
        bind(volume, "/data"),
        bind(file, "/data/inner/f", "ro"),
        bind(file, "/etc/new/f", "ro"),
        bind(volume, "/link/v", "ro"),
    ]
    script = "cat /data/inner/f /etc/new/f; touch /data/x; touch /link/v/y 2>&1; grep -c real/v /proc/mounts"
    output = box.sh(script, mounts=mounts)
    assert output == "contentcontenttouch: /link/v/y: Read-only file system\n1\n"
    assert (volume / "x").exists()
    assert (box.root / "srv/real/v").is_dir()


@pytest.mark.parametrize(
    "target", ["/", "/proc", "/dev", "/sys", "/proc/sys", "/p", "/p/1", "/d/x", "/sneaky"]
)
def test_mounts_on_the_kernels_file_systems(box: Box, tmp_path: Path, target: str) -> None:
    (box.root / "p").symlink_to("proc")
    (box.root / "d").symlink_to("/../dev")
    (box.root / "sneaky").symlink_to("srv/../sys")
    with pytest.raises(UnsafeMount):
        box.run("true", mounts=[bind(tmp_path, target)])
    with pytest.raises(UnsafeMount):
        box.run("true", Tmpfs={target: ""})
    if target not in ("/dev", "/sys"):
        with pytest.raises(UnsafeMount):
            box.run("true", mounts=[bind(tmp_path, target)], chosen=[target])


def test_the_kernels_file_systems_that_a_user_has_chosen(box: Box, tmp_path: Path) -> None:
    (tmp_path / "told").write_text("by lxcfs\n")
    names = "cpuinfo diskstats loadavg meminfo slabinfo stat swaps uptime".split()
    mounts = [bind(tmp_path / "told", f"/proc/{name}") for name in names]
    mounts += [bind("/sys", "/sys", "ro"), bind("/dev", "/dev")]
    chosen = [mount["destination"] for mount in mounts]
    output = box.sh("cat /proc/cpuinfo /proc/uptime; ls /sys /dev", mounts=mounts, chosen=chosen).split("\n")
    assert output[:2] == ["by lxcfs"] * 2
    assert {*os.listdir("/sys"), "full", "null"} <= {*output}
    mounts, chosen = [bind("/proc", "/proc")], ["/proc"]
    comm = Path("/proc/1/comm").read_text()
    script = "cat /proc/1/comm; grep -c '^proc /proc/sys proc ro' /proc/mounts"
    assert box.sh(script, mounts=mounts, chosen=chosen) == f"{comm}1\n"
    assert box.sh("ls /sys; grep -c ' /sys' /proc/mounts", Tmpfs={"/sys": ""}, chosen=["/sys"]) == "1\n"


@pytest.mark.parametrize("target", ["/proc/version", "/proc/sys/kernel/hostname", "/proc/self/attr"])
def test_no_other_file_of_proc_is_chosen(box: Box, tmp_path: Path, target: str) -> None:
    with pytest.raises(UnsafeMount, match=target):
        box.run("true", mounts=[bind("/dev/null", target)], chosen=[target])
    with pytest.raises(UnsafeMount, match="/proc/uptime"):
        box.run("true", Tmpfs={"/proc/uptime": ""}, chosen=["/proc/uptime"])
    with pytest.raises(UnsafeMount, match="/proc"):
        box.run("true", mounts=[bind("/proc/1", "/proc")], chosen=["/proc"], Privileged=True)


def test_mounts_in_dev(box: Box, tmp_path: Path) -> None:
    (tmp_path / "shm").mkdir()
    (tmp_path / "shm/mark").touch()
    mounts = [bind(tmp_path / "shm", "/dev/shm"), bind(tmp_path / "shm", "/dev/more")]
    assert box.sh("ls /dev/shm /dev/more", mounts=mounts).split() == [
        "/dev/more:",
        "mark",
        "/dev/shm:",
        "mark",
    ]


def test_the_hosts_devices_for_a_privileged_container(box: Box) -> None:
    mounts = [bind("/dev", "/dev"), bind("/sys", "/sys", "ro")]
    output = box.sh("ls /dev; grep -c ' /dev/pts ' /proc/mounts", mounts=mounts, Privileged=True)
    assert {name for name in os.listdir("/dev") if name.startswith(("null", "loop"))} <= set(output.split())
    with pytest.raises(UnsafeMount):
        box.run("true", mounts=mounts)


def test_a_device_under_another_name_for_a_privileged_container(box: Box) -> None:
    devices = [
        {"PathOnHost": "/dev/zero", "PathInContainer": "/dev/xyz", "CgroupPermissions": "rwm"},
        {"PathOnHost": "/dev/zero", "PathInContainer": "/dev/null", "CgroupPermissions": "rwm"},
        {"PathOnHost": "/dev/nosuch", "PathInContainer": "/dev/nosuch", "CgroupPermissions": "rwm"},
    ]
    output = box.sh("stat -c %T /dev/xyz /dev/null", Devices=devices, Privileged=True)
    assert output == "5\n3\n"
    with pytest.raises(NoSuchDevice):
        box.run("true", Devices=[{**devices[2], "PathInContainer": "/dev/x"}], Privileged=True)


def test_shared_memory_of_another_container(box: Box, tmp_path: Path) -> None:
    id, bundle = box.bundle("sh", "-c", "echo told > /dev/shm/word; exec sleep 60", ShmSize=1 << 20)
    pid = box.runtime.create(id, bundle, Stdio(stdout=None, stderr=None))
    box.runtime.start(id)
    mode = f"ns:/proc/{pid}/ns/ipc"

    def joined() -> str:
        mounts = sharedmemory.joined({"IpcMode": mode}, f"{tmp_path}/shm")
        script = "until cat /dev/shm/word 2>/dev/null; do :; done; grep ' /dev/shm ' /proc/mounts"
        return box.sh(script, mounts=mounts, IpcMode=mode)

    output = privately(joined)
    assert output.startswith("told\n")
    assert "size=1024k" in output
    assert f"{tmp_path}/shm" not in Path("/proc/self/mounts").read_text()
    with pytest.raises(sharedmemory.CannotShare, match="No such file"):
        sharedmemory.attach(2**22 + 1, f"{tmp_path}/shm")
    assert sharedmemory.joined({"IpcMode": "host"}, f"{tmp_path}/none") == []


def test_nothing_becomes_an_annotation_or_a_hook(box: Box) -> None:
    labels = {"run.oci.handler": "krun", "org.criu.config": "/x", "run.oci.hooks.stdout": "/x"}
    wishes = {"Annotations": labels, "config": {"Labels": labels}}
    _, bundle = box.bundle("true", **wishes)
    document = json.loads(Path(bundle, "config.json").read_text())
    assert not {"annotations", "hooks"} & set(document)


def test_host_files_through_links_of_the_image(box: Box, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("ours\n")
    (box.root / "etc/hosts").symlink_to("/run/gen/hosts")
    assert box.sh("cat /etc/hosts", files={"/etc/hosts": f"{tmp_path}/hosts"}) == "ours\n"
    (box.root / "etc/hostname").symlink_to("/proc/sys/kernel/hostname")
    with pytest.raises(UnsafeMount):
        box.run("true", files={"/etc/hostname": f"{tmp_path}/hosts"})


def test_shared_mounts_are_refused(box: Box, tmp_path: Path) -> None:
    wanted = {**bind(tmp_path, "/x"), "options": ["rbind", "rshared"]}
    with pytest.raises(PropagationUnsupported, match="propagation shared"):
        box.run("true", mounts=[wanted])


def test_a_bind_follows_only_a_source_that_is_told_of_mounts(box: Box, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    wanted = {**bind(source / "below", "/x"), "options": ["rbind", "rslave"]}
    subprocess.run(["mount", "-t", "tmpfs", "mine", source], check=True)
    try:
        (source / "below").mkdir()
        subprocess.run(["mount", "--make-private", source], check=True)
        with pytest.raises(Deaf, match=f"{source}/below is mounted on {source} but it is not a shared or"):
            box.run("true", mounts=[wanted])
        subprocess.run(["mount", "--make-shared", source], check=True)
        assert box.run("true", mounts=[wanted]).code == 0
    finally:
        subprocess.run(["umount", source], check=True)


# Limits


@pytest.mark.parametrize(
    ("wishes", "version1", "version2", "value"),
    [
        ({"Memory": 64 << 20}, "memory/memory.limit_in_bytes", "memory.max", str(64 << 20)),
        ({"Memory": 64 << 20}, "memory/memory.memsw.limit_in_bytes", "memory.swap.max", None),
        ({"PidsLimit": 9}, "pids/pids.max", "pids.max", "9"),
        ({"PidsLimit": -1}, "pids/pids.max", "pids.max", "max"),
        ({"CpuShares": 512}, "cpu/cpu.shares", "cpu.weight", None),
        ({"NanoCpus": 500_000_000}, "cpu/cpu.cfs_quota_us", "cpu.max", None),
        ({"CpuPeriod": 50_000, "CpuQuota": 25_000}, "cpu/cpu.cfs_period_us", "cpu.max", None),
        ({"CpusetCpus": "0"}, "cpuset/cpuset.cpus", "cpuset.cpus", "0"),
        ({"MemoryReservation": 8 << 20}, "memory/memory.soft_limit_in_bytes", "memory.low", str(8 << 20)),
    ],
)
def test_limits(box: Box, wishes: dict[str, Any], version1: str, version2: str, value: str | None) -> None:
    per_file = {
        "memory/memory.memsw.limit_in_bytes": (str(128 << 20), str(64 << 20)),
        "cpu/cpu.shares": ("512", "20"),
        "cpu/cpu.cfs_quota_us": ("50000", "50000 100000"),
        "cpu/cpu.cfs_period_us": ("50000", "25000 50000"),
    }
    expected = value or per_file[version1][0 if namespaces.is_hybrid() else 1]
    assert counted(box, version1, version2, **wishes) == expected


def test_ulimits_and_oom_score(box: Box) -> None:
    output = box.sh(
        "ulimit -n; cat /proc/self/oom_score_adj",
        Ulimits=[{"Name": "nofile", "Soft": 64, "Hard": 128}, {"Name": "core", "Soft": 0, "Hard": 0}],
        OomScoreAdj=500,
    )
    assert output == "64\n500\n"


def test_a_fork_bomb_is_stopped(box: Box) -> None:
    # Each process starts two like it; those that cannot, wait.
    bomb = "echo 'sh /tmp/b & sh /tmp/b & sleep 60' > /tmp/b; sh /tmp/b; sleep 60"
    id, bundle = box.bundle("sh", "-c", bomb, PidsLimit=20)
    pid = box.runtime.create(id, bundle, Stdio(stdout=None, stderr=None))
    box.runtime.start(id)
    top = f"{cgroup.ROOT}/pids" if namespaces.is_hybrid() else cgroup.ROOT
    refused = Path(f"{top}{box.runtime.group(id)}/pids.events")
    deadline = time.monotonic() + 20
    while refused.read_text() == "max 0\n":
        assert time.monotonic() < deadline
    for _ in range(50):
        told = usage(pid, id)
        assert told is not None
        assert told.processes <= 20
    box.runtime.delete(id)


def test_oom_is_noticed(box: Box) -> None:
    script = "sleep 60 & sleep 0.2; dd if=/dev/zero of=/dev/null bs=64M count=2; exec sleep 60"
    id, bundle = box.bundle("sh", "-c", script, Memory=16 << 20, MemorySwap=16 << 20)
    box.runtime.create(id, bundle, Stdio(stdout=None, stderr=None))
    assert not cgroup.oom_killed(box.runtime.group(id))
    box.runtime.start(id)
    deadline = time.monotonic() + 20
    while not cgroup.oom_killed(box.runtime.group(id)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_limits_that_cannot_be_set(box: Box) -> None:
    box.runtime.limits = False
    with pytest.raises(limits.LimitsUnsupported, match="limits on memory, pids cannot be set here"):
        box.run("true", Memory=64 << 20, PidsLimit=5)
    with pytest.raises(limits.LimitsUnsupported, match="limits on cpu cannot be set here"):
        acceptance.check({"CpuShares": 5}, limited=False)
    acceptance.check({"PidsLimit": 0, "Memory": 0}, limited=False)
    assert box.run("true").code == 0


def test_a_runtime_that_is_not_in_use_is_refused() -> None:
    acceptance.check({"Runtime": "crun"}, runtime="crun")
    with pytest.raises(acceptance.UnknownRuntime, match="runtime name: crun") as caught:
        acceptance.check({"Runtime": "crun"}, runtime="runc")
    assert caught.value.advice == "Containers on this host are run by runc."
