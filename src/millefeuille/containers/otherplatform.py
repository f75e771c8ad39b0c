"""An image for another platform than this machine's, which an emulator may run, or nothing.

Source: moby, daemon/create.go; levels of x86-64: its psABI, "Low Level System Information".
"""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.platform import Platform, rank
from millefeuille.values import replace

_CPUINFO: Final = "/proc/cpuinfo"
_LEVELS: Final = {
    "v2": "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3",
    "v3": "abm avx avx2 bmi1 bmi2 f16c fma movbe",
    "v4": "avx512bw avx512cd avx512dq avx512f avx512vl",
}


def platform_warning(config: ImageConfig) -> str:
    """What Docker says of an image for which nobody named a platform; "" where this machine runs it."""
    host = Platform.host()
    if host.architecture == "amd64":
        host = replace(host, variant=_level())
    if rank(config.platform, host) is not None:
        return ""
    # As the image spells it.
    written = [config.fields.get(key) for key in ("os", "architecture", "variant")]
    platform = "/".join(str(part) for part in written if part) if written[0] else "unknown"
    return (
        f"WARNING: The requested image's platform ({platform}) does not match the detected host platform "
        f"({host}) and no specific platform was requested"
    )


def _level() -> str:
    try:
        with open(_CPUINFO, encoding="ascii", errors="replace") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return ""
    known, level = set(line.partition(":")[2].split()), ""
    for name, flags in _LEVELS.items():
        if not known.issuperset(flags.split()):
            break
        level = name
    return level
