"""One merged EROFS metadata image per chain of layers."""
