"""Listing tags, page by page."""

from __future__ import annotations

import pytest

from millefeuille.errors import MilleError
from millefeuille.registry.refusal import RepositoryUnknown
from millefeuille.registry.tags import BadTagList, next_page
from millefeuille.testing.faults import Fault


@pytest.fixture
def repository(registry, client):
    return client.repository(f"{registry.host}/team/app")


def test_all_pages_sorted(repository, registry):
    names = [f"v{number}" for number in range(25)]
    registry.add_image("team/app", "latest", [b"x"])
    for name in names:
        registry.add_manifest("team/app", b"{}", tag=name)
    registry.page = 7
    assert repository.tags() == tuple(sorted([*names, "latest"]))
    assert len(registry.seen("tags/list")) == 4


def test_unknown_repository(repository, registry):
    words = f"repository {registry.host}/team/app not found: name unknown: "
    with pytest.raises(RepositoryUnknown, match=f"^{words}repository name not known to registry$"):
        repository.tags()


@pytest.mark.parametrize(
    "body", [b'{"tags": null}', b"{}", b'{"tags": []}', b'{"tags": ["../x", 7, null, ""]}']
)
def test_no_tags(repository, registry, body):
    registry.faults.append(Fault(where="tags", status=200, body=body))
    assert repository.tags() == ()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"tags": "x"}', b"[" * 100_000])
def test_not_a_list(repository, registry, body):
    registry.faults.append(Fault(where="tags", status=200, body=body))
    with pytest.raises(BadTagList, match="not a list of tags"):
        repository.tags()


def test_page_without_end(repository, registry):
    registry.faults.append(Fault(where="tags", status=200, body=b" " * (5 << 20)))
    with pytest.raises(MilleError, match="larger than 4194304 bytes"):
        repository.tags()


def test_same_page_again_and_again_ends(repository, registry):
    link = {"Link": '</v2/team/app/tags/list?n=1000>; rel="next"'}
    registry.faults.append(Fault(where="tags", times=99, status=200, body=b'{"tags":["a"]}', headers=link))
    assert repository.tags() == ("a",)
    assert len(registry.requests) < 5


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ('</v2/a/tags/list?last=x&n=3>; rel="next"', "/v2/a/tags/list?last=x&n=3"),
        ("</v2/a/tags/list?last=x>; rel=next", "/v2/a/tags/list?last=x"),
        ('<list?last=x>; rel="next"', "/v2/a/tags/list?last=x"),
        ('<https://evil.example/v2/a/tags/list?last=x>; rel="next"', "/v2/a/tags/list?last=x"),
        ('</etc/passwd>; rel="next"', None),
        ('</v2/a/tags/list>; rel="prev"', None),
        ("", None),
        ("<http://[/>; rel=next", None),
    ],
)
def test_next_page(link, path):
    """Only path and query of a link count: the next page is asked of the host that gave this one."""
    assert next_page("/v2/a/tags/list?n=3", link) == path
