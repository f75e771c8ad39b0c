"""The build checks: what each finds, in BuildKit's words, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.lint.catalogue import RULES
from millefeuille.build.lint.facts import Around, BaseFacts
from millefeuille.build.lint.lint import Report, lint
from millefeuille.build.scope import platform_args
from millefeuille.oci.platform import Platform

AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")
PREDEFINED = platform_args(AMD64, AMD64, "")


@dataclass
class Names:
    """An ignore file that names files."""

    patterns: Sequence[str]

    def leaves_out(self, path: str) -> bool:
        return any(path == one or path.startswith(one + "/") for one in self.patterns)


def checked(
    text: str,
    *,
    bases: Mapping[int, BaseFacts] | None = None,
    ignored: Names | None = None,
    **build_args: str,
) -> Report:
    around = Around(
        build_args=build_args, predefined=PREDEFINED, target=AMD64, bases=bases or {}, ignored=ignored
    )
    return lint(parse(text.encode()), around)


def found(text: str, rule: str, *, ignored: Names | None = None) -> list[tuple[int, str]]:
    """The line and message of each warning of one rule; base images of all stages are known to be bare."""
    bases = {index: BaseFacts(environment={"PATH": "/bin"}) for index in range(9)}
    report = checked(text, bases=bases, ignored=ignored)
    return [(one.location.first, one.message) for one in report.warnings if one.rule == rule]


F = "FROM x\n"
MULTIPLE = (
    "Multiple {} instructions should not be used in the same stage because only the last one will be used"
)
JSON = "JSON arguments recommended for {} to prevent unintended behavior related to OS signals"
REDUNDANT = "Setting platform to predefined {} in FROM is redundant as this is the default behavior"
MAJORITY = "Command '{}' should match the case of the command majority ({})"
SECRET = "Do not use ARG or ENV instructions for sensitive data ({})"
FORMAT = "EXPOSE instruction should not define an IP address or host-port mapping, found '{}'"
RELATIVE = 'Relative workdir "{}" can have unexpected results if the base image changes'
DEFAULT = "Default value for ARG {} results in empty or invalid base image name"
DESCRIPTION = "Comment for {} should follow the format: `# {} <description>`"
EXPERIMENTAL = "# check=experimental=all\n"

# rule: (text, warnings)
CASES: list[tuple[str, str, list[tuple[int, str]]]] = [
    ("StageNameCasing", "FROM x AS Build", [(1, "Stage name 'Build' should be lowercase")]),
    ("StageNameCasing", "FROM x AS build-1", []),
    ("FromAsCasing", "FROM x as y", [(1, "'as' and 'FROM' keywords' casing do not match")]),
    ("FromAsCasing", "from x AS y", [(1, "'AS' and 'from' keywords' casing do not match")]),
    ("FromAsCasing", "FROM x aS y", [(1, "'aS' and 'FROM' keywords' casing do not match")]),
    ("FromAsCasing", "FROM x AS y\nFROM x", []),
    ("FromAsCasing", "from x as y", []),
    ("FromAsCasing", "From x AS y", []),
    ("NoEmptyContinuation", F + "RUN a \\\n\n  b", [(4, "Empty continuation line")]),
    ("NoEmptyContinuation", F + "RUN a \\\n# c\n  b\n\nRUN c \\\n", []),
    ("ConsistentInstructionCasing", F + "run a\nRUN b", [(2, MAJORITY.format("run", "uppercase"))]),
    ("ConsistentInstructionCasing", "from x\nRUN a\nrun b", [(2, MAJORITY.format("RUN", "lowercase"))]),
    ("ConsistentInstructionCasing", "From x\nRUN a", [(1, MAJORITY.format("From", "uppercase"))]),
    ("ConsistentInstructionCasing", F + "run a", [(2, MAJORITY.format("run", "uppercase"))]),
    ("ConsistentInstructionCasing", "from x\nrun a", []),
    (
        "DuplicateStageName",
        "FROM x AS a\nFROM x AS A\nFROM x\nFROM x",
        [(2, 'Duplicate stage name "a", stage names should be unique')],
    ),
    ("DuplicateStageName", "FROM x AS a\nFROM a AS b", []),
    (
        "ReservedStageName",
        "FROM x AS scratch\nFROM x AS Context",
        [
            (1, 'Stage name should not use the same name as reserved stage "scratch"'),
            (2, 'Stage name should not use the same name as reserved stage "context"'),
        ],
    ),
    ("ReservedStageName", "FROM scratch AS a", []),
    (
        "JSONArgsRecommended",
        F + "CMD a\nENTRYPOINT b",
        [(2, JSON.format("CMD")), (3, JSON.format("ENTRYPOINT"))],
    ),
    ("JSONArgsRecommended", F + 'CMD ["a"]\nENTRYPOINT ["b"]\nHEALTHCHECK CMD c\nRUN d', []),
    ("JSONArgsRecommended", F + 'SHELL ["a"]\nCMD b', []),
    ("JSONArgsRecommended", F + 'CMD b\nSHELL ["a"]', [(2, JSON.format("CMD"))]),
    ("JSONArgsRecommended", 'FROM x AS p\nSHELL ["a"]\nFROM p\nCMD b', []),
    ("JSONArgsRecommended", 'FROM x AS p\nSHELL ["a"]\nFROM x\nCMD b', [(4, JSON.format("CMD"))]),
    (
        "MaintainerDeprecated",
        F + "MAINTAINER a",
        [(2, "Maintainer instruction is deprecated in favor of using label")],
    ),
    ("MaintainerDeprecated", F + "LABEL maintainer=a", []),
    ("UndefinedArgInFrom", "FROM x:$VERSION", [(1, "FROM argument 'VERSION' is not declared")]),
    (
        "UndefinedArgInFrom",
        "ARG VERSION\nFROM x:$VERSON",
        [(2, "FROM argument 'VERSON' is not declared (did you mean VERSION?)")],
    ),
    (
        "UndefinedArgInFrom",
        "FROM --platform=$BULIDPLATFORM x",
        [(1, "FROM argument 'BULIDPLATFORM' is not declared (did you mean BUILDPLATFORM?)")],
    ),
    ("UndefinedArgInFrom", "ARG VERSION\nFROM x$VERSION\nFROM --platform=$BUILDPLATFORM y", []),
    ("UndefinedArgInFrom", "FROM ${A:-x}", []),
    ("WorkdirRelativePath", F + "WORKDIR a\nWORKDIR b", [(2, RELATIVE.format("a"))]),
    ("WorkdirRelativePath", F + "WORKDIR /a\nWORKDIR b", []),
    ("WorkdirRelativePath", F + "ARG P=/a\nWORKDIR $P", []),
    ("WorkdirRelativePath", "FROM x AS p\nWORKDIR /a\nFROM p\nWORKDIR b", []),
    ("WorkdirRelativePath", "FROM x AS p\nWORKDIR /a\nFROM y\nWORKDIR b", [(4, RELATIVE.format("b"))]),
    ("UndefinedVar", F + "COPY $foo .", [(2, "Usage of undefined variable '$foo'")]),
    (
        "UndefinedVar",
        F + "ENV PATH=$PAHT:/x",
        [(2, "Usage of undefined variable '$PAHT' (did you mean $PATH?)")],
    ),
    (
        "UndefinedVar",
        F + "ARG DIR_ASSETS=a/\nARG DIR_CONFIG=c/\nCOPY $DIR_ASSET .",
        [(4, "Usage of undefined variable '$DIR_ASSET' (did you mean $DIR_ASSETS?)")],
    ),
    ("UndefinedVar", "ARG A=1\n" + F + "LABEL a=$A", [(3, "Usage of undefined variable '$A'")]),
    ("UndefinedVar", F + "ARG A\nCOPY $A .\nENV B=1\nENV C=$B PATH=$PATH:/y\nRUN $D\nCMD $E", []),
    ("UndefinedVar", F + "ENV A=${B:-1} C=${D+1} E='$F' G=\\$H", []),
    ("UndefinedVar", "FROM x AS p\nARG A=1\nFROM p\nENV B=$A", []),
    (
        "UndefinedVar",
        F + "COPY <<A /f\n$v\nA\nCOPY <<'B' /f\n$w\nB",
        [(2, "Usage of undefined variable '$v'")],
    ),
    ("MultipleInstructionsDisallowed", F + 'CMD ["a"]\nRUN b\nCMD ["c"]', [(2, MULTIPLE.format("CMD"))]),
    (
        "MultipleInstructionsDisallowed",
        F + "HEALTHCHECK NONE\nHEALTHCHECK CMD a\nENTRYPOINT []\nENTRYPOINT []",
        [(2, MULTIPLE.format("HEALTHCHECK")), (4, MULTIPLE.format("ENTRYPOINT"))],
    ),
    ("MultipleInstructionsDisallowed", "FROM x AS a\nCMD []\nFROM a\nCMD []\nENTRYPOINT []", []),
    (
        "LegacyKeyValueFormat",
        F + "ENV a b\nLABEL c d\nENV e=f",
        [
            (2, '"ENV key=value" should be used instead of legacy "ENV key value" format'),
            (3, '"LABEL key=value" should be used instead of legacy "LABEL key value" format'),
        ],
    ),
    (
        "RedundantTargetPlatform",
        "FROM --platform=$TARGETPLATFORM x",
        [(1, REDUNDANT.format("$TARGETPLATFORM"))],
    ),
    (
        "RedundantTargetPlatform",
        "FROM --platform=${TARGETPLATFORM} x",
        [(1, REDUNDANT.format("${TARGETPLATFORM}"))],
    ),
    (
        "RedundantTargetPlatform",
        "FROM --platform=$BUILDPLATFORM x\nFROM --platform=linux/amd64 x\nFROM x",
        [],
    ),
    (
        "SecretsUsedInArgOrEnv",
        F + "ARG API_KEY\nENV GITHUB_TOKEN=a auth=b USER_PASSWORD=c\nARG Secret=d",
        [
            (2, SECRET.format('ARG "API_KEY"')),
            (3, SECRET.format('ENV "GITHUB_TOKEN"')),
            (3, SECRET.format('ENV "auth"')),
            (3, SECRET.format('ENV "USER_PASSWORD"')),
            (4, SECRET.format('ARG "Secret"')),
        ],
    ),
    (
        "SecretsUsedInArgOrEnv",
        F + "ARG PUBLIC_KEY TOKEN_FILE KEY_VERSION MONKEY KEYBOARD\nENV author=a TOKENS=b",
        [],
    ),
    ("InvalidDefaultArgInFrom", "ARG T\nFROM x:$T", [(2, DEFAULT.format("x:$T"))]),
    ("InvalidDefaultArgInFrom", "ARG I\nFROM ${I}", [(2, DEFAULT.format("${I}"))]),
    ("InvalidDefaultArgInFrom", "ARG T=1\nFROM x:$T\nFROM y${A:+:z}", []),
    (
        "FromPlatformFlagConstDisallowed",
        "FROM --platform=linux/amd64 x AS build\nFROM --platform=arm64 x",
        [
            (1, 'FROM --platform flag should not use constant value "linux/amd64"'),
            (2, 'FROM --platform flag should not use constant value "arm64"'),
        ],
    ),
    (
        "FromPlatformFlagConstDisallowed",
        "FROM --platform=linux/amd64 x AS build_amd64\nFROM --platform=linux/arm64 x AS linux\n"
        "FROM --platform=$BUILDPLATFORM x",
        [],
    ),
    (
        "ExposeProtoCasing",
        F + "EXPOSE 80/TcP 81/udp 82",
        [(2, "Defined protocol '80/TcP' in EXPOSE instruction should be lowercase")],
    ),
    (
        "ExposeInvalidFormat",
        F + "EXPOSE 127.0.0.1:80:80 8080:80/tcp 80 [::1]:1:2",
        [
            (2, FORMAT.format("127.0.0.1:80:80")),
            (2, FORMAT.format("8080:80/tcp")),
            (2, FORMAT.format("[::1]:1:2")),
        ],
    ),
    (
        "InvalidDefinitionDescription",
        EXPERIMENTAL
        + "# the version\nARG V=1\n# two\nARG A B\n# base it is\nFROM x AS base\n# no\nFROM x\nRUN a",
        [(3, DESCRIPTION.format("ARG", "V")), (5, DESCRIPTION.format("ARG", "<arg_key>"))],
    ),
    (
        "InvalidDefinitionDescription",
        EXPERIMENTAL + "# the base\nFROM x AS base\n# not it\n\nARG A\n# not it\n#\nARG B\n# C is it\nARG C",
        [(3, DESCRIPTION.format("FROM", "base"))],
    ),
    ("InvalidDefinitionDescription", "# the version\nARG V=1\nFROM x", []),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_rule(number: int) -> None:
    rule, text, expected = CASES[number]
    assert found(text, rule) == expected


def test_every_rule_is_tried() -> None:
    assert len(RULES) == 22
    tried = {rule for rule, _, warnings in CASES if warnings}
    assert {rule.name for rule in RULES} - tried == {"CopyIgnoredFile", "InvalidBaseImagePlatform"}


def test_copy_ignored_file() -> None:
    ignored = Names(["a", "dir"])
    text = F + "COPY a b /\nADD ./dir/x /\nCOPY --from=q a /\nADD https://e/a /\nCOPY <<a /\na\n"
    text += 'COPY ["/a", "c"]\nCOPY . /'
    message = "Attempting to {} file {} that is excluded by .dockerignore"
    assert found(text, "CopyIgnoredFile", ignored=ignored) == [
        (2, message.format("Copy", '"a"')),
        (3, message.format("Add", '"dir/x"')),
        (8, message.format("Copy", '"a"')),
    ]
    assert found(F + "COPY . /", "CopyIgnoredFile", ignored=Names(["**"])) == [
        (2, message.format("Copy", '"."'))
    ]
    assert found(text, "CopyIgnoredFile") == []


def test_invalid_base_image_platform() -> None:
    bases = {0: BaseFacts(platform=ARM64), 1: BaseFacts(platform=ARM64), 2: BaseFacts(platform=AMD64)}
    report = checked("FROM x AS a\nFROM --platform=$BUILDPLATFORM y\nFROM z\nFROM a", bases=bases)
    assert [one.message for one in report.warnings if one.rule == "InvalidBaseImagePlatform"] == [
        'Base image x was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
        'Base image y was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
    ]


def test_variables_of_an_unknown_base_are_not_undefined() -> None:
    text = "FROM x AS a\nENV A=$JAVA_HOME\nFROM a\nENV B=$JAVA_HOME\nFROM scratch\nENV C=$JAVA_HOME"
    report = checked(text)
    assert [(one.rule, one.location.first) for one in report.warnings] == [("UndefinedVar", 6)]


def test_a_shell_of_the_base_image() -> None:
    assert not checked(F + "CMD a", bases={0: BaseFacts(shell=True)}).warnings


def names(text: str, **build_args: str) -> list[str]:
    return [one.rule for one in checked(text, **build_args).warnings]


BAD = "FROM x as Y\nMAINTAINER z"


def test_options() -> None:
    assert names(BAD) == ["FromAsCasing", "StageNameCasing", "MaintainerDeprecated"]
    assert names("# check=skip=FromAsCasing, StageNameCasing\n" + BAD) == ["MaintainerDeprecated"]
    assert names("# check=skip=all\n" + BAD) == []
    assert names("# check=skip=all\n" + BAD, BUILDKIT_DOCKERFILE_CHECK="skip=FromAsCasing") == [
        "StageNameCasing",
        "MaintainerDeprecated",
    ]
    assert names("# check=experimental=InvalidDefinitionDescription\n# x\nARG A=1\nFROM y") == [
        "InvalidDefinitionDescription"
    ]
    assert names("# check=skip=all;experimental=all\n# x\nARG A=1\nFROM y") == [
        "InvalidDefinitionDescription"
    ]


def test_an_error_when_asked_for() -> None:
    assert not checked(BAD).failed
    assert not checked("# check=error=true\nFROM x").failed
    report = checked("# check=error=true\n" + BAD)
    assert report.failed
    assert report.failure() == (
        "lint violation found for rules: FromAsCasing, StageNameCasing, MaintainerDeprecated"
    )


def test_a_comment_holds_for_a_gap_too() -> None:
    text = "FROM x\n# check=skip=NoEmptyContinuation\nRUN a \\\n\n b\nRUN a \\\n\n b"
    assert [one.location for one in checked(text).warnings] == [(8, 8)]


def test_comments_above_an_instruction_hold_for_it_alone() -> None:
    text = F + "# check=skip=LegacyKeyValueFormat\nENV a b\nENV c d\n"
    assert [one.location.first for one in checked(text).warnings] == [4]
    assert checked(F + "# check=error=true\nMAINTAINER a").failed
    assert not checked("FROM x\n# check=error=true\nENV a=b\nMAINTAINER a").failed
    # Above anything else it is a comment like any other.
    assert names(F + "# check=skip=all\n\nMAINTAINER a") == ["MaintainerDeprecated"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("# check=nonsense\nFROM x", 'Dockerfile:1: invalid check option "nonsense"'),
        ("# check=size=1\nFROM x", 'Dockerfile:1: invalid check option "size"'),
        (
            "# check=error=maybe\nFROM x",
            'Dockerfile:1: failed to parse check option "error=maybe": invalid syntax',
        ),
        (F + "# check=x\nRUN a", 'Dockerfile:3: invalid check option "x"'),
    ],
)
def test_wrong_options(text: str, error: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        checked(text)
    assert str(caught.value) == error


def test_pages() -> None:
    pages = {rule.name: rule.url for rule in RULES}
    assert pages["JSONArgsRecommended"] == "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/"
    for name, url in pages.items():
        assert url.rsplit("/", 2)[1].replace("-", "") == name.lower()
