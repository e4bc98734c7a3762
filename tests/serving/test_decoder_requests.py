"""Whatever a request says: it is understood, or refused with its field; nothing else comes of it."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writers import alphabet

from course_utils.bundles.byte_pairs import BytePairs
from course_utils.bundles.decoder import Decoder
from course_utils.bundles.decoder_pass import Network, Shape, drawn
from course_utils.serving.decoding.asking import CHAT, COMPLETIONS, Asked, asked
from course_utils.serving.limits import Limits, Refusal

MODEL = alphabet(64)
NAMES = [
    *("model", "prompt", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop"),
    *("stream", "stream_options", "response_format", "n", "logprobs", "tools", "logit_bias", "user", "echo"),
]
LIKELY = [
    *(None, True, False, 0, 1, -1, 1.5, 2**70, float(2**60), "", "letters", "a" * 100, "<end>", "\ud800"),
    *([], ["a"], [97], [[97]], {}, {"include_usage": True}, {"type": "text"}, [{"role": "user", "content": "a"}]),
    [{"role": "system", "content": [{"type": "text", "text": "b"}]}],
    {"type": "json_schema", "json_schema": {"schema": {"type": "boolean"}}},
]
KEYS = st.sampled_from([*NAMES, "role", "content", "type", "schema"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
REQUESTS = st.dictionaries(
    st.sampled_from(NAMES) | st.text(string.ascii_lowercase, max_size=6), st.sampled_from(LIKELY) | JSON, max_size=6
)


@given(REQUESTS, st.sampled_from([CHAT, COMPLETIONS]))
@settings(max_examples=500, deadline=None)
def test_it_is_understood_or_refused(request, path):
    try:
        found = asked(request, path, MODEL, "letters", Limits())
    except Refusal as refusal:
        assert refusal.status in (400, 404) and refusal.sentence.endswith(".")
        assert getattr(refusal, "param", None) in (None, *NAMES, "best_of", "suffix")
        return
    assert isinstance(found, Asked)
    assert found.prompt and found.most > 0 and len(found.prompt) + found.most <= 64
    assert all(0 <= token < len(MODEL.tokenizer) for token in found.prompt)
    assert 0 <= found.temperature <= 2 and 0 <= found.top_p <= 1
    assert found.seed is None or 0 <= found.seed < 2**64
    assert all(isinstance(one, str) and one for one in found.stop)
    if found.allowed is not None:
        assert found.allowed([]).any()


def test_a_text_of_nothing_that_the_tokenizer_has_is_empty():
    pieces = BytePairs([], {"<end>": 0})
    shape = Shape(256, 8, 1, 1, 4)
    plain = dict.fromkeys(("system", "user", "assistant"), ("", ""))
    model = Decoder(network=Network(shape, drawn(shape)), tokenizer=pieces, chat=plain)
    for path, request in (
        (COMPLETIONS, {"prompt": "\0\0"}),
        (CHAT, {"messages": [{"role": "user", "content": "\0"}]}),
    ):
        with pytest.raises(Refusal, match="empty"):
            asked(request, path, model, "letters", Limits())
    assert asked({"prompt": "\0a"}, COMPLETIONS, model, "letters", Limits()).prompt == [97]


def test_some_of_them_are_understood():
    """The test above would pass if everything were refused."""
    assert asked({"prompt": "a", "max_tokens": 3, "stop": ["b"]}, COMPLETIONS, MODEL, "letters", Limits()).most == 3
    content = [{"role": "user", "content": "a"}]
    assert asked({"messages": content, "seed": -1}, CHAT, MODEL, "letters", Limits()).seed == 2**64 - 1
