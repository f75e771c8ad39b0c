"""Files: what is in an image, to be looked at and copied."""

from __future__ import annotations

import os

from millefeuille.containers.copying import name_of
from millefeuille.containers.source import Source
from millefeuille.errors import Invalid
from millefeuille.store.filetree import DamagedContent as DamagedContent
from millefeuille.store.filetree import FileTree
from millefeuille.store.filetree import NoSuchFile as NoSuchFile


class NotAFile(Invalid):
    """What is at the path has no content to be read."""


class ImageFiles(FileTree):
    """The files of one image."""

    def source(self, path: str, *, follow: bool = False) -> Source:
        """What is at `path`, to be copied; a link that it ends with only when `follow`.

        Raises NoSuchFile, TooManyLinks.
        """
        _, node = self.find(path, leaf=follow)
        name = name_of(os.fsencode(path))
        return Source(name, directory=node.children is not None, files=self.carried(node))
