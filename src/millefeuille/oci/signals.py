"""Signals as an image's StopSignal, STOPSIGNAL, `kill` and `stop` name them.

Source: signal(7) for the names and numbers of Linux on all architectures that images are made for, and for
the real-time ones between the C library's bounds (nptl(7)).
"""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.errors import Invalid

LAST: Final = 64  # the highest signal that Linux has
_FIRST_REAL_TIME: Final = 34
_DIGITS: Final = 18  # of a number that 64 bits surely hold
_NAMED: Final = (  # from 1 on
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN"
    " TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split()
NUMBERS: Final = (
    {name: number for number, name in enumerate(_NAMED, 1)}
    | {"IOT": 6, "CLD": 17, "POLL": 29, "RTMIN": _FIRST_REAL_TIME, "RTMAX": LAST}
    | {f"RTMIN+{above}": _FIRST_REAL_TIME + above for above in range(1, 16)}
    | {f"RTMAX-{below}": LAST - below for below in range(1, 15)}
)


class InvalidSignal(Invalid):
    """No such signal."""


def signal_number(text: str) -> int:
    """The number that a name (with or without SIG, in any case) or a decimal number means; not 0.

    A number need not be one that Linux has: see `LAST`. Raises InvalidSignal.
    """
    digits = text.removeprefix("-") if text[:1] == "-" else text.removeprefix("+")
    if digits.isascii() and digits.isdecimal():
        number = int(text) if len(digits) <= _DIGITS else 0
    else:
        number = NUMBERS.get(text.upper().removeprefix("SIG"), 0)
    if number == 0:
        raise InvalidSignal(f"invalid signal: {text}")
    return number
