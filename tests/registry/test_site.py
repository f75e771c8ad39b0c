"""Redirects, realms, accounts and patience: who is sent what, and where nobody goes."""

from __future__ import annotations

import base64
import io
import json
import ssl
import threading

import pytest
import trustme

from millefeuille.errors import MilleError
from millefeuille.oci.reference import Reference
from millefeuille.progress import Retrying, Warned
from millefeuille.registry.address import Reach
from millefeuille.registry.daemonjson import DaemonJson
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.realm import BadRealm
from millefeuille.registry.refusal import AccessDenied, RateLimited
from millefeuille.registry.site import BadRedirect
from millefeuille.registry.token import TokenRefused
from millefeuille.registry.transport import ForbiddenTarget
from millefeuille.testing.faults import Fault
from millefeuille.testing.registry import FakeRegistry

SECRET = "s3cr3t-canary"
DATA = b"blob" * 1000


def read(stream):
    buffer = bytearray(1 << 20)
    with stream:
        return bytes(buffer[: stream.readinto(buffer)])


def account(*hosts, password=SECRET):
    auth = base64.b64encode(f"user:{password}".encode()).decode()
    return {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {host: {"auth": auth} for host in hosts}})}


def headers_of(registry):
    return [dict(request.headers) for request in registry.requests]


def never_told(registry):
    """True when neither a header nor a body held anything secret."""
    text = json.dumps([[r.path, dict(r.headers), r.body.decode("latin-1")] for r in registry.requests])
    encoded = base64.b64encode(f"user:{SECRET}".encode()).decode()
    return SECRET not in text and encoded not in text and "Authorization" not in text


@pytest.fixture
def other():
    with FakeRegistry(address="127.0.0.2") as running:
        yield running


@pytest.fixture
def basic():
    with FakeRegistry(auth="basic", users={"user": SECRET}) as running:
        yield running


@pytest.fixture
def bearer():
    with FakeRegistry(auth="bearer", users={"user": SECRET}) as running:
        yield running


class TestBasic:
    def test_account_is_sent_once_asked(self, basic, make_client):
        image = basic.add_image("team/app", "1", [DATA])
        client = make_client(account(basic.host))
        assert client.resolve(f"{basic.host}/team/app:1") == image
        assert "Authorization" not in basic.requests[0].headers

    def test_none_stored(self, basic, client):
        with pytest.raises(AccessDenied) as caught:
            client.resolve(f"{basic.host}/team/app:1")
        url = f"http://{basic.host}/v2/team/app/manifests/1"
        assert str(caught.value) == f'Head "{url}": no basic auth credentials'
        assert caught.value.advice == f"Log in with `mille login {basic.host}`."

    def test_wrong_password(self, basic, make_client):
        client = make_client(account(basic.host, password="wrong-canary"))
        with pytest.raises(AccessDenied, match=r"^unauthorized: authentication required$"):
            client.resolve(f"{basic.host}/team/app:1")
        tried = [request for request in basic.requests if "Authorization" in request.headers]
        assert 1 <= len(tried) <= 2  # the question without a body, and the one for the reason

    def test_other_hosts_account_is_not_used(self, basic, make_client):
        client = make_client(account("127.0.0.1", basic.host + "0", "docker.io"))
        with pytest.raises(AccessDenied, match="no basic auth credentials"):
            client.resolve(f"{basic.host}/team/app:1")
        assert never_told(basic)


class TestBearer:
    def test_anonymous_token(self, bearer, client):
        bearer.anonymous = True
        bearer.faults.append(Fault(where="manifests", status=401, headers=self.challenge(bearer)))
        image = bearer.add_image("team/app", "1", [DATA])
        assert client.resolve(f"{bearer.host}/team/app:1") == image
        assert "scope=repository%3Ateam%2Fapp%3Apull" in bearer.seen("/token")[0].path
        assert never_told(bearer) is False  # the token itself was sent
        assert "Authorization" not in bearer.seen("/token")[0].headers

    def challenge(self, registry, **extra):
        fields = {"realm": f"{registry.url}/token", "service": "fake", **extra}
        return {"WWW-Authenticate": "Bearer " + ",".join(f'{k}="{v}"' for k, v in fields.items())}

    def test_token_for_an_account(self, bearer, make_client):
        image = bearer.add_image("team/app", "1", [DATA])
        client = make_client(account(bearer.host))
        assert client.resolve(f"{bearer.host}/team/app:1") == image
        asked = bearer.seen("/token")[0]
        assert "account=user" in asked.path
        assert SECRET not in asked.path

    def test_twenty_threads_fetch_one_token(self, bearer, make_client):
        blob = bearer.add_blob("team/app", DATA)
        repository = make_client(account(bearer.host)).repository(f"{bearer.host}/team/app")
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(read(repository.open(blob)))) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [DATA] * 20
        assert len(bearer.seen("/token")) == 1

    def test_expired_token_is_replaced_on_401(self, bearer, make_client):
        blob = bearer.add_blob("team/app", DATA)
        repository = make_client(account(bearer.host)).repository(f"{bearer.host}/team/app")
        assert read(repository.open(blob)) == DATA
        bearer.tokens.clear()
        assert read(repository.open(blob)) == DATA
        assert len(bearer.seen("/token")) == 2

    def test_refusing_server_is_not_asked_for_ever(self, bearer, make_client):
        bearer.faults.append(Fault(where="manifests", times=99, status=401, headers=self.challenge(bearer)))
        with pytest.raises(AccessDenied, match="unauthorized: authentication required"):
            make_client(account(bearer.host)).resolve(f"{bearer.host}/team/app:1")
        assert len(bearer.requests) < 16

    def test_insufficient_scope_is_docker_s_access_denied(self, bearer, client):
        with pytest.raises(AccessDenied) as caught:
            client.resolve(f"{bearer.host}/team/app:1")
        assert str(caught.value) == (
            f"pull access denied for {bearer.host}/team/app, repository does not exist or may require "
            "'mille login': denied: requested access to the resource is denied"
        )

    def test_wrong_password_at_the_token_server(self, bearer, make_client):
        client = make_client(account(bearer.host, password="wrong"))
        with pytest.raises(TokenRefused, match="unauthorized: incorrect username or password") as caught:
            client.resolve(f"{bearer.host}/team/app:1")
        assert "?" not in str(caught.value)
        assert caught.value.advice == f"Log in with `mille login {bearer.host}`."

    def test_identity_token_is_posted(self, bearer, make_client):
        image = bearer.add_image("team/app", "1", [DATA])
        bearer.refresh_tokens["refresh-canary"] = "user"
        client = make_client()
        client.environment["REGISTRY_AUTH_FILE"] = path = client.home + "-auth.json"
        with open(path, "w") as stream:
            json.dump({"auths": {bearer.host: {"identitytoken": "refresh-canary"}}}, stream)
        assert client.resolve(f"{bearer.host}/team/app:1") == image
        asked = bearer.seen("/token")[0]
        assert asked.method == "POST"
        assert b"refresh-canary" in asked.body
        assert "refresh-canary" not in asked.path

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_token_request_follows_no_redirect(self, bearer, other, make_client, status):
        bearer.faults.append(Fault(where="/token", status=status, headers={"Location": f"{other.url}/token"}))
        with pytest.raises(MilleError, match="no token in the answer"):
            make_client(account(bearer.host)).resolve(f"{bearer.host}/team/app:1")
        assert not other.requests

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{}", b'{"token": 7}', b'{"token": "a\\nb"}', b"<html>", b"[" * 100_000]
    )
    def test_answers_that_hold_no_token(self, bearer, make_client, body):
        bearer.faults.append(Fault(where="/token", times=9, status=200, body=body))
        with pytest.raises(MilleError, match="token"):
            make_client(account(bearer.host)).resolve(f"{bearer.host}/team/app:1")

    def test_challenge_on_ping_only(self, bearer, make_client):
        image = bearer.add_image("team/app", "1", [DATA])
        bearer.faults.append(Fault(where="manifests", times=1, status=401))
        assert make_client(account(bearer.host)).resolve(f"{bearer.host}/team/app:1") == image


class TestRealm:
    """The token server's address is a registry's word: registry.md 6.2."""

    @pytest.fixture
    def site(self, internet, make_client, bearer):
        """A client for a public registry named registry.evil.example, with an account there."""
        internet.place("registry.evil.example", "127.0.0.1")
        name = f"registry.evil.example:{bearer.port}"
        hosts = Hosts(daemon=DaemonJson(insecure=frozenset({name})))
        return make_client(account(name), hosts=hosts), f"{name}/team/app:1"

    def test_of_another_owner_gets_no_password(self, site, bearer, other, internet):
        internet.place("token.other.example", "127.0.0.2")
        bearer.realm = f"http://token.other.example:{other.port}/token"
        client, name = site
        with pytest.raises(MilleError):
            client.resolve(name)
        assert other.seen("/token")
        assert never_told(other)
        assert any(isinstance(event, Warned) for event in client.events.seen)

    def test_of_the_same_owner_gets_it(self, site, bearer, internet):
        internet.place("auth.evil.example", "127.0.0.1")
        bearer.realm = f"http://auth.evil.example:{bearer.port}/token"
        image = bearer.add_image("team/app", "1", [DATA])
        client, name = site
        assert client.resolve(name) == image

    @pytest.mark.parametrize(
        "host", ["127.0.0.2", "[::1]", "localhost", "169.254.169.254", "10.0.0.1", "2130706434"]
    )
    def test_private_address_is_not_called(self, site, bearer, other, host):
        bearer.realm = f"http://{host}:{other.port}/token"
        client, name = site
        with pytest.raises((ForbiddenTarget, BadRealm)):
            client.resolve(name)
        assert not other.requests

    def test_name_of_a_private_address_is_not_called(self, site, bearer, other, internet):
        internet.place("inside.evil.example", "127.0.0.2", Reach.PRIVATE)
        bearer.realm = f"http://inside.evil.example:{other.port}/token"
        client, name = site
        with pytest.raises(ForbiddenTarget, match=r"refused to connect to inside.evil.example, a private"):
            client.resolve(name)
        assert not other.requests

    @pytest.mark.parametrize(
        "realm",
        [
            "/token",
            "ftp://h/t",
            "http://user:x@h.example/t",
            "http://h.example/t#f",
            "http://h.example:x/",
            "//h/t",
        ],
    )
    def test_bad_realms(self, site, bearer, realm):
        bearer.realm = realm
        client, name = site
        with pytest.raises(BadRealm):
            client.resolve(name)


class TestRedirect:
    """Where blobs redirect to: registry.md 2.4 and 6.2."""

    def redirect(self, registry, location, status=307, times=1):
        fault = Fault(where="GET .*/blobs/", times=times, status=status, headers={"Location": location})
        registry.faults.append(fault)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_other_host_gets_no_account(self, basic, other, make_client, status):
        blob = basic.add_blob("team/app", DATA)
        other.add_blob("team/app", DATA)
        path = f"/v2/team/app/blobs/{blob.digest}"
        self.redirect(basic, f"{other.url}{path}?X-Amz-Signature=abc", status)
        repository = make_client(account(basic.host)).repository(f"{basic.host}/team/app")
        assert read(repository.open(blob)) == DATA
        assert never_told(other)
        assert "Authorization" in basic.seen("blobs")[-1].headers

    def test_other_port_gets_no_account(self, basic, registry, make_client):
        blob = basic.add_blob("team/app", DATA)
        registry.add_blob("team/app", DATA)
        self.redirect(basic, f"{registry.url}/v2/team/app/blobs/{blob.digest}")
        repository = make_client(account(basic.host)).repository(f"{basic.host}/team/app")
        assert read(repository.open(blob)) == DATA
        assert never_told(registry)

    def test_same_host_keeps_it(self, basic, make_client):
        blob = basic.add_blob("team/app", DATA)
        basic.add_blob("team/moved", DATA)
        self.redirect(basic, f"/v2/team/moved/blobs/{blob.digest}")
        repository = make_client(account(basic.host)).repository(f"{basic.host}/team/app")
        assert read(repository.open(blob)) == DATA

    def test_back_again_does_not_restore_it(self, basic, other, make_client):
        blob = basic.add_blob("team/app", DATA)
        path = f"/v2/team/app/blobs/{blob.digest}"
        self.redirect(basic, f"{other.url}{path}")
        self.redirect(other, f"{basic.url}{path}")
        repository = make_client(account(basic.host)).repository(f"{basic.host}/team/app")
        with pytest.raises(MilleError):
            read(repository.open(blob))

    @pytest.mark.parametrize(("hops", "arrives"), [(5, True), (6, False)])
    def test_at_most_five(self, registry, client, hops, arrives):
        blob = registry.add_blob("team/app", DATA)
        self.redirect(registry, f"/v2/team/app/blobs/{blob.digest}", times=hops)
        repository = client.repository(f"{registry.host}/team/app")
        if arrives:
            assert read(repository.open(blob)) == DATA
        else:
            with pytest.raises(BadRedirect, match="more than 5 redirects"):
                repository.open(blob)

    @pytest.mark.parametrize(
        "location",
        [
            "ftp://h/x",
            "file:///etc/passwd",
            "http://u:p@h.example/",
            "http://h:99999/",
            "gopher:x",
            "http://[::1/",
        ],
    )
    def test_locations_that_are_not_followed(self, registry, client, location):
        blob = registry.add_blob("team/app", DATA)
        self.redirect(registry, location)
        with pytest.raises(BadRedirect):
            client.repository(f"{registry.host}/team/app").open(blob)

    @pytest.mark.parametrize(
        "host", ["127.0.0.2", "localhost", "10.1.2.3", "169.254.169.254", "[::ffff:127.0.0.2]", "0x7f.2"]
    )
    def test_public_registry_cannot_send_us_inside(self, registry, other, internet, make_client, host):
        internet.place("registry.example", "127.0.0.1")
        name = f"registry.example:{registry.port}"
        client = make_client(hosts=Hosts(daemon=DaemonJson(insecure=frozenset({name}))))
        blob = registry.add_blob("team/app", DATA)
        self.redirect(registry, f"http://{host}:{other.port}/v2/team/app/blobs/{blob.digest}")
        with pytest.raises(ForbiddenTarget):
            client.repository(f"{name}/team/app").open(blob)
        assert not other.requests

    def test_public_registry_cannot_send_us_inside_by_name(self, registry, other, internet, make_client):
        internet.place("registry.example", "127.0.0.1")
        internet.place("cdn.example", "127.0.0.2", Reach.LINK_LOCAL)
        name = f"registry.example:{registry.port}"
        client = make_client(hosts=Hosts(daemon=DaemonJson(insecure=frozenset({name}))))
        blob = registry.add_blob("team/app", DATA)
        self.redirect(registry, f"http://cdn.example:{other.port}/v2/team/app/blobs/{blob.digest}")
        with pytest.raises(ForbiddenTarget, match="a link-local address"):
            client.repository(f"{name}/team/app").open(blob)
        assert not other.requests

    def test_public_registry_may_send_us_to_a_public_host(self, registry, other, internet, make_client):
        internet.place("registry.example", "127.0.0.1")
        internet.place("cdn.other.example", "127.0.0.2")
        names = frozenset({f"registry.example:{registry.port}", f"cdn.other.example:{other.port}"})
        client = make_client(hosts=Hosts(daemon=DaemonJson(insecure=names)))
        blob = registry.add_blob("team/app", DATA)
        other.add_blob("team/app", DATA)
        self.redirect(registry, f"http://cdn.other.example:{other.port}/v2/team/app/blobs/{blob.digest}")
        assert read(client.repository(f"registry.example:{registry.port}/team/app").open(blob)) == DATA

    def test_question_of_another_host_is_not_answered(self, basic, other, make_client):
        """A host that blobs redirect to asks for an account: it gets none, and no token is fetched for it."""
        blob = basic.add_blob("team/app", DATA)
        self.redirect(basic, f"{other.url}/v2/team/app/blobs/{blob.digest}")
        realm = {"WWW-Authenticate": f'Bearer realm="{basic.url}/token",service="x"'}
        other.faults.append(Fault(where="GET", times=9, status=401, headers=realm))
        repository = make_client(account(basic.host)).repository(f"{basic.host}/team/app")
        with pytest.raises(AccessDenied):
            repository.open(blob)
        assert not basic.seen("/token")
        assert never_told(other)
        assert len(other.requests) == 1

    @pytest.mark.parametrize("where", ["redirect", "upload", "realm"])
    def test_encryption_is_not_left(self, tmp_path, other, internet, make_client, where):
        internet.place("secure.example", "127.0.0.1")
        internet.place("plain.example", "127.0.0.2")
        authority = trustme.CA()
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("secure.example").configure_cert(server)
        plain = f"http://plain.example:{other.port}"
        with FakeRegistry(tls=server, auth="bearer", users={"user": SECRET}) as registry:
            name = f"secure.example:{registry.port}"
            registry.realm = f"{plain}/token" if where == "realm" else f"https://{name}/token"
            (tmp_path / "certs.d" / name).mkdir(parents=True)
            authority.cert_pem.write_to_path(str(tmp_path / "certs.d" / name / "ca.crt"))
            hosts = Hosts(certificate_directories=(str(tmp_path / "certs.d"),))
            repository = make_client(account(name), hosts=hosts).repository(f"{name}/team/app", push=True)
            location = {"Location": f"{plain}/v2/team/app/blobs/uploads/1"}
            registry.faults.append(Fault(where="POST .*/uploads/", skip=1, status=202, headers=location))
            self.redirect(registry, f"{plain}/blob")
            blob = registry.add_blob("team/app", DATA)
            with pytest.raises((BadRedirect, BadRealm), match="is not encrypted"):
                if where == "upload":
                    repository.upload(blob, lambda offset: io.BytesIO(DATA))
                else:
                    repository.open(blob)
        assert not other.requests

    def test_upload_is_not_turned_into_a_get(self, registry, client):
        registry.faults.append(
            Fault(where="POST .*/uploads/", status=303, headers={"Location": "/v2/team/app/elsewhere"})
        )
        with pytest.raises(BadRedirect, match="redirects a POST request with status 303"):
            client.repository(f"{registry.host}/team/app", push=True).upload(
                registry.add_blob("x/y", DATA), lambda offset: None
            )


class TestPatience:
    def test_retry_after_is_honoured(self, registry, client):
        registry.add_image("team/app", "1", [DATA])
        registry.faults.append(Fault(where="GET .*manifests", status=503, headers={"Retry-After": "7"}))
        client.registries.repository(Reference.parse(f"{registry.host}/team/app:1")).manifest(
            Reference.parse(f"{registry.host}/team/app:1")
        )
        assert client.slept == [7.0]
        assert [event.delay for event in client.events.seen if isinstance(event, Retrying)] == [7.0]

    def test_too_long_a_wait_is_an_error_that_names_it(self, registry, client):
        body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'
        registry.faults.append(
            Fault(where="manifests", times=9, status=429, body=body, headers={"Retry-After": "3600"})
        )
        with pytest.raises(RateLimited) as caught:
            client.resolve(f"{registry.host}/team/app:1")
        assert str(caught.value) == "toomanyrequests: You have reached your pull rate limit."
        assert "asks to wait 3600 seconds" in caught.value.advice
        assert client.slept == []

    def test_too_many_requests_holds_back_the_whole_host(self, registry, client):
        registry.add_image("team/app", "1", [DATA])
        registry.faults.append(Fault(where="GET .*manifests", status=429, headers={"Retry-After": "100"}))
        repository = client.repository(f"{registry.host}/team/app")
        repository.manifest(Reference.parse(f"{registry.host}/team/app:1"))
        assert client.slept[0] == 100.0
        assert 90 < client.slept[1] <= 100  # sleeping is only pretended here, so the next one waits as well

    def test_permanent_answers_are_not_asked_again(self, registry, client):
        registry.faults.append(Fault(where="manifests", times=9, status=403))
        with pytest.raises(AccessDenied):
            client.resolve(f"{registry.host}/team/app:1")
        assert len(registry.seen("manifests")) == 2
        assert client.slept == []
