"""Seccomp: which system calls a container may make. The default is an allow-list with Docker's rules.

Profiles are in Docker's format: rules that hold for some capabilities, architectures or kernels only. The OCI
spec knows no conditions, so `resolved` decides them here. A call that no rule allows fails with EPERM.

Source: moby profiles/seccomp (default_linux.go, seccomp_linux.go); Linux system call tables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.later import re

_EPERM: Final = 1
_ENOSYS: Final = 38
_AF_VSOCK: Final = 40
# clone(2) with any flag that makes a namespace: CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
_NEW_NAMESPACES: Final = 0x7E020000
_PERSONALITIES: Final = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

# What may always be called. Names that an architecture or libseccomp does not know are passed over by
# runtimes. From the highest number on x86-64 to the lowest, what it has not before: libseccomp keeps calls in
# the order of their numbers, and looks for the place of each from the front.
_ALWAYS: Final = """
    _llseek _newselect chown32 clock_adjtime64 clock_getres_time64 clock_gettime64 clock_nanosleep_time64
    fadvise64_64 fchown32 fcntl64 fstat64 fstatat64 fstatfs64 ftruncate64 futex_time64 getegid32 geteuid32
    getgid32 getgroups32 getresgid32 getresuid32 getuid32 io_pgetevents_time64 ipc lchown32 lstat64 mmap2
    mq_timedreceive_time64 mq_timedsend_time64 ppoll_time64 pselect6_time64 recv recvmmsg_time64
    rt_sigtimedwait_time64 sched_rr_get_interval_time64 semtimedop_time64 send sendfile64 setfsgid32
    setfsuid32 setgid32 setgroups32 setregid32 setresgid32 setresuid32 setreuid32 setuid32 sigprocmask
    sigreturn socketcall stat64 statfs64 timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64
    truncate64 ugetrlimit utimensat_time64 waitpid removexattrat listxattrat getxattrat setxattrat mseal
    futex_requeue futex_wait futex_wake map_shadow_stack fchmodat2 cachestat futex_waitv process_mrelease
    memfd_secret landlock_restrict_self landlock_add_rule landlock_create_ruleset epoll_pwait2 faccessat2
    openat2 close_range pidfd_open pidfd_send_signal uretprobe rseq io_pgetevents statx pkey_free pkey_alloc
    pkey_mprotect pwritev2 preadv2 copy_file_range mlock2 membarrier execveat memfd_create getrandom seccomp
    renameat2 sched_getattr sched_setattr getcpu sendmmsg syncfs clock_adjtime name_to_handle_at prlimit64
    fanotify_mark recvmmsg rt_tgsigqueueinfo pwritev preadv inotify_init1 pipe2 dup3 epoll_create1 eventfd2
    signalfd4 accept4 timerfd_gettime timerfd_settime fallocate eventfd timerfd_create signalfd epoll_pwait
    utimensat vmsplice sync_file_range tee splice get_robust_list set_robust_list ppoll pselect6 faccessat
    fchmodat readlinkat symlinkat linkat renameat unlinkat newfstatat futimesat fchownat mknodat mkdirat
    openat inotify_rm_watch inotify_add_watch inotify_init ioprio_get ioprio_set waitid mq_getsetattr
    mq_notify mq_timedreceive mq_timedsend mq_unlink mq_open utimes tgkill epoll_ctl epoll_wait exit_group
    clock_nanosleep clock_getres clock_gettime timer_delete timer_getoverrun timer_gettime timer_settime
    timer_create fadvise64 semtimedop restart_syscall set_tid_address getdents64 remap_file_pages
    epoll_wait_old epoll_ctl_old epoll_create get_thread_area io_cancel io_submit io_getevents io_destroy
    io_setup set_thread_area sched_getaffinity sched_setaffinity futex time tkill fremovexattr lremovexattr
    removexattr flistxattr llistxattr listxattr fgetxattr lgetxattr getxattr fsetxattr lsetxattr setxattr
    readahead gettid sync setrlimit adjtimex prctl munlockall mlockall munlock mlock sched_rr_get_interval
    sched_get_priority_min sched_get_priority_max sched_getscheduler sched_setscheduler sched_getparam
    sched_setparam setpriority getpriority fstatfs statfs mknod utime sigaltstack rt_sigsuspend
    rt_sigqueueinfo rt_sigtimedwait rt_sigpending capset capget getsid setfsgid setfsuid getpgid getresgid
    setresgid getresuid setresuid setgroups getgroups setregid setreuid setsid getpgrp getppid setpgid
    getegid geteuid setgid setuid getgid getuid times sysinfo getrusage getrlimit gettimeofday umask lchown
    fchown chown fchmod chmod readlink symlink unlink link creat rmdir mkdir rename fchdir chdir getcwd
    getdents ftruncate truncate fdatasync fsync flock fcntl msgctl msgrcv msgsnd msgget shmdt semctl semop
    semget uname kill wait4 exit execve vfork fork getsockopt setsockopt socketpair getpeername getsockname
    listen bind shutdown recvmsg sendmsg recvfrom sendto accept connect sendfile getpid setitimer alarm
    getitimer nanosleep pause dup2 dup shmctl shmat shmget madvise mincore msync mremap sched_yield select
    pipe access writev readv pwrite64 pread64 ioctl rt_sigreturn rt_sigprocmask rt_sigaction brk munmap
    mprotect mmap lseek poll lstat fstat stat close open write read
"""

_BY_CAPABILITY: Final = {
    "CAP_DAC_READ_SEARCH": "open_by_handle_at",
    "CAP_SYS_ADMIN": """
        bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listmount lookup_dcookie mount
        mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname
        setns statmount syslog umount umount2 unshare
    """,
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYS_CHROOT": "chroot",
    "CAP_SYS_MODULE": "delete_module finit_module init_module",
    "CAP_SYS_PACCT": "acct",
    "CAP_SYS_PTRACE": "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    "CAP_SYS_RAWIO": "ioperm iopl",
    "CAP_SYS_TIME": "clock_settime clock_settime64 settimeofday stime",
    "CAP_SYS_TTY_CONFIG": "vhangup",
    "CAP_SYS_NICE": "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    "CAP_SYSLOG": "syslog",
    "CAP_BPF": "bpf",
    "CAP_PERFMON": "perf_event_open",
}

# Names of architectures as Docker's profiles have them.
_BY_ARCHITECTURE: Final = {
    "ppc64le": "sync_file_range2 swapcontext",
    "arm arm64": "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
    "amd64 x32": "arch_prctl",
    "amd64 x32 x86": "modify_ldt",
    "s390 s390x": "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr",
    "riscv64": "riscv_flush_icache riscv_hwprobe",
}

# The machine's name, Docker's for it, and the architectures of the calls that its processes can make.
_ARCHITECTURES: Final = {
    "x86_64": ("amd64", ("X86_64", "X86", "X32")),
    "aarch64": ("arm64", ("AARCH64", "ARM")),
    "armv7l": ("arm", ("ARM",)),
    "i686": ("x86", ("X86",)),
    "mips64": ("mips64", ("MIPS64", "MIPS", "MIPS64N32")),
    "ppc64le": ("ppc64le", ("PPC64LE",)),
    "riscv64": ("riscv64", ("RISCV64",)),
    "s390x": ("s390x", ("S390X", "S390")),
}

_KEPT: Final = ("defaultAction", "defaultErrnoRet", "flags", "listenerPath", "listenerMetadata")
_KEPT_OF_RULE: Final = ("action", "errnoRet")


class InvalidProfile(Invalid):
    """The text is no seccomp profile."""


def default() -> dict[str, Any]:
    """The profile of a container that asks for none, in Docker's format."""
    rules = [
        _rule(_ALWAYS),
        _rule("process_vm_readv process_vm_writev ptrace", includes={"minKernel": "4.8"}),
        _rule("socket", args=[_argument(0, "NE", _AF_VSOCK)]),
        *(_rule("personality", args=[_argument(0, "EQ", value)]) for value in _PERSONALITIES),
        *(_rule(names, includes={"arches": arches.split()}) for arches, names in _BY_ARCHITECTURE.items()),
        *(_rule(names, includes={"caps": [name]}) for name, names in _BY_CAPABILITY.items()),
        *_rules_for_clone(),
    ]
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": _EPERM, "syscalls": rules}


def resolved(profile: Mapping[str, Any], capabilities: Sequence[str]) -> dict[str, Any]:
    """The OCI spec's `seccomp` member of a profile, for this machine. Raises InvalidProfile."""
    machine = os.uname()
    own, every = _ARCHITECTURES.get(machine.machine, (machine.machine, ()))
    try:
        document = {key: profile[key] for key in _KEPT if profile.get(key) is not None}
        if "defaultAction" not in document:
            raise InvalidProfile("the seccomp profile has no defaultAction")
        if profile.get("architectures") and profile.get("archMap"):
            raise InvalidProfile("use either 'architectures' or 'archMap'")
        given = profile.get("architectures") or _mapped(profile.get("archMap") or (), every)
        document["architectures"] = list(given)
        document["syscalls"] = [
            _without_conditions(rule)
            for rule in profile.get("syscalls") or ()
            if _holds(rule, own, _version(machine.release), capabilities)
        ]
    except (AttributeError, TypeError, KeyError):
        raise InvalidProfile(
            "Decoding seccomp profile failed: a member is of another kind than it has to be"
        ) from None
    return document


def _mapped(table: Sequence[Mapping[str, Any]], every: Sequence[str]) -> list[str]:
    """The architectures that a profile's table has for this machine's, or all of the machine's calls."""
    names = [f"SCMP_ARCH_{name}" for name in every]
    for row in table:
        if names and row["architecture"] == names[0]:
            return [row["architecture"], *(row.get("subArchitectures") or ())]
    return names


def _rules_for_clone() -> list[dict[str, Any]]:
    """Without CAP_SYS_ADMIN threads and processes may be made, namespaces not.

    The flags of clone3 lie in memory, where no filter sees them: ENOSYS makes the C library use clone.
    """
    lacking: dict[str, Any] = {"caps": ["CAP_SYS_ADMIN"]}
    rules = []
    for position, key in ((0, "excludes"), (1, "includes")):
        rule = _rule("clone", args=[_argument(position, "MASKED_EQ", _NEW_NAMESPACES)], excludes=lacking)
        arches = {"arches": ["s390", "s390x"]}
        rule[key] = {**rule.get(key, {}), **arches}
        rules.append(rule)
    rules.append(_rule("clone3", action="SCMP_ACT_ERRNO", excludes=lacking) | {"errnoRet": _ENOSYS})
    return rules


def _rule(names: str, *, action: str = "SCMP_ACT_ALLOW", **conditions: Any) -> dict[str, Any]:
    return {"names": names.split(), "action": action, **conditions}


def _argument(index: int, operator: str, value: int) -> dict[str, Any]:
    # MASKED_EQ compares what the mask leaves with the second value.
    return {"index": index, "value": value, "valueTwo": 0, "op": f"SCMP_CMP_{operator}"}


def _holds(rule: Mapping[str, Any], own: str, version: tuple[int, int], capabilities: Sequence[str]) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if includes.get("arches") and own not in includes["arches"]:
        return False
    if not set(includes.get("caps") or ()) <= set(capabilities):
        return False
    if includes.get("minKernel") and version < _version(includes["minKernel"]):
        return False
    if own in (excludes.get("arches") or ()) or set(excludes.get("caps") or ()) & set(capabilities):
        return False
    return not excludes.get("minKernel") or version < _version(excludes["minKernel"])


def _without_conditions(rule: Mapping[str, Any]) -> dict[str, Any]:
    names = [*(rule.get("names") or ()), *([rule["name"]] if rule.get("name") else ())]
    kept = {key: rule[key] for key in _KEPT_OF_RULE if rule.get(key) is not None}
    arguments = [dict(argument) for argument in rule.get("args") or ()]
    return {"names": names, **kept, **({"args": arguments} if arguments else {})}


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
