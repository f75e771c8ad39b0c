"""The rows of `stats`."""

from __future__ import annotations

from millefeuille.docker.listing import render
from millefeuille.docker.shapes.consumption import STATS, interval, stats_row
from millefeuille.runtime.usage import Traffic, Usage

_MIB = 1 << 20
_TRAFFIC = Traffic(
    received_bytes=1310, received_packets=9, received_errors=0, received_dropped=0, sent_bytes=42,
    sent_packets=1, sent_errors=0, sent_dropped=0,
)  # fmt: skip
_BEFORE = Usage(cpu=1_000_000_000, memory=10 * _MIB)
_AFTER = Usage(
    cpu=1_500_000_000, memory=10 * _MIB, memory_cache=2 * _MIB, memory_limit=64 * _MIB, processes=2,
    blocks_read=4096, blocks_written=1_500_000, networks={"eth0": _TRAFFIC, "eth1": _TRAFFIC},
)  # fmt: skip
_ID = "c0a60fa967fb" + "0" * 52


def test_a_row() -> None:
    told = interval(_BEFORE, _AFTER, 1_000_000_000, 1 << 34)
    assert stats_row("web", _ID, "web", told) == {
        "Container": "web", "Name": "web", "ID": "c0a60fa967fb", "CPUPerc": "50.00%",
        "MemUsage": "8MiB / 64MiB", "MemPerc": "12.50%", "NetIO": "2.62kB / 84B",
        "BlockIO": "4.1kB / 1.5MB", "PIDs": "2",
    }  # fmt: skip


def test_without_a_limit_of_its_own_it_is_the_hosts_memory() -> None:
    told = interval(_BEFORE, _BEFORE, 1, 20 * _MIB)
    assert (told.limit, told.memory_percent, told.cpu_percent) == (20 * _MIB, 50.0, 0.0)


def test_the_hosts_network_is_not_the_containers() -> None:
    told = interval(_BEFORE, _AFTER, 1, 1)
    assert stats_row("web", _ID, "web", told, network=False)["NetIO"] == "0B / 0B"


def test_what_does_not_run_takes_nothing() -> None:
    row = stats_row("web", _ID, "web", interval(None, None, 5, 1 << 34), truncate=False)
    assert render(STATS, [row]) == (
        "CONTAINER ID                                                       NAME      CPU %     "
        "MEM USAGE / LIMIT   MEM %     NET I/O   BLOCK I/O   PIDS\n"
        f"{_ID}   web       0.00%     0B / 0B             0.00%     0B / 0B   0B / 0B     0\n"
    )
