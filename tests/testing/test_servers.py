from __future__ import annotations

import base64
import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from millefeuille.testing import servers
from millefeuille.testing.servers import DockerServer, RegistryServer, ServerFailed, ServerMissing

pytestmark = pytest.mark.walk


def test_a_registry_answers_on_the_loopback(registry_server: RegistryServer) -> None:
    with urllib.request.urlopen(f"http://{registry_server.address}/v2/") as answer:
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_a_registry_is_gone_after_its_block(tmp_path: Path) -> None:
    with _registry_or_skip(tmp_path) as server:
        process = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_users_must_log_in(tmp_path: Path) -> None:
    with _registry_or_skip(tmp_path, users={"anna": "s3cret"}) as server:
        url = f"http://{server.address}/v2/"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        refused.value.close()
        assert refused.value.code == 401
        basic = base64.b64encode(b"anna:s3cret").decode()
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200


def test_a_registry_dies_with_its_parent(tmp_path: Path) -> None:
    _registry_program()
    code = (
        "import os, pathlib, signal, sys\n"
        "from millefeuille.testing.servers import registry\n"
        "with registry(pathlib.Path(sys.argv[1])) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, check=False)
    state = Path("/proc", done.stdout.decode().strip(), "stat")
    for _ in range(500):
        if not state.exists() or ") Z " in state.read_text():
            break
        subprocess.run(["sleep", "0.01"], check=True)
    else:
        pytest.fail("the registry outlived its parent")


def test_a_server_that_stops_says_why(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where dockerd wants a directory")
    if os.geteuid() != 0:
        pytest.skip("dockerd needs root")
    with pytest.raises(ServerFailed, match=r"dockerd stopped with exit code 1: .*points to a file"):
        with servers.dockerd(tmp_path):
            pass


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ServerMissing, match="no-such-program is not installed"):
        servers.program("no-such-program")


def test_dockerd_answers(docker_server: DockerServer) -> None:
    docker = servers.program("docker")
    command = [docker, "--host", docker_server.host, "version", "--format", "{{.Server.Os}}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "linux\n"


def _registry_program() -> None:
    try:
        servers.program("docker-registry")
    except ServerMissing as missing:
        pytest.skip(str(missing))


def _registry_or_skip(
    directory: Path, *, users: dict[str, str] | None = None
) -> AbstractContextManager[RegistryServer]:
    _registry_program()
    return servers.registry(directory, users=users)
