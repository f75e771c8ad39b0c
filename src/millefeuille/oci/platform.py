"""Platform: operating system, architecture and variant; and which of them one platform can run."""

from __future__ import annotations

from collections.abc import Sequence
from posix import uname  # not the platform module: it takes longer to load than all of this package

from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.later import pattern, re
from millefeuille.values import dataclass

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
_OS_WITH_VERSION = pattern(r"(?a)([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)\))?")
_OPERATING_SYSTEMS = frozenset(
    "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris"
    " windows zos wasi".split()
)
_ARCHITECTURES = frozenset(
    "386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32"
    " mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm".split()
)
_ALIASES: dict[str, tuple[str, str | None]] = {
    "i386": ("386", ""),
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}


class InvalidPlatform(Invalid):
    """The text is not a platform; the message is the one of containerd's library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A normalised platform: `linux/arm64/v8` is `linux/arm64`."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read `os`, `architecture` or `os/architecture[/variant]`. Raises InvalidPlatform."""
        parts = text.split("/")
        if len(parts) > 3:
            raise InvalidPlatform(f'"{text}": cannot parse platform specifier: invalid argument')
        for index, part in enumerate(parts):
            if not (_system(part) if index == 0 else part and not part.strip(f"{_LETTERS}.")):
                raise InvalidPlatform(
                    f'"{part}" is an invalid component of "{text}": platform specifier component must '
                    f'match "^[A-Za-z0-9_.-]+$": invalid argument'
                )
        system = _system(parts[0])
        assert system is not None  # checked by the loop above
        if len(parts) > 1:
            return normalise(system[0], parts[1], parts[2] if len(parts) > 2 else "", system[1])
        return _from_one_word(text, *system)

    @classmethod
    def host(cls) -> Platform:
        """The platform of this machine, without micro-architecture level."""
        return normalise("linux", uname().machine)

    def __str__(self) -> str:
        system = f"{self.os}({self.os_version})" if self.os_version else self.os
        parts = [system, self.architecture, self.variant]
        return "/".join(part for part in parts if part)


def _system(text: str) -> tuple[str, str] | None:
    """An operating system and its version ("" for none); None for any other text."""
    if text and not text.strip(_LETTERS):
        return text, ""
    match = _OS_WITH_VERSION.fullmatch(text)
    return (match[1], match[2] or "") if match else None


def normalise(os: str, architecture: str, variant: str = "", os_version: str = "") -> Platform:
    """The canonical spelling of a platform's parts."""
    os = os.lower()
    os = "darwin" if os == "macos" else os
    architecture, variant = _architecture(architecture.lower(), variant.lower())
    return Platform(os=os, architecture=architecture, variant=variant, os_version=os_version)


def from_json(value: object) -> Platform | None:
    """A descriptor's `platform` member, or None when it has none that can be read."""
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = value
    texts = [fields.get(key) or "" for key in ("os", "architecture", "variant", "os.version")]
    if not all(isinstance(text, str) for text in texts) or not texts[0]:
        return None
    return normalise(*texts)


def accepts(wanted: Platform, strict: bool = False) -> Sequence[Platform]:
    """What `wanted` can run, best first (containerd's `platforms.Only`, or `OnlyStrict`)."""
    ranked = [wanted] if strict else list(_compatible(wanted))
    return tuple(dict.fromkeys(ranked))


def rank(candidate: Platform, wanted: Platform, strict: bool = False) -> int | None:
    """The place of `candidate` in `accepts(wanted)`, 0 for the best; None when it cannot run."""
    for index, accepted in enumerate(accepts(wanted, strict)):
        if (candidate.os, candidate.architecture, candidate.variant) != (
            accepted.os,
            accepted.architecture,
            accepted.variant,
        ):
            continue
        if wanted.os == "windows" and not _same_build(candidate.os_version, wanted.os_version):
            return None
        return index
    return None


def _same_build(candidate: str, wanted: str) -> bool:
    """Windows containers share the host's kernel: the first three parts of the version must agree."""
    return not wanted or not candidate or candidate.split(".")[:3] == wanted.split(".")[:3]


def _from_one_word(text: str, word: str, version: str) -> Platform:
    lowered = "darwin" if word.lower() == "macos" else word.lower()
    host = Platform.host()
    if lowered in _OPERATING_SYSTEMS:
        variant = host.variant if host.architecture == "arm" else ""
        return Platform(os=lowered, architecture=host.architecture, variant=variant, os_version=version)
    architecture, variant = _architecture(lowered, "")
    if architecture in _ARCHITECTURES:
        return Platform(os=host.os, architecture=architecture, variant=variant)
    raise InvalidPlatform(f'"{text}": unknown operating system or architecture: invalid argument')


def _architecture(architecture: str, variant: str) -> tuple[str, str]:
    renamed, implied = _ALIASES.get(architecture, (architecture, None))
    architecture, variant = renamed, variant if implied is None else implied
    if architecture in ("arm", "arm64") and variant[:1].isdigit():
        variant = f"v{variant}"
    if architecture == "arm" and not variant:
        variant = "v7"
    if (architecture, variant) in (("arm64", "v8"), ("arm64", "v8.0"), ("amd64", "v1")):
        variant = ""
    if (architecture, variant) == ("arm64", "v9.0"):
        variant = "v9"
    return architecture, variant


def _compatible(wanted: Platform) -> list[Platform]:
    def of(architecture: str, variant: str) -> Platform:
        return Platform(os=wanted.os, architecture=architecture, variant=variant)

    arm = [of("arm", f"v{level}") for level in (8, 7, 6, 5)]
    if wanted.architecture == "amd64":
        level = int(wanted.variant[1:]) if re.fullmatch(r"v[1-9]", wanted.variant) else 1
        ladder = [of("amd64", f"v{n}" if n > 1 else "") for n in range(level, 0, -1)]
        return [*ladder, of("386", "")] if wanted.os == "linux" else ladder
    if wanted.architecture == "arm":
        return [entry for entry in arm if entry.variant <= wanted.variant] or [wanted]
    if wanted.architecture == "arm64" and wanted.os == "linux":
        return [of("arm64", variant) for variant in _arm64_ladder(wanted.variant)] + arm
    return [of(wanted.architecture, wanted.variant)]


def _arm64_ladder(variant: str) -> list[str]:
    """From `variant` down: v9.N includes v8.(N+5) (Arm ARM, feature inclusion); v8.0 is spelt ""."""
    match = re.fullmatch(r"(?a)v([89])(?:\.(\d{1,2}))?", variant or "v8")
    if match is None:
        return [variant]
    major, minor = int(match[1]), int(match[2] or 0)
    nines = [f"v9.{n}" if n else "v9" for n in range(minor, -1, -1)] if major == 9 else []
    top = min(minor + 5, 9) if major == 9 else minor
    eights = [f"v8.{n}" if n else "" for n in range(top, -1, -1)]
    return nines + eights
