"""An inspected image as the Go struct that templates see.

Source: moby v28.2.2, api/types/image/image_inspect.go and the types it uses.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.docker import rfc3339
from millefeuille.docker.duration import duration
from millefeuille.docker.template.values import Absent, Integer, Struct, Text, TypedList, TypedMap

_EMPTY = Struct(type_name="struct {}", fields={})
_OMITTED = frozenset(
    "Created Container ContainerConfig Variant OsVersion VirtualSize Descriptor Manifests".split()
)
_HEALTH = frozenset({"Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"})


def image_struct(image: Mapping[str, Any]) -> Struct:
    """The struct for an object made by `image_inspect`."""
    return Struct(
        type_name="image.InspectResponse",
        fields={**_origin(image), **_content(image)},
        json_names={"ID": "Id"},
        omit_empty=_OMITTED,
    )


def _origin(image: Mapping[str, Any]) -> dict[str, object]:
    return {
        "ID": image["Id"],
        "RepoTags": TypedList(image["RepoTags"]),
        "RepoDigests": TypedList(image["RepoDigests"]),
        "Parent": image["Parent"],
        "Comment": image["Comment"],
        "Created": image.get("Created", ""),
        "Container": "",
        "ContainerConfig": Absent("container.Config"),
        "DockerVersion": image["DockerVersion"],
        "Author": image["Author"],
    }


def _content(image: Mapping[str, Any]) -> dict[str, object]:
    return {
        "Config": _config(image["Config"]),
        "Architecture": image["Architecture"],
        "Variant": image.get("Variant", ""),
        "Os": image["Os"],
        "OsVersion": image.get("OsVersion", ""),
        "Size": Integer(image["Size"]),
        "VirtualSize": Integer(0),
        "GraphDriver": _driver(image["GraphDriver"]),
        "RootFS": _root(image["RootFS"]),
        "Metadata": _metadata(image["Metadata"]),
        "Descriptor": Absent("v1.Descriptor"),
        "Manifests": TypedList(None, "image.ManifestSummary"),
    }


def _config(config: Mapping[str, Any]) -> Struct:
    image = {
        "User": config.get("User", ""),
        "ExposedPorts": _set(config.get("ExposedPorts")),
        "Env": TypedList(config.get("Env")),
        "Entrypoint": TypedList(config.get("Entrypoint")),
        "Cmd": TypedList(config.get("Cmd")),
        "Volumes": _set(config.get("Volumes")),
        "WorkingDir": config.get("WorkingDir", ""),
        "Labels": TypedMap(config.get("Labels")),
        "StopSignal": config.get("StopSignal", ""),
        "ArgsEscaped": config.get("ArgsEscaped", False),
    }
    extension = {
        "Healthcheck": _health(config.get("Healthcheck")),
        "OnBuild": TypedList(config.get("OnBuild")),
        "Shell": TypedList(config.get("Shell")),
    }
    parts = {
        "ImageConfig": Struct(type_name="v1.ImageConfig", fields=image, omit_empty=frozenset(image)),
        "DockerOCIImageConfigExt": Struct(
            type_name="v1.DockerOCIImageConfigExt", fields=extension, omit_empty=frozenset(extension)
        ),
    }
    return Struct(
        type_name="v1.DockerOCIImageConfig", fields=parts, embedded=frozenset(parts), pointer=True
    )


def _set(values: Mapping[str, object] | None) -> TypedMap:
    members = None if values is None else dict.fromkeys(values, _EMPTY)
    return TypedMap(members, "struct {}", _EMPTY)


def _health(check: Mapping[str, Any] | None) -> Struct | Absent:
    if check is None:
        return Absent("v1.HealthcheckConfig", _HEALTH)
    fields = {
        "Test": TypedList(check.get("Test")),
        **{name: duration(check.get(name, 0)) for name in
           ("Interval", "Timeout", "StartPeriod", "StartInterval")},
        "Retries": check.get("Retries", 0),
    }  # fmt: skip
    return Struct(
        type_name="v1.HealthcheckConfig", fields=fields, omit_empty=frozenset(fields), pointer=True
    )


def _driver(driver: Mapping[str, Any]) -> Struct:
    fields = {"Data": TypedMap(driver["Data"]), "Name": driver["Name"]}
    return Struct(type_name="storage.DriverData", fields=fields)


def _root(root: Mapping[str, Any]) -> Struct:
    fields = {"Type": root["Type"], "Layers": TypedList(root.get("Layers"))}
    return Struct(type_name="image.RootFS", fields=fields, omit_empty=frozenset({"Type", "Layers"}))


def _metadata(metadata: Mapping[str, Any]) -> Struct:
    tagged = metadata["LastTagTime"]
    fields = {"LastTagTime": Text(rfc3339.go_string(tagged), tagged)}
    return Struct(type_name="image.Metadata", fields=fields)
