"""Packages: what package managers wrote into a tree of files, read without running any of them."""
