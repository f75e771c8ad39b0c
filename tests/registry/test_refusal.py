"""Reading a server's reasons."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.errors import MilleError
from millefeuille.oci.reference import Reference
from millefeuille.registry.challenge import Challenge
from millefeuille.registry.refusal import (
    AccessDenied,
    Answer,
    BlobUnknown,
    Complaint,
    ManifestUnknown,
    NotFoundElsewhere,
    OperationUnsupported,
    Refused,
    RepositoryUnknown,
    ServerFailed,
    UploadInvalid,
    complaint,
    explain,
    explain_blob,
    explain_write,
)

NGINX = Reference.parse("nginx:1.24")


def errors(code, message=None):
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (404, errors("BLOB_UNKNOWN"), BlobUnknown, "blob unknown: blob unknown to registry"),
        (404, errors("UNKNOWN", "Not Found"), NotFoundElsewhere, "unknown: Not Found"),
        (404, errors("NAME_UNKNOWN"), RepositoryUnknown,
         "name unknown: repository name not known to registry"),
        (403, b"", AccessDenied, "denied: requested access to the resource is denied"),
        (405, b"", OperationUnsupported, "unsupported: The operation is unsupported."),
        (413, b"", Refused, "received unexpected HTTP status: 413 Request Entity Too Large"),
        (599, b"", ServerFailed, "received unexpected HTTP status: 599"),
        (405, errors("UNSUPPORTED"), OperationUnsupported, "unsupported: The operation is unsupported."),
        (400, errors("DIGEST_INVALID", "no"), UploadInvalid, "digest invalid: no"),
        (400, errors("TAG_INVALID", "no"), MilleError, "tag invalid: no"),
    ],
)  # fmt: skip
def test_kinds_and_words(status, body, kind, words):
    found = explain_write(Answer(status=status, body=body), NGINX)
    assert isinstance(found, kind)
    assert str(found) == words


@pytest.mark.parametrize(
    ("error", "description", "expected"),
    [
        ("insufficient_scope", "", Complaint("DENIED", "requested access to the resource is denied")),
        ("insufficient_scope", "not yours", Complaint("DENIED", "not yours")),
        ("invalid_token", "", Complaint("UNAUTHORIZED", "authentication required")),
    ],
)
def test_reason_in_the_challenge(error, description, expected):
    parameters = {"error": error, "error_description": description}
    answer = Answer(status=401, body=errors("X"), challenges=(Challenge("bearer", parameters),))
    assert complaint(answer) == expected


def test_not_found_in_other_words_is_still_not_found():
    found = explain(Answer(status=404, body=errors("UNKNOWN", "Not Found")), NGINX)
    assert isinstance(found, ManifestUnknown)
    assert str(found) == "manifest for nginx:1.24 not found: unknown: Not Found"


@pytest.mark.parametrize("body", [b"", errors("MANIFEST_UNKNOWN"), errors("BLOB_UNKNOWN"), b"<html>"])
def test_missing_blob(body):
    found = explain_blob(Answer(status=404, body=body), NGINX)
    assert isinstance(found, BlobUnknown)
    assert str(found) == "blob unknown: blob unknown to registry"


def test_hub_is_logged_in_to_without_a_name():
    assert explain(Answer(status=401), NGINX).advice == "Log in with `mille login`."


_KEYS = st.sampled_from(["errors", "code", "message", "x"])
_VALUES = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner),
    max_leaves=8,
)


@given(st.integers(400, 599), st.binary(max_size=200) | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_answer_gives_one_line(status, body):
    found = explain(Answer(status=status, body=body), NGINX)
    assert isinstance(found, MilleError)
    assert len(str(found).splitlines()) == 1
