"""Engine: every verb of the command line as a typed call."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from millefeuille import files
from millefeuille.annotations import Any, TypeVar
from millefeuille.api import given
from millefeuille.api.apart import apart, stay_with_caller
from millefeuille.api.image import Image, image_of
from millefeuille.api.watching import Watching
from millefeuille.build.changes import apply_changes
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.report import Event as BuildEvent
from millefeuille.build.report import Silent as SilentBuild
from millefeuille.build.request import Request
from millefeuille.docker.filters import Filters
from millefeuille.docker.selection import listed, prunable
from millefeuille.engine import contextfiles
from millefeuille.engine.build import Order, Tree, build_image, series
from millefeuille.engine.damage import damaged, set_aside
from millefeuille.engine.extracted import extractions
from millefeuille.engine.foreign import is_out_of_reach, reach
from millefeuille.engine.host import host
from millefeuille.engine.metadata import prepare
from millefeuille.engine.registries import credentials, registries
from millefeuille.engine.store import founded
from millefeuille.engine.users import users
from millefeuille.errors import Denied
from millefeuille.images import prune as pruning
from millefeuille.images import remove as removing
from millefeuille.images import tag as tagging
from millefeuille.images.content import find_platform
from millefeuille.images.listing import visible
from millefeuille.images.prune import Pruned
from millefeuille.images.remove import Act
from millefeuille.images.sharing import Sharing, sharing
from millefeuille.images.usage import StoreUsage, usage
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import HUB, Reference
from millefeuille.progress import Event, Progress, Silent
from millefeuille.registry.credential import Credential
from millefeuille.registry.search import Found
from millefeuille.runtime import userns
from millefeuille.runtime.once import Run, run_once
from millefeuille.runtime.process import Wishes
from millefeuille.settings import Settings, settle
from millefeuille.store import check as checking
from millefeuille.store import events as recorded
from millefeuille.store import leases
from millefeuille.store import repair as mending
from millefeuille.store.check import Report
from millefeuille.store.events import StoredEvent
from millefeuille.store.images import layers_of
from millefeuille.store.names import find
from millefeuille.store.store import Store
from millefeuille.transfer import pull as pulling
from millefeuille.transfer import push as pushing
from millefeuille.transfer.archive.import_ import Making, import_image
from millefeuille.transfer.archive.load import load
from millefeuille.transfer.archive.save import save_to_file

Watcher = Callable[[Event], object]
_Path = str | os.PathLike[str]
_Verb = TypeVar("_Verb", bound=Callable[..., Any])


class NeedsRoot(Denied):
    """Only root can do this from Python."""


def _of_store(verb: _Verb) -> _Verb:
    """For a verb on the store: what the system refuses on a file in there is an error of this package."""

    @functools.wraps(verb)
    def call(engine: Engine, *arguments: Any, **keywords: Any) -> Any:
        try:
            return verb(engine, *arguments, **keywords)
        except OSError as error:
            path = error.filename
            if isinstance(path, str) and path.startswith(f"{engine.root}/"):
                raise files.explain(error, path, root=engine.root) from error
            raise

    return call  # type: ignore[return-value]  # the same, to who calls it


def _inside(is_needed: Callable[[Engine], bool]) -> Callable[[_Verb], _Verb]:
    """For a verb that another process is to do, in an ordinary user's namespace, when that `is_needed`."""

    def decorate(verb: _Verb) -> _Verb:
        @functools.wraps(verb)
        def call(engine: Engine, *arguments: Any, **keywords: Any) -> Any:
            if engine._is_inside or not is_needed(engine):
                return verb(engine, *arguments, **keywords)
            tell = keywords.pop("progress", None)
            words = [*map(_portable, arguments)], {name: _portable(one) for name, one in keywords.items()}
            return apart(_done_inside, engine._settings, verb.__name__, *words, tell=tell)

        return call  # type: ignore[return-value]  # the same, to who calls it

    return decorate


def _is_ordinary(engine: Engine) -> bool:
    return os.geteuid() != 0


def _has_foreign_files(engine: Engine) -> bool:
    return is_out_of_reach(Store(engine.root).disk.extracted)


class Engine:
    """One store and the way to registries. `root` is the store's directory, made when first written to.

    `environment` stands for the process's own: proxies, credentials, registry configuration, MILLE_ROOT.

    Every verb raises NotAStore, ReadOnlyStore, DiskFull or Failed where the store cannot be had; what
    the system refuses on a file that the caller names is an OSError. Where several texts or images can be
    given, one can stand alone.
    """

    def __init__(
        self, root: _Path = "", *, environment: Mapping[str, str] | None = None
    ) -> None:
        self._is_inside = False  # this process is one for a verb alone
        surroundings = dict(os.environ if environment is None else environment)
        self._settings = settle(
            surroundings,
            uid=os.geteuid(),
            home=surroundings.get("HOME") or os.path.expanduser("~"),
            root=os.fspath(root),
        )

    @property
    def root(self) -> str:
        """The store's directory."""
        return self._settings.root

    @_of_store
    def images(self, *, all: bool = False, filters: str | Iterable[str] = ()) -> tuple[Image, ...]:
        """The images, newest first; `filters` as `image ls --filter` takes them (`name=value`).

        Raises InvalidFilter.
        """
        chosen = Filters.parse(given.texts(filters, "filters"))
        store = self._store()
        with store.reading() as tx:
            found = listed(visible(tx, all=all), chosen, find=lambda text: find(tx, text), now=time.time_ns())
            return tuple(image_of(store, record, layers_of(tx, record.id)) for record in found)

    @_of_store
    def image(self, name: str, *, platform: str = "") -> Image:
        """The image of that name or ID. Raises NoSuchImage, PlatformMissing."""
        store = self._store()
        with store.reading() as tx:
            record = find_platform(tx, name, _platform(platform))
            return image_of(store, record, layers_of(tx, record.id))

    @_of_store
    def pull(self, name: str, *, platform: str = "", progress: Watcher | None = None) -> Image:
        """Bring an image in from its registry. Raises NotFound, Denied, Unavailable, Corrupt kinds."""
        reference = Reference.parse(name).tagged()
        watcher = _progress(progress)
        store = self._store()
        repository = registries(self._settings, watcher).repository(reference)
        wanted = _platform(platform or self._settings.platform)
        preparing = prepare(self._settings)
        pulled = pulling.pull(store, repository, reference, watcher, platform=wanted, prepare=preparing)
        return self.image(str(pulled.image))

    @_of_store
    @_inside(_is_ordinary)
    def build(
        self, context: _Path, *, dockerfile: _Path = "", tags: str | Iterable[str] = (),
        arguments: Mapping[str, str] | None = None, target: str = "", platform: str = "",
        labels: Mapping[str, str] | None = None, cache: bool = True, pull: bool = False,
        epoch: int | None = None, progress: Callable[[BuildEvent], object] | None = None,
    ) -> Image:  # fmt: skip
        """Build an image from the Dockerfile of a directory, or from another one, with `epoch` (seconds since
        1970) the same image for the same files.

        For an ordinary user a process of its own does it, in a user namespace; `progress` is called here.
        Raises InvalidArgument, DockerfileError, NoSuchTarget, StepFailed, NotFound for files and images,
        DiskFull …
        """
        directory, store = os.fspath(context), self._store()
        written = contextfiles.read(directory, os.fspath(dockerfile))
        order = Order(
            dockerfile=parse(written.text, name=written.name),
            request=Request(
                target=target, arguments=given.by_name(arguments, "arguments"), epoch=given.epoch(epoch),
                no_cache=None if cache else frozenset(),
            ),
            name=os.path.basename(os.path.abspath(directory)),
            series=series(os.path.abspath(directory), os.path.abspath(written.path), target),
            source=written.text,
            names=tuple(Reference.parse(tag).tagged() for tag in given.texts(tags, "tags")),
            labels=given.by_name(labels, "labels"),
            context=Tree(path=directory, ignore=contextfiles.ignored(directory, written.path)),
            platforms=(Platform.parse(platform),) if platform else (),
            pull=pull,
        )
        watcher = Watching(progress) if progress is not None else SilentBuild()
        made = build_image(self._settings, store, order, watcher, self._fetch)
        assert made.recorded is not None  # nothing but an image was asked for
        return self.image(str(made.recorded.image))

    def _fetch(self, reference: Reference, platform: Platform | None) -> None:
        self.pull(str(reference), platform=str(platform) if platform else "")

    @_of_store
    def push(self, name: str, *, platform: str = "", progress: Watcher | None = None) -> Digest:
        """Send an image to its registry; the digest it has there. Raises as `pull`, and NothingToPush."""
        reference = Reference.parse(name).tagged()
        watcher = _progress(progress)
        repository = registries(self._settings, watcher).repository(reference, push=True)
        return pushing.push(self._store(), repository, reference, watcher, platform=_platform(platform))

    @_of_store
    def save(
        self, images: Image | str | Iterable[Image | str], path: _Path, *, platform: str = "",
        oci: bool = False,
    ) -> None:  # fmt: skip
        """Write images into one tar: a Docker archive and OCI layout at once, with `oci` only the latter.

        Raises NoSuchImage, NoExportTarget, NothingToSave, BadOutput, CorruptBlob, DiskFull.
        """
        chosen = (images,) if isinstance(images, Image | str) else images
        names = [_name(image) for image in chosen]
        save_to_file(self._store(), names, os.fspath(path), platform=_platform(platform), oci=oci)

    @_of_store
    def load(
        self, path: _Path, *, platform: str = "", progress: Watcher | None = None
    ) -> tuple[Image, ...]:
        """Bring in the images of an archive; each once. Raises BadArchive, CorruptBlob, TarError, OSError."""
        with open(path, "rb", buffering=0) as archive:
            wanted, watcher = _platform(platform), _progress(progress)
            store, source = self._store(), archive.fileno()
            loaded = [*load(store, source, watcher, platform=wanted, prepare=prepare(self._settings))]
        return tuple(self.image(image) for image in dict.fromkeys(str(each.image) for each in loaded))

    @_of_store
    def import_(
        self, path: _Path, name: str = "", *, changes: str | Iterable[str] = (), message: str = "",
        platform: str = "",
    ) -> Image:  # fmt: skip
        """Make an image of one layer from a tar of files; `changes` are Dockerfile instructions.

        Raises TarError, BadInstruction, InvalidReference, NotAName, OSError.
        """
        making = Making(
            name=Reference.parse(name).tagged() if name else None,
            process=apply_changes(given.texts(changes, "changes")),
            message=message or f"Imported from {os.fspath(path)}",
            platform=_platform(platform or self._settings.platform) or Platform.host(),
        )
        with open(path, "rb", buffering=0) as archive:
            made = import_image(self._store(), archive.fileno(), making, prepare=prepare(self._settings))
        return self.image(str(made))

    def login(self, username: str, password: str, *, registry: str = HUB) -> str:
        """Check an account at a registry (host[:port]) and keep it; the path of the file it is kept in.

        Raises LoginFailed, Unavailable kinds, HelperFailed.
        """
        account = Credential(username=username, password=password)
        checked = registries(self._settings, Silent()).login(registry, account)
        return credentials(self._settings).store(registry, checked).path

    def logout(self, *, registry: str = HUB) -> bool:
        """Forget the account for a registry; True when there was one."""
        return credentials(self._settings).erase(registry)

    @_of_store
    def tag(self, image: Image | str, name: str) -> None:
        """Give an image one more name. Raises NoSuchImage, InvalidReference, BadTag, NotAName."""
        with self._store().writing() as tx:
            tagging.tag(tx, _name(image), name)

    @_of_store
    @_inside(_has_foreign_files)
    def remove(self, image: Image | str, *, force: bool = False) -> tuple[Act, ...]:
        """Remove a name, or an image by its ID; what was done. Raises NoSuchImage, ImageConflict."""
        with self._store().writing(emergency=True) as tx:
            return removing.remove(tx, _name(image), users(self._settings), force=force)

    @_of_store
    @_inside(_has_foreign_files)
    def prune(self, *, all: bool = False, filters: str | Iterable[str] = (), dry_run: bool = False) -> Pruned:
        """Remove dangling images, or all unused ones; what went or would go. Raises InvalidFilter."""
        chosen = Filters.parse(given.texts(filters, "filters"))
        accepts = prunable(chosen, time.time_ns())
        unused = all or not chosen.boolean("dangling", True)
        return pruning.prune(self._store(), users(self._settings), accepts, unused=unused, dry_run=dry_run)

    @_of_store
    def run(
        self, image: Image | str, *words: str, environment: Mapping[str, str] | str | Iterable[str] = (),
        user: str | None = None, host_network: bool = False,
    ) -> int:  # fmt: skip
        """Run a container to its end on this process's output, and remove it; its exit code.

        `words` replace the image's command, `environment` holds NAME=VALUE, or values by their names.
        Needs root. Raises NeedsRoot, InvalidArgument, NoSuchImage, StartFailed, MountDenied, RuntimeMissing.
        """
        if os.geteuid() != 0:
            raise NeedsRoot("running a container from Python needs root", advice="`mille run` does not.")
        variables = given.variables(environment, "environment")
        store, name = self._store(), _name(image)
        wishes = Wishes(arguments=given.texts(words, "words"), environment=variables, user=user)
        with leases.upheld(store.disk, f"run {name}", lambda: self.image(name), _claims) as (chosen, _):
            chain, config = chosen.record.chain, chosen.config
            wanted = Run(parent=chain, config=config.process, wishes=wishes, host_network=host_network)
            return run_once(host(self._settings, store), wanted)

    def search(self, term: str, *, limit: int = 25) -> tuple[Found, ...]:
        """Repositories that Docker Hub, or another index (`host/term`), finds. Raises SearchFailed."""
        return registries(self._settings, Silent()).search(term, limit=limit)

    @_of_store
    def sharing(self) -> Sharing:
        """Which layers the images have in common, and what each has of its own."""
        with self._store().reading() as tx:
            return sharing(tx)

    @_of_store
    def usage(self) -> StoreUsage:
        """What the images take, each layer counted once."""
        with self._store().reading() as tx:
            return usage(tx, users(self._settings))

    @_of_store
    def events(self, *, after: int = 0) -> tuple[StoredEvent, ...]:
        """What happened to images, oldest first, after the event numbered `after`. Raises InvalidArgument."""
        number = given.event(after)
        with self._store().reading() as tx:
            return tuple(recorded.since(tx, number))

    @_of_store
    @_inside(_has_foreign_files)
    def check(self, *, data: bool = False) -> Report:
        """Look for damage; with `data` every byte is read."""
        store = self._store()
        containers = damaged(self._settings, store)
        return checking.check(store, data=data, extractions=extractions(store), containers=containers)

    @_of_store
    @_inside(_has_foreign_files)
    def repair(self, report: Report, *, data: bool = False) -> tuple[str, ...]:
        """Mend what `check` found, with `data` as thorough; a sentence on each thing done or lost."""
        store = self._store()
        made, container = prepare(self._settings), set_aside(self._settings, store)
        return mending.repair(store, report, data=data, prepare=made, container=container)

    def _store(self) -> Store:
        """The store, made where it is missing. Raises NotAStore, ReadOnlyStore, DiskFull, Failed."""
        try:
            return founded(self._settings)
        except OSError as error:
            raise files.explain(error, os.fspath(error.filename or self.root), root=self.root) from error


def _done_inside(
    settings: Settings, verb: str, arguments: list[Any], keywords: dict[str, Any], tell: Watcher | None
) -> Any:
    """A verb of an engine with these settings, by a process that may become another user for it."""
    engine = Engine(settings.root, environment=settings.environment)
    engine._settings, engine._is_inside = settings, True
    if verb == "build":
        userns.enter(settings.root)
    else:
        reach(settings.root, Store(settings.root).disk.extracted)
    stay_with_caller()
    watching = {} if tell is None else {"progress": tell}
    return getattr(engine, verb)(*arguments, **keywords, **watching)


def _portable(value: Any) -> Any:
    """An argument as another process can take it."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else value


class _Watched:
    """Calls the user's function for one event at a time, though several threads report: `print` and its
    like are not made for that.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._lock = threading.Lock()

    def report(self, event: Event) -> None:
        with self._lock:
            self._watcher(event)


def _progress(watcher: Watcher | None) -> Progress:
    return Silent() if watcher is None else _Watched(watcher)


def _platform(text: str) -> Platform | None:
    return Platform.parse(text) if text else None


def _name(image: Image | str) -> str:
    return image if isinstance(image, str) else str(image.id)


def _claims(image: Image) -> set[Digest]:
    """What a container of it needs."""
    chain = image.record.chain
    return {image.id, *(layer.diff_id for layer in image.layers), *((chain,) if chain else ())}
