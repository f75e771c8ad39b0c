"""`mille build --call`: what a Dockerfile is like, without building it."""

from __future__ import annotations

import json
from typing import Any, Final

from millefeuille.build.call.outline import outline
from millefeuille.build.call.targets import targets
from millefeuille.build.call.text import outline_json, outline_text, targets_json, targets_text
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.lint.facts import Around
from millefeuille.build.lint.lint import Report, lint
from millefeuille.build.lint.text import report_text
from millefeuille.build.plan import target_index
from millefeuille.build.request import Request
from millefeuille.build.scope import global_scope, platform_args
from millefeuille.engine.build import Tree
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


def answer(
    context: Context, name: str, form: str, dockerfile: Dockerfile, request: Request, tree: Tree | None,
    platform: Platform | None,
) -> int:  # fmt: skip
    """Print the answer; the exit code, 1 for a check that found something. Raises DockerfileError."""
    host = Platform.host()
    predefined = platform_args(host, platform or host, request.target)
    found: Any
    if name == "check":
        report = checked(dockerfile, request, tree, platform)
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


def checked(
    dockerfile: Dockerfile, request: Request, tree: Tree | None, platform: Platform | None
) -> Report:
    """What the rules say of a Dockerfile."""
    host = Platform.host()
    ignore = tree.ignore if tree is not None else None
    plain = ignore is not None and not any(one.startswith("!") for one in ignore.patterns)
    around = Around(
        build_args=request.arguments,
        predefined=platform_args(host, platform or host, request.target),
        target=platform or host,
        ignored=ignore if plain and ignore is not None and ignore.patterns else None,
    )
    return lint(dockerfile, around)


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
