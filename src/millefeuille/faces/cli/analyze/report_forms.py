"""The report for machines and reviews: Markdown, JUnit, SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from millefeuille.analysis.commonground import on_common_ground
from millefeuille.analysis.rules import FAIL, SKIP, Outcome
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Any
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.analyze.report_text import shown_path, shown_step
from millefeuille.faces.cli.escaped import printable

_ROWS = 20
_MARKS = frozenset("\\`*_<>[]&~#!")
_BACKTICKS = re.compile("`+")


def markdown(found: Document, outcomes: Sequence[Outcome], before: Document | None = None) -> str:
    """A comment for a pull request; `before` is the analysis to compare with."""
    if before is not None:
        found, before = on_common_ground(found, before)
    exact = found["score"]["exact"]
    lines = [f"### Layers of {_code(printable(found['image']['name']))}", ""]
    lines += _table(("", "now", *(("before", "change") if before else ())), [
        _number_row(label, key, exact, before)
        for label, key in (
            ("stored", "storedBytes"), ("compressed", "compressedBytes"), ("live", "liveBytes"),
            ("shadowed", "shadowedBytes"), ("avoidable", "avoidableBytes"),
        )
    ])  # fmt: skip
    if outcomes:
        rows = [(outcome.status, _words(outcome.rule), _words(outcome.reason)) for outcome in outcomes]
        lines += ["", *_table(("result", "rule", "why"), rows)]
    waste = [
        (
            human_size(item["sizeBytes"]), str(item["writer"]), str(item["killer"]), item["cause"],
            _code(shown_path(item["path"])),
        )
        for item in found["waste"][:_ROWS]
    ]  # fmt: skip
    if waste:
        lines += ["", *_table(("shadowed", "written in", "lost in", "cause", "path"), waste)]
        if len(found["waste"]) > _ROWS:
            lines.append(f"\n{len(found['waste']) - _ROWS} more.")
    return "\n".join(lines) + "\n"


def junit(found: Document, outcomes: Sequence[Outcome]) -> str:
    """A JUnit file: each rule is a test case."""
    failed = sum(outcome.status == FAIL for outcome in outcomes)
    skipped = sum(outcome.status == SKIP for outcome in outcomes)
    name = _attribute(f"mille analyze {found['image']['name']}")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites><testsuite name={name} tests="{len(outcomes)}" failures="{failed}" '
        f'skipped="{skipped}" errors="0">',
    ]
    for outcome in outcomes:
        case = f"<testcase classname={name} name={_attribute(outcome.rule)}"
        if outcome.status == FAIL:
            reason = _attribute(outcome.reason)
            lines.append(f"{case}><failure message={reason}>{escape(outcome.reason)}</failure></testcase>")
        elif outcome.status == SKIP:
            lines.append(f"{case}><skipped message={_attribute(outcome.reason)}/></testcase>")
        else:
            lines.append(f"{case}/>")
    return "\n".join([*lines, "</testsuite></testsuites>", ""])


def sarif(found: Document, outcomes: Sequence[Outcome]) -> str:
    """A SARIF 2.1.0 file: each broken rule is a result, each large piece of waste a note."""
    results: list[dict[str, Any]] = [
        {
            "ruleId": outcome.rule.partition("/")[0], "level": "error",
            "message": {"text": _whole(outcome.reason)},
        }
        for outcome in outcomes if outcome.status == FAIL
    ]  # fmt: skip
    for item in found["waste"][:_ROWS]:
        step = shown_step(found["layers"][item["killer"]]["createdBy"])
        text = (
            f"{shown_path(item['path'])}: {item['sizeBytes']} bytes written in layer {item['writer']} are"
            f" lost in layer {item['killer']} ({item['cause']}): {step}"
        )
        results.append({"ruleId": "shadowed", "level": "note", "message": {"text": _whole(text)}})
    rules = sorted({result["ruleId"] for result in results})
    name = _whole(found["image"]["name"])
    place = [{"logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}]}]
    run = {
        "tool": {"driver": {"name": "mille analyze", "rules": [{"id": rule} for rule in rules]}},
        "results": [{**result, "locations": place} for result in results],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]
    }  # fmt: skip
    return json.dumps(document, indent=2) + "\n"


def escape(text: str) -> str:
    """Text as XML has it. The library's modules for this load others for HTML and URLs."""
    for letter, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(letter, f"&{name};")
    return "".join(letter if _is_in_xml(letter) else "\ufffd" for letter in text)


def _is_in_xml(letter: str) -> bool:
    """Whether XML 1.0 (section 2.2) has the letter: no control characters, no halves, no non-characters."""
    if letter < " ":
        return letter in "\t\n"
    return letter < "\ud800" or "\ue000" <= letter < "\ufffe" or letter >= "\U00010000"


def _whole(text: str) -> str:
    """Text without halves of characters, as which bytes of no UTF-8 are read, and strict readers refuse."""
    return text.encode("utf-8", "replace").decode()


def _attribute(text: str) -> str:
    return f'"{escape(text)}"'


def _number_row(label: str, key: str, now: Document, before: Document | None) -> tuple[str, ...]:
    if before is None:
        return label, human_size(now[key])
    old = before["score"]["exact"][key]
    change = now[key] - old
    sign = "+" if change > 0 else "-" if change < 0 else "±"
    return label, human_size(now[key]), human_size(old), f"{sign}{human_size(abs(change))}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [" | ".join(_cell(cell) for cell in row) for row in rows]
    return [f"| {line} |" for line in lines]


def _words(text: str) -> str:
    """Text that means nothing to Markdown; `_cell` sees to what would end a cell."""
    return "".join(f"\\{letter}" if letter in _MARKS else letter for letter in text)


def _code(text: str) -> str:
    """A line as a code span. Only as many backticks as are at its ends end one (CommonMark, section 6.1)."""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    pad = " " if "`" in text or text[:1] == text[-1:] == " " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
