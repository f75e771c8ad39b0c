"""What COPY selects in a directory, what identifies it, and that nothing leads out of it."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.build.sources.trees import make, selected

from millefeuille import files
from millefeuille.build.sources.directory import DirectorySource, Uncopyable
from millefeuille.build.sources.glob import BadPattern
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.build.sources.reading import ContextChanged
from millefeuille.build.sources.scan import Unreadable
from millefeuille.build.sources.source import NotFound
from millefeuille.layers.entry import FIFO, FILE, HARDLINK, SYMLINK
from millefeuille.layers.following import TooManyLinks


def source_of(root: Path, *ignored: str) -> DirectorySource:
    return DirectorySource(str(root), ignore=Ignore(ignored) if ignored else NOTHING)


FILES = (
    "a.txt", "b.txt", "a/x", "a/y/z", "a-b", "é", "[x]", ".dot", "l.txt -> a.txt", "d -> a",
    "a/up -> ../b.txt", "empty/",
)  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[DirectorySource]:
    with source_of(make(tmp_path / "context", *FILES, "a/h = b.txt", "h = a.txt")) as source:
        yield source


SELECTS = """
.               .dot [x] a/ a/h a/up a/x a/y/ a/y/z a-b a.txt b.txt d empty/ h l.txt é
/               .dot [x] a/ a/h a/up a/x a/y/ a/y/z a-b a.txt b.txt d empty/ h l.txt é
a               a/h a/up a/x a/y/ a/y/z
/a/             a/h a/up a/x a/y/ a/y/z
../../a/./y/..  a/h a/up a/x a/y/ a/y/z
a.txt           a.txt
a.txt/          a.txt
l.txt           a.txt
d               a/h a/up a/x a/y/ a/y/z
d/x             a/x
d/up            b.txt
*.txt           a.txt b.txt a.txt
[ab].txt        a.txt b.txt
?.txt           a.txt b.txt a.txt
a/*             a/h b.txt a/x a/y/z
d/[xy]          a/x a/y/z
*/x             a/x
*/y/z           a/y/z
*/nothing       -
[[]x]           [x]
empty           -
*/*/*           a/y/z
é               é
"""


@pytest.mark.parametrize("line", SELECTS.strip().split("\n"))
def test_selection(tree: DirectorySource, line: str) -> None:
    pattern, _, expected = line.partition(" ")
    assert selected(tree, pattern) == expected.strip().removeprefix("-")


def test_names(tree: DirectorySource) -> None:
    """A copy is called as the argument is, not as what a link leads to."""
    assert [(m.path, m.name, m.is_directory) for m in tree.match("l.txt")] == [(b"a.txt", b"l.txt", False)]
    assert [(m.path, m.name, m.is_directory) for m in tree.match("d/.")] == [(b"a", b"d", True)]
    assert [(m.path, m.name, m.is_directory) for m in tree.match(".")] == [(b"", b"", True)]
    (match,) = tree.match("a")
    assert [match.below(item.path) for item in match.items] == [b"h", b"up", b"x", b"y", b"y/z"]
    (match,) = tree.match("d/up")
    assert [match.below(item.path) for item in match.items] == [b"up"]


def test_items(tree: DirectorySource) -> None:
    items = {item.path: item.entry for match in tree.match(".") for item in match.items}
    assert (items[b"l.txt"].kind, items[b"l.txt"].link, items[b"l.txt"].mode) == (SYMLINK, b"a.txt", 0o777)
    assert (items[b"h"].kind, items[b"h"].link) == (HARDLINK, b"a.txt")
    assert (items[b"b.txt"].kind, items[b"b.txt"].link) == (HARDLINK, b"a/h")
    assert (items[b"a.txt"].kind, items[b"a.txt"].size) == (FILE, 5)
    assert {(entry.uid, entry.gid) for entry in items.values()} == {(0, 0)}
    (one,) = tree.match("h")
    assert one.items[0].entry.kind == FILE


@pytest.mark.parametrize("pattern", ["nothing", "a.txt/x", "empty/x", "a/y/z/.", "a\\*", "d/nothing"])
def test_not_found(tree: DirectorySource, pattern: str) -> None:
    if pattern == "a/y/z/.":
        assert selected(tree, pattern) == "a/y/z"
        return
    with pytest.raises(
        NotFound, match=rf'^"/{pattern}": not found$'.replace("\\", "\\\\").replace("*", r"\*")
    ):
        tree.match(pattern)


def test_malformed_pattern(tree: DirectorySource) -> None:
    with pytest.raises(BadPattern):
        tree.match("a*[")


EXCLUDES = """
.       *.txt           .dot [x] a/ a/h a/up a/x a/y/ a/y/z a-b d empty/ h é
.       a *.txt é       .dot [x] a-b d empty/ h
.       a !a/y          .dot [x] a/ a/y/ a/y/z a-b a.txt b.txt d empty/ h l.txt é
a       x               a/h a/up a/y/ a/y/z
a       y/z             a/h a/up a/x a/y/
a       a               a/h a/up a/x a/y/ a/y/z
a       **              -
*.txt   a.*             b.txt a.txt
a.txt   a.txt           -
"""


@pytest.mark.parametrize("line", EXCLUDES.strip().split("\n"))
def test_exclude(tree: DirectorySource, line: str) -> None:
    pattern, exclude, expected = line[:8].strip(), line[8:24].split(), line[24:]
    assert selected(tree, pattern, exclude=tuple(exclude)) == expected.removeprefix("-")


PARENTS = """
a/y/z       a/ a/y/ a/y/z
./a/y       a/ a/y/ a/y/z
a/./y/z     a/y/ a/y/z
a/./.       a/h a/up a/x a/y/ a/y/z
d/./y       a/y/ a/y/z
**/z        a/ a/y/ a/y/z
*.txt       a.txt b.txt l.txt
a/*         a/ a/h a/up a/x a/y/ a/y/z
nothing*    -
"""


@pytest.mark.parametrize("line", PARENTS.strip().split("\n"))
def test_parents(tree: DirectorySource, line: str) -> None:
    pattern, _, expected = line.partition(" ")
    assert selected(tree, pattern, parents=True) == expected.strip().removeprefix("-")


def test_parents_needs_what_it_names(tree: DirectorySource) -> None:
    with pytest.raises(NotFound, match='"/a/nothing": not found'):
        tree.match("a/./nothing", parents=True)


IGNORES = """
a               .       .dot [x] a-b a.txt b.txt d empty/ h l.txt é
* !a            .       a/ a/h a/up a/x a/y/ a/y/z
* !a/y/z        .       a/ a/y/ a/y/z
* !a/y/z        a       a/y/ a/y/z
* !a/y/z        */y     a/y/z
* !**/z         .       a/ a/y/ a/y/z
* !*.txt        *       a.txt b.txt a.txt
**/z            a       a/h a/up a/x a/y/
a.txt           *.txt   b.txt !
a.txt           l.txt   !
l.txt           l.txt   !
a               a       !
a               d       !
a               a/x     !
d               d/x     !
**              .       -
* !nothing      .       -
* !nothing      a       !
a/*             a       -
"""


@pytest.mark.parametrize("line", IGNORES.strip().split("\n"))
def test_ignored(tmp_path: Path, line: str) -> None:
    root = make(tmp_path / "context", *FILES, "a/h", "h")
    ignored, pattern, expected = line[:16].split(), line[16:24].strip(), line[24:]
    with source_of(root, *ignored) as source:
        if expected.endswith("!"):
            with pytest.raises(NotFound):
                selected(source, pattern)
        else:
            assert selected(source, pattern) == expected.removeprefix("-")


def test_only_what_is_named_is_looked_at(tmp_path: Path) -> None:
    """A directory that nobody names may be unreadable: it is never opened."""
    root = make(tmp_path / "context", "a/x", "b", "secret/x", "ignored/x")
    seen: list[object] = []
    with source_of(root, "ignored") as source:
        os.rename(root / "secret", root / "elsewhere")
        make(root, "secret")
        assert selected(source, "a") == "a/x"
        files.hook = lambda name, subject: seen.append(subject) if name == "read" else None
        try:
            source.digest(source.match("b"))
        finally:
            files.hook = None
    assert seen == ["b"]


ESCAPES = [
    "x -> /etc/passwd", "x -> ../../../../etc/passwd", "x -> ../outside", "d -> ..", "d -> /",
    "x -> /proc/self/root/etc/passwd",    "x -> d/x",
]  # fmt: skip


@pytest.mark.parametrize("link", ESCAPES)
def test_nothing_leads_out(tmp_path: Path, link: str) -> None:
    make(tmp_path, "outside", "x")
    with source_of(make(tmp_path / "context", link, "etc/hosts")) as source:
        for pattern in ("x", "d/x", "d/outside", "*/outside", "d/context/x", "../outside"):
            try:
                found = [(match.path, list(match.items)) for match in source.match(pattern)]
            except NotFound:
                continue
            assert found == [] or pattern == "x"
            assert all(path != b"outside" for path, _ in found)


def test_absolute_links_begin_at_the_root(tmp_path: Path) -> None:
    with source_of(make(tmp_path / "context", "a/x", "b -> /a", "c -> ../../../a/x")) as source:
        assert selected(source, "b/x") == "a/x"
        assert selected(source, "c") == "a/x"


def test_loops(tmp_path: Path) -> None:
    with source_of(make(tmp_path / "context", "a -> b", "b -> a", "c -> .")) as source:
        with pytest.raises(TooManyLinks):
            source.match("a")
        assert selected(source, "c/c/c") == "a b c"


def test_a_directory_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    make(tmp_path / "other", "x")
    root = make(tmp_path / "context", "a/x")
    with source_of(root) as source:
        (match,) = source.match("a")
        item = match.items[0]
        os.rename(root / "a", root / "b")
        os.symlink("../other", root / "a")
        with pytest.raises(ContextChanged, match="a/x: changed while it was read"):
            source.open(item)


def test_special_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path / "context", "a")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(root)  # a socket's name is short
        listener.bind("socket")
    with source_of(root) as source:
        assert selected(source, ".") == "a fifo"
        (match,) = source.match("fifo")
        assert match.items[0].entry.kind == FIFO
        source.digest(source.match("."))
        with pytest.raises(Uncopyable):
            source.match("socket")


def test_a_deep_tree(tmp_path: Path) -> None:
    """Deeper than there are descriptors."""
    (tmp_path / "context").mkdir()
    here = os.open(tmp_path / "context", os.O_RDONLY)
    for _ in range(1100):
        for name in ("d", "e"):
            os.mkdir(name, dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        with source_of(tmp_path / "context") as source, source_of(tmp_path / "context", "x", "!y") as other:
            (match,) = source.match(".")
            assert len(match.items) == 2200
            assert match.items[-1].path == b"e"
            assert list(other.match(".")[0].items) == list(match.items)
    finally:
        files.remove_tree(str(tmp_path / "context"))


def test_content(tmp_path: Path) -> None:
    root = make(tmp_path / "context", "small")
    (root / "large").write_bytes(b"x" * 300_000)
    with source_of(root) as source:
        large, small = (item for match in source.match(".") for item in match.items)
        assert source.open(small) == b"small"
        descriptor = source.open(large)
        assert isinstance(descriptor, int)
        assert len(os.read(descriptor, 400_000)) == 300_000
        os.close(descriptor)
        source.verify(source.match("."))
        descriptor = source.open(large)
        assert isinstance(descriptor, int)
        os.close(descriptor)
        (root / "large").write_bytes(b"y" * 300_000)
        with pytest.raises(ContextChanged, match="large: changed"):
            source.verify(source.match("."))


@pytest.mark.parametrize("change", ["content", "shorter", "gone", "replaced", "directory"])
def test_what_changes_while_it_is_read_is_an_error(tmp_path: Path, change: str) -> None:
    root = make(tmp_path / "context", "d/a", "d/b")
    with source_of(root) as source:
        matches = source.match(".")
        path = root / "d/b"
        if change == "content":
            path.write_text("d/c")
        elif change == "shorter":
            os.truncate(path, 1)
        elif change == "gone":
            path.unlink()
        elif change == "replaced":
            (root / "new").write_text("d/b")
            os.replace(root / "new", path)
        else:
            path.unlink()
            path.mkdir()
        with pytest.raises(ContextChanged, match=r"^d/b: changed while it was read$"):
            source.digest(matches)


def test_what_changes_in_the_midst_of_reading_is_an_error(tmp_path: Path) -> None:
    """The file is as it was when it is opened, and another when its end is reached."""
    root = make(tmp_path / "context", "a")
    (root / "b").write_bytes(b"x" * 5_000_000)
    real = os.readv

    def slow(descriptor: int, buffers: list[memoryview]) -> int:
        with open(root / "b", "r+b") as file:
            file.seek(4_000_000)
            file.write(b"y")
        return real(descriptor, buffers)

    with source_of(root) as source, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "readv", slow)
        with pytest.raises(ContextChanged, match=r"^b: changed"):
            source.digest(source.match("."))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("name", ["d/a", "d"])
def test_what_may_not_be_read_is_named(tmp_path: Path, name: str) -> None:
    root = make(tmp_path / "context", "d/a", "b")
    (root / name).chmod(0)
    try:
        with source_of(root) as source, pytest.raises(Unreadable, match=f"^open {name}: permission denied$"):
            source.digest(source.match("."))
        with source_of(root, "d") as source:
            source.digest(source.match("."))
    finally:
        (root / name).chmod(0o700)


def digest(root: Path, pattern: str = ".", *, mode: bool = True) -> str:
    with source_of(root) as source:
        return source.digest(source.match(pattern), mode=mode)


def test_times_and_places_are_no_part_of_the_identity(tmp_path: Path) -> None:
    one = make(tmp_path / "one", "a/x", "a/l -> x", "a/e/")
    two = make(tmp_path / "two", "é/a/e/", "é/a/x", "é/a/l -> x")
    (two / "é/a/x").write_text("a/x")
    os.utime(two / "é/a/x", (1, 1))
    os.utime(two / "é/a/e", (1, 1))
    os.chmod(two / "é/a", 0o700)
    assert digest(one, "a") == digest(two, "é/a")
    assert digest(one) != digest(two, "é")


CHANGES = {
    "content": lambda root: (root / "a/x").write_text("other"),
    "mode": lambda root: (root / "a/x").chmod(0o600),
    "setuid": lambda root: (root / "a/x").chmod(0o4644),
    "mode of a directory": lambda root: (root / "a").chmod(0o700),
    "name": lambda root: (root / "a/x").rename(root / "a/w"),
    "name of a directory": lambda root: (root / "a").rename(root / "b"),
    "moved up": lambda root: (root / "a/x").rename(root / "x"),
    "new": lambda root: make(root, "a/new"),
    "new directory": lambda root: make(root, "a/new/"),
    "gone": lambda root: (root / "a/e").rmdir(),
    "link": lambda root: ((root / "a/l").unlink(), make(root, "a/l -> y")),
    "file for a link": lambda root: ((root / "a/l").unlink(), make(root, "a/l")),
    "hard link": lambda root: ((root / "a/y").unlink(), make(root, "a/y = a/x")),
    "framing": lambda root: ((root / "a/x").rename(root / "ax"), (root / "a/e").rmdir()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_copied_is_the_identity(tmp_path: Path, change: str) -> None:
    root = make(tmp_path / "context", "a/x", "a/l -> x", "a/e/")
    (root / "a/y").write_text("a/x")
    before = digest(root), digest(root, mode=False)
    CHANGES[change](root)
    after = digest(root), digest(root, mode=False)
    assert before[0] != after[0]
    assert (before[1] == after[1]) == (change.startswith("mode") or change == "setuid")


def test_the_name_of_a_file_is_part_of_the_identity(tmp_path: Path) -> None:
    root = make(tmp_path / "context", "a/x")
    (root / "b").write_text("a/x")
    (root / "x").write_text("a/x")
    assert digest(root, "b") != digest(root, "x") == digest(root, "a/x") != digest(root, "a")


def test_attributes_are_part_of_the_identity(tmp_path: Path) -> None:
    root = make(tmp_path / "context", "a", "d/")
    before = digest(root)
    try:
        os.setxattr(root / "a", "user.k", b"v")
    except OSError:
        pytest.skip("the file system has no user attributes")
    first = digest(root)
    os.setxattr(root / "a", "user.k", b"w")
    second = digest(root)
    os.setxattr(root / "d", "user.k", b"w")
    assert len({before, first, second, digest(root)}) == 4
    with source_of(root) as source:
        entries = {item.path: item.entry for match in source.match(".") for item in match.items}
    assert entries[b"a"].xattrs == {b"user.k": b"w"} == entries[b"d"].xattrs


NAMES = st.lists(
    st.lists(st.text("ab.", min_size=1, max_size=2), min_size=1, max_size=3).map("/".join),
    min_size=1,
    max_size=8,
)
PATTERNS = st.lists(
    st.tuples(
        st.sampled_from(["", "!"]), st.lists(st.text("ab*", min_size=1, max_size=2), min_size=1, max_size=3)
    ),
    max_size=4,
).map(lambda rows: [keep + "/".join(parts) for keep, parts in rows])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, PATTERNS)
def test_a_scan_finds_what_the_patterns_leave(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], patterns: list[str]
) -> None:
    root = tmp_path_factory.mktemp("context")
    for name in names:
        if not {".", ".."} & set(name.split("/")):
            try:
                make(root, name)
            except OSError:
                pass  # a file and a directory have one name
    ignore = Ignore(patterns)
    everything = [str(path.relative_to(root)) for path in root.rglob("*")]
    kept = {name for name in everything if not ignore.leaves_out(name)}
    above = {"/".join(name.split("/")[:n]) for name in kept for n in range(1, name.count("/") + 1)}
    with DirectorySource(str(root), ignore=ignore) as source:
        found = [os.fsdecode(item.path) for match in source.match(".") for item in match.items]
    assert found == sorted(kept | above, key=lambda name: name.split("/"))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.txt", "a.txt"), ("l.txt", "a.txt"), ("d/x", "a/x"), ("/../d/./up", "b.txt"), ("[x]", "[x]"),
        ("*.txt", None), ("a", None), ("d", None), ("none", None), ("a/none", None), ("a.txt/x", None),
        ("pipe", None), ("socket", None),
    ],
)  # fmt: skip
def test_a_file_is_where_its_links_lead(tree: DirectorySource, path: str, found: str | None) -> None:
    os.mkfifo(f"{tree.root}/pipe")
    os.mknod(f"{tree.root}/socket", stat.S_IFSOCK | 0o600)
    assert tree.file(path) == found


def test_a_file_is_never_outside_and_never_left_out(tmp_path: Path) -> None:
    make(tmp_path / "outside", "f")
    links = (f"absolute -> {tmp_path}/outside", "relative -> ../outside", f"leaf -> {tmp_path}/outside/f")
    with source_of(make(tmp_path / "context", "ignored", "to -> ignored", *links), "ignored") as source:
        for path in ("absolute/f", "relative/f", "leaf", "../outside/f", "ignored", "to"):
            assert source.file(path) is None
        os.mkdir(f"{source.root}/outside")
        Path(source.root, "outside", "f").write_text("inside")
        assert source.file("relative/f") == source.file("../outside/f") == "outside/f"
