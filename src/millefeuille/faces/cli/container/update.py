"""`mille container update`."""

from __future__ import annotations

from millefeuille.annotations import Any, Final
from millefeuille.containers.updating import update
from millefeuille.docker.creation.policies import restart_policy
from millefeuille.docker.creation.quantities import memory_and_swap
from millefeuille.docker.creation.refused import unsupported
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container import creation_flags as flags
from millefeuille.faces.cli.container.each import each
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import Option, integer, string
from millefeuille.faces.cli.typed import amount
from millefeuille.values import replace

CPU_RT_PERIOD = integer("cpu-rt-period", "Limit the CPU real-time period in microseconds")
CPU_RT_RUNTIME = integer("cpu-rt-runtime", "Limit the CPU real-time runtime in microseconds")
KERNEL_MEMORY = replace(amount("kernel-memory", "Kernel memory limit"), hidden=True)
MEMORY_SWAP = amount(
    "memory-swap", "Swap limit equal to memory plus swap: -1 to enable unlimited swap", read=memory_and_swap
)
RESTART = string("restart", "Restart policy to apply when a container exits")

_MEMBERS: Final[tuple[tuple[Option[Any], str], ...]] = (
    (flags.BLKIO_WEIGHT, "BlkioWeight"),
    (flags.CPU_PERIOD, "CpuPeriod"),
    (flags.CPU_QUOTA, "CpuQuota"),
    (CPU_RT_PERIOD, "CpuRealtimePeriod"),
    (CPU_RT_RUNTIME, "CpuRealtimeRuntime"),
    (flags.CPU_SHARES, "CpuShares"),
    (flags.CPUS, "NanoCpus"),
    (flags.CPUSET_CPUS, "CpusetCpus"),
    (flags.CPUSET_MEMS, "CpusetMems"),
    (flags.MEMORY, "Memory"),
    (flags.MEMORY_RESERVATION, "MemoryReservation"),
    (MEMORY_SWAP, "MemorySwap"),
    (flags.PIDS_LIMIT, "PidsLimit"),
)
_OPTIONS: Final = (*(option for option, _ in _MEMBERS), KERNEL_MEMORY, RESTART)


def run(context: Context, call: Call) -> int:
    """Change limits and restart policies."""
    if not any(call.given(option) for option in _OPTIONS):
        raise Refusal("you must provide one or more flags when using this command")
    if call[KERNEL_MEMORY]:
        raise unsupported("--kernel-memory")
    changes = {member: call[option] for option, member in _MEMBERS if call[option]}
    if call[RESTART]:
        with exits.refusing():
            changes["RestartPolicy"] = restart_policy(call[RESTART])
    return each(context, call, lambda host, container: update(host, container, changes))


COMMAND = Command(
    usage="[OPTIONS] CONTAINER [CONTAINER...]",
    arguments=at_least(1),
    options=_OPTIONS,
    run=run,
    complete="container",
)
