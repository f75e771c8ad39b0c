"""`stats`: what a container consumes, as a row of the table.

Source: docker/cli v28.2.2, cli/command/container/formatter_stats.go.
"""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.docker.columns import Listing
from millefeuille.docker.units import bytes_size, human_size
from millefeuille.runtime.usage import Usage
from millefeuille.values import dataclass

STATS: Final = Listing(
    type_name="container.statsContext",
    headers={
        "Container": "CONTAINER",
        "Name": "NAME",
        "ID": "CONTAINER ID",
        "CPUPerc": "CPU %",
        "MemUsage": "MEM USAGE / LIMIT",
        "MemPerc": "MEM %",
        "NetIO": "NET I/O",
        "BlockIO": "BLOCK I/O",
        "PIDs": "PIDS",
    },
    columns=("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What was counted at the end of an interval of `elapsed` nanoseconds, of which `cpu` were computed.

    `total_memory` is what the host has, which limits a container that has no limit of its own.
    """

    counted: Usage | None
    total_memory: int = 0
    cpu: int = 0
    elapsed: int = 0

    @property
    def cpu_percent(self) -> float:
        """Of one processor."""
        return 100 * self.cpu / self.elapsed if self.cpu > 0 and self.elapsed > 0 else 0.0

    @property
    def memory_percent(self) -> float:
        """Of what there may be."""
        return 100 * self.memory / self.limit if self.limit else 0.0

    @property
    def memory(self) -> int:
        """Bytes in use, without those that the kernel can drop at once."""
        return max(self.counted.memory - self.counted.memory_cache, 0) if self.counted else 0

    @property
    def limit(self) -> int:
        """Bytes of memory that there may be; 0 for what does not run."""
        if self.counted is None:
            return 0
        own = self.counted.memory_limit
        return own if 0 < own < self.total_memory else self.total_memory


def interval(before: Usage | None, after: Usage | None, elapsed: int, total_memory: int) -> Interval:
    """What happened between two looks; None for a container that did not run then."""
    cpu = after.cpu - before.cpu if before and after else 0
    return Interval(counted=after, cpu=cpu, elapsed=elapsed, total_memory=total_memory)


def stats_row(
    called: str, id: str, name: str, told: Interval, *, truncate: bool = True, network: bool = True
) -> dict[str, str]:
    """The row of STATS; `called` is what the container was asked for by. `network`: it has one of its own."""
    counted = told.counted or Usage()
    traffic = counted.networks.values() if network else ()
    received, sent = sum(one.received_bytes for one in traffic), sum(one.sent_bytes for one in traffic)
    return {
        "Container": called,
        "Name": name,
        "ID": id[:12] if truncate else id,
        "CPUPerc": f"{told.cpu_percent:.2f}%",
        "MemUsage": f"{bytes_size(told.memory)} / {bytes_size(told.limit)}",
        "MemPerc": f"{told.memory_percent:.2f}%",
        "NetIO": f"{human_size(received, 3)} / {human_size(sent, 3)}",
        "BlockIO": f"{human_size(counted.blocks_read, 3)} / {human_size(counted.blocks_written, 3)}",
        "PIDs": str(counted.processes),
    }
