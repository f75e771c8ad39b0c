"""An instruction with the variables in its fields replaced: in those fields that the reference lists, in
no others.

All fields of one instruction see the variables as they were before it.
"""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Any, Final, TypeVar
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.instructions import (
    Add,
    Arg,
    Copy,
    CopySource,
    Declared,
    Env,
    Expose,
    From,
    Instruction,
    Label,
    Pair,
    Run,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from millefeuille.build.dockerfile.mount import read_mount
from millefeuille.build.dockerfile.ports import exposed, port_names
from millefeuille.build.dockerfile.signals import check_signal
from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.build.scope import Scope
from millefeuille.oci.platform import InvalidPlatform, Platform
from millefeuille.values import replace

_One = TypeVar("_One", bound=Instruction)
_URLS = ("http://", "https://")

# they are.


def expanded(instruction: _One, scope: Scope) -> _One:
    """The instruction, expanded.

    ARG has the value that each name takes (`Scope.argument`); EXPOSE the keys of the config's ExposedPorts; a
    here-document of COPY and ADD the bytes of the file. A RUN's mounts stay texts, which are held to be
    readable here and read by `dockerfile.mount.read_mount`. Raises DockerfileError for what cannot be
    expanded, and for a port, a signal or a volume that is none.
    """
    act = _ACTS.get(type(instruction))
    if act is None:
        return instruction
    try:
        done: _One = act(instruction, scope)
    except Complaint as error:
        line = instruction.location.first
        raise DockerfileError(
            error.message, name=scope.file, line=line, suggestion=error.suggestion
        ) from None
    return done


def expanded_from(one: From, scope: Scope, file: str = "Dockerfile") -> From:
    """A FROM, expanded in the global scope.

    Raises DockerfileError where no image or no platform is left, and for a platform that is none.
    """
    try:
        image = _from_field(one.image, scope, f"base name ({one.image}) should not be blank")
        platform = ""
        if one.platform:
            empty = f"empty platform value from expression {one.platform}"
            platform = _from_field(one.platform, scope, empty)
            _check_platform(one.platform, platform, scope)
    except Complaint as error:
        line = one.location.first
        raise DockerfileError(error.message, name=file, line=line, suggestion=error.suggestion) from None
    return replace(one, image=image, platform=platform)


def _from_field(text: str, scope: Scope, empty: str) -> str:
    seen = scope.look(text)
    if not seen.text:
        raise Complaint(empty, suggestion=_meant(seen.unset, scope))
    return seen.text


def _check_platform(written: str, platform: str, scope: Scope) -> None:
    try:
        Platform.parse(platform)
    except InvalidPlatform as error:
        meant = _meant(scope.look(written).unset, scope)
        raise Complaint(f"failed to parse platform {written}: {error}", suggestion=meant) from None


def _meant(unset: tuple[str, ...], scope: Scope) -> str:
    """A variable that somebody who mistyped one of these may have meant."""
    return next(filter(None, (nearest(name, scope.variables) for name in unset)), "")


def _arg(one: Arg, scope: Scope) -> Arg:
    pairs = []
    for declared in one.pairs:
        name = scope.expand(declared.name)
        value = scope.argument(name, declared.value)
        pairs.append(Declared(name, value, declared.comment))
    return replace(one, pairs=tuple(pairs))


def _pairs(one: Any, scope: Scope) -> Any:
    pairs = tuple(Pair(scope.expand(key), scope.expand(value)) for key, value in one.pairs)
    if not all(pair.key for pair in pairs):
        raise Complaint(f"{one.keyword.upper()} names can not be blank")
    return replace(one, pairs=pairs)


def _copy(one: Copy, scope: Scope) -> Copy:
    sources = tuple(_source(source, scope) for source in one.sources)
    if any(isinstance(source, str) and source.startswith(_URLS) for source in sources):
        raise Complaint("source can't be a URL for COPY")
    return replace(
        one,
        sources=sources,
        destination=scope.expand(one.destination),
        chown=scope.expand(one.chown),
        chmod=scope.expand(one.chmod),
    )


def _add(one: Add, scope: Scope) -> Add:
    return replace(
        one,
        sources=tuple(_source(source, scope) for source in one.sources),
        destination=scope.expand(one.destination),
        chown=scope.expand(one.chown),
        chmod=scope.expand(one.chmod),
        checksum=scope.expand(one.checksum),
    )


def _source(source: CopySource, scope: Scope) -> CopySource:
    if isinstance(source, str):
        return scope.expand(source)
    content = source.chomped()
    if source.expand:
        content = scope.body(content)
    return Heredoc(name=source.name, content=content, expand=False, chomp=False, fd=source.fd)


def _run(one: Run, scope: Scope) -> Run:
    for mount in one.mounts:
        read_mount(mount, scope.expand)
    return one


def _expose(one: Expose, scope: Scope) -> Expose:
    words = [word for text in one.ports for word in scope.look(text).words]
    return replace(one, ports=tuple(name for word in words for name in port_names(exposed(word))))


def _volume(one: Volume, scope: Scope) -> Volume:
    volumes = tuple(map(scope.expand, one.volumes))
    if not all(volumes):
        raise Complaint("VOLUME specified can not be an empty string")
    return replace(one, volumes=volumes)


def _user(one: User, scope: Scope) -> User:
    return replace(one, user=scope.expand(one.user))


def _workdir(one: Workdir, scope: Scope) -> Workdir:
    return replace(one, path=scope.expand(one.path))


def _stop_signal(one: StopSignal, scope: Scope) -> StopSignal:
    signal = scope.expand(one.signal)
    check_signal(signal)
    return replace(one, signal=signal)


_ACTS: Final[dict[type[Instruction], Callable[[Any, Scope], Any]]] = {
    Add: _add,
    Arg: _arg,
    Copy: _copy,
    Env: _pairs,
    Expose: _expose,
    Label: _pairs,
    Run: _run,
    StopSignal: _stop_signal,
    User: _user,
    Volume: _volume,
    Workdir: _workdir,
}
