"""The variables of a Dockerfile: which of ARG and ENV an instruction sees, and with what value.

The rules are those of the Dockerfile reference, "ARG", sections "Scope" and "Using ARG variables".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Final
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.expand import Expanded, expand
from millefeuille.build.dockerfile.instructions import Arg, Instruction
from millefeuille.build.dockerfile.lexing import Lexing
from millefeuille.oci.platform import Platform
from millefeuille.values import dataclass, field, replace

PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
"""Known without ARG, in capitals or not; commands see both spellings."""

_BODY: Final = Lexing(skip_quotes=True)
_NEVER_EXPORTED: Final = ("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE")
_BUILDER_ARGS: Final = (
    "BUILDKIT_BUILD_NAME",
    "BUILDKIT_CACHE_MOUNT_NS",
    "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
    "BUILDKIT_DOCKERFILE_CHECK",
    "BUILDKIT_INLINE_CACHE",
    "BUILDKIT_MULTI_PLATFORM",
    "BUILDKIT_SANDBOX_HOSTNAME",
    "BUILDKIT_SYNTAX",
    "SOURCE_DATE_EPOCH",
    *_NEVER_EXPORTED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The variables before the first FROM, or at one place in a stage. Each change gives a new value.

    `variables` are those that expansion sees, and in a stage also those that commands get, in order.
    `arguments` are the ARGs of the stage and of the stages it stands on, in the order of their first
    declaration, with their values; None for one without. `file` and `escape` are the Dockerfile's name
    and its escape character.
    """

    file: str = "Dockerfile"
    escape: str = "\\"
    build_args: Mapping[str, str] = field(default_factory=dict)
    globals: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str | None] = field(default_factory=dict)

    def stage(self, environment: Iterable[tuple[str, str]]) -> Scope:
        """The scope at the beginning of a stage whose base image has that environment; this one is global."""
        return replace(self, globals=self.variables, variables=dict(environment), arguments={})

    def child(self) -> Scope:
        """The scope at the beginning of a stage that stands on the one which this is the end of."""
        return self

    def with_env(self, pairs: Iterable[tuple[str, str]]) -> Scope:
        """After an ENV, or more of the environment."""
        return replace(self, variables={**self.variables, **dict(pairs)})

    def with_arg(self, name: str, value: str | None) -> Scope:
        """After an ARG with that value.

        As `argument` gives it: it hides an ENV of the same name from here on.
        """
        arguments = {**self.arguments, name: value}
        if value is None or name in _NEVER_EXPORTED:
            return replace(self, arguments=arguments)
        return replace(self, arguments=arguments, variables={**self.variables, name: value})

    def argument(self, name: str, default: str | None) -> str | None:
        """The value that an ARG takes here: the build's own, else its default, else the one of the global
        scope.

        None where there is none of these. Raises Complaint where the default cannot be expanded.
        """
        if name in self.build_args:
            return self.build_args[name]
        return self.globals.get(name) if default is None else self.expand(default)

    def expand(self, text: str) -> str:
        """`text` with the variables in it replaced. Raises Complaint as `dockerfile.expand.expand` does."""
        return self.look(text).text

    def look(self, text: str) -> Expanded:
        """`text` expanded, with the words it splits into and the variables it asked for. Raises Complaint."""
        return expand(text, self.variables, Lexing(escape=self.escape))

    def body(self, text: str) -> str:
        """The body of a here-document, expanded: with the default escape character, and quotes left as
        they are.

        Raises Complaint.
        """
        return self.look_into(text).text

    def look_into(self, text: str) -> Expanded:
        """As `body`, with the variables it asked for. Raises Complaint."""
        return expand(text, self.variables, _BODY)

    def declares(self, name: str) -> bool:
        """Whether an ARG of the stage, or of one below it, has that name."""
        return name in self.arguments

    def run_env(self) -> Sequence[tuple[str, str]]:
        """The environment of a command: the image's, ENV and the ARGs that have a value.

        Without the proxies.
        """
        return tuple(self.variables.items())

    def proxies(self) -> Sequence[tuple[str, str]]:
        """The proxy variables that were given as build arguments, in both spellings, unless ARG declares
        them.

        They belong to the environment of commands, and neither to keys nor to the history.
        """
        found = []
        for name in PROXIES:
            value = self.build_args.get(name, self.build_args.get(name.lower()))
            if value is not None:
                found += [(one, value) for one in (name, name.lower()) if not self.declares(one)]
        return found

    def history_args(self) -> Sequence[tuple[str, str]]:
        """What the history of a RUN shows of the ARGs declared so far.

        Each with what a command sees of it.
        """
        return [
            (name, self.variables.get(name, "" if value is None else value))
            for name, value in self.arguments.items()
        ]


def platform_args(build: Platform, target: Platform, stage: str) -> dict[str, str]:
    """The predefined arguments. `stage` is the name that --target gave, empty without it."""
    found = {}
    for prefix, platform in (("BUILD", build), ("TARGET", target)):
        found[f"{prefix}PLATFORM"] = str(platform)
        found[f"{prefix}OS"] = platform.os
        found[f"{prefix}OSVERSION"] = platform.os_version
        found[f"{prefix}ARCH"] = platform.architecture
        found[f"{prefix}VARIANT"] = platform.variant
    found["TARGETSTAGE"] = stage or "default"
    return found


def global_scope(
    dockerfile: Dockerfile, build_args: Mapping[str, str], predefined: Mapping[str, str]
) -> Scope:
    """The scope that FROM sees: the predefined arguments (see `platform_args`) and the ARGs before the
    first FROM.

    Raises DockerfileError where the default of one cannot be expanded.
    """
    known = {name: build_args.get(name, value) for name, value in predefined.items()}
    scope = Scope(
        file=dockerfile.name, escape=dockerfile.escape, build_args=dict(build_args), variables=known
    )
    for instruction in dockerfile.global_args:
        for one in instruction.pairs:
            try:
                value = scope.argument(one.name, one.value)
            except Complaint as error:
                line = instruction.location.first
                raise DockerfileError(error.message, name=dockerfile.name, line=line) from None
            if value is not None:
                scope = scope.with_env([(one.name, value)])
    return scope


def unconsumed(
    dockerfile: Dockerfile, build_args: Iterable[str], predefined: Iterable[str],
    triggers: Iterable[Instruction] = (),
) -> list[str]:  # fmt: skip
    """The build arguments that no ARG of the file and none of `triggers`, instructions that base images add,
    declares, and no builder knows, sorted: Docker warns of them.
    """
    known = {*predefined, *_BUILDER_ARGS, *PROXIES, *map(str.lower, PROXIES)}
    stages = [instruction for stage in dockerfile.stages for instruction in stage.instructions]
    for instruction in (*dockerfile.global_args, *stages, *triggers):
        if isinstance(instruction, Arg):
            known.update(one.name for one in instruction.pairs)
    return sorted(set(build_args) - known)
