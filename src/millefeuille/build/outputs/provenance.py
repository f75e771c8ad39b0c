"""Provenance: how a result was built, as SLSA's predicate with the fields that BuildKit gives it.

Source: SLSA 1.0, provenance; BuildKit, docs/attestations/slsa-definitions.md.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from millefeuille import __version__
from millefeuille.annotations import Any, Final
from millefeuille.build.outputs.attest import AttestWish
from millefeuille.build.outputs.attestation import Statement
from millefeuille.build.outputs.finished import Finished
from millefeuille.oci.digest import Digest
from millefeuille.oci.moment import rfc3339
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.values import dataclass, field

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
_TYPE: Final = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
_FRONTEND: Final = "dockerfile.v0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """Something from outside that went into a build, and its digests by algorithm."""

    uri: str
    digests: Mapping[str, str] = field(default_factory=dict, hash=False)

    def to_json(self) -> dict[str, Any]:
        """As a resource descriptor."""
        return {"uri": self.uri, **({"digest": dict(self.digests)} if self.digests else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a build. Times are in nanoseconds since 1970.

    `config` is a remote context, None for a local one; `dockerfile` the path of the Dockerfile and `source`
    its text. `options` are further words of the request (target, network), `locals` the names of local
    directories. `hermetic`: no command had a network. `vcs` is what the context's repository is said to be.
    """

    invocation: str
    started: int
    ended: int
    dockerfile: str = "Dockerfile"
    source: bytes = b""
    config: Dependency | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    locals: tuple[str, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    hermetic: bool = False
    vcs: Mapping[str, str] = field(default_factory=dict)


def image_dependency(name: str, platform: Platform, digest: Digest) -> Dependency:
    """A base image: `pkg:docker/alpine@3.17?platform=linux%2Famd64`. Raises InvalidReference."""
    reference = Reference.parse(name)
    tag = reference.tagged().tag if reference.digest is None else None
    version = tag or str(digest)
    path = quote(reference.familiar_name, safe="/")
    query = f"platform={quote(str(platform), safe='')}"
    if version != tag:
        query = f"digest={quote(version, safe=':')}&{query}"
        return Dependency(uri=f"pkg:docker/{path}?{query}", digests={digest.algorithm: digest.hex})
    uri = f"pkg:docker/{path}@{quote(version, safe='')}?{query}"
    return Dependency(uri=uri, digests={digest.algorithm: digest.hex})


def provenance(facts: Facts, finished: Finished, wish: AttestWish, subjects: tuple[str, ...]) -> Statement:
    """The statement about one platform's image, called `subjects` (package URLs).

    With the mode "min" neither values that were passed in nor the source is told.
    """
    is_whole = wish.provenance == "max"
    predicate = {
        "buildDefinition": {
            "buildType": _TYPE,
            "externalParameters": {"configSource": _config(facts), "request": _request(facts, is_whole)},
            "internalParameters": {
                **({"buildConfig": {"steps": [*_steps(finished)]}} if is_whole else {}),
                "builderPlatform": str(Platform.host()),
            },
            "resolvedDependencies": [
                one.to_json() for one in sorted(facts.dependencies, key=lambda one: one.uri)
            ],
        },
        "runDetails": {
            "builder": {"id": wish.builder, "version": {"millefeuille": __version__}},
            "metadata": _metadata(facts, wish, is_whole),
        },
    }
    return Statement(predicate_type=PROVENANCE, predicate=predicate, subjects=subjects)


def subject(name: Reference, platform: Platform) -> str:
    """An image's name as the subject of a statement."""
    path, tag = quote(name.familiar_name, safe="/"), quote(name.tag or "latest", safe="")
    return f"pkg:docker/{path}@{tag}?platform={quote(str(platform), safe='')}"


def _config(facts: Facts) -> dict[str, Any]:
    return {**(facts.config.to_json() if facts.config is not None else {}), "path": facts.dockerfile}


def _request(facts: Facts, is_whole: bool) -> dict[str, Any]:
    arguments = dict(facts.options)
    if is_whole:
        arguments |= {f"build-arg:{key}": value for key, value in facts.arguments.items()}
        arguments |= {f"label:{key}": value for key, value in facts.labels.items()}
    request: dict[str, Any] = {"frontend": _FRONTEND}
    if arguments:
        request["args"] = dict(sorted(arguments.items()))
    if is_whole and facts.secrets:
        request["secrets"] = [{"id": name, "optional": True} for name in sorted(facts.secrets)]
    if is_whole and facts.agents:
        request["ssh"] = [{"id": name, "optional": True} for name in sorted(facts.agents)]
    if facts.locals:
        request["locals"] = [{"name": name} for name in sorted(facts.locals)]
    return request


def _metadata(facts: Facts, wish: AttestWish, is_whole: bool) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if facts.vcs:
        told["vcs"] = dict(sorted(facts.vcs.items()))
    if is_whole and facts.source:
        data = base64.b64encode(facts.source).decode()
        told["source"] = {"infos": [{"filename": facts.dockerfile, "language": "Dockerfile", "data": data}]}
    return {
        "invocationId": facts.invocation,
        "startedOn": rfc3339(facts.started),
        "finishedOn": rfc3339(facts.ended),
        **({"buildkit_metadata": told} if told else {}),
        "buildkit_hermetic": facts.hermetic,
        "buildkit_completeness": {
            "request": is_whole or not (facts.arguments or facts.labels or facts.secrets or facts.agents),
            "resolvedDependencies": facts.config is not None and not facts.locals,
        },
        "buildkit_reproducible": wish.reproducible,
    }


def _steps(finished: Finished) -> Iterator[dict[str, Any]]:
    """The steps since the base image, with the layers that they made."""
    layers = iter(finished.layers[finished.base_layers :])
    for number, step in enumerate(finished.steps):
        layer = None if step.empty else next(layers, None)
        made = {"layer": str(layer.diff_id)} if layer is not None else {}
        yield {"id": f"step{number}", "createdBy": step.created_by, **made}
