"""What is taken for a secret, and what is not."""

from __future__ import annotations

import base64
import hashlib

import pytest

from millefeuille.analysis.secrets.scan import scan

# Put together here, so that nobody who searches this repository finds one.
BODY = base64.b64encode(hashlib.sha512(b"body").digest() * 3)
KEY = b"-----BEGIN RSA " + b"PRIVATE KEY-----\n" + BODY + b"\n-----END RSA " + b"PRIVATE KEY-----\n"
LETTERS = b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3dE5f"

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
    (b"root/.docker/config.json", b'{"auths":{"r":{"auth":"' + BODY[:24] + b'"}}}', "docker-login"),
    (b"root/.netrc", b"machine a login b password hunter22", "netrc"),
    (b"app/.env", b"DEBUG=1\nDB_PASSWORD=correct-horse\n", "password"),
    (b"etc/shadow", b"root:$6$salt$" + LETTERS + b":1::::::\n", "shadow-hash"),
    (b"root/.git-credentials", b"https://me:hunter22@git.test\n", "url-password"),
    (b"root/.pgpass", b"db:5432:app:me:hunter22\n", "pgpass"),
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
])  # fmt: skip
def test_what_only_looks_like_one_is_none(path: bytes, data: bytes) -> None:
    assert list(scan(path, data)) == []
