"""Where our images differ from those of other builders, and why that is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.walks.building.case import Known


def _without_set_id(theirs: Any, ours: Any) -> bool:
    """Only the bits that change the user or the group are gone."""
    return bool(int(theirs, 8) == int(ours, 8) & ~0o6000)


def _without_attributes(theirs: Any, ours: Any) -> bool:
    return not theirs and bool(ours)


def _in_another_order(theirs: Any, ours: Any) -> bool:
    return sorted(theirs) == sorted(ours)


def _on_scratch(theirs: Any, ours: Any) -> bool:
    return theirs is None and ours == "/"


def _with_other_arguments(theirs: Any, ours: Any) -> bool:
    return bool(theirs.partition("/bin/sh")[2] == ours.partition("/bin/sh")[2])


def _stumbled(theirs: Any, ours: Any) -> bool:
    return bool(ours == "builds" and re.search("(ERROR:|from sender:) lstat ", theirs))


def _always(theirs: Any, ours: Any) -> bool:
    return True


def _in(
    peer: str, what: str, why: str, *cases: str, holds: Callable[[Any, Any], bool] = _always
) -> Iterator[Known]:
    for case in cases or ("*",):
        yield Known(case=case, peer=peer, what=what, why=why, holds=holds)


# Files in each other's way: BuildKit refuses, the others clear the way.
_IN_THE_WAY: Final = (
    "copy-file-over-directory", "copy-directory-over-file-within", "copy-directory-over-link-to-directory",
    "copy-link-over-directory",
)  # fmt: skip

_BUILDAH: Final = (
    *_in("buildah", "tree * mode", "the owner is changed after the mode, which takes bits away",
         holds=_without_set_id),
    *_in("buildah", "config Env", "what is set anew goes before what the image had", holds=_in_another_order),
    *_in("buildah", "config WorkingDir", "scratch has no directory", holds=_on_scratch),
    *_in("buildah", "*", "the ARGs of the stage below are forgotten", "arg-inherited-from-parent-stage"),
    *_in("buildah", "*", "ENV hides an ARG that comes after it", "arg-after-env-of-the-same-name"),
    *_in("buildah", "outcome", "1.28 knows no ${v:?w}", "expansion-required-and-there"),
    *_in("buildah", "config Env", "words are expanded with the backslash, whatever `# escape` says",
         "escape-directive"),
    *_in("buildah", "*", "a directory is made for several sources", "copy-many-to-a-file"),
    *_in("buildah", "outcome", "1.28 wants a match", "copy-wildcard-without-match"),
    *_in("buildah", "outcome", "the name is taken for a pattern twice", "copy-escaped-wildcard"),
    *_in("buildah", "outcome", "what is in the way goes", *_IN_THE_WAY),
    *_in("buildah", "tree /srv/*", "a link as destination is replaced, not followed",
         "copy-file-to-link-to-file"),
    *_in("buildah", "tree /srv/nowhere*", "a directory is made where the link leads",
         "copy-file-to-dangling-link"),
    *_in("buildah", "tree /z*", "the mode is not given to parents that are made", "copy-chmod"),
    *_in("buildah", "tree /y mode", "the mode is not given to the directory that is made",
         "copy-chmod-and-chown"),
    *_in("buildah", "tree /p/q*", "`/.` at the end is dropped", "copy-destination-with-dots"),
    *_in("buildah", "tree /x/*", "--chown is not for what an archive holds", "add-archive-chown"),
    *_in("buildah", "tree *", "the archive's root entry is taken for the destination's",
         "add-archive-with-root-entry"),
    *_in("buildah", "outcome", "names are cleaned where we refuse them", "add-archive-climbing-out"),
    *_in("buildah", "outcome", "links in the way are followed below the destination only",
         "add-archive-through-own-link", "add-archive-through-link-of-the-image"),
    *_in("buildah", "outcome", "marks of deletion are taken for files", "add-archive-with-whiteouts"),
    *_in("buildah", "tree *", "a single layer keeps hard links that overlayfs breaks", "run-hard-links"),
    *_in("buildah", "config *", "a shell of three words loses one", "run-shell-arguments"),
    *_in("buildah", "outcome", "names of stages in capitals are unknown", "stage-by-name-and-number"),
    *_in("buildah", "outcome", "names of stages are not checked", "stage-name-bad"),
    *_in("buildah", "config ExposedPorts", "ranges and protocols are kept as written", "expose-forms"),
    *_in("buildah", "outcome", "ports are not checked", "expose-bad"),
    *_in("buildah", "tree /fresh", "a VOLUME makes its directory", "volume-is-no-directory"),
    *_in("buildah", "tree *", "a VOLUME makes its directory", "expansion-in-every-instruction"),
)  # fmt: skip

_CLASSIC: Final = (
    *_in("classic", "tree * mode", "the owner is changed after the mode, which takes bits away",
         holds=_without_set_id),
    *_in("classic", "tree * xattrs", "contexts travel without attributes", holds=_without_attributes),
    *_in("classic", "config WorkingDir", "scratch has no directory", holds=_on_scratch),
    *_in("classic", "*", "the ARGs of the stage below are forgotten", "arg-inherited-from-parent-stage"),
    *_in("classic", "*", "ENV hides an ARG that comes after it", "arg-after-env-of-the-same-name"),
    *_in("classic", "tree *", "a VOLUME makes its directory at a RUN", "expansion-in-every-instruction"),
    *_in("classic", "outcome", "`..` is refused at the root", "copy-dot-slash-and-rooted-sources",
         "copy-destination-with-dots"),
    *_in("classic", "outcome", "several sources want a slash", "copy-wildcard-many-to-name",
         "copy-many-to-a-file"),
    *_in("classic", "outcome", "a pattern wants a match", "copy-wildcard-without-match"),
    *_in("classic", "outcome", "what is in the way goes", *_IN_THE_WAY),
    *_in("classic", "tree /new ?id", "parents that are made belong to root", "copy-chown-numbers"),
    *_in("classic", "outcome", "an empty user has no number", "copy-chown-names"),
    *_in("classic", "outcome", "a user alone stands for a group of that name", "copy-chown-name-made-by-run"),
    *_in("classic", "tree /x*", "--chown is not for what an archive holds, nor for its place",
         "add-archive-chown"),
    *_in("classic", "outcome", "names are cleaned where we refuse them", "add-archive-climbing-out"),
    *_in("classic", "outcome", "links in the way are followed below the destination only",
         "add-archive-through-own-link", "add-archive-through-link-of-the-image"),
    *_in("classic", "outcome", "marks of deletion are taken for files", "add-archive-with-whiteouts"),
    *_in("classic", "outcome", "a name can be had once", "stage-same-name-twice"),
    *_in("classic", "outcome", "targets have no numbers", "stage-target-by-number"),
    *_in("classic", "tree /new*", "directories belong to root whoever is the user", "workdir-after-user"),
)  # fmt: skip

# BuildKit of the time of Docker 20.10: what newer ones do otherwise.
_BUILDKIT: Final = (
    *_in("buildkit", "tree * xattrs", "contexts travelled without attributes", holds=_without_attributes),
    *_in("buildkit", "history RUN", "the ARGs of the stage below are told since 0.10",
         "arg-inherited-from-parent-stage"),
    *_in("buildkit", "outcome", "known since 1.3", "expansion-defaults-without-colon"),
    *_in("buildkit", "tree /x/*", "contexts travelled without devices and fifos", "copy-fifo-and-devices"),
    *_in("buildkit", "tree /copied/p", "fifos were not copied", "stage-copy-keeps-everything"),
    *_in("buildkit", "outcome", "unknown names are root there; the documentation says that they fail",
         "copy-chown-unknown-name", "stage-copy-name-known-only-in-source"),
    *_in("buildkit", "tree *", "special bits were kept, and parents that are made had no mode",
         "copy-chmod", "copy-chmod-and-chown"),
    *_in("buildkit", "outcome", "modes were not checked", "copy-bad-chmod"),
    *_in("buildkit", "tree /p/q*", "`/.` at the end was dropped", "copy-destination-with-dots"),
    *_in("buildkit", "tree /x/*", "--chown is not for what an archive holds", "add-archive-chown"),
    *_in("buildkit", "outcome", "names are cleaned where we refuse them", "add-archive-climbing-out"),
    *_in("buildkit", "outcome", "links in the way are followed below the destination only",
         "add-archive-through-own-link", "add-archive-through-link-of-the-image"),
    *_in("buildkit", "outcome", "marks of deletion are taken for files", "add-archive-with-whiteouts"),
    *_in("buildkit", "tree /*", "the user's own group is among the others since CVE-2022-36109",
         "run-user-by-name", "run-user-by-number", "stage-on-stage"),
    *_in("buildkit", "tree *", "places for mounts were left", "run-mount-tmpfs-and-cache", "run-mount-bind"),
    *_in("buildkit", "outcome", "targets have no numbers", "stage-target-by-number"),
    *_in("buildkit", "history WORKDIR", "the directory was told as written", "workdir-forms"),
)  # fmt: skip

KNOWN: Final[tuple[Known, ...]] = (
    *_BUILDAH, *_CLASSIC, *_BUILDKIT,
    *_in("*", "tree /x/sub*", "excluded directories were not looked into for patterns like !**/x",
         "ignore-everything-below-but"),
)  # fmt: skip

RANDOM: Final[tuple[Known, ...]] = (
    *_in("buildkit", "history RUN", "the ARGs of the stage below are told since 0.10",
         holds=_with_other_arguments),
    *_in("buildkit", "outcome", "patterns stumbled over what is no directory", holds=_stumbled),
)  # fmt: skip
