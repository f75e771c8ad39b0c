"""Where concrete parts are chosen and wired, one module per part."""
