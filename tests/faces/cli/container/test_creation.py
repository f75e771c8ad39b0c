"""The request for a container against the one that docker 28.2.2 sends (`vectors/create.json`)."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.faces.cli.container import recorder

from millefeuille import settings
from millefeuille.errors import Unsupported
from millefeuille.faces.cli import usage
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container import creation, creation_flags
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.flags import BadFlag, Flags
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.oci.platform import Platform

_VECTORS: list[dict[str, Any]] = recorder.restored(json.loads(recorder.RECORDED.read_text()))
_COMMAND = Command(usage="[OPTIONS] IMAGE [COMMAND] [ARG...]", arguments=at_least(1), run=lambda *_: 0)
# Said in other words on purpose, or not at this point.
_OTHERWISE = ("BUSYBOX", "busybox:", "", "--disable-content-trust=false", "--gpus")


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context in a directory with the files that the command lines name."""
    for file in recorder.FILES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    settled = settings.settle(recorder.ENVIRONMENT, uid=0, home="/root")
    return Context(
        settings=settled, terminal=Terminal(sys.stdin, sys.stdout, sys.stderr), path="mille create"
    )


def _parsed(words: list[str]) -> Call:
    flags = Flags(creation_flags.CREATE_OPTIONS, interspersed=False)
    arguments = flags.parse(words)
    return Call(flags.given, arguments)


def _settled(request: dict[str, Any]) -> dict[str, Any]:
    """The request with what Docker's client sends in an order left to chance sorted."""
    binds, variables = request["HostConfig"]["Binds"], request["Env"]
    host = {**request["HostConfig"], "Binds": binds and sorted(binds)}
    return {**request, "Env": variables and sorted(variables), "HostConfig": host}


def _name(case: dict[str, Any]) -> str:
    return " ".join(case["words"]).encode("unicode_escape").decode() or "nothing"


@pytest.mark.parametrize("case", [case for case in _VECTORS if case["body"] is not None], ids=_name)
def test_asks_for_what_dockers_client_asks_for(case: dict[str, Any], context: Context) -> None:
    asked = creation.described(context, _parsed(case["words"]), creation_flags.PULL_TO_CREATE)
    ours = {**asked.config, "HostConfig": asked.host_config, "NetworkingConfig": asked.networking}
    text = json.dumps(_settled(ours)).replace(str(Path.cwd()), recorder.HERE)
    assert json.loads(text) == _settled(case["body"])
    if "differs" not in case:
        assert text == json.dumps(_settled(case["body"]))  # the order of the members too
    assert asked.name == case["query"].get("name", "")
    platform = case["query"].get("platform", "")
    assert (Platform.parse(asked.platform) if asked.platform else "") == (
        Platform.parse(platform) if platform else ""
    )
    if "level=warning" not in case["stderr"]:
        told = [line for line in asked.warnings if "OOM killer is disabled" not in line]  # the daemon's
        assert "".join(f"{line}\n" for line in told) == case["stderr"]


@pytest.mark.parametrize(
    "case",
    [case for case in _VECTORS if case["body"] is None and not {*case["words"]} & {*_OTHERWISE}],
    ids=_name,
)
def test_refuses_what_dockers_client_refuses(case: dict[str, Any], context: Context) -> None:
    try:
        creation.described(context, _parsed(case["words"]), creation_flags.PULL_TO_CREATE)
    except BadFlag as error:
        said = usage.bad_flag(str(error), "docker create", usage.use_line("docker create", _COMMAND))
        code = 125
    except Refusal as error:
        said, code = str(error), error.code
        if code == 125:
            said = f"docker: {said}\n\nRun 'docker create --help' for more information"
    else:
        pytest.fail("accepted")
    assert (f"{said}\n", code) == (case["stderr"], case["code"])


def test_there_are_enough_transcripts() -> None:
    assert len(_VECTORS) >= 400
    assert sum(case["body"] is not None for case in _VECTORS) >= 250


@pytest.mark.skipif(not shutil.which("docker"), reason="no docker client here")
def test_the_transcripts_are_those_of_the_client(all_cases: bool) -> None:
    chosen = _VECTORS if all_cases else _VECTORS[::40]
    again = recorder.record_all([case["words"] for case in chosen])
    for case, other in zip(chosen, again, strict=True):
        if "level=warning" not in case["stderr"] and "content-trust" not in str(case["words"]):
            assert all(case[name] == other[name] for name in ("words", "code", "stderr", "query"))
            assert (case["body"] and _settled(case["body"])) == (other["body"] and _settled(other["body"]))


@pytest.mark.parametrize(
    "words",
    [
        ["--gpus", "all"], ["--device", "vendor.com/class=name"], ["--link", "a:b"],
        ["--isolation", "hyperv"],
        ["--runtime", "kata"], ["--volume-driver", "nfs"], ["--log-driver", "syslog"],
        ["--log-opt", "tag=x"], ["--storage-opt", "size=1G"], ["--kernel-memory", "1m"],
        ["--use-api-socket"], ["--mount", "type=image,src=x,dst=/y"],
        ["--mount", "src=x,dst=/y,volume-driver=nfs"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_nothing_is_ignored(words: list[str], context: Context) -> None:
    with pytest.raises(Unsupported, match=words[0]):
        creation.wanted(context, _parsed([*words, "busybox"]), creation_flags.PULL_TO_CREATE)


def test_detached_is_joined_to_nothing(context: Context) -> None:
    asked = creation.wanted(context, _parsed(["-i", "busybox"]), creation_flags.PULL_TO_CREATE)
    assert asked.config["AttachStdin"]
    apart = asked.detached().config
    assert not any(apart[name] for name in ("AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"))
