"""The instructions of a Dockerfile, as parsed and before anything in them is expanded.

Every value carries where it stands (`location`), how the user wrote it (`original`: one logical line, without
the bodies of here-documents) and the comment lines directly above it (`comments`, without `#`).
"""

from __future__ import annotations

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.values import dataclass


class Location(NamedTuple):
    """The first and the last line of an instruction, here-documents included, counted from 1."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What all instructions have. `keyword` is the command word as the user spelled it."""

    location: Location
    original: str
    keyword: str
    comments: tuple[str, ...] = ()


class ShellForm(NamedTuple):
    """The shell form: one text for the shell of the stage."""

    text: str


class Pair(NamedTuple):
    """A key and its value; quotes and escapes are still in both."""

    key: str
    value: str


class Declared(NamedTuple):
    """One argument of ARG: `value` is None for a bare name."""

    name: str
    value: str | None
    comment: str = ""


ExecForm = tuple[str, ...]
Command = ShellForm | ExecForm
CopySource = str | Heredoc


@dataclass(frozen=True, slots=True, kw_only=True)
class From(Instruction):
    """FROM; `name` is lower-cased and None without AS; `platform` is empty without the flag."""

    image: str
    platform: str = ""
    name: str | None = None
    as_keyword: str = ""
    name_as_written: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg(Instruction):
    """ARG, one or several names."""

    pairs: tuple[Declared, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(Instruction):
    """ENV; `legacy` for the form without an equals sign."""

    pairs: tuple[Pair, ...]
    legacy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Instruction):
    """LABEL; `legacy` for the form without an equals sign."""

    pairs: tuple[Pair, ...]
    legacy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Instruction):
    """RUN.

    `mounts` are the texts of the flags, for `dockerfile.mount`; `network`, `security`: empty when unset.
    """

    command: Command
    mounts: tuple[str, ...] = ()
    network: str = ""
    security: str = ""
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Instruction):
    """What COPY and ADD have alike. Flags that are not given are empty."""

    sources: tuple[CopySource, ...]
    destination: str
    chown: str = ""
    chmod: str = ""
    link: bool = False
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(Transfer):
    """COPY; `from_` is a stage, its index, a named context or an image; empty for the build context."""

    from_: str = ""
    parents: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Transfer):
    """ADD; `unpack` and `keep_git_dir` are None when the flag is not given."""

    checksum: str = ""
    unpack: bool | None = None
    keep_git_dir: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmd(Instruction):
    """CMD."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrypoint(Instruction):
    """ENTRYPOINT."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell(Instruction):
    """SHELL."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdir(Instruction):
    """WORKDIR."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Instruction):
    """USER."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose(Instruction):
    """EXPOSE; the words sorted, as they were written."""

    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Instruction):
    """VOLUME."""

    volumes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignal(Instruction):
    """STOPSIGNAL."""

    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthcheck(Instruction):
    """HEALTHCHECK. `test` is the config's list: NONE, or CMD and argv, or CMD-SHELL and a text.

    The durations are nanoseconds, as the config holds them; 0 where unset, like `retries`.
    """

    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Onbuild(Instruction):
    """ONBUILD: `text` is what the config keeps (here-documents attached); `trigger` the same, parsed."""

    text: str
    trigger: Instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer(Instruction):
    """MAINTAINER."""

    author: str
