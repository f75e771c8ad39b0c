"""Images in motion: pull, push, save, load, import."""
