"""A server's "no", in Docker's words.

Codes and their texts are those of the distribution protocol; the sentences around them are Docker's.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from millefeuille.errors import (
    Denied,
    Failed,
    Invalid,
    MilleError,
    NotFound,
    Unavailable,
    Unsupported,
)
from millefeuille.oci.reference import Reference
from millefeuille.registry.challenge import Challenge
from millefeuille.registry.phrase import phrase
from millefeuille.registry.redaction import clean, show_url
from millefeuille.values import dataclass

MAXIMUM_BODY = 64 << 10  # bytes of an error's body that are read

_MESSAGES = {
    "UNAUTHORIZED": "authentication required",
    "DENIED": "requested access to the resource is denied",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "NAME_UNKNOWN": "repository name not known to registry",
    "BLOB_UNKNOWN": "blob unknown to registry",
    "TOOMANYREQUESTS": "too many requests",
    "UNSUPPORTED": "The operation is unsupported.",
}


class ManifestUnknown(NotFound):
    """The registry has no such tag or digest."""


class RepositoryUnknown(NotFound):
    """The registry has no such repository, or does not show it."""


class BlobUnknown(NotFound):
    """The registry has no such blob."""


class AccessDenied(Denied):
    """The registry does not let this user do that."""


class RateLimited(Unavailable):
    """The registry wants fewer requests."""


class ServerFailed(Unavailable):
    """The registry met an error of its own."""


class Refused(Failed):
    """The registry refused for another reason."""


class UploadInvalid(Invalid):
    """The registry found fault with what was sent."""


class OperationUnsupported(Unsupported):
    """The registry does not offer this operation."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One entry of the protocol's error list."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code.lower().replace('_', ' ')}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is needed of an unwelcome answer to explain it."""

    status: int
    body: bytes = b""
    challenges: tuple[Challenge, ...] = ()
    wait: float | None = None  # seconds the server asks for


def complaint(answer: Answer) -> Complaint | None:
    """The first reason the server gives, in its challenge or in its body."""
    for challenge in answer.challenges if answer.status == HTTPStatus.UNAUTHORIZED else ():
        code = {"invalid_token": "UNAUTHORIZED", "insufficient_scope": "DENIED"}.get(
            challenge.parameters.get("error", "")
        )
        if challenge.scheme == "bearer" and code:
            described = clean(challenge.parameters.get("error_description", ""))
            return Complaint(code, described or _MESSAGES[code])
    try:
        errors = json.loads(answer.body.decode("utf-8", "replace")).get("errors")
        first = errors[0]
        code = clean(str(first["code"])) or "UNKNOWN"
        return Complaint(
            code.upper(), clean(str(first.get("message") or "")) or _MESSAGES.get(code, "unknown error")
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def explain(answer: Answer, reference: Reference) -> MilleError:
    """The error for an answer about the image `reference`, which was to be read."""
    reason = complaint(answer)
    if reason is None:
        reason = _ASSUMED.get(answer.status)
    if reason is not None and answer.status < 500:
        if answer.status == HTTPStatus.FORBIDDEN or reason.code == "DENIED":
            return denied(reference, str(reason))
        if reason.code == "NAME_UNKNOWN":
            return RepositoryUnknown(f"repository {reference.familiar_name} not found: {reason}")
        if answer.status == HTTPStatus.NOT_FOUND and reason.code != "BLOB_UNKNOWN":
            return ManifestUnknown(f"manifest for {reference.familiar} not found: {reason}")
    return explain_write(answer, reference)


def explain_blob(answer: Answer, reference: Reference) -> MilleError:
    """The error for an answer about a blob of `reference`, which was to be read."""
    reason = complaint(answer)
    if answer.status == HTTPStatus.NOT_FOUND and (reason is None or reason.code != "NAME_UNKNOWN"):
        return BlobUnknown(str(Complaint("BLOB_UNKNOWN", _MESSAGES["BLOB_UNKNOWN"])))
    return explain(answer, reference)


def explain_write(answer: Answer, reference: Reference) -> MilleError:
    """The error for an answer about something of `reference` that was to be written."""
    reason = complaint(answer)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(answer, reason, reference)
    if answer.status >= 500:
        return ServerFailed(f"received unexpected HTTP status: {phrase(answer.status)}")
    if reason is None and answer.status not in _ASSUMED:
        body = _body(answer)
        said = f": {body}" if body else ""
        return Refused(f"received unexpected HTTP status: {phrase(answer.status)}{said}")
    reason = reason or _ASSUMED[answer.status]
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(str(reason), advice=_login(reference))
    return _KINDS.get(reason.code, _BY_STATUS.get(answer.status, Refused))(str(reason))


class NotFoundElsewhere(NotFound):
    """The registry says "not found" of something else."""


# What an answer means that gives no reason.
_ASSUMED = {
    401: Complaint("UNAUTHORIZED", _MESSAGES["UNAUTHORIZED"]),
    403: Complaint("DENIED", _MESSAGES["DENIED"]),
    404: Complaint("MANIFEST_UNKNOWN", _MESSAGES["MANIFEST_UNKNOWN"]),
    405: Complaint("UNSUPPORTED", _MESSAGES["UNSUPPORTED"]),
}
_KINDS: dict[str, type[MilleError]] = {
    "UNAUTHORIZED": AccessDenied,
    "DENIED": AccessDenied,
    "NAME_UNKNOWN": RepositoryUnknown,
    "BLOB_UNKNOWN": BlobUnknown,
    "UNSUPPORTED": OperationUnsupported,
    "DIGEST_INVALID": UploadInvalid,
    "MANIFEST_INVALID": UploadInvalid,
    "MANIFEST_BLOB_UNKNOWN": UploadInvalid,
    "SIZE_INVALID": UploadInvalid,
}
_BY_STATUS: dict[int, type[MilleError]] = {404: NotFoundElsewhere, 405: OperationUnsupported}


def denied(reference: Reference, reason: str) -> AccessDenied:
    """Docker's sentence for a repository that is missing or closed; registries do not say which."""
    return AccessDenied(
        f"pull access denied for {reference.familiar_name}, repository does not exist or may require "
        f"'mille login': {reason}",
        advice=_login(reference),
    )


def no_credentials(method: str, url: str, reference: Reference) -> AccessDenied:
    """Docker's sentence for a registry that asks for a password when none is stored."""
    text = f'{method.capitalize()} "{show_url(url)}": no basic auth credentials'
    return AccessDenied(text, advice=_login(reference))


def _too_many(answer: Answer, reason: Complaint | None, reference: Reference) -> RateLimited:
    text = str(reason) if reason else f"toomanyrequests: {_body(answer) or 'too many requests'}"
    wait = f"The registry asks to wait {answer.wait:.0f} seconds. " if answer.wait else ""
    return RateLimited(text, advice=f"{wait}{_login(reference)} Or configure a mirror.")


def _body(answer: Answer) -> str:
    text = clean(answer.body.decode("utf-8", "replace"))
    return "" if text.startswith("<") else text[:200]


def _login(reference: Reference) -> str:
    host = "" if reference.registry == "docker.io" else f" {reference.registry}"
    return f"Log in with `mille login{host}`."
