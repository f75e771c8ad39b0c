"""The columns of Docker's list commands: field names, headers, defaults."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A kind of row: the Go type that errors name, the header of each field, and the default columns.

    A row maps each field to its text, or to a function of one text that templates may call. `named` are
    formats called by one word; `blanks` is what the default table shows for fields that are empty.
    """

    type_name: str
    headers: Mapping[str, object]
    columns: tuple[str, ...]
    named: Mapping[str, str] = field(default_factory=dict)
    blanks: Mapping[str, str] = field(default_factory=dict)


def label_header(name: str) -> str:
    """The header of the column of one label: `my role` for `com.example.my-role`."""
    return name.rpartition(".")[2].replace("-", " ").replace("_", " ")


IMAGES = Listing(
    type_name="formatter.imageContext",
    headers={
        "ID": "IMAGE ID",
        "Repository": "REPOSITORY",
        "Tag": "TAG",
        "Digest": "DIGEST",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "Size": "SIZE",
        "Containers": "CONTAINERS",
        "VirtualSize": "SIZE",
        "SharedSize": "SHARED SIZE",
        "UniqueSize": "UNIQUE SIZE",
    },
    columns=("Repository", "Tag", "ID", "CreatedSince", "Size"),
    named={
        "raw": "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\n"
        "created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n"
    },
    blanks={"CreatedSince": "N/A"},
)
IMAGE_COLUMNS_WITH_DIGEST = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")

HISTORY = Listing(
    type_name="image.historyContext",
    headers={
        "ID": "IMAGE",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "CreatedBy": "CREATED BY",
        "Size": "SIZE",
        "Comment": "COMMENT",
    },
    columns=("ID", "CreatedSince", "CreatedBy", "Size", "Comment"),
)
HISTORY_COLUMNS_EXACT = ("ID", "CreatedAt", "CreatedBy", "Size", "Comment")

USAGE = Listing(
    type_name="formatter.diskUsageImagesContext",
    headers={
        "Type": "TYPE",
        "TotalCount": "TOTAL",
        "Active": "ACTIVE",
        "Size": "SIZE",
        "Reclaimable": "RECLAIMABLE",
    },
    columns=("Type", "TotalCount", "Active", "Size", "Reclaimable"),
)

SEARCH = Listing(
    type_name="registry.searchContext",
    headers={
        "Name": "NAME",
        "Description": "DESCRIPTION",
        "StarCount": "STARS",
        "IsOfficial": "OFFICIAL",
    },
    columns=("Name", "Description", "StarCount", "IsOfficial"),
)

FILES = Listing(
    type_name="image.fileContext",
    headers={
        "Path": "PATH",
        "Type": "TYPE",
        "Mode": "MODE",
        "UID": "UID",
        "GID": "GID",
        "Size": "SIZE",
        "ModifiedAt": "MODIFIED AT",
        "Link": "LINK",
        "Layer": "LAYER",
    },
    columns=("Mode", "UID", "GID", "Size", "ModifiedAt", "Path"),
)

MOUNTS = Listing(
    type_name="image.mountContext",
    headers={"ID": "IMAGE ID", "Image": "IMAGE", "Mountpoint": "MOUNTPOINT"},
    columns=("ID", "Image", "Mountpoint"),
)
