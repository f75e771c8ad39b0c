"""Limits: Docker's checks in Docker's words, and what becomes of them in the OCI spec."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.errors import MilleError
from millefeuille.runtime import limits

MIB = 1 << 20
CPUS = os.cpu_count() or 1


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"Memory": 6 * MIB - 1}, "Minimum memory limit allowed is 6MB"),
        (
            {"Memory": 64 * MIB, "MemorySwap": 32 * MIB},
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            {"MemorySwap": 32 * MIB},
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        ({"MemoryReservation": 1}, "Minimum memory reservation allowed is 6MB"),
        (
            {"Memory": 8 * MIB, "MemoryReservation": 9 * MIB},
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ),
        ({"MemorySwappiness": 101}, "Invalid value: 101, valid memory swappiness range is 0-100"),
        (
            {"NanoCpus": CPUS * 10**9 + 1},
            f"Range of CPUs is from 0.01 to {CPUS}.00, as there are only {CPUS} CPUs available",
        ),
        (
            {"NanoCpus": 1},
            f"Range of CPUs is from 0.01 to {CPUS}.00, as there are only {CPUS} CPUs available",
        ),
        (
            {"NanoCpus": 10**9, "CpuPeriod": 1000},
            "Conflicting options: Nano CPUs and CPU Period cannot both be set",
        ),
        (
            {"NanoCpus": 10**9, "CpuQuota": 1000},
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ),
        (
            {"CpuPeriod": 999},
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ),
        ({"CpuShares": -1}, "invalid CPU shares (-1): value must be a positive integer"),
        ({"CpuQuota": 999}, "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
        ({"CpusetCpus": "1-"}, "Invalid value 1- for cpuset cpus"),
        ({"CpusetMems": "x"}, "Invalid value x for cpuset mems"),
        ({"BlkioWeight": 9}, "Range of blkio weight is from 10 to 1000"),
        ({"OomScoreAdj": 1001}, "Invalid value 1001, range for oom score adj is [-1000, 1000]"),
        ({"ShmSize": -1}, "SHM size can not be less than 0"),
        (
            {"Ulimits": [{"Name": "nofile", "Soft": 2, "Hard": 1}]},
            "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
        ),
        ({"Ulimits": [{"Name": "files", "Soft": 1, "Hard": 1}]}, "invalid ulimit type: files"),
        ({"Memory": "1g"}, "Memory: '1g' is no whole number"),
    ],
)
def test_refused(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(MilleError) as caught:
        limits.check(wishes)
    assert str(caught.value) == message


def test_cpus_that_are_not_there() -> None:
    with pytest.raises(limits.InvalidLimit, match="Requested CPUs are not available - requested 0-8000"):
        limits.check({"CpusetCpus": "0-8000"})
    limits.check({"CpusetCpus": "0", "CpusetMems": "0"})


def test_what_docker_sends_when_nothing_is_asked_for() -> None:
    nothing = {
        "Memory": 0, "MemorySwap": 0, "MemoryReservation": 0, "MemorySwappiness": -1, "NanoCpus": 0,
        "CpuShares": 0, "CpuPeriod": 0, "CpuQuota": 0, "CpusetCpus": "", "CpusetMems": "", "PidsLimit": 0,
        "BlkioWeight": 0, "BlkioWeightDevice": [], "BlkioDeviceReadBps": [], "OomKillDisable": False,
        "Ulimits": [], "ShmSize": 0, "OomScoreAdj": 0,
    }  # fmt: skip
    for wishes in (nothing, dict.fromkeys(nothing), {}):
        limits.check(wishes)
        assert limits.resources(wishes) == {}


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"Memory": 8 * MIB}, {"memory": {"limit": 8 * MIB, "swap": 16 * MIB}}),
        ({"Memory": 8 * MIB, "MemorySwap": -1}, {"memory": {"limit": 8 * MIB, "swap": -1}}),
        ({"Memory": 8 * MIB, "MemorySwap": 9 * MIB}, {"memory": {"limit": 8 * MIB, "swap": 9 * MIB}}),
        ({"MemorySwappiness": 0}, {"memory": {"swappiness": 0}}),
        ({"OomKillDisable": True}, {"memory": {"disableOOMKiller": True}}),
        ({"NanoCpus": 1_500_000_000}, {"cpu": {"period": 100_000, "quota": 150_000}}),
        ({"CpuShares": 1}, {"cpu": {"shares": 2}}),
        ({"CpuShares": 10**9}, {"cpu": {"shares": 262_144}}),
        ({"CpuQuota": 5000, "CpusetCpus": "0"}, {"cpu": {"quota": 5000, "cpus": "0"}}),
        ({"PidsLimit": 7}, {"pids": {"limit": 7}}),
        ({"PidsLimit": -1}, {"pids": {"limit": -1}}),
        ({"BlkioWeight": 10}, {"blockIO": {"weight": 10}}),
        (
            {"BlkioDeviceReadBps": [{"Path": "/dev/null", "Rate": 5}]},
            {"blockIO": {"throttleReadBpsDevice": [{"major": 1, "minor": 3, "rate": 5}]}},
        ),
    ],
)
def test_resources(wishes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert limits.resources(wishes) == expected


NUMBERS = {
    "Memory": st.integers(0, 1 << 40),
    "MemorySwap": st.integers(-1, 1 << 40),
    "MemoryReservation": st.integers(0, 1 << 40),
    "NanoCpus": st.integers(0, CPUS * 10**9),
    "CpuShares": st.integers(0, 1 << 20),
    "CpuPeriod": st.integers(0, 1_000_000),
    "CpuQuota": st.integers(-1, 1 << 30),
    "PidsLimit": st.integers(-1, 1 << 22),
}


@given(st.fixed_dictionaries({}, optional=NUMBERS))
def test_whatever_passes_is_in_order(wishes: dict[str, int]) -> None:
    try:
        limits.check(wishes)
    except limits.InvalidLimit:
        return
    found = limits.resources(wishes)
    memory, cpu = found.get("memory", {}), found.get("cpu", {})
    if "limit" in memory:
        assert memory["limit"] == wishes["Memory"] >= 6 * MIB
        assert memory["swap"] == -1 or memory["swap"] >= memory["limit"]
    assert memory.get("reservation", 0) <= memory.get("limit", 1 << 40)
    if wishes.get("NanoCpus"):
        assert 1000 <= cpu["quota"] <= CPUS * cpu["period"]
    assert cpu.get("shares", 2) in range(2, 262_145)
    # Nothing in them stands for nothing asked.
    assert all(part for part in found.values())


@given(st.fixed_dictionaries({}, optional=NUMBERS), st.sampled_from(sorted(NUMBERS)))
def test_what_is_not_asked_for_changes_nothing(wishes: dict[str, int], key: str) -> None:
    without = {name: value for name, value in wishes.items() if name != key}
    assert limits.resources(without) == limits.resources({**without, key: 0})


@pytest.mark.parametrize(
    ("wishes", "what"),
    [
        ({"Memory": 8 << 20, "PidsLimit": 5}, "limits on memory, pids"),
        ({"CgroupParent": "/mine"}, "a control group below /mine"),
        ({"DeviceCgroupRules": ["c 1:1 r"]}, "limits on devices"),
        ({"Devices": [{"PathOnHost": "/dev/null", "CgroupPermissions": "r"}]}, "limits on devices"),
        ({"CpuShares": 5, "DeviceCgroupRules": ["c 1:1 r"], "CgroupParent": "/m"}, "limits on cpu, devices"),
    ],
)  # fmt: skip
def test_what_needs_a_control_group(wishes: dict[str, Any], what: str) -> None:
    with pytest.raises(limits.LimitsUnsupported) as raised:
        limits.resources(wishes, settable=False)
    assert str(raised.value) == f"{what} cannot be set here"
    limits.resources(wishes)


@pytest.mark.parametrize(
    "wishes",
    [
        {}, {"CgroupParent": "", "DeviceCgroupRules": []}, {"Devices": [{"PathOnHost": "/dev/null"}]},
        {"Devices": [{"PathOnHost": "/dev/null", "CgroupPermissions": "mrw"}]},
        {"Privileged": True, "DeviceCgroupRules": ["c 1:1 r"]},
    ],
)  # fmt: skip
def test_what_needs_none(wishes: dict[str, Any]) -> None:
    assert limits.resources(wishes, settable=False) == {}
