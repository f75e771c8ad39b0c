"""Volume: a named directory that outlives the containers it is mounted in."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid, Unsupported
from millefeuille.later import pattern
from millefeuille.values import dataclass, field

ANONYMOUS: Final = "com.docker.volume.anonymous"  # the label of volumes that nobody named
DRIVER: Final = "local"
_NAME: Final = pattern(r"(?a)[a-zA-Z0-9][a-zA-Z0-9_.-]+")
LONGEST_NAME: Final = 255  # bytes that the name of a directory has
_SHOWN: Final = 32
_OPTIONS: Final = frozenset({"type", "o", "device"})


class BadVolumeName(Invalid):
    """The text cannot name a volume; the message is Docker's."""


class BadVolumeOption(Invalid):
    """An option of the driver is unknown, or does not go with the others."""


class UnknownDriver(Unsupported):
    """There is one driver, `local`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """`mountpoint` is the directory on the host; `created` is RFC 3339; `options` are the driver's."""

    name: str
    created: str
    mountpoint: str
    labels: Mapping[str, str] | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def anonymous(self) -> bool:
        """Whether it was made for a container without a name of its own."""
        return ANONYMOUS in (self.labels or {})

    @property
    def plain(self) -> bool:
        """Whether its content lies here, and nowhere else: others are neither pruned nor counted.

        Source: moby v20.10.24, volume/service/service.go `Prune`, `LocalVolumesSize`.
        """
        return not self.options

    @property
    def source(self) -> str:
        """The directory that containers get; "" for a file system in memory, which each gets its own of."""
        if self.options.get("type") == "tmpfs":
            return ""
        return self.options.get("device") or self.mountpoint

    @property
    def memory_options(self) -> tuple[str, ...]:
        """What a file system in memory is mounted with."""
        return tuple(filter(None, self.options.get("o", "").split(",")))

    @property
    def read_only(self) -> bool:
        """Whether no container may write to it, however it is mounted; the last of its words counts."""
        said = [word for word in self.options.get("o", "").split(",") if word in ("ro", "rw")]
        return said[-1:] == ["ro"]


def check_name(name: str) -> None:
    """Raise BadVolumeName for what cannot name a volume."""
    if len(name) == 1:
        raise BadVolumeName(
            f"create {name}: volume name is too short, names should be at least two alphanumeric characters"
        )
    if len(name) > LONGEST_NAME:
        raise BadVolumeName(
            f"create {name[:_SHOWN]}…: volume name is too long, names have at most {LONGEST_NAME} characters"
        )
    if not _NAME.fullmatch(name):
        raise BadVolumeName(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only'
            ' "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute'
            " path"
        )


def check_options(name: str, options: Mapping[str, str]) -> None:
    """Raise BadVolumeOption for options that are none, UnknownDriver for file systems we do not mount."""
    for option in options:
        if option not in _OPTIONS:
            raise BadVolumeOption(f'create {name}: invalid option: "{option}"')
    if not options:
        return
    kind, device = options.get("type", ""), options.get("device", "")
    if not device:
        raise BadVolumeOption(f'create {name}: missing required option: "device"')
    if kind == "tmpfs":
        return
    words = options.get("o", "").split(",")
    if kind in ("", "none") and ("bind" in words or "rbind" in words):
        if not device.startswith("/"):
            raise BadVolumeOption(
                f"create {name}: the device of a bound volume must be an absolute path: {device}"
            )
        extra = set(words) - {"bind", "rbind", "ro", "rw"}
        if not extra:
            return
        raise UnknownDriver(f"create {name}: mount options of a bound volume: {', '.join(sorted(extra))}")
    raise UnknownDriver(
        f"create {name}: volumes of type {kind or 'none'} are not supported",
        advice="Supported are type=none,o=bind,device=DIRECTORY and type=tmpfs.",
    )


def encode(volume: Volume) -> dict[str, Any]:
    """The JSON object that `decode` reads. Where the volume lies is not part of it."""
    return {
        "Name": volume.name,
        "CreatedAt": volume.created,
        "Labels": None if volume.labels is None else dict(volume.labels),
        "Options": dict(volume.options),
    }


def decode(value: Mapping[str, Any], mountpoint: str) -> Volume:
    """The volume that `encode` wrote. Raises KeyError, TypeError for anything else."""
    return Volume(
        name=value["Name"], created=value["CreatedAt"], mountpoint=mountpoint, labels=value["Labels"],
        options=value["Options"],
    )  # fmt: skip
