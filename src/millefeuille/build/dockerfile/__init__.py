"""A Dockerfile's text made instructions. Knows nothing of images, contexts or disks."""
