"""Security: what Docker's `SecurityOpt` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid, Unsupported
from millefeuille.plainjson import loads
from millefeuille.runtime import seccomp
from millefeuille.values import dataclass

_MAXIMUM: Final = 4 << 20  # bytes of a seccomp profile
_UNCONFINED: Final = "unconfined"


class InvalidSecurityOption(Invalid):
    """No such option, or not with this value."""


class SecurityUnsupported(Unsupported):
    """A security module that this engine does not drive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """`profile` is a seccomp profile in Docker's format, None for no filter."""

    no_new_privileges: bool = False
    profile: Mapping[str, Any] | None = None
    shows_system_paths: bool = False


def parsed(options: Sequence[str], *, privileged: bool = False) -> Security:
    """What the options say. Raises InvalidSecurityOption, SecurityUnsupported, InvalidProfile."""
    bound, shown = False, False
    profile: Mapping[str, Any] | None = None if privileged else seccomp.default()
    for option in options:
        name, value = _split(option)
        if name == "no-new-privileges":
            bound = _truth(option, value or "true")
        elif name == "seccomp":
            profile = _profile(value)
        elif name == "systempaths" and value == _UNCONFINED:
            shown = True
        elif name in ("apparmor", "label"):
            if value not in (_UNCONFINED, "disable", ""):
                raise SecurityUnsupported(
                    f"--security-opt {option}: not supported",
                    advice="AppArmor and SELinux labels are not set.",
                )
        else:
            raise InvalidSecurityOption(f'invalid --security-opt 2: "{option}"')
    return Security(no_new_privileges=bound, profile=profile, shows_system_paths=shown)


def _split(option: str) -> tuple[str, str]:
    """A name and a value; Docker takes a colon for the equals sign where there is none."""
    separator = "=" if "=" in option else ":"
    name, _, value = option.partition(separator)
    return name, value


def _truth(option: str, value: str) -> bool:
    if value in ("true", "false"):
        return value == "true"
    raise InvalidSecurityOption(f'invalid --security-opt 2: "{option}"')


def _profile(value: str) -> Mapping[str, Any] | None:
    """A profile given as JSON, as Docker's API has it, or as the path of a file."""
    if value in (_UNCONFINED, ""):
        return None
    if value == "builtin":
        return seccomp.default()
    text = value
    if not value.lstrip().startswith("{"):
        try:
            with open(value, encoding="utf-8") as file:
                text = file.read(_MAXIMUM)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise InvalidSecurityOption(
                f"opening seccomp profile ({value}) failed: open {value}: {reason}"
            ) from None
    try:
        profile = loads(text)
    except ValueError as error:
        raise seccomp.InvalidProfile(f"Decoding seccomp profile failed: {error}") from None
    if not isinstance(profile, dict):
        raise seccomp.InvalidProfile("Decoding seccomp profile failed: not an object")
    return profile
