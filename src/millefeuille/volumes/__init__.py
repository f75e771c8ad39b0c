"""Data that outlives containers: named directories below the store."""
