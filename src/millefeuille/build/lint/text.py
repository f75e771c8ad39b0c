"""What `--check` prints: the warnings, each with the lines it is about."""

from __future__ import annotations

from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.excerpt import excerpt
from millefeuille.build.lint.lint import Report


def report_text(report: Report, dockerfile: Dockerfile) -> str:
    """The report as text, each line ended."""
    count = len(report.warnings)
    if not count:
        return "Check complete, no warnings found.\n"
    told = "1 warning has" if count == 1 else f"{count} warnings have"
    parts = [f"Check complete, {told} been found!\n"]
    for warning in report.warnings:
        parts.append(f"\nWARNING: {warning.rule} - {warning.url}\n{warning.message}\n")
        parts.append(excerpt(dockerfile.source, warning.location, dockerfile.name))
    return "".join(parts)
