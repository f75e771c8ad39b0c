"""What a container is to be, read from words: Docker's flags to the members of Docker's create request."""
