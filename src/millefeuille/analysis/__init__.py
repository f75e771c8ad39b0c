"""The analyser: what the layers of an image hold, write over, waste and repeat."""
