"""What `# check=` asks for: which rules to skip.

Which experimental ones to use, whether a warning is an error.
"""

from __future__ import annotations

import re

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.oci.gotext import quoted
from millefeuille.values import dataclass

_INLINE = re.compile(r"check\s*=\s*(\S.*)", re.IGNORECASE)
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The rules named; `all_skipped` and `all_experimental` for the word `all`."""

    skipped: frozenset[str] = frozenset()
    all_skipped: bool = False
    experimental: frozenset[str] = frozenset()
    all_experimental: bool = False
    error: bool = False

    def uses(self, rule: str, experimental: bool) -> bool:
        """Whether a rule is to be looked at. An experimental one that was asked for cannot be skipped."""
        if experimental:
            return self.all_experimental or rule in self.experimental
        return not (self.all_skipped or rule in self.skipped)

    def with_more(self, more: Options) -> Options:
        """Those that hold where `more` holds too."""
        return Options(
            skipped=self.skipped | more.skipped,
            all_skipped=self.all_skipped or more.all_skipped,
            experimental=self.experimental | more.experimental,
            all_experimental=self.all_experimental or more.all_experimental,
            error=self.error or more.error,
        )


def read_options(text: str) -> Options:
    """`skip=A,B;error=true;experimental=all`, each part optional. Raises Complaint for anything else."""
    found = Options()
    for part in text.strip().split(";") if text.strip() else []:
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not equals:
            raise Complaint(f"invalid check option {quoted(part)}")
        names = frozenset(name.strip() for name in value.split(","))
        if key == "skip":
            more = Options(all_skipped=True) if value == "all" else Options(skipped=names)
        elif key == "experimental":
            more = Options(all_experimental=True) if value == "all" else Options(experimental=names)
        elif key == "error" and value in _TRUE + _FALSE:
            more = Options(error=value in _TRUE)
        elif key == "error":
            raise Complaint(f"failed to parse check option {quoted(part)}: invalid syntax")
        else:
            raise Complaint(f"invalid check option {quoted(key)}")
        found = found.with_more(more)
    return found


def inline_options(comments: tuple[str, ...]) -> Options:
    """What the comments above an instruction ask for, for that instruction.

    Raises Complaint as `read_options`.
    """
    found = Options()
    for comment in comments:
        asked = _INLINE.fullmatch(comment)
        if asked is not None:
            found = found.with_more(read_options(asked[1]))
    return found


def is_option(comment: str) -> bool:
    """Whether a comment is one of those."""
    return _INLINE.fullmatch(comment) is not None
