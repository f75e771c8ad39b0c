"""`mille image diff`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from millefeuille.analysis.compare import Difference, difference, difference_document
from millefeuille.annotations import Any
from millefeuille.docker.units import human_size
from millefeuille.engine.store import existing
from millefeuille.faces.cli.analyze.subject import SOURCE_HELP, analysed
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.escaped import escaped
from millefeuille.faces.cli.image.inside import PLATFORM
from millefeuille.faces.cli.image.packages import packages_of
from millefeuille.faces.cli.options import boolean, string
from millefeuille.store.names import NoSuchImage, lookup

JSON = boolean("json", "Print in JSON format")
QUIET = boolean("quiet", "Print nothing; exit 1 when the images differ", short="q")
SOURCE = string("source", SOURCE_HELP)

_SIGNS = {"added": "A", "removed": "D", "content": "C", "metadata": "M", "type": "T"}

PackageChange = tuple[str, str, str, str]  # kind, name, version before, version after; "" where there is none


def run(context: Context, call: Call) -> int:
    """Print what differs between two images: files, packages, config, history."""
    old, new = (
        analysed(context, text, source=call[SOURCE], platform=call[PLATFORM]) for text in call.arguments
    )
    found = difference(old.analysis.image, new.analysis.image)
    packages = tuple(_packages(context, call)) if not call[QUIET] else ()
    differs = bool(found.files or found.config or found.added_steps or found.removed_steps)
    if call[QUIET]:
        return int(differs)
    if call[JSON]:
        document = difference_document(found)
        document["packages"] = [
            {"kind": kind, "name": name, "before": before or None, "after": after or None}
            for kind, name, before, after in packages
        ]
        context.terminal.line(json.dumps(document, indent=2))
        return 0
    for line in (*_files(found), *_package_lines(packages), *_config(found), *_history(found)):
        context.terminal.line(line)
    return 0


def _files(found: Difference) -> Iterator[str]:
    for each in found.files:
        sizes = ""
        if each.before != each.after:
            sizes = f"  {human_size(each.before)} -> {human_size(each.after)}"
        yield f"{_SIGNS[each.change]} /{escaped(each.path)}{sizes}"


def _package_lines(packages: tuple[PackageChange, ...]) -> Iterator[str]:
    for kind, name, before, after in packages:
        yield f"package {kind} {name}: {before or '(none)'} -> {after or '(none)'}"


def _config(found: Difference) -> Iterator[str]:
    for each in found.config:
        yield f"config {each.name}: {_value(each.before)} -> {_value(each.after)}"


def _history(found: Difference) -> Iterator[str]:
    for sign, steps in (("-", found.removed_steps), ("+", found.added_steps)):
        for step in steps:
            yield f"history {sign} {' '.join(step.created_by.split())}"


def _value(value: Any) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)


def _packages(context: Context, call: Call) -> Iterator[PackageChange]:
    """Packages that differ; none when an image is not in the store, where alone contents can be read."""
    store = existing(context.settings)
    if store is None:
        return
    with store.reading() as tx:
        if any("://" in text or lookup(tx, text) is None for text in call.arguments):
            return
    try:
        old, new = (
            {
                (one.package.kind, one.package.name, one.package.architecture, one.package.location):
                one.package.version
                for one in packages_of(context, text, call[PLATFORM]).packages
            }
            for text in call.arguments
        )  # fmt: skip
    except NoSuchImage:
        return
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key, ""), new.get(key, "")
        if before != after:
            yield key[0], key[1], before, after


COMMAND = Command(
    usage="[OPTIONS] IMAGE IMAGE",
    arguments=exactly(2),
    options=(
        JSON,
        PLATFORM,
        QUIET,
        SOURCE,
    ),
    run=run,
    complete="image",
)
