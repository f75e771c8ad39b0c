"""The commands that look into the layers of an image, and the forms their findings are written in."""
