"""What the command of a RUN finds: user, directory, variables, names, limits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.build.running.steps import Steps

from millefeuille.build.running.entitlements import EntitlementMissing
from millefeuille.build.running.failure import StepFailed

pytestmark = pytest.mark.walk


def test_user_by_name_has_its_groups(steps: Steps) -> None:
    steps.sh("id -u; id -g; id -G", user="web")
    assert steps.output == "33\n34\n34 50\n"


def test_group_of_the_user(steps: Steps) -> None:
    steps.sh("id -u; id -G", user="web:extra")
    assert steps.output == "33\n50\n"


def test_directory_that_is_missing_is_the_users(steps: Steps) -> None:
    changes = steps.sh("pwd; stat -c '%a %u %g' .", directory="/a/b", user="web")
    assert steps.output == "/a/b\n755 33 34\n"
    assert [(path, entry.uid, entry.gid) for path, entry in changes.items()] == [
        ("a", 33, 34), ("a/b", 33, 34)
    ]  # fmt: skip


def test_directory_that_is_there_is_no_change(steps: Steps) -> None:
    assert steps.sh("pwd", directory="/srv") == {}
    assert steps.output == "/srv\n"


def test_variables(steps: Steps) -> None:
    steps.run("env", environment=("A=1", "B=x=y", "A=2"), proxies=("http_proxy=http://p", "B=no"))
    assert set(steps.output.splitlines()) == {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=2", "B=x=y",
        "http_proxy=http://p", "HOME=/root",
    }  # fmt: skip


@pytest.mark.parametrize("own", ["x", "buildkitsandbox"])
def test_variable_hostname(steps: Steps, own: str) -> None:
    steps.run("env", environment=(f"HOSTNAME={own}",))
    assert f"HOSTNAME={own}" in steps.output.splitlines()


def test_names(steps: Steps) -> None:
    changes = steps.sh(
        "cat /proc/sys/kernel/hostname /etc/hosts; cat /etc/resolv.conf", extra_hosts=(("db", "10.0.0.9"),)
    )
    assert steps.output.startswith("buildkitsandbox\n127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost")
    assert "10.0.0.9\tdb\n" in steps.output
    assert changes == {}  # the places of the two files are taken back, and /etc has its time again


def test_no_network(steps: Steps) -> None:
    steps.sh("cat /proc/net/dev; cat /sys/class/net/lo/operstate", network="none")
    assert [line.split(":")[0].strip() for line in steps.output.splitlines() if ":" in line] == ["lo"]
    steps.sh("cat /proc/net/fib_trie", network="none")
    assert "127.0.0.1" in steps.output  # the loopback is up


def test_network_of_the_host(steps: Steps) -> None:
    steps.sh("stat -L -c %i /proc/self/ns/net")
    assert int(steps.output) == os.stat("/proc/self/ns/net").st_ino
    with pytest.raises(EntitlementMissing, match=r"network\.host is not allowed"):
        steps.run("true", network="host")


def test_security(steps: Steps) -> None:
    steps.sh("cat /proc/self/status")
    status = dict(line.split(":", 1) for line in steps.output.splitlines())
    assert (int(status["CapEff"], 16), status["NoNewPrivs"].strip()) == (0xA80425FB, "0")
    assert status["Seccomp"].strip() == "2"
    with pytest.raises(EntitlementMissing, match=r"security\.insecure is not allowed"):
        steps.run("true", security="insecure")


def test_insecure(steps: Steps) -> None:
    steps.allow("security.insecure")
    steps.sh("cat /proc/self/status", security="insecure")
    status = dict(line.split(":", 1) for line in steps.output.splitlines())
    with open("/proc/self/status", encoding="ascii") as file:
        ours = dict(line.split(":", 1) for line in file.read().splitlines())
    assert (status["CapEff"], status["Seccomp"].strip()) == (ours["CapEff"], "0")


def test_limits(steps: Steps) -> None:
    limit = {"Name": "nofile", "Soft": 100, "Hard": 200}
    steps.sh("cat /proc/self/limits; cat /proc/mounts", ulimits=(limit,), shm_size=8 << 20)
    assert "Max open files            100                  200" in steps.output
    assert any(" /dev/shm " in line and "size=8192k" in line for line in steps.output.splitlines())


def test_memory_is_limited(steps: Steps) -> None:
    parent = f"/mille-test-{os.getpid()}"
    steps.sh("cat /proc/self/cgroup", resources={"Memory": 64 << 20, "CgroupParent": parent})
    groups = [line.rsplit(":", 1)[1] for line in steps.output.splitlines() if parent in line]
    assert groups
    assert not [path for group in groups for path in Path("/sys/fs/cgroup").glob(f"*{group}")]
    for path in Path("/sys/fs/cgroup").glob(f"*{parent}"):
        path.rmdir()  # it was the user's, and stays
    with pytest.raises(StepFailed, match="exit code: 137"):
        steps.sh("busybox tail -c 200m /dev/zero >/dev/null; exit $?", resources={"Memory": 64 << 20})


def test_nothing_is_mounted_on_run(steps: Steps) -> None:
    assert sorted(steps.sh("mkdir /run; echo x > /run/it")) == ["run", "run/it"]
