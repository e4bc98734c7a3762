"""Untrusted HTML comes out well formed and inert; formulas become MathML."""

import html

import pytest
from hostile import ATTACKS, Reader
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.pages import formulas, safe_html

PIECES = (
    "<b> </b> <div> </div> <p> </p> <table> </table> <tr> <td> </td> <script> </script> <style> </style> <svg> </svg> "
    "<!-- --> <a href='javascript:x'> </a> <img src=x onerror=y> <details> </details> <summary> & &lt; \" ' $ ` ``` "
    "<title> </title> <![CDATA[ ]]> <?x > < </ / = \ue0000\ue001 word \n \n\n"
)
pieces = st.sampled_from(PIECES.split(" "))


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces | st.text(max_size=5), max_size=25).map("".join))
def test_sanitised_text_is_well_formed_and_inert(text):
    for written in (safe_html.sanitise(text), safe_html.markdown(text)):
        reader = Reader(f"<section>{written}</section>")
        assert not reader.faults and not reader.stack
        assert reader.loaded() == [] and not reader.scripts
        assert not [name for _, attrs in reader.tags for name in attrs if name.startswith("on")]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_came_out_comes_out_again_as_it_was(attack):
    """Read as a browser reads it and written again, nothing turns into something else."""
    for written in (safe_html.sanitise(attack), safe_html.markdown(attack)):
        reader, again = (Reader(f"<section>{text}</section>") for text in (written, safe_html.sanitise(written)))
        assert again.tags == reader.tags
        assert reader.loaded() == [] and not reader.scripts and not reader.stack
        assert not {tag for tag, _ in reader.tags} - {"section"} - safe_html.TAGS - formulas.ELEMENTS
        names = {name for _, attrs in reader.tags for name in attrs}
        assert not [name for name in names if name.startswith("on") or name in ("id", "srcset", "name", "srcdoc")]


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        ("<img src=https://x.org/a.png alt='a &lt;b&gt; \"c\"'>", "[picture: a &lt;b&gt; &quot;c&quot;]"),
        ("<img src=a.png>", "[picture: not in this report]"),
        ("<img src='data:text/html;base64,PHNjcmlwdD4=' alt=x>", "[picture: x]"),
        ("<img src='data:image/png;base64,AA==' alt=x>", '<img src="data:image/png;base64,AA==" alt="x">'),
    ],
)
def test_a_picture_that_would_be_loaded_becomes_its_description(picture, said):
    assert safe_html.sanitise(picture) == said


def test_words_in_an_attribute_stay_words():
    reader = Reader(safe_html.sanitise("<b title='<img src=x><script>'>y</b>"))
    assert reader.tags == [("b", {"title": "<img src=x><script>"})]


def test_only_the_places_asked_for_get_an_id():
    told = []

    def anchor(level, words):
        told.append((level, words))
        return f"place-{len(told)}"

    text = "# A $x$ `b`\n\n<span id='place-1'>c</span>\n\n<b title='\n\n## D\n\n'>e</b>"
    written = safe_html.markdown(text, anchor=anchor)
    assert told == [(1, "A x b"), (2, "D")]
    assert Reader(f"<section>{written}</section>").ids == ["place-1", "place-2"]
    assert written.startswith('<h2><span class="anchor" id="place-1"></span>A ')


def test_half_a_surrogate_pair_is_no_text():
    assert safe_html.sanitise("\ud800 <b>\udfff</b>") == "? <b>?</b>"


def test_what_is_harmless_is_kept():
    kept = '<p style="color: #b00; font-weight: 600">a <strong>b</strong> &amp; <a href="https://x.org/?a=1&amp;b=2">c</a></p>'
    assert safe_html.sanitise(kept) == kept


@pytest.mark.parametrize(
    ("tex", "piece"),
    [
        (r"a < b", "<mo>&lt;</mo>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtr>"),
        (r"\begin{align*} a &= b \end{align*}", "<mtr>"),
        (r"\operatorname{softmax}(z)_k", "softmax"),
        (r"\mathrm{ReLU}(x)", "<mtext>ReLU</mtext>"),
        (r"\mathbf{W}^\top \in \mathbb{R}^{n \times d}", "𝐖"),
        (r"\hat p \pm 1.96 \sqrt{\frac{\hat p (1 - \hat p)}{n}}", "<mo>±</mo>"),
        (r"\mathbb{1}[y = k]", "𝟙"),
        (r"\log p", '<mi>log</mi><mspace width="0.17em"></mspace><mi>p</mi>'),
        (r"\log(p)", '<mi>log</mi><mo stretchy="false">(</mo>'),
        (r"\lVert x \rVert^2", '<msup><mo fence="false" stretchy="false">‖</mo><mn>2</mn></msup>'),
    ],
)
def test_formulas_become_mathml(tex, piece):
    written = formulas.formula(tex, display=True)
    assert written.startswith("<math ") and piece in written and "\\" not in written.split(">", 1)[1]


@pytest.mark.parametrize("tex", [r"\nosuchcommand{x}", r"x_{", r"\left( a", "a & b", "", r"\text{<b>}"])
def test_what_is_no_formula_is_shown_as_its_source(tex):
    written = formulas.formula(tex, display=False)
    if tex:
        assert written.startswith('<code class="tex"') and html.escape(tex) in written
    assert "<b>" not in written


def test_money_is_no_formula():
    assert "<math" not in safe_html.markdown("It costs $5 and $6. Then $10.")
