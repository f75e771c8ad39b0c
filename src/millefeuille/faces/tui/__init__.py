"""The analyser on a whole terminal. `state` knows what is shown, `frame` draws it, `app` is the program."""
