"""Remotes: what is fetched for a build: files at URLs, commits of Git repositories."""

from __future__ import annotations

from millefeuille.annotations import Protocol
from millefeuille.build.sources.giturl import GitUrl
from millefeuille.oci.digest import Digest

TYPE_CHECKING = False
if TYPE_CHECKING:  # a build that fetches nothing loads nothing that can
    from millefeuille.build.sources.download import Download
    from millefeuille.build.sources.git import Checkout


class Remotes(Protocol):
    """Fetches. Called from several threads. Directories are the caller's, and empty."""

    def download(self, url: str, directory: str, checksum: Digest | None = None) -> Download:
        """What lies at `url`, as a file in `directory`. Raises as `Downloads.fetch` does."""

    def commit(self, url: GitUrl, directory: str) -> str:
        """The commit that `url` means now. Raises as `Git.resolve` does."""

    def check_out(self, url: GitUrl, commit: str, directory: str) -> Checkout:
        """The files of a commit, below `directory`. Raises as `Git.check_out` does."""
