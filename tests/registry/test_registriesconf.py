"""Reading registries.conf."""

from __future__ import annotations

import pytest

from millefeuille.registry.registriesconf import BadRegistriesConf, Entry, Location, load


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "registries.conf"
        path.write_text(text)
        return load({"CONTAINERS_REGISTRIES_CONF": str(path)}, str(tmp_path))

    return read_text


def test_everything(read):
    found = read(
        """
        unqualified-search-registries = ["docker.io"]
        short-name-mode = "enforcing"
        [aliases]
        "x" = "docker.io/library/x"
        [[registry]]
        prefix = "docker.io"
        location = "mirror.example:5000/hub/"
        insecure = true
        [[registry.mirror]]
        location = "127.0.0.1:5000"
        insecure = true
        [[registry.mirror]]
        location = "second.example"
        pull-from-mirror = "digest-only"
        [[registry]]
        location = "bad.example"
        blocked = true
        """
    )
    assert found == (
        Entry(prefix="bad.example", location="bad.example", blocked=True),
        Entry(
            prefix="docker.io",
            location="mirror.example:5000/hub",
            insecure=True,
            mirrors=(
                Location(location="127.0.0.1:5000", insecure=True),
                Location(location="second.example", by_tag=False),
            ),
        ),
    )


def test_mirror_by_digest_only(read):
    entry = read(
        '[[registry]]\nlocation = "a.example"\nmirror-by-digest-only = true\n'
        '[[registry.mirror]]\nlocation = "m.example"'
    )[0]
    assert entry.mirrors == (Location(location="m.example", by_tag=False),)


def test_wildcard_without_a_location(read):
    entry = read('[[registry]]\nprefix = "*.example.com"\ninsecure = true')[0]
    assert entry.matches("a.b.example.com/x")
    assert not entry.matches("example.com/x")
    assert entry.rewrite("a.example.com/x", entry.location) == "a.example.com/x"


@pytest.mark.parametrize(
    ("prefix", "name", "matches"),
    [
        ("a.example", "a.example/x", True),
        ("a.example", "a.example:5000/x", True),
        ("a.example", "a.example.evil/x", False),
        ("a.example/ns", "a.example/ns/x:1", True),
        ("a.example/ns", "a.example/nsx", False),
        ("a.example/ns/x", "a.example/ns/x:1", True),
        ("a.example/ns/x", "a.example/ns/x@sha256:0", True),
        ("docker.io/library/nginx", "docker.io/library/nginx", True),
        ("docker.io/library", "docker.io/library/nginx", True),
        ("*.example.com", "a.example.com:5000/x", True),
        ("*.example.com", "a.example.com@sha256:0", True),
        ("*.example.com", "a.example.com.evil/x", False),
        ("*.example.com", "a.example.community/x", False),
        ("*.example.com", "a.example.com.example.com/x", True),
        ("*.example.com", "evil.example/b.example.com/x", False),
        ("*.example.com:5000", "a.example.com:5000/x", True),
        ("*.example.com:5000", "a.example.com/x", False),
        ("*.example.com/ns", "a.example.com/ns/x:1", True),
        ("*.example.com/ns", "a.example.com/nsx", False),
    ],
)
def test_prefixes_end_at_a_separator(prefix, name, matches):
    assert Entry(prefix=prefix, location="l").matches(name) is matches


@pytest.mark.parametrize(
    ("prefix", "name", "rewritten"),
    [
        ("*.example.com", "a.example.com:5000/x", "l.example:5000/x"),
        ("*.example.com", "a.b.example.com/x", "l.example/x"),
        ("*.example.com:5000", "a.example.com:5000/x", "l.example/x"),
        ("*.example.com/ns", "a.example.com/ns/x", "l.example/x"),
        ("a.example/ns", "a.example/ns/x", "l.example/x"),
        ("a.example/ns/x:1", "a.example/ns/x", "l.example"),
    ],
)
def test_what_is_behind_the_prefix_stays(prefix, name, rewritten):
    assert Entry(prefix=prefix, location="").rewrite(name, "l.example") == rewritten


@pytest.mark.parametrize(
    "text",
    [
        "[[registry",
        "registry = 1",
        "registry = [1]",
        "[[registry]]\ninsecure = true",
        "[[registry]]\nlocation = 7",
        '[[registry]]\nlocation = "a"\ninsecure = "yes"',
        '[[registry]]\nlocation = "a"\nmirror = "b"',
        '[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true',
        '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "some"',
        '[[registry]]\nprefix = "*a"\nlocation = "b"',
        "\x00",
    ],
)
def test_malformed(read, text):
    with pytest.raises(BadRegistriesConf, match=r"registries\.conf: "):
        read(text)


def test_file_that_was_asked_for_must_be_there(tmp_path):
    with pytest.raises(BadRegistriesConf, match="no such file"):
        load({"CONTAINERS_REGISTRIES_CONF": str(tmp_path / "none")}, str(tmp_path))


def test_drop_ins_replace_entries_in_the_order_of_their_names(tmp_path):
    directory = tmp_path / "containers"
    drop_ins = directory / "registries.conf.d"
    drop_ins.mkdir(parents=True)
    (directory / "registries.conf").write_text(
        '[[registry]]\nlocation = "main.example"\nprefix = "p.example"'
    )
    (drop_ins / "20.conf").write_text('[[registry]]\nlocation = "last.example"\nprefix = "p.example"')
    (drop_ins / "10.conf").write_text('[[registry]]\nlocation = "first.example"\nprefix = "p.example"')
    (drop_ins / "30.txt").write_text("not read")
    entries = {entry.prefix: entry for entry in load({"XDG_CONFIG_HOME": str(tmp_path)}, "/nowhere")}
    assert entries["p.example"].location == "last.example"
