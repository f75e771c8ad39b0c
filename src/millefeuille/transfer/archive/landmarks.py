"""Names in an archive: of the documents that tell what kind of archive it is, and of notes on its images."""

from __future__ import annotations

from millefeuille.annotations import Final

LAYOUT: Final = "oci-layout"  # with INDEX: an OCI image layout
INDEX: Final = "index.json"
MANIFEST: Final = "manifest.json"  # Docker's, of `docker save`
REPOSITORIES: Final = "repositories"  # the same before Docker 1.10

CONTAINERD_NAME: Final = "io.containerd.image.name"  # annotations: the whole name, and the tag alone
REF_NAME: Final = "org.opencontainers.image.ref.name"
