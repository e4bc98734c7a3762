"""Text that others wrote, made into HTML that cannot leave its place: no scripts, no styles, nothing loaded.

What comes out is written anew from an allowlist, with every tag closed, so a notebook can neither run code in a page
nor end an element that the page opened. Formulas become MathML, which browsers draw without a script.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from html import escape
from html.parser import HTMLParser


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words_of(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 "
    "hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u "
    "ul var wbr"
)
VOID = frozenset({"br", "col", "hr", "img", "wbr"})
# These go with everything inside them; of any other unknown element the words stay.
DROPPED = _words_of(
    "script style template iframe object embed noscript svg math textarea select head title audio video canvas xmp "
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
STYLES = _words_of(
    "background background-color border border-bottom border-collapse border-color border-left border-radius "
    "border-right border-spacing border-top color display font-family font-size font-style font-variant-numeric "
    "font-weight gap line-height margin margin-bottom margin-left margin-right margin-top max-width min-width "
    "overflow-x padding padding-bottom padding-left padding-right padding-top text-align text-decoration "
    "vertical-align white-space width"
)
_STYLE_VALUE = re.compile(r"[\w\s.,%#+\-()/'\"]*")
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_TOKEN = re.compile("\ue000(\\d+)\ue001")

Token = tuple[str, str]  # HTML to stand in the text, and plain words for where HTML cannot stand


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


class _Writer(HTMLParser):
    def __init__(self, tokens: Sequence[Token], link: Callable[[str], str | None]):
        super().__init__(convert_charrefs=True)
        self.tokens, self.link = tokens, link
        self.written: list[str] = []
        self.open: list[str] = []
        self.dropping: str | None = None
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.dropping:
            self.depth += tag == self.dropping
            return
        if tag in DROPPED:
            self.dropping, self.depth = tag, 1
            return
        if tag not in TAGS:
            return
        kept = self._attributes(tag, attrs)
        if tag == "img" and "src" not in kept:
            self.handle_data(f"[picture: {kept.get('alt') or 'not in this report'}]")
            return
        self.written.append("<" + " ".join([tag, *(f'{name}="{escape(kept[name])}"' for name in kept)]) + ">")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED and not self.dropping:
            return
        self.handle_starttag(tag, attrs)
        if tag in TAGS and tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.dropping:
            self.depth -= tag == self.dropping
            if self.depth <= 0:
                self.dropping = None
            return
        if tag in self.open:
            while True:
                last = self.open.pop()
                self.written.append(f"</{last}>")
                if last == tag:
                    return

    def handle_data(self, data: str) -> None:
        if not self.dropping:
            self.written.append(_TOKEN.sub(lambda match: self._token(match, 0), escape(data, quote=False)))

    def finish(self) -> str:
        self.close()
        self.written.extend(f"</{tag}>" for tag in reversed(self.open))
        return "".join(self.written)

    def _token(self, match: re.Match, part: int) -> str:
        number = int(match[1])
        return self.tokens[number][part] if number < len(self.tokens) else ""

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for name, raw in attrs:
            if name not in EVERYWHERE and name not in ATTRIBUTES.get(tag, ()):
                continue
            value: str | None = _TOKEN.sub(lambda match: self._token(match, 1), raw or "")
            if name == "href":
                value = self.link(value)
            elif name == "src":
                value = safe_image(value)
            elif name == "style":
                value = safe_style(value) or None
            if value is not None:
                kept.setdefault(name, value)
        return kept


def sanitise(html: str, *, tokens: Sequence[Token] = (), link: Callable[[str], str | None] = safe_link) -> str:
    """``html`` written anew from the allowlist; ``tokens`` are put where their marks stand (see ``mark``)."""
    writer = _Writer(tokens, link)
    writer.feed(html)
    return writer.finish()


def mark(number: int) -> str:
    """The mark that stands in a text for token ``number`` until ``sanitise`` puts the token there."""
    return f"\ue000{number}\ue001"


def without_marks(text: str) -> str:
    """Text in which nothing can be taken for a mark."""
    return text.replace("\ue000", "").replace("\ue001", "")


_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def plain(text: str) -> str:
    """Terminal output as plain text: no colour codes, and of a progress line what was written last."""
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n")]
    return _CONTROL.sub("", "\n".join(lines))


# ------------------------------------------------------------------------------------------------------- formulas

_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENTS = _words_of(
    "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle merror mpadded mphantom menclose msub msup msubsup "
    "munder mover munderover mmultiscripts mprescripts none mtable mtr mtd"
)
_MATH_ATTRIBUTES = _words_of(
    "display displaystyle scriptlevel mathvariant stretchy fence separator form accent accentunder movablelimits "
    "minsize maxsize symmetric largeop lspace rspace width height depth linethickness columnalign rowalign "
    "columnspacing rowspacing columnlines rowlines notation mathcolor mathsize columnspan rowspan linebreak"
)
# What the converter does not know, in words that it does.
_REWRITTEN = (
    (re.compile(r"\\(begin|end)\{(aligned|alignedat|eqnarray\*?)\}"), r"\\\1{split}"),
    (re.compile(r"\\(begin|end)\{gathered\}"), r"\\\1{split}"),
    (re.compile(r"\\(mathrm|textrm)\{([A-Za-z]{2,}[A-Za-z ]*)\}"), r"\\text{\2}"),  # else set letter by letter
    (re.compile(r"\\(label|nonumber|notag)(\{[^{}]*\})?"), ""),
    (re.compile(r"\\[lr]Vert(?![A-Za-z])"), r"\\| "),  # its own fences have no room for an exponent
    (re.compile(r"(?<!\\)<"), r"\\lt "),
    (re.compile(r"(?<!\\)>"), r"\\gt "),
)


def formula(tex: str, *, display: bool) -> str:
    """A TeX formula as MathML; what cannot be converted is shown as its source, in ``<code>``."""
    from latex2mathml.converter import convert

    source = tex.strip()
    for pattern, replacement in _REWRITTEN:
        source = pattern.sub(replacement, source)
    try:
        tree = ElementTree.fromstring(convert(source, display="block" if display else "inline"))
        written = _math(tree)
    except Exception:  # the converter has a dozen kinds of error, and raises IndexError and the like besides
        written = None
    if written is None:
        kind = "tex display" if display else "tex"
        return f'<code class="{kind}" title="TeX source: this formula could not be drawn">{escape(tex.strip())}</code>'
    # The source goes along: a reader can copy it, and a screen reader that knows no MathML has something to say.
    return written.replace("<math", f'<math alttext="{escape(" ".join(tex.split()))}"', 1)


def _math(element: ElementTree.Element) -> str | None:
    """MathML written anew from an allowlist; None if something in it is not mathematics (or an unknown command)."""
    name = element.tag.removeprefix(_MATHML)
    if name not in _ELEMENTS:
        return None
    words = [element.text or "", *(child.tail or "" for child in element)]
    if any("\\" in word for word in words):
        return None
    attributes = {key: value for key, value in element.attrib.items() if key in _MATH_ATTRIBUTES}
    if words[0] in ("±", "∓"):  # an operator, with an operator's space around it
        name = "mo"
    if attributes.get("mathvariant") == "double-struck" and words[0].isdecimal():  # as in an indicator function
        words[0] = "".join(chr(0x1D7D8 + int(digit)) for digit in words[0])
    inside = [escape(words[0], quote=False)]
    children = iter(element[1:])
    for child, tail in zip(element, words[1:], strict=True):
        written = _math(child)
        if written is None:
            return None
        inside.append(written + escape(tail, quote=False))
        follower = next(children, None)
        named = child.tag == f"{_MATHML}mi" and len(child.text or "") > 1 and (child.text or "").isalpha()
        if named and follower is not None and follower.tag != f"{_MATHML}mo":
            inside.append('<mspace width="0.17em"></mspace>')  # log p, not logp
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inside)}</{name}>"


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

    tokens: list[Token] = []

    def put(html: str, words: str) -> str:
        tokens.append((html, words))
        return mark(len(tokens) - 1)

    def math(display: bool, around: str = "{}"):
        return lambda self, parts, index, options, env: put(
            around.format(formula(parts[index].content, display=display)), parts[index].content
        )

    def fence(self, parts, index, options, env):
        language = (parts[index].info or "").strip().split(" ")[0].strip("{}")
        return put(highlight(parts[index].content, language), parts[index].content)

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.use(dollarmath_plugin, allow_digits=False, allow_space=False, double_inline=True).use(amsmath_plugin)
    for rule in ("math_block", "math_block_label", "amsmath"):
        reader.add_render_rule(rule, math(True, '<div class="formula">{}</div>'))
    reader.add_render_rule("math_inline_double", math(True))
    reader.add_render_rule("math_inline", math(False))
    reader.add_render_rule("fence", fence)
    parts = reader.parse(without_marks(text))
    for index, part in enumerate(parts):
        if part.type in ("heading_open", "heading_close"):
            depth = int(part.tag[1])
            part.tag = f"h{min(depth + level, 6)}"
            if part.type == "heading_open":
                words = _words(parts[index + 1])
                name = anchor(depth, words)
                if name:
                    position = put(f'<span class="anchor" id="{escape(name)}"></span>', "")
                    parts[index + 1].children.insert(0, _text_part(position))
    return sanitise(reader.renderer.render(parts, reader.options, {}), tokens=tokens, link=link)


def _words(part) -> str:
    """What a heading says, without its markup."""
    said = [child.content for child in part.children or [] if child.type in ("text", "code_inline", "math_inline")]
    return " ".join("".join(said).split())


def _text_part(content: str):
    from markdown_it.token import Token as Part

    return Part("text", "", 0, content=content)
