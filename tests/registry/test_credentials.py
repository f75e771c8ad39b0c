"""Accounts: where they are looked up, kept and forgotten."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from millefeuille.errors import Failed
from millefeuille.registry import authfile, helper
from millefeuille.registry.authfile import BadAuthFile
from millefeuille.registry.credential import Credential
from millefeuille.registry.credentials import Credentials
from millefeuille.registry.helper import Helper, HelperFailed
from millefeuille.testing.registry import FakeRegistry

HUB_KEY = "https://index.docker.io/v1/"

HELPER = f"""#!{sys.executable}
import json, os, sys
path, log = os.environ["KEYCHAIN"], os.environ["KEYCHAIN"] + ".log"
kept = json.load(open(path)) if os.path.exists(path) else {{}}
text = sys.stdin.read()
open(log, "a").write(sys.argv[1] + " " + (text if sys.argv[1] != "store" else "") + "\\n")
if sys.argv[1] == "get":
    if text not in kept:
        print("credentials not found in native keychain")
        sys.exit(1)
    print(json.dumps(kept[text]))
elif sys.argv[1] == "store":
    value = json.loads(text)
    kept[value["ServerURL"]] = value
    json.dump(kept, open(path, "w"))
elif sys.argv[1] == "erase":
    kept.pop(text, None)
    json.dump(kept, open(path, "w"))
"""


def entry(user, password):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def home(tmp_path):
    """A home with a helper `chain` on its PATH."""
    (tmp_path / ".docker").mkdir()
    program = tmp_path / "bin" / "docker-credential-chain"
    program.parent.mkdir()
    program.write_text(HELPER)
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def environment(home):
    return {"PATH": f"{home}/bin:/usr/bin:/bin", "KEYCHAIN": str(home / "keychain")}


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def config(home):
    return json.loads((home / ".docker" / "config.json").read_text())


class TestLookup:
    def test_nothing_there(self, home, environment):
        assert Credentials.load(environment, str(home)).lookup("docker.io") is None

    @pytest.mark.parametrize(
        ("key", "registry"),
        [
            (HUB_KEY, "docker.io"),
            ("docker.io", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("registry-1.docker.io", "docker.io"),
            ("reg.example:5000", "reg.example:5000"),
            ("https://reg.example/v2/", "reg.example"),
            ("http://reg.example", "reg.example"),
            ("Reg.Example", "reg.example"),
        ],
    )
    def test_keys(self, home, environment, key, registry):
        write(home / ".docker" / "config.json", {"auths": {key: entry("u", "p:with:colons")}})
        found = Credentials.load(environment, str(home)).lookup(registry, "a/b")
        assert found == Credential(username="u", password="p:with:colons")

    @pytest.mark.parametrize("key", ["reg.example.evil", "reg.example:5", "evil.reg.example", "reg.exampl"])
    def test_other_hosts(self, home, environment, key):
        write(home / ".docker" / "config.json", {"auths": {key: entry("u", "p")}})
        assert Credentials.load(environment, str(home)).lookup("reg.example", "a/b") is None

    def test_most_specific_namespace(self, home, environment):
        auths = {
            "reg.example": entry("host", "p"),
            "reg.example/foo": entry("foo", "p"),
            "reg.example/foo/bar": entry("bar", "p"),
        }
        environment["REGISTRY_AUTH_FILE"] = str(home / "auth.json")
        write(home / "auth.json", {"auths": auths})
        credentials = Credentials.load(environment, str(home))
        names = {
            repository: credentials.lookup("reg.example", repository).username
            for repository in ("foo/bar", "foo/bar/x", "foo/x", "foobar", "x", "")
        }
        assert names == {
            "foo/bar": "bar",
            "foo/bar/x": "bar",
            "foo/x": "foo",
            "foobar": "host",
            "x": "host",
            "": "host",
        }

    def test_order(self, home, environment):
        environment["XDG_RUNTIME_DIR"] = str(home / "run")
        name = "reg.example"
        write(home / ".dockercfg", {name: entry("legacy", "p")})
        assert Credentials.load(environment, str(home)).lookup(name).username == "legacy"
        write(home / ".docker" / "config.json", {"auths": {name: entry("docker", "p")}})
        assert Credentials.load(environment, str(home)).lookup(name).username == "docker"
        write(home / ".config" / "containers" / "auth.json", {"auths": {name: entry("config", "p")}})
        assert Credentials.load(environment, str(home)).lookup(name).username == "config"
        write(home / "run" / "containers" / "auth.json", {"auths": {name: entry("run", "p")}})
        assert Credentials.load(environment, str(home)).lookup(name).username == "run"
        write(home / "chosen.json", {"auths": {name: entry("chosen", "p")}})
        environment["REGISTRY_AUTH_FILE"] = str(home / "chosen.json")
        assert Credentials.load(environment, str(home)).lookup(name).username == "chosen"
        environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {name: entry("variable", "p")}})
        assert Credentials.load(environment, str(home)).lookup(name).username == "variable"

    def test_docker_config_directory(self, home, environment):
        environment["DOCKER_CONFIG"] = str(home / "elsewhere")
        write(home / "elsewhere" / "config.json", {"auths": {"reg.example": entry("u", "p")}})
        assert Credentials.load(environment, str(home)).lookup("reg.example").username == "u"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"identitytoken": "i"}, Credential(identity_token="i")),
            ({"registrytoken": "r"}, Credential(registry_token="r")),
            ({"username": "u", "password": "p"}, Credential(username="u", password="p")),
            ({}, None),
            ({"auth": ""}, None),
            ({"auth": base64.b64encode(b"u:p\0\0").decode()}, Credential(username="u", password="p")),
            ({"auth": "dT\r\npw\n"}, Credential(username="u", password="p")),
        ],
    )
    def test_entries(self, home, environment, value, expected):
        write(home / ".docker" / "config.json", {"auths": {"reg.example": value}})
        assert Credentials.load(environment, str(home)).lookup("reg.example") == expected

    @pytest.mark.parametrize(
        "text",
        ["{", "[]", '{"auths": {"reg.example": 7}}', '{"auths": {"reg.example": {"auth": "canary!"}}}',
         '{"auths": {"reg.example": {"auth": "Y2FuYXJ5"}}}',
         '{"auths": {"reg.example": {"registrytoken": "canary\\n"}}}',
         '{"auths": {"reg.example": {"registrytoken": "canary日"}}}'],
    )  # fmt: skip
    def test_malformed_files_are_not_quoted(self, home, environment, text):
        write(home / ".docker" / "config.json", text)
        with pytest.raises(BadAuthFile, match=r"config\.json: ") as caught:
            Credentials.load(environment, str(home)).lookup("reg.example")
        assert "canary" not in str(caught.value)

    @pytest.mark.parametrize(
        "value",
        [{"auths": {}, "credsStore": "x"}, {"auths": {"a": {"auth": "", "identitytoken": "x"}}}, 7, "\udcff"],
    )
    def test_variable_is_strict(self, home, environment, value):
        environment["DOCKER_AUTH_CONFIG"] = value if isinstance(value, str) else json.dumps(value)
        with pytest.raises(BadAuthFile, match="DOCKER_AUTH_CONFIG: "):
            Credentials.load(environment, str(home)).lookup("reg.example")


class TestStore:
    CREDENTIAL = Credential(username="user", password="canary")

    def test_in_docker_s_file(self, home, environment):
        path = home / ".docker" / "config.json"
        write(path, {"auths": {"x": entry("a", "b")}, "HttpHeaders": {"kept": "yes"}})
        credentials = Credentials.load(environment, str(home))
        stored = credentials.store("docker.io", self.CREDENTIAL)
        assert (stored.path, stored.plain) == (str(path), True)
        assert config(home) == {
            "auths": {"x": entry("a", "b"), HUB_KEY: entry("user", "canary")},
            "HttpHeaders": {"kept": "yes"},
        }
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert credentials.lookup("docker.io") == self.CREDENTIAL
        assert credentials.erase("docker.io") is True
        assert config(home)["auths"] == {"x": entry("a", "b")}
        assert credentials.lookup("docker.io") is None
        assert credentials.erase("docker.io") is False

    def test_directories_are_made(self, home, environment):
        environment["DOCKER_CONFIG"] = str(home / "a" / "b")
        Credentials.load(environment, str(home)).store("reg.example", self.CREDENTIAL)
        assert stat.S_IMODE(os.stat(home / "a" / "b").st_mode) == 0o700

    def test_link_stays_a_link(self, home, environment):
        real = home / "dotfiles.json"
        write(real, {"auths": {}})
        (home / ".docker" / "config.json").symlink_to(real)
        Credentials.load(environment, str(home)).store("reg.example", self.CREDENTIAL)
        assert (home / ".docker" / "config.json").is_symlink()
        assert "reg.example" in json.loads(real.read_text())["auths"]

    def test_chosen_file(self, home, environment):
        environment["REGISTRY_AUTH_FILE"] = str(home / "auth.json")
        Credentials.load(environment, str(home)).store("docker.io", self.CREDENTIAL)
        assert json.loads((home / "auth.json").read_text())["auths"] == {"docker.io": entry("user", "canary")}

    def test_where_an_older_account_would_hide_it(self, home, environment):
        path = home / ".config" / "containers" / "auth.json"
        write(path, {"auths": {"reg.example": entry("old", "p")}})
        credentials = Credentials.load(environment, str(home))
        credentials.store("reg.example", self.CREDENTIAL)
        assert credentials.lookup("reg.example") == self.CREDENTIAL

    def test_identity_token(self, home, environment):
        credentials = Credentials.load(environment, str(home))
        credentials.store("reg.example", Credential(username="user", identity_token="token"))
        assert credentials.lookup("reg.example").identity_token == "token"

    def test_bytes_that_are_not_utf8(self, home, environment):
        credentials = Credentials.load(environment, str(home))
        credential = Credential(username="us\udce9r", password="p\udcff")
        credentials.store("reg.example", credential)
        encoded = config(home)["auths"]["reg.example"]["auth"]
        assert base64.b64decode(encoded) == b"us\xe9r:p\xff"
        assert credentials.lookup("reg.example") == credential

    def test_without_permission_to_write(self, home, environment):
        environment["DOCKER_CONFIG"] = "/proc/nowhere"
        with pytest.raises(Failed, match=r"/proc/nowhere/config\.json: |/proc/nowhere: "):
            Credentials.load(environment, str(home)).store("reg.example", self.CREDENTIAL)


class TestHelpers:
    @pytest.mark.parametrize("setting", [{"credsStore": "chain"}, {"credHelpers": {"reg.example": "chain"}}])
    def test_round(self, home, environment, setting):
        write(home / ".docker" / "config.json", setting)
        credentials = Credentials.load(environment, str(home))
        assert credentials.lookup("reg.example") is None
        stored = credentials.store("reg.example", Credential(username="user", password="canary"))
        assert stored.plain is False
        assert config(home)["auths"] == {"reg.example": {}}
        assert "canary" not in (home / ".docker" / "config.json").read_text()
        assert credentials.lookup("reg.example") == Credential(username="user", password="canary")
        credentials.erase("reg.example")
        assert credentials.lookup("reg.example") is None

    def test_hub_has_its_own_key(self, home, environment):
        write(home / ".docker" / "config.json", {"credsStore": "chain"})
        write(home / "keychain", {HUB_KEY: {"ServerURL": HUB_KEY, "Username": "<token>", "Secret": "t"}})
        found = Credentials.load(environment, str(home)).lookup("docker.io")
        assert found == Credential(identity_token="t")

    def test_helper_is_asked_once(self, home, environment):
        write(home / ".docker" / "config.json", {"credsStore": "chain"})
        credentials = Credentials.load(environment, str(home))
        for _ in range(3):
            credentials.lookup("reg.example", "a/b")
        assert (home / "keychain.log").read_text().count("get") == 1

    def test_missing(self, environment):
        with pytest.raises(HelperFailed, match='exec: "docker-credential-none": executable file not found'):
            Helper(name="none", environment=environment).get("x")

    @pytest.mark.parametrize("name", ["../chain", "a b", "", "a/b"])
    def test_bad_names(self, environment, name):
        with pytest.raises(HelperFailed, match="name that no program can have"):
            Helper(name=name, environment=environment).get("x")

    @pytest.mark.parametrize("answer", ["nonsense", "[]", '{"Username": 1, "Secret": 2}', "[" * 100_000])
    def test_answers_that_are_no_credential(self, home, environment, answer):
        program = home / "bin" / "docker-credential-odd"
        program.write_text(f"#!/bin/sh\necho '{answer}'\n")
        program.chmod(0o755)
        with pytest.raises(HelperFailed, match="not a credential"):
            Helper(name="odd", environment=environment).get("x")

    @pytest.mark.parametrize(
        ("script", "words"),
        [
            ("yes", "more than 1048576 bytes as an answer"),
            ("sleep 60", r"no answer in 0 seconds"),
            ("exec >&-; sleep 60", r"no answer in 0 seconds"),
        ],
    )
    def test_answers_that_do_not_end(self, home, environment, script, words, monkeypatch):
        program = home / "bin" / "docker-credential-odd"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(helper, "TIMEOUT", 30.0 if script == "yes" else 0.2)
        with pytest.raises(HelperFailed, match=f"docker-credential-odd get: {words}"):
            Helper(name="odd", environment=environment).get("x")

    def test_half_a_letter_is_replaced(self, home, environment):
        program = home / "bin" / "docker-credential-odd"
        answer = json.dumps({"Username": "u", "Secret": "\ud800"})
        program.write_text(f"#!{sys.executable}\nprint({answer!r})\n")
        program.chmod(0o755)
        found = Helper(name="odd", environment=environment).get("x")
        assert found == Credential(username="u", password="\ufffd")
        assert base64.b64decode(found.encoded) == "u:\ufffd".encode()

    def test_failure_is_told(self, home, environment):
        program = home / "bin" / "docker-credential-odd"
        program.write_text("#!/bin/sh\necho the keychain is locked\nexit 1\n")
        program.chmod(0o755)
        with pytest.raises(HelperFailed, match="docker-credential-odd get: the keychain is locked"):
            Helper(name="odd", environment=environment).get("x")


def test_broken_keychain_does_not_stop_an_anonymous_pull(make_client):
    with FakeRegistry(auth="bearer", anonymous=True) as registry:
        image = registry.add_image("team/app", "1", [b"x"])
        client = make_client()
        path = os.path.join(client.home, ".docker", "config.json")
        os.makedirs(os.path.dirname(path))
        with open(path, "w") as stream:
            json.dump({"credsStore": "none"}, stream)
        assert client.resolve(f"{registry.host}/team/app:1") == image


@pytest.fixture
def pipe(home, environment):
    """A pipe in the place of auth.json."""
    path = home / "auth.pipe"
    os.mkfifo(path)
    environment["REGISTRY_AUTH_FILE"] = str(path)
    return path


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(home, environment, pipe, monkeypatch):
    monkeypatch.setattr(authfile, "_PATIENCE", 10)
    with pytest.raises(BadAuthFile, match=f"^{pipe}: Nobody writes to this pipe$"):
        Credentials.load(environment, str(home)).lookup("h.example")


def test_a_directory_in_the_place_of_the_file_is_named_and_leaves_nothing_open(home, environment):
    environment["REGISTRY_AUTH_FILE"] = str(home)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(BadAuthFile, match=f"^{home}: Is a directory$"):
        Credentials.load(environment, str(home)).lookup("h.example")
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("script", ["sleep 0.2; cat > $0", "exec > $0; sleep 0.2; cat", "cat > $0"])
def test_a_pipe_that_somebody_writes_to_is_read(home, environment, pipe, script):
    told = json.dumps({"auths": {"h.example": entry("u", "p")}}).encode() + b" " * 100_000
    with subprocess.Popen(["sh", "-c", script, str(pipe)], stdin=subprocess.PIPE) as writer:
        threading.Thread(target=writer.communicate, args=(told,), daemon=True).start()
        found = Credentials.load(environment, str(home)).lookup("h.example")
    assert found == Credential(username="u", password="p")
