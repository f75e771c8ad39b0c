"""certs.d directories."""

from __future__ import annotations

import ssl

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from millefeuille.registry.tls import BadCertificates, Tls, context


@pytest.fixture
def authority():
    return trustme.CA()


def test_strict_by_default():
    made = context(Tls())
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2


def test_insecure():
    assert context(Tls(insecure=True)).verify_mode is ssl.CERT_NONE


def test_authorities_are_added(tmp_path, authority):
    authority.cert_pem.write_to_path(str(tmp_path / "own.crt"))
    before = len(context(Tls()).get_ca_certs())
    assert len(context(Tls(certificates=str(tmp_path))).get_ca_certs()) == before + 1


def test_client_pair(tmp_path, authority):
    leaf = authority.issue_cert("client.example")
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "client.cert"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "client.key"))
    context(Tls(certificates=str(tmp_path)))


def test_key_with_a_pass_phrase_is_refused(tmp_path, authority):
    """Nothing is asked for at the terminal."""
    leaf = authority.issue_cert("client.example")
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "client.cert"))
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"canary"),
    )
    (tmp_path / "client.key").write_bytes(locked)
    with pytest.raises(BadCertificates, match=r"/client\.key: a key with a pass phrase cannot be used"):
        context(Tls(certificates=str(tmp_path)))


def test_nonsense_for_a_key(tmp_path, authority):
    authority.issue_cert("client.example").cert_chain_pems[0].write_to_path(str(tmp_path / "client.cert"))
    (tmp_path / "client.key").write_text("nonsense")
    with pytest.raises(BadCertificates, match=r"/client\.cert with client\.key: "):
        context(Tls(certificates=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("client.cert", r"missing client\.key for client certificate client\.cert"),
        ("client.key", r"missing client\.cert for key client\.key"),
    ],
)
def test_half_a_pair(tmp_path, name, words):
    (tmp_path / name).write_text("")
    with pytest.raises(BadCertificates, match=words):
        context(Tls(certificates=str(tmp_path)))


def test_nonsense(tmp_path):
    (tmp_path / "own.crt").write_text("nonsense")
    with pytest.raises(BadCertificates, match=r"own\.crt: "):
        context(Tls(certificates=str(tmp_path)))
