"""What every test may use: real servers on the loopback, images of our own making, and a cache for both."""
