"""What a type checker knows of the public interface. Checked by `mypy`; nothing here is ever run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import assert_type

import millefeuille
from millefeuille.errors import MilleError, NotFound
from millefeuille.images.prune import Pruned
from millefeuille.images.remove import Act
from millefeuille.images.sharing import Sharing
from millefeuille.images.usage import StoreUsage
from millefeuille.layers.entry import Entry
from millefeuille.oci.config import History, ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.progress import Event, LayerAdvanced
from millefeuille.registry.search import Found
from millefeuille.store.check import Report
from millefeuille.store.events import StoredEvent

engine = millefeuille.Engine()
assert_type(millefeuille.Engine(Path("/srv/images"), environment={}), millefeuille.Engine)
assert_type(engine.root, str)


def watch(event: Event) -> None:
    """A watcher sees one union of events."""
    if isinstance(event, LayerAdvanced):
        assert_type(event.digest, Digest)
        assert_type(event.current, int)


image = engine.pull("nginx:1.24", platform="linux/arm64", progress=watch)
assert_type(image, millefeuille.Image)
assert_type(image.id, Digest)
assert_type(image.size, int)
assert_type(image.tags, tuple[str, ...])
assert_type(image.layers, tuple[millefeuille.Layer, ...])
assert_type(image.config, ImageConfig)
assert_type(image.history, tuple[History, ...])
assert_type(image.layers[0].diff_id, Digest)
assert_type(image.layers[0].entries(), Iterator[Entry])

assert_type(engine.image("nginx:1.24"), millefeuille.Image)
assert_type(engine.images(all=True, filters=["dangling=true"]), tuple[millefeuille.Image, ...])
assert_type(engine.push(name="registry.example/nginx", progress=lambda event: None), Digest)
assert_type(engine.load(Path("nginx.tar"), progress=print), tuple[millefeuille.Image, ...])
assert_type(engine.import_("root.tar", "mine:1", changes=["CMD sh"]), millefeuille.Image)
assert_type(engine.login("me", "secret", registry="registry.example"), str)
assert_type(engine.logout(), bool)
assert_type(engine.remove(image, force=True), tuple[Act, ...])
assert_type(engine.prune(all=True, dry_run=True), Pruned)
assert_type(engine.usage(), StoreUsage)
assert_type(engine.sharing(), Sharing)
assert_type(engine.search("nginx", limit=3), tuple[Found, ...])
assert_type(engine.run("busybox", "echo", "hello", environment=["A=b"], user="1000"), int)
assert_type(engine.events(after=3), tuple[StoredEvent, ...])
assert_type(engine.check(data=True), Report)
assert_type(engine.repair(engine.check()), tuple[str, ...])
engine.tag(image, "mine:2")
engine.save([image, "busybox"], "both.tar", oci=True)
engine.save(image, "one.tar")
assert_type(engine.run("busybox", environment={"A": "b"}), int)

try:
    engine.image("nothing")
except NotFound as error:
    assert_type(error.advice, str | None)
    failure: MilleError = error

# What must not pass; an ignore that is not needed is an error itself.
engine.tag(image, None)  # type: ignore[arg-type]  # a name is a text
image.size = 3  # type: ignore[misc]  # images are values
