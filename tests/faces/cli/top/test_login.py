"""`login` and `logout` at a real registry, in the words that docker 28.2.2 prints there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.faces.cli.home import Home

from millefeuille.faces.cli.top.server import Server
from millefeuille.testing.images import MadeImage, push
from millefeuille.testing.servers import ServerMissing, registry

INSECURE = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n"
NO_TTY = "Error: Cannot perform an interactive login from a non TTY device\n"
HELPER = """#!/bin/sh
case $1 in
store) cat > "$HOME/kept" ;;
get) test -s "$HOME/kept" && cat "$HOME/kept" || { echo credentials not found in native keychain; exit 1; } ;;
erase) rm -f "$HOME/kept" ;;
esac
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that asks for `user` and `secret`."""
    try:
        with registry(tmp_path_factory.mktemp("registry"), users={"user": "secret"}) as server:
            yield server.address
    except ServerMissing as missing:
        pytest.skip(str(missing))


class TestBeforeAnyRegistry:
    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["r.example"], NO_TTY),
            (["r.example", "-u", "user"], NO_TTY),
            (["r.example", "-p", "secret"], INSECURE + NO_TTY),
            (
                ["r.example", "-u", "user", "-p", "secret", "--password-stdin"],
                "conflicting options: cannot specify both --password and --password-stdin\n",
            ),
            (
                ["r.example", "--password-stdin"],
                "the --password-stdin option requires --username to be set\n",
            ),
            (["r.example", "-u", "user", "--password-stdin"], NO_TTY),
            (["r.example", "-u", "user", "-p", ""], "password is empty\n"),
            (["r.example", "-u", ""], "username is empty\n"),
        ],
    )
    def test_refuses_as_docker_does(self, home: Home, words: list[str], complaint: str) -> None:
        assert home.mille("login", *words) == ("", complaint, 1)


@pytest.mark.walk
class TestAtARegistry:
    def test_life_of_an_account(self, home: Home, host: str, busybox: MadeImage) -> None:
        push(busybox, host, "team/busybox", "1", login=("user", "secret"))
        name = f"{host}/team/busybox:1"
        answer = home.mille("pull", name)
        assert answer[2] == 1
        assert "no basic auth credentials" in answer[1]
        unencrypted = (
            f"\nWARNING! Your credentials are stored unencrypted in '{home.config}'.\n"
            "Configure a credential helper to remove this warning. See\n"
            "https://docs.docker.com/go/credential-store/\n\n"
        )
        answer = home.mille("login", host, "-u", "user", "--password-stdin", typed="secret\n")
        assert answer == ("Login Succeeded\n", unencrypted, 0)
        assert json.loads(home.config.read_text()) == {"auths": {host: {"auth": "dXNlcjpzZWNyZXQ="}}}
        assert home.config.stat().st_mode & 0o777 == 0o600
        assert home.mille("pull", "-q", name) == (f"{name}\n", "", 0)
        assert home.mille("tag", name, f"{host}/team/other:2")[2] == 0
        assert home.mille("push", "-q", f"{host}/team/other:2") == (f"{host}/team/other:2\n", "", 0)
        removing = (f"Removing login credentials for {host}\n", "", 0)
        assert home.mille("logout", host) == removing
        assert json.loads(home.config.read_text()) == {"auths": {}}
        assert home.mille("push", "-q", f"{host}/team/other:2")[2] == 1
        assert home.mille("logout", f"https://{host}/v2/") == removing

    def test_a_wrong_password(self, home: Home, host: str) -> None:
        answer = home.mille("login", host, "-u", "user", "-p", "wrong")
        assert answer[0] == ""
        status = f"login attempt to http://{host}/v2/ failed with status: 401 Unauthorized"
        assert answer[1] == f"{INSECURE}Error: {status}\n"
        assert answer[2] == 1
        assert not home.config.exists()

    def test_an_account_that_is_stored(self, home: Home, host: str) -> None:
        home.mille("login", host, "-u", "user", "--password-stdin", typed="secret")
        greeting = (
            "Authenticating with existing credentials... [Username: user]\n\n"
            " Info -> To login with a different account, run 'mille logout' followed by 'mille login'\n\n\n"
        )
        assert home.mille("login", host) == ("Login Succeeded\n", greeting, 0)
        assert home.mille("login", host, "-u", "other") == ("", NO_TTY, 1)
        home.config.write_text(json.dumps({"auths": {host: {"auth": "dXNlcjp3cm9uZw=="}}}))
        expired = f"{greeting}Stored credentials invalid or expired\n{NO_TTY}"
        assert home.mille("login", host) == ("", expired, 1)

    def test_a_helper_keeps_it(self, home: Home, host: str) -> None:
        helper = home.directory / "docker-credential-toy"
        helper.write_text(HELPER)
        helper.chmod(0o755)
        home.config.parent.mkdir()
        home.config.write_text('{"credsStore": "toy"}')
        answer = home.mille("login", host, "-u", "user", "--password-stdin", typed="secret\r\n")
        assert answer == ("Login Succeeded\n", "", 0)
        kept = json.loads((home.directory / "kept").read_text())
        assert kept == {"ServerURL": host, "Username": "user", "Secret": "secret"}
        assert "secret" not in home.config.read_text()
        assert home.mille("logout", host)[2] == 0
        assert not (home.directory / "kept").exists()

    def test_a_missing_helper(self, home: Home, host: str) -> None:
        home.config.parent.mkdir()
        home.config.write_text('{"credsStore": "nope"}')
        missing = 'exec: "docker-credential-nope": executable file not found in $PATH'
        out, err, code = home.mille("login", host, "-u", "user", "--password-stdin", typed="secret")
        assert (out, code) == ("", 1)
        assert err.startswith("Error saving credentials: error ")
        assert missing in err
        out, err, code = home.mille("logout", host)
        assert (out, code) == (f"Removing login credentials for {host}\n", 0)
        assert err.startswith("WARNING: could not erase credentials:\n")


@pytest.mark.parametrize(
    ("text", "registry", "shown"),
    [
        ("", "docker.io", "https://index.docker.io/v1/"),
        ("docker.io", "docker.io", "https://index.docker.io/v1/"),
        ("https://index.docker.io/v1/", "docker.io", "https://index.docker.io/v1/"),
        ("127.0.0.1:5000", "127.0.0.1:5000", "127.0.0.1:5000"),
        ("https://r.example/v2/", "r.example", "r.example"),
        ("r.example/team", "r.example", "r.example"),
    ],
)
def test_servers(text: str, registry: str, shown: str) -> None:
    server = Server.parse(text)
    assert (server.registry, server.shown) == (registry, shown)
