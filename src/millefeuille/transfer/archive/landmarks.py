"""The names of the documents in an archive that tell what kind of archive it is."""

from __future__ import annotations

from millefeuille.annotations import Final

LAYOUT: Final = "oci-layout"  # with INDEX: an OCI image layout
INDEX: Final = "index.json"
MANIFEST: Final = "manifest.json"  # Docker's, of `docker save`
REPOSITORIES: Final = "repositories"  # the same before Docker 1.10
