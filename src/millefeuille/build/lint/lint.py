"""All rules, applied to a Dockerfile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Location
from millefeuille.build.lint.catalogue import RULES
from millefeuille.build.lint.facts import BaseFacts, Ignored
from millefeuille.build.lint.gathering import gathered
from millefeuille.build.lint.options import Options, inline_options, read_options
from millefeuille.build.lint.rule import Warning
from millefeuille.oci.platform import Platform

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


def lint(
    dockerfile: Dockerfile,
    *,
    build_args: Mapping[str, str],
    predefined: Mapping[str, str],
    target: Platform,
    bases: Mapping[int, BaseFacts] | None = None,
    ignored: Ignored | None = None,
) -> Report:
    """The rules that a Dockerfile breaks.

    `bases` is what is known of base images, by the index of the stage that stands on one; in a stage
    whose base is unknown nobody can say which variables are undefined. `ignored` is the context's ignore
    file, None when there is none or it has exceptions. Raises DockerfileError for options that cannot be
    read and a global scope that is wrong.
    """
    general = _general(dockerfile, build_args.get(OPTIONS_ARG))
    inline = _inline(dockerfile)
    facts = gathered(
        dockerfile,
        build_args=build_args,
        predefined=predefined,
        target=target,
        bases=bases or {},
        ignored=ignored,
    )
    warnings = []
    failed = False
    for rule in RULES:
        for found in rule.look(facts):
            options = general.with_more(inline.get(found.location, Options()))
            if not options.uses(rule.name, rule.experimental):
                continue
            failed = failed or options.error
            warnings.append(
                Warning(
                    rule=rule.name,
                    description=rule.description,
                    url=rule.url,
                    message=found.message,
                    location=found.location,
                )
            )
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
