"""The commands that do what a COPY does."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import step, waste

from millefeuille.analysis.advice.copying import Copying
from millefeuille.testing.rawtars import directory, file

BASE = step("RUN base", directory(b"bin"), directory(b"opt"))
REMOVED = (step("RUN mkdir /srv", directory(b"srv")), step("RUN rm -r /srv", file(b".wh.srv")))
AT = "/mnt/copied"


def commands(*before: object, target: str, flags: dict[str, str], name: str = "", paths: str) -> str:
    """For a COPY that makes these paths, those with a / at their end directories."""
    entries = [
        directory(path[:-1].encode()) if path[-1] == "/" else file(path.encode(), b"x")
        for path in paths.split()
    ]  # fmt: skip
    script = [("FROM a", ()), BASE, *before, step(f"COPY {name or 'src'} {target}", *entries)]
    return Copying(waste(*script), len(script) - 1, flags).commands([name or "src"], [AT])


OWNER = {"--chown": "7:8"}
COPIED = f"cp -RP {AT}/."


@pytest.mark.parametrize(("target", "paths", "ends"), [
    ("/srv/www/html", "srv/ srv/www/ srv/www/html/ srv/www/html/a", "chown -R 7:8 /srv"),
    ("/opt/www/html", "opt/ opt/www/ opt/www/html/ opt/www/html/a", "chown -R 7:8 /opt/www"),
    ("/opt/s/", "opt/ opt/s/ opt/s/a", "chown -R 7:8 /opt/s"),
])  # fmt: skip
def test_directories_that_are_made_get_what_the_flags_say(target: str, paths: str, ends: str) -> None:
    word = target.rstrip("/")
    wanted = f"mkdir -p {word} && {COPIED} {word} && {ends}"
    assert commands(target=target, flags=OWNER, paths=paths) == wanted


def test_a_file_in_directories_that_are_made() -> None:
    made = commands(target="/srv/www/a", flags=OWNER, name="a", paths="srv/ srv/www/ srv/www/a")
    assert made == f"mkdir -p /srv/www && cp {AT} /srv/www/a && chown -R 7:8 /srv"
    there = commands(target="/opt/a", flags=OWNER, name="a", paths="opt/ opt/a")
    assert there == f"cp {AT} /opt/a && chown 7:8 /opt/a"


def test_what_an_earlier_layer_removed_is_made_again() -> None:
    paths = "srv/ srv/www/ srv/www/a"
    wanted = f"mkdir -p /srv/www && {COPIED} /srv/www && chown -R 7:8 /srv"
    assert commands(*REMOVED, target="/srv/www", flags=OWNER, paths=paths) == wanted
    assert commands(REMOVED[0], target="/srv/www", flags=OWNER, paths=paths).endswith(" 7:8 /srv/www")
    plain = commands(*REMOVED, target="/srv", flags={}, paths="srv/ srv/a")
    assert plain == f"mkdir -p /srv && {COPIED} /srv"


def test_flags_are_not_for_a_directory_that_is_there() -> None:
    assert commands(target="/opt", flags=OWNER, paths="opt/ opt/a") == ""
    assert commands(target="/opt", flags={}, paths="opt/ opt/a") == f"{COPIED} /opt"


def test_a_directory_that_its_owner_may_not_search() -> None:
    before = (step("RUN mkdir /home", directory(b"home", uid=5)), ("USER dev", ()))
    entries = (directory(b"home/s", uid=5), file(b"home/s/a", b"x", uid=5))
    script = [("FROM a", ()), BASE, *before, step("COPY a /home/s/", *entries)]
    flags = {"--chown": "dev"}
    found = Copying(waste(*script), 4, flags).commands(["a"], [AT])
    assert found == f"mkdir -p /home/s && cp -RP {AT} /home/s/a"
    assert Copying(waste(*script), 4, {**flags, "--chmod": "640"}).commands(["a"], [AT]) == ""


@pytest.mark.parametrize(("of_file", "of_directory", "flags", "is_found"), [
    (0o644, 0o755, {}, True),
    (0o600, 0o755, {}, False),
    (0o644, 0o750, {}, False),
    (0o644, 0o755, {"--chmod": "755"}, False),  # of what may be 600 before
])  # fmt: skip
def test_what_a_user_may_not_read(
    of_file: int, of_directory: int, flags: dict[str, str], is_found: bool
) -> None:
    entries = (directory(b"home/s", uid=5, mode=of_directory), file(b"home/s/a", b"x", uid=5, mode=of_file))
    base = step("RUN mkdir -p /home/s", directory(b"home", uid=5))
    script = [("FROM a", ()), BASE, base, ("USER dev", ()), step("COPY a /home/s/", *entries)]
    found = Copying(waste(*script), 4, {"--chown": "dev", **flags}).commands(["a"], [AT])
    assert bool(found) is is_found


@pytest.mark.parametrize("sources", [["src"], ["src/a", "other/b"], ["src/*"]])
def test_a_user_may_not_search_every_directory(sources: list[str]) -> None:
    entries = [file(b"home/s/a", b"x", uid=5), *([file(b"home/s/b", b"y", uid=5)] * (len(sources) > 1))]
    base = step("RUN mkdir -p /home/s", directory(b"home", uid=5), directory(b"home/s", uid=5))
    copy = step(f"COPY {' '.join(sources)} /home/s/", *entries)
    for users, is_found in (([], True), ([("USER dev", ())], False)):
        made = waste(("FROM a", ()), BASE, base, *users, copy)
        flags = {"--chown": "dev"} if users else {}
        found = Copying(made, 3 + len(users), flags).commands(sources, [AT] * len(sources))
        assert bool(found) is is_found
