"""WORKDIR's directories, and the files of here-documents."""

from __future__ import annotations

import pytest
from tests.build.copying.roots import d, f, root, s, words

from millefeuille.build.copying.chown import NoSuchOwner
from millefeuille.build.copying.copy import CopyWishes, copied
from millefeuille.build.copying.heredocs import HeredocSource
from millefeuille.build.copying.planned import WrongKind
from millefeuille.build.copying.workdir import made
from millefeuille.build.sources.source import NotFound
from millefeuille.store.store import Store

ETC = [d("etc"), f("etc/passwd", b"app:x:1000:100::/:\n"), f("etc/group", b"staff:x:50:\n")]


@pytest.mark.parametrize(
    ("directory", "user", "expected"),
    [
        ("/", "", ""),
        ("/srv", "", ""),
        ("/srv/a/b", "", "d 711 7:7 srv; d 755 0:0 srv/a; d 755 0:0 srv/a/b"),
        ("/srv/a/b", "app", "d 711 7:7 srv; d 755 1000:100 srv/a; d 755 1000:100 srv/a/b"),
        ("/a", "1000:staff", "d 755 1000:50 a"),
        ("/link/a", "", "d 711 7:7 srv; d 755 0:0 srv/a"),
    ],
)
def test_only_what_is_missing_is_made(store: Store, directory: str, user: str, expected: str) -> None:
    with root(store, ETC, [d("srv", 0o711, 7, 7), s("link", "../srv")]) as tree:
        found = list(made(tree, directory, user, 1234))
    assert "; ".join(words(entry) for entry, _ in found) == expected
    assert all(entry.mtime in (1000, 1234) for entry, _ in found)


def test_without_an_epoch_the_time_is_always_the_same(store: Store) -> None:
    with root(store) as tree:
        assert list(made(tree, "/a/b")) == list(made(tree, "/a/b"))


def test_what_cannot_be_a_directory(store: Store) -> None:
    with root(store, ETC) as tree:
        with pytest.raises(WrongKind, match="mkdir /etc/passwd: not a directory"):
            made(tree, "/etc/passwd/x")
        with pytest.raises(NoSuchOwner):
            made(tree, "/x", "nobody")


def test_here_documents_are_files_named_by_their_delimiters(store: Store) -> None:
    source = HeredocSource({"EOF": b"hello\n", "*": b"star"})
    with root(store) as tree:
        matches = [*source.match("EOF"), *source.match("*")]
        found = list(copied(tree, source, matches, CopyWishes(destination="/x/", chown="3")))
        assert [words(entry) for entry, _ in found] == ["d 755 3:3 x", "- 644 3:3 x/*", "- 644 3:3 x/EOF"]
        assert [content for _, content in found] == [None, b"star", b"hello\n"]
    with pytest.raises(NotFound):
        source.match("none")


def test_what_a_here_document_is_called_and_says_is_its_identity() -> None:
    texts = [{"A": b"1"}, {"A": b"2"}, {"B": b"1"}]
    sources = [HeredocSource(text, mtime) for mtime in (1, 2) for text in texts]
    digests = [source.digest(source.match(name)) for source, name in zip(sources, "AABAAB", strict=True)]
    assert len(set(digests)) == 3 and digests[:3] == digests[3:]
