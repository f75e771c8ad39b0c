"""Images as one file: save writes Docker and OCI archives, load and import read them."""
