"""Layers extracted, each as what it changes in the ones below; overlayfs lays them over each other."""
