"""Mounts: what a container mounts, from Docker's many ways to ask for it.

Where several say the same place, --volumes-from yields to -v, --mount and --tmpfs, and the image's VOLUME
yields to all of them; two of these three at one place are an error.

Source: moby v28.2.2, daemon/volumes.go and volume/mounts.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterator, Mapping

from millefeuille import files, kernel
from millefeuille.annotations import Any, Final
from millefeuille.containers import records
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container, MountPoint
from millefeuille.errors import Invalid, Unsupported
from millefeuille.later import Later
from millefeuille.values import replace
from millefeuille.volumes.volume import Volume, check_name
from millefeuille.volumes.volumes import Volumes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.volumes import filling
else:
    filling = Later("millefeuille.volumes.filling")

NO_COPY: Final = "nocopy"  # an option of a volume's mount: what the image has there stays hidden
_OPEN: Final = 0o755  # the mode of a directory that is made on the host
NOT_RECURSIVE: Final = "bind"  # an option of a bind: without the mounts below its source
_PROPAGATIONS: Final = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
# What a mode is put together from, at most one of each (linux_parser.go). How consistent a bind is means
# something in Docker's virtual machines only.
_MODES: Final = (
    frozenset({"ro", "rw"}), frozenset({"z", "Z"}), _PROPAGATIONS, frozenset({NO_COPY}),
    frozenset({"cached", "consistent", "delegated"}),
)  # fmt: skip

# What `--tmpfs` takes (moby/sys/mount, flags_linux.go).
_VALUED: Final = frozenset({"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"})
_PLAIN: Final = _PROPAGATIONS | frozenset(
    (
        "defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand "
        "atime noatime diratime nodiratime bind rbind unbindable runbindable relatime norelatime "
        "strictatime nostrictatime"
    ).split()
)


class BadMount(Invalid):
    """A mount cannot be what was asked for; the message is Docker's."""


class MountUnsupported(Unsupported):
    """A mount of a kind that Docker has and we have not."""


def resolve(host: Host, container: Container) -> Container:
    """The container with the mounts it asks for; volumes that are missing are made.

    Raises BadMount, MountUnsupported, BadVolumeName, NoSuchContainer, OSError.
    """
    points = mount_points(
        host.volumes, container.config, container.host_config,
        lambda name: records.find(host.store, host.place, name),
    )  # fmt: skip
    return replace(container, mounts=points)


def mount_points(
    volumes: Volumes,
    config: Mapping[str, Any],
    host_config: Mapping[str, Any],
    find: Callable[[str], Container],
) -> tuple[MountPoint, ...]:
    """What Docker's Config and HostConfig ask to mount, by target; `find` gives the container of a name."""
    taken: dict[str, MountPoint] = {}
    for text in host_config.get("VolumesFrom") or ():
        taken.update((point.target, point) for point in _borrowed(text, find))
    asked = [_bind(text) for text in host_config.get("Binds") or ()]
    asked += [_mount(wish) for wish in host_config.get("Mounts") or ()]
    asked += [_memory(target, words) for target, words in (host_config.get("Tmpfs") or {}).items()]
    explicit: set[str] = set()
    for point in asked:
        if point.target in explicit:
            raise BadMount(f"Duplicate mount point: {point.target}")
        explicit.add(point.target)
        taken[point.target] = point
    for target in config.get("Volumes") or {}:
        clean = _target(target)
        taken.setdefault(clean, MountPoint(type="volume", target=clean, anonymous=True))
    labels = {
        _target(str(wish.get("Target"))): (wish.get("VolumeOptions") or {}).get("Labels")
        for wish in host_config.get("Mounts") or ()
    }
    made = (_backed(volumes, point, labels.get(point.target)) for point in taken.values())
    return tuple(sorted(made, key=lambda point: point.target))


def check_volumes(host: Host, container: Container, root: int) -> None:
    """Hold that volumes can lie at their places; `root` is the root's descriptor. A volume that was removed
    since is made again, empty. Raises BadMount, OSError.
    """
    for point in container.mounts:
        if point.type == "volume":
            if point.anonymous:
                _check_place(root, point.target, host.place.rootfs(container.id))
            host.volumes.create(point.name)


def has_new_volumes(host: Host, container: Container) -> bool:
    """Whether there are volumes that `fill_volumes` would look for content for. Raises OSError."""
    return any(filling.is_due(*_directories(volume)) for _, volume in _taking(host, container))


def fill_volumes(host: Host, container: Container, root: int) -> None:
    """Give volumes that are empty what the image has at their place; `root` is the root's descriptor.

    Raises BadMount, OSError, TooDeep.
    """
    for point, volume in _taking(host, container):
        directory, data = _directories(volume)
        try:
            filling.fill(directory, root, point.target, data=data)
        except filling.NoDirectory:
            raise BadMount(
                f"source {host.place.rootfs(container.id)}{point.target} is not directory"
            ) from None


def _taking(host: Host, container: Container) -> Iterator[tuple[MountPoint, Volume]]:
    """The mounts of volumes that take what the image has."""
    for point in container.mounts:
        if point.type == "volume" and not point.borrowed and NO_COPY not in point.options:
            volume = host.volumes.create(point.name)
            if _takes_content(volume):
                yield point, volume


def _directories(volume: Volume) -> tuple[str, str]:
    """A volume's own directory, and where its content lies when not in there."""
    return os.path.dirname(volume.mountpoint), volume.source if volume.options else ""


def _takes_content(volume: Volume) -> bool:
    """Whether it may be filled: not one in memory, nor a directory of the host's that nobody may write."""
    if not volume.options:
        return True
    return os.path.isdir(volume.source) and not volume.read_only and os.access(volume.source, os.W_OK)


def _check_place(root: int, target: str, rootfs: str) -> None:
    """Hold that a volume of the image has a directory to lie over, or nothing. Raises BadMount.

    Source: moby v20.10.24, daemon/create_unix.go.
    """
    try:
        place = kernel.openat2(root, target, os.O_PATH, resolve=kernel.RESOLVE_IN_ROOT)
    except OSError:
        return  # whatever else is wrong is told by who mounts
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            raise BadMount(f"cannot mount volume over existing file, file exists {rootfs}{target}")
    finally:
        os.close(place)


def binds(host: Host, container: Container) -> list[dict[str, Any]]:
    """The mounts as the runtime's specification has them, a place before those within it."""
    return [_specified(host.volumes, point) for point in sorted(container.mounts, key=_depth)]


def chosen(container: Container) -> frozenset[str]:
    """The targets that may be the kernel's own, where `--unsafe` says so: those of binds and tmpfs, which
    only a user asks for. Volumes may be an image's wish, one that --volumes-from brought along too.
    """
    if not container.host_config.get("Unsafe"):
        return frozenset()
    asked = (point.target for point in container.mounts if point.type != "volume")
    return frozenset((*asked, *(container.host_config.get("Tmpfs") or ())))


def read_only(volumes: Volumes, point: MountPoint) -> bool:
    """Whether a container may not write there: the mount says so, or the volume. Raises VolumeNotFound."""
    return point.read_only or (point.type == "volume" and volumes.get(point.name).read_only)


def _specified(volumes: Volumes, point: MountPoint) -> dict[str, Any]:
    access = "ro" if read_only(volumes, point) else "rw"
    source, options = point.source, ["noexec", "nosuid", "nodev", *point.options]
    if point.type == "volume":
        volume = volumes.get(point.name)
        source, options = volume.source, list(volume.memory_options)  # mounted as they say, and no stricter
    if not source:
        words = [access, *(word for word in options if word not in ("ro", "rw"))]
        return {"destination": point.target, "type": "tmpfs", "source": "tmpfs", "options": words}
    kind = "bind" if NOT_RECURSIVE in point.options else "rbind"
    return {
        "destination": point.target,
        "type": "bind",
        "source": source,
        "options": [kind, access, point.propagation or "rprivate"],
    }


def _depth(point: MountPoint) -> tuple[int, str]:
    return (point.target.count("/") if point.target != "/" else 0, point.target)


def _borrowed(text: str, find: Callable[[str], Container]) -> list[MountPoint]:
    name, _, mode = text.partition(":")
    if not name:
        raise BadMount(f'malformed volumes-from specification: "{text}"')
    words = _words(mode)
    if words is None or NO_COPY in words or not _PROPAGATIONS.isdisjoint(words):
        raise BadMount(f"invalid mode: {mode}")
    points = (point for point in find(name).mounts if point.type != "tmpfs")
    return [
        replace(point, read_only=point.read_only or "ro" in words, anonymous=False, borrowed=True)
        for point in points
    ]


def _bind(text: str) -> MountPoint:
    """One of Docker's Binds: `source:target[:mode]`."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not parts[0]:
        raise BadMount(f"invalid volume specification: '{text}'")
    source, target = parts[0], parts[1]
    words = _modes(parts[2] if len(parts) == 3 else "", text)
    if not target.startswith("/"):
        raise BadMount(
            f"invalid volume specification: '{text}': invalid mount config for type"
            f" \"{_kind(source)}\": invalid mount path: '{target}' mount path must be absolute"
        )
    if posixpath.normpath(target) == "/":
        raise BadMount(
            f"invalid volume specification: '{text}': invalid mount config for type"
            f" \"{_kind(source)}\": invalid specification: destination can't be '/'"
        )
    propagation = next((word for word in words if word in _PROPAGATIONS), "")
    wrong = "VolumeOptions" if NO_COPY in words else ""
    if _kind(source) == "volume":
        wrong = "BindOptions" if propagation else ""
    if wrong:
        raise BadMount(
            f"invalid volume specification: '{text}': invalid mount config for type"
            f' "{_kind(source)}": field {wrong} must not be specified'
        )
    point = MountPoint(
        type=_kind(source), target=_target(target), read_only="ro" in words, propagation=propagation,
        options=words,
    )  # fmt: skip
    if point.type == "volume":
        check_name(source)
        return replace(point, name=source)
    return replace(point, source=posixpath.normpath(source))


def _modes(mode: str, text: str) -> tuple[str, ...]:
    words = _words(mode)
    if words is None:
        raise BadMount(f"invalid volume specification: '{text}': invalid mode: {mode}")
    return words


def _words(mode: str) -> tuple[str, ...] | None:
    """The words of a mode; None where one is unknown, or two do not go together."""
    words = mode.split(",") if mode else []
    kinds = [kind for word in words for kind in _MODES if word in kind]
    return tuple(words) if len(kinds) == len(words) == len({*kinds}) else None


def _kind(source: str) -> str:
    return "bind" if source.startswith("/") else "volume"


def _mount(wish: Mapping[str, Any]) -> MountPoint:
    """One of Docker's Mounts, the structured way."""
    kind, target = str(wish.get("Type") or ""), str(wish.get("Target") or "")
    if kind not in ("bind", "volume", "tmpfs"):
        raise MountUnsupported(f'invalid mount config for type "{kind}": mount type unknown')
    if not target:
        raise _invalid(kind, "field Target must not be empty")
    if not target.startswith("/"):
        raise _invalid(kind, f"invalid mount path: '{target}' mount path must be absolute")
    if posixpath.normpath(target) == "/":
        raise _invalid(kind, "invalid specification: destination can't be '/'")
    point = MountPoint(type=kind, target=_target(target), read_only=bool(wish.get("ReadOnly")))
    make = {"bind": _bound, "volume": _named, "tmpfs": _in_memory}[kind]
    return make(point, wish, str(wish.get("Source") or ""))


def _bound(point: MountPoint, wish: Mapping[str, Any], source: str) -> MountPoint:
    options = wish.get("BindOptions") or {}
    if not source:
        raise _invalid("bind", "field Source must not be empty")
    propagation = str(options.get("Propagation") or "")
    if propagation not in ("", *_PROPAGATIONS):
        raise _invalid("bind", f"invalid propagation mode: {propagation}")
    if not source.startswith("/"):
        raise _invalid("bind", f"invalid mount path: '{source}' mount path must be absolute")
    if not os.path.lexists(source):
        if not options.get("CreateMountpoint"):
            raise _invalid("bind", f"bind source path does not exist: {source}")
        _make_directories(source)
    words = (NOT_RECURSIVE,) if options.get("NonRecursive") else ()
    return replace(point, source=posixpath.normpath(source), propagation=propagation, options=words)


def _named(point: MountPoint, wish: Mapping[str, Any], source: str) -> MountPoint:
    options = wish.get("VolumeOptions") or {}
    if options.get("Subpath"):
        raise MountUnsupported("mounts of a volume's subdirectory are not supported")
    if (options.get("DriverConfig") or {}).get("Name") not in (None, "", "local"):
        raise MountUnsupported(f"volume driver {options['DriverConfig']['Name']} is not supported")
    if (options.get("DriverConfig") or {}).get("Options"):
        raise MountUnsupported(
            "driver options of a mount are not supported",
            advice="Make the volume with `mille volume create -o`.",
        )
    if source:
        check_name(source)
    words = (NO_COPY,) if options.get("NoCopy") else ()
    return replace(point, name=source, anonymous=not source, options=words)


def _in_memory(point: MountPoint, wish: Mapping[str, Any], source: str) -> MountPoint:
    if source:
        raise _invalid("tmpfs", "field Source must not be specified")
    options = wish.get("TmpfsOptions") or {}
    words = [f"size={options['SizeBytes']}"] if options.get("SizeBytes") else []
    words += [f"mode={options['Mode']:o}"] if options.get("Mode") else []
    return replace(point, options=tuple(words))


def _memory(target: str, words: str) -> MountPoint:
    """One of Docker's Tmpfs: a place, and mount options."""
    if not target.startswith("/"):
        raise BadMount(f"invalid mount path: '{target}' mount path must be absolute")
    if posixpath.normpath(target) in ("/", "//"):
        raise BadMount("invalid specification: destination can't be '/'")
    options = tuple(filter(None, words.split(",")))
    for option in options:
        name, given, value = option.partition("=")
        if option not in _PLAIN and not (given and name in _VALUED):
            told = f'"{name}" "{value}"' if given else f'"{name}"'
            raise BadMount(f"invalid tmpfs option [{told}]")
    return MountPoint(type="tmpfs", target=_target(target), options=options, read_only="ro" in options)


def _backed(volumes: Volumes, point: MountPoint, labels: Mapping[str, str] | None) -> MountPoint:
    """The mount with a source that is there."""
    if point.type == "volume":
        volume: Volume = volumes.create(point.name, labels=labels or None)
        return replace(point, name=volume.name, source=volume.source or volume.mountpoint)
    # Docker makes the missing source of a -v, as a directory of root's.
    if point.type == "bind" and not os.path.lexists(point.source):
        _make_directories(point.source)
    return point


def _make_directories(path: str) -> None:
    """Make a directory, and those above it that are missing, open to all whatever the caller's umask is: the
    users in a container are others.

    Source: moby v28, daemon/daemon_unix.go `setDefaultUmask`.
    """
    if os.path.isdir(path):
        return
    _make_directories(os.path.dirname(path))
    if files.make_directory(path, _OPEN):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            inherited = stat.S_IMODE(os.fstat(descriptor).st_mode) & stat.S_ISGID
            files.change_mode(descriptor, _OPEN | inherited)
        finally:
            os.close(descriptor)


def _target(path: str) -> str:
    return posixpath.normpath(path).replace("//", "/")


def _invalid(kind: str, reason: str) -> BadMount:
    return BadMount(f'invalid mount config for type "{kind}": {reason}')
