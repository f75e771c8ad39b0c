"""`--cache-from` and `--cache-to`; loaded by a build that has some."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import NamedTuple
from millefeuille.build.cache.portable import Imported
from millefeuille.build.cache.steps import Source, StepCache
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.csvfields import csv_fields
from millefeuille.engine.build import Caches
from millefeuille.engine.caching import export_layout, export_registry, import_layout, import_registry
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.building import flags
from millefeuille.faces.cli.command import Call, Context
from millefeuille.faces.cli.exits import Refusal
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store.leases import Lease
from millefeuille.store.names import lookup
from millefeuille.store.steps import StepRecord
from millefeuille.store.store import Store

_KEYS = {"type", "ref", "src", "dest", "tag", "mode", "ignore-error"}


class _Wish(NamedTuple):
    kind: str
    reference: Reference | None
    path: str
    tag: str
    final: bool
    lenient: bool
    is_image: bool  # a name alone, which Docker takes for an image


def caches(context: Context, call: Call, store: Store) -> Caches:
    """What the flags ask for. Raises Refusal."""
    texts: tuple[str, ...] = call[flags.CACHE_FROM]
    sources = [_read(text, "src") for text in texts]
    texts = call[flags.CACHE_TO]
    places = [_read(text, "dest") for text in texts]

    def imports() -> Sequence[Source]:
        return [found for wish in sources if (found := _opened(context, store, wish)) is not None]

    def exports(cache: StepCache, lease: Lease, layers: frozenset[Digest]) -> None:
        for wish in places:
            steps = [one for one in cache.every() if not wish.final or one.layer.diff_id in layers]
            _export(context, store, wish, steps, lease)

    return Caches(imports=imports, exports=exports if places else None)


def _read(text: str, path: str) -> _Wish:
    is_image = "=" not in text
    if is_image:
        text = f"type=registry,ref={text}"
    try:
        parts = [(field, *field.partition("=")) for field in csv_fields(text)]
    except Complaint as error:
        raise Refusal(f"invalid cache option '{text}': {error}") from None
    fields = {name: value for _, name, _, value in parts}
    kind = fields.get("type", "registry")
    if kind not in ("registry", "local"):  # first of all: other types have other options
        raise Refusal(f"cache type {kind} is not supported: use registry or local")
    for field, name, given, _ in parts:
        if not given or name not in _KEYS:
            raise Refusal(f"invalid cache option '{field}' in '{text}'")
    if fields.get("mode", "max") not in ("min", "max"):
        raise Refusal(f"invalid cache mode '{fields['mode']}': use min or max")
    needed = "ref" if kind == "registry" else path
    if not fields.get(needed):
        raise Refusal(f"cache option '{text}' needs {needed}=")
    with exits.refusing():
        reference = Reference.parse(fields["ref"]).tagged() if kind == "registry" else None
    return _Wish(
        kind, reference, fields.get(path, ""), fields.get("tag", ""), fields.get("mode") == "min",
        fields.get("ignore-error") == "true", is_image,
    )  # fmt: skip


def _opened(context: Context, store: Store, wish: _Wish) -> Imported | None:
    if wish.is_image and _is_stored(store, str(wish.reference)):
        return None  # what was built here is found without being named, and nobody is to be asked for it
    try:
        if wish.reference is not None:
            return import_registry(context.settings, store, wish.reference)
        return import_layout(store, wish.path, wish.tag)
    except MilleError as error:
        # There is none yet where a build exports for the first time.
        context.terminal.complain(f"cache {wish.reference or wish.path} is left out: {error}")
        return None


def _is_stored(store: Store, name: str) -> bool:
    if not store.exists():
        return False
    with store.reading() as tx:
        return lookup(tx, name) is not None


def _export(
    context: Context, store: Store, wish: _Wish, steps: list[StepRecord], lease: Lease
) -> None:  # fmt: skip
    try:
        if wish.reference is not None:
            export_registry(context.settings, store, wish.reference, steps, lease)
        else:
            export_layout(store, wish.path, wish.tag, steps, lease)
    except MilleError as error:
        if not wish.lenient:
            raise
        context.terminal.complain(f"the cache was not exported: {error}")
