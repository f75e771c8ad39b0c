"""A volume as Docker's object, as a row of `volume ls`, and as the Go struct that templates see.

Source: moby v28.2.2, api/types/volume; docker/cli v28.2.2, cli/command/formatter/volume.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.docker.columns import Listing, label_header
from millefeuille.docker.template.values import Absent, Struct, TypedMap
from millefeuille.docker.units import human_size
from millefeuille.volumes.volume import DRIVER, Volume

VOLUMES = Listing(
    type_name="formatter.volumeContext",
    headers={
        "Name": "VOLUME NAME",
        "Driver": "DRIVER",
        "Scope": "SCOPE",
        "Availability": "AVAILABILITY",
        "Mountpoint": "MOUNTPOINT",
        "Labels": "LABELS",
        "Label": label_header,
        "Links": "LINKS",
        "Size": "SIZE",
        "Group": "GROUP",
        "Status": "STATUS",
    },
    columns=("Driver", "Name"),
    named={"raw": "name: {{.Name}}\ndriver: {{.Driver}}\n"},
)
VOLUME = "millefeuille.docker.shapes.volume:volume_struct"
_UNKNOWN = "N/A"


def volume_inspect(volume: Volume) -> dict[str, Any]:
    """The object of `GET /volumes/{name}`."""
    labels = volume.labels
    return {
        "CreatedAt": volume.created,
        "Driver": DRIVER,
        "Labels": None if labels is None else dict(sorted(labels.items())),
        "Mountpoint": volume.mountpoint,
        "Name": volume.name,
        "Options": dict(sorted(volume.options.items())) or None,
        "Scope": "local",
    }


def volume_row(volume: Volume, *, links: int = -1, size: int = -1) -> dict[str, Any]:
    """The row of VOLUMES; -1 where a number is not known."""
    labels = sorted((volume.labels or {}).items())
    return {
        "Name": volume.name,
        "Driver": DRIVER,
        "Scope": "local",
        "Availability": _UNKNOWN,
        "Mountpoint": volume.mountpoint,
        "Labels": ",".join(f"{key}={value}" for key, value in labels),
        "Label": lambda name: dict(labels).get(name, ""),
        "Links": _UNKNOWN if links < 0 else str(links),
        "Size": _UNKNOWN if size < 0 else human_size(size),
        "Group": _UNKNOWN,
        "Status": _UNKNOWN,
    }


def volume_struct(value: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `volume_inspect`."""
    fields: dict[str, object] = {
        "ClusterVolume": Absent("volume.ClusterVolume"),
        "CreatedAt": value["CreatedAt"],
        "Driver": value["Driver"],
        "Labels": TypedMap(value["Labels"]),
        "Mountpoint": value["Mountpoint"],
        "Name": value["Name"],
        "Options": TypedMap(value["Options"]),
        "Scope": value["Scope"],
        "Status": TypedMap(None, "interface {}", None),
        "UsageData": Absent("volume.UsageData"),
    }
    omitted = frozenset({"ClusterVolume", "CreatedAt", "Status", "UsageData"})
    return Struct(type_name="volume.Volume", fields=fields, omit_empty=omitted)
