"""What to do about an image: its waste led back to instructions, and those instructions rewritten."""
