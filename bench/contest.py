"""Runs of several contestants in turn under equal conditions, and the table that compares them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.contestants import Contestant
from bench.measure import CommandFailed, Cost, median
from bench.volume import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one contestant does in a row: `prepare` untimed, then its `act`, timed until `until` returns.

    `warmth` is what it may do just before, when every cache has been dropped.
    """

    contestant: Contestant
    prepare: Callable[[], None]
    act: Callable[[], Sequence[str]]
    until: Callable[[], None] | None = None
    warmth: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound on a figure of a row, such as `podman ÷ mille ≥ 3.5`."""

    text: str
    value: float
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The costs of each contestant that came through every run of a row."""

    title: str
    costs: Mapping[str, Sequence[Cost]]
    failures: Sequence[str] = field(default=())

    def ratio(self, dividend: str, divisor: str, figure: str = "wall") -> float | None:
        """The ratio of two contestants' medians of `wall` or `cpu`; None when one of them is missing."""
        if dividend not in self.costs or divisor not in self.costs:
            return None
        return float(getattr(self.median(dividend), figure) / getattr(self.median(divisor), figure))

    def median(self, name: str) -> Cost:
        """One contestant's median figures."""
        return median(self.costs[name])

    def at_least(self, bound: float, dividend: str, divisor: str) -> list[Goal]:
        """The goal that `dividend` takes at least `bound` times as long as `divisor`."""
        return self._goal("wall", bound, dividend, divisor, lower=True)

    def at_most(self, bound: float, dividend: str, divisor: str, figure: str = "wall") -> list[Goal]:
        """The goal that `dividend` takes at most `bound` times what `divisor` takes."""
        return self._goal(figure, bound, dividend, divisor, lower=False)

    def _goal(self, figure: str, bound: float, dividend: str, divisor: str, *, lower: bool) -> list[Goal]:
        value = self.ratio(dividend, divisor, figure)
        if value is None:
            return []
        text = f"{figure}: {dividend} ÷ {divisor} {'≥' if lower else '≤'} {bound:g}"
        return [Goal(text=text, value=value, met=value >= bound if lower else value <= bound)]


def contest(title: str, trials: Iterable[Trial], runs: int, warm: Sequence[Path] = ()) -> Result:
    """Run the trials in turn, `runs` times round; a contestant that fails is named and left out."""
    running = list(trials)
    costs: dict[str, list[Cost]] = {trial.contestant.name: [] for trial in running}
    failures = []
    for number in range(runs):
        for trial in list(running):
            name = trial.contestant.name
            try:
                costs[name].append(_once(trial, warm))
            except CommandFailed as error:
                running.remove(trial)
                del costs[name]
                failures.append(f"{name}: {error}")
                print(f"FAILED {title}: {failures[-1]}", file=sys.stderr, flush=True)
                continue
            wall = costs[name][-1].wall
            print(f"  {title} {number + 1}/{runs} {name}: {wall:.3f} s", file=sys.stderr, flush=True)
    return Result(title=title, costs=costs, failures=failures)


def show(result: Result, goals: Sequence[Goal]) -> None:
    """Print a row's table: medians, the range of the wall time, ratios to mille; then its goals."""
    print(f"\n## {result.title}")
    heads = ("", "wall s", "min", "max", "CPU s", "peak MB", "wall ÷ mille", "CPU ÷ mille")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for name, costs in result.costs.items():
        middle = result.median(name)
        walls = [cost.wall for cost in costs]
        ratios = [result.ratio(name, "mille", figure) for figure in ("wall", "cpu")]
        cells = [
            name,
            *(f"{value:.3f}" for value in (middle.wall, min(walls), max(walls), middle.cpu)),
            f"{middle.memory / 1e6:.0f}",
            *("–" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        ]
        print("| " + " | ".join(cells) + " |")
    for failure in result.failures:
        print(f"FAILED {failure}")
    for goal in goals:
        print(f"{'met   ' if goal.met else 'MISSED'} {goal.text}: {goal.value:.2f}")
    sys.stdout.flush()


def _once(trial: Trial, warm: Sequence[Path]) -> Cost:
    trial.prepare()
    settle(*warm)
    trial.contestant.warm_up()
    if trial.warmth is not None:
        trial.warmth()
    return trial.contestant.cost(trial.act(), until=trial.until)
