# ---
# jupyter:
#   course:
#     chapter: "12"
#     title: A language model of your own
#     requires: ["08"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 110, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 12 · A language model of your own
#
# You build a decoder from bytes to sampled text, hold it against counted n-grams, turn it into a writer of JSON records that cannot be malformed, and decide
# by a rule whether your product should use it.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 08; chapters 01 and 09 help*

# %% [markdown]
# ## You will be able to
#
# * cut any text into tokens that lose nothing, and compare language models whose tokens differ;
# * build a decoder, prove that it never looks ahead, and say from which effort on it beats counting;
# * sample from it, and make it write ten times faster with a cache that you wrote yourself;
# * make it write records that are valid by construction, and know what that does not buy;
# * decide by a rule between rules, a model of your own, and somebody else's.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares Python; chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, data, evaluate, setup

course = setup("12", profile=profile, seed=seed)

import json
import re
import time

import keras
import numpy as np
import pandas as pd
import plotly.express as px
from keras import ops
from threadpoolctl import threadpool_limits

# %% [markdown]
# ## The question
#
# Chapter 08's help desk wants its tickets as records that a program can use:
#
# `{"team": "billing", "urgent": false, "amount": "264"}`
#
# `team` somebody has to *judge*. `urgent` follows a *policy*: whatever is for security, and whatever says "today" and the like. `amount` is *copied*, digit
# by digit, where money is named. A colleague says: "That is a job for a language model. Let us train a small one of our own, then no ticket leaves the house."
# Before anybody trains anything, you write down when it ships:
#
# | | fixed beforehand |
# |---|---|
# | form | every record is valid: JSON with exactly these fields, and a team that exists |
# | content | it loses at most two records in a hundred against counted words and rules, at the upper end of the paired 95 % interval |
# | time | 99 of 100 records take at most 50 ms of one core |
# | price | at most 1.35 US\$ for a thousand, which is what an API costs by chapter 01's prices (460 tokens read, 20 written) |
#
# First the records. Policy and amount are rules, so their truth is computed; the team comes from the labels.

# %%
tickets = data.load("tickets")
teams = tickets.class_names
AT_ONCE = re.compile(r"\b(today|tonight|urgent|urgently|asap|deadline|at once)\b", re.I)
number = r"(\d[\d,.]*\d|\d)"
AMOUNT = re.compile(rf"[$€£₹] ?{number}|{number} ?(?:[€$£]|euros?\b|dollars?\b|pounds?\b)")


def record(message, team):
    found = AMOUNT.search(message)
    urgent = team == "security" or bool(AT_ONCE.search(message))
    return {"team": team, "urgent": urgent, "amount": (found[1] or found[2]) if found else ""}


def records(part, labels):
    return [record(m, teams[k]) for m, k in zip(part.texts, labels, strict=True)]


taught, truth = (records(part, part.labels) for part in (tickets.train, tickets.test))
{tickets.test.texts[k]: truth[k] for k in (3, 27)}

# %% [markdown]
# The bar: chapter 08's counted words judge the team, and the two rules do the rest. (The 400 test tickets have been used in chapters 08 and 09 already;
# nothing is chosen on them here.)

# %%
from course_utils.recipes.text import tfidf

counted = tfidf().fit(tickets.train.texts, tickets.train.labels)
by_rules = records(tickets.test, counted.predict(tickets.test.texts))


def hits(found):
    """Records, or None where one is invalid -> for each field, and for the whole record, whether it is right."""
    rows = [
        {name: one is not None and one[name] == wanted[name] for name in wanted}
        for one, wanted in zip(found, truth, strict=True)
    ]
    return pd.DataFrame(rows).assign(whole=lambda row: row.all(axis=1))


right = {"counted words and rules": hits(by_rules)}
right["counted words and rules"].mean().to_frame("right").T.round(3)

# %% [markdown]
# **Predict first.** Your own decoder, trained for half a minute on the course's own text and then on 500 pairs of ticket and record: in how many of 100 test tickets
# does it get the team right? How many of the 23 amounts does it copy? Write both down; section 6 has the answer.
#
# ## 1 · From text to tokens
#
# A decoder (chapter 01) guesses the next *token*. Whole words would be too many, and the next customer has a new one; single bytes would be many steps for
# little. **Byte-pair encoding** lies between: begin with the 256 bytes, so that every text in every script can be written, then take the pair of tokens that stands
# together most often, make it a new token, and repeat. The text is first cut into pieces, so that no token reaches across words; digits stay alone.

# %%
from collections import Counter, defaultdict
from itertools import pairwise


def pieces(text):
    return re.findall(r" ?[^\W\d]+|\d| ?[^\w\s]+|\s+", text)


def merge(ids, pair, new):
    """Every `pair` in a list of token numbers, from the left, becomes `new`."""
    out = []
    for k in ids:
        if out and (out[-1], k) == pair:
            out[-1] = new
        else:
            out.append(k)
    return out


def learn_tokens(text, V):
    """The merges, pair -> new token, in the order they were learnt, and the tokens as bytes."""
    words = [[list(piece.encode()), n] for piece, n in Counter(pieces(text)).items()]
    count, where = Counter(), defaultdict(set)  # of each pair: how often, in which words
    tokens, merges = [bytes([b]) for b in range(256)], {}

    def tally(k, sign):
        for pair in pairwise(words[k][0]):
            count[pair] += sign * words[k][1]
            where[pair].add(k)

    for k in range(len(words)):
        tally(k, 1)
    while len(tokens) < V:
        best = max(count, key=lambda pair: (count[pair], -pair[0], -pair[1]))
        merges[best] = len(tokens)
        tokens.append(tokens[best[0]] + tokens[best[1]])
        for k in list(where[best]):
            tally(k, -1)
            words[k][0] = merge(words[k][0], best, merges[best])
            tally(k, 1)
        del count[best]
    return merges, tokens


# %% [markdown]
# The text is what this course says in chapters 00 to 11, with the training tickets: 390 kB for training, 44 kB that judge. The records are learnt along, so that their
# form costs few tokens:

# %%
prose = data.load("course_text")
V = 1_024
merges, tokens = learn_tokens(prose.train + "\n".join(json.dumps(one) for one in taught), V)
[tokens[k].decode() for k in (256, 257, 258, 300, 400, 600, 800, 1_000)]

# %% [markdown]
# To *encode*, each piece repeats the merges in the order in which they were learnt:

# %%
from functools import cache


@cache
def encode_piece(piece):
    ids = list(piece.encode())
    while pairs := [pair for pair in pairwise(ids) if pair in merges]:
        first = min(pairs, key=merges.get)
        ids = merge(ids, first, merges[first])
    return ids


def encode(text):
    return [k for piece in pieces(text) for k in encode_piece(piece)]


def decode(ids):
    return b"".join(tokens[k] for k in ids).decode(errors="replace")


[tokens[k].decode() for k in encode("The refund of £36 has not arrived.")]

# %% [markdown]
# Two witnesses. The library `tokenizers`, given the same pieces, learns the same merges and writes the same numbers; and nothing is lost, in any script:

# %%
from tokenizers import Tokenizer, models, trainers

letters = [chr(b) for b in range(256)]  # it wants characters: one for each byte
raw = [piece.encode().decode("latin-1") for piece in pieces(prose.train)]
raw += [p.encode().decode("latin-1") for p in pieces("\n".join(map(json.dumps, taught)))]
theirs = Tokenizer(models.BPE())
options = {"initial_alphabet": letters, "special_tokens": [], "show_progress": False}
theirs.train_from_iterator(raw, trainers.BpeTrainer(vocab_size=V, **options))
assert sorted(theirs.get_vocab(), key=theirs.get_vocab().get) == [
    t.decode("latin-1") for t in tokens
]
batch = theirs.encode_batch([p.encode().decode("latin-1") for p in pieces(prose.validation)])
assert [k for one in batch for k in one.ids] == encode(prose.validation)
for text in (
    "발주서가 안 열려요",
    "发票打不开",
    "الفاتورة لا تفتح",
    "😡\x00\r\n\t",
    "naïve – 3,50 €",
):
    assert decode(encode(text)) == text

# %% [markdown]
# A loss per token says little when tokens differ in length. **Bits per byte** makes models comparable: what a text costs in all, over its length in bytes,
#
# $$ \text{bits per byte} = -\frac{1}{\text{bytes}} \sum_t \log_2 p(w_t \mid w_1, \dots, w_{t-1}). $$
#
# A model that knows nothing needs 8, and a good compressor writes the text in about so many.

# %%
reading, judging = (np.array(encode(part), "int32") for part in (prose.train, prose.validation))
n_bytes = len(prose.validation.encode())
f"{len(reading):,} and {len(judging):,} tokens, {n_bytes / len(judging):.2f} bytes a token"

# %% [markdown]
# ## 2 · The bar: counting
#
# Chapter 01 counted which token follows which. An **n-gram** model looks $n - 1$ tokens back. Most histories of four are new, so it must fall back on shorter ones, and
# **Kneser–Ney** does that best: take a discount $D$ off each count $c$ of token $w$ after history $h$, and give what was taken to the shorter history $h'$:
#
# $$ p(w \mid h) = \frac{\max(c(hw) - D,\, 0)}{c(h)} + \frac{D \cdot \text{kinds}(h)}{c(h)}\; p(w \mid h'), $$
#
# where $\text{kinds}(h)$ is how many different tokens came after $h$. For the shorter histories $c$ counts not how *often* $w$ came, but in how many *different*
# contexts: "Francisco" is frequent, yet only after "San".


# %%
def count_grams(ids, n):
    """A table for each length of history, the shortest first: counts, their sums, kinds."""
    count, tables = Counter(zip(*(ids[k:] for k in range(n)), strict=False)), []
    while True:
        total, kinds = Counter(), Counter()
        for gram, times in count.items():
            total[gram[:-1]] += times
            kinds[gram[:-1]] += 1
        tables.insert(0, (count, total, kinds))
        if len(tables) == n:
            return tables
        count = Counter(gram[1:] for gram in count)  # from now on: in how many contexts


def chance_of(w, history, tables, D=0.75):
    """The probability of token w after a list of tokens."""
    p = 1 / V
    for n, (count, total, kinds) in enumerate(tables):
        h = tuple(history[len(history) - n :])
        if h not in total:
            break
        p = (max(count[(*h, w)] - D, 0) + D * kinds[h] * p) / total[h]
    return p


def bits_of_grams(ids, tables):
    """Bits per byte of the text that judges, after counting."""
    n = len(tables)
    ps = [chance_of(w, ids[max(0, t - n + 1) : t], tables) for t, w in enumerate(ids)]
    return -np.log2(ps).sum() / n_bytes


# %% [markdown]
# Probabilities must add up to one, whatever came before. And how good is it?

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
began, judged = time.process_time(), judging.tolist()
counted_grams = {n: count_grams(reading.tolist(), n) for n in (1, 2, 3, 5)}
grams = {n: bits_of_grams(judged, tables) for n, tables in counted_grams.items()}
counting = time.process_time() - began
total = sum(chance_of(w, judged[:4], counted_grams[5]) for w in range(V))
assert abs(total - 1) < 1e-9
pd.Series(grams, name="bits per byte").rename_axis("n").to_frame().T.round(2)

# %% [markdown]
# This is the bar, and it took a second or two to build.
#
# ## 3 · The decoder
#
# **Attention**, as in chapter 09: each place asks with a query, and takes from the values of those whose keys fit. The only new thing is that a place may not look
# *ahead*: later keys get a score of $-10^9$ before the softmax. With $T$ places known, of which the last $t$ ask,
#
# $$ H = \text{softmax}\!\left( \frac{Q K^\top}{\sqrt{k}} + M \right) V, \qquad M_{ij} = \begin{cases} 0 & j \le T - t + i \\ -10^9 & \text{later.} \end{cases} $$
#
# `keras.ops` speaks NumPy's language. So each function takes `xp`, one of the two: Keras trains it, NumPy writes with it afterwards.


# %%
def attend(Q, K, V, xp=np, ahead=0):
    """Queries (…, t, k) of the last t places, keys and values (…, T, k) of all -> (…, t, k)."""
    (t, k), T = Q.shape[-2:], K.shape[-2]
    later = np.arange(T) > np.arange(T - t, T)[:, None] + ahead
    S = Q @ xp.swapaxes(K, -1, -2) / np.float32(np.sqrt(k))
    S = xp.where(later, np.float32(-1e9), S)
    A = xp.exp(S - xp.max(S, axis=-1, keepdims=True))
    return A / xp.sum(A, axis=-1, keepdims=True) @ V


# %% [markdown]
# Held against Keras's own:

# %%
draws = np.random.default_rng(seed)
Q, K, values = draws.normal(size=(3, 2, 4, 9, 8)).astype(
    "float32"
)  # 2 texts, 4 heads, 9 places
turned = [np.swapaxes(X, 1, 2) for X in (Q, K, values)]  # Keras wants places before heads
keras_says = ops.nn.dot_product_attention(*turned, is_causal=True)
keras_says = np.swapaxes(ops.convert_to_numpy(keras_says), 1, 2)
assert np.abs(attend(Q, K, values) - keras_says).max() < 1e-5

# %% [markdown]
# Attention does not see *where* a key stands. **Rotary positions** turn pairs of entries of each query and key by an angle that grows with their place; the product of two
# turned vectors then depends on how far apart they are. The rest is known from chapter 09: each part *adds* to what came in, and before each part the vectors are brought to one size.


# %%
def turn(X, start, xp=np):
    """Queries or keys (…, t, k), the first of which stands at place `start`."""
    t, k = X.shape[-2:]
    angle = np.outer(np.arange(start, start + t), 1000.0 ** (-np.arange(0, k, 2) / k))
    c, s = np.cos(angle).astype("float32"), np.sin(angle).astype("float32")
    a, b = X[..., : k // 2], X[..., k // 2 :]
    return xp.concatenate([a * c - b * s, a * s + b * c], axis=-1)


def norm(X, xp):
    return X / xp.sqrt(xp.mean(X * X, axis=-1, keepdims=True) + 1e-6)


HEADS = 4


def forward(weights, ids, past=None, xp=np, ahead=0):
    """Token numbers (n, t) -> logits (n, t, V), and each block's keys and values, of `past` too."""
    E, blocks = weights
    t, d = ids.shape[1], E.shape[1]
    start = past[0][0].shape[2] if past else 0
    X, kept = xp.take(E, ids, axis=0), []
    for n, (W_in, W_out, W_up, W_down) in enumerate(blocks):
        parts = xp.reshape(norm(X, xp) @ W_in, (-1, t, 3, HEADS, d // HEADS))
        Q, K, V = (xp.swapaxes(parts[:, :, j], 1, 2) for j in range(3))
        Q, K = turn(Q, start, xp), turn(K, start, xp)
        if past:
            K, V = (np.concatenate(both, axis=2) for both in zip(past[n], (K, V), strict=True))
        kept.append((K, V))
        H = xp.swapaxes(attend(Q, K, V, xp, ahead), 1, 2)
        X = X + xp.reshape(H, (-1, t, d)) @ W_out
        X = X + xp.square(xp.maximum(norm(X, xp) @ W_up, 0)) @ W_down
    return norm(X, xp) @ xp.transpose(E), kept


# %% [markdown]
# A Keras model is now only the weights and a call. The last matrix of each part begins at zero, so that every block begins by changing nothing:


# %%
class Decoder(keras.Model):
    def __init__(self, V, blocks, d):
        super().__init__()
        self.E = self.new(V, d, 0.02)
        shapes = (d, 3 * d, d**-0.5), (d, d, 0), (d, 4 * d, d**-0.5), (4 * d, d, 0)
        self.blocks = [[self.new(*shape) for shape in shapes] for _ in range(blocks)]
        self.built = True

    def new(self, rows, columns, spread):
        start = keras.initializers.RandomNormal(stddev=spread)
        return self.add_weight(shape=(rows, columns), initializer=start)

    def call(self, ids):
        return forward((self.E, self.blocks), ids, xp=ops)[0]

    def arrays(self):
        return keras.tree.map_structure(ops.convert_to_numpy, (self.E, self.blocks))


blocks, d, context = course.choose(quick=(2, 128, 128), full=(4, 256, 256))
decoder = Decoder(V, blocks, d)
assert decoder.count_params() == V * d + 12 * blocks * d**2
f"{decoder.count_params():,} parameters"

# %% [markdown]
# Chapter 01's count, without biases and positions. Does it look ahead? Change one token after another, and note which places' logits move. To see that the test can fail, the
# same with a planted leak, a mask that lets each place see one token too many:

# %%
line = reading[None, :24]
wild = [
    draws.normal(0, w.shape[0] ** -0.5, w.shape).astype("float32")
    for w in decoder.arrays()[1][0]
]
untrained = decoder.arrays()[0], [wild] * 2  # no zeros, so that nothing hides


def moved(ahead):
    """(changed, place): whether the logits of a place move."""
    before = forward(untrained, line, ahead=ahead)[0][0]
    rows = []
    for place in range(24):
        other = line.copy()
        other[0, place] = (other[0, place] + 7) % V
        after = forward(untrained, other, ahead=ahead)[0][0]
        rows.append(np.abs(after - before).max(axis=1) > 1e-6)
    return np.array(rows)


early = {f"{n} ahead": int(np.tril(moved(n), -1).sum()) for n in (0, 1)}
assert early["0 ahead"] == 0 < early["1 ahead"] and moved(0).diagonal().all()
early

# %% [markdown]
# As it is, no place before a change moves; with the leak each change is seen one place too early, and by two blocks even two.
#
# ## 4 · Train it, and watch it chase the counts
#
# Each row of a batch is a window from anywhere in the text; the answer to each place is the token after it. AdamW (chapter 09), with a warm-up and a cosine:


# %%
def prepare(model, steps, peak):
    warm = steps // 10
    Cosine = keras.optimizers.schedules.CosineDecay
    rate = Cosine(0.0, steps - warm, warmup_target=peak, warmup_steps=warm)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.1, beta_2=0.99, global_clipnorm=1.0)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def windows(ids, starts):
    return np.stack([ids[s : s + context + 1] for s in starts])


def bits(model):
    """Bits per byte of the text that judges; each token sees at least half a context."""
    both = windows(judging, range(0, len(judging) - context, context // 2))
    second = np.zeros(both[:, 1:].shape, "float32")
    second[:, context // 2 :] = 2  # the mean is over all, and half of them count
    loss = model.evaluate(both[:, :-1], both[:, 1:], 16, 0, second)
    return loss / np.log(2) * len(judging) / n_bytes


# %% [markdown]
# **Predict first.** The decoder reads the text three times over. Where does it end: above the 5-gram, beside it, or far below?

# %% tags=["nbval-ignore-output"]
steps = course.choose(quick=250, full=4_000)
both = windows(reading, draws.integers(len(reading) - context, size=16 * steps))
stops = [0, *(steps * np.array([1, 3, 8, 20, 50]) // 50)]
prepare(decoder, steps, 4e-3)
curve, spent = {}, 0
for a, b in pairwise(stops):
    began = time.process_time()
    part = both[16 * a : 16 * b]
    decoder.fit(part[:, :-1], part[:, 1:], batch_size=16, shuffle=False, verbose=0)
    spent += time.process_time() - began
    curve[16 * context * b] = bits(decoder)
learned = bits(decoder)
f"decoder {learned:.2f} after {spent:.0f} processor seconds, 5-gram {grams[5]:.2f} after {counting:.0f}"

# %% [markdown]
# <details><summary>What came</summary>
#
# A little above: half a minute of training does not quite reach what two seconds of counting know.
#
# </details>
#
# How does each get there? The n-grams see only the first part of the text:

# %% tags=["nbval-ignore-output"]
shares = {len(reading) // k: reading[: len(reading) // k].tolist() for k in (64, 16, 4, 2, 1)}
lines = {"decoder": pd.Series(curve)}
for n in (1, 5):
    found = {at: bits_of_grams(judged, count_grams(ids, n)) for at, ids in shares.items()}
    lines[f"{n}-gram"] = pd.Series(found)
table = pd.concat(lines, names=["model", "tokens read"]).rename("bits per byte").reset_index()
picture = px.line(
    table, "tokens read", "bits per byte", color="model", symbol="model", log_x=True
)
picture.add_vline(len(reading), line_dash="dot", annotation_text="the whole text, once")
alt = "The decoder starts far above the 5-gram and meets it only after reading the text about three times"
picture.update_layout(width=760, height=380, meta={"alt": alt})

# %% [markdown]
# The 5-gram is ahead after any amount of *text*, and stops where the text stops. The decoder reads on: with twice the steps (42 processor seconds) it came to 2.06 here.
# So the network is worth it when you have much text or much time, and **counting is the bar**: a language model that does not beat a 5-gram on *your* text is not one yet.

# %%
if not course.full:
    assert learned < grams[2] and abs(learned - grams[5]) < 0.3

# %% [markdown]
# ## 5 · Write
#
# The decoder gives logits $z$ for the next token. **Temperature** $\tau$ divides them before the softmax: below 1 the likely gets likelier. **Top-p** keeps the likeliest tokens, as
# many as it takes to reach $p$ together, and forgets the long tail, each of whose tokens is rare and which together are chosen all the time.


# %%
def chances(z, tau=1.0, p=1.0):
    P = np.exp((z - z.max()) / tau)
    P /= P.sum()
    order = np.argsort(-P)
    tail = order[(np.cumsum(P[order]) < p).sum() + 1 :]
    P[tail] = 0
    return P / P.sum()


def step(weights, ids, past=None):
    """The logits after the last token, and the keys and values so far."""
    Z, past = forward(weights, np.array([ids]), past)
    return Z[0, -1], past


threadpool_limits(1)  # the matrices are small
weights = decoder.arrays()
z, _ = step(weights, encode("The second column shows the"))
likely = np.argsort(-z)[:15]
kinds = {f"τ = {tau}": chances(z, tau)[likely] for tau in (0.5, 1, 2)}
kinds["τ = 1, top-p 0.5"] = chances(z, 1, 0.5)[likely]
bars = pd.DataFrame(kinds, index=[decode([k]) for k in likely]).rename_axis("next")
bars = bars.melt(ignore_index=False, var_name="how", value_name="probability").reset_index()
picture = px.bar(bars, "next", "probability", facet_col="how", facet_col_wrap=2)
picture.for_each_annotation(lambda title: title.update(text=title.text.split("=", 1)[1]))
alt = "At temperature 0.5 the first token has most of the probability, at 2 the bars are nearly level; top-p cuts"
picture.update_layout(width=860, height=480, meta={"alt": alt})

# %% [markdown]
# "After *The second column shows the*": the four panels are the same fifteen tokens. Low temperature is sure and dull, high temperature rash; top-p leaves the order among those that stay.
#
# ### The cache
#
# To write token 257 the decoder reads 256 again, and computes their keys and values as it did a moment before: what came earlier never looks ahead, so it *cannot* change. Keep them. `forward` takes
# them as `past`; then only the last token goes through:


# %%
def write(weights, ids, n, cached=True, choose=np.argmax):
    out, past = list(ids), None
    for _ in range(n):
        new = out[-1:] if past else out
        z, past = step(weights, new, past)
        out.append(int(choose(z)))
        past = past if cached else None
    return out


# %% [markdown]
# **Predict first.** 256 tokens after a prompt of eight: how many times faster is it with the cache?

# %% tags=["nbval-ignore-output"]
start, took, written = encode("## 3 · How well does it")[:8], {}, {}
for cached in (False, True):
    began = time.process_time()
    written[cached] = write(weights, start, 256, cached)
    took[cached] = time.process_time() - began
assert written[True] == written[False]
cache_bytes = sum(array.nbytes for pair in step(weights, written[True])[1] for array in pair)
assert cache_bytes == 2 * blocks * d * len(written[True]) * 4
{
    "tokens a second": [round(256 / took[cached]) for cached in (False, True)],
    "faster": round(took[False] / took[True], 1),
    "kB": cache_bytes // 1000,
}

# %% [markdown]
# <details><summary>What came</summary>
#
# More than ten times. The two texts are equal, token by token.
#
# </details>
#
# The price is memory: chapter 01's $2 L d$ numbers a token, asserted. Now let it speak, with top-p 0.9 and a seed:

# %% tags=["nbval-ignore-output"]
mouth = np.random.default_rng(seed)
spoken = write(
    weights,
    encode("## 3 · How well does it"),
    90,
    choose=lambda z: mouth.choice(V, p=chances(z, 0.8, 0.9)),
)
print(decode(spoken))

# %% [markdown]
# It has this course's headings, its rhythm, half of its words, and means nothing.

# %%
assert took[False] / took[True] > 5

# %% [markdown]
# ## 6 · From continuing to answering
#
# A decoder continues. To make it *answer*, show it what an answer looks like: ticket, a sign, the record, a sign for the end. Two bytes that no text contains serve as
# signs. Only the record's tokens count in the loss; the ticket is given.

# %%
END, ASK = 0, 1


def question(message):
    return [*encode(message)[: context - 50], ASK]


rows, counts = np.zeros((2, len(taught), context + 1), "int32")
for k, (message, one) in enumerate(zip(tickets.train.texts, taught, strict=True)):
    ids, answer = question(message), [*encode(json.dumps(one)), END]
    rows[k, : len(ids) + len(answer)] = ids + answer
    counts[k, len(ids) : len(ids) + len(answer)] = 1
f"{counts.sum() / len(rows):.0f} tokens a record, {decode(rows[0][rows[0] > 1])!r}"

# %% tags=["nbval-ignore-output"]
tuned, epochs = Decoder(V, blocks, d), 6
tuned.set_weights(decoder.get_weights())
order = np.concatenate([draws.permutation(len(rows)) for _ in range(epochs)])
began = time.process_time()
prepare(tuned, len(order) // 16, 2e-3)
tuned.fit(
    rows[order, :-1],
    rows[order, 1:],
    sample_weight=counts[order, 1:],
    batch_size=16,
    shuffle=False,
    verbose=0,
)
f"{time.process_time() - began:.0f} processor seconds"

# %% [markdown]
# ### Valid by construction
#
# Nothing *forces* the tuned decoder to close a bracket. But you choose the token, so you may forbid: before each choice, tokens that lead to no valid record get $-\infty$. That takes a **grammar**,
# here a row of parts, each a list of options. A *state* is where you may stand in it: which part comes next, and what is left of the one that was begun.

# %%
PARTS = [['{"team": "'], teams, ['", "urgent": '], ["true", "false"], [', "amount": "']]
PARTS += [["", *"0123456789.,"]] * 10 + [['"}']]  # at most ten signs, each may be left out


def opened(part, left):
    """A state, or, where a part is complete, those that follow it."""
    if left or part == len(PARTS):
        return {(part, left)}
    return set().union(*(opened(part + 1, option) for option in PARTS[part]))


@cache
def after(states, said):
    """Where you may stand once the characters have been said; nowhere, if they lead to no record."""
    for c in said:
        states = frozenset().union(
            *(opened(part, left[1:]) for part, left in states if left[:1] == c)
        )
    return states


names = [token.decode("latin-1") for token in tokens]
START, WHOLE = frozenset(opened(0, "")), (len(PARTS), "")


@cache
def allowed(states):
    may = np.array([bool(after(states, name)) for name in names])
    may[END] = WHOLE in states
    return may


[name for name, may in zip(names, allowed(after(START, '{"team": "b')), strict=True) if may]

# %% [markdown]
# After `{"team": "b` only beginnings of what is left of "billing" and "bug" may follow. And now the answer, with the mask or without:


# %%
def complete(weights, message, masked, choose=np.argmax):
    said, states = [], START
    z, past = step(weights, question(message))
    while len(said) < 80:
        token = int(choose(np.where(allowed(states), z, -np.inf) if masked else z))
        if token == END:
            break
        said.append(token)
        states = after(states, names[token]) if masked else states
        z, past = step(weights, [token], past)
    return decode(said)


def valid(said):
    """The record, or None where it is not exactly what the schema asks for."""
    try:
        one = json.loads(said)
        good = list(one) == ["team", "urgent", "amount"] and one["team"] in teams
        good = (
            good
            and one["urgent"] in (True, False)
            and re.fullmatch("[0-9.,]{0,10}", one["amount"])
        )
        return one if good else None
    except (ValueError, TypeError, AttributeError):
        return None


# %% [markdown]
# Each way over the 400 test tickets: the decoder before and after tuning, with and without the mask, always the likeliest token; and once sampled at temperature 1, as chat programs do.

# %% tags=["nbval-ignore-output"]
mouth = np.random.default_rng(seed)


def sampled(z):
    return mouth.choice(V, p=chances(z))


ways = {
    "before tuning": (weights, False, np.argmax),
    "before tuning, mask": (weights, True, np.argmax),
    "tuned": (tuned.arrays(), False, np.argmax),
    "tuned, sampled": (tuned.arrays(), False, sampled),
    "tuned, sampled, mask": (tuned.arrays(), True, sampled),
    "tuned, mask": (tuned.arrays(), True, np.argmax),
}
wrote, ms = {}, {}
for way, (arrays, masked, choose) in ways.items():
    few = 40 if "before" in way else None  # it would write on and on
    clock = [time.process_time()]
    wrote[way] = []
    for message in tickets.test.texts[:few]:
        wrote[way].append(valid(complete(arrays, message, masked, choose)))
        clock.append(time.process_time())
    ms[way] = 1000 * np.diff(clock)
{
    way: f"{np.mean([one is not None for one in found]):.1%} valid"
    for way, found in wrote.items()
}

# %% [markdown]
# With the mask every record is valid, even before tuning: 100 %, by construction, from any model. What is *in* the records?

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
right |= {way: hits(wrote[way]) for way in ("tuned", "tuned, mask")}
money = np.array([one["amount"] != "" for one in truth])
closing = pd.DataFrame({way: found.mean() for way, found in right.items()}).T
closing["amounts copied"] = [
    f"{found['amount'][money].sum()} of {money.sum()}" for found in right.values()
]
whole = {way: evaluate.share(int(found["whole"].sum()), 400) for way, found in right.items()}
closing["95 % interval, whole"] = [f"{one.low:.2f} to {one.high:.2f}" for one in whole.values()]
closing.round(3)

# %% [markdown]
# <details><summary>What came</summary>
#
# The team in 38 of 100, and not one of the amounts.
#
# </details>
#
# Form is solved, content is not. Half a million parameters that have read one book know too little English to judge a ticket (chapter 08's counted words get three quarters). To copy a
# number, a model has to learn to look back for it, and 29 examples did not teach that; the rule for it is a line.

# %%
assert all(one is not None for way in wrote if "mask" in way for one in wrote[way])

# %% [markdown]
# ## 7 · The decision
#
# The question's table, with what came. Loss and gain are counted in pairs, on the same tickets (chapter 10); processor time costs 4 US cents a core-hour.

# %% tags=["nbval-ignore-output"]
mine, bar = right["tuned, mask"]["whole"], right["counted words and rules"]["whole"]
p, g = ((n + 1) / (len(mine) + 2) for n in ((bar & ~mine).sum(), (mine & ~bar).sum()))
most_lost = p - g + 1.96 * np.sqrt((p + g - (p - g) ** 2) / (len(mine) + 2))
p99 = np.quantile(ms["tuned, mask"], 0.99)
thousand = ms["tuned, mask"].mean() / 3.6e6 * 0.04 * 1_000
decision = pd.DataFrame(
    {
        "asked": ["all valid", "at most 0.02", "at most 50 ms", "at most 1.35 US$"],
        "came": ["all valid", f"up to {most_lost:.2f}", f"{p99:.0f} ms", f"{thousand:.4f} US$"],
        "kept": [True, most_lost <= 0.02, p99 <= 50, thousand <= 1.35],
    },
    index=["form", "records lost", "99 of 100", "a thousand records"],
)
ships = "the decoder" if decision["kept"].all() else "counted words and rules"
print(ships, "ships")
decision

# %% [markdown]
# Three of four lines are kept, and by far; the second decides. **Counted words and rules ship.** The colleague was right about price and speed, and it does not matter.
#
# When would it be another decision?
#
# * *A model that somebody else has pretrained* has read a million times more. Tune that one (chapter 09 did), or ask an API; mask, cache and this chapter's table stay the same. What an API gets
#   right on *your* hundred tickets you have to measure: its price is known, its quality is not.
# * *Where text has to be written*, not chosen, rules are no rival. Then the bar is a template, or a 5-gram.
# * *Where you have gigabytes of text of a kind of their own* (logs, code, molecules, moves of a game) nobody has pretrained for you, and section 4's curve goes on falling.
#
# For records, the mask is what you take home on Monday: it works on any model that shows you its logits.

# %%
assert ships == "counted words and rules" and decision["kept"].sum() == 3

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 12-1 · A mask for a list of answers
# *modify · 7 minutes*
#
# Often the schema is only a list: eight teams, yes or no. Then you need no grammar. `said` is what the model has said, `tokens` are strings, `answers` the valid answers. Return for each token
# whether it may follow: whether some answer begins with `said` and the token. The empty token `""` ends the answer, so it may be said only where `said` is a whole one.


# %% exercise="12-1"
def may_say(said, tokens, answers):
    """A string, a list of strings, a list of strings -> a bool for each token."""
    ### BEGIN SOLUTION
    return np.array(
        [
            any(one.startswith(said + token) for one in answers) if token else said in answers
            for token in tokens
        ]
    )
    ### END SOLUTION


check("12-1", may_say)

# %% [markdown]
# ### Exercise 12-2 · Which route pays?
# *decide · 7 minutes*
#
# Several routes lie before you, each tried on `n` records of which `wrong` were wrong and `invalid` were no valid record. A route costs `fixed` US$ a month, `each` US$ a record, and a wrong record
# costs `repair` US$ of somebody's time. With $v$ records a month and $e$ the share that is wrong,
#
# $$ \text{bill} = \text{fixed} + v\,(\text{each} + \text{repair} \cdot e). $$
#
# Who tried a route on six records knows little, so take for $e$ the upper end of its 95 % interval (`evaluate.share(wrong, n).high`). A route with an invalid record is out. Return the number of
# the route with the least bill, the first of equals, or −1 where all are out.


# %% exercise="12-2"
def what_pays(wrong, n, invalid, fixed, each, v, repair):
    """Five arrays (routes,), two numbers -> the number of a route, from 0, or -1."""
    ### BEGIN SOLUTION
    e = [evaluate.share(int(k), int(m)).high for k, m in zip(wrong, n, strict=True)]
    bill = np.where(invalid > 0, np.inf, fixed + v * (each + repair * np.array(e)))
    return int(bill.argmin()) if (invalid == 0).any() else -1
    ### END SOLUTION


check("12-2", what_pays)

# %% [markdown]
# ## Recap
#
# * *Tokens:* byte-pair encoding merges the most frequent pair, begins with bytes and so loses nothing; bits per byte compare models with different tokens.
# * *Decoder:* attention with a mask, asserted equal to Keras's; no place before a change moved, and a planted leak was caught. It meets a 5-gram only after reading the text three times, in twenty times its
#   time.
# * *Write:* temperature and top-p reshape one distribution; the cache gives the same text ten times faster, for $2Ld$ numbers a token.
# * *Valid:* a mask over the vocabulary makes every record valid, from any model. It makes none right.
# * *Decide:* a target written down first, a paired comparison with the honest bar, and the cheap route where the dear one does not show that it earns its place.

# %% [markdown]
# ## Limits and next
#
# Half a million parameters and 0.4 MB of text are a toy: models that are used have ten thousand times the parameters and more than a million times the text, and with them comes what is missing here. One run, one seed, one
# set of tickets that was used before. The grammar knows no nesting; real ones (JSON Schema) need a stack. Chapter 13 lets a model look things up, call tools, and be paid for.

# %% [markdown] road="side"
# ### Sources
#
# What this chapter rests on.

# %% [markdown]
# **Sources.** R. Sennrich, B. Haddow, A. Birch, "Neural machine translation of rare words with subword units", *ACL* (2016) (byte-pair encoding) · A. Radford and others, "Language models are unsupervised
# multitask learners", OpenAI (2019) (bytes, and the decoder's shape) · R. Kneser, H. Ney, "Improved backing-off for m-gram language modeling", *ICASSP* (1995) · S. F. Chen, J. Goodman, "An empirical study of
# smoothing techniques for language modeling", *Computer Speech & Language* 13 (1999), 359–394 · A. Vaswani and others, "Attention is all you need", *NeurIPS* (2017) · J. Su and others, "RoFormer: enhanced
# transformer with rotary position embedding", arXiv:2104.09864 (2021) · D. R. So and others, "Primer: searching for efficient transformers for language modeling", *NeurIPS* (2021) (squared ReLU) ·
# A. Holtzman and others, "The curious case of neural text degeneration", *ICLR* (2020) (top-p) · B. T. Willard, R. Louf, "Efficient guided generation for large language models", arXiv:2307.09702 (2023) (masks
# from a grammar).
