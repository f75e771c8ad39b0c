"""Faults at the file-operation seam, ordered from outside the process.

    MILLE_FAULT=rename:3:kill          SIGKILL at the third rename
    MILLE_FAULT=*:17:ENOSPC            the seventeenth operation of any name fails with that error
    MILLE_FAULT=rename@millefeuille.store.disk:120:1:EIO    the first rename made by that line
    MILLE_FAULT_TRACE=/path            append `operation<TAB>module:line` for each operation

Operations are named as `files` names them. The call site is the first frame outside of `files`, so that
a helper there counts once for each place that uses it. Operations are counted within one process, over
all of its threads. The fault strikes before the operation is carried out.
"""

from __future__ import annotations

import errno
import itertools
import os
import signal
import sys
from collections.abc import Callable, Mapping

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.values import dataclass

KILL: Final = 0  # in place of an error number

_SEAM: Final = frozenset((files.__name__, "contextlib", __name__))


class BadFault(Invalid):
    """The text does not describe a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is to happen: at the `occurrence`-th (from 1) `operation` ("*" any) made at `site` ("" anywhere).

    `effect` is an error number, or KILL.
    """

    operation: str
    site: str
    occurrence: int
    effect: int


def parse(text: str) -> Fault:
    """Read `operation[@module:line]:occurrence:kill|ERRNO`. Raises BadFault."""
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not parts[0]:
        raise BadFault(
            f"not a fault: {text}", advice="Write operation:occurrence:kill or operation:1:ENOSPC."
        )
    where, count, effect = parts
    if not (count.isascii() and count.isdigit()) or int(count) < 1:
        raise BadFault(f"not an occurrence, counted from 1: {count}")
    number = KILL if effect == "kill" else getattr(errno, effect, None)
    if not isinstance(number, int):
        raise BadFault(f"neither kill nor the name of an error: {effect}")
    operation, _, site = where.partition("@")
    return Fault(operation=operation, site=site, occurrence=int(count), effect=number)


def install(environment: Mapping[str, str]) -> None:
    """Set the hook that `MILLE_FAULT` and `MILLE_FAULT_TRACE` ask for; without them, none."""
    fault = environment.get("MILLE_FAULT", "")
    trace = environment.get("MILLE_FAULT_TRACE", "")
    files.hook = hook(parse(fault) if fault else None, trace) if fault or trace else None


def hook(fault: Fault | None, trace: str = "") -> Callable[[str, object], None]:
    """A hook that appends to the file `trace` (if any), then lets `fault` (if any) strike."""
    log = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600) if trace else None
    counter = itertools.count(1)  # next() on it is one step for all threads

    def strike(operation: str, subject: object) -> None:
        site = call_site() if log is not None or (fault and fault.site) else ""
        if log is not None:
            os.write(log, f"{operation}\t{site}\n".encode())
        if fault is None or fault.operation not in ("*", operation) or fault.site not in ("", site):
            return
        if next(counter) == fault.occurrence:
            _carry_out(fault, subject)

    return strike


def call_site() -> str:
    """`module:line` of the code that asked `files` for an operation."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _SEAM:
        frame = frame.f_back
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno}"


def _carry_out(fault: Fault, subject: object) -> None:
    if fault.effect == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    path = subject if isinstance(subject, str) else None
    raise OSError(fault.effect, os.strerror(fault.effect), path)
