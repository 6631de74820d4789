"""Records the README's animation from the real demo: python docs/record_demo.py URL docs/demo.webp

Needs `pip install playwright pillow` and a Chromium. Start `python bot.py --demo --no-browser`
first; URL is what it prints.
"""

from __future__ import annotations

import io
import sys
import time
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1280, "height": 860}
WIDTH = 960
INTERVAL_S = 0.2
STEPS = (
    (1.0, "#do-open"),
    (4.0, "#do-ask"),
    (8.5, "#blow-kill_bot"),
    (11.5, "#blow-flush_redis"),
)
"""Seconds from the start, and what is pressed then."""
LASTS_S = 24.0


def record(page: Page) -> list[tuple[float, Image.Image]]:
    """Frames with the seconds at which they were taken."""
    frames: list[tuple[float, Image.Image]] = []
    todo = list(STEPS)
    start = time.monotonic()
    while (now := time.monotonic() - start) < LASTS_S:
        if todo and now >= todo[0][0]:
            page.locator(todo.pop(0)[1]).click()
        picture = Image.open(io.BytesIO(page.screenshot(type="png")))
        height = round(picture.height * WIDTH / picture.width)
        frames.append(
            (now, picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS))
        )
        time.sleep(max(0.0, INTERVAL_S - (time.monotonic() - start - now)))
    return frames


def save(frames: list[tuple[float, Image.Image]], file: Path) -> None:
    times = [at for at, _ in frames] + [LASTS_S]
    pictures = [picture for _, picture in frames]
    durations = [round((after - at) * 1000) for at, after in pairwise(times)]
    durations[-1] += 3_000
    pictures[0].save(
        file,
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        quality=55,
        method=4,
    )


def main() -> None:
    url, file = sys.argv[1], Path(sys.argv[2])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="dark")
        page.goto(url, wait_until="domcontentloaded")
        page.locator("#do-open").wait_for()
        page.locator("#delay").select_option("15s", force=True)
        save(record(page), file)
        browser.close()
    print(f"{file}: {file.stat().st_size // 1024} kB")  # noqa: T201


if __name__ == "__main__":
    main()
