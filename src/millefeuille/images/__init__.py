"""What one does with images in a store."""
