"""The signals that STOPSIGNAL accepts, by name or number."""

from __future__ import annotations

import re

from millefeuille.build.dockerfile.complaint import Complaint

# Linux on all architectures that images are made for; from signal(7), and the real-time ones of the C
# library.
_NAMES = frozenset(
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS"
    " TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX".split()
)
_REAL_TIME = r"RTMIN\+([1-9]|1[0-5])|RTMAX-([1-9]|1[0-4])"


def check_signal(signal: str) -> None:
    """Raises Complaint for a text that names no signal."""
    if re.fullmatch(r"[+-]?[0-9]{1,18}", signal):
        if int(signal) != 0:
            return
        raise Complaint(f"invalid signal: {signal}")
    name = signal.upper().removeprefix("SIG")
    if name not in _NAMES and not re.fullmatch(_REAL_TIME, name):
        raise Complaint(f"invalid signal: {signal}")
