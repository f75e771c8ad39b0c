"""Disk: where everything in a store lies. Nothing else knows a path.

ROOT/
  oci-layout, index.json      the root is an OCI image layout
  blobs/<algorithm>/<hex>     bytes named by their digest, never changed (0400)
  layers/<diff ID>/           layer.tar and layer.index: one uncompressed layer and its table of contents
  chains/<chain ID>.erofs     the merged metadata image of a stack of layers
  extracted/<chain ID>/fs/    what the top layer changes in the ones below, as files; where EROFS cannot be
  ingest/                     what is being fetched; a file is in use while its flock is held
  leases/                     one locked file per running command that needs its blobs kept
  trash/                      renamed away by a removal, about to be unlinked
  lost+found/                 what `system check --repair` set aside
  containers/<id>/            a container's record, state and log
  snapshots/<id>/             what a container wrote
  volumes/, networks/         named data, and networks of containers
  analysis/                   what was worked out of the layers of images; can be removed at any time
  db.sqlite, db.lock          the database, and the lock of its writers
  run-directory               a link to the directory of what does not outlive a boot; of ordinary users only
  ballast                     room kept free for removals on a full disk
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Set

from millefeuille import files
from millefeuille.errors import Denied, Invalid, NotFound
from millefeuille.later import Later
from millefeuille.oci.digest import Digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.store import privacy
else:
    privacy = Later("millefeuille.store.privacy")  # for a store that is not there yet

_ATTEMPTS = 9  # at a file that others sweep away
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
BALLAST = 4 << 20  # bytes; SQLite needs some room even to delete rows
DIRECTORIES = (
    "blobs", "blobs/sha256", "blobs/sha512", "layers", "chains", "ingest", "leases", "trash", "containers",
    "snapshots", "extracted",
)  # fmt: skip


class NotAStore(Invalid):
    """The directory holds something else."""


class NoStore(NotFound):
    """There is no store in the directory."""


class StoreDenied(Denied):
    """The store is another user's: whether there is one, and what is in it, is not to be seen."""


class Disk:
    """The paths of one store. `root` is absolute.

    While it is `lagging`, transactions leave index.json as it is, and say that it is `behind`: whoever set
    that (millefeuille.store.transaction, `together`) writes it at the end.
    """

    def __init__(self, root: str) -> None:
        self.lagging = self.behind = False
        self.root = os.path.abspath(root)
        self.database = f"{self.root}/db.sqlite"
        self.lock = f"{self.root}/db.lock"
        self.index = f"{self.root}/index.json"
        self.layers = f"{self.root}/layers"
        self.chains = f"{self.root}/chains"
        self.extracted = f"{self.root}/extracted"
        self.ingest = f"{self.root}/ingest"
        self.leases = f"{self.root}/leases"
        self.containers = f"{self.root}/containers"
        self.snapshots = f"{self.root}/snapshots"
        self.trash = f"{self.root}/trash"
        self.lost = f"{self.root}/lost+found"
        self.ballast = f"{self.root}/ballast"
        self.journal = f"{self.root}/journal"

    def blob(self, digest: Digest) -> str:
        """A blob's file."""
        return f"{self.root}/blobs/{digest.algorithm}/{digest.hex}"

    def blobs(self, algorithm: str) -> str:
        """The directory of all blobs of one algorithm."""
        return f"{self.root}/blobs/{algorithm}"

    def layer(self, diff_id: Digest) -> str:
        """The directory of one uncompressed layer."""
        return f"{self.layers}/{diff_id.hex}"

    def tar(self, diff_id: Digest) -> str:
        """A layer's uncompressed tar."""
        return f"{self.layers}/{diff_id.hex}/layer.tar"

    def origin(self, diff_id: Digest, blob: Digest) -> str:
        """The empty file that says that a layer was made from a blob."""
        return f"{self.layers}/{diff_id.hex}/from-{blob.algorithm}-{blob.hex}"

    def layer_index(self, diff_id: Digest) -> str:
        """A layer's table of contents."""
        return f"{self.layers}/{diff_id.hex}/layer.index"

    def chain(self, chain_id: Digest) -> str:
        """The merged metadata image of a stack of layers."""
        return f"{self.chains}/{chain_id.hex}.erofs"

    def extraction(self, chain_id: Digest) -> str:
        """The top layer of a stack as files."""
        return f"{self.extracted}/{chain_id.hex}"

    def partial(self, digest: Digest) -> str:
        """A blob that is being fetched."""
        return f"{self.ingest}/{digest.algorithm}-{digest.hex}"

    def exists(self) -> bool:
        """True when there is a store in the root. Raises StoreDenied, OSError when that cannot be seen."""
        return self._has(self.database) or self._has(f"{self.root}/oci-layout")

    def _has(self, path: str) -> bool:
        try:
            os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except PermissionError:
            # Not to be taken for none: everything would be said to be absent.
            raise StoreDenied(
                f"the store {self.root}: permission denied",
                advice="Choose a store of your own with --root or MILLE_ROOT.",
            ) from None
        return True

    def create(self) -> None:
        """Make what is missing of the tree; safe to run in several processes at once.

        Raises NotAStore for a directory that holds something else, NotOurs for another user's, OSError.
        """
        if not self.exists():
            self._found_new()
        for directory in DIRECTORIES:
            make_durable(f"{self.root}/{directory}")
        self._mark()
        self.keep_ballast()

    def _mark(self) -> None:
        """Say that the directory is a layout. What another process sweeps of a store that it has just made
        may be this one's file, under the name that it has at first.
        """
        path, left = f"{self.root}/oci-layout", _ATTEMPTS
        while not os.path.exists(path):
            left -= 1
            with contextlib.suppress(FileNotFoundError) if left else contextlib.nullcontext():
                files.replace_file(path, LAYOUT)

    def _found_new(self) -> None:
        """Make the root, private to its owner; an existing directory must be empty or half-made by us."""
        path, is_new = "", False
        for part in self.root.strip("/").split("/"):
            path += f"/{part}"
            is_new = make_durable(path, 0o700 if path == self.root else 0o755)
        if strangers(os.listdir(self.root), known=_OURS):
            raise NotAStore(
                f"{self.root}: not a millefeuille store, and not empty",
                advice="Choose another directory with --root or MILLE_ROOT.",
            )
        if not is_new:
            privacy.close(self.root)

    def keep_ballast(self) -> None:
        """Reserve the room that removals need; a disk without it stays usable."""
        with contextlib.suppress(OSError):
            if not os.path.exists(self.ballast) or os.stat(self.ballast).st_size < BALLAST:
                self._reserve()

    def _reserve(self) -> None:
        descriptor = files.create(self.ballast, exclusive=False)
        try:
            files.allocate(descriptor, BALLAST)
        except OSError:
            files.unlink(self.ballast)
        finally:
            os.close(descriptor)


def make_durable(path: str, mode: int = 0o700) -> bool:
    """Make one directory whose name outlives a power cut; False when it is there already."""
    if not files.make_directory(path, mode):
        return False
    files.sync_directory(os.path.dirname(path))
    return True


_OURS = frozenset(
    {"blobs", "layers", "chains", "ingest", "leases", "trash", "oci-layout", "index.json", "db.sqlite"}
    | {"db.sqlite-journal", "db.lock", "ballast", "lost+found", "snapshots", "journal", "journal.1"}
    | {"containers", "volumes", "networks", "extracted", "analysis"}
)
# What comes into a store that is there, and alone is no sign of one.
_LATER = frozenset({"build", "run", "run-directory", "insiders"})


def strangers(names: Iterable[str], *, known: Set[str] = _OURS | _LATER) -> list[str]:
    """Those of the names in a root that are not a store's, sorted."""
    # A file on its way to its name, `index.json.tmp-17`, is ours too: somebody was cut off here.
    return sorted(name for name in names if name.partition(".tmp-")[0].partition(".new-")[0] not in known)
