"""`mille image diff`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from millefeuille.analysis.compare import Difference, difference, difference_document
from millefeuille.annotations import Any
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.analyze.subject import SOURCE_HELP, Subject, analysed
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.escaped import escaped, printable
from millefeuille.faces.cli.image.inside import PLATFORM
from millefeuille.faces.cli.image.packages import packages_of
from millefeuille.faces.cli.options import boolean, string
from millefeuille.store.names import NoSuchImage

JSON = boolean("json", "Print in JSON format")
QUIET = boolean(
    "quiet", "Print nothing; exit 1 when the images differ, 2 when they cannot be compared", short="q"
)
SOURCE = string("source", SOURCE_HELP)

FAILED = 2  # the exit code of a comparison that could not run

_SIGNS = {"added": "A", "removed": "D", "content": "C", "metadata": "M", "type": "T"}

_Package = tuple[str, str, str]  # kind, name, architecture
PackageChange = tuple[str, str, str, str]  # kind, name, version before, version after; "" where there is none


def run(context: Context, call: Call) -> int:
    """Print what differs between two images: files, packages, config, history."""
    old, new = (
        analysed(context, text, source=call[SOURCE], platform=call[PLATFORM]) for text in call.arguments
    )
    found = difference(old.analysis.image, new.analysis.image)
    packages = None if call[QUIET] else _packages(context, old, new, call[PLATFORM])
    differs = bool(found.files or found.config or found.added_steps or found.removed_steps)
    if call[QUIET]:
        return int(differs)
    if call[JSON]:
        document = difference_document(found)
        document["packages"] = packages and [
            {"kind": kind, "name": name, "before": before or None, "after": after or None}
            for kind, name, before, after in packages
        ]
        context.terminal.line(json.dumps(document, indent=2))
        return 0
    for line in (*_files(found), *_package_lines(packages or ()), *_config(found), *_history(found)):
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
        versions = f"{printable(before) or '(none)'} -> {printable(after) or '(none)'}"
        yield f"package {kind} {printable(name)}: {versions}"


def _config(found: Difference) -> Iterator[str]:
    for each in found.config:
        yield f"config {each.name}: {_value(each.before)} -> {_value(each.after)}"


def _history(found: Difference) -> Iterator[str]:
    for sign, steps in (("-", found.removed_steps), ("+", found.added_steps)):
        for step in steps:
            yield f"history {sign} {printable(' '.join(step.created_by.split()))}"


def _value(value: Any) -> str:
    return "(none)" if value is None else printable(json.dumps(value, ensure_ascii=False))


def _packages(
    context: Context, old: Subject, new: Subject, platform: str
) -> tuple[PackageChange, ...] | None:
    """Packages that differ; None when an image is not in the store, where alone contents can be read."""
    if not (old.is_stored and new.is_stored):
        return None
    try:
        before, after = (_versions(context, each.stored_as, platform) for each in (old, new))
    except NoSuchImage:  # removed meanwhile
        return None
    return tuple(_changes(before, after))


def _versions(context: Context, name: str, platform: str) -> dict[_Package, Counter[str]]:
    """The versions that an image has of each package."""
    found: dict[_Package, Counter[str]] = {}
    for one in packages_of(context, name, platform or context.settings.platform).packages:
        key = one.package.kind, one.package.name, one.package.architecture
        found.setdefault(key, Counter())[one.package.version] += 1
    return found


def _changes(
    old: Mapping[_Package, Counter[str]], new: Mapping[_Package, Counter[str]]
) -> Iterator[PackageChange]:
    several = Counter(key[:2] for key in old.keys() | new.keys())
    for key in sorted(old.keys() | new.keys()):
        kind, name, architecture = key
        name = f"{name}:{architecture}" if several[kind, name] > 1 else name
        before, after = old.get(key, Counter()), new.get(key, Counter())
        gone, come = sorted((before - after).elements()), sorted((after - before).elements())
        for one, other in zip_longest(gone, come, fillvalue=""):
            yield kind, name, one, other


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
    failure=FAILED,
)
