"""`mille image pull`."""

from __future__ import annotations

from millefeuille.engine.metadata import prepare
from millefeuille.engine.registries import registries
from millefeuille.engine.store import open_store
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits, progress
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.trust import content_trust, refuse_trust
from millefeuille.faces.cli.options import boolean, string
from millefeuille.faces.cli.progress import WithoutStatus
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Finished, Progress
from millefeuille.registry.repository import Repository
from millefeuille.transfer.pull import pull, pull_status

ALL_TAGS = boolean("all-tags", "Download all tagged images in the repository", short="a")
CONTENT_TRUST = content_trust("Skip image verification")
PLATFORM = string("platform", "Set platform if server is multi-platform capable")
QUIET = boolean("quiet", "Suppress verbose output", short="q")


def run(context: Context, call: Call) -> int:
    """Pull each name in turn; a failing one does not stop the rest."""
    code = 0
    for text in call.arguments:
        try:
            _pull(context, call, text)
        except MilleError as error:
            code = exits.report(context.terminal, error)
    return code


def _pull(context: Context, call: Call, text: str) -> None:
    with exits.refusing():
        reference = Reference.parse(text)
    if call[ALL_TAGS] and (reference.tag or reference.digest):
        raise Refusal("tag can't be used with --all-tags/-a")
    if not (call[ALL_TAGS] or reference.tag or reference.digest or call[QUIET]):
        context.terminal.line(f"Using default tag: {reference.tagged().tag}")
    refuse_trust(context, call, CONTENT_TRUST)
    wanted = call[PLATFORM] or context.settings.platform
    platform = Platform.parse(wanted) if wanted else None
    with progress.shown(context.terminal, "pull", quiet=call[QUIET]) as reporter:
        repository = registries(context.settings, reporter).repository(reference)
        if call[ALL_TAGS]:
            _pull_all(context, repository, reference, reporter, platform)
        else:
            reference = reference.tagged()
            store = open_store(context.settings)
            pull(store, repository, reference, reporter, platform=platform, prepare=prepare(context.settings))
    context.terminal.line(str(reference))


def _pull_all(
    context: Context, repository: Repository, reference: Reference, reporter: Progress,
    platform: Platform | None,
) -> None:  # fmt: skip
    """Every tag of a repository, with one word at the end about all of them."""
    store = open_store(context.settings)
    is_new = False
    with store.together():
        for tag in repository.tags():
            pulled = pull(
                store, repository, reference.with_tag(tag), WithoutStatus(reporter), platform=platform,
                prepare=prepare(context.settings),
            )  # fmt: skip
            is_new = is_new or pulled.new
    status = pull_status(reference.familiar_name, is_new=is_new)
    reporter.report(Finished(digest=None, size=0, status=status))


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
