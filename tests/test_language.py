"""Whole sentences with named fields; a catalogue may turn them round."""

import gettext

import pytest

from course_utils import language


def test_a_sentence_with_its_fields():
    assert language.say("{wrong} of {total} entries differ.", wrong=3, total=10) == "3 of 10 entries differ."


def test_a_sentence_without_fields_may_hold_braces():
    assert language.say("{a} is a set") == "{a} is a set"


@pytest.mark.parametrize(("n", "text"), [(0, "0 rows of x"), (1, "1 row of x"), (2, "2 rows of x")])
def test_a_number_decides_the_form(n, text):
    assert language.say_many("{n} row of {what}", "{n} rows of {what}", n, what="x") == text


def test_a_missing_field_is_an_error():
    with pytest.raises(KeyError, match="total"):
        language.say("{wrong} of {total}", wrong=1)


def test_a_catalogue_may_order_the_fields_otherwise(monkeypatch):
    class Backwards(gettext.NullTranslations):
        def gettext(self, message):
            return {"{a} before {b}": "{b} nach {a}"}.get(message, message)

    monkeypatch.setattr(language, "_catalogue", Backwards())
    assert language.say("{a} before {b}", a=1, b=2) == "2 nach 1"
