"""`mille image build`."""

from __future__ import annotations

import contextlib
import importlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.build.dockerfile.instructions import Location
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.excerpt import excerpt
from millefeuille.build.report import Reporter, Silent
from millefeuille.build.running.failure import StepFailed
from millefeuille.docker.creation.pairs import mapping
from millefeuille.engine.build import Built, Caches, Order, build_image, series
from millefeuille.engine.store import founded
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.building import asked, flags
from millefeuille.faces.cli.building.contexts import Contexts
from millefeuille.faces.cli.building.plain import PlainBuild
from millefeuille.faces.cli.building.unwinding import Terminated, unwinding
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.store import Store

_MODES: Final = ("auto", "plain", "tty", "quiet")
_NETWORK_HOST: Final = "network.host"
_ENTITLEMENTS: Final = frozenset({_NETWORK_HOST, "security.insecure"})
_OUTPUTS: Final = (
    flags.OUTPUT, flags.PUSH, flags.LOAD, flags.ANNOTATION, flags.ATTEST, flags.PROVENANCE, flags.SBOM,
    flags.METADATA_FILE,
)  # fmt: skip
_NOT_INLINE: Final = (
    "WARNING: BUILDKIT_INLINE_CACHE: an image carries no build cache here; "
    "`--cache-to type=registry,ref=NAME` writes one"
)


def run(context: Context, call: Call) -> int:
    """Build an image from a Dockerfile."""
    return made(context, call)[0]


def made(context: Context, call: Call) -> tuple[int, Digest | None]:
    """Build; the exit code, and the image in the store, None where there is none of it. A signal that ends
    this process ends what the build began, too.
    """
    try:
        with unwinding():
            return _made(context, call)
    except Terminated as terminated:
        return exits.SIGNALLED + terminated.number, None


def _made(context: Context, call: Call) -> tuple[int, Digest | None]:
    _mode(context, call)  # a mode that is none is refused before anything is done
    _forget(call[flags.IIDFILE])
    request = asked.request(context, call, keep_failed=_on_error(call) != "discard")
    with ExitStack() as stack:
        store = founded(context.settings)
        contexts = Contexts(context, request, stack)
        place = contexts.place(call.arguments[0], call[flags.FILE])
        options: tuple[str, ...] = call[flags.BUILD_CONTEXT]
        labels: tuple[str, ...] = call[flags.LABEL]
        names = asked.names(call)
        order = Order(
            dockerfile=parse(
                place.written.text,
                name=place.written.name,
                syntax=request.arguments.get("BUILDKIT_SYNTAX", ""),
            ),
            request=request,
            name=names[0].familiar if names else place.name,
            series=series(place.key, place.written.path or "-", request.target),
            source=place.written.text,
            names=names,
            labels=mapping(labels),
            context=place.tree,
            contexts=dict(contexts.named(option) for option in options),
            platforms=asked.platforms(context, call),
            pull=call[flags.PULL],
            allowed=_allowed(call),
            squash=call[flags.SQUASH],
            rehearsal=call[flags.DRY_RUN],
            caches=_caches(context, call, store),
        )
        code = _answer(context, call, order)
        return (code, None) if code is not None else _build(context, call, store, order)


def _caches(context: Context, call: Call, store: Store) -> Caches:
    arguments: tuple[str, ...] = call[flags.BUILD_ARG]
    if any(text.startswith("BUILDKIT_INLINE_CACHE=") and text[-1] == "1" for text in arguments):
        context.terminal.complain(_NOT_INLINE)
    if not call.given(flags.CACHE_FROM) and not call.given(flags.CACHE_TO):
        return Caches()
    caching = importlib.import_module("millefeuille.faces.cli.building.caching")
    found: Caches = caching.caches(context, call, store)
    return found


def _answer(context: Context, call: Call, order: Order) -> int | None:
    """What a --call asks, answered; None for a build. A check that is to be an error ends a build."""
    text = "check" if call[flags.CHECK] else call[flags.CALL]
    wants_check = bool(order.dockerfile.check.value) or "BUILDKIT_DOCKERFILE_CHECK" in order.request.arguments
    if text == "build" and not wants_check:
        return None
    calls = importlib.import_module("millefeuille.faces.cli.building.calls")
    name, form = calls.method(text)
    platform = order.platforms[0] if order.platforms else None
    if name != "build":
        code: int = calls.answer(context, name, form, order, platform)
        return code
    report = calls.checked(context, order, platform)
    if report.failed:
        raise Refusal(report.failure())
    return None


def _build(context: Context, call: Call, store: Store, order: Order) -> tuple[int, Digest | None]:
    doors: Callable[[], Any] | None = None
    delivering: Any = None
    if len(order.platforms) > 1 or any(call.given(option) for option in _OUTPUTS):
        delivering = importlib.import_module("millefeuille.faces.cli.building.delivering")
        wanted = delivering.asked(call, order.names, dict(order.labels))
        order = order.delivering(wanted.delivery, wanted.attest)

        def doors() -> Any:
            return delivering.doors(context, store)

    def fetch(reference: Reference, platform: Platform | None) -> None:
        # A build whose base images are here loads nothing that speaks to registries.
        pulling = importlib.import_module("millefeuille.faces.cli.container.pulling")
        pulling.fetch(context, store, reference, platform, _mode(context, call) == "quiet")

    try:
        with _reporter(context, call) as reporter:
            built = build_image(context.settings, store, order, reporter, fetch, doors)
    except StepFailed as error:
        context.terminal.complain(_excerpt(order, error.line))
        exits.report(context.terminal, error)
        _after(context, call, store, order, error)
        return error.code, None
    if not order.rehearsal:
        _note(call, built, delivering)
    if _mode(context, call) != "quiet":
        _warn(context, order)
    stored = built.recorded.image if built.recorded is not None else None
    if call[flags.QUIET]:
        image = stored or (delivering.image(built) if delivering is not None else None)
        if image is not None:
            context.terminal.line(str(image))
    return 0, stored


def _warn(context: Context, order: Order) -> None:
    """Say what the rules found in the Dockerfile."""
    calls = importlib.import_module("millefeuille.faces.cli.building.calls")
    warned = calls.warned(context, order, order.platforms[0] if order.platforms else None)
    if warned:
        context.terminal.complain(warned)


def _excerpt(order: Order, line: int) -> str:
    stages = [one for stage in order.dockerfile.stages for one in (stage.from_, *stage.instructions)]
    where = next((one.location for one in stages if one.location.first == line), Location(line, line))
    return excerpt(order.dockerfile.source, where, order.dockerfile.name).rstrip("\n")


def _after(context: Context, call: Call, store: Store, order: Order, error: StepFailed) -> None:
    """Open a shell where a command failed, or say how."""
    if error.kept is None:
        return
    if _on_error(call) == "shell" and context.terminal.input_interactive:
        shells = importlib.import_module("millefeuille.faces.cli.building.shells")
        shells.opened(context, store, error.kept)
    context.terminal.complain(f"Look at what it left with `mille build debug {error.kept[:12]}`.")


def _on_error(call: Call) -> str:
    wish = "shell" if call[flags.DEBUG] else call[flags.ON_ERROR]
    if wish not in ("keep", "shell", "discard"):
        raise Refusal(f'invalid --on-error "{wish}": use keep, shell or discard')
    return wish


def _forget(path: str) -> None:
    """Remove the file with an image's ID, as Docker does: where the build fails it is to name none."""
    try:
        if path and stat.S_ISREG(os.stat(path).st_mode):
            files.unlink(path)
    except FileNotFoundError:
        pass


def _note(call: Call, built: Built, delivering: Any) -> None:
    """Write the files that were asked for."""
    if call[flags.METADATA_FILE]:
        with open(call[flags.METADATA_FILE], "wb") as document:
            document.write(delivering.told(built))
    image = delivering.image(built) if built.recorded is None else built.recorded.image
    if call[flags.IIDFILE] and image is not None:
        with open(call[flags.IIDFILE], "w", encoding="ascii") as file:
            file.write(str(image))


def _allowed(call: Call) -> frozenset[str]:
    allowed: tuple[str, ...] = call[flags.ALLOW]
    unknown = set(allowed) - _ENTITLEMENTS
    if unknown:
        raise Refusal(f"invalid entitlement: {min(unknown)}")
    # As with buildx: who asks for the host's network on the command line has allowed it.
    return frozenset(allowed) | ({_NETWORK_HOST} if call[flags.NETWORK] == "host" else frozenset())


def _mode(context: Context, call: Call) -> str:
    mode: str = call[flags.PROGRESS]
    if mode not in _MODES:
        raise Refusal(f'invalid progress mode "{mode}": use {", ".join(_MODES)}')
    if call[flags.QUIET]:
        return "quiet"
    if mode == "auto":
        return "tty" if context.terminal.stderr.isatty() else "plain"
    return mode


@contextlib.contextmanager
def _reporter(context: Context, call: Call) -> Iterator[Reporter]:
    mode = _mode(context, call)
    if mode == "tty":
        drawing = importlib.import_module("millefeuille.faces.cli.building.drawn")
        with drawing.DrawnBuild(context.terminal) as drawn:
            yield drawn
    else:
        yield Silent() if mode == "quiet" else PlainBuild(context.terminal)


COMMAND = Command(
    usage="[OPTIONS] PATH | URL | -",
    arguments=exactly(1),
    options=flags.ALL,
    run=run,
    complete="directory",
)
