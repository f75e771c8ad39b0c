"""The demonstration behind scripts/demo: each command is shown and run; the first that fails ends it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from millefeuille.errors import MilleError
from millefeuille.testing.debian import busybox_image, nginx_image
from millefeuille.testing.images import push
from millefeuille.testing.servers import RegistryServer, program, registry

# The registry of this machine answers for docker.io, so names are typed as anywhere else.
_REGISTRIES = """\
unqualified-search-registries = ["docker.io"]

[[registry]]
location = "docker.io"

[[registry.mirror]]
location = "{address}"
insecure = true

[[registry]]
location = "{address}"
insecure = true
"""


class Demo:
    """A store of its own, the environment that points at it, and what is run in it."""

    def __init__(self, directory: Path, address: str) -> None:
        self.root = directory / "store"
        self.directory = directory
        conf = directory / "registries.conf"
        conf.write_text(_REGISTRIES.format(address=address))
        bin_directory = Path(sys.executable).parent
        self._environment = {
            "PATH": f"{bin_directory}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "TERM": os.environ.get("TERM", "dumb"),
            "MILLE_ROOT": str(self.root),
            "CONTAINERS_REGISTRIES_CONF": str(conf),
        }

    def show(self, *command: str) -> None:
        """Print a command and run it in full view; stops at an exit code other than 0."""
        print(f"\n$ {shlex.join(command)}", flush=True)
        done = subprocess.run(command, env=self._environment, cwd=self.directory, check=False)
        if done.returncode != 0:
            sys.exit(f"demo: exit code {done.returncode}: {shlex.join(command)}")

    def ask(self, *command: str) -> str:
        """What a command prints; stops at an exit code other than 0."""
        done = subprocess.run(
            command, env=self._environment, cwd=self.directory, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"demo: exit code {done.returncode}: {shlex.join(command)}")
        return done.stdout.strip()

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Stop unless two values are equal."""
        if found != wanted:
            sys.exit(f"demo: {what}: {found!r} instead of {wanted!r}")
        print(f"  {what}: {found}")


def main() -> None:
    """Run the demonstration in a temporary directory."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "millefeuille-tests")
    with tempfile.TemporaryDirectory(prefix="mille-demo-") as name:
        directory = Path(name)
        with registry(directory / "registry") as server:
            print("Filling a registry on this machine with nginx:1.24 and busybox …", flush=True)
            push(nginx_image(cache), server.address, "library/nginx", "1.24", kind="docker")
            digest = push(busybox_image(cache), server.address, "library/busybox", "latest", kind="oci")
            demonstrate(Demo(directory, server.address), server, digest)
    print("\nThe demonstration is complete.")


def demonstrate(demo: Demo, server: RegistryServer, busybox_digest: str) -> None:
    """An image's life in commands."""
    pushed = f"{server.address}/demo/nginx:1.24"
    demo.show("mille", "image", "pull", "nginx:1.24")
    demo.show("mille", "image", "pull", "busybox")
    demo.show("mille", "image", "ls")
    demo.show("mille", "image", "inspect", "busybox")
    demo.show("mille", "image", "history", "nginx:1.24")
    demo.show("mille", "image", "ls", "--layers")

    demo.show("mille", "image", "tag", "nginx:1.24", pushed)
    demo.show("mille", "image", "push", pushed)
    skopeo = program("skopeo")
    remote = f"docker://{server.address}"
    digests = [
        json.loads(demo.ask(skopeo, "inspect", "--tls-verify=false", f"{remote}/{name}"))["Digest"]
        for name in ("demo/nginx:1.24", "library/nginx:1.24")
    ]
    demo.expect("skopeo finds the pushed manifest unchanged", digests[0], digests[1])

    busybox = f"oci:{demo.root}:docker.io/library/busybox:latest"
    demo.show("skopeo", "inspect", busybox)
    found = json.loads(demo.ask(skopeo, "inspect", busybox))["Digest"]
    demo.expect("skopeo reads the store as an OCI layout", found, busybox_digest)

    before = demo.ask("mille", "image", "inspect", "--format", "{{.Id}}", "nginx:1.24")
    demo.show("mille", "image", "save", "-o", "nginx.tar", "nginx:1.24")
    demo.show("mille", "image", "rm", "nginx:1.24", pushed)
    demo.show("mille", "image", "ls")
    demo.show("mille", "image", "load", "-i", "nginx.tar")
    after = demo.ask("mille", "image", "inspect", "--format", "{{.Id}}", "nginx:1.24")
    demo.expect("the loaded image is the saved one", after, before)

    demo.show("mille", "image", "prune", "-f")
    demo.show("mille", "image", "prune", "-a", "-f")
    demo.show("mille", "image", "ls")
    demo.expect("images left", demo.ask("mille", "image", "ls", "-q"), "")
    demo.show("mille", "system", "df")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        main()
    except MilleError as error:
        sys.exit(f"demo: {error}" + (f"\n{error.advice}" if error.advice else ""))
