"""The words of every EXPOSE, read: what two rules look at."""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.instructions import Expose
from millefeuille.build.dockerfile.ports import Port, exposed
from millefeuille.build.lint.facts import Facts


def exposed_words(facts: Facts) -> Iterable[tuple[str, Port, Expose]]:
    """Each word after expansion, what it means, and its instruction. Words that mean nothing are left out."""
    for stage in facts.stages:
        for step in stage.steps:
            one = step.written
            if isinstance(one, Expose):
                for text in one.ports:
                    try:
                        for word in step.scope.look(text).words:
                            yield word, exposed(word), one
                    except Complaint:
                        continue
