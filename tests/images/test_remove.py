"""Docker's rules on what may be removed: the documented order, and the words of a real daemon (20.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.images.remove import Act, BlankName, ImageConflict, remove
from millefeuille.images.tag import tag
from millefeuille.images.users import User
from millefeuille.images.variants import remove_variants
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store import names
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction

CONTAINER = "f12b11b5618ec01ddccf9f695ee362f1b59234422e8025123d5950868d5703b7"
SHORT = CONTAINER[:12]


@dataclass
class Containers:
    """Containers by the image they were made from."""

    made: dict[Digest, list[User]] = field(default_factory=dict)

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        return self.made.get(image, [])


@dataclass
class Case:
    """What `rm` says of an image with these tags, this user and child, and what it untags and deletes."""

    name: str
    tags: str
    argument: str  # ID stands for the image's own
    error: str = ""
    untagged: str = ""
    deleted: bool = False
    user: str = ""  # running or stopped
    force: bool = False
    child: bool = False
    pulled: bool = False  # so that there are repository digests


MUST, CANNOT = "conflict: unable to delete {id} (must", "conflict: unable to delete {id} (cannot"
USED = 'conflict: unable to remove repository reference "{argument}" (must force) - container {user} is using'
STOPPED = f"{MUST} be forced) - image is being used by stopped container {SHORT}"
RUNNING = f"{CANNOT} be forced) - image is being used by running container {SHORT}"
SEVERAL = f"{MUST} be forced) - image is referenced in multiple repositories"
CHILDREN = f"{CANNOT} be forced) - image has dependent child images"
IN_USE = f"{USED} its referenced image {{id}}"

CASES = [
    Case("the only tag", "a:1", "a:1", untagged="a:1", deleted=True),
    Case("one of two tags", "a:1 a:2", "a:1", untagged="a:1"),
    Case("one of two repositories", "a:1 b:1", "b:1", untagged="b:1"),
    Case("the default tag", "a:latest", "a", untagged="a:latest", deleted=True),
    Case("the last tag takes the digest", "app:1", "app:1", pulled=True, untagged="app:1 app@", deleted=True),
    Case("another tag keeps the digest", "app:1 app:2", "app:1", pulled=True, untagged="app:1"),
    Case(
        "a tag elsewhere keeps the image", "app:1 b:1", "app:1", pulled=True, untagged="app:1 app@",
    ),
    Case("only tag, stopped", "a:1", "a:1", user="stopped", error=IN_USE),
    Case("only tag, running", "a:1", "a:1", user="running", error=IN_USE),
    Case("tag and digest are single", "app:1", "app:1", pulled=True, user="stopped", error=IN_USE),
    Case("only tag, stopped, forced", "a:1", "a:1", user="stopped", force=True, untagged="a:1", deleted=True),
    Case("only tag, running, forced", "a:1", "a:1", user="running", force=True, untagged="a:1"),
    Case("two tags, running", "a:1 a:2", "a:1", user="running", untagged="a:1"),
    Case("only tag, child", "a:1", "a:1", child=True, untagged="a:1"),
    Case("only tag, child, forced", "a:1", "a:1", child=True, force=True, untagged="a:1"),
    Case("ID, one tag", "a:1", "ID", untagged="a:1", deleted=True),
    Case("ID, tag and digest", "app:1", "ID", pulled=True, untagged="app:1 app@", deleted=True),
    Case("ID, no tag", "", "ID", deleted=True),
    Case("ID, no tag, stopped", "", "ID", user="stopped", error=STOPPED),
    Case("ID, no tag, stopped, forced", "", "ID", user="stopped", force=True, deleted=True),
    Case("ID, no tag, running, forced", "", "ID", user="running", force=True, error=RUNNING),
    Case("ID, one tag, stopped", "a:1", "ID", user="stopped", error=STOPPED),
    Case(
        "ID, one tag, stopped, forced", "a:1", "ID", user="stopped", force=True, untagged="a:1", deleted=True
    ),
    Case("ID, one tag, running", "a:1", "ID", user="running", error=RUNNING),
    Case("ID, one tag, running, forced", "a:1", "ID", user="running", force=True, error=RUNNING),
    Case("ID, one tag, child", "a:1", "ID", child=True, error=CHILDREN),
    Case("ID, child before running", "a:1", "ID", child=True, user="running", force=True, error=CHILDREN),
    Case("ID, two tags", "a:1 b:1", "ID", error=SEVERAL),
    Case("ID, two tags of one repository", "a:1 a:2", "ID", error=SEVERAL),
    Case("ID, two tags before stopped", "a:1 b:1", "ID", user="stopped", error=SEVERAL),
    Case("ID, two tags, running first", "a:1 b:1", "ID", user="running", error=RUNNING),
    Case(
        "ID, two tags, stopped, forced", "a:1 b:1", "ID", user="stopped", force=True, untagged="a:1 b:1",
        deleted=True,
    ),
    Case("ID, two tags, forced", "app:1 b:1", "ID", pulled=True, force=True, untagged="app:1 b:1 app@",
         deleted=True),
    Case("a digest among tags", "app:1", "app@DIGEST", pulled=True, untagged="app@"),
    Case("a digest alone", "", "app@DIGEST", pulled=True, untagged="app@", deleted=True),
    Case("a tag beside the digest", "", "app:9@DIGEST", pulled=True, untagged="app@", deleted=True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rules(case: Case, store: Store, memory: Memory) -> None:
    image = _given(case, store, memory)
    containers = Containers()
    if case.user:
        containers.made[image] = [User(id=CONTAINER, running=case.user == "running")]
    argument = case.argument.replace("ID", image.hex).replace("DIGEST", str(memory.tags["1"].digest))
    if case.error:
        with pytest.raises(ImageConflict) as caught, store.writing() as tx:
            remove(tx, argument, containers, force=case.force)
        expected = case.error.format(id=image.short, argument=argument, user=SHORT)
        assert str(caught.value) == expected
        assert _references(store, image) == set(case.tags.split()) | ({"app@"} if case.pulled else set())
        return
    with store.writing() as tx:
        acts = remove(tx, argument, containers, force=case.force)
    untagged = [act.untagged.partition("sha256:")[0] for act in acts if act.untagged]
    assert untagged == case.untagged.split()
    deleted = [act.deleted for act in acts if act.deleted]
    assert (str(image) in deleted) is case.deleted
    assert bool(deleted) is case.deleted


def _given(case: Case, store: Store, memory: Memory) -> Digest:
    memory.add("1", [layer(1), layer(2)])
    image = brought(store, memory, "app:1").image
    if case.child:
        memory.add("child", [layer(1), layer(2), layer(3)])
        child = brought(store, memory, "child:child").image
    with store.writing() as tx:
        for name in case.tags.split():
            tag(tx, str(image), name)
        if "app:1" not in case.tags.split():
            names.unassign(tx, "docker.io/library/app:1")
        if not case.pulled:
            tx.execute("DELETE FROM repo_digests WHERE image = ?", (str(image),))
        if case.child:
            tx.execute("UPDATE images SET parent = ? WHERE id = ?", (str(image), str(child)))
    return image


def _references(store: Store, image: Digest) -> set[str]:
    with store.reading() as tx:
        record = names.find(tx, str(image))
    tags = {name.removeprefix("docker.io/library/") for name in record.tags}
    return tags | {repository.removeprefix("docker.io/library/") + "@" for repository, _ in record.digests}


def test_what_goes_is_said_from_the_top(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1), layer(2)])
    memory.add("2", [layer(1), layer(3)])
    image = brought(store, memory, "app:1").image
    brought(store, memory, "app:2")
    with store.reading() as tx:
        chain = names.find(tx, "app:1").chain
    with store.writing() as tx:
        acts = remove(tx, "app:1", Containers())
    assert acts == (
        Act(untagged="app:1"),
        # app:2 is another image's: it does not hold the digest.
        Act(untagged=f"app@{memory.tags['1'].digest}"),
        Act(deleted=str(image)),
        Act(deleted=str(chain), size=2002),
    )


def test_untagged_parents_go_with_the_last_child(store: Store, memory: Memory) -> None:
    images = {}
    for number in (1, 2, 3):
        memory.add(str(number), [layer(n) for n in range(1, number + 1)])
        images[number] = brought(store, memory, f"app:{number}").image
    with store.writing() as tx:
        for child in (2, 3):
            parent = (str(images[child - 1]), str(images[child]))
            tx.execute("UPDATE images SET parent = ? WHERE id = ?", parent)
        for number in (1, 2):
            names.unassign(tx, f"docker.io/library/app:{number}")
            tx.execute("DELETE FROM repo_digests WHERE image = ?", (str(images[number]),))
    with store.writing() as tx:
        remove(tx, "app:3", Containers(), prune_parents=False)
        left = {row[0] for row in tx.execute("SELECT id FROM images")}
    assert left == {str(images[1]), str(images[2])}
    with store.writing() as tx:
        stopped = Containers({images[1]: [User(id=CONTAINER, running=False)]})
        gone = {act.deleted for act in remove(tx, str(images[2]), stopped)}
    assert str(images[2]) in gone and str(images[1]) not in gone


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("nosuch", "No such image: nosuch:latest"),
        ("nosuch:1", "No such image: nosuch:1"),
        ("sha256:" + "0" * 64, "No such image: sha256:" + "0" * 64),
    ],
)
def test_missing(argument: str, message: str, store: Store) -> None:
    store.create()
    with pytest.raises(NoSuchImage) as caught, store.writing() as tx:
        remove(tx, argument, Containers())
    assert str(caught.value) == message


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank(blank: str, store: Store) -> None:
    store.create()
    with pytest.raises(BlankName, match=r"^image name cannot be blank$"), store.writing() as tx:
        remove(tx, blank, Containers())


def test_events(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    image = brought(store, memory, "app:1").image
    with store.writing() as tx:
        remove(tx, "app:1", Containers())
        rows = tx.execute("SELECT action, actor FROM events ORDER BY id").fetchall()
    assert rows[1:] == [("untag", str(image)), ("delete", str(image))]  # of the digest, Docker says nothing


def _two_platforms(store: Store, memory: Memory) -> dict[str, Digest]:
    """app:many for arm64 and, chosen last, amd64."""
    amd64 = memory.add("amd64", [layer(1)])
    arm64 = memory.add("arm64", [layer(2)], architecture="arm64")
    memory.add_index("many", {"amd64": amd64, "arm64": arm64})
    return {
        architecture: brought(store, memory, "app:many", f"linux/{architecture}").image
        for architecture in ("arm64", "amd64")
    }


def test_a_name_goes_with_all_its_platforms(store: Store, memory: Memory) -> None:
    held = _two_platforms(store, memory)
    with store.writing() as tx:
        acts = remove(tx, "app:many", Containers())
        assert tx.execute("SELECT count(*) FROM images").fetchone() == (0,)
    untagged = [act.untagged.partition("sha256:")[0] for act in acts if act.untagged]
    assert untagged == ["app:many", "app@"]
    assert {str(image) for image in held.values()} < {act.deleted for act in acts}
    assert not list(store.blobs)


@pytest.mark.parametrize("form", ["tag", "digest"])
def test_a_name_stays_for_a_container_of_its_other_platform(form: str, store: Store, memory: Memory) -> None:
    held = _two_platforms(store, memory)
    name = "app:many" if form == "tag" else f"app@{memory.tags['many'].digest}"
    running = Containers({held["arm64"]: [User(id=CONTAINER, running=True)]})
    with pytest.raises(ImageConflict) as caught, store.writing() as tx:
        remove(tx, name, running)
    said = USED.format(argument=name, user=SHORT)
    assert str(caught.value) == f"{said} its referenced image {held['arm64'].short}"
    with store.writing() as tx:
        tag(tx, str(held["arm64"]), "app:other")
        remove(tx, name, running)
        assert names.find(tx, "app:other").id == held["arm64"]


def test_a_digest_goes_with_all_its_platforms(store: Store, memory: Memory) -> None:
    _two_platforms(store, memory)
    with store.writing() as tx:
        names.unassign(tx, "docker.io/library/app:many")
    with store.writing() as tx:
        remove(tx, f"app@{memory.tags['many'].digest}", Containers())
    assert not list(store.blobs)


def test_a_platform_named_twice_goes_once(store: Store, memory: Memory) -> None:
    held = _two_platforms(store, memory)
    twice = [Platform.parse("linux/arm64"), Platform.parse("linux/arm64/v8")]
    with store.writing() as tx:
        acts = remove_variants(tx, "app:many", twice, Containers(), force=True)
        assert acts[0].deleted == str(held["arm64"])
        assert names.find(tx, "app:many").id == held["amd64"]


def test_a_name_stays_with_its_other_platform(store: Store, memory: Memory) -> None:
    held = _two_platforms(store, memory)
    with store.writing() as tx:
        acts = remove(tx, str(held["amd64"]), Containers())
        assert names.find(tx, "app:many").id == held["arm64"]
    assert "app:many" not in {act.untagged for act in acts}
