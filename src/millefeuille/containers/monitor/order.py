"""Order: what the monitor was told when it was started."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.plainjson import loads


class Order:
    """Read from the bundle's `monitor.json`. Times are in nanoseconds, as Docker has them.

    `runtime` is the runtime's command line up to its verb, `runtime_state` the directory of what it notes of
    the container; `groups` are the directories of the container's control groups; `bundle` is the bundle's
    directory; `state` the state file; `telling` what a `Teller` goes by: the store's `journal`, which is told
    `facts`, with the name in the `record`, the networks of the `lease`, and the `volumes`; `log` what a `Log`
    is made of; `cleanup` the command to run at the end, empty for none, with the variables of `environment`;
    `counters` files in which the kernel counts processes killed for want of memory; `finished` when the run
    before ended.
    """

    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as file:
            told = loads(file.read())
        self.id: str = told["id"]
        self.runtime: list[str] = told["runtime"]
        self.runtime_state: str = told["runtime_state"]
        self.groups: list[str] = told["groups"]
        self.bundle: str = told["bundle"]
        self.state: str = told["state"]
        self.telling: dict[str, Any] = told["telling"]
        self.log: dict[str, Any] = told["log"]
        self.console: str = told["console"]
        self.tty: bool = told["tty"]
        self.open_stdin: bool = told["open_stdin"]
        self.stdin_once: bool = told["stdin_once"]
        self.policy: str = told["policy"]
        self.retries: int = told["retries"]
        self.auto_remove: bool = told["auto_remove"]
        self.cleanup: list[str] = told["cleanup"]
        self.environment: dict[str, str] = told["environment"]
        self.counters: list[str] = told["counters"]
        self.restarts: int = told["restarts"]
        self.finished: str = told["finished"]
        health = told["health"]
        self.check: list[str] = health["command"] if health else []
        self.interval: int = health["interval"] if health else 0
        self.timeout: int = health["timeout"] if health else 0
        self.start_period: int = health["start_period"] if health else 0
        self.start_interval: int = health["start_interval"] if health else 0
        self.check_retries: int = health["retries"] if health else 0
