"""The Python interface: what the command line does, in typed calls that return values.

    import millefeuille

    engine = millefeuille.Engine()
    image = engine.pull("nginx:1.24", progress=print)
    print(image.id, image.size, [layer.diff_id for layer in image.layers])
    engine.tag(image, "registry.example/team/nginx:mine")
    engine.push("registry.example/team/nginx:mine")

Nothing here prints or reads the environment but `Engine()` itself, and that only for what it is not given.
Errors are the kinds of millefeuille.errors.
"""

from __future__ import annotations

from millefeuille.api.engine import Engine
from millefeuille.api.image import Image, Layer

__all__ = ["Engine", "Image", "Layer"]
