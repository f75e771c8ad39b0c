"""What is taken for a secret, and what is not."""

from __future__ import annotations

import base64
import hashlib
import json
import time

import pytest

from millefeuille.analysis.secrets.scan import scan, scan_config
from millefeuille.oci.config import parse

# Put together here, so that nobody who searches this repository finds one.
BODY = base64.b64encode(hashlib.sha512(b"body").digest() * 3)
KEY = b"-----BEGIN RSA " + b"PRIVATE KEY-----\n" + BODY + b"\n-----END RSA " + b"PRIVATE KEY-----\n"
LETTERS = b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3dE5f"
BLOCK = b"-----BEGIN PGP " + b"PRIVATE KEY BLOCK-----\n"
PGP = BLOCK + b"Version: GnuPG v2.0.22 (GNU/Linux)\nComment: a.b!\n\n" + BODY
SQL = b"Server=db;User Id=sa;"
AGE = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE"

FOUND = [
    (b"root/.ssh/id_rsa", KEY, "private-key"),
    (b"app/main.py", b"key = 'AK" + b"IAIOSFODNN7ABCDEFG'", "aws-access-key"),
    (b"app/x", b"aws_secret_access_key = " + LETTERS, "aws-secret-key"),
    (b"app/x", b"url=https://gh" + b"p_" + LETTERS[:36], "github-token"),
    (b"x", b"gl" + b"pat-" + LETTERS[:20], "gitlab-token"),
    (b"x", b"xo" + b"xb-123456789012-" + LETTERS[:24], "slack-token"),
    (b"x", b"s" + b"k_live_" + LETTERS[:24], "stripe-key"),
    (b"x", b"AI" + b"za" + LETTERS[:35], "google-key"),
    (b"root/.npmrc", b"//registry/:_authToken=" + LETTERS, "npm-login"),
    (b"root/.yarnrc.yml", b'npmAuthToken: "' + LETTERS + b'"\n', "npm-login"),
    (b"app/.yarnrc.yml", b"npmScopes:\n  corp:\n    npmAuthIdent: me:hunter22\n", "npm-login"),
    (b"root/.config/pypoetry/auth.toml", b'[http-basic.x]\npassword = "hunter22"\n', "password"),
    (b"root/.boto", b"[Credentials]\ngs_oauth2_refresh_token = " + LETTERS + b"\n", "password"),
    (b"root/.s3cfg", b"[default]\nsecret_key = " + LETTERS + b"\n", "password"),
    (b"root/.azure/msal_token_cache.json", b'{"a": {"secret": "' + LETTERS + b'"}}', "azure-login"),
    (b"app/config/master.key", hashlib.md5(b"a").hexdigest().encode() + b"\n", "rails-key"),
    (b"app/config/credentials/production.key", hashlib.md5(b"a").hexdigest().encode(), "rails-key"),
    (b"root/.docker/config.json", b'{"auths":{"r":{"auth":"' + BODY[:24] + b'"}}}', "docker-login"),
    (b"root/.netrc", b"machine a login b password hunter22", "netrc"),
    (b"app/.env", b"DEBUG=1\nDB_PASSWORD=correct-horse\n", "password"),
    (b"etc/shadow", b"root:$6$salt$" + LETTERS + b":1::::::\n", "shadow-hash"),
    (b"root/.git-credentials", b"https://me:hunter22@git.test\n", "url-password"),
    (b"root/.pgpass", b"db:5432:app:me:hunter22\n", "pgpass"),
    (b"x", b"Account" + b"Key=" + base64.b64encode(hashlib.sha512(b"a").digest()), "azure-key"),
    (b"x", b"ab" + b"18Q~" + LETTERS[:34], "azure-secret"),
    (b"x", b"x=S" + b"G." + LETTERS[:22] + b"." + (LETTERS * 2)[:43], "sendgrid-key"),
    (b"x", b"h" + b"f_" + LETTERS[:34], "ai-key"),
    (b"x", b"s" + b"k-" + LETTERS[:20] + b"T3Blbk" + b"FJ" + LETTERS[:20], "ai-key"),
    (b"x", b"do" + b"p_v1_" + hashlib.sha256(b"a").hexdigest().encode(), "digitalocean-token"),
    (b"x", b"da" + b"pi" + hashlib.md5(b"a").hexdigest().encode(), "databricks-token"),
    (b"x", b"shp" + b"at_" + hashlib.md5(b"a").hexdigest().encode(), "shopify-token"),
    (b"x", b"hv" + b"s." + LETTERS, "vault-token"),
    (b"x", b"123456789:A" + b"A" + LETTERS[:33], "telegram-token"),
    (b"x", b"AGE-SECRET-" + b"KEY-1" + AGE, "private-key"),
    (b"k.ppk", b"PuTTY-User-" + b"Key-File-2: ssh-rsa\nPrivate-Lines: 1\n" + BODY, "private-key"),
    (b"app/settings.py", b"SECRET_KEY = 'django-x7" + LETTERS + b"'\n", "password"),
    (b"app/application-prod.yml", b"db:\n  password: s3cr3tvalue9\n", "password"),
    (b"root/.bash_history", b"ls\ncurl -s -u admin:hunter22 https://x\n", "url-password"),
    (b"run.sh", b'curl -H "Authorization: Bearer ' + LETTERS + b'"\n', "bearer-token"),
    (b"etc/apt/sources.list.d/corp.list", b"deb https://bob:t0ps3cret@deb.test/ x main\n", "url-password"),
    (b"etc/apt/sources.list.d/c.sources", b"URIs: https://bob:t0ps3cret@deb.test/\n", "url-password"),
    (b"etc/apt/auth.conf.d/corp.conf", b"machine deb.test\nlogin bob\npassword hunter22\n", "netrc"),
    (b"etc/apt/auth.conf", b"machine deb.test login bob password hunter22\n", "netrc"),
    (b"root/.cargo/credentials.toml", b'[registry]\ntoken = "' + LETTERS + b'"\n', "password"),
    (b"app/requirements.txt", b"--index-url https://u:hunter22@pypi.test/simple\nsix\n", "url-password"),
    (b"app/requirements-dev.txt", b"x @ git+https://u:hunter22@git.test/x\n", "url-password"),
    (b"srv/docker-compose.yml", b"  db:\n    environment:\n      - POSTGRES_PASSWORD=hunter22\n", "password"),
    (b"srv/compose.yaml", b"    environment:\n      - 'API_TOKEN=hunter22'\n", "password"),
    (b"etc/kubernetes/admin.conf", b"    client-key-data: " + BODY + b"\n", "kube-login"),
    (b"etc/rancher/k3s/k3s.yaml", b"    client-key-data: " + BODY + b"\n", "kube-login"),
    (b"root/.m2/settings.xml", b"<server><password>correct horse</password></server>\n", "maven-login"),
    (b"settings.xml", b"<!-- <password>x-y</password> -->\n<passphrase>hunter22</passphrase>", "maven-login"),
    (b"root/.gradle/gradle.properties", b"mavenPassword=correct-horse\n", "password"),
    (b"app/gradle.properties", b"org.gradle.daemon=true\nnexusToken=hunter22\n", "password"),
    (
        b"root/.composer/auth.json", b'{"http-basic":{"x.test":{"username":"u","password":"hunter22"}}}',
        "composer-login",
    ),
    (b"app/composer/auth.json", b'{"gitlab-token": {"git.test": "hunter22-and-more"}}', "composer-login"),
    (
        b"root/.config/gcloud/application_default_credentials.json",
        b'{"client_id": "x.test", "refresh_token": "1//03' + LETTERS + b'", "type": "authorized_user"}',
        "google-login",
    ),
    (b"app/appsettings.json", b'{"Db": "' + SQL + b'Password=hunter22;Encrypt=true"}', "connection-string"),
    (b"app/Web.config", b'<add connectionString="' + SQL + b'Pwd=hunter22" />', "connection-string"),
    (b"srv/wp-config.php", b"define( 'DB_PASSWORD', 's3cretpw5abc' );\n", "password"),
    (b"srv/config.php", b'  define("API_TOKEN","two words9");\n', "password"),
    (b"app/settings.py", b"SECRET_KEY = 'django-insecure-8$f#(x)=y+a!@%^&*-_b'  # mine\n", "password"),
    (b"usr/local/etc/npmrc", b"//registry/:_authToken=" + LETTERS, "npm-login"),
    (b"root/.config/git/credentials", b"https://me:hunter22@git.test\n", "url-password"),
    (b"etc/gitconfig", b'[url "https://u:hunter22@git.test/"]\n', "url-password"),
    (b"src/.git/config", b"\textraheader = AUTHORIZATION: basic " + BODY[:40] + b"\n", "git-login"),
    (b"run/containers/0/auth.json", b'{"auths":{"r.test":{"auth":"' + BODY[:24] + b'"}}}', "docker-login"),
    (b"root/.kube/config", b'{"users":[{"user":{"client-key-data": "' + BODY + b'"}}]}', "kube-login"),
    (b"root/key.asc", PGP, "private-key"),
    (b"root/key.json", json.dumps({"key": PGP.decode()}).encode(), "private-key"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "data", "rule"), FOUND, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_secret_is_found_where_it_is_and_not_shown(path: bytes, data: bytes, rule: str) -> None:
    (match,) = scan(path, data)
    secret = data[match.offset : match.offset + match.length]
    assert match.rule == rule
    assert hashlib.sha256(secret).hexdigest() == match.sha256
    assert secret.decode() not in match.redacted


@pytest.mark.parametrize(("path", "data"), [
    (b"usr/lib/ssl.py", b'if line == "-----BEGIN ' + b'PRIVATE KEY-----":'),
    (b"etc/shadow", b"root:*:19000:0:::::\nme:!:1::::::\n"),
    (b"app/settings.py", b"PASSWORD=correct-horse"),
    (b"app/.env", b"PASSWORD=${FROM_OUTSIDE}\nTOKEN=\nPASSWORD=changeme-please\n"),
    (b"x", b"AK" + b"IAIOSFODNN7EXAMPLE"),
    (b"root/.npmrc", b"//registry/:_authToken=${NPM_TOKEN}"),
    (b"app/.yarnrc.yml", b'npmAuthToken: "${NPM_TOKEN-}"'),
    (b"app/config/master.key", b"not a key"),
    (b"app/settings.py", b"PASSWORD = get_password('db1')\nTOKEN = tokens[0]\nAPI_KEY = 'correcthorse'\n"),
    (b"app/config.yml", b"password: ${DB_PASSWORD1}\ntoken: string\nsecret: {{ vault1 }}\n"),
    (b"x", b"mon" + b"key-" + hashlib.md5(b"a").hexdigest().encode()),
    (b"usr/lib/libgnutls.so.30.34.3", b"\x7fELF" + KEY),
    (b"run.sh", b"curl -u $USER:$PASS https://x\n"),
    (b"etc/apt/sources.list.d/debian.sources", b"URIs: http://deb.debian.org/debian\nSuites: bookworm\n"),
    (b"app/requirements.txt", b"-i https://${USER}:${PASSWORD}@pypi.test/simple\nsix==1.0 --hash=a:b\n"),
    (b"app/requirements.txt", b"--index-url https://user:changeme@pypi.test/simple\n"),
    (b"srv/docker-compose.yml", b"  - PASSWORD=${PASSWORD1}\n  - TOKEN_FILE=/run/secrets/t1\n  - KEY\n"),
    (b"etc/kubernetes/kubelet.conf", b"    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n"),
    (b"root/.m2/settings.xml", b"<password>${env.PASSWORD}</password><password>{COQLCE6DUGtcS5=}</password>"),
    (
        b"usr/share/maven/conf/settings.xml",
        b"<!-- <password>repopwd</password>\n -->\n<!--<password>hunter22</password>",
    ),
    (
        b"root/.gradle/gradle.properties",
        b"signing.secretKeyRingFile=/root/x1.gpg\nsystemProp.trustStorePassword=changeit\n",
    ),
    (b"root/.composer/auth.json", b'{"http-basic": {}, "github-oauth": {"github.com": "${TOKEN}"}}'),
    (b"srv/wp-config.php", b"define('DB_PASSWORD', getenv_docker('WP_DB_PASSWORD', 'example password1'));\n"),
    (b"srv/wp-config.php", b"define('DB_PASSWORD', 'password_here');\ndefine('TOKEN_URL', 'https://a1b2');\n"),
    (b"app/settings.py", b"SECRET_KEY = os.environ['SECRET_KEY1']\nTOKEN = get('a1b2c3d4e5')\n"),
    (b"app/values.yaml", b'password: "$DB_PASSWORD1"\ntoken: "abc${TOKEN1}xyz"\nsecret: "$(cat x1)"\n'),
    (b"root/.git/config", b"[url]\n\tinsteadOf = https://git.test/\n"),
    (b"run/containers/0/auth.json", b'{"credHelpers": {"registry.test": "ecr-login"}}'),
    (b"run/containers/auth.json", b'{"credHelpers": {"registry.test": "ecr-login"}}'),
    (b"app/appsettings.json", b'{"A": "Server=db;Password=${WORD};", "B": "a;Pwd={0}", "C": "a;Password="}'),
    (b"app/appsettings.json", b'{"A": "Server=db;Password=#{Secret1}#", "B": "Pwd=%SECRET1%;Server=db"}'),
    (b"app/docs.txt", BLOCK + b"Version: GnuPG v2\n\n[...]\n"),
])  # fmt: skip
def test_what_only_looks_like_one_is_none(path: bytes, data: bytes) -> None:
    assert list(scan(path, data)) == []


def test_quotes_are_no_part_of_a_login() -> None:
    for quote in (b'"', b"'", b""):
        (match,) = scan(b"root/.npmrc", b"_auth=" + quote + BODY[:24] + quote + b"\n")
        assert match.secret == BODY[:24]


def test_what_a_history_gives_to_variables() -> None:
    steps = [
        "RUN |2 API_TOKEN=s3cr3tvalue NAME=x /bin/sh -c make # buildkit",
        "ENV DB_PASSWORD='hunter22' MYSQL_ALLOW_EMPTY_PASSWORD=yes TOKEN_FILE=/run/token PASSWORD=$OTHER",
        "RUN /bin/sh -c login --password=hunter23 && export SECRET=hunter24; echo KEY=hunter25",
    ]
    fields = {
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
        "config": {"Env": ["API_TOKEN=abcdef", "EMPTY_PASSWORD=yes", "PATH=/bin"]},
        "history": [{"created_by": step, "empty_layer": True} for step in steps],
    }  # fmt: skip
    found = list(scan_config(parse(json.dumps(fields).encode())))
    values = {hashlib.sha256(value.encode()).hexdigest(): value for value in (
        "abcdef", "s3cr3tvalue", "hunter22", "hunter23", "hunter24"
    )}  # fmt: skip
    assert [(where, values[match.sha256]) for where, match in found] == [
        ("Env API_TOKEN", "abcdef"), ("history step 0", "s3cr3tvalue"), ("history step 1", "hunter22"),
        ("history step 2", "hunter23"), ("history step 2", "hunter24"),
    ]  # fmt: skip


# What may stand behind a key, or in front of it, has no part in it.
AROUND = [
    b"keystorePassword: changeit\n", b"host: example\n", b"subject=CN = example\n", b"a: '<XXXX>'\n",
    b"-----BEGIN CERTIFICATE-----\n" + BODY + b"\n-----END CERTIFICATE-----\n", KEY.replace(b"RSA", b"EC"),
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_a_private_key_ends_with_its_last_line(around: bytes) -> None:
    own = hashlib.sha256(KEY).hexdigest()
    for data in (around + KEY, KEY + around, KEY.replace(b"\n", b"\r\n") + around):
        found = list(scan(b"x", data))
        assert len(found) == 1 + (b"PRIVATE" in around)
        assert own in {match.sha256 for match in found} or b"\r" in data
        assert all(match.secret.rstrip().endswith(b"KEY-----") for match in found)
    indented = KEY.replace(b"\n", b"\n    ").removesuffix(b"    ")
    text = b"tls:\n  key: |\n    " + indented + b"  " + around.replace(b"\n", b"\n  ")
    assert next(scan(b"values.yaml", text)).secret == indented


def test_a_private_key_in_a_string_ends_with_its_last_line() -> None:
    text = json.dumps({"key": KEY.decode(), "host": "example"}).encode()
    (match,) = scan(b"x.json", text)
    assert match.secret == json.dumps(KEY.decode()).strip('"').encode()
    headed = KEY.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\n\n", 1)
    for key in (KEY, headed):  # with the ends of lines of Windows, and as JSON in JSON
        text = json.dumps({"key": key.replace(b"\n", b"\r\n").decode()})
        for inner in (text, json.dumps(text), "A=b\n" + text.removeprefix("{")):
            (match,) = scan(b"x", inner.encode())
            assert match.secret.strip(b"\\rn").endswith(b"KEY-----")
            assert match.secret in inner.encode()


def test_a_private_key_that_is_cut_off_ends_with_its_last_whole_line() -> None:
    cut = KEY[: KEY.index(b"\n-----END")]
    for rest in (b"", b"\n", b"\nhost: example\n", b"\n" + KEY):
        assert next(scan(b"x", cut + rest)).secret == cut


def test_names_in_the_headers_of_a_key_make_it_no_example() -> None:
    pgp = PGP.replace(b"a.b!", b"me@example.com") + b"\n-----END PGP " + b"PRIVATE KEY BLOCK-----\n"
    for key in (pgp, pgp.replace(b"\n", b"\n  ").removesuffix(b"  "), pgp[: pgp.index(b"\n-----END")]):
        assert [match.secret for match in scan(b"x", key)] == [key]
    assert not list(scan(b"x", KEY.replace(BODY[:8], b"XXXXXXXX")))


@pytest.mark.parametrize("bits", [256, 2048, 4096, 16384])
@pytest.mark.parametrize("derivation", [b"", b"Key-Derivation: Argon2id\nArgon2-Memory: 8192\n"])
def test_a_key_of_putty_of_any_length(bits: int, derivation: bytes) -> None:
    kind = b"PuTTY-User-" + b"Key-File-3: ssh-rsa\nEncryption: none\nComment: me@example.com\n"
    public = base64.encodebytes(bytes(bits // 8 + 23))
    mac = b"Private-MAC: " + hashlib.sha256(b"a").hexdigest().encode() + b"\n"
    head = kind + b"Public-Lines: %d\n" % public.count(b"\n") + public + derivation
    key = head + b"Private-Lines: 1\n" + BODY + b"\n" + mac
    assert [match.secret for match in scan(b"k", b"# mine\n" + key + b"host: example\n" + key)] == [key, key]
    assert [match.secret for match in scan(b"k", key.removesuffix(mac) + b"-")] == [key.removesuffix(mac)]
    assert not list(scan(b"k", key.replace(BODY[:8], b"XXXXXXXX")))


def test_headers_of_a_key_that_never_comes_take_no_time() -> None:
    for filling in (b"a: ~ " * 100_000, b"a: ~\n" * 100_000, b"\\na: ~" * 100_000):
        assert list(scan(b"x", BLOCK + filling)) == []
    for filling in (b"\n", b"\\n", b"\\r\\n"):
        assert list(scan(b"x", BLOCK + filling * 100_000)) == []
    assert list(scan(b"settings.xml", b"<password>" + b"<!--" * 300_000)) == []


RUNS = (
    b"a", b"0", b"a1", b"token", b"tokenfile", b"token=", b"token = ", b"secret:", b"- ", b" ", b"'", b'"a',
    b'".a', b"a:", b"a://", b"://a:a", b"a://a:a", b"curl ", b"curl -u ", b"curl -u a", b"-u ", b"$a$",
    b":$a$", b"<password>a", b"; ", b";pwd= ", b"%a", b"eyJ", b"eyJaaaaaaaaaaaaa.", b"hf_a", b"_auth ",
    b"auth.aaa", b"authorization ", b"awssecretkey ", b"define(", b"--a-", b"--token=", b" token=a",
    b"'token=", b"\\", b"define('token', 'a", b"extraheader = ", b"token='a", b"define( ",
    BLOCK[:-1], BLOCK, BLOCK + b"A: a", KEY[:32] + b"a- " * 50, KEY[:80], b"PuTTY-User-Key-File-2: a ",
    b"PuTTY-User-Key-File-2: a Private-Lines: 1 ", b"Private-Lines: 1 ",
)  # fmt: skip
NAMES = (
    b"requirements.txt", b".env", b"values.yaml", b"a.sh", b".npmrc", b"settings.xml", b"wp-config.php",
    b"auth.json", b".pgpass", b"etc/shadow", b"htpasswd", b".kube/config", b"appsettings.json", b".netrc",
    b".gitconfig", b".yarnrc.yml", b".azure/accessTokens.json", b"config/master.key", b"",
)  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
def test_no_long_text_takes_its_length_squared(run: bytes) -> None:
    began = time.process_time()
    for name in NAMES:
        for end in (b"", b"~$"):
            list(scan(name, b"token://curl " + run * (64_000 // len(run)) + end))
    assert time.process_time() - began < 10


def test_no_long_name_takes_its_length_squared() -> None:
    long = "TOKEN" * 100_000
    fields = {
        "rootfs": {"type": "layers", "diff_ids": []}, "config": {"Env": [f"{long}_FILE=abc"]},
        "history": [{"created_by": f"RUN {long}_FILE=abc", "empty_layer": True}],
    }  # fmt: skip
    began = time.process_time()
    assert list(scan_config(parse(json.dumps(fields).encode()))) == []
    for step in ("ENV {}", "ARG {}", "RUN |9 {}", "RUN |9 {} /bin/sh -c make", "RUN {}", "é {}"):
        for run in ("a", "A=b ", "A=b", "TOKEN=abc ", "TOKEN=", "'A=", "A='", '"', "--a=", "TOKEN=a' "):
            _found([step.format(run * (100_000 // len(run)))], Env=["A=b", "TOKEN=abc"])
    assert time.process_time() - began < 60


@pytest.mark.parametrize(("data", "shown"), [
    (b"AGE-SECRET-" + b"KEY-1" + AGE, "AGE-"),
    (json.dumps({"private_key": KEY.decode()}).encode(), "-----BEGIN RSA " + "PRIVATE KEY-----"),
    (KEY.replace(b"\n", b" "), "-----BEGIN RSA " + "PRIVATE KEY-----"),
    (b"PuTTY-User-" + b"Key-File-3: ssh-rsa\nPrivate-Lines: 1\n" + BODY, "PuTTY-User-" + "Key-File-3"),
])  # fmt: skip
def test_of_a_private_key_its_header_is_shown(data: bytes, shown: str) -> None:
    assert [match.redacted.partition("…")[0] for match in scan(b"x", data)] == [shown]


def test_commands_variables_and_labels_of_the_config() -> None:
    github, gitlab = ("gh" + "s_" + LETTERS[:36].decode()), ("gl" + "pat-" + LETTERS[:20].decode())
    fields = {
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
        "config": {
            "Env": ["DATABASE_URL=postgres://app:Sup3rS3cret9@db/prod", "PROXY=http://$USER:$PASS@proxy:3128"],
            "Labels": {"source": "https://me:hunter21@git.test/x"},
            "Entrypoint": ["/e", f"--key={gitlab}"],
            "Cmd": ["/srv", "--token", github, "--password=hunter22"],
            "Healthcheck": {"Test": ["CMD", "curl", "-u", "me:hunter23", "http://localhost"]},
            "OnBuild": ["RUN login --password=hunter24", f"ENV A={github}"],
            "Shell": ["/bin/sh", "-c", "SECRET=hunter25"],
        },
    }  # fmt: skip
    found = scan_config(parse(json.dumps(fields).encode()))
    assert [(where, match.secret.decode()) for where, match in found] == [
        ("Env DATABASE_URL", "Sup3rS3cret9"), ("Entrypoint", gitlab), ("Cmd", github), ("Cmd", "hunter22"),
        ("Healthcheck", "hunter23"), ("Shell", "hunter25"), ("OnBuild", "hunter24"), ("OnBuild", github),
        ("label source", "hunter21"),
    ]  # fmt: skip


@pytest.mark.parametrize("members", [
    {"Cmd": "sh"}, {"Healthcheck": {}}, {"Healthcheck": None}, {"OnBuild": None}, {"Cmd": [None]},
])  # fmt: skip
def test_members_of_other_kinds_hold_none(members: dict[str, object]) -> None:
    fields = {"rootfs": {"type": "layers", "diff_ids": []}, "config": members}
    assert list(scan_config(parse(json.dumps(fields).encode()))) == []


def _found(history: list[str], **process: object) -> list[tuple[str, str]]:
    fields = {
        "rootfs": {"type": "layers", "diff_ids": []}, "config": process,
        "history": [{"created_by": step, "empty_layer": True} for step in history],
    }  # fmt: skip
    found = scan_config(parse(json.dumps(fields).encode()))
    return [(where, match.secret.decode()) for where, match in found]


WORDS = "correct horse battery staple"


@pytest.mark.parametrize("step", [
    f"RUN |1 DB_PASSWORD={WORDS} /bin/sh -c make # buildkit",
    f"|1 DB_PASSWORD={WORDS} /bin/sh -c make",
    f"RUN |3 A=x y DB_PASSWORD={WORDS} C=z /bin/bash -eo pipefail -c make # buildkit",
    f"RUN |2 DB_PASSWORD={WORDS} /bin/sh -c make",
    f"ARG DB_PASSWORD={WORDS}",
    f"/bin/sh -c #(nop)  ARG DB_PASSWORD={WORDS}",
    f"ENV A=x y DB_PASSWORD={WORDS} B=z",
    f"ENV DB_PASSWORD='{WORDS}' B=z",
    f'/bin/sh -c #(nop)  ENV DB_PASSWORD="{WORDS}"',
    f"RUN /bin/sh -c DB_PASSWORD='{WORDS}' make",
    f'RUN /bin/sh -c login --db-password="{WORDS}" && x',
    f"RUN /bin/sh -c docker run -e 'DB_PASSWORD={WORDS}' x",
    f'ENTRYPOINT ["server" "--db-password={WORDS}"]',
    f'ENTRYPOINT ["server","--db-password={WORDS}"]',
])  # fmt: skip
def test_a_value_with_blanks_is_whole(step: str) -> None:
    assert _found([step]) == [("history step 0", WORDS)]
    assert _found([], OnBuild=[step.replace("/bin/sh -c #(nop)  ", "")]) == [("OnBuild", WORDS)]


def test_what_the_config_and_the_history_know_of_a_value() -> None:
    word = "two words PIN=7"
    steps = [f"ARG API_TOKEN={word}", f"RUN |2 A=b API_TOKEN={word} make install # buildkit"]
    assert _found(steps) == [("history step 0", word), ("history step 1", word)]
    steps = [f"ENV A=b API_TOKEN={word} C=d"]
    assert _found(steps, Env=[f"API_TOKEN={word}"]) == [("Env API_TOKEN", word), ("history step 0", word)]
    # Nothing says where it ends, and where the command begins.
    assert _found(["RUN |1 API_TOKEN=hunter22 make install"]) == [("history step 0", "hunter22")]


def test_what_lists_give_to_names() -> None:
    flags = ["server", "--api-token=cmdtok12345", "-Ddb.password=two words", "--token-file=/run/t"]
    assert _found([], Entrypoint=flags) == [("Entrypoint", "cmdtok12345"), ("Entrypoint", "two words")]
    assert _found([], Cmd=["sh", "-c", "TOKEN=hunter22 run"]) == [("Cmd", "hunter22")]
    test = ["CMD-SHELL", "TOKEN=hunter22 run"]
    assert _found([], Healthcheck={"Test": test}) == [("Healthcheck", "hunter22")]
    assert _found(['CMD ["sh" "-c" "TOKEN=hunter22 run"]']) == [("history step 0", "hunter22")]
    assert _found(["RUN apt-get install libsecret-1-0=0.20.5-3 && pip install tokenizers==0.13.1"]) == []


def test_one_secret_is_found_once_in_an_assignment() -> None:
    fields = {
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": "ENV SECRET_DSN=postgres://me:hunter22@db", "empty_layer": True}],
    }
    ((_, match),) = scan_config(parse(json.dumps(fields).encode()))
    assert (match.rule, match.secret) == ("url-password", b"hunter22")
