"""Static pictures of plotly figures: one Chromium for a whole chapter, small palette PNGs, alt text beside them."""

import asyncio
import base64
import io
import os
import shutil
from pathlib import Path

from course_utils.errors import CourseError

# The names of a Chromium on the path, and where macOS keeps one.
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
# (pixels for one of plotly's, colours): sharp while a chapter's pictures stay within their share of an edition's size,
# plainer beyond it.
FORMS = ((1.25, 64), (1.0, 64), (1.0, 32))
SHARE_BYTES = 100_000
_SIZE = (700, 450)  # plotly's own default for a figure that names none


def browser() -> str:
    """The path of a Chromium: ``BROWSER_PATH``, else the first known name on the path, else where kaleido keeps one.

    Raises CourseError where there is none.
    """
    named = os.environ.get("BROWSER_PATH")
    if named:
        if Path(named).is_file():
            return named
        raise CourseError(f"BROWSER_PATH names {named}, which is no file; name a Chromium there or unset it.")
    found = installed_browser()
    if found:
        return found
    raise CourseError(
        "course build stores a picture beside every interactive figure, and needs a Chromium to draw it; none was "
        "found. Install one (Debian: apt install chromium; anywhere: kaleido_get_chrome), or set BROWSER_PATH."
    )


def installed_browser() -> str | None:
    """A Chromium by one of its names on the path, else where kaleido would look (macOS, Windows, its own copy)."""
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    try:
        from choreographer.browsers.chromium import Chromium
    except ImportError:
        return None
    found = Chromium.find_browser(skip_local=False)
    return str(found) if found and Path(found).is_file() else None


def add_pictures(outputs: list[dict], figures: list[dict], *, path: str) -> None:
    """Draw each figure and put the PNG and its alt text into the output that belongs to it.

    The alt text is the figure's ``layout.meta["alt"]``. Raises CourseError when the browser cannot draw.
    """
    if not outputs:
        return
    drawn: dict[float, list[bytes]] = {}
    pictures: list[str] = []
    for scale, colours in FORMS:
        if scale not in drawn:
            drawn[scale] = _in_own_loop(_draw(figures, path, scale))
        pictures = [base64.b64encode(small(picture, colours)).decode("ascii") + "\n" for picture in drawn[scale]]
        if sum(map(len, pictures)) <= SHARE_BYTES:
            break
    for output, figure, picture in zip(outputs, figures, pictures, strict=True):
        output["data"]["image/png"] = picture
        alt = alt_text(figure)
        if alt:
            output["metadata"]["image/png"] = {"alt": alt}


def alt_text(figure: dict) -> str:
    """What a figure says it shows, or an empty text."""
    meta = figure.get("layout", {}).get("meta")
    return str(meta.get("alt", "")).strip() if isinstance(meta, dict) else ""


def small(picture: bytes, colours: int = 64) -> bytes:
    """The PNG with a palette of at most ``colours`` colours, without metadata: a quarter of the size, the same look."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    palette = image.quantize(colors=colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    palette.save(buffer, format="PNG", optimize=True)
    return min(buffer.getvalue(), picture, key=len)


def _in_own_loop(coroutine):
    """Run a coroutine whether or not this thread has a running event loop (a notebook's has)."""
    import threading

    result: list = []

    def run() -> None:
        try:
            result.append((asyncio.run(coroutine), None))
        except BaseException as error:
            result.append((None, error))

    thread = threading.Thread(target=run, name="pictures")
    thread.start()
    thread.join()
    value, error = result[0]
    if error is not None:
        raise error
    return value


async def _draw(figures: list[dict], path: str, scale: float) -> list[bytes]:
    from kaleido import Kaleido

    pictures = []
    try:
        # Without mathjax=False the page asks the network for a script.
        async with Kaleido(n=1, timeout=60, mathjax=False, path=path) as kaleido:
            for figure in figures:
                layout = figure.get("layout", {})
                size = {"width": layout.get("width", _SIZE[0]), "height": layout.get("height", _SIZE[1])}
                bare = {"data": figure["data"], "layout": layout}
                pictures.append(await kaleido.calc_fig(bare, opts={"format": "png", "scale": scale, **size}))
    except Exception as error:
        raise CourseError(
            f"The picture of figure {len(pictures) + 1} of {len(figures)} could not be drawn with {path}: "
            f"{type(error).__name__}: {error}. No edition was written."
        ) from error
    return pictures
