"""Limits and the restart policy of a container that exists, changed.

Source: moby v28.2.2, daemon/update.go and container/container_unix.go `UpdateContainer`.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.containers import records
from millefeuille.containers.conflicts import Conflicting, check_restart_policy
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.pausing import tell
from millefeuille.containers.record import Container
from millefeuille.errors import MilleError
from millefeuille.runtime import limits
from millefeuille.values import replace

# What is asked for, what the container may have already, and how the two are called.
_EXCLUSIVE: Final = (
    ("NanoCpus", "CpuPeriod", "Nano CPUs", "CPU Period"),
    ("NanoCpus", "CpuQuota", "Nano CPUs", "CPU Quota"),
    ("CpuPeriod", "NanoCpus", "CPU Period", "NanoCPUs"),
    ("CpuQuota", "NanoCpus", "CPU Quota", "NanoCPUs"),
)


def update(host: Host, container: Container, changes: Mapping[str, Any]) -> Container:
    """Change limits and the restart policy (keys of `HostConfig`), at once where it runs.

    Raises Conflicting, InvalidLimit, LimitsUnsupported.
    """
    check_restart_policy(changes.get("RestartPolicy") or {})
    limits.check(changes, update=True)
    if reason := _refusal(container.host_config, changes):
        raise Conflicting(f"Cannot update container {container.id}: {reason}")
    host_config = _merged(container.host_config, changes)
    now = records.state(host.place, container.id)
    if now.running:
        try:
            if now.pid:
                resources = limits.resources(host_config, settable=host.runtime.limits)
                host.runtime.update(container.id, resources)
        except MilleError:
            if records.state(host.place, container.id).pid:
                raise  # else it has ended meanwhile, and starts with these limits next time
        policy = host_config.get("RestartPolicy") or {}
        told = f"{policy.get('Name') or 'no'} {policy.get('MaximumRetryCount') or 0}"
        tell(host.place, container, b"u", told.encode())
    changed = replace(container, host_config=host_config)
    records.save(host.place, changed)
    note(host.store, container, "update")
    return changed


def _merged(now: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The HostConfig changed. The limit of swap that followed from the one of memory stays what it was."""
    memory = now.get("Memory") or 0
    swap = {"MemorySwap": 2 * memory} if memory and not now.get("MemorySwap") else {}
    return {**now, **swap, **changes}


def _refusal(now: Mapping[str, Any], changes: Mapping[str, Any]) -> str | None:
    """Why what is asked for does not go with what the container has."""
    for name, there, one, other in _EXCLUSIVE:
        if (changes.get(name) or 0) > 0 and (now.get(there) or 0) > 0:
            return f"Conflicting options: {one} cannot be updated as {other} has already been set"
    memory, asked = now.get("Memory") or 0, changes.get("Memory") or 0
    swap = now.get("MemorySwap") or 2 * memory
    if (changes.get("MemorySwap") or 0) > 0 and not (memory or asked):
        return "You should always set the Memory limit when using Memoryswap limit, see usage"
    if asked > swap and not changes.get("MemorySwap"):
        return (
            "Memory limit should be smaller than already set memoryswap limit, "
            "update the memoryswap at the same time"
        )
    policy = (changes.get("RestartPolicy") or {}).get("Name")
    if policy not in (None, "", "no") and now.get("AutoRemove"):
        return "Restart policy cannot be updated because AutoRemove is enabled for the container"
    return None
