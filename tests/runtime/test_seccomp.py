"""Seccomp profiles: conditions decided for one machine."""

from __future__ import annotations

import os
from typing import Any

import pytest

from millefeuille.runtime.seccomp import InvalidProfile, default, resolved
from millefeuille.runtime.security import InvalidSecurityOption, parsed

DANGEROUS = ("keyctl", "add_key", "userfaultfd", "kexec_load", "nfsservctl", "io_uring_setup", "swapon")


def allowed(document: dict[str, Any]) -> set[str]:
    return {
        name
        for rule in document["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and "args" not in rule
        for name in rule["names"]
    }


def machine(monkeypatch: pytest.MonkeyPatch, name: str, release: str = "6.1.0-9-x") -> None:
    told = os.uname_result(("Linux", "host", release, "#1", name))
    monkeypatch.setattr(os, "uname", lambda: told)


def test_default_without_capabilities() -> None:
    document = resolved(default(), [])
    names = allowed(document)
    assert document["defaultAction"] == "SCMP_ACT_ERRNO"
    assert document["defaultErrnoRet"] == 1
    assert {"read", "openat", "execve", "futex"} <= names
    assert not names & {*DANGEROUS, "mount", "unshare", "setns", "bpf", "reboot", "chroot", "clone", "clone3"}
    assert {"clone", "clone3", "socket", "personality"} <= {
        name for rule in document["syscalls"] for name in rule["names"]
    }
    assert len(allowed(resolved(default(), []))) > 300


@pytest.mark.parametrize(
    ("capability", "names"),
    [
        ("CAP_SYS_ADMIN", {"mount", "unshare", "setns", "clone", "clone3", "bpf"}),
        ("CAP_SYS_CHROOT", {"chroot"}),
        ("CAP_SYS_TIME", {"clock_settime"}),
        ("CAP_SYSLOG", {"syslog"}),
        ("CAP_SYS_PTRACE", {"kcmp", "process_madvise"}),
    ],
)
def test_what_capabilities_add(capability: str, names: set[str]) -> None:
    without, with_it = resolved(default(), []), resolved(default(), [capability])
    assert names <= allowed(with_it)
    assert not names & allowed(without)
    assert not set(DANGEROUS) & allowed(with_it)
    assert allowed(without) <= allowed(with_it)


def test_the_flags_of_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, index in (("x86_64", 0), ("aarch64", 0), ("s390x", 1)):
        machine(monkeypatch, name)
        rules = [rule for rule in resolved(default(), [])["syscalls"] if rule["names"] == ["clone"]]
        assert [[argument["index"] for argument in rule["args"]] for rule in rules] == [[index]]
        clone3 = [rule for rule in resolved(default(), [])["syscalls"] if rule["names"] == ["clone3"]]
        assert [(rule["action"], rule["errnoRet"]) for rule in clone3] == [("SCMP_ACT_ERRNO", 38)]


def test_architectures_and_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, "x86_64")
    document = resolved(default(), [])
    assert document["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    assert "arch_prctl" in allowed(document)
    assert "ptrace" in allowed(document)
    machine(monkeypatch, "aarch64", "4.7.9")
    document = resolved(default(), [])
    assert document["architectures"] == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    assert "arch_prctl" not in allowed(document)
    assert "ptrace" not in allowed(document)


def test_a_profile_of_the_users() -> None:
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}],
        "syscalls": [
            {"name": "mkdir", "action": "SCMP_ACT_ERRNO", "comment": "x", "args": None},
            {"names": ["rmdir"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_KILL"]}},
            {"names": ["link"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_KILL"]}},
        ],
    }
    rules = resolved(profile, ["CAP_KILL"])["syscalls"]
    assert rules == [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["rmdir"], "action": "SCMP_ACT_ERRNO"},
    ]


def test_a_table_of_architectures(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
    ]
    machine(monkeypatch, "x86_64")
    profile: dict[str, Any] = {"defaultAction": "SCMP_ACT_ALLOW", "archMap": table}
    assert resolved(profile, [])["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
    with pytest.raises(InvalidProfile, match="either 'architectures' or 'archMap'"):
        resolved({**profile, "architectures": ["SCMP_ARCH_X86_64"]}, [])


@pytest.mark.parametrize(
    "profile",
    [
        {}, {"defaultAction": "x", "syscalls": [7]}, {"defaultAction": "x", "syscalls": 7},
        {"defaultAction": "x", "syscalls": "x"}, {"defaultAction": "x", "archMap": 3},
        {"defaultAction": "x", "archMap": [{"subArchitectures": []}]},
    ],
)  # fmt: skip
def test_profiles_that_are_none(profile: dict[str, Any]) -> None:
    with pytest.raises(InvalidProfile):
        resolved(profile, [])


@pytest.mark.parametrize("text", ["{", '{"a":', "[]"])
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises((InvalidProfile, InvalidSecurityOption)):
        parsed([f"seccomp={text}"])


def test_options() -> None:
    assert parsed([]).profile == default()
    assert parsed([], privileged=True).profile is None
    assert parsed(["seccomp=unconfined"]).profile is None
    assert parsed(["seccomp=builtin"], privileged=True).profile == default()
    assert parsed(["seccomp:unconfined", "systempaths=unconfined"]).shows_system_paths
