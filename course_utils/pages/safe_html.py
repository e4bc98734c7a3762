"""Text that others wrote, made into HTML that cannot leave its place: no scripts, no styles, nothing loaded.

`nh3` (ammonia) parses it as a browser does and writes it anew from an allowlist, with every tag closed, so a notebook
can neither run code in a page nor end an element that the page opened. Formulas pass through it as MathML.
"""

import html
import re
import secrets
from collections.abc import Callable, Mapping
from html import escape

from course_utils.pages import formulas
from course_utils.pages.formulas import words_of

TAGS = words_of(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 "
    "hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u "
    "ul var wbr"
)
# These go with everything inside them; of any other unknown element the words stay.
DROPPED = words_of(
    "script style template iframe object embed noscript svg textarea select head title audio video canvas xmp "
    "noembed noframes plaintext"
)
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
    "details": {"open"},
}
EVERYWHERE = frozenset({"title", "lang", "dir", "class", "style"})
STYLES = words_of(
    "background background-color border border-bottom border-collapse border-color border-left border-radius "
    "border-right border-spacing border-top color display font-family font-size font-style font-variant-numeric "
    "font-weight gap line-height margin margin-bottom margin-left margin-right margin-top max-width min-width "
    "overflow-x padding padding-bottom padding-left padding-right padding-top text-align text-decoration "
    "vertical-align white-space width"
)
_STYLE_VALUE = re.compile(r"[\w\s.,%#+\-()/'\"]*")
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_IMAGES_WITHOUT = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')


def safe_link(target: str) -> str | None:
    """A link's target if following it can do no harm: http, https, mailto or a place in this page."""
    target = target.strip()
    return target if re.match(r"(https?://|mailto:|#)", target, re.IGNORECASE) else None


def safe_image(source: str) -> str | None:
    """An image's source if it is the picture itself; one to be loaded from anywhere is refused."""
    return source.strip() if _IMAGE.fullmatch(source.strip()) else None


def safe_style(style: str) -> str:
    """The declarations of a style attribute that only change how the element itself looks."""
    kept = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        loads = re.search(r"url|image|expression|var|attr", value, re.IGNORECASE)
        if name in STYLES and value and not loads and _STYLE_VALUE.fullmatch(value):
            kept.append(f"{name}: {value}")
    return "; ".join(kept)


def sanitise(
    text: str, *, link: Callable[[str], str | None] = safe_link, places: Mapping[str, str] | None = None
) -> str:
    """HTML written anew from the allowlist, well formed; ``link`` gives a link's target, or None for none.

    A picture that would have to be loaded becomes its description. ``places`` are ids that may stand in a ``<span>``,
    and what stands there in their stead; no other element gets an id.
    """
    import nh3

    places = places or {}

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "href":
            return link(value)
        if name == "src":
            return safe_image(value)
        if name == "style":
            return safe_style(value) or None
        return places.get(value) if name == "id" else value

    written = nh3.clean(
        text.encode("utf-8", "replace").decode("utf-8"),  # half a surrogate pair is no text
        tags=set(TAGS | formulas.ELEMENTS),
        clean_content_tags=set(DROPPED),
        attributes=_allowed(),
        attribute_filter=attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )
    return _IMAGES_WITHOUT.sub(_description, written)


def _allowed() -> dict[str, set[str]]:
    mathml = {name: set(formulas.ATTRIBUTES) for name in formulas.ELEMENTS}
    mathml["math"].add("alttext")
    return {**ATTRIBUTES, **mathml, "*": set(EVERYWHERE), "span": {"id"}}


def _description(image: re.Match) -> str:
    """What stands for a picture whose source was taken away (nh3 has written the tag: every value is in quotes)."""
    attributes = dict(re.findall(r' ([a-z]+)="([^"]*)"', image[1]))
    if "src" in attributes:
        return image[0]
    return escape(f"[picture: {html.unescape(attributes.get('alt', '')) or 'not in this report'}]")


# ---------------------------------------------------------------------------------------------- markdown and code


def highlight(source: str, language: str = "python") -> str:
    """Code as HTML with pygments' classes, escaped; an unknown language stays plain."""
    from pygments import highlight as pygments_highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    inside = pygments_highlight(source.rstrip("\n"), lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="code"><code>{inside}</code></pre>'


def markdown(
    text: str,
    *,
    link: Callable[[str], str | None] = safe_link,
    anchor: Callable[[int, str], str] = lambda level, words: "",
    level: int = 1,
) -> str:
    """A markdown cell as safe HTML: tables, formulas, highlighted code, ``<details>``.

    Headings go down by ``level``; ``anchor(level, words)`` is told of each in turn and gives its id ("" for none).
    """
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def math(display: bool, around: str = "{}"):
        def draw(self, parts, index, options, env):
            return around.format(formulas.formula(parts[index].content, display=display))

        return draw

    def fence(self, parts, index, options, env):
        language = (parts[index].info or "").strip().split(" ")[0].strip("{}")
        return highlight(parts[index].content, language)

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.use(dollarmath_plugin, allow_digits=False, allow_space=False, double_inline=True).use(amsmath_plugin)
    for rule in ("math_block", "math_block_label", "amsmath"):
        reader.add_render_rule(rule, math(True, '<div class="formula">{}</div>'))
    reader.add_render_rule("math_inline_double", math(True))
    reader.add_render_rule("math_inline", math(False))
    reader.add_render_rule("fence", fence)
    # A wide table is moved to and fro in its place, not the page.
    reader.add_render_rule("table_open", lambda *_: '<div class="wide"><table>')
    reader.add_render_rule("table_close", lambda *_: "</table></div>")
    parts = reader.parse(text)
    secret = secrets.token_hex(16)  # so that no text of the notebook can name a place
    places: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part.type in ("heading_open", "heading_close"):
            depth = int(part.tag[1])
            part.tag = f"h{min(depth + level, 6)}"
            if part.type == "heading_open":
                name = anchor(depth, _words(parts[index + 1]))
                if name:
                    key = f"{secret}-{len(places)}"
                    places[key] = name
                    parts[index + 1].children.insert(0, _html(f'<span class="anchor" id="{key}"></span>'))
    return sanitise(reader.renderer.render(parts, reader.options, {}), link=link, places=places)


def _words(part) -> str:
    """What a heading says, without its markup."""
    said = [child.content for child in part.children or [] if child.type in ("text", "code_inline", "math_inline")]
    return " ".join("".join(said).split())


def _html(content: str):
    from markdown_it.token import Token

    return Token("html_inline", "", 0, content=content)
