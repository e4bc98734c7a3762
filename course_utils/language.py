"""What the course says, as whole sentences: one place where a catalogue of another language can step in.

A sentence is written whole, with its values as named fields, because other languages order them otherwise::

    say("{wrong} of {total} entries differ.", wrong=3, total=10)
    say_many("{n} entry differs.", "{n} entries differ.", 3)

Never glue a sentence from pieces, and never hand over an f-string: a catalogue knows the template only.
"""

import gettext
from typing import Any

_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def say(template: str, /, **fields: Any) -> str:
    """The sentence ``template`` in the reader's language, its fields filled in as `str.format` does.

    Raises KeyError for a field without a value.
    """
    text = _catalogue.gettext(template)
    return text.format(**fields) if fields else text


def say_many(one: str, many: str, n: int, /, **fields: Any) -> str:
    """The sentence ``one`` or ``many``, as the language counts ``n``; the number itself is the field ``{n}``."""
    return _catalogue.ngettext(one, many, n).format(n=n, **fields)
