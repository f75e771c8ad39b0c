"""Whole builds without a RUN: what is in the image, what is told of it, what the cache does."""

from __future__ import annotations

import hashlib
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.build.places import Place

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.plan import NoSuchTarget
from millefeuille.build.report import Noted
from millefeuille.build.sources.source import NotFound
from millefeuille.errors import Corrupt


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store and an empty context."""
    return Place(tmp_path)


class Site:
    """A web site on the loopback: its files, and what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                data = site.files.get(self.path)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty web site."""
    made = Site()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_file_of_the_context_is_in_the_image(place: Place) -> None:
    place.write({"hello": "world\n"})
    made = place.build("FROM scratch\nCOPY hello /a/b\n", tags=["x:1"])
    assert place.read(made, "a/b") == "world\n"
    assert [entry.created_by for entry in made.history] == ["COPY hello /a/b # buildkit"]
    assert made.history[0].comment == "buildkit.dockerfile.v0"
    assert made.process["Env"] == ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


def test_a_second_build_finds_everything_and_makes_the_same_image(place: Place) -> None:
    place.write({"a": "1", "b": "2"})
    text = "FROM scratch\nWORKDIR /srv\nCOPY a .\nCOPY b .\nCMD [\"/srv/a\"]\n"
    first = place.build(text)
    assert place.watching.outcomes == ["done", "done", "done"]
    second = place.build(text)
    assert place.watching.outcomes == ["cached", "cached", "cached"]
    assert second.raw == first.raw


def test_only_what_changed_and_what_stands_on_it_is_made_anew(place: Place) -> None:
    place.write({"a": "1", "b": "2", "c": "3"})
    text = "FROM scratch\nCOPY a /\nCOPY b /\nCOPY c /\n"
    place.build(text)
    place.write({"b": "4"})
    made = place.build(text)
    assert place.watching.outcomes == ["cached", "done", "done"]
    assert place.read(made, "b") == "4"


def test_a_step_that_gives_the_same_layer_cuts_the_change_off(place: Place) -> None:
    place.write({"a": "1", "b": "2"})
    place.build("FROM scratch\nCOPY a /x\nCOPY b /\n")
    (place.context / "a").rename(place.context / "z")
    place.build("FROM scratch\nCOPY z /x\nCOPY b /\n")
    assert place.watching.outcomes[1] == "cached"


def test_metadata_instructions(place: Place) -> None:
    made = place.build("""\
FROM scratch
ARG VERSION=1
ENV A=x B="y z$VERSION"
LABEL one="1 1" two=2
EXPOSE 80 443/udp
VOLUME /data
USER 10:20
STOPSIGNAL SIGINT
SHELL ["/bin/bash", "-c"]
ENTRYPOINT run me
CMD ["a", "b"]
HEALTHCHECK --interval=30s CMD true
ONBUILD RUN echo later
MAINTAINER somebody
""")
    process = made.process
    assert process["Env"][1:] == ["A=x", "B=y z1"]
    assert made.labels == {"one": "1 1", "two": "2"}
    assert process["ExposedPorts"] == {"443/udp": {}, "80/tcp": {}}
    assert process["Volumes"] == {"/data": {}}
    assert process["User"] == "10:20"
    assert process["StopSignal"] == "SIGINT"
    assert process["Entrypoint"] == ["/bin/bash", "-c", "run me"]
    assert process["Cmd"] == ["a", "b"]
    assert process["Healthcheck"] == {"Test": ["CMD-SHELL", "true"], "Interval": 30_000_000_000}
    assert process["OnBuild"] == ["RUN echo later"]
    assert made.author == "somebody"
    assert made.diff_ids == ()
    assert [entry.created_by for entry in made.history][:5] == [
        "ARG VERSION=1", "ENV A=x B=y z1", "LABEL one=1 1 two=2", "EXPOSE [443/udp 80/tcp]", "VOLUME [/data]",
    ]  # fmt: skip
    assert all(entry.empty_layer for entry in made.history)


def test_what_waits_for_a_stage_that_fails_is_cancelled(place: Place) -> None:
    with pytest.raises(NotFound, match="missing"):
        place.build("FROM scratch AS one\nCOPY missing /\nFROM scratch\nCOPY --from=one /a /b\n")
    # Told of as long as it waits only, not where it had not begun to.
    assert place.watching.outcomes in (["failed", "cancelled"], ["failed"])


def test_an_argument_that_a_trigger_of_the_base_declares_is_consumed(place: Place) -> None:
    place.build("FROM scratch\nONBUILD ARG WANTED\n", tags=["base:1"])
    place.build("FROM base:1\n", arguments={"WANTED": "1"})
    assert not [one for one in place.watching.events if isinstance(one, Noted)]
    place.build("FROM base:1\n", arguments={"OTHER": "1"})
    noted = [one.message for one in place.watching.events if isinstance(one, Noted)]
    assert noted == ["[Warning] One or more build-args [OTHER] were not consumed"]


def test_stages_that_nothing_needs_are_not_built(place: Place) -> None:
    place.write({"a": "1"})
    made = place.build("""\
FROM scratch AS one
COPY a /a
FROM scratch AS unneeded
COPY missing /
FROM scratch
COPY --from=one /a /b
""")
    assert place.read(made, "b") == "1"
    assert place.watching.outcomes == ["done", "done"]


def test_scratch_has_a_path_and_a_directory(place: Place) -> None:
    made = place.build("FROM scratch\nENV A=1 PATH=/x:$PATH\n")
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert made.process["Env"] == [f"PATH=/x:{path}", "A=1"]
    assert made.process["WorkingDir"] == "/"


def test_a_base_image_without_layers_has_a_config(place: Place) -> None:
    place.build('FROM scratch\nENV A=1 PATH=/y\nUSER me\nCMD ["x"]\nONBUILD LABEL t=1\n', tags=["plain:1"])
    made = place.build("FROM plain:1\nLABEL a=$A\n")
    assert made.process["Env"] == ["PATH=/y", "A=1"]
    assert (made.process["User"], made.process["Cmd"]) == ("me", ["x"])
    assert made.labels == {"a": "1", "t": "1"}


def test_a_stage_on_a_stage(place: Place) -> None:
    place.write({"a": "1"})
    made = place.build("FROM scratch AS one\nARG X=2\nCOPY a /a\nFROM one\nLABEL x=$X\n")
    assert made.labels == {"x": "2"}
    assert len(made.diff_ids) == 1


def test_what_is_copied_from_a_stage_is_found_without_looking_at_files(place: Place) -> None:
    place.write({"a": "1"})
    text = "FROM scratch AS one\nCOPY a /a\nFROM scratch\nCOPY --from=0 / /\n"
    place.build(text)
    place.build(text)
    assert place.watching.outcomes == ["cached", "cached"]


def test_here_documents(place: Place) -> None:
    made = place.build("FROM scratch\nARG X=1\nCOPY <<one <<'two' /d/\nx=$X\none\nx=$X\ntwo\n")
    assert place.read(made, "d/one") == "x=1\n"
    assert place.read(made, "d/two") == "x=$X\n"


def test_a_target(place: Place) -> None:
    text = "FROM scratch AS one\nLABEL a=1\nFROM scratch AS two\nLABEL a=2\n"
    assert place.build(text, target="ONE").labels == {"a": "1"}
    assert place.build(text).labels == {"a": "2"}
    with pytest.raises(NoSuchTarget, match=r'target stage "ones" could not be found \(did you mean one\?\)'):
        place.build(text, target="ones")
    for target in ("²", "9" * 5000):
        with pytest.raises(NoSuchTarget, match="could not be found"):
            place.build(text, target=target)


def test_files_that_are_missing_fail_the_build(place: Place) -> None:
    with pytest.raises(NotFound, match='"/missing": not found'):
        place.build("FROM scratch\nCOPY missing /\n")
    assert place.watching.outcomes == ["failed"]


def test_a_stage_may_not_copy_from_itself_or_a_later_one(place: Place) -> None:
    with pytest.raises(DockerfileError, match="circular dependency detected on stage: one"):
        place.build("FROM scratch AS one\nCOPY --from=one / /\n")
    with pytest.raises(DockerfileError, match='cannot copy from stage "two"'):
        place.build("FROM scratch AS one\nCOPY --from=two / /\nFROM scratch AS two\n", target="one")


def test_with_an_epoch_two_stores_make_the_same_image(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "two"):
        place = Place(tmp_path / name)
        place.write({"a": "1", "d/b": "2"})
        ids.append(place.build("FROM scratch\nWORKDIR /w\nCOPY . .\nCMD x\n", epoch=1_000_000_000).id)
    assert ids[0] == ids[1]


def test_no_cache_makes_everything_anew(place: Place) -> None:
    place.write({"a": "1"})
    text = "FROM scratch AS one\nCOPY a /\nFROM scratch\nCOPY a /b\nCOPY --from=one a /c\n"
    place.build(text)
    place.build(text, no_cache=frozenset())
    assert place.watching.outcomes == ["done", "done", "done"]
    place.build(text, no_cache=frozenset({"one"}))
    assert place.watching.outcomes == ["done", "cached", "cached"]


def test_triggers_run_in_the_stage_that_begins_with_theirs(place: Place) -> None:
    place.write({"a": "1"})
    made = place.build("FROM scratch AS one\nONBUILD COPY a /t\nFROM one\n")
    assert place.read(made, "t") == "1"
    assert "OnBuild" not in made.process


def test_an_archive_of_the_context_is_extracted(place: Place) -> None:
    with tarfile.open(place.context / "a.tar.gz", "w:gz") as archive:
        archive.add(__file__, "d/inside")
    made = place.build("FROM scratch\nADD a.tar.gz /x\nADD --unpack=false a.tar.gz /y\n")
    assert place.read(made, "x/d/inside") == Path(__file__).read_text()
    with place.tree(made) as tree:
        assert tree.lookup(b"y") is not None
    assert place.watching.outcomes == ["done", "done"]


def test_what_a_checksum_promises_is_not_fetched_again(place: Place, site: Site) -> None:
    site.files["/file"] = b"content"
    sum = hashlib.sha256(b"content").hexdigest()
    text = f"FROM scratch\nADD --checksum=sha256:{sum} {site.url}/file /\nADD {site.url}/file /again\n"
    made = place.build(text)
    assert place.read(made, "file") == place.read(made, "again") == "content"
    assert site.asked == ["/file", "/file"]
    place.build(text)
    assert place.watching.outcomes == ["cached", "cached"]
    assert site.asked == ["/file", "/file", "/file"]


def test_a_wrong_checksum_fails(place: Place, site: Site) -> None:
    site.files["/file"] = b"content"
    with pytest.raises(Corrupt, match="file"):
        place.build(f"FROM scratch\nADD --checksum=sha256:{'0' * 64} {site.url}/file /\n")
