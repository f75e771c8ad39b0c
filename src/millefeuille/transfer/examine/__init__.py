"""Looking at images where they are: documents and layer indexes, with nothing written into a store."""
