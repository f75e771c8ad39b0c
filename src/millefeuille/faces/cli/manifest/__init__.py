"""Commands of `mille manifest`, one module each."""
