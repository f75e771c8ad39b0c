"""The engine's way to what builds fetch, as environment and secrets have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.build.sources.download import Download, Downloads, authorization
from millefeuille.build.sources.git import Checkout, Git
from millefeuille.build.sources.giturl import GitUrl
from millefeuille.oci.digest import Digest
from millefeuille.registry.patience import Patience
from millefeuille.registry.proxies import Proxies
from millefeuille.registry.transport import Transport

Secret = Callable[[str], bytes | None]


class Fetching:
    """Remotes over the network. `secret` gives secrets by ID; `agent` is an SSH agent's socket."""

    def __init__(self, environment: Mapping[str, str], secret: Secret, agent: str | None) -> None:
        self._secret = secret
        self._git = Git(environment=environment, agent=agent)
        self._downloads = Downloads(Transport(Proxies.load(environment), Patience()), Patience())

    def download(self, url: str, directory: str, checksum: Digest | None = None) -> Download:
        """See Remotes."""
        headers = authorization(url, self._secret)
        found = self._downloads.fetch(url, f"{directory}/download", headers=headers, checksum=checksum)
        assert found is not None  # nothing was known before
        return found

    def commit(self, url: GitUrl, directory: str) -> str:
        """See Remotes."""
        return self._git.resolve(url, directory)

    def check_out(self, url: GitUrl, commit: str, directory: str) -> Checkout:
        """See Remotes."""
        return self._git.check_out(url, commit, directory)
