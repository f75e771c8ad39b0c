"""The Python interface on small images of our own making, in a registry of this process."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import millefeuille
from millefeuille import errors
from millefeuille.files import ReadOnlyStore
from millefeuille.layers.entry import DIRECTORY, FILE
from millefeuille.oci.mediatype import DOCKER_MANIFEST
from millefeuille.progress import Event, Finished, LayerDone, LayerFound, Retrying, Started
from millefeuille.runtime.runtime import StartFailed
from millefeuille.testing.faults import Fault
from millefeuille.testing.images import MadeImage, digest_of, make_image
from millefeuille.testing.registry import FakeRegistry
from millefeuille.testing.tars import directory_entry, file_entry, make_layer

SERVICES = b"ssh 22/tcp\n"
PAGE = b"<h1>millefeuille</h1>\n"


@pytest.fixture
def made(tmp_path: Path) -> MadeImage:
    """An image of two layers."""
    lower = [directory_entry("etc"), file_entry("etc/services", SERVICES)]
    upper = [file_entry("page.html", PAGE, mode=0o600)]
    layers = [make_layer(tmp_path / f"{n}.tar.gz", e) for n, e in enumerate([lower, upper])]
    return make_image(layers, config={"Cmd": ["sh"], "Labels": {"team": "cake"}})


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """An empty registry that asks for no account."""
    with FakeRegistry() as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> millefeuille.Engine:
    """An engine on an empty store, whose surroundings are those given here and no others."""
    return millefeuille.Engine(tmp_path / "store", environment={"HOME": str(tmp_path)})


def offer(registry: FakeRegistry, made: MadeImage) -> None:
    """Have `made` in the registry as team/app:1."""
    for data in (made.config, *(layer.path.read_bytes() for layer in made.layers)):
        registry.add_blob("team/app", data)
    registry.add_manifest("team/app", made.manifest("docker"), DOCKER_MANIFEST, tag="1")


def pulled(engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage) -> millefeuille.Image:
    """`made`, pulled as team/app:1."""
    offer(registry, made)
    return engine.pull(f"{registry.host}/team/app:1")


def test_the_package_offers_what_it_names() -> None:
    for name in millefeuille.__all__:
        assert getattr(millefeuille, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = millefeuille.Nothing


def test_an_empty_store_has_no_images(engine: millefeuille.Engine) -> None:
    assert engine.images() == ()
    assert engine.events() == ()
    assert engine.usage().layers_size == 0
    assert engine.prune(all=True).acts == ()
    assert engine.check().problems == ()


def test_a_pulled_image_is_what_the_registry_has(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    image = pulled(engine, registry, made)
    assert str(image.id) == made.id
    assert image.tags == (f"{registry.host}/team/app:1",)
    assert image.size == len(SERVICES) + len(PAGE)
    assert [str(layer.diff_id) for layer in image.layers] == [layer.diff_id for layer in made.layers]
    assert [layer.size for layer in image.layers] == [len(SERVICES), len(PAGE)]
    assert image.config.process["Cmd"] == ["sh"]
    assert len(image.history) == 2
    assert engine.images() == (engine.image(made.id[7:19]),)


def test_values_can_be_members_of_sets(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage, tmp_path: Path
) -> None:
    seen: set[Event] = set()
    offer(registry, made)
    image = engine.pull(f"{registry.host}/team/app:1", progress=seen.add)
    (tmp_path / "Dockerfile").write_text(f"FROM {image.tags[0]}\nLABEL a=b\nCOPY Dockerfile /\n")
    told: set[object] = set()
    engine.build(tmp_path, tags=["built"], progress=told.add)
    assert {image, engine.image(str(image.id))} == {image}
    assert {*engine.images()} >= {image}
    assert {image.config, image.layers, image.history} == {image.config, image.layers, image.history}
    assert len({*image.layers[0].entries()}) == 2
    assert {*engine.events(), engine.sharing(), engine.usage(), engine.check(data=True)}
    assert {engine.prune(dry_run=True), *engine.remove(image, force=True)}
    assert seen
    assert told


def test_a_layer_tells_its_entries(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    first, second = pulled(engine, registry, made).layers
    assert [(entry.path, entry.kind, entry.size) for entry in first.entries()] == [
        (b"etc", DIRECTORY, 0),
        (b"etc/services", FILE, len(SERVICES)),
    ]
    assert [entry.mode for entry in second.entries()] == [0o600]


def test_events_arrive_in_order(engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage) -> None:
    offer(registry, made)
    seen: list[Event] = []
    engine.pull(f"{registry.host}/team/app:1", progress=seen.append)
    assert seen[0] == Started(name="team/app", label="1")
    found = {str(event.digest): event for event in seen if isinstance(event, LayerFound)}
    assert found.keys() == {layer.digest for layer in made.layers}
    assert not any(event.exists for event in found.values())
    assert {event.outcome for event in seen if isinstance(event, LayerDone)} == {"pulled"}
    assert isinstance(seen[-1], Finished)
    assert seen[-1].status.startswith("Downloaded newer image")


def test_a_retry_is_an_event(engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage) -> None:
    offer(registry, made)
    registry.faults.append(
        Fault(where="GET .*/manifests/", status=503, headers={"Retry-After": "0"}, times=1)
    )
    seen: list[Event] = []
    engine.pull(f"{registry.host}/team/app:1", progress=seen.append)
    assert any(isinstance(event, Retrying) for event in seen)


def test_a_push_sends_the_bytes_that_came(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    image = pulled(engine, registry, made)
    name = f"{registry.host}/team/copy:2"
    engine.tag(image, name)
    assert str(engine.push(name)) == digest_of(made.manifest("docker"))
    assert registry.manifests["team/copy", "2"][1] == made.manifest("docker")


def test_save_and_load_are_each_others_reverse(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage, tmp_path: Path
) -> None:
    image = pulled(engine, registry, made)
    engine.save([image.tags[0]], tmp_path / "app.tar")
    other = millefeuille.Engine(tmp_path / "other", environment={})
    (loaded,) = other.load(tmp_path / "app.tar")
    assert (loaded.id, loaded.tags, loaded.size) == (image.id, image.tags, image.size)
    assert other.images() == (loaded,)


def test_an_image_saved_by_id_has_no_name(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage, tmp_path: Path
) -> None:
    engine.save([pulled(engine, registry, made)], tmp_path / "app.tar", oci=True)
    with tarfile.open(tmp_path / "app.tar") as archive:
        assert "manifest.json" not in archive.getnames()
    (loaded,) = millefeuille.Engine(tmp_path / "other", environment={}).load(tmp_path / "app.tar")
    assert loaded.tags == ()


def test_an_image_with_several_names_is_loaded_once(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage, tmp_path: Path
) -> None:
    image = pulled(engine, registry, made)
    engine.tag(image, "other:1")
    engine.save([image.tags[0], "other:1"], tmp_path / "two.tar")
    [loaded] = millefeuille.Engine(tmp_path / "other", environment={}).load(tmp_path / "two.tar")
    assert sorted(loaded.tags) == sorted([*image.tags, "other:1"])


def test_import_makes_an_image_of_files(engine: millefeuille.Engine, made: MadeImage, tmp_path: Path) -> None:
    plain = tmp_path / "files.tar"
    plain.write_bytes(gzip.decompress(made.layers[0].path.read_bytes()))
    image = engine.import_(plain, "files", changes=["CMD cat /etc/services", "ENV A=b"])
    assert image.tags == ("files:latest",)
    assert [str(layer.diff_id) for layer in image.layers] == [made.layers[0].diff_id]
    assert image.config.process["Env"] == ["A=b"]


def test_removal_says_what_it_did(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    image = pulled(engine, registry, made)
    engine.tag(image, "kept:1")
    assert [act.untagged for act in engine.remove("kept:1")] == ["kept:1"]
    acts = engine.remove(image.tags[0])
    assert str(image.id) in [act.deleted for act in acts]
    assert engine.images() == ()
    assert not list(Path(engine.root, "blobs/sha256").iterdir())


def test_a_dry_run_of_prune_removes_nothing(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    image = pulled(engine, registry, made)
    assert engine.prune().candidates == ()
    assert len(engine.prune(filters=["dangling=false"], dry_run=True).candidates) == 1
    planned = engine.prune(all=True, dry_run=True)
    assert [candidate.image.id for candidate in planned.candidates] == [image.id]
    assert engine.images() != ()
    assert engine.prune(all=True).reclaimed == planned.reclaimed == image.size
    assert engine.images() == ()


def test_sharing_counts_each_layer_once(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    pulled(engine, registry, made)
    shared = engine.sharing()
    assert [(image.layers, image.shared, image.unique) for image in shared.images] == [
        (2, 0, len(SERVICES) + len(PAGE))
    ]
    assert len(shared.layers) == 2


@pytest.mark.walk
def test_a_container_runs_to_its_end(
    engine: millefeuille.Engine, registry: FakeRegistry, busybox: MadeImage, capfd: pytest.CaptureFixture[str]
) -> None:
    if os.geteuid() != 0 or not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("running containers needs root, and crun or runc")
    image = pulled(engine, registry, busybox)
    assert engine.run(image, "sh", "-c", "echo $CAKE; exit 7", environment={"CAKE": "millefeuille"}) == 7
    assert capfd.readouterr().out == "millefeuille\n"
    with pytest.raises(StartFailed):
        engine.run(image, "nothing")
    assert engine.check().problems == ()


def test_filters_are_those_of_the_command_line(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    image = pulled(engine, registry, made)
    assert engine.images(filters=["label=team=cake"]) == (image,)
    assert engine.images(filters=["label=team=bread"]) == ()
    with pytest.raises(errors.Invalid):
        engine.images(filters=["colour=blue"])


def test_what_happened_is_remembered(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    image = pulled(engine, registry, made)
    (first,) = engine.events()
    engine.tag(image, "other:1")
    assert [event.action for event in engine.events(after=first.id)] == ["tag"]
    assert first.action == "pull"


def test_one_text_or_image_can_stand_alone(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage, tmp_path: Path
) -> None:
    image = pulled(engine, registry, made)
    assert engine.images(filters="label=team=cake") == (image,)
    assert len(engine.prune(filters="dangling=false", dry_run=True).candidates) == 1
    other = millefeuille.Engine(tmp_path / "other", environment={})
    for alone in (image, image.tags[0]):
        engine.save(alone, tmp_path / "app.tar")
        assert [loaded.id for loaded in other.load(tmp_path / "app.tar")] == [image.id]
    (tmp_path / "files.tar").write_bytes(gzip.decompress(made.layers[0].path.read_bytes()))
    assert engine.import_(tmp_path / "files.tar", changes="USER me").config.process["User"] == "me"
    (tmp_path / "Dockerfile").write_text("FROM scratch\nLABEL a=b\n")
    assert engine.build(tmp_path, tags="app:2").tags == ("app:2",)


def test_values_that_cannot_be_are_refused_by_name(engine: millefeuille.Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nARG V\nLABEL a=$V\n")
    for name, value in (("epoch", 10**30), ("arguments", {"V": 1}), ("labels", {"a": 1})):
        with pytest.raises(errors.Invalid, match=f"^{name}"):
            engine.build(tmp_path, **{name: value})  # type: ignore[arg-type]  # that is the matter
    with pytest.raises(errors.Invalid, match=r"^after: "):
        engine.events(after=10**30)
    assert engine.images(all=True) == ()


def test_damage_is_found_and_mended(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage
) -> None:
    image = pulled(engine, registry, made)
    Path(engine.root, "layers", image.layers[0].diff_id.hex, "layer.tar").unlink()
    report = engine.check()
    assert [problem.kind for problem in report.problems] == ["layer"]
    assert engine.repair(report)
    assert engine.check(data=True).problems == ()


def test_an_account_is_checked_kept_and_forgotten(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage, tmp_path: Path
) -> None:
    offer(registry, made)
    registry.auth, registry.users = "basic", {"me": "right"}
    name = f"{registry.host}/team/app:1"
    with pytest.raises(errors.Denied):
        engine.login("me", "wrong", registry=registry.host)
    with pytest.raises(errors.Denied):
        engine.pull(name)
    assert engine.login("me", "right", registry=registry.host) == f"{tmp_path}/.docker/config.json"
    assert str(engine.pull(name).id) == made.id
    assert engine.logout(registry=registry.host)
    assert not engine.logout(registry=registry.host)


def test_errors_are_kinds(engine: millefeuille.Engine, registry: FakeRegistry, tmp_path: Path) -> None:
    with pytest.raises(errors.NotFound, match="No such image: nothing:latest"):
        engine.image("nothing")
    with pytest.raises(errors.Invalid):
        engine.image("UPPER")
    with pytest.raises(errors.NotFound):
        engine.pull(f"{registry.host}/team/absent:1")
    with pytest.raises(errors.NotFound):
        engine.save(["nothing"], tmp_path / "x.tar")
    with pytest.raises(errors.Invalid, match="no image to save"):
        engine.save([], tmp_path / "x.tar")
    with pytest.raises(errors.Invalid):
        (tmp_path / "no.tar").write_bytes(bytes(1024))
        engine.load(tmp_path / "no.tar")
    with pytest.raises(errors.Invalid):
        millefeuille.Engine(tmp_path, environment={}).load(tmp_path / "no.tar")


def test_a_store_that_cannot_be_is_a_kind_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root, reason in ((tmp_path / "file", "not a directory"), ("/proc/x", "no such file or directory")):
        engine = millefeuille.Engine(root, environment={})
        for verb in (engine.images, engine.check, lambda engine=engine: engine.tag("a", "b")):
            with pytest.raises(errors.Failed, match=f"^{root}: {reason}$"):
                verb()
    with pytest.raises(FileNotFoundError):
        millefeuille.Engine(tmp_path / "store", environment={}).load(tmp_path / "nothing.tar")


def test_a_file_of_the_store_that_is_refused_is_a_kind_too(
    engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage, tmp_path: Path
) -> None:
    image, report = pulled(engine, registry, made), engine.check()
    engine.save([image], tmp_path / "app.tar")
    (tmp_path / "files.tar").write_bytes(gzip.decompress(made.layers[0].path.read_bytes()))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    lock = Path(engine.root, "db.lock")
    lock.unlink()
    lock.mkdir()
    for verb in (
        lambda: engine.tag(image, "other"),
        lambda: engine.remove(image),
        lambda: engine.prune(all=True),
        lambda: engine.build(tmp_path),
        lambda: engine.save([image], tmp_path / "other.tar"),
        lambda: engine.load(tmp_path / "app.tar"),
        lambda: engine.import_(tmp_path / "files.tar"),
        lambda: engine.push(image.tags[0]),
        lambda: engine.repair(report),
    ):
        with pytest.raises(errors.Failed, match=f"^{lock}: is a directory$"):
            verb()
    with pytest.raises(IsADirectoryError):
        engine.load(tmp_path)


def test_a_read_only_store(engine: millefeuille.Engine, registry: FakeRegistry, made: MadeImage) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a mount read-only")
    image = pulled(engine, registry, made)
    subprocess.run(["mount", "--bind", engine.root, engine.root], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", engine.root], check=True)
        assert engine.images() == (image,)
        for verb in (lambda: engine.tag(image, "other"), lambda: engine.run(image)):
            with pytest.raises(ReadOnlyStore, match=r"db\.lock: read-only file system$") as refused:
                verb()
            assert "MILLE_ROOT" in (refused.value.advice or "")
    finally:
        subprocess.run(["umount", "--lazy", engine.root], check=True)


def test_the_environment_is_what_was_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MILLE_ROOT", "/elsewhere")
    assert millefeuille.Engine().root == "/elsewhere"
    assert millefeuille.Engine(environment={"MILLE_ROOT": str(tmp_path)}).root == str(tmp_path)
    assert millefeuille.Engine(tmp_path / "own").root == str(tmp_path / "own")


def test_no_image_gets_a_name_with_a_digest(
    engine: millefeuille.Engine, made: MadeImage, tmp_path: Path
) -> None:
    name = f"app:1@sha256:{'0' * 64}"
    with pytest.raises(errors.Invalid, match="cannot import digest reference"):
        engine.import_(made.layers[0].path, name)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nLABEL a=b\n")
    with pytest.raises(errors.Invalid, match=r"invalid tag .*: a digest cannot be given"):
        engine.build(tmp_path, tags=[name])
    assert engine.images(all=True) == ()


def test_no_image_gets_a_name_like_an_id(
    engine: millefeuille.Engine, made: MadeImage, tmp_path: Path
) -> None:
    name, message = "sha256:6ab6fca37351", "ambiguous tag using digest algorithm as name"
    with pytest.raises(errors.Invalid, match=message):
        engine.import_(made.layers[0].path, name)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nLABEL a=b\n")
    with pytest.raises(errors.Invalid, match=message):
        engine.build(tmp_path, tags=[name])
    assert engine.images(all=True) == ()


def test_a_build(engine: millefeuille.Engine, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nARG V\nCOPY page.html /\nLABEL v=$V\n")
    (context / "page.html").write_bytes(PAGE)
    told: list[object] = []
    image = engine.build(context, tags=["site:1"], arguments={"V": "7"}, progress=told.append)
    assert image == engine.image("site:1")
    assert image.config.labels == {"v": "7"}
    assert told
    with pytest.raises(errors.Invalid, match="Dockerfile:1: unknown instruction"):
        (context / "Dockerfile").write_text("FRO scratch\n")
        engine.build(context)
