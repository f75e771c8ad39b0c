"""What a host's control groups can hold a container to, told by the files of either version."""

from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.runtime import cgroup

_CPU = frozenset({"CpuCfsPeriod", "CpuCfsQuota", "CPUShares"})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroup, "ROOT", str(tmp_path))
    return tmp_path


def test_version_1_tells_by_the_files_of_each_controller(root: Path) -> None:
    assert cgroup.limits() == frozenset()
    cpu = (f"cpu/cpu.{name}" for name in ("shares", "cfs_period_us", "cfs_quota_us"))
    for name in ("memory/memory.limit_in_bytes", *cpu):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    assert cgroup.limits() == _CPU | {"MemoryLimit"}
    (root / "memory/memory.memsw.limit_in_bytes").touch()
    assert cgroup.limits() == _CPU | {"MemoryLimit", "SwapLimit"}


def test_version_2_tells_by_its_list_of_controllers(root: Path) -> None:
    (root / "cgroup.controllers").write_text("cpu io memory hugetlb\n")
    assert cgroup.limits() == _CPU | {"MemoryLimit", "SwapLimit"}
    (root / "cgroup.controllers").write_text("cpuset pids\n")
    assert cgroup.limits() == {"CPUSet", "PidsLimit"}


@pytest.mark.parametrize(
    ("group", "own"),
    [
        ("/", ""), ("/user.slice/session-1.scope", ""), ("/millefeuille/ab-id", "/millefeuille/ab-id"),
        ("/id", "/id"), ("/mine/ab-id/init.scope", "/mine/ab-id"), ("/millefeuille/ab-other", ""),
    ],
)  # fmt: skip
def test_which_group_is_a_containers_own(group: str, own: str) -> None:
    assert cgroup.own(group, "id") == own
