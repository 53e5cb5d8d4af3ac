"""Waiting for frames. An IntersectionObserver is told once a frame is drawn, which a busy machine may do seldom."""

DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def look_through(page, step: int) -> None:
    """Scroll down a page as a reader does: every ``step`` pixels are drawn before the next are asked for."""
    page.evaluate(
        f"""async (step) => {{
            for (let y = 0; y < document.body.scrollHeight; y += step) {{ scrollTo(0, y); await {DRAWN}; }}
            await document.fonts.ready; }}""",
        step,
    )


def scroll_to(page, y: int) -> None:
    """Go there at once, and wait until it is drawn."""
    page.evaluate(f"async (y) => {{ scrollTo(0, y); await {DRAWN}; }}", y)
