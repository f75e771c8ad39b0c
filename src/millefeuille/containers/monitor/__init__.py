"""The monitor: one small process beside each container that runs, in the place of a daemon.

It starts the container through the runtime, and its process is a child of the monitor. It copies output
into the log and to whoever is attached, input the other way, waits for the end, restarts by the container's
policy, asks for its health, and writes what happens into the container's state. As long as it lives it
holds the container's lock; the container's mounts live in its mount namespace, and go with it.

It is an interpreter of its own with next to nothing loaded: nothing here imports from the rest of the
package, nor what is heavy in the standard library.

    main.py      from the order to the end        launch.py    the runtime's process, pipes and terminals
    loop.py      who is ready to read or write    clients.py   who is attached, and frames
    log.py       output as JSON lines             policy.py    whether to start again, and when
    leaving.py   what the runtime leaves          overwriting.py  the state file on a full disk
    health.py    checks                           state.py     the state file
"""
