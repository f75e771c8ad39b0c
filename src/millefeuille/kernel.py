"""Linux system calls that Python lacks."""
