"""Formulas as MathML, which browsers draw without a script."""

import re
import xml.etree.ElementTree as ElementTree
from html import escape


def words_of(text: str) -> frozenset[str]:
    """The words of ``text`` as a set."""
    return frozenset(text.split())


_MATHML = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = words_of(
    "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle merror mpadded mphantom menclose msub msup msubsup "
    "munder mover munderover mmultiscripts mprescripts none mtable mtr mtd"
)
ATTRIBUTES = words_of(
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
    if name not in ELEMENTS:
        return None
    words = [element.text or "", *(child.tail or "" for child in element)]
    if any("\\" in word for word in words):
        return None
    attributes = {key: value for key, value in element.attrib.items() if key in ATTRIBUTES}
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
