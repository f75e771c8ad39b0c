"""The report for a person: what the layers hold, what is wasted, and by whom."""

from __future__ import annotations

from millefeuille.analysis.schema import Document
from millefeuille.docker.ellipsis import ellipsis
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.escaped import escaped, printable

_COMMAND = 60  # characters of a step that are shown
_SHELL = "/bin/sh -c "


def report_text(found: Document, *, score: str = "exact", rows: int = 20, whole: bool = False) -> str:
    """Tables of layers and of waste; at most `rows` of the latter unless `whole`."""
    limit = None if whole else rows
    parts = [_head(found), _layers(found, whole=whole)]
    if score == "dive":
        parts.append(_inefficiencies(found, limit))
    else:
        parts += [_causes(found), _waste(found, limit), _copies(found, limit)]
    parts.append(_scores(found, score))
    return "\n".join(part for part in parts if part)


def shown_path(path: str) -> str:
    """A path of the document as a terminal may show it."""
    return "/" + escaped(path.lstrip("/").encode("utf-8", "surrogateescape"))


def shown_step(text: str, *, whole: bool = False) -> str:
    """A step of the history as a terminal may show it, on one line: its beginning, unless `whole`."""
    line = printable(" ".join(text.removeprefix(_SHELL).split()))
    return line if whole else ellipsis(line, _COMMAND)


def _head(found: Document) -> str:
    image, exact = found["image"], found["score"]["exact"]
    base = image["base"]
    lines = [
        f"Image:        {printable(image['name'])}",
        f"ID:           {printable(image['id'])}",
        f"Platform:     {printable(image['platform'])}",
        f"Layers:       {len(found['layers'])}",
        f"Base:         {printable(base['name'])}"
        f" ({base['layers']} layer{'' if base['layers'] == 1 else 's'})"
        if base["layers"]
        else "",
        f"Stored:       {human_size(exact['storedBytes'])}"
        f" ({human_size(exact['compressedBytes'])} compressed)",
        f"Live:         {human_size(exact['liveBytes'])}",
        f"Shadowed:     {human_size(exact['shadowedBytes'])}"
        f" ({human_size(exact['compressedShadowedBytes'])} compressed):"
        f" {human_size(exact['avoidableBytes'])} avoidable, {human_size(exact['inheritedBytes'])} inherited",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _layers(found: Document, *, whole: bool) -> str:
    rows = [
        (
            str(layer["index"]), human_size(layer["sizeBytes"]), human_size(layer["compressedBytes"]),
            human_size(layer["shadowedBytes"]), _changes(layer["entries"]),
            shown_step(layer["createdBy"], whole=whole) + (" (base)" if layer["base"] else ""),
        )
        for layer in found["layers"]
    ]  # fmt: skip
    return table(("LAYER", "SIZE", "COMPRESSED", "SHADOWED", "CHANGES", "CREATED BY"), rows)


def _changes(entries: Document) -> str:
    modified = entries["content"] + entries["metadata"] + entries["type"]
    return f"+{entries['added']} ~{modified} -{entries['removed']}"


def _causes(found: Document) -> str:
    rows = [
        (cause.upper(), human_size(size))
        for cause, size in found["score"]["exact"]["byCause"].items() if size
    ]  # fmt: skip
    return table(("CAUSE", "SHADOWED"), rows) if rows else ""


def _waste(found: Document, limit: int | None) -> str:
    items = found["waste"]
    rows = [
        (
            human_size(item["sizeBytes"]), human_size(item["compressedBytes"]), str(item["writer"]),
            str(item["killer"]), item["cause"], shown_path(item["path"]),
        )
        for item in items[:limit]
    ]  # fmt: skip
    if not rows:
        return ""
    heads = ("SHADOWED", "COMPRESSED", "WRITTEN IN", "LOST IN", "CAUSE", "PATH")
    return table(heads, rows) + _more(len(items), len(rows))


def _copies(found: Document, limit: int | None) -> str:
    items = found["copies"]
    rows = [
        (
            human_size(item["extraBytes"]), str(len(item["places"])), human_size(item["sizeBytes"]),
            " ".join(shown_path(place["path"]) for place in item["places"][:3]),
        )
        for item in items[: limit and limit // 2]
    ]  # fmt: skip
    if not rows:
        return ""
    return table(("REPEATED", "COPIES", "SIZE", "PATHS"), rows) + _more(len(items), len(rows))


def _inefficiencies(found: Document, limit: int | None) -> str:
    items = found["score"]["dive"]["inefficiencies"]
    rows = [
        (str(item["count"]), human_size(item["sizeBytes"]), shown_path(item["path"]))
        for item in items[:limit]
    ]
    if not rows:
        return ""
    return table(("COUNT", "TOTAL SPACE", "PATH"), rows) + _more(len(items), len(rows))


def _scores(found: Document, score: str) -> str:
    exact, dive = found["score"]["exact"], found["score"]["dive"]
    if score == "dive":
        return f"Dive's efficiency: {dive['efficiency']:.4%}, wasted {human_size(dive['wastedBytes'])}\n"
    text = f"Efficiency:   {exact['efficiency']:.4%}\n"
    if dive["wastedBytes"] != exact["shadowedBytes"]:
        text += (
            f"Dive says:    {dive['efficiency']:.4%}, wasted {human_size(dive['wastedBytes'])}; it counts"
            " every copy of a path, the one in use too, and no file below a removed directory\n"
        )
    return text


def _more(count: int, shown: int) -> str:
    return f"({count - shown} more; --no-trunc shows all)\n" if count > shown else ""
