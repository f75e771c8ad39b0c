"""What a fake registry holds, and the answers that the distribution protocol wants for it."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from millefeuille.annotations import Any
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.testing.faults import Fault
from millefeuille.values import dataclass, field

_NAME = r"/v2/(?P<name>[a-z0-9/._-]+?)"
_ROUTES = [
    (re.compile(r"/v2/?$"), "ping"),
    (re.compile(r"/token$"), "token"),
    (re.compile(rf"{_NAME}/manifests/(?P<reference>[^/]+)$"), "manifest"),
    (re.compile(rf"{_NAME}/blobs/uploads/(?P<session>[^/]*)$"), "upload"),
    (re.compile(rf"{_NAME}/blobs/(?P<digest>[^/]+)$"), "blob"),
    (re.compile(rf"{_NAME}/tags/list$"), "tags"),
]


@dataclass(kw_only=True)
class Reply:
    """An answer to be sent."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(kw_only=True)
class Content:
    """Blobs, manifests and accounts. `auth` is "", "basic" or "bearer"; `users` maps names to passwords.

    `anonymous` lets reads through without an account. `realm` is the token server's address in challenges.
    `lifetime` is what tokens are said to live, in seconds.
    """

    auth: str = ""
    users: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False
    realm: str = ""
    lifetime: int | None = 300
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    page: int = 1000
    patched: int = 202  # the status of an accepted chunk
    lenient: bool = False  # take chunks out of order, as old registries do
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    sessions: dict[str, bytearray] = field(default_factory=dict)
    tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add_blob(self, repository: str, data: bytes, media_type: str = mediatype.OCI_LAYER) -> Descriptor:
        """Put a blob there; its descriptor."""
        digest = Digest.of(data)
        self.blobs[repository, str(digest)] = data
        return Descriptor(media_type=media_type, digest=digest, size=len(data))

    def add_manifest(
        self, repository: str, raw: bytes, media_type: str = mediatype.OCI_MANIFEST, tag: str | None = None
    ) -> Descriptor:
        """Put a manifest there, under its digest and `tag`; its descriptor."""
        digest = Digest.of(raw)
        for name in (str(digest), tag):
            if name is not None:
                self.manifests[repository, name] = (media_type, raw)
        return Descriptor(media_type=media_type, digest=digest, size=len(raw))

    def add_image(
        self,
        repository: str,
        tag: str | None,
        layers: Sequence[bytes],
        config: Mapping[str, Any] | None = None,
        layer_type: str = mediatype.OCI_LAYER_GZIP,
    ) -> Descriptor:
        """Put an image of these layers there; its manifest's descriptor."""
        raw_config = json.dumps(config or {"architecture": "amd64", "os": "linux"}).encode()
        described = self.add_blob(repository, raw_config, mediatype.OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": mediatype.OCI_MANIFEST,
            "config": described.to_json(),
            "layers": [self.add_blob(repository, layer, layer_type).to_json() for layer in layers],
        }
        return self.add_manifest(repository, json.dumps(manifest).encode(), tag=tag)


def answer(registry: Content, method: str, path: str, headers: Message, body: bytes, fault: Fault) -> Reply:
    """What the protocol wants as the answer to a request."""
    parts = urlsplit(path)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    scopes = parse_qs(parts.query).get("scope", [])
    routes = ((pattern.match(parts.path), kind) for pattern, kind in _ROUTES)
    matched, kind = next((route for route in routes if route[0]), (None, ""))
    if matched is None:
        return _error(404, "NAME_UNKNOWN")
    if kind == "token":
        return _token(registry, headers, query, scopes, body)
    fields = matched.groupdict()
    refused = _authorize(registry, method, headers, fields.get("name"))
    if refused is not None:
        return refused
    handlers: dict[str, Callable[[], Reply]] = {
        "ping": lambda: Reply(status=200, body=b"{}"),
        "manifest": lambda: _manifest(registry, method, fields["name"], fields["reference"], headers, body),
        "upload": lambda: _upload(registry, method, fields["name"], fields["session"], query, headers, body),
        "blob": lambda: _blob(registry, fields["name"], fields["digest"], headers, fault),
        "tags": lambda: _tags(registry, fields["name"], query),
    }
    return handlers[kind]()


def _error(status: int, code: str, message: str | None = None) -> Reply:
    texts = {"MANIFEST_UNKNOWN": "manifest unknown", "UNAUTHORIZED": "authentication required"}
    text = message or texts.get(code, code.lower().replace("_", " "))
    body = json.dumps({"errors": [{"code": code, "message": text, "detail": None}]}).encode()
    return Reply(status=status, headers={"Content-Type": "application/json"}, body=body)


def _authorize(registry: Content, method: str, headers: Message, name: str | None) -> Reply | None:
    given = headers.get("Authorization", "")
    if not registry.auth or (registry.anonymous and method in ("GET", "HEAD") and name):
        return None
    if registry.auth == "basic":
        if _user(registry, given):
            return None
        challenge = 'Basic realm="Registry"'
    else:
        action = "pull" if method in ("GET", "HEAD") else "push"
        held = registry.tokens.get(given.removeprefix("Bearer "))
        if held is not None and (name is None or f"{name}:{action}" in held):
            return None
        realm = registry.realm
        actions = "pull" if action == "pull" else "pull,push"
        challenge = f'Bearer realm="{realm}",service="fake"'
        challenge += f',scope="repository:{name}:{actions}"' if name else ""
        challenge += ',error="insufficient_scope"' if held is not None else ""
    reply = _error(401, "UNAUTHORIZED")
    reply.headers["WWW-Authenticate"] = challenge
    return reply


def _user(registry: Content, given: str) -> str | None:
    try:
        pair = base64.b64decode(given.removeprefix("Basic ")).decode(errors="surrogateescape")
    except ValueError:
        return None
    name, _, password = pair.partition(":")
    return name if name and registry.users.get(name) == password else None


def _token(
    registry: Content, headers: Message, query: Mapping[str, str], scopes: list[str], body: bytes
) -> Reply:
    form = {key: values[-1] for key, values in parse_qs(body.decode()).items()}
    user: str | None = None
    if form.get("grant_type") == "refresh_token":
        user = registry.refresh_tokens.get(form.get("refresh_token", ""))
        scopes = form.get("scope", "").split()
        if user is None:
            return Reply(status=401, body=b'{"error":"invalid_grant"}')
    elif headers.get("Authorization"):
        user = _user(registry, headers["Authorization"])
        if user is None:
            return Reply(status=401, body=b'{"details":"incorrect username or password"}')
    granted = []
    for scope in scopes:
        _, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        granted += [f"{name}:{a}" for a in actions.split(",") if user or (registry.anonymous and a == "pull")]
    token = f"token-{uuid.uuid4().hex}"
    registry.tokens[token] = tuple(granted)
    answer: dict[str, Any] = {"token": token}
    if registry.lifetime is not None:
        answer["expires_in"] = registry.lifetime
    if query.get("offline_token") == "true" and user:
        answer["refresh_token"] = f"refresh-{uuid.uuid4().hex}"
        registry.refresh_tokens[answer["refresh_token"]] = user
    return Reply(status=200, headers={"Content-Type": "application/json"}, body=json.dumps(answer).encode())


def _manifest(
    registry: Content, method: str, name: str, reference: str, headers: Message, body: bytes
) -> Reply:
    if method == "PUT":
        digest = Digest.of(body)
        if ":" in reference and reference != str(digest):
            return _error(400, "DIGEST_INVALID")
        tag = None if ":" in reference else reference
        registry.add_manifest(name, body, headers.get("Content-Type", ""), tag)
        return Reply(status=201, headers={"Docker-Content-Digest": str(digest)})
    if (name, reference) not in registry.manifests:
        return _error(404, "MANIFEST_UNKNOWN")
    media_type, raw = registry.manifests[name, reference]
    return Reply(
        status=200,
        headers={"Content-Type": media_type, "Docker-Content-Digest": str(Digest.of(raw))},
        body=raw,
    )


def _blob(registry: Content, name: str, digest: str, headers: Message, fault: Fault) -> Reply:
    data = registry.blobs.get((name, digest))
    if data is None:
        return _error(404, "BLOB_UNKNOWN")
    found = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("Range", ""))
    if not wanted or fault.ignore_range:
        return Reply(status=200, headers=found, body=data)
    start, end = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
    if start >= len(data):
        return Reply(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
    found["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
    return Reply(status=206, headers=found, body=data[start : end + 1])


def _upload(
    registry: Content,
    method: str,
    name: str,
    session: str,
    query: Mapping[str, str],
    headers: Message,
    body: bytes,
) -> Reply:
    if method == "POST":
        mounted = registry.blobs.get((query.get("from", ""), query.get("mount", "")))
        if mounted is not None:
            registry.blobs[name, query["mount"]] = mounted
            return Reply(status=201, headers={"Docker-Content-Digest": query["mount"]})
        session = uuid.uuid4().hex
        registry.sessions[session] = bytearray()
    elif session not in registry.sessions:
        return _error(404, "BLOB_UPLOAD_UNKNOWN")
    held = registry.sessions[session]
    if method in ("PATCH", "PUT"):
        start = headers.get("Content-Range", f"{len(held)}-").partition("-")[0]
        if int(start) != len(held) and not registry.lenient:
            return Reply(status=416, headers={"Range": f"0-{max(len(held) - 1, 0)}"})
        held += body
    if method == "PUT":
        digest = str(Digest.of(bytes(held)))
        del registry.sessions[session]
        if digest != query.get("digest"):
            return _error(400, "DIGEST_INVALID")
        registry.blobs[name, digest] = bytes(held)
        return Reply(status=201, headers={"Docker-Content-Digest": digest})
    location = f"/v2/{name}/blobs/uploads/{session}?_state=secret"
    found = {"Location": location, "Range": f"0-{max(len(held) - 1, 0)}"}
    statuses = {"GET": 204, "PATCH": registry.patched}
    return Reply(status=statuses.get(method, 202), headers=found)


def _tags(registry: Content, name: str, query: Mapping[str, str]) -> Reply:
    tags = sorted({tag for owner, tag in registry.manifests if owner == name and ":" not in tag})
    if not any(owner == name for owner, _ in registry.manifests):
        return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
    rest = [tag for tag in tags if tag > query.get("last", "")]
    size = min(int(query.get("n", registry.page)), registry.page)
    headers = {"Content-Type": "application/json"}
    if len(rest) > size:
        headers["Link"] = f'</v2/{name}/tags/list?n={size}&last={rest[size - 1]}>; rel="next"'
    return Reply(status=200, headers=headers, body=json.dumps({"name": name, "tags": rest[:size]}).encode())
