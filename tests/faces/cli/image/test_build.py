"""What `build` says of a Dockerfile itself: `--check`, and the warnings after a build."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.testing.images import make_image, push
from millefeuille.testing.rawtars import archive, file
from millefeuille.testing.servers import RegistryServer
from millefeuille.testing.tars import file_entry, make_layer

BASE = 'FROM scratch\nENV KNOWN=here\nSHELL ["/bin/own"]\nCOPY Dockerfile /\n'


def written(directory: Path, text: str) -> str:
    directory.mkdir(exist_ok=True)
    (directory / "Dockerfile").write_text(text)
    return str(directory)


def found(out: str) -> list[str]:
    """The rules that a report names."""
    return [line.split()[1] for line in out.splitlines() if line.startswith("WARNING: ")]


@pytest.fixture
def base(home: Home, tmp_path: Path) -> str:
    assert home.mille("build", "-q", "-t", "base", written(tmp_path / "base", BASE))[2] == 0
    return "base"


def test_a_base_in_the_store_is_looked_at(home: Home, base: str, tmp_path: Path) -> None:
    context = written(tmp_path / "c", f"FROM {base}\nCOPY $KNOWN /a\nCOPY $KNOWM /b\nCMD echo\n")
    out, err, code = home.mille("build", "--check", context)
    assert (found(out), err, code) == (["UndefinedVar"], "", 1)
    assert "Usage of undefined variable '$KNOWM' (did you mean $KNOWN?)" in out


def test_a_base_in_a_registry_is_looked_at_and_not_pulled(
    home: Home, registry_server: RegistryServer, tmp_path: Path
) -> None:
    layer = make_layer(tmp_path / "layer.tar.gz", [file_entry("a", b"a")])
    push(make_image([layer], config={"Env": ["KNOWN=here"]}), registry_server.address, "team/based", "latest")
    text = f"FROM {registry_server.address}/team/based\nCOPY $KNOWN /a\nCOPY $OTHER /b\n"
    out, err, code = home.mille("build", "--check", written(tmp_path / "c", text))
    assert (found(out), err, code) == (["UndefinedVar"], "", 1)
    assert "'$OTHER'" in out
    assert home.mille("image", "ls", "-q")[0] == ""


def test_of_a_base_that_cannot_be_had_nothing_is_said(home: Home, tmp_path: Path) -> None:
    context = written(tmp_path / "c", "FROM 127.0.0.1:1/nobody/there\nCOPY $OTHER /b\n")
    assert home.mille("build", "--check", context) == ("Check complete, no warnings found.\n", "", 0)


def test_a_stage_passes_on_what_its_base_has(home: Home, base: str, tmp_path: Path) -> None:
    context = written(tmp_path / "c", f"FROM {base} AS one\nFROM one\nCOPY $KNOWN /a\nCOPY $OTHER /b\n")
    out, _, code = home.mille("build", "--check", context)
    assert (found(out), code) == (["UndefinedVar"], 1)


def test_a_build_ends_with_its_warnings(home: Home, base: str, tmp_path: Path) -> None:
    context = written(tmp_path / "c", f"FROM {base} as x\nCOPY Dockerfile$NONE /\n")
    _, err, code = home.mille("build", "-t", "made", context)
    assert code == 0
    assert err.endswith(
        "\n 2 warnings found (use --check to expand):\n"
        " - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)\n"
        " - UndefinedVar: Usage of undefined variable '$NONE' (line 2)\n"
    )
    assert home.mille("build", "-q", "-t", "made", context)[1] == ""


def test_an_image_here_as_a_cache_is_asked_of_nobody(home: Home, base: str, tmp_path: Path) -> None:
    context = written(tmp_path / "c", f"FROM {base}\nCOPY Dockerfile /a\n")
    first = home.mille("build", "-q", "-t", "own", context)
    assert home.mille("build", "-q", "--cache-from", "own", "--cache-from", base, context) == first
    out, err, code = home.mille("build", "-q", "--cache-from", "127.0.0.1:1/nosuch", context)
    assert (out, code) == (first[0], 0)
    assert err.startswith("cache 127.0.0.1:1/nosuch:latest is left out: ")


@pytest.mark.parametrize(("value", "warned"), [("1", True), ("0", False)])
def test_a_cache_within_the_image_is_not_passed_over_in_silence(
    home: Home, base: str, tmp_path: Path, value: str, warned: bool
) -> None:
    context = written(tmp_path / "c", f"FROM {base}\nCOPY Dockerfile /a\n")
    _, err, code = home.mille("build", "-q", "--build-arg", f"BUILDKIT_INLINE_CACHE={value}", context)
    assert code == 0
    assert err.startswith("WARNING: BUILDKIT_INLINE_CACHE: ") is warned


@pytest.mark.parametrize("more", [(), ("-q",), ("--check",)], ids=" ".join)
def test_a_progress_mode_that_is_none_is_refused(home: Home, tmp_path: Path, more: tuple[str, ...]) -> None:
    context = written(tmp_path / "c", "FROM scratch\nCOPY Dockerfile /\n")
    _, err, code = home.mille("build", "--progress", "foo", *more, context)
    assert (err, code) == ('invalid progress mode "foo": use auto, plain, tty, quiet\n', 1)
    assert not home.store.exists()


@pytest.mark.parametrize("flag", ["--cache-from", "--cache-to"])
def test_a_type_of_cache_that_there_is_not(home: Home, tmp_path: Path, flag: str) -> None:
    context = written(tmp_path / "c", "FROM scratch\nCOPY Dockerfile /\n")
    _, err, code = home.mille("build", flag, "type=s3,bucket=x", context)
    assert (err, code) == ("cache type s3 is not supported: use registry or local\n", 1)
    _, err, code = home.mille("build", flag, "type=local,bucket=x", context)
    assert (err, code) == ("invalid cache option 'bucket=x' in 'type=local,bucket=x'\n", 1)


def test_an_archive_as_a_context_is_called_so(home: Home) -> None:
    whole = archive(file(b"Dockerfile", b"FROM scratch\n"), file(b"large", b"a" * 4096)).decode()
    _, err, code = home.mille("build", "-", typed=whole[:3000])
    assert code == 1
    assert err.startswith("Error: the build context: "), err


def test_a_path_that_the_build_gives_is_no_undefined_variable(home: Home, tmp_path: Path) -> None:
    archived = tmp_path / "a.tar"
    archived.write_bytes(archive(file(b"a", b"x")))
    assert home.mille("import", str(archived), "bare")[2] == 0
    context = written(tmp_path / "c", "FROM bare\nENV PATH=$PATH:/x\n")
    assert home.mille("build", "--check", context) == ("Check complete, no warnings found.\n", "", 0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--ssh", "a=/nonexist"), "could not parse ssh: [a=/nonexist]: stat /nonexist: no such file or dir"),
        (("--ssh", "a=/etc"), "could not parse ssh: [a=/etc]: /etc is neither a socket nor a key"),
        (("--ssh", "x=/etc/passwd,/nonexist"), "stat /nonexist: no such file or directory"),
        (("--ssh", "x=/etc/passwd"), "/etc/passwd: not a private key without a pass phrase"),
        (("--secret", "id=q,src=/etc"), "failed to read secret /etc: is a directory"),
        (("--secret", "id=q,src=/nonexist"), "failed to stat /nonexist: no such file or directory"),
        (("--secret", "id=q,src=/dev/zero"), "failed to read secret /dev/zero: more than 500 kB"),
        (("--secret", 'id=q,"src=/etc'), 'extraneous or missing " in quoted-field'),
        (("--label", "=c"), "invalid argument \"=c\" for \"--label\" flag: invalid label '=c': empty name"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_to_a_build(
    home: Home, tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    _, err, code = home.mille("build", "-q", *options, written(tmp_path / "c", "FROM scratch\nCOPY . /\n"))
    assert says in err
    assert code != 0
    assert home.mille("image", "ls", "-q")[0] == ""


def test_builder_build_builds(home: Home, tmp_path: Path) -> None:
    context = written(tmp_path / "c", "FROM scratch\nCOPY Dockerfile /\n")
    out, _, code = home.mille("builder", "build", "-q", context)
    assert (out[:7], code) == ("sha256:", 0)


def test_a_build_that_fails_leaves_no_id_of_another_image(home: Home, tmp_path: Path) -> None:
    ids = tmp_path / "id"
    ids.write_text("old")
    good = written(tmp_path / "c", "FROM scratch\nCOPY Dockerfile /\n")
    bad = written(tmp_path / "d", "FROM scratch\nCOPY none /\n")
    image = home.mille("build", "-q", "--iidfile", str(ids), good)[0].strip()
    assert ids.read_text() == image
    assert home.mille("build", "-q", "--iidfile", str(ids), bad)[2] == 1
    assert not ids.exists()
    assert home.mille("build", "-q", "--iidfile", "/dev/null", good)[2] == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("more", [("--check",), ("--call", "outline"), ("--dry-run",), ()])
def test_a_stage_by_a_number_that_none_has(home: Home, tmp_path: Path, more: tuple[str, ...]) -> None:
    context = written(tmp_path / "c", "FROM scratch\nCOPY --from=5 x /\n")
    out, err, code = home.mille("build", *more, context)
    assert (out, code) == ("", 1)
    assert "Dockerfile:2: invalid stage index 5\n" in err
    assert "CACHED" not in err
    assert "DONE" not in err
