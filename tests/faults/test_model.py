"""Eight processes at random on one store, and a model that replays what they did in the order of commits."""

from __future__ import annotations

import json
import os
import random
import traceback
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.faults import counts
from tests.faults.commands import stocked
from tests.faults.scenarios import WORLD
from tests.store.state import dump, make_again, recover, tidy

from millefeuille import files
from millefeuille.engine.registries import registries
from millefeuille.errors import MilleError
from millefeuille.images.prune import prune
from millefeuille.images.remove import remove
from millefeuille.images.tag import tag
from millefeuille.images.users import Nobody
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.settings import settle
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store import database, mirror, transaction
from millefeuille.store.check import check
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.testing import file_faults
from millefeuille.testing.file_faults import KILL, Fault
from millefeuille.transfer.pull import pull

PROCESSES = 8
PULLED = ("base", "1", "2", "twice", "sha512", "many", "other")
Done = tuple[int, str, tuple[str, ...]]  # commit sequence, verb, names


class Worker:
    """One process's work. Every commit that changes names is noted with its sequence number."""

    def __init__(self, root: Path, host: str, seed: object) -> None:
        self._store = Store(str(root))
        self._host = host
        self._random = random.Random(repr(seed))
        self._sequence = 0
        self.done: list[Done] = []
        self.failures: list[str] = []

    def run(self, count: int) -> None:
        commit = transaction._commit

        def noted(connection: Any, tx: Transaction) -> None:
            commit(connection, tx)
            if tx.changed_names:
                self._sequence = mirror.sequence(connection.execute)

        transaction._commit = noted
        self._store.create()  # all of them at once
        for _ in range(count):
            verb, *names = self._choose()
            self._sequence = 0
            try:
                getattr(self, verb)(*names)
            except NoSuchImage:
                pass
            except MilleError:
                self.failures.append(traceback.format_exc())
            if self._sequence:
                self.done.append((self._sequence, verb, tuple(names)))

    def _choose(self) -> tuple[str, ...]:
        name = f"{self._host}/app:{self._random.choice(PULLED)}"
        other = self._random.choice([f"mine:{self._random.randint(1, 3)}", f"{self._host}/app:1"])
        verb = self._random.choices(["pull", "tag", "rm", "prune", "prune_all"], [8, 5, 6, 2, 1])[0]
        if verb == "tag":
            return verb, name, other
        return (verb, name if self._random.random() < 0.7 else other) if verb == "rm" else (verb, name)

    def pull(self, name: str) -> None:
        settings = settle({}, uid=0, home="/nonexistent", root=self._store.disk.root, docker_config="")
        reference = Reference.parse(name)
        repository = registries(settings, Silent()).repository(reference)
        amd64 = Platform.parse("linux/amd64")
        pull(self._store, repository, reference, Silent(), platform=amd64, prepare=make_metadata)

    def tag(self, source: str, target: str) -> None:
        with self._store.writing() as tx:
            tag(tx, source, target)

    def rm(self, name: str) -> None:
        with self._store.writing(emergency=True) as tx:
            remove(tx, name, Nobody())

    def prune(self, _: str) -> None:
        prune(self._store, Nobody(), lambda image: True)

    def prune_all(self, _: str) -> None:
        prune(self._store, Nobody(), lambda image: True, unused=True)


class Model:
    """What names, images and repository digests come to, in a few lines of Python."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.names: dict[str, str] = {}  # full name to image
        self.digests: set[tuple[str, str]] = set()  # repository and image
        self.images: set[str] = set()

    def replay(self, verb: str, names: tuple[str, ...]) -> None:
        full = [str(Reference.parse(name).tagged()) for name in names]
        if verb == "pull":
            image = image_of(full[0].rpartition(":")[2])
            self.images.add(image)
            self.names[full[0]] = image
            self.digests.add((_repository(full[0]), image))
        elif verb == "tag":
            self.names[full[1]] = self.names[full[0]]
        elif verb == "rm":
            self._remove(full[0])
        else:
            kept = set() if verb == "prune_all" else set(self.names.values())
            self.images &= kept
            self.names = {name: image for name, image in self.names.items() if image in kept}
            self.digests = {(where, image) for where, image in self.digests if image in kept}

    def _remove(self, name: str) -> None:
        image = self.names.pop(name)
        where = _repository(name)
        if not any(_repository(other) == where and held == image for other, held in self.names.items()):
            self.digests.discard((where, image))
        if image not in self.names.values() and image not in {held for _, held in self.digests}:
            self.images.discard(image)

    def blobs(self) -> set[str]:
        """Every blob that the images need; indexes too, while a name or digest leads to them."""
        needed: set[str] = set()
        for image in self.images:
            raw = next(raw for _, raw in WORLD.manifests.values() if f'"digest": "{image}"' in raw.decode())
            manifest = json.loads(raw)
            digest = next(str(key) for key, held in WORLD.manifests.items() if held[1] == raw)
            needed |= {image, digest, *(entry["digest"] for entry in manifest["layers"])}
            if image == image_of("many"):
                needed.add(str(WORLD.tags["many"].digest))
        return needed


def image_of(tag_name: str) -> str:
    """The image ID that a pull of `app:TAG` gives."""
    _, raw = WORLD.manifests[WORLD.tags["amd64" if tag_name == "many" else tag_name].digest]
    return str(json.loads(raw)["config"]["digest"])


def _repository(name: str) -> str:
    return name.rpartition(":")[0]


def _fork(work: Callable[[], object], output: Path) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child of a process with threads
        pid = os.fork()
    if pid == 0:
        try:
            output.write_text(json.dumps(work()))
        except BaseException:
            output.write_text(json.dumps({"done": [], "failures": [traceback.format_exc()]}))
        finally:
            os._exit(0)
    return pid


def _at_once(root: Path, host: str, seed: int, count: int, *, chaos: bool = False) -> dict[str, Any]:
    """Let all processes work; what they did and what failed. With `chaos` half of them die on the way."""

    def work(number: int) -> Callable[[], object]:
        def run() -> object:
            worker = Worker(root, host, (seed, number))
            if chaos and number % 2:
                fault = Fault(operation="*", site="", occurrence=100 + 60 * number, effect=KILL)
                files.hook = file_faults.hook(fault)
            worker.run(count)
            return {"done": worker.done, "failures": worker.failures}

        return run

    outputs = [root.parent / f"{root.name}-{number}.json" for number in range(PROCESSES)]
    children = [_fork(work(number), output) for number, output in enumerate(outputs)]
    statuses = [os.waitpid(pid, 0)[1] for pid in children]
    reports = [json.loads(output.read_text()) for output in outputs if output.exists()]
    return {
        "done": sorted(item for report in reports for item in report["done"]),
        "failures": [failure for report in reports for failure in report["failures"]],
        "killed": sum(os.WIFSIGNALED(status) for status in statuses),
    }


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20 if os.environ.get("MILLE_ALL") else 2))
def test_what_happened_is_what_the_commits_say(seed: int, tmp_path: Path, all_cases: bool) -> None:
    root = tmp_path / "store"
    with stocked() as registry:
        report = _at_once(root, registry.host, seed, 50 if all_cases else 40)
        model = Model(registry.host)
    assert report["failures"] == []
    assert len({sequence for sequence, *_ in report["done"]}) == len(report["done"])
    for _, verb, names in report["done"]:
        model.replay(verb, tuple(names))
    store = Store(str(root))
    _holds(store, model)
    tidy(store)
    model.replay("prune", ())
    _holds(store, model)
    _is_sound(store)
    blobs = {str(digest) for digest in store.blobs}
    assert blobs == model.blobs()
    counts.said.append(f"model {seed}: {len(report['done'])} commits of {PROCESSES} processes replayed")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200 if os.environ.get("MILLE_ALL") else 2))
def test_processes_that_die_leave_the_others_whole(seed: int, tmp_path: Path) -> None:
    root = tmp_path / "store"
    with stocked() as registry:
        report = _at_once(root, registry.host, 1000 + seed, 40, chaos=True)
    assert report["failures"] == []
    assert report["killed"] > 0
    store = Store(str(root))
    recover(store, make_metadata)
    _is_sound(store)
    counts.said.append(f"chaos {seed}: {report['killed']} of {PROCESSES} processes killed")


def _holds(store: Store, model: Model) -> None:
    with store.reading() as tx:
        assert dict(tx.execute("SELECT name, image FROM names").fetchall()) == model.names
        assert {row[0] for row in tx.execute("SELECT id FROM images")} == model.images
        digests = set(tx.execute("SELECT repository, image FROM repo_digests").fetchall())
        assert digests == model.digests


def _is_sound(store: Store) -> None:
    """Nothing wrong, nothing left over, and the mirror holds all of it."""
    report = check(store, data=True)
    assert (report.problems, report.orphans) == ((), 0)
    for directory in (store.disk.ingest, store.disk.trash, store.disk.leases):
        assert os.listdir(directory) == []
    with store.reading() as tx, closing(database.connect(store.disk.database)) as connection:
        assert tx.execute("SELECT count(*) FROM leases").fetchone()[0] == 0
        number = mirror.sequence(connection.execute)
        assert Path(store.disk.index).read_bytes() == mirror.render(connection.execute, number)
    before = dump(store.disk.database)
    _, after = make_again(store, make_metadata)
    assert before == after
