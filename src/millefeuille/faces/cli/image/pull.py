"""`mille image pull`."""

from __future__ import annotations

from millefeuille.engine.metadata import prepare
from millefeuille.engine.registries import registries
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits, progress
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, string
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.transfer.pull import pull

ALL_TAGS = boolean("all-tags", "Download all tagged images in the repository", short="a")
CONTENT_TRUST = boolean("disable-content-trust", "Skip image verification", default=True)
PLATFORM = string("platform", "Set platform if server is multi-platform capable")
QUIET = boolean("quiet", "Suppress verbose output", short="q")


def run(context: Context, call: Call) -> int:
    """Pull each name in turn; a failing one does not stop the rest."""
    code = 0
    for text in call.arguments:
        try:
            for reference in _wanted(context, call, text):
                _pull(context, call, reference)
        except MilleError as error:
            code = exits.report(context.terminal, error)
    return code


def _wanted(context: Context, call: Call, text: str) -> list[Reference]:
    with exits.refusing():
        reference = Reference.parse(text)
    if call[ALL_TAGS]:
        if reference.tag or reference.digest:
            raise Refusal("tag can't be used with --all-tags/-a")
        with progress.shown(context.terminal, "pull", quiet=call[QUIET]) as reporter:
            tags = registries(context.settings, reporter).repository(reference).tags()
        return [reference.with_tag(tag) for tag in tags]
    if not (reference.tag or reference.digest) and not call[QUIET]:
        context.terminal.line(f"Using default tag: {reference.tagged().tag}")
    return [reference.tagged()]


def _pull(context: Context, call: Call, reference: Reference) -> None:
    store = open_store(context.settings)
    wanted = call[PLATFORM] or context.settings.platform
    with progress.shown(context.terminal, "pull", quiet=call[QUIET]) as reporter:
        repository = registries(context.settings, reporter).repository(reference)
        platform = Platform.parse(wanted) if wanted else None
        pull(store, repository, reference, reporter, platform=platform, prepare=prepare())
    context.terminal.line(str(reference))


COMMAND = Command(
    usage="[OPTIONS] NAME[:TAG|@DIGEST] [NAME[:TAG|@DIGEST]...]",
    arguments=at_least(1),
    options=(
        ALL_TAGS,
        CONTENT_TRUST,
        PLATFORM,
        QUIET,
    ),
    run=run,
    complete="image",
)
