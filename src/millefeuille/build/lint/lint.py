"""All rules, applied to a Dockerfile."""

from __future__ import annotations

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Location
from millefeuille.build.lint.catalogue import RULES
from millefeuille.build.lint.facts import Around
from millefeuille.build.lint.gathering import gathered
from millefeuille.build.lint.options import Options, inline_options, read_options
from millefeuille.build.lint.rule import Warning
from millefeuille.values import dataclass

OPTIONS_ARG = "BUILDKIT_DOCKERFILE_CHECK"
"""The build argument that stands in the directive's place when it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found, by line. `failed` says that a warning was asked to be an error."""

    warnings: tuple[Warning, ...]
    failed: bool

    def failure(self) -> str:
        """The text of that error."""
        rules = dict.fromkeys(warning.rule for warning in self.warnings)
        return f"lint violation found for rules: {', '.join(rules)}"


def lint(dockerfile: Dockerfile, around: Around) -> Report:
    """The rules that a Dockerfile breaks.

    Raises DockerfileError for options that cannot be read and a global scope that is wrong.
    """
    general = _general(dockerfile, around.build_args.get(OPTIONS_ARG))
    inline = _inline(dockerfile)
    facts = gathered(dockerfile, around)
    judged = [(rule, found) for rule in RULES for found in rule.look(facts)]
    warnings, failed = [], False
    for rule, found in judged:
        options = general.with_more(inline.get(found.instruction or found.location, Options()))
        if options.uses(rule.name, rule.experimental):
            failed = failed or options.error
            warnings.append(rule.warning(found))
    warnings.sort(key=lambda warning: (warning.location.first, warning.rule))
    return Report(warnings=tuple(warnings), failed=failed)


def _general(dockerfile: Dockerfile, given: str | None) -> Options:
    try:
        return read_options(dockerfile.check.value if given is None else given)
    except Complaint as error:
        line = dockerfile.check.line if given is None else 0
        raise DockerfileError(error.message, name=dockerfile.name, line=line) from None


def _inline(dockerfile: Dockerfile) -> dict[Location, Options]:
    found = {}
    stages = [one for stage in dockerfile.stages for one in (stage.from_, *stage.instructions)]
    for one in (*dockerfile.global_args, *stages):
        if not one.comments:
            continue
        try:
            found[one.location] = inline_options(one.comments)
        except Complaint as error:
            raise DockerfileError(error.message, name=dockerfile.name, line=one.location.first) from None
    return found
