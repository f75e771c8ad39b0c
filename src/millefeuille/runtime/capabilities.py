"""Capabilities: which ones a container's processes may have.

Source: Linux capabilities(7); moby v28, daemon/pkg/oci/caps/utils_linux.go `TweakCapabilities`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.later import re
from millefeuille.runtime.isolation import CAPABILITIES

ALL: Final = "ALL"

# In the order of their numbers.
_NAMES: Final = """
    chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
    net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot
    sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease
    audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read
    perfmon bpf checkpoint_restore
""".split()
KNOWN: Final = tuple(f"CAP_{name.upper()}" for name in _NAMES)


class UnknownCapability(Invalid):
    """Linux has no capability of this name."""


def chosen(add: Sequence[str], drop: Sequence[str], *, privileged: bool = False) -> tuple[str, ...]:
    """The capabilities that Docker's `CapAdd`, `CapDrop` and `Privileged` leave. Raises UnknownCapability.

    "All" are those that this process may hand on: a runtime refuses the others.
    """
    added, dropped = _named("CapAdd", add), _named("CapDrop", drop)
    if privileged:
        return available()
    if ALL in added:
        return tuple(name for name in available() if name not in dropped)
    basis = () if ALL in dropped else tuple(name for name in CAPABILITIES if name not in dropped)
    return tuple(dict.fromkeys((*basis, *added)))


def available() -> tuple[str, ...]:
    """What this process could hand on: its bounding set."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        found = re.search(r"^CapBnd:\s*([0-9a-f]+)$", file.read(), re.MULTILINE)
    bits = int(found[1], 16) if found else -1
    return tuple(name for number, name in enumerate(KNOWN) if bits >> number & 1)


def _named(key: str, names: Iterable[str]) -> tuple[str, ...]:
    normal = []
    for given in names:
        name = given.strip().upper()
        if name != ALL and not name.startswith("CAP_"):
            name = f"CAP_{name}"
        if name != ALL and name not in KNOWN:
            raise UnknownCapability(f'invalid {key}: unknown capability: "{name}"')
        normal.append(name)
    return tuple(normal)
