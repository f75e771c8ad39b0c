"""What a build looks like on a terminal and off it."""
