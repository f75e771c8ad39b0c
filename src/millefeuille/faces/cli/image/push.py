"""`mille image push`."""

from __future__ import annotations

import contextlib

from millefeuille.engine.registries import registries
from millefeuille.engine.store import existing
from millefeuille.faces.cli import exits, progress
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.trust import content_trust, refuse_trust
from millefeuille.faces.cli.options import boolean, string
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Started
from millefeuille.store.store import Store
from millefeuille.transfer.push import push

ALL_TAGS = boolean("all-tags", "Push all tags of an image to the repository", short="a")
CONTENT_TRUST = content_trust("Skip image signing")
PLATFORM = string(
    "platform",
    "Push a platform-specific manifest as a single-platform image to the registry.\n"
    "Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n"
    "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
)
QUIET = boolean("quiet", "Suppress verbose output", short="q")


def run(context: Context, call: Call) -> int:
    """Send an image, or all tags of a repository, to its registry."""
    with exits.refusing():
        reference = Reference.parse(call.arguments[0])
    refuse_trust(context, call, CONTENT_TRUST)
    if call[ALL_TAGS] and (reference.tag or reference.digest):
        raise Refusal("tag can't be used with --all-tags/-a")
    if reference.digest:
        raise Refusal("cannot push a digest reference")
    quiet, every = call[QUIET], call[ALL_TAGS]
    if not every and not reference.tag:
        reference = reference.tagged()
        if not quiet:
            context.terminal.line(f"Using default tag: {reference.tag}")
    platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
    with progress.shown(context.terminal, "push", quiet=quiet) as reporter:
        reporter.report(Started(name=reference.name, label=reference.tag or ""))
        store = existing(context.settings)
        tags = _tags(store, reference, every=every)
        assert store is not None  # there are tags in it
        repository = registries(context.settings, reporter).repository(reference, push=True)
        with store.together() if every else contextlib.nullcontext():
            for tag in tags:
                reporter.report(Started(name=tag.name, label=tag.tag or ""))
                push(store, repository, tag, reporter, platform=platform)
    if quiet:
        context.terminal.line(str(reference))
    return 0


def _tags(store: Store | None, reference: Reference, *, every: bool) -> list[Reference]:
    """What is to go: the tagged `reference`, or `every` tag. Raises Refusal in Docker's words when nothing is
    there.
    """
    found: list[Reference] = []
    if store is not None:
        with store.reading() as tx:
            rows = tx.execute("SELECT name FROM names WHERE repository = ? ORDER BY name", (reference.name,))
            found = [Reference.parse(row[0]) for row in rows.fetchall()]
    if not found:
        raise Refusal(f"An image does not exist locally with the tag: {reference.familiar_name}")
    if every:
        return found
    if reference not in found:
        raise Refusal(f"tag does not exist: {reference.familiar}")
    return [reference]


COMMAND = Command(
    usage="[OPTIONS] NAME[:TAG]",
    arguments=exactly(1),
    options=(
        ALL_TAGS,
        CONTENT_TRUST,
        PLATFORM,
        QUIET,
    ),
    run=run,
    complete="image",
)
