"""A program that sits before the analyser's view: `python -m bench.sitting ROOT IMAGE`.

It prints one JSON object: the times on the system's monotonic clock when the first frame was ready for a
terminal and when Textual had it, the CPU seconds and the peak of memory until then, and the seconds that each
change of the layer took until the frame was drawn anew.
"""

from __future__ import annotations

import asyncio
import io
import json
import resource
import sys
import time
from typing import Any

from millefeuille.engine.store import existing
from millefeuille.engine.stored import stored
from millefeuille.faces.tui.run import begin
from millefeuille.settings import settle

_SIZE = (140, 45)


def main() -> None:
    """Sit there, look, and walk down the layers."""
    root, name = sys.argv[1:]
    store = existing(settle({}, uid=0, home="/", root=root))
    assert store is not None
    analysis = stored(store, name)
    known = analysis.kept.document if analysis.kept is not None else None
    state = begin(analysis, io.StringIO(), _SIZE, environment={}, home="/", known=known, store=store)
    found: dict[str, Any] = {"terminal": time.monotonic()}
    # Only here, as the command does it: Textual is loaded behind the first frame.
    from millefeuille.faces.tui.app import AnalyserApp, Canvas

    async def sit() -> None:
        app = AnalyserApp(state)
        async with app.run_test(size=_SIZE) as pilot:
            canvas = app.query_one(Canvas)
            canvas.render_line(0)
            used = resource.getrusage(resource.RUSAGE_SELF)
            found.update(
                pilot=time.monotonic(), cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss << 10
            )
            while not state.viewed.ready:
                await pilot.pause(0.05)
            await pilot.pause()
            found["switches"] = []
            for _ in range(len(state.viewed.image.parts) - 1):
                before = time.monotonic()
                app.perform("down")
                canvas.render_line(0)
                found["switches"].append(time.monotonic() - before)

    asyncio.run(sit())
    print(json.dumps(found))


if __name__ == "__main__":
    main()
