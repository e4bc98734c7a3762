"""Texts that try to leave their place in a page, and a reader that notices when one does."""

import re
from html.parser import HTMLParser

BREAKOUT = "</script><script>alert(1)</script><!--"

ATTACKS = [
    BREAKOUT,
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    "</section></article></main></body></html><script>alert(1)</script>",
    '<div style="background: url(https://x.org/a); position: fixed; color: red">x</div>',
    "<style>body { display: none }</style>",
    '<iframe src="https://x.org"></iframe><link rel="stylesheet" href="https://x.org/a.css"><base href="https://x.org">',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<textarea></textarea><title><b id=x></title><noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<details><summary>never closed <b><i>",
    '$\\text{<script>alert(1)</script>}$ $\\href{javascript:alert(1)}{x}$ $"><script>alert(1)</script>$',
    "```html\n</code></pre><script>alert(1)</script>\n```",
    '![x" onerror="alert(1)](https://x.org/a.png) [x](javascript:alert(1)) [y](<data:text/html,x>)',
    "\ue0000\ue001 \ue00099\ue001 <b title='\ue0000\ue001'>",
    '<form action="https://x.org"><input onfocus=alert(1) autofocus><button>x</button></form>',
    # Read once, written and read again they must not turn into something else (mutation XSS).
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<noscript><style></noscript><img src=x onerror="alert(1)">',
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<math><mi href='javascript:alert(1)' xlink:href='javascript:alert(1)' onclick=alert(1)>x</mi></math>",
    "<b title='</section><script>alert(1)</script>'>x</b><p title=\"`'><img src=x onerror=alert(1)>\">",
    "<svg><animate onbegin=alert(1) dur=1s><use href='data:image/svg+xml,<svg onload=alert(1)>'/></svg>",
    '<meta http-equiv="refresh" content="0;url=https://x.org"><base href="https://x.org/">',
    "<style>@import 'https://x.org/a.css'; * { background: url(https://x.org/b) }</style>",
    '<p style="background-image: image-set(url(//x.org/c) 1x)">x</p><p style="--a: url(//x.org); color: var(--a)">',
    '<a href=" \x01java\tscript:alert(1)">x</a><a href="vbscript:x">y</a><a href="data:text/html,<script>">z</a>',
    "<img srcset='https://x.org/a 2x' src='//x.org/b'><video poster=//x.org/c></video><input type=image src=//x.org>",
    "![a](data:image/svg+xml,<svg/onload=alert(1)>) <img src='data:text/html;base64,PHNjcmlwdD4='>",
    "<plaintext><xmp><iframe srcdoc='<script>parent.alert(1)</script>'>",
    "<span id='summary' class='verdict passed'>x</span><a name=contents id=contents>y</a>",
]


class Reader(HTMLParser):
    """What a page loads, runs and links, and whether its elements are nested properly."""

    VOID = frozenset(["br", "col", "hr", "img", "wbr", "meta", "link", "input"])

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.stack, self.faults, self.scripts = [], [], [], []
        self.ids, self.links = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag not in self.VOID:
            self.stack.append(tag)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "a" and attrs.get("href", "").startswith("#"):
            self.links.append(attrs["href"][1:])
        if tag == "script":
            self.scripts.append([attrs, ""])

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "script":
            self.scripts[-1][1] += data

    def loaded(self) -> list[str]:
        found = []
        for tag, attrs in self.tags:
            if tag == "a":
                continue
            found += [attrs[name] for name in ("src", "srcset", "href", "data", "poster", "action") if attrs.get(name)]
            found += re.findall(r"url\(([^)]*)\)", attrs.get("style") or "")
        return [one for one in found if not one.startswith("data:")]
