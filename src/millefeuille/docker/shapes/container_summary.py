"""`ps`: one container in short, as a JSON object and as a row of the table.

Source: moby v28.2.2, container/view.go; docker/cli v28.2.2, cli/command/formatter/container.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.containers.record import Container
from millefeuille.containers.state import State
from millefeuille.docker import rfc3339
from millefeuille.docker.age import ago, go_time
from millefeuille.docker.columns import Listing, label_header
from millefeuille.docker.ellipsis import ellipsis
from millefeuille.docker.shapes.container_mounts import mount_list
from millefeuille.docker.shapes.container_ports import port_list, ports_text
from millefeuille.docker.shapes.container_status import status_text
from millefeuille.docker.shapes.summary import short_id
from millefeuille.docker.units import human_size
from millefeuille.errors import MilleError
from millefeuille.oci.gotext import quoted
from millefeuille.oci.reference import Reference
from millefeuille.values import dataclass

_COMMAND_WIDTH: Final = 20
_MOUNT_WIDTH: Final = 15


CONTAINERS: Final = Listing(
    type_name="formatter.ContainerContext",
    headers={
        "ID": "CONTAINER ID",
        "Names": "NAMES",
        "Image": "IMAGE",
        "Command": "COMMAND",
        "CreatedAt": "CREATED AT",
        "RunningFor": "CREATED",
        "Ports": "PORTS",
        "State": "STATE",
        "Status": "STATUS",
        "Size": "SIZE",
        "Labels": "LABELS",
        "Label": label_header,
        "Mounts": "MOUNTS",
        "LocalVolumes": "LOCAL VOLUMES",
        "Networks": "NETWORKS",
        "Platform": "PLATFORM",
    },
    columns=("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"),
    named={
        "raw": "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"
        "state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\n"
        "labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n"
    },
)
CONTAINER_COLUMNS_WITH_SIZE: Final = (*CONTAINERS.columns, "Size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A container as lists show it. `image` is the name it was asked for by, while that still means the same
    image, else the image's ID. `network` is Docker's NetworkSettings. Sizes are bytes, None where not asked.
    """

    container: Container
    state: State
    image: str
    network: Mapping[str, Any]
    size: int | None = None
    size_with_image: int | None = None


def container_summary(listed: Listed, now: float) -> dict[str, Any]:
    """The object of `GET /containers/json`, members in Docker's order; `now` is Unix seconds."""
    container = listed.container
    sizes = {"SizeRw": listed.size, "SizeRootFs": listed.size_with_image}
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": listed.image,
        "ImageID": str(container.image),
        "Command": command_text(container),
        "Created": rfc3339.seconds(container.created),
        "Ports": port_list(listed.network.get("Ports") or {}),
        **{name: size for name, size in sizes.items() if size},
        "Labels": dict(sorted((container.config.get("Labels") or {}).items())),
        "State": listed.state.status,
        "Status": status_text(listed.state, now),
        "HostConfig": {"NetworkMode": network_mode(container)},
        "NetworkSettings": {"Networks": listed.network.get("Networks") or {}},
        "Mounts": mount_list(container),
    }


def network_mode(container: Container) -> str:
    """The network mode as Docker tells it."""
    mode = str(container.host_config.get("NetworkMode") or "default")
    return "bridge" if mode == "default" else mode


def command_text(container: Container) -> str:
    """What runs, in one line."""
    words = (f"'{word}'" if " " in word else word for word in container.args)
    return " ".join((container.path, *words))


def container_row(value: Mapping[str, Any], now: float, *, truncate: bool = True) -> dict[str, object]:
    """The row of CONTAINERS, from an object made by `container_summary`."""
    labels: Mapping[str, str] = value["Labels"]
    command = ellipsis(value["Command"], _COMMAND_WIDTH) if truncate else value["Command"]
    return {
        "ID": value["Id"][:12] if truncate else value["Id"],
        "Names": ",".join(name.removeprefix("/") for name in value["Names"]),
        "Image": _image(value, truncate),
        "Command": quoted(command),
        "CreatedAt": go_time(value["Created"]),
        "RunningFor": ago(value["Created"], now),
        "Ports": ports_text(value["Ports"]),
        "State": value["State"],
        "Status": value["Status"],
        "Size": _size(value),
        "Labels": ",".join(sorted(f"{name}={value}" for name, value in labels.items())),
        "Label": lambda name: labels.get(name, ""),
        "Mounts": _mounts(value["Mounts"], truncate),
        "LocalVolumes": str(sum(mount.get("Driver") == "local" for mount in value["Mounts"])),
        "Networks": ",".join(value["NetworkSettings"]["Networks"]),
        "Platform": None,
    }


def blank_row(now: float) -> dict[str, object]:
    """The row of no container, on which Docker tries out a format before it asks for containers."""
    blank: dict[str, Any] = dict.fromkeys(("Id", "Image", "ImageID", "Command", "State", "Status"), "")
    networks: dict[str, Any] = {"Networks": {}}
    blank |= {"Names": [], "Ports": [], "Mounts": [], "Labels": {}, "Created": 0, "NetworkSettings": networks}
    return container_row(blank, now)


def _image(value: Mapping[str, Any], truncate: bool) -> str:
    image: str = value["Image"]
    if not image:
        return "<no image>"
    if not truncate:
        return image
    if short_id(image) == short_id(value["ImageID"]):
        return short_id(image)
    try:
        reference = Reference.parse(image)
    except MilleError:
        return image
    return f"{reference.familiar_name}:{reference.tag}" if reference.tag else reference.familiar_name


def _size(value: Mapping[str, Any]) -> str:
    written = human_size(value.get("SizeRw") or 0, 3)
    whole = value.get("SizeRootFs") or 0
    return f"{written} (virtual {human_size(whole, 3)})" if whole > 0 else written


def _mounts(mounts: Sequence[Mapping[str, Any]], truncate: bool) -> str:
    names = (mount.get("Name") or mount.get("Source") or "" for mount in mounts)
    return ",".join(ellipsis(name, _MOUNT_WIDTH) if truncate else name for name in names)
