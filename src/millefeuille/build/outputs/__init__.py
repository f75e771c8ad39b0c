"""Where a finished build goes: the store, archives, directories, registries; and what is said of it."""
