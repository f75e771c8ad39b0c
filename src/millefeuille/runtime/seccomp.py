"""Seccomp: which system calls a container may make. The default is an allow-list with Docker's rules.

Profiles are in Docker's format: rules that hold for some capabilities, architectures or kernels only. The OCI
spec knows no conditions, so `resolved` decides them here. A call that no rule allows fails with EPERM.

Source: moby profiles/seccomp (default_linux.go, seccomp_linux.go); Linux system call tables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from millefeuille.errors import Invalid

_EPERM: Final = 1
_ENOSYS: Final = 38
_AF_VSOCK: Final = 40
# clone(2) with any flag that makes a namespace: CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
_NEW_NAMESPACES: Final = 0x7E020000
_PERSONALITIES: Final = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

# What may always be called. Names that an architecture or libseccomp does not know are passed over by
# runtimes.
_ALWAYS: Final = """
    _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown
    chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
    clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
    eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate
    fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync
    fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync
    ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat
    get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32
    getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority
    getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt
    gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
    inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit
    ioctl ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self
    lchown lchown32 lgetxattr link linkat listen listxattr listxattrat llistxattr lremovexattr lseek
    lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir
    mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open
    mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl
    msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat
    openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
    ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64
    pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg
    remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall rmdir rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
    sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl
    semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
    set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
    setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
    setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat
    shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair
    splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs sysinfo tee
    tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
    timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times
    tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat
    utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
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
        given = profile.get("architectures") or [f"SCMP_ARCH_{name}" for name in every]
        document["architectures"] = list(given)
        document["syscalls"] = [
            _without_conditions(rule)
            for rule in profile.get("syscalls") or ()
            if _holds(rule, own, _version(machine.release), capabilities)
        ]
    except (AttributeError, TypeError, KeyError) as error:
        raise InvalidProfile(f"the seccomp profile is malformed: {error}") from None
    return document


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
