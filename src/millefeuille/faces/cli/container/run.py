"""`mille container run`."""

from __future__ import annotations

from millefeuille.engine.host import host
from millefeuille.engine.metadata import prepare
from millefeuille.engine.registries import registries
from millefeuille.engine.store import founded
from millefeuille.errors import MilleError, Unsupported
from millefeuille.faces.cli import exits, progress
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, repeated, string
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.images.content import PlatformMissing, config_of, find_platform
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.runtime.once import Run, run_once
from millefeuille.runtime.process import Wishes
from millefeuille.runtime.runtime import StartFailed, Stdio
from millefeuille.store import leases
from millefeuille.store.images import ImageRecord
from millefeuille.store.names import NoSuchImage, is_full_id
from millefeuille.store.store import Store
from millefeuille.transfer.pull import pull

ENTRYPOINT = string("entrypoint", "Overwrite the default ENTRYPOINT of the image")
ENVIRONMENT = repeated("env", "Set environment variables", short="e")
INTERACTIVE = boolean("interactive", "Keep STDIN open even if not attached", short="i")
NETWORK = string("network", "Connect a container to a network: none or host", default="none")
PLATFORM = string("platform", "Set platform if server is multi-platform capable")
PULL = string("pull", 'Pull image before running ("always", "missing", "never")', default="missing")
QUIET = boolean("quiet", "Suppress the pull output", short="q")
REMOVE = boolean(
    "rm", "Automatically remove the container and its associated anonymous volumes when it exits"
)
USER = string("user", "Username or UID (format: <name|uid>[:<group|gid>])", short="u")
WORKDIR = string("workdir", "Working directory inside the container", short="w")


def run(context: Context, call: Call) -> int:
    """Make a container from an image, wait for its end, and remove it."""
    try:
        return _run(context, call)
    except StartFailed as error:
        return _report(context, error, error.exit_code)
    except MilleError as error:
        return _report(context, error, exits.USAGE)  # whatever the engine refuses: Docker's 125


def _report(context: Context, error: MilleError, code: int) -> int:
    """Say what is wrong, as Docker does here: with the program's name before and a hint behind."""
    context.terminal.complain(f"mille: {exits.wording(error)}\n\nRun 'mille run --help' for more information")
    return code


def _run(context: Context, call: Call) -> int:
    if not call[REMOVE]:
        raise Unsupported("`mille run` keeps no containers in this version", advice="Add --rm.")
    if call[NETWORK] not in ("none", "host"):
        raise Unsupported(f"network {call[NETWORK]}: this version has none and host")
    store = founded(context.settings)
    image = _image(context, call, store)
    config = config_of(store.blobs, image)
    wishes = Wishes(
        arguments=call.arguments[1:],
        entrypoint=_entrypoint(call),
        environment=call[ENVIRONMENT],
        directory=call[WORKDIR] or None,
        user=call[USER] if call.given(USER) else None,
    )
    stdio = Stdio(stdin=0 if call[INTERACTIVE] else None)
    wanted = Run(
        parent=image.chain, config=config.process, wishes=wishes, stdio=stdio,
        host_network=call[NETWORK] == "host",
    )  # fmt: skip
    context.terminal.flush()
    claims = [image.id, *config.diff_ids, *((image.chain,) if image.chain else ())]
    with leases.lease(store.disk, f"run {call.arguments[0]}", claims):
        return run_once(host(context.settings, store), wanted)


def _entrypoint(call: Call) -> tuple[str, ...] | None:
    if not call.given(ENTRYPOINT):
        return None
    return (call[ENTRYPOINT],) if call[ENTRYPOINT] else ()


def _image(context: Context, call: Call, store: Store) -> ImageRecord:
    text = call.arguments[0]
    if not is_full_id(text):
        with exits.refusing():
            Reference.parse(text)
    wanted = call[PLATFORM] or context.settings.platform
    platform = Platform.parse(wanted) if wanted else None
    if call[PULL] not in ("always", "missing", "never"):
        raise Refusal(f'invalid pull option: \'{call[PULL]}\': must be one of "always", "missing" or "never"')
    if call[PULL] != "always":
        try:
            with store.reading() as tx:
                return find_platform(tx, text, platform)
        except (NoSuchImage, PlatformMissing):
            if call[PULL] == "never" or is_full_id(text):  # an ID is no name that a registry knows
                raise
            if not call[QUIET]:
                context.terminal.complain(
                    f"Unable to find image '{Reference.parse(text).tagged().familiar}' locally"
                )
    reference = Reference.parse(text).tagged()
    # Standard output belongs to the container.
    aside = Terminal(context.terminal.stdin, context.terminal.stderr, context.terminal.stderr)
    with progress.shown(aside, "pull", quiet=call[QUIET]) as reporter:
        repository = registries(context.settings, reporter).repository(reference)
        pull(store, repository, reference, reporter, platform=platform, prepare=prepare(context.settings))
    with store.reading() as tx:
        return find_platform(tx, text, platform)


COMMAND = Command(
    usage="[OPTIONS] IMAGE [COMMAND] [ARG...]",
    arguments=at_least(1),
    options=(
        ENTRYPOINT, ENVIRONMENT, INTERACTIVE, NETWORK, PLATFORM, PULL, QUIET, REMOVE, USER, WORKDIR,
    ),
    run=run,
    complete="image",
    interspersed=False,
)  # fmt: skip
