"""A root filesystem made a process."""
