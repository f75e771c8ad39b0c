"""The database's tables. All of it can be rebuilt from the image layout beside it."""

from __future__ import annotations

VERSION = 4

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- An image is its config: id is the digest of it. manifest is the one it was first stored with.
CREATE TABLE images (
    id TEXT PRIMARY KEY, manifest TEXT NOT NULL, chain TEXT, parent TEXT,
    created TEXT NOT NULL, created_ns INTEGER NOT NULL, size INTEGER NOT NULL,
    platform TEXT NOT NULL, labels TEXT NOT NULL, config_size INTEGER NOT NULL, added_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX images_chain ON images(chain);
CREATE INDEX images_parent ON images(parent) WHERE parent IS NOT NULL;

-- Two manifests may hold one image: the same layers, compressed in another way.
CREATE TABLE manifests (
    digest TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images(id),
    media_type TEXT NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX manifests_image ON manifests(image);
CREATE TABLE manifest_layers (
    manifest TEXT NOT NULL REFERENCES manifests(digest), position INTEGER NOT NULL,
    digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL, diff_id TEXT NOT NULL,
    PRIMARY KEY (manifest, position)
) WITHOUT ROWID;
CREATE INDEX manifest_layers_diff_id ON manifest_layers(diff_id);
CREATE INDEX manifest_layers_digest ON manifest_layers(digest);

CREATE TABLE indexes (digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
-- What an index lists beside images: attestations, and the blobs that these consist of.
CREATE TABLE attachments (
    owner TEXT NOT NULL REFERENCES indexes(digest) ON DELETE CASCADE, digest TEXT NOT NULL,
    media_type TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (owner, digest)
) WITHOUT ROWID;
CREATE INDEX attachments_digest ON attachments(digest);

-- A name points to a target (an index or a manifest) and to the image chosen from it last.
CREATE TABLE names (
    name TEXT PRIMARY KEY, repository TEXT NOT NULL, tag TEXT NOT NULL,
    target TEXT NOT NULL, image TEXT NOT NULL REFERENCES images(id), tagged_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX names_image ON names(image);
CREATE TABLE name_platforms (
    name TEXT NOT NULL REFERENCES names(name) ON DELETE CASCADE, platform TEXT NOT NULL,
    manifest TEXT NOT NULL, image TEXT NOT NULL REFERENCES images(id),
    PRIMARY KEY (name, platform)
) WITHOUT ROWID;
CREATE INDEX name_platforms_image ON name_platforms(image);
CREATE TABLE repo_digests (
    repository TEXT NOT NULL, digest TEXT NOT NULL, image TEXT NOT NULL REFERENCES images(id),
    PRIMARY KEY (repository, digest, image)
) WITHOUT ROWID;
CREATE INDEX repo_digests_image ON repo_digests(image);

CREATE TABLE layers (
    diff_id TEXT PRIMARY KEY, tar_size INTEGER NOT NULL, content_size INTEGER NOT NULL,
    entries INTEGER NOT NULL, index_size INTEGER NOT NULL, index_hash TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE layer_blobs (
    digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE chains (
    chain TEXT PRIMARY KEY, parent TEXT, diff_id TEXT NOT NULL, depth INTEGER NOT NULL,
    metadata_size INTEGER, metadata_hash TEXT
) WITHOUT ROWID;
CREATE INDEX chains_parent ON chains(parent) WHERE parent IS NOT NULL;
CREATE INDEX chains_diff_id ON chains(diff_id);
-- Who stands on an image or a chain; the rest of a container lies in its own directory.
CREATE TABLE containers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image TEXT NOT NULL, chain TEXT,
    created_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX containers_image ON containers(image);
CREATE INDEX containers_chain ON containers(chain);

-- What a step of a build made, by what went into it (`inputs`, JSON): its layer, and the stack that this was
-- on top of when it was made. It keeps both.
CREATE TABLE build_steps (
    key TEXT PRIMARY KEY, diff_id TEXT NOT NULL, chain TEXT NOT NULL, inputs TEXT NOT NULL,
    made_ns INTEGER NOT NULL, took_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL, uses INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX build_steps_diff_id ON build_steps(diff_id);
CREATE INDEX build_steps_chain ON build_steps(chain);
-- Builds that ended, each told whole in `record`, JSON; one series are the builds of the same thing.
CREATE TABLE builds (
    id TEXT PRIMARY KEY, series TEXT NOT NULL, ended_ns INTEGER NOT NULL, record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX builds_series ON builds(series, ended_ns);

CREATE TABLE sources (digest TEXT NOT NULL, repository TEXT NOT NULL, PRIMARY KEY (digest, repository))
    WITHOUT ROWID;

CREATE TABLE leases (
    id TEXT PRIMARY KEY, purpose TEXT NOT NULL, pid INTEGER NOT NULL, created_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE lease_items (
    lease TEXT NOT NULL REFERENCES leases(id) ON DELETE CASCADE, item TEXT NOT NULL,
    PRIMARY KEY (lease, item)
) WITHOUT ROWID;
CREATE TABLE deleting (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL,
    actor TEXT NOT NULL, attributes TEXT NOT NULL
);
"""

# What two stores with the same images agree on, whatever happened to them before.
LOGICAL = {
    "images": "id, manifest, chain, parent, created, size, platform, labels, config_size",
    "manifests": "digest, image, media_type, size",
    "manifest_layers": "manifest, position, digest, media_type, size, diff_id",
    "indexes": "digest, media_type, size",
    "attachments": "owner, digest, media_type, size",
    "names": "name, repository, tag, target, image",
    "name_platforms": "name, platform, manifest, image",
    "repo_digests": "repository, digest, image",
    "layers": "diff_id, tar_size, content_size, entries, index_size, index_hash",
    "layer_blobs": "digest, diff_id, size",
    "chains": "chain, parent, diff_id, depth, metadata_size, metadata_hash",
    "containers": "id, name, image, chain",
    "build_steps": "key, diff_id, chain, inputs",
    "leases": "id",
    "deleting": "path",
}
