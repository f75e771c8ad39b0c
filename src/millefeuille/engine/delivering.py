"""The engine's delivery of a build that asks for more than an image of one platform in the store."""

from __future__ import annotations

import time
from collections.abc import Sequence

from millefeuille.build.journal import Account
from millefeuille.build.outputs import provenance, sbom
from millefeuille.build.outputs.attest import AttestWish
from millefeuille.build.outputs.attestation import Statement
from millefeuille.build.outputs.delivery import Delivered, Delivery, Doors, deliver, names_of
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.provenance import Facts
from millefeuille.build.plan import Plan
from millefeuille.build.request import Request
from millefeuille.oci.reference import Reference
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.values import replace


def deliver_all(
    store: Store, states: Sequence[Finished], plans: Sequence[Plan], request: Request,
    delivery: Delivery, wish: AttestWish | None, account: Account, doors: Doors, lease: Lease,
    *, dockerfile: str, source: bytes,
) -> Delivered:  # fmt: skip
    """Put the result, a state for each platform, to all places, with what is to be attested of it.

    Raises as `deliver` does.
    """
    if wish is not None and wish.anything:
        facts = _facts(plans, request, delivery, account, dockerfile, source)
        names = [name for output in delivery.outputs for name in names_of(delivery, output)]
        statements = tuple(
            tuple(_statements(store, state, facts, wish, _subjects(state, names))) for state in states
        )
        delivery = replace(delivery, statements=statements, oci_artifacts=wish.oci_artifacts)
    return deliver(store, states, delivery, doors, lease)


def _subjects(state: Finished, names: Sequence[Reference]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(provenance.subject(name, state.platform) for name in names))


def _statements(
    store: Store, state: Finished, facts: Facts, wish: AttestWish, subjects: tuple[str, ...]
) -> list[Statement]:
    found = []
    if wish.sbom:
        found.append(sbom.sbom(state, sbom.found_packages(store, state), subjects))
    if wish.provenance:
        found.append(provenance.provenance(facts, state, wish, subjects))
    return found


def _facts(
    plans: Sequence[Plan], request: Request, delivery: Delivery, account: Account, dockerfile: str,
    source: bytes,
) -> Facts:  # fmt: skip
    bases = {
        provenance.image_dependency(stage.base.name, stage.base.platform, stage.base.digest)
        for plan in plans
        for stage in plan.stages
        if not isinstance(stage.base, int) and stage.base.digest is not None
    }
    return Facts(
        invocation=account.id,
        started=account.started,
        ended=time.time_ns(),
        dockerfile=dockerfile,
        source=source,
        options={"target": request.target} if request.target else {},
        arguments=request.arguments,
        labels=delivery.labels,
        secrets=tuple(request.secrets),
        agents=(*request.agents, *request.keys),
        locals=("context", "dockerfile"),
        dependencies=tuple(bases),
        hermetic=request.network == "none",
    )
