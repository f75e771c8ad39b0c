"""`mille build --call`: what a Dockerfile is like, without building it."""

from __future__ import annotations

import json

from millefeuille.annotations import Any, Final
from millefeuille.build.call.outline import outline
from millefeuille.build.call.targets import targets
from millefeuille.build.call.text import outline_json, outline_text, targets_json, targets_text
from millefeuille.build.lint.facts import Around
from millefeuille.build.lint.lint import Report, lint
from millefeuille.build.lint.text import report_text
from millefeuille.build.plan import target_index
from millefeuille.build.scope import global_scope, platform_args
from millefeuille.build.stageindex import check_indexes
from millefeuille.engine.build import Order
from millefeuille.engine.checking import base_facts
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.exits import Refusal
from millefeuille.oci.platform import Platform

METHODS: Final = ("build", "check", "outline", "targets")


def method(text: str) -> tuple[str, str]:
    """The method and the format ("" or json) of a --call. Raises Refusal."""
    name, _, rest = text.partition(",")
    name = {"lint": "check"}.get(name.strip(), name.strip())
    if name not in METHODS:
        raise Refusal(f'unknown method "{name}" for --call: use {", ".join(METHODS)}')
    key, _, value = rest.partition("=")
    if rest and (key != "format" or value not in ("json", "text")):
        raise Refusal(f"invalid --call attribute: {rest}")
    return name, "json" if value == "json" else ""


def answer(context: Context, name: str, form: str, order: Order, platform: Platform | None) -> int:
    """Print the answer; the exit code, 1 for a check that found something. Raises DockerfileError."""
    host, dockerfile, request = Platform.host(), order.dockerfile, order.request
    predefined = platform_args(host, platform or host, request.target)
    found: Any
    if name != "targets":
        check_indexes(dockerfile, order.contexts)
    if name == "check":
        report = checked(context, order, platform)
        text, found = report_text(report, dockerfile), _report_json(report)
    elif name == "outline":
        outer = global_scope(dockerfile, request.arguments, predefined)
        made = outline(dockerfile, outer, target_index(dockerfile, request.target))
        text, found = outline_text(made), outline_json(made)
    else:
        stages = targets(dockerfile)
        text, found = targets_text(stages), targets_json(stages)
    context.terminal.write(json.dumps(found, indent=2) + "\n" if form else text)
    return 1 if name == "check" and report.warnings else 0


def checked(context: Context, order: Order, platform: Platform | None, *, ask: bool = True) -> Report:
    """What the rules say of a Dockerfile; with `ask`, registries may be asked about its base images.

    Raises DockerfileError.
    """
    host, dockerfile, request = Platform.host(), order.dockerfile, order.request
    target = platform or host
    predefined = platform_args(host, target, request.target)
    ignore = order.context.ignore if order.context is not None else None
    plain = ignore is not None and not any(one.startswith("!") for one in ignore.patterns)
    outer = global_scope(dockerfile, request.arguments, predefined)
    around = Around(
        build_args=request.arguments,
        predefined=predefined,
        target=target,
        bases=base_facts(context.settings, dockerfile, outer, target, named=order.contexts, ask=ask),
        ignored=ignore if plain and ignore is not None and ignore.patterns else None,
    )
    return lint(dockerfile, around)


def warned(context: Context, order: Order, platform: Platform | None) -> str:
    """What is to be said after a build of what the rules found; "" for nothing."""
    report = checked(context, order, platform, ask=False)
    count = len(report.warnings)
    if not count:
        return ""
    lines = [f" - {one.rule}: {one.message} (line {one.location.first})" for one in report.warnings]
    head = f" {count} warning{'' if count == 1 else 's'} found (use --check to expand):"
    return "\n".join((head, *lines))


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "warnings": [
            {
                "ruleName": one.rule, "description": one.description, "url": one.url, "detail": one.message,
                "location": {
                    "ranges": [{"start": {"line": one.location.first}, "end": {"line": one.location.last}}]
                },
            }
            for one in report.warnings
        ]
    }  # fmt: skip
