"""Chapter 08 shows its classifiers in the open; the package has them for `course compare`. The two must do the same."""

import numpy as np
import pytest

from course_utils import data
from course_utils.recipes import text

TEXTS = {"en": ["My invoice won't open, again!", "How do I ADD a user? My user...", "", "x" * 500],
         "zh": ["我的发票打不开！Tidebook 2026", "怎么加一个用户？我的用户"]}  # fmt: skip


@pytest.fixture(scope="module")
def shown(chapter_functions):
    names = ("tfidf", "units", "vocabulary", "token_ids", "small_network", "balanced", "UNIT", "PADDING", "UNKNOWN")
    return chapter_functions("08", *names)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_units_vocabulary_and_token_numbers(shown, language):
    texts = [*TEXTS[language], *data.load({"en": "tickets", "zh": "tickets_zh"}[language]).train.texts]
    assert [shown["units"](t, language) for t in texts] == [text.units(t, language) for t in texts]
    for options in ({}, {"most": 50}, {"least": 1}):
        ours = shown["vocabulary"](texts, language, **options)
        assert ours == text.vocabulary(texts, language, **options)
    for length in (1, 16, 128):
        np.testing.assert_array_equal(
            shown["token_ids"](texts, ours, length, language), text.token_ids(texts, ours, length, language)
        )
    assert (shown["PADDING"], shown["UNKNOWN"]) == (text.PADDING, text.UNKNOWN)


def test_an_empty_message_gets_probabilities():
    """The mean over no tokens is not a number; a service would answer with it."""
    classifier = text.train_small(["pay my bill", "add a user"] * 4, np.array([0, 1] * 4), 2, epochs=1)
    answers = classifier.predict_proba(["", " ", "新"])
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(answers, answers[[2, 2, 2]], rtol=1e-5)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pipeline(shown, language):
    assert repr(shown["tfidf"](language)) == repr(text.tfidf(language))
    ours, theirs = ({k: repr(v) for k, v in made.get_params().items()} for made in
                    (shown["tfidf"](language), text.tfidf(language)))  # fmt: skip
    assert ours == theirs


def test_the_network(shown):
    def described(model):
        return [(type(x).__name__, {k: v for k, v in x.get_config().items() if k != "name"}) for x in model.layers]

    assert described(shown["small_network"](100, 8)) == described(text.small_network(100, 8))


def test_the_weights_of_the_classes(shown):
    labels = np.array([0, 0, 0, 1, 2, 2])
    expected = np.array([6 / (3 * 3)] * 3 + [6 / (3 * 1)] + [6 / (3 * 2)] * 2)
    np.testing.assert_allclose(shown["balanced"](labels, 4), expected)
