"""What containers reach, and how they are reached: networks, their addresses and published ports."""
