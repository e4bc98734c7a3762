"""The service's page: draw a digit or paste a message, and see the answer. It asks no other host for anything."""

from course_utils import pages

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def render(name: str, version: str, inputs: str, class_names: list[str], *, keyed: bool) -> str:
    """The page of a model with these classes; ``keyed``: it asks for the API key, and keeps it nowhere."""
    return pages.render(
        "service.html",
        scripts=[pages.resource("service.js")],
        style=pages.resource("service.css"),
        asks=True,
        name=name,
        version=version,
        inputs=inputs,
        class_names=class_names,
        keyed=keyed,
    )


def render_decoder(name: str, version: str, *, keyed: bool) -> str:
    """The page of a decoder; ``keyed``: it asks for the API key, and keeps it nowhere."""
    return pages.render(
        "decoder.html",
        scripts=[pages.resource("decoder.js")],
        style=pages.resource("service.css"),
        asks=True,
        name=name,
        version=version,
        keyed=keyed,
    )
