"""Choice: which driver shows chains here, and why. Found out by trying, once a boot.

EROFS, read by the kernel from files, is the best; then EROFS through loop devices; then extracted layers.
"""

from __future__ import annotations

import contextlib
import os

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Invalid, Unsupported
from millefeuille.later import Later
from millefeuille.plainjson import dumps, loads
from millefeuille.snapshots.erofs.checked import boot
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.values import asdict, dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.snapshots.erofs import probe as erofs
    from millefeuille.snapshots.overlay import probe as overlay
else:
    erofs = Later("millefeuille.snapshots.erofs.probe")
    overlay = Later("millefeuille.snapshots.overlay.probe")

DRIVERS: Final = ("erofs", "overlay")


class UnknownDriver(Invalid):
    """No driver has the name that was asked for."""


class NoDriver(Unsupported):
    """No driver works here, or not the one that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A driver, one of DRIVERS, and the reason for it in a few words."""

    driver: str
    reason: str


def choose(directory: str, memory: str, wanted: str = "") -> Choice:
    """The driver for chains whose files lie in `directory`; `wanted` leaves no choice, "" leaves it here.

    `memory` is a file that keeps the answer, where nothing outlives a boot. Raises NoDriver, UnknownDriver,
    OSError when `directory` takes no files.
    """
    refuse_unknown(wanted)
    # An ordinary user mounts as root of a user namespace, never as it is.
    outside = os.geteuid() != 0
    who = "0 user" if outside else f"0 {marks()}"
    # Another kernel, disk or user may answer differently.
    asked = f"{boot()} {os.stat(directory).st_dev} {who} {wanted}"
    known = _remembered(memory, asked)
    if known is None and outside and wanted != "erofs":
        return Choice(driver="overlay", reason="layers are extracted, in a user namespace; not tried yet")
    if known is None:
        known = _tried(directory, wanted)
        with contextlib.suppress(OSError):  # then it is found out again
            files.make_directories(os.path.dirname(memory))
            files.replace_file(memory, dumps({"asked": asked, **asdict(known)}).encode())
    return known


def refuse_unknown(wanted: str) -> None:
    """Raise UnknownDriver unless a driver has the name `wanted`, or it is ""."""
    if wanted and wanted not in DRIVERS:
        advice = f"MILLE_SNAPSHOTTER can be {' or '.join(DRIVERS)}."
        raise UnknownDriver(f"unknown snapshotter {wanted!r}", advice=advice)


def _tried(directory: str, wanted: str) -> Choice:
    """Try what may be chosen, the best first."""
    refused, advice = "", None
    if wanted != "overlay":
        backing, words = erofs.probe(directory)
        if backing is not None:
            return Choice(driver="erofs", reason=f"{words}, as asked for" if wanted else words)
        refused = f"EROFS: {words}"
    if wanted != "erofs":
        error = overlay.probe(directory, marks())
        if error is None:
            reason = "layers are extracted, as asked for" if wanted else f"layers are extracted ({refused})"
            return Choice(driver="overlay", reason=reason)
        refused, advice = "; ".join(filter(None, (refused, f"overlay: {error}"))), error.advice
    raise NoDriver(f"no way to mount images below {directory}: {refused}", advice=advice)


def _remembered(memory: str, asked: str) -> Choice | None:
    try:
        with open(memory, "rb") as file:
            told = loads(file.read())
    except (FileNotFoundError, PermissionError, ValueError):
        return None
    if told.get("asked") != asked or told.get("driver") not in DRIVERS:
        return None
    return Choice(driver=told["driver"], reason=str(told.get("reason", "")))
