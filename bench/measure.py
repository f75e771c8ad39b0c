"""What one command costs: seconds until all is on the disk, CPU seconds, and the peak of its memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.volume import syncfs
from millefeuille.errors import Failed


class CommandFailed(Failed):
    """A contestant's command ended with an exit code other than 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """`wall` and `cpu` in seconds, `memory` in bytes: the largest process of those that took part."""

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Daemon:
    """A server that works for a contestant's commands, with all its descendants."""

    pid: int

    def cpu(self) -> float:
        """The CPU seconds that it has used so far, those of ended and waited-for children included."""
        fields = [_stat(pid)[11:15] for pid in self._family()]  # utime, stime, cutime, cstime: proc(5)
        return sum(int(value) for part in fields for value in part) / os.sysconf("SC_CLK_TCK")

    def forget_peak(self) -> None:
        """Start the peak of its memory anew."""
        for pid in self._family():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """The peak in bytes of its largest process since `forget_peak`."""
        peaks = [0]
        for pid in self._family():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peaks.append(int(line.split()[1]) * 1024)
        return max(peaks)

    def _family(self) -> list[int]:
        parents = {}
        for name in os.listdir("/proc"):
            if name.isdigit() and (stat := _stat(int(name))):
                parents[int(name)] = int(stat[1])
        family = [self.pid]
        for pid in family:
            family.extend(child for child, parent in parents.items() if parent == pid)
        return family


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    disk: Path | None = None,
    daemon: Daemon | None = None,
    until: Callable[[], None] | None = None,
) -> Cost:
    """Run a command and wait for `until`, then for `disk` to be synced, all inside the timing.

    Raises CommandFailed with the last line of its error output.
    """
    cpu_before = daemon.cpu() if daemon else 0.0
    if daemon:
        daemon.forget_peak()
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == 0 and until:
            until()
        if disk:
            syncfs(disk)
        wall = time.perf_counter() - start
        if process.returncode != 0:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["no error text"]
            raise CommandFailed(f"{' '.join(command[:8])} …: exit code {process.returncode}: {last[0]}")
    cpu = usage.ru_utime + usage.ru_stime + (daemon.cpu() - cpu_before if daemon else 0.0)
    return Cost(wall=wall, cpu=cpu, memory=max(usage.ru_maxrss * 1024, daemon.peak() if daemon else 0))


def median(costs: Sequence[Cost]) -> Cost:
    """Each figure's median on its own."""
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        memory=int(statistics.median(cost.memory for cost in costs)),
    )


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name: the state is first; none for no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
