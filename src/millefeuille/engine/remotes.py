"""The engine's way to what builds fetch, as environment and secrets have it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from millefeuille.build.sources.download import Download, Downloads, authorization
from millefeuille.build.sources.git import Checkout, Git
from millefeuille.build.sources.giturl import GitUrl
from millefeuille.oci.digest import Digest
from millefeuille.registry.patience import Patience
from millefeuille.registry.proxies import Proxies
from millefeuille.registry.transport import Transport
from millefeuille.values import replace

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
        return self._with_account(url).resolve(url, directory)

    def check_out(self, url: GitUrl, commit: str, directory: str) -> Checkout:
        """See Remotes."""
        return self._with_account(url).check_out(url, commit, directory)

    def _with_account(self, url: GitUrl) -> Git:
        """Git with the account that the secrets hold for a host, by BuildKit's names for them."""
        parts = urlsplit(url.address)
        if parts.scheme != "https":
            return self._git
        host = parts.netloc
        header = self._secret(f"GIT_AUTH_HEADER.{host}") or self._secret("GIT_AUTH_HEADER")
        token = self._secret(f"GIT_AUTH_TOKEN.{host}") or self._secret("GIT_AUTH_TOKEN")
        if header is None and token is not None:
            header = b"basic " + base64.b64encode(b"x-access-token:" + token.strip())
        if header is None:
            return self._git
        line = f"Authorization: {header.decode('ascii', 'replace').strip()}"
        return replace(self._git, headers={f"https://{host}/": line})
