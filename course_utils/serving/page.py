"""The service's page: draw a digit or paste a message, and see the answer. It asks no other host for anything."""

from typing import Any

from course_utils import pages

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def render(name: str, version: str, inputs: str, class_names: list[str], *, keyed: bool) -> str:
    """The page of a model with these classes; ``keyed``: it asks for the API key, and keeps it nowhere."""
    return _render("service", name=name, version=version, inputs=inputs, class_names=class_names, keyed=keyed)


def render_decoder(name: str, version: str, *, keyed: bool) -> str:
    """The page of a decoder; ``keyed``: it asks for the API key, and keeps it nowhere."""
    return _render("decoder", name=name, version=version, keyed=keyed)


def _render(page: str, **fields: Any) -> str:
    script, style = pages.resource(f"{page}.js"), pages.resource("service.css")
    return pages.render(f"{page}.html", scripts=[script], style=style, asks=True, **fields)
