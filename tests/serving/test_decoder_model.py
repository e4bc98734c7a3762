"""A decoder's parts without a service: tokens, forward pass, sampling, the bundle."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writers import CHAT, END, MERGES, alphabet, tokenizer, untaught

from course_utils import bundles
from course_utils.bundles.byte_pairs import BytePairs
from course_utils.bundles.decoder import Decoder
from course_utils.bundles.decoder_pass import Cache, Network, Shape, drawn
from course_utils.bundles.sampling import choose, kept, tempered
from course_utils.errors import CourseError


def by_hand(text: str, merges: list[tuple[int, int]]) -> list[int]:
    """Merge after merge over the whole text: slow, and nothing to get wrong."""
    tokens = list(text.encode())
    for rank, pair in enumerate(merges):
        joined: list[int] = []
        for token in tokens:
            if joined and (joined[-1], token) == pair:
                joined[-1] = 256 + rank
            else:
                joined.append(token)
        tokens = joined
    return tokens


@st.composite
def merges_and_text(draw):
    merges: list[tuple[int, int]] = []
    for n in range(draw(st.integers(0, 12))):
        known = [97, 98, 99, *range(256, 256 + n)]
        pair = (draw(st.sampled_from(known)), draw(st.sampled_from(known)))
        if pair in merges:
            break
        merges.append(pair)
    return merges, draw(st.text("abc", max_size=60))


@given(merges_and_text())
@settings(max_examples=300, deadline=None)
def test_pairs_are_joined_as_one_does_it_by_hand(case):
    merges, text = case
    assert BytePairs(merges).encode(text) == by_hand(text, merges)


def test_pairs_are_joined_as_a_known_library_joins_them():
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    text = " ".join(["the cat that sat on the mat", "naïve café", "密码 密码", "aaaa aaaaa banana bandana"] * 5)
    known = Tokenizer(models.BPE())
    known.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet_ = pre_tokenizers.ByteLevel.alphabet()
    known.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet_, show_progress=False)
    )
    letters = {}  # the library writes bytes as characters
    for byte in range(256):
        letters[byte] = byte if 33 <= byte <= 126 or 161 <= byte <= 172 or byte >= 174 else None
    spare = itertools.count(256)
    written = {chr(next(spare) if one is None else one): byte for byte, one in letters.items()}
    ours = {bytes([byte]): byte for byte in range(256)}
    merges = []
    for left, right in json.loads(known.to_str())["model"]["merges"]:
        pair = [bytes(written[letter] for letter in part) for part in (left, right)]
        merges.append([ours[part] for part in pair])
        ours[b"".join(pair)] = 256 + len(merges) - 1
    made = BytePairs(merges)
    for one in (text, "the banana", "密", "x"):
        wanted = [bytes(written[letter] for letter in piece) for piece in known.encode(one).tokens]
        assert [made.pieces[token] for token in made.encode(one)] == wanted
    assert len(merges) > 30


@given(st.text())
@settings(deadline=None)
def test_no_script_loses_anything(text):
    made = BytePairs(MERGES, [END], split=r"\s+|\w+")
    for one in (made, tokenizer(), BytePairs.from_json(made.to_json())):
        assert one.decode(one.encode(text)) == text.encode("utf-8", "replace").decode("utf-8")


def test_a_text_that_is_cut_joins_nothing_across_a_cut():
    assert BytePairs([(ord("a"), ord(" "))], split=" ").encode("a a") == [97, 32, 97]
    assert BytePairs([(ord("a"), ord(" "))]).encode("a a") == [256, 97]


def test_nobody_writes_a_special_token():
    made = tokenizer()
    assert made.special(END) not in made.encode(f"a{END}") and made.decode(made.encode(END)) == END
    assert made.encode_marked(f"a{END}b") == [97, made.special(END), 98]
    assert made.decode([97, made.special(END)]) == "a"


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match="pattern"):
        BytePairs(MERGES, split="(")


def test_a_special_token_may_take_the_place_of_a_byte_that_texts_do_without():
    made = BytePairs(MERGES, {"<end>": 0, "<ask>": 1, "<more>": 260})
    assert len(made) == 261
    for one in (made, BytePairs.from_json(made.to_json())):
        assert one.encode("a\x00b\x01") == [97, 98] and one.encode("<end>") == list(b"<end>")
        assert one.encode_marked("a<ask>b<end><more>") == [97, 1, 98, 0, 260]
        assert one.decode([0, 97, 1, 260]) == "a"


@pytest.mark.parametrize(
    "specials",
    [["a", "a"], [""], {"a": 97, "b": 97}, {"a": -1}, {"a": 256}, {"a": 261}, {"a": 260, "b": 262}, {"a": ord("t")}],
    ids=str,
)
def test_special_tokens_that_mean_nothing_are_refused(specials):
    with pytest.raises(ValueError, match="special"):
        BytePairs(MERGES, specials)


@pytest.mark.parametrize(
    "merges", [[(97, 256)], [(-1, 97)], [(97, 98), (97, 98)], [(300, 1)]], ids=["own", "below", "twice", "later"]
)
def test_merges_that_mean_nothing_are_refused(merges):
    with pytest.raises(ValueError, match="merge"):
        BytePairs(merges)


SWITCHES = [
    {},
    {"rotary": True},
    {"normalised": True, "squared": True},
    {"pairs": True, "plain": True},
    {"rotary": True, "normalised": True, "squared": True, "pairs": True, "plain": True, "untied": True},
]


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda one: "+".join(one) or "plain")
def test_what_is_read_at_once_in_parts_and_one_by_one_gives_the_same(switches):
    """The cache changes nothing, and no sequence sees another one's row."""
    network = untaught(32, **switches).network
    tokens = np.random.default_rng(1).integers(0, network.shape.vocabulary, (3, 32))
    alone = [network.forward(Cache(network.shape, 1), row[None], 0, np.array([0]))[0] for row in tokens]
    cache = Cache(network.shape, 5)
    together = network.forward(cache, tokens[:, :20], 1, np.zeros(3, int))
    for place in range(20, 32):
        together = network.forward(cache, tokens[:, place : place + 1], 1, np.full(3, place))
    assert np.abs(together - alone).max() < 1e-4
    assert not cache.keys[:, [0, 4]].any()
    ragged = Cache(network.shape, 2)  # two that are not equally far
    network.forward(ragged, tokens[:1, :31], 0, np.array([0]))
    network.forward(ragged, tokens[1:2, :10], 1, np.array([0]))
    found = network.forward(ragged, np.array([[tokens[0, 31]], [tokens[1, 10]]]), 0, np.array([31, 10]))
    short = network.forward(Cache(network.shape, 1), tokens[1:2, :11], 0, np.array([0]))
    assert np.abs(found - np.stack([alone[0], short[0]])).max() < 1e-4


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda one: "+".join(one) or "plain")
def test_no_token_is_seen_before_it_comes(switches):
    network = untaught(16, **switches).network
    tokens = np.random.default_rng(2).integers(0, network.shape.vocabulary, (1, 16))
    changed = tokens.copy()
    changed[0, 9] = (tokens[0, 9] + 1) % network.shape.vocabulary

    def at(row, length):
        return network.forward(Cache(network.shape, 1), row[:, :length], 0, np.array([0]))

    for length in range(1, 17):
        moved = np.abs(at(tokens, length) - at(changed, length)).max()
        assert moved == 0 if length <= 9 else moved > 1e-3


def test_arrays_that_do_not_fit_are_refused():
    shape = Shape(300, 16, 1, 2, 8)
    arrays = drawn(shape)
    for wrong in ({**arrays, "more": np.zeros(1)}, {**arrays, "gain": np.ones(9)}, {"gain": arrays["gain"]}):
        with pytest.raises(ValueError, match="arrays"):
            Network(shape, wrong)
    for sizes in ((300, 16, 1, 3, 8), (300, 0, 1, 2, 8), (300, 16, 1.0, 2, 8)):
        with pytest.raises(ValueError, match="sizes"):
            Shape(*sizes)
    with pytest.raises(ValueError, match="even"):
        Shape(300, 16, 1, 2, 6, rotary=True)


def test_the_draws_have_the_shares_that_they_should_have():
    """Ten thousand uniform numbers in a row of their own: each token's count is its share, to a hundredth."""
    logits = np.log(np.array([[0.5, 0.25, 0.15, 0.1]]))
    uniform = (np.arange(10_000) + 0.5) / 10_000

    def shares(temperature, top_p):
        n = len(uniform)
        drawn_ = choose(np.repeat(logits, n, 0), np.full(n, temperature), np.full(n, top_p), uniform)
        return np.bincount(drawn_, minlength=4) / n

    assert shares(1.0, 1.0) == pytest.approx([0.5, 0.25, 0.15, 0.1], abs=1e-3)
    assert shares(0.5, 1.0) == pytest.approx(np.array([0.25, 0.0625, 0.0225, 0.01]) / 0.345, abs=1e-3)
    assert shares(1.0, 0.6) == pytest.approx([2 / 3, 1 / 3, 0, 0], abs=1e-3)
    assert shares(1.0, 0.5) == pytest.approx([1, 0, 0, 0])
    assert shares(1.0, 0.0) == pytest.approx([1, 0, 0, 0])
    assert shares(0.0, 1.0) == pytest.approx([1, 0, 0, 0])
    assert shares(1e-300, 1.0) == pytest.approx([1, 0, 0, 0])


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=40), st.floats(0.0, 1.0), st.floats(0, 0.999999))
@settings(deadline=None)
def test_what_is_drawn_is_among_what_is_kept(logits, top_p, uniform):
    row = np.array([[*logits, -np.inf]])
    drawn_ = int(choose(row, np.ones(1), np.array([top_p]), np.array([uniform]))[0])
    shares = tempered(row, np.ones(1))
    left = kept(shares, np.array([top_p]))[0]
    assert left[drawn_] > 0 and left[-1] == 0
    assert left.sum() >= min(top_p, 1) - 1e-9
    without_least = left.sum() - left[left > 0].min() * (left == left[left > 0].min()).sum()
    assert without_least < top_p + 1e-9 or (left > 0).sum() == (left == left.max()).sum()


def test_a_decoder_comes_back_from_its_folder(tmp_path):
    for model in (untaught(pairs=True, rotary=True), alphabet()):
        card = bundles.save(model, tmp_path / "model", trained_on="nothing")
        assert card["kind"] == "decoder" and set(card["files"]) == {"weights.npz", "tokenizer.json"}
        loaded = bundles.load_model(tmp_path / "model")
        assert type(loaded) is Decoder and loaded.chat == CHAT and loaded.end_token == model.end_token
        assert loaded.network.shape == model.network.shape
        assert loaded.complete("the cat", 20) == model.complete("the cat", 20)
    assert loaded.complete("xyz", 5) == "abcde"
    assert alphabet(ends=True).complete("w", 50) == "xyz"
    assert alphabet(16).complete("a" * 10, 50) == "bcdefg", "the context is full"


def test_equal_seeds_write_equal_texts():
    model = untaught()
    texts = [model.complete("the", 20, temperature=1.0, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tokenizer": BytePairs(MERGES)}, "260 tokens, the network 263"),
        ({"end": "<other>"}, "'<other>'"),
        ({"chat": {"user": ("", "")}}, "system, user, assistant"),
    ],
)
def test_a_tokenizer_of_another_model_is_refused(change, words):
    import dataclasses

    with pytest.raises(CourseError, match=words):
        dataclasses.replace(untaught(), **change)


def test_a_folder_whose_settings_do_not_fit_is_refused(tmp_path):
    bundles.save(untaught(), tmp_path / "model")
    card = json.loads((tmp_path / "model" / "model.json").read_text("utf-8"))
    for change in ({"width": 64}, {"rotary": True}, {"nonsense": 1}, {"heads": 3}, {"layers": "two"}):
        settings_ = card["settings"] | {"shape": card["settings"]["shape"] | change}
        (tmp_path / "model" / "model.json").write_text(json.dumps(card | {"settings": settings_}))
        with pytest.raises(CourseError, match="holds no model that this version"):
            bundles.load_model(tmp_path / "model")


def test_a_decoder_has_no_classes():
    with pytest.raises(CourseError, match="writes text"):
        untaught().predict_proba(["a"])


def test_a_conversation_becomes_the_text_that_was_taught():
    model = alphabet()
    special = model.tokenizer.special
    found = model.prompt([("system", "x"), ("user", f"y{END}"), ("assistant", "z"), ("user", "w")])
    user, assistant, end = special("<user>"), special("<assistant>"), special(END)
    assert found == [*b"[x]", user, *b"y<end>", assistant, *b"z", end, user, *b"w", assistant]


def test_what_writes_loads_no_framework(tmp_path):
    bundles.save(untaught(), tmp_path / "model")
    program = (
        "import sys; from course_utils import bundles\n"
        "bundles.load_model(sys.argv[1]).complete('the', 5)\n"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'jax', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr
