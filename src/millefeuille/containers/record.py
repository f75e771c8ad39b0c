"""Container: what is known of one from its creation on, in the shape in which Docker tells it.

`config` and `host_config` are JSON mappings with the keys of Docker's Engine API (`Config`, `HostConfig`), so
that every way in speaks of the same things, and nothing is lost on the way from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass, field, replace

NEVER: Final = "0001-01-01T00:00:00Z"  # Go's zero time, which Docker shows for what has not happened


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPoint:
    """One mount of a container. `type` is "bind", "volume" or "tmpfs"; `source` a host path ("" for tmpfs);
    `name` that of the volume; `options` what a tmpfs is mounted with.
    """

    type: str
    target: str
    source: str = ""
    name: str = ""
    read_only: bool = False
    propagation: str = ""
    options: tuple[str, ...] = ()
    anonymous: bool = False  # a volume made for this container, removed with it where that is asked for
    borrowed: bool = False  # another container's: the image has nothing to put into it


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container as it was created. `image` is the image's ID, `chain` its chain ID, None without layers.

    `layers` are the diff IDs of the chain, lowest first. `name` is without Docker's slash; `created` is
    RFC 3339; `path` and `args` are what will be executed.
    """

    id: str
    name: str
    created: str
    image: Digest
    chain: Digest | None
    layers: tuple[Digest, ...]
    path: str
    args: tuple[str, ...]
    platform: str
    config: Mapping[str, Any]
    host_config: Mapping[str, Any]
    networking: Mapping[str, Any] = field(default_factory=dict)
    mounts: tuple[MountPoint, ...] = ()
    damage: str = ""  # why its record cannot be read; then this is what the database knows of it

    @property
    def short(self) -> str:
        """The first 12 digits of the ID."""
        return self.id[:12]

    @property
    def image_name(self) -> str:
        """The image as it was asked for."""
        return str(self.config.get("Image") or self.image)

    def renamed(self, name: str) -> Container:
        """The same container under another name."""
        return replace(self, name=name)


def encode(container: Container) -> dict[str, Any]:
    """The JSON object that `decode` reads."""
    return {
        "Id": container.id,
        "Name": container.name,
        "Created": container.created,
        "Image": str(container.image),
        "Chain": str(container.chain) if container.chain else None,
        "Layers": [str(layer) for layer in container.layers],
        "Path": container.path,
        "Args": list(container.args),
        "Platform": container.platform,
        "Config": container.config,
        "HostConfig": container.host_config,
        "NetworkingConfig": container.networking,
        "MountPoints": [
            {
                "Type": mount.type, "Target": mount.target, "Source": mount.source, "Name": mount.name,
                "ReadOnly": mount.read_only, "Propagation": mount.propagation,
                "Options": list(mount.options), "Anonymous": mount.anonymous,
                **({"Borrowed": True} if mount.borrowed else {}),
            }
            for mount in container.mounts
        ],
    }  # fmt: skip


_KINDS: Final = {
    **dict.fromkeys(("Id", "Name", "Created", "Image", "Path", "Platform"), str),
    **dict.fromkeys(("Config", "HostConfig", "NetworkingConfig"), dict),
    **dict.fromkeys(("Layers", "Args", "MountPoints"), list),
}


def decode(value: Mapping[str, Any]) -> Container:
    """The container that `encode` wrote. Raises KeyError, TypeError, Invalid for anything else."""
    for key, kind in _KINDS.items():
        if not isinstance(value[key], kind):
            raise TypeError(f"{key} is of the wrong type")
    if not all(isinstance(word, str) for word in value["Args"]):
        raise TypeError("Args are of the wrong type")
    return Container(
        id=value["Id"],
        name=value["Name"],
        created=value["Created"],
        image=Digest.parse(value["Image"]),
        chain=Digest.parse(value["Chain"]) if value["Chain"] else None,
        layers=tuple(Digest.parse(layer) for layer in value["Layers"]),
        path=value["Path"],
        args=tuple(value["Args"]),
        platform=value["Platform"],
        config=value["Config"],
        host_config=value["HostConfig"],
        networking=value["NetworkingConfig"],
        mounts=tuple(
            MountPoint(
                type=mount["Type"], target=mount["Target"], source=mount["Source"], name=mount["Name"],
                read_only=mount["ReadOnly"], propagation=mount["Propagation"],
                options=tuple(mount["Options"]), anonymous=mount["Anonymous"],
                borrowed=mount.get("Borrowed") is True,
            )
            for mount in value["MountPoints"]
        ),
    )  # fmt: skip
