"""`mille analyze --advise`: what to do about an image, and with --verify what that is worth."""

from __future__ import annotations

import importlib
import json
import os
import re
from contextlib import ExitStack, suppress

from millefeuille.analysis.advice.advice import ORDER, Advice
from millefeuille.analysis.advice.waste import IGNORE_FILE, ReadEntry, unread
from millefeuille.annotations import Any, Final, NamedTuple
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.report import Silent
from millefeuille.build.request import Request
from millefeuille.docker.units import human_size
from millefeuille.engine.advising import Advised, advised, contents_of, lines_of
from millefeuille.engine.build import Order, series
from millefeuille.engine.contextfiles import ignore_file
from millefeuille.engine.store import existing, founded
from millefeuille.engine.users import users
from millefeuille.engine.verifying import Bench, Hits, Unverified, Verified, verified
from millefeuille.errors import Invalid
from millefeuille.faces.cli.analyze.subject import Subject
from millefeuille.faces.cli.building import dockerfile as dockerfiles
from millefeuille.faces.cli.building.contexts import Contexts, Place
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.escaped import escaped
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.disk import StoreDenied
from millefeuille.values import dataclass

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
VERSION: Final = "1.0"  # of the document


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked: a Dockerfile's path, a context, each "" for none, and the build's arguments."""

    file: str = ""
    context: str = ""
    arguments: tuple[str, ...] = ()
    verify: bool = False
    json: bool = False


class Told(NamedTuple):
    """The advice as text or JSON, whether the image that it gives was seen to show other files, and why there
    is none.
    """

    text: str
    differs: bool = False
    failure: Unverified | None = None


def told(context: Context, subject: Subject, wish: Wish) -> Told:
    """What to do about the image. Raises DockerfileError, and with `verify` what builds raise."""
    image = subject.analysis.image
    if wish.verify:
        try:
            found = _verified(context, image.name, wish)
        except Unverified as error:
            if error.advised is None:
                raise
            return Told(_json(error.advised, None) if wish.json else _text(error.advised), failure=error)
        text = _json(found.advised, found) if wish.json else _text(found.advised) + _verdict(found)
        return Told(text, differs=bool(found.differing))
    dockerfile, ignore_file = _dockerfile(context, wish)
    lines: tuple[int, ...] = ()
    contents: ReadEntry = unread
    with suppress(StoreDenied):  # beside which an archive can be analysed
        store = existing(context.settings)
        if store is not None:
            lines, contents = lines_of(store, image), contents_of(store, image)
    advice = advised(image, subject.analysis.account, lines, dockerfile, contents, ignore_file)
    return Told(_json(advice, None) if wish.json else _text(advice))


def _dockerfile(context: Context, wish: Wish) -> tuple[Dockerfile | None, str]:
    """The Dockerfile, and the ignore file that counts for it."""
    if not wish.file and not wish.context:
        return None, IGNORE_FILE
    written = dockerfiles.read(context, wish.context, wish.file)
    return parse(written.text, name=written.name), _ignore_file(wish, written.path)


def _ignore_file(wish: Wish, path: str) -> str:
    where = wish.context or os.path.dirname(os.path.abspath(wish.file))
    return ignore_file(where, path) if os.path.isdir(where) else IGNORE_FILE


def _verified(context: Context, name: str, wish: Wish) -> Verified:
    store = founded(context.settings)
    arguments = dict(_argument(context, text) for text in wish.arguments)
    request = Request(arguments=arguments)

    def fetch(reference: Reference, platform: Platform | None) -> None:
        pulling = importlib.import_module("millefeuille.faces.cli.container.pulling")
        pulling.fetch(context, store, reference, platform, quiet=True)

    with ExitStack() as stack:
        place = _place(Contexts(context, request, stack), wish)
        order = Order(
            dockerfile=parse(place.written.text, name=place.written.name), request=request, name=name,
            series=series(place.key, place.written.path, ""), source=place.written.text, context=place.tree,
        )  # fmt: skip
        bench = Bench(
            settings=context.settings, store=store, reporter=Silent(), fetch=fetch,
            users=users(context.settings), ignore_file=_ignore_file(wish, place.written.path),
        )  # fmt: skip
        return verified(bench, order, name)


def _place(contexts: Contexts, wish: Wish) -> Place:
    if not wish.context and not wish.file:
        raise Invalid("--verify needs a Dockerfile", advice="Give it with -f, or give the context.")
    where = wish.context or os.path.dirname(os.path.abspath(wish.file))
    return contexts.place(where, wish.file)


def _argument(context: Context, text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    return name, value if sign else context.settings.environment.get(name, "")


def _text(advice: Advised) -> str:
    if not advice.advice:
        return f"{advice.name}: no advice\n"
    lines = []
    for number, one in enumerate(advice.advice, 1):
        lines += [f"{number}. {_shown(one.text)} ({_worth(one)})"]
        lines += [f"     {_shown(advice.script[step].shown)}" for step in one.steps]
        lines += [f"     /{escaped(path)}" for path in one.paths]
        patch = advice.difference(one.edits) if one.edits else ""
        lines += [f"   {_shown(line)}" for line in patch.splitlines()]
        lines += ["   (how, a person must say: no rewrite is known to be safe)"] if not one.edits else []
        lines += [""]
    rest = f", and {human_size(advice.by_hand)} by hand" if advice.by_hand else ""
    return "\n".join(lines) + f"Together: {human_size(advice.size)} less in the layers{rest}\n"


def _worth(one: Advice) -> str:
    if one.kind == ORDER:
        return f"{human_size(one.rebuilt)} not made again"
    return f"saves {human_size(one.size)}, {human_size(one.packed)} compressed"


def _shown(line: str) -> str:
    """A line of a Dockerfile: only what would act on a terminal is escaped, so that it can be copied."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", line)


def _verdict(found: Verified) -> str:
    lines = [
        "",
        f"Predicted:  {human_size(found.predicted)} less",
        f"Achieved:   {human_size(abs(found.achieved))} {'more' if found.achieved < 0 else 'less'}"
        f" ({human_size(found.before)} before, {human_size(found.after)} after)",
    ]
    lines += [
        f"Cache:      {_cause(hit)}: {hit.before} of {hit.steps_before} steps stay cached before,"
        f" {hit.after} of {hit.steps_after} after"
        for hit in found.hits
    ]
    files = f"{len(found.differing)} differ" if found.differing else "the same"
    varying = f", besides {len(found.varying)} that every build makes anew" if found.varying else ""
    lines.append(f"Files:      {files}{varying}")
    lines += [f"            /{escaped(one.path)}: {one.how}" for one in found.differing[:10]]
    return "\n".join((*lines, "", escaped_lines(found.rewritten.text)))


def escaped_lines(text: str) -> str:
    """A text of several lines as a terminal may show it."""
    return "".join(f"{_shown(line)}\n" for line in text.splitlines())


def _cause(hit: Hits) -> str:
    trigger = hit.advice.trigger
    return f"{trigger.kind} {trigger.name} changes" if trigger is not None else ""


def _json(advice: Advised, found: Verified | None) -> str:
    document: dict[str, Any] = {
        "schemaVersion": VERSION,
        "image": advice.name,
        "predictedBytes": advice.size,
        "byHandBytes": advice.by_hand,
        "advice": [_advice(advice, one) for one in advice.advice],
        "dockerfile": advice.rewritten.text,
        "dockerignore": list(advice.rewritten.ignored),
        "dockerignoreFile": advice.ignore_file,
    }
    if found is not None:
        document["verified"] = {
            "predictedBytes": found.predicted, "achievedBytes": found.achieved,
            "beforeBytes": found.before, "afterBytes": found.after,
            "differing": [{"path": os.fsdecode(one.path), "how": one.how} for one in found.differing],
            "varying": [os.fsdecode(path) for path in found.varying],
            "hits": [
                {
                    "change": _cause(hit), "cachedBefore": hit.before, "stepsBefore": hit.steps_before,
                    "cachedAfter": hit.after, "stepsAfter": hit.steps_after,
                }
                for hit in found.hits
            ],
        }  # fmt: skip
    return json.dumps(document, indent=2) + "\n"


def _advice(advice: Advised, one: Advice) -> dict[str, Any]:
    steps = [advice.script[number] for number in one.steps]
    return {
        "kind": one.kind, "text": one.text, "sizeBytes": one.size, "compressedBytes": one.packed,
        "rebuiltBytes": one.rebuilt, "paths": [os.fsdecode(path) for path in one.paths],
        "steps": [
            {
                "instruction": step.text, "line": step.first or None,
                "layer": step.layer if step.layer >= 0 else None,
            }
            for step in steps
        ],
        "patch": advice.difference(one.edits) if one.edits else None,
    }  # fmt: skip
