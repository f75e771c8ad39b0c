"""Images in registries and in other engines; progress shows on standard error."""

from __future__ import annotations

from millefeuille.engine.analysis import Analysis
from millefeuille.engine.elsewhere import in_docker, in_podman, in_registry
from millefeuille.faces.cli import progress
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.oci.platform import Platform


def away(context: Context, scheme: str, name: str, platform: Platform | None) -> Analysis:
    """The analysis of an image that is not here. Raises what registries and engines raise."""
    if scheme == "docker":
        return in_docker(context.settings, name, platform)
    if scheme == "podman":
        return in_podman(context.settings, name, platform)
    # Standard output belongs to the report.
    aside = Terminal(context.terminal.stdin, context.terminal.stderr, context.terminal.stderr)
    with progress.shown(aside, "pull", quiet=True) as reporter:
        return in_registry(context.settings, name, reporter, platform)
