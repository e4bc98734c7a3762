"""The course's HTML pages: one shell, style sheet and content security policy; templates that escape what they show.

A page needs nothing but itself. What a template shows is escaped; only what `safe_html` wrote is put in as it is.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

COURSE = "Large Models, Small Teams"
_TURNING = re.compile("[\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def render(template: str, /, *, scripts: Iterable[str] = (), style: str = "", asks: bool = False, **values: Any) -> str:
    """The page of a template in ``pages/templates``, with ``values`` for it.

    ``scripts`` are the only ones that the page may run, and run in their order; ``style`` is added to the sheet.
    ``asks``: the page asks the server that it came from.
    """
    scripts = tuple(scripts)
    page = (
        _environment()
        .get_template(template)
        .render(
            course=COURSE,
            policy=policy(scripts, asks=asks),
            scripts=scripts,
            style=resource("page.css") + style,
            **values,
        )
    )
    return page.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no text


def resource(name: str) -> str:
    """The text of a file beside the templates."""
    return (files("course_utils.pages") / "templates" / name).read_text("utf-8")


def policy(scripts: Iterable[str], *, asks: bool = False) -> str:
    """The content security policy of a page: these scripts by their hashes, no other, and no address at all.

    A page that ``asks`` may connect to the server that it came from, and compiles nothing.
    """
    rules = {"default-src": "'none'", "script-src": "'none'", "style-src": "'unsafe-inline'", "img-src": "data:"}
    rules |= {"base-uri": "'none'", "form-action": "'none'"}
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    if digests and asks:
        rules |= {"script-src": " ".join(f"'sha256-{digest}'" for digest in digests), "connect-src": "'self'"}
    elif digests:
        # plotly's WebGL traces compile functions, and draw from blobs; only scripts with these hashes get to.
        rules["script-src"] = " ".join([*(f"'sha256-{digest}'" for digest in digests), "'unsafe-eval'"])
        rules |= {"img-src": "data: blob:", "font-src": "data:", "worker-src": "blob:"}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def cut(text: str, most: int = 300) -> str:
    """A text of the data for a page: at most ``most`` characters, nothing in it that turns a line's direction."""
    text = _TURNING.sub(" ", _CONTROLS.sub(" ", text))
    return text[:most] + ("…" if len(text) > most else "")


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("course_utils.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["cut"] = cut
    return made
