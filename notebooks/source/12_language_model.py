# ---
# jupyter:
#   course:
#     chapter: "12"
#     title: A language model of your own
#     requires: ["01", "08", "09", "10"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 180, memory_mib: 1536}
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
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapters 01, 08, 09 and 10*

# %% [markdown]
# ## You will be able to
#
# * cut any text into tokens that lose nothing, and compare language models whose tokens differ;
# * build a decoder, prove that it never looks ahead, and hold it against counting;
# * sample from it, and make it write faster with a cache that you wrote yourself;
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

_ = threadpool_limits(1)  # NumPy's matrices are small here

# %% [markdown]
# ## The question
#
# Chapter 08's help desk wants its tickets as records that a program can use:
#
# `{"team": "billing", "urgent": false, "amount": "264"}`
#
# The *team* somebody has to judge. *Urgent* is a policy: whatever goes to security, and whatever says "today" and the like. The *amount* is copied, digit by digit, where
# money is named. A colleague says: "That is a job for a language model. We train a small one of our own, so no ticket leaves the house." Before anybody trains anything, you write down when it
# ships:
#
# | | fixed beforehand |
# |---|---|
# | form | every record is valid: exactly these fields, and a team that exists |
# | content | against counted words and rules it loses at most two records in a hundred, at the upper end of the paired 95 % interval |
# | time | 99 of 100 records take at most 50 ms of one core |
# | price | a thousand records cost at most 1.35 US\$, an API's price by chapter 01 (460 tokens read, 20 written) |
#
# First the records. The team is a label; policy and amount are rules, so their truth is computed.

# %%
tickets = data.load("tickets")
teams = tickets.class_names
AT_ONCE = re.compile(r"\b(today|tonight|urgent|urgently|asap|deadline|at once)\b", re.I)
digits = r"(\d[\d,.]*\d|\d)"
AMOUNT = re.compile(rf"[$€£₹] ?{digits}|{digits} ?(?:[€$£]|euros?\b|dollars?\b|pounds?\b)")


def record(message, team):
    named, urgent = AMOUNT.search(message), team == "security" or bool(AT_ONCE.search(message))
    return {"team": team, "urgent": urgent, "amount": (named[1] or named[2]) if named else ""}


def records(part, labels):
    return [record(message, teams[k]) for message, k in zip(part.texts, labels, strict=True)]


taught, truth = (records(part, part.labels) for part in (tickets.train, tickets.test))
tickets.test.texts[12], truth[12]

# %% [markdown]
# The bar: chapter 08's counted words judge the team, the two rules do the rest. And a floor: the same record for every ticket. (Chapters 08 and 09 have used the 400 test
# tickets already, and some variants of section 5 were looked at on them while it was written.)


# %%
from course_utils.recipes.text import tfidf


def hits(found):
    """Records, or None for an invalid one -> whether each field, and the whole record, is right."""
    both = [[one or {} for one in part] for part in (found, truth)]
    found, true = (pd.DataFrame(part, columns=list(truth[0])) for part in both)
    return (found == true).assign(whole=lambda fields: fields.all(axis=1))


# %% [markdown]
# On the test part:

# %%
judged = tfidf().fit(tickets.train.texts, tickets.train.labels).predict(tickets.test.texts)
right = {
    "the same for all": hits([{"team": "bug", "urgent": False, "amount": ""}] * len(truth))
}
right["counted words and rules"] = hits(records(tickets.test, judged))
pd.DataFrame({way: found.mean() for way, found in right.items()}).T.round(3)

# %% [markdown]
# Two columns of three say little. Few tickets are urgent or name money, so the floor does well; and there the bar is right by construction, since the truth *is* its rules (urgent only where the team is). The team decides.
#
# Now guess, and write it down: your own decoder, trained for half a minute on the course's own text and then on 500 pairs of ticket and record, judges how many of 100 teams right? Of the 21 amounts in the
# test part, how many does it copy? Section 5 has the answer.
#
# ## 1 · From text to tokens
#
# A decoder guesses the next *token* (chapter 01). Whole words are too many, and the next customer brings a new one; single bytes make long texts. **Byte-pair encoding** lies between: begin with the 256
# bytes, so that any text in any script can be written; take the two tokens that stand side by side most often, make them one new token, and repeat until there are 1,024. No token reaches across words, and digits stay
# alone. The library `tokenizers` does it in a blink. (The side road below does it by hand.)

# %%
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

PIECES = r" ?[^\W\d]+|\d| ?[^\w\s]+|\s+"  # words, single digits, punctuation, spaces
prose, V = data.load("course_text"), 1_024
book = [prose.train, *map(json.dumps, taught)]  # records too: their form costs few tokens


# %% [markdown]
# The learner: it splits by the pattern, writes bytes, and knows two *signs* besides, for later, which no text can contain.

# %%
tokenizer = Tokenizer(models.BPE())
cut = pre_tokenizers.Split(Regex(PIECES), "isolated")
as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, as_bytes])
tokenizer.decoder = decoders.ByteLevel()
tokenizer.encode_special_tokens = True  # a ticket that says "<ask>" is text, no sign
signs = {"special_tokens": ["<end>", "<ask>"], "initial_alphabet": as_bytes.alphabet()}
learner = trainers.BpeTrainer(vocab_size=V, show_progress=False, **signs)
tokenizer.train_from_iterator(book, learner)


# %% [markdown]
# To and fro:


# %%
def encode(text):
    return tokenizer.encode(text).ids


decode = tokenizer.decode
" | ".join(decode([k]) for k in encode("The refund of £36 has not arrived."))

# %% [markdown]
# Frequent words are one token, rare ones fall apart, and £ is two, neither of them a character. The text is what this course says in chapters 00 to 11, with the training tickets; nine tenths train, the rest judges. Is
# anything lost, in any script?

# %%
for text in ("发票打不开", "الفاتورة", "발주서", "😡\x00\r\n<end>", prose.validation):
    assert decode(encode(text)) == text
reading, judging = (np.array(encode(part), "int32") for part in (prose.train, prose.validation))
n_bytes = len(prose.validation.encode())
f"{len(reading):,} and {len(judging):,} tokens, {n_bytes / len(judging):.2f} bytes each"

# %% [markdown]
# A loss per token cannot compare models whose tokens differ in length. **Bits per byte** can: what the whole text costs, over its bytes,
#
# $$ \text{bits per byte} = -\frac{1}{\text{bytes}} \sum_t \log_2 p(w_t \mid w_1, \dots, w_{t-1}). $$
#
# Who gives all 256 bytes equal chances needs 8. Who gives them to these tokens stands below under $n = 0$. And what does counting need (chapter 01)? An **n-gram** model looks $n - 1$ tokens back; where it has not seen those, it falls back on fewer, with Kneser–Ney's discounts (the other side road):

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
from course_utils.recipes.ngrams import NGrams

grams, counting = {0: np.log2(V) * len(judging) / n_bytes}, time.process_time()
grams |= {n: NGrams(reading, n, V).bits(judging) / n_bytes for n in (1, 2, 3, 5)}
counting = time.process_time() - counting
pd.Series(grams, name="bits per byte").rename_axis("n").to_frame().T.round(2)

# %% [markdown]
# The last is the bar for the decoder.

# %% [markdown] road="side"
# ### Byte-pair encoding by hand
#
# Learnt, encoded and decoded in forty lines, equal to the library's in each merge and in each token of the course's text.

# %% [markdown]
# Every `pair` in a list of token numbers becomes `new`, from the left:


# %%
def merge(ids, pair, new):
    out = []
    for k in ids:
        if out and (out[-1], k) == pair:
            out[-1] = new
        else:
            out.append(k)
    return out


# %% [markdown]
# Count all pairs once. After each merge only the words that held the pair are counted anew; that makes it fast. Where two pairs are equally frequent, the older one goes first.


# %%
from collections import Counter, defaultdict
from itertools import pairwise


def learn_tokens(texts, tokens, V):
    """The first tokens as bytes -> all V of them, and the merges, pair -> new token, as learnt."""
    number, tokens, merges = {token: k for k, token in enumerate(tokens)}, list(tokens), {}
    found = Counter(piece for text in texts for piece in re.findall(PIECES, text))
    words = [[[number[bytes([b])] for b in piece.encode()], n] for piece, n in found.items()]
    count, where = Counter(), defaultdict(set)  # of each pair: how often, in which words

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
    return tokens, merges


# %% [markdown]
# The library begins with the two signs, then the bytes that are printable characters, then the others (it writes each byte as one character):

# %%
plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
firsts = plain + [b for b in range(256) if b not in plain]
found_tokens, merges = learn_tokens(
    book, [b"<end>", b"<ask>", *(bytes([b]) for b in firsts)], V
)
byte_of = dict(zip(sorted(as_bytes.alphabet()), firsts, strict=True))
theirs = [tokenizer.id_to_token(k) for k in range(2, V)]
assert [bytes(byte_of[c] for c in token) for token in theirs] == found_tokens[2:]
f"{len(merges)} merges, all equal; the first and the last: {found_tokens[258]}, {found_tokens[-1]}"

# %% [markdown]
# To encode, each piece repeats the merges in the order in which they were learnt:


# %%
def encode_piece(piece):
    ids = [2 + firsts.index(b) for b in piece.encode()]
    while pairs := [pair for pair in pairwise(ids) if pair in merges]:
        first = min(pairs, key=merges.get)
        ids = merge(ids, first, merges[first])
    return ids


own = [k for piece in re.findall(PIECES, prose.validation) for k in encode_piece(piece)]
assert own == judging.tolist()
assert b"".join(found_tokens[k] for k in own).decode() == prose.validation

# %% [markdown]
# Equal on this text. The pattern itself means different things to Python's `re` and to the library where an accent is a character of its own, so "हिन्दी" is cut into other pieces; nothing is lost either way.

# %%
apart = [piece for piece, _ in cut.pre_tokenize_str("हिन्दी")]
assert "".join(apart) == "".join(re.findall(PIECES, "हिन्दी")) == "हिन्दी"
f"library {apart}, re {re.findall(PIECES, 'हिन्दी')}"

# %% [markdown] road="side"
# ### Kneser–Ney by hand
#
# How the counts are smoothed, in twenty lines, equal to the package's.

# %% [markdown]
# Most histories of four tokens are new. So a discount $\delta$ is taken off each count $c$ of token $w$ after history $h$, and what was taken goes to the history $h'$ without its first token:
#
# $$ p(w \mid h) = \frac{\max(c(hw) - \delta,\, 0)}{c(h)} + \frac{\delta \cdot \text{kinds}(h)}{c(h)}\; p(w \mid h'), $$
#
# where $\text{kinds}(h)$ is how many different tokens came after $h$. For the shorter histories $c$ does not say how *often* $w$ came but in how many *different* contexts: "Francisco" is frequent, yet only after
# "San".


# %%
from collections import Counter


def tables_of(ids, n):
    """A table for each length of history, the shortest first: counts, their sums, kinds."""
    count, found = Counter(zip(*(ids[k:] for k in range(n)), strict=False)), []
    while True:
        total, kinds = Counter(), Counter()
        for gram, times in count.items():
            total[gram[:-1]] += times
            kinds[gram[:-1]] += 1
        found.insert(0, (count, total, kinds))
        if len(found) == n:
            return found
        count = Counter(gram[1:] for gram in count)


# %% [markdown]
# The chance, from the shortest history up:


# %%
def chance_after(history, w, found, discount=0.75):
    p = 1 / V
    for n, (count, total, kinds) in enumerate(found):
        h = tuple(history[len(history) - n :])
        if h not in total:
            break
        taken = discount * kinds[h] * p
        p = (max(count[(*h, w)] - discount, 0) + taken) / total[h]
    return p


# %% [markdown]
# After any history the probabilities add up to one, and they are the package's:

# %%
trigrams, before = tables_of(reading.tolist(), 3), encode(" of the")
by_hand = np.array([chance_after(before, w, trigrams) for w in range(V)])
packaged = NGrams(reading, 3, V)
assert abs(by_hand.sum() - 1) < 1e-9
assert np.allclose(by_hand, [packaged.chance(w, before) for w in range(V)])
pd.Series(by_hand, [decode([w]) for w in range(V)]).nlargest(5).to_frame(
    f"after {decode(before)!r}"
)

# %% [markdown]
# The discount was not tuned. Chosen on the text that judges, which is a favour, it would be 0.85:

# %% tags=["nbval-ignore-output"]
for discount in (0.75, 0.85):
    favoured = NGrams(reading, 5, V, discount=discount).bits(judging) / n_bytes
    print(f"{discount}: {favoured:.2f} bits per byte")

# %% [markdown]
# ## 2 · The decoder
#
# **Attention**, as in chapter 09: each place asks with a query and takes from the values whose keys fit. New is one thing: no place looks *ahead*. Later keys get the score $-10^9$ before the softmax. Where $T$
# places are known and the last $t$ of them ask (rows $i$ and columns $j$ count from 0, a key has $k$ entries),
#
# $$ H = \text{softmax}\!\left( \frac{Q K^\top}{\sqrt{k}} + M \right) V, \qquad M_{ij} = \begin{cases} 0 & j \le T - t + i \\ -10^9 & \text{later.} \end{cases} $$
#
# `keras.ops` speaks NumPy's language, so each function takes one of the two as `xp`: Keras trains it, NumPy writes with it afterwards.


# %%
def attend(Q, K, V, xp=np, ahead=0):
    """Queries (…, t, k) of the last t places, keys and values (…, T, k) of all -> (…, t, k)."""
    (t, k), T = Q.shape[-2:], K.shape[-2]
    later = np.arange(T) > np.arange(T - t, T)[:, None] + ahead
    S = xp.where(later, -1e9, Q @ xp.swapaxes(K, -1, -2) / k**0.5)
    A = xp.exp(S - xp.max(S, axis=-1, keepdims=True))
    return A / xp.sum(A, axis=-1, keepdims=True) @ V


# %% [markdown]
# Held against Keras's own:

# %%
draws = np.random.default_rng(seed)
some = draws.normal(size=(3, 2, 9, 4, 8)).astype("float32")  # Q, K, V of 4 heads
keras_says = ops.convert_to_numpy(ops.nn.dot_product_attention(*some, is_causal=True))
by_hand = np.swapaxes(attend(*np.swapaxes(some, 2, 3)), 1, 2)
assert np.abs(by_hand - keras_says).max() < 1e-5

# %% [markdown]
# Equal. But it does not know *where* a key stands. **Rotary positions** turn each query and key by angles that grow with the place, an entry of the first half always with its fellow in the second; a product
# of two of them then depends on their distance. (1,000 sets how slow the slowest of them is.)


# %%
def turn(X, start, xp):
    """Queries or keys (…, t, k), the first of them at place `start`."""
    t, k = X.shape[-2:]
    angle = np.outer(np.arange(start, start + t), 1000.0 ** (-np.arange(0, k, 2) / k))
    c, s = np.cos(angle).astype("float32"), np.sin(angle).astype("float32")
    a, b = X[..., : k // 2], X[..., k // 2 :]
    return xp.concatenate([a * c - b * s, a * s + b * c], axis=-1)


# %% [markdown]
# The rest is chapter 09's layer: every part *adds* to what came in, and before each part all vectors are brought to one size:


# %%
def norm(X, xp):
    return X / xp.sqrt(xp.mean(X * X, axis=-1, keepdims=True) + 1e-6)


# %% [markdown]
# The whole decoder. `past` holds keys and values of tokens that went through before; ignore it until section 4.


# %%
def forward(weights, ids, past=None, xp=np, ahead=0, heads=4):
    """Token numbers (n, t) -> logits (n, t, V), and each block's keys and values."""
    E, blocks = weights  # a row for each token; four matrices for each block
    t, d = ids.shape[1], E.shape[1]
    start = past[0][0].shape[2] if past else 0
    X, kept = xp.take(E, ids, axis=0), []
    for n, (W_in, W_out, W_up, W_down) in enumerate(blocks):
        parts = xp.reshape(norm(X, xp) @ W_in, (-1, t, 3, heads, d // heads))
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
# A Keras model adds only the weights. The last matrix of each part is zero at first, so that each block begins by changing nothing:


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


# %% [markdown]
# The size that half a minute can train (in the full profile a larger one):

# %%
blocks, d, context = course.choose(quick=(2, 128, 128), full=(4, 192, 128))
decoder = Decoder(V, blocks, d)
assert decoder.count_params() == V * d + 12 * blocks * d**2
f"{decoder.count_params():,} parameters"

# %% [markdown]
# That is chapter 01's count, without biases and positions.
#
# Does it look ahead? Change one token after another, and see which logits move. A test that cannot fail proves nothing, so the same once more with a planted leak: a mask that lets each place see one token too
# many. (With random weights, since zeros would hide it. Row i of what `moved` returns says whether a change of token i moves the logits of each place.)


# %%
def moved(ahead):
    wild = np.random.default_rng(0).normal
    weights = keras.tree.map_structure(lambda w: wild(size=w.shape) / 9, decoder.arrays())
    texts = np.repeat(reading[None, :24], 25, axis=0)
    texts[np.arange(24), np.arange(24)] += 1  # in text i token i is changed, in the last none
    Z = forward(weights, texts % V, ahead=ahead)[0]
    return np.abs(Z[:-1] - Z[-1]).max(axis=-1) > 1e-9


# %% [markdown]
# Without and with the leak:

# %%
early = [int(np.tril(moved(ahead), -1).sum()) for ahead in (0, 1)]
early

# %% [markdown]
# As it is, no place before a change moves, for none of the 24. With the leak 45 do: each of the two blocks passes the news one place further back, 23 times and 22.

# %%
assert early == [0, sum(range(24 - blocks, 24))] and moved(0).diagonal().all()

# %% [markdown]
# ## 3 · Train it
#
# A batch is 16 windows from anywhere in the text; the answer to each place is the token after it. AdamW, with a warm-up and a cosine (chapter 09):


# %%
def prepare(model, steps, peak):
    cosine, warm = keras.optimizers.schedules.CosineDecay, steps // 10
    rate = cosine(0.0, steps - warm, warmup_target=peak, warmup_steps=warm)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.1, beta_2=0.99, global_clipnorm=1.0)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


# %% [markdown]
# Windows with their answers, and the judge (each window begins blind; with half a window of text before each token the decoder would get 0.02 less):


# %%
def windows(ids, starts):
    both = np.stack([ids[s : s + context + 1] for s in starts])
    return both[:, :-1], both[:, 1:]


def bits(model):
    x, y = windows(judging, range(0, len(judging) - context, context))
    return model.evaluate(x, y, 16, 0) / np.log(2) * len(judging) / n_bytes


# %% [markdown]
# **Predict first.** The decoder reads the text three times over. Does it end above the 5-gram, beside it, or far below?

# %% tags=["nbval-ignore-output"]
steps = course.choose(quick=250, full=1_500)
x, y = windows(reading, draws.integers(len(reading) - context, size=16 * steps))
decoder, curve, spent = Decoder(V, blocks, d), {}, 0
prepare(decoder, steps, 4e-3)
for part in np.split(np.arange(16 * steps), 16 * (steps * np.array([1, 3, 8, 20]) // 50)):
    began = time.process_time()
    decoder.fit(x[part], y[part], batch_size=16, shuffle=False, verbose=0)
    spent += time.process_time() - began
    curve[context * (part[-1] + 1)] = learned = bits(decoder)
f"decoder {learned:.2f} after {spent:.0f} s, 5-gram {grams[5]:.2f}; all n-grams after {counting:.1f} s"

# %% [markdown]
# <details><summary>What came</summary>
#
# Above: half a minute of training does not reach what a second or two of counting knows.
#
# </details>
#
# How does each get there? The n-grams count only the beginning of the text, more and more of it:

# %% tags=["nbval-ignore-output"]
rows = [("decoder", seen, b) for seen, b in curve.items()]
for n in (1, 5):
    for part in (reading[: len(reading) // k] for k in (64, 16, 4, 2, 1)):
        rows.append((f"{n}-gram", len(part), NGrams(part, n, V).bits(judging) / n_bytes))


# %% [markdown]
# As a picture:

# %% tags=["nbval-ignore-output"]
columns = ["model", "tokens read (dotted: the whole text, once)", "bits per byte"]
table = pd.DataFrame(rows, columns=columns)
picture = px.line(table, *columns[1:], color="model", symbol="model", log_x=True)
picture.add_vline(len(reading), line_dash="dot")
picture.update_xaxes(tickvals=[3e3, 1e4, 3e4, 1e5, 3e5])
alt = "After the same number of tokens the decoder is far above the 5-gram; only by reading again does it come near"
picture.update_layout(width=760, height=380, meta={"alt": alt})

# %% [markdown]
# Wherever both have read the same, the 5-gram is ahead, and it stops where the text stops. The decoder reads on. Set `steps` to 500 and run that cell again: some 2.03. Set it to 1,000, a minute and a half of processor time: 1.97, below the 5-gram. (The points on the way
# are of *one* run, whose rate has yet to fall; a run that ends there is better.)
#
# So a network of your own pays where there is much text, or much time. And **counting is the bar**: what does not beat a 5-gram on *your* text is no language model yet.

# %%
assert course.full or grams[5] < learned < grams[2]

# %% [markdown] road="side"
# ### Six operations for each parameter and token
#
# Chapter 01's $6 N D$ held against the processor seconds that were just measured.

# %% [markdown]
# Training takes about 6 operations for each of $N$ parameters and each of $D$ tokens, says chapter 01. And what can this machine do at best, in a large product of matrices, $2 n^3$ operations for matrices of $n \times n$?

# %% tags=["nbval-ignore-output"]
side = 1_500
matrices = draws.normal(size=(2, side, side)).astype("float32")
started = time.process_time()
for _ in range(4):
    matrices[0] @ matrices[1]
peak = 4 * 2 * side**3 / (time.process_time() - started)


# %% [markdown]
# And the training above:

# %% tags=["nbval-ignore-output"]
N, D = decoder.count_params(), 16 * context * steps
rate = 6 * N * D / spent
print(f"6ND = {6 * N * D:.2g} operations in {spent:.0f} processor seconds")
f"{rate / 1e9:.0f} of {peak / 1e9:.0f} billion a second, {rate / peak:.0%}"

# %% [markdown]
# Half of the best or a little less: the rest goes into moving numbers, softmax, the optimiser. $6ND$ leaves out attention's own products, $12\,L\,c\,d$ operations a token in $L$ blocks with a context of $c$: here an eighth more. This is one size; the next side
# road has four.

# %%
assert course.full or 12 * blocks * context * d * 8 == 6 * N

# %% [markdown] road="side"
# ### How loss falls
#
# Sizes by lengths of training from a record, a power law with its uncertainty, and a point that it had to predict.

# %% [markdown]
# Four sizes of the course's fast network, characters for tokens, on Tiny Shakespeare; each trained for four lengths, each run with a schedule of its own, two seeds. The mean losses on a part of the training text that was held out, in nats a character:

# %%
from course_utils import results

kept_runs = results.load("12")
print(results.described(kept_runs))
sizes = pd.DataFrame(kept_runs["scaling"])
sizes = sizes.assign(N=sizes["parameters"], D=sizes["steps"] * sizes["tokens_a_step"])
of_interest = ["loss", "milliseconds_a_step"]
means = sizes.groupby(["N", "D"], as_index=False)[of_interest].mean()
grid, held_out = means.iloc[:-1], means.iloc[-1]
grid.pivot(index="N", columns="D", values="loss").round(3)

# %% [markdown]
# Down a column the network grows, along a row it reads more. Each helps less the more there is of it. The form that is usually fitted says so (Hoffmann and others, 2022):
#
# $$ L(N, D) = L_0 + \left( \frac{N_0}{N} \right)^{\alpha} + \left( \frac{D_0}{D} \right)^{\beta}. $$
#
# $L_0$ is what would be left with any size and any text. By least squares, and 200 times more with sixteen points drawn from the sixteen:

# %%
from scipy.optimize import least_squares


def law(logs, N, D):
    L_0, N_0, alpha, D_0, beta = np.exp(logs)  # so all of them are positive
    return L_0 + (N_0 / N) ** alpha + (D_0 / D) ** beta


def fitted(points, start):
    found = [points[name].to_numpy() for name in ("N", "D", "loss")]
    return least_squares(lambda logs: law(logs, *found[:2]) - found[2], start).x


first = fitted(grid, np.log([1, 1e3, 0.3, 4e4, 0.3]))
again = [fitted(grid.sample(16, replace=True, random_state=k), first) for k in range(200)]
bounds = np.quantile(np.exp(again), [0.025, 0.975], axis=0)
constants = ["L₀", "N₀", "α", "D₀", "β"]
pd.DataFrame([np.exp(first), *bounds], ["fitted", "from", "to"], constants).round(2)

# %% [markdown]
# The held-out point has almost twice the parameters of the largest network above and read twice the longest text. **Predict first.** What does the law say of it, and is it right?

# %%
foretold = np.quantile(
    [law(one, held_out["N"], held_out["D"]) for one in again], [0.025, 0.975]
)
law_says, came_out = law(first, held_out["N"], held_out["D"]), held_out["loss"]
f"the law {law_says:.3f} ({foretold[0]:.3f} to {foretold[1]:.3f}), measured {came_out:.3f}"

# %% [markdown]
# <details><summary>What came</summary>
#
# Right to a hundredth of a nat, and inside its interval.
#
# </details>
#
# So before you pay for a large run, buy sixteen small ones. But look how wide the constants are: the same law that foretells the next point leaves open whether text or size helps more, and what no network of this kind gets below. And it holds for *this* recipe and text: beyond four readings or so,
# text read again counts for less than new text.
#
# And $6ND$? Milliseconds a step, and how many billion operations a second that is:

# %%
cost = grid.groupby("N")["milliseconds_a_step"].mean().to_frame("ms a step")
cost["billion a second"] = 6 * cost.index * sizes["tokens_a_step"][0] / cost["ms a step"] / 1e6
cost.round(1)

# %% [markdown]
# From the third network to the fourth the rule holds: 2.2 times the parameters, twice the time. The smallest take longer than it says, since small products leave the processor waiting.

# %%
assert foretold[0] < came_out < foretold[1] and abs(law_says - came_out) < 0.02

# %% [markdown] road="side"
# ### Faster, one change at a time
#
# nanoGPT's recipe for a laptop, and changes to it: which of them pay, alone and together, by a record of some sixty runs.

# %% [markdown]
# nanoGPT says of itself: on a MacBook a validation loss of 1.88 nats a character on Tiny Shakespeare, in about three minutes. The course has rebuilt that recipe and a faster one (`course_utils/recipes/decoder`). Both to the end, from two random starts, on the
# whole validation part:

# %%
from course_utils import results

kept_runs = results.load("12")
print(results.described(kept_runs))
runs = pd.DataFrame(kept_runs["test"])
runs = runs[runs["text"] == "tinyshakespeare"].groupby("program", sort=False)
runs[["loss", "processor_seconds", "parameters", "milliseconds_a_step"]].mean().round(2)

# %% [markdown]
# The fast recipe is below nanoGPT's loss in a twentieth of its processor seconds, the long one 0.31 nats below it in fewer. What did it? Each change *alone*, added to nanoGPT's recipe, and *missing*, taken out of the course's; all for the same eight
# processor seconds or so, and with two seeds (on a part of the *training* text, held out). The rule: a change has earned its place if the recipe is worse without it by more than luck, twice the standard error of a difference of two such means.

# %%
rungs = pd.DataFrame(kept_runs["ladder"])
rungs[["how", "change"]] = rungs["program"].str.split(": ", n=1, expand=True)
mean = rungs.pivot_table(index="change", columns="how", values="loss", sort=False)
spread = np.sqrt(rungs.groupby("program")["loss"].var().mean())  # of one run
luck = 2 * spread * np.sqrt(2 / rungs["seed"].nunique())

# %% [markdown]
# Side by side, in nats:

# %%
gains = mean.loc["nanoGPT's recipe", "alone"] - mean["alone"]
costs = mean["without"] - mean.loc["the course's recipe", "without"]
ladder = pd.DataFrame({"alone": gains, "missing": costs})
ladder = ladder.drop(["nanoGPT's recipe", "the course's recipe"])
ladder["earned"] = np.where(ladder["missing"] > luck, "yes", "")
print(f"luck: {luck:.3f}")
ladder.sort_values("missing", ascending=False).round(3)

# %% [markdown]
# Seven have earned their place, first of all rotary positions, a larger rate for the tables, half the depth and Muon, which moves a matrix in all its directions alike (four times AdamW's rate does not replace it). The others are within luck, even three of them together. And changes live
# in company: the table of pairs gains most alone and is missed little, the larger rate gains little alone and is missed much. So measure a change where it will live.
#
# One rung live, on the course's own text: the fast recipe, characters for tokens, three processor seconds.

# %% tags=["nbval-ignore-output"]
from course_utils.recipes import decoder as fast

letters = fast.alphabet(prose.text)
took_off = time.process_time()
small_one = fast.train(fast.encode(prose.train, letters), len(letters), fast.FAST, seed=seed)
took_off = time.process_time() - took_off
nats = fast.loss(small_one, fast.encode(prose.validation, letters))
f"{nats / np.log(2) * len(prose.validation) / n_bytes:.2f} bits per byte after {took_off:.1f} processor seconds"

# %% [markdown]
# On this text the small fast network is behind the decoder above, in a fifth of its time: the less time there is, the smaller is the network that uses it best.

# %%
assert (ladder["earned"] == "yes").sum() == 7 and nats < np.log(len(letters)) - 1

# %% [markdown]
# ## 4 · Write
#
# The decoder gives logits $z$ for the next token. **Temperature** $\tau$ divides them before the softmax: below 1 the likeliest gain on all others. **Top-p** keeps the likeliest tokens, as many as together reach $p$, and
# drops the tail: each token in it is rare, but there are so many that one of them is drawn again and again.


# %%
def chances(z, tau=1.0, p=1.0):
    P = np.exp((z - z.max()) / tau)
    P /= P.sum()
    order = np.argsort(-P)
    P[order[(np.cumsum(P[order]) < p).sum() + 1 :]] = 0
    return P / P.sum()


# %% [markdown]
# From now on NumPy writes, one text at a time. A step gives the logits after the last of some tokens, and the keys and values so far:


# %%
def step(weights, ids, past=None):
    assert len(ids), "There is nothing to continue: give at least one token."
    Z, past = forward(weights, np.array([ids]), past)
    return Z[0, -1], past


# %% [markdown]
# What may come after "The learning"?

# %% tags=["nbval-ignore-output"]
weights = decoder.arrays()
z, _ = step(weights, encode("The learning"))
likely = np.argsort(-z)[:15]
ways = {"τ = 0.5": (0.5, 1), "τ = 1": (1, 1), "τ = 2": (2, 1), "τ = 1, p = 0.25": (1, 0.25)}
bars = pd.DataFrame({way: chances(z, *how)[likely] for way, how in ways.items()})
bars.index = pd.Index([decode([k]).replace(" ", "␣") for k in likely], name="next token")
alt = "At τ = 0.5 the line is steep, at 2 nearly level; top-p ends after a few tokens"
picture = px.line(bars, symbol="variable", log_y=True, labels={"value": "probability"})
picture.update_layout(width=760, height=380, legend_title="", meta={"alt": alt})

# %% [markdown]
# Four times the same fifteen tokens (␣ is a space; each line of the grid is ten times the one below). Low temperature is sure and dull, high temperature rash; top-p changes no order, it cuts. At $\tau = 1$ the fifteen hold less than half of the probability and 1,009 others the rest: that is the tail.
#
# ### The cache
#
# To write token 257, the decoder reads 256 again, and computes keys and values that it had a moment before. What stands earlier never looks ahead, so these *cannot* have changed. Keep them: hand them over as `past`, and
# only the last token goes through.


# %%
def write(weights, ids, n, cached=True, choose=np.argmax):
    ids, past = list(ids), None
    for _ in range(n):
        z, past = step(weights, ids[-1:] if past else ids, past)
        ids.append(int(choose(z)))
        past = past if cached else None
    return ids


# %% [markdown]
# **Predict first.** 256 tokens after a prompt of eight: how many times faster with the cache?

# %% tags=["nbval-ignore-output"]
prompt, clock, written = encode("## 3 · How well does it")[:8], [], []
for cached in (False, True):
    began = time.process_time()
    written.append(write(weights, prompt, 256, cached))
    clock.append(time.process_time() - began)
size = sum(array.nbytes for pair in step(weights, written[0])[1] for array in pair)
slow, quick = (256 / seconds for seconds in clock)
f"{slow:,.0f} and {quick:,.0f} tokens a second: {quick / slow:.1f} times; {size / 1e3:.0f} kB"

# %% [markdown]
# <details><summary>What came</summary>
#
# More than ten times, and the same text. (Past the 128 places that it was trained on this decoder writes on, a little worse.)
#
# </details>
#
# The price is memory: chapter 01's $2 L d$ numbers a token.

# %%
assert written[0] == written[1] and clock[0] / clock[1] > 5
assert size == 2 * blocks * d * len(written[0]) * 4  # bytes of float32

# %% [markdown]
# Let it speak, sampled with $\tau = 0.8$ and $p = 0.9$:

# %% tags=["nbval-ignore-output"]
mouth = np.random.default_rng(seed)


def drawn(z, *how):
    return mouth.choice(V, p=chances(z, *how))


print(decode(write(weights, prompt, 90, True, lambda z: drawn(z, 0.8, 0.9))))

# %% [markdown]
# This course's headings, its rhythm, half of its words; and it means nothing.

# %% [markdown] road="side"
# ### Top-k, prefill and decode
#
# Another way to cut the tail, compared with top-p; and why reading is cheap and writing dear.

# %% [markdown]
# **Top-k** keeps the $k$ likeliest tokens, whatever they hold. Over the places of a text that was never seen: how many tokens does top-p with $p = 0.9$ keep, and how much probability does top-k with $k = 40$ keep?

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
Z = forward(weights, judging[None, :context])[0][0]
tables = np.sort([chances(one) for one in Z], axis=1)[:, ::-1]
needed = (np.cumsum(tables, axis=1) < 0.9).sum(axis=1) + 1
cut_tail = pd.DataFrame(
    {"tokens that reach 0.9": needed, "share of the first 40": tables[:, :40].sum(axis=1)}
)
cut_tail.quantile([0.05, 0.5, 0.95]).round(2)

# %% [markdown]
# At some places two dozen tokens reach 0.9, at others nearly three hundred: the same $k$ keeps too many here and forbids half of the probability there. Top-p follows the place. A loss cannot tell what is better: after the cut the tail has
# probability nought, and one token of it makes the loss infinite. So a model is *measured* without these tricks, and used with them.
#
# Now the time. **Prefill** is the prompt: all its tokens go through together, in large matrix products. **Decode** is the answer: token by token, each reading every weight for one row. Same arithmetic per token:


# %% tags=["nbval-ignore-output"]
def seconds(task, times=5):
    began = time.process_time()
    for _ in range(times):
        task()
    return (time.process_time() - began) / times


# %% [markdown]
# A page of 200 tokens: the first half read at once,

# %% tags=["nbval-ignore-output"]
page = judging[:200].tolist()
past = step(weights, page[:100])[1]
prefill = seconds(lambda: step(weights, page[:100])) / 100


# %% [markdown]
# the second token by token:


# %% tags=["nbval-ignore-output"]
def decode_100():
    kept = past
    for token in page[100:]:
        kept = step(weights, [token], kept)[1]


one_by_one = seconds(decode_100) / 100
f"{1e6 * prefill:.0f} µs a token read, {1e6 * one_by_one:.0f} µs a token written: {one_by_one / prefill:.1f} times"

# %% [markdown]
# On two cores most of the difference is Python's overhead for each small product. On a GPU it is the reading of the weights (chapter 01). In both, the remedy is the same: write for several customers *together*, so that
# one pass serves them all.

# %%
assert one_by_one > 1.5 * prefill

# %% [markdown] road="side"
# ### Four bits a weight
#
# The decoder's matrices in four bits, group by group: what it does to size, loss and speed.

# %% [markdown]
# Chapter 10 stored weights in eight bits, with one scale for each channel. Four bits have only the whole numbers from −7 to 7, so each *group* of weights below one another gets a scale of its own. A scale in 16
# bits costs a group of 64 a quarter of a bit a weight, a group of 16 a whole one.


# %%
def in_four_bits(W, group):
    parts = W.reshape(-1, group, W.shape[1]) if group else W[None]
    scale = (np.abs(parts).max(axis=1, keepdims=True) / 7).astype("float16")
    scale = np.where(scale == 0, 1, scale)
    return (np.round(parts / scale) * scale).reshape(W.shape).astype("float32")


# %% [markdown]
# Bits per byte with changed weights:


# %%
def bits_of(arrays):
    squeezed = Decoder(V, blocks, d)
    squeezed.set_weights(keras.tree.flatten(arrays))
    squeezed.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return bits(squeezed)


# %% [markdown]
# The blocks' matrices in four bits, the table of tokens as it is:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
n_inside = 12 * blocks * d**2
small = {"32 bits": (bits_of(weights), 4 * n_inside)}
for group in (0, 64, 16):
    E, inside = weights
    less = E, [[in_four_bits(W, group) for W in block] for block in inside]
    scales = sum(
        W.shape[1] * (W.shape[0] // group if group else 1) for block in inside for W in block
    )
    name = f"4 bits, groups of {group}" if group else "4 bits, a scale a column"
    small[name] = bits_of(less), n_inside / 2 + 2 * scales
sized = pd.DataFrame(small, index=["bits per byte", "kB in blocks"]).T
sized["kB in blocks"] /= 1000
sized["kB with the table"] = sized["kB in blocks"] + E.nbytes / 1000
matrices_inside = [W for block in inside for W in block]
giants = max(np.abs(W).max() / np.sqrt(np.mean(W**2)) for W in matrices_inside)
print(f"the largest weight is {giants:.0f} times its matrix's typical one")
sized.round(3)

# %% [markdown]
# The blocks shrink to an eighth, at groups of 16 to less than a sixth, for some hundredths of a bit or less; the whole model to about a third, since this one is small and its table large. Smaller groups lose less and cost more scales. (No weight is a giant here. In large models a few are, and
# there groups are needed.) And speed? NumPy has no four-bit product: it would first have to make 32 bits of them again, and be slower. Where the
# weights are *read* from memory for each token, by kernels made for it, an eighth to read is up to eight times as fast (chapter 01's second clock).

# %%
losses = {name: one[0] - small["32 bits"][0] for name, one in small.items()}
assert (
    losses["4 bits, groups of 16"] < 0.05
    and small["4 bits, groups of 64"][1] < 0.2 * small["32 bits"][1]
)

# %% [markdown]
# ## 5 · From continuing to answering
#
# A decoder continues. To make it *answer*, show it what an answer looks like: ticket, a sign, the record, a sign for the end. Only the record counts in the loss. Of a ticket it reads the first 56 tokens: nearly half of them are cut, and with them 3 of the 21 amounts.

# %%
END, ASK = (tokenizer.token_to_id(sign) for sign in ("<end>", "<ask>"))
longest, room = course.choose(quick=(56, 80), full=(150, 190))  # of a ticket; with its record


def question(message):
    return [*encode(message)[:longest], ASK]


# %% [markdown]
# The 500 pairs, and what of them counts:

# %%
x, counts = np.full((len(taught), room + 1), END, "int32"), np.zeros((len(taught), room + 1))
for k, (message, one) in enumerate(zip(tickets.train.texts, taught, strict=True)):
    asked, answer = question(message), [*encode(json.dumps(one)), END]
    x[k, : len(asked) + len(answer)] = asked + answer
    counts[k, len(asked) : len(asked) + len(answer)] = 1
    team = len(asked) + len(encode('{"team": "'))
    counts[k, team : team + len(encode(one["team"]))] = 10

# %% [markdown]
# The team's tokens count ten times: they are the one or two of some seventeen that are hard, and counted once they drown. (Counted once, three runs of three were no better than the floor on the test part; ten times was chosen on the validation part, where five times did as well.)

# %% tags=["nbval-ignore-output"]
tuned = Decoder(V, blocks, d)
tuned.set_weights(decoder.get_weights())


# %% [markdown]
# Five epochs, and the rows of each in another order:

# %% tags=["nbval-ignore-output"]
order = np.concatenate([draws.permutation(len(x)) for _ in range(5)])
prepare(tuned, len(order) // 16, 2e-3)
given = {"sample_weight": counts[order, 1:], "batch_size": 16, "shuffle": False, "verbose": 0}
_ = tuned.fit(x[order, :-1], x[order, 1:], **given)

# %% [markdown]
# ### Valid by construction
#
# Nothing *forces* it to close a bracket. But you choose the token, so you may forbid: whatever leads to no valid record gets $-\infty$ before the choice. That takes a **grammar**, here a row of parts, each a list of
# options. It goes byte by byte, since a token may end in the middle of a 账; `spelled` gives one character for each byte, as the library writes them. A *state* says where in it you may stand: which part comes next, and what is left of the one begun.

# %%
from functools import cache


def spelled(text):
    return "".join(piece for piece, _ in as_bytes.pre_tokenize_str(text))


PARTS = [['{"team": "'], teams, ['", "urgent": '], ["true", "false"], [', "amount": "']]
PARTS += [["", *"0123456789.,"]] * 10 + [['"}']]  # ten signs at most; "": it may be left out
PARTS = [[spelled(option) for option in part] for part in PARTS]


def opened(part, left):
    """A state; or, where its part is complete, those that follow it."""
    if left or part == len(PARTS):
        return {(part, left)}
    return set().union(*(opened(part + 1, option) for option in PARTS[part]))


# %% [markdown]
# With each byte the states move on. Where none is left, the text leads to no record:


# %%
@cache
def after(states, said):
    for c in said:
        going = [opened(part, left[1:]) for part, left in states if left[:1] == c]
        states = frozenset().union(*going)
    return states


# %% [markdown]
# A token is allowed if its bytes lead somewhere; the end, where a record is whole. Every single byte is a token, so there is always one that is allowed, unless a part has no option at all:

# %%
START, WHOLE = frozenset(opened(0, "")), (len(PARTS), "")
names = [tokenizer.id_to_token(k) for k in range(V)]
assert all(PARTS), "No record can be valid: a part of the form has no option."


@cache
def allowed(states):
    may = np.array([bool(after(states, name)) for name in names])
    may[[END, ASK]] = WHOLE in states, False
    return may


[decode([k]) for k in np.flatnonzero(allowed(after(START, spelled('{"team": "b'))))]

# %% [markdown]
# After `{"team": "b` only beginnings of what is left of "billing" and "bug" may follow. Now the answer, with the mask or without:


# %%
def complete(weights, message, masked, choose=np.argmax):
    ids, states = [], START
    z, past = step(weights, question(message))
    while len(ids) < 80:
        token = int(choose(np.where(allowed(states), z, -np.inf) if masked else z))
        if token == END:
            break
        ids.append(token)
        states = after(states, names[token]) if masked else states
        z, past = step(weights, [token], past)
    return decode(ids)


# %% [markdown]
# What is not exactly of the asked form counts as invalid:

# %%
FORM = rf'{{"team": "({"|".join(teams)})", "urgent": (true|false), "amount": "[\d,.]{{0,10}}"}}'


def read(said):
    return json.loads(said) if re.fullmatch(FORM, said) else None


# %% [markdown]
# Five ways: three times the likeliest token, twice sampled at temperature 1, as chat programs do.

# %% tags=["nbval-ignore-output"]
after_tuning = tuned.arrays()
ways = {
    "before tuning, mask": (weights, True),
    "tuned, sampled": (after_tuning, False, drawn),
    "tuned, sampled, mask": (after_tuning, True, drawn),
    "tuned": (after_tuning, False),
    "tuned, mask": (after_tuning, True),
}


# %% [markdown]
# All test tickets, each way:

# %% tags=["nbval-ignore-output"]
wrote, clock = {}, [time.process_time()]
for way, (arrays, *how) in ways.items():
    wrote[way] = []
    for message in tickets.test.texts:
        wrote[way].append(read(complete(arrays, message, *how)))
        clock.append(time.process_time())
ms = 1000 * np.diff(clock)[-len(truth) :]  # of the last way
{way: f"{sum(map(bool, found))} of {len(found)} valid" for way, found in wrote.items()}

# %% [markdown]
# Sampled freely, a third of the records or more are malformed; the likeliest tokens fail at one or two. With the mask every record is valid, even from the decoder that never saw one: by construction, from any model and in any script. What is *in* them?

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
right |= {way: hits(found) for way, found in wrote.items()}
its_teams = [teams.index(one["team"]) for one in wrote["tuned, mask"]]
right["its team, then rules"] = hits(records(tickets.test, its_teams))
money = np.array([one["amount"] != "" for one in truth])
closing = pd.DataFrame({way: found.mean().round(3) for way, found in right.items()}).T
closing["amounts copied"] = [f["amount"][money].sum() for f in right.values()]
closing["whole"] = [str(evaluate.share(int(f["whole"].sum()), len(f))) for f in right.values()]
closing

# %% [markdown]
# *Form is solved, content is not.* Of 100 teams the decoder gets fewer than 40, and of the 21 amounts none; the rest of its columns is the floor's. What does the mask buy? Of the sampled records half as many again are right with it, for it rescues those that would have been spoilt. Of the likeliest tokens
# hardly one goes wrong, so there it is an insurance. It supplies nothing that the model does not know. Give the decoder its kindest form, the team its own and the rest by rule: it is still behind by four in ten.
#
# Is it for want of English? Counted words know none. And with three seeds a decoder that never read the book, tuned the same way, judged 34 of 100 teams right on the test part, one that did 38; on the hundred validation tickets 37 and 37. Half a minute of reading bought little or nothing.
# 500 tickets, learnt in this way, do not teach it. Nor does it copy: neither with whole tickets nor with 1,478 amounts made by rule was one of the 21 right. The rule for it is one line.

# %%
assert all(one is not None for way in wrote if "mask" in way for one in wrote[way])
behind = closing["team"]["counted words and rules"] - closing["team"]["tuned, mask"]
assert course.full or behind > 0.1

# %% [markdown] road="side"
# ### Preferred, by hand
#
# Preference tuning (DPO): the right record against a wrong one, the loss in ten lines, and what it does to likelihood.

# %% [markdown]
# Tuning shows right records; it never says "rather this than that". **Direct preference optimisation** (Rafailov and others, 2023) does. For a ticket $x$ there is a better record $y^+$ and a worse one $y^-$. With
# $\pi$ the model that learns and $\pi_0$ the model as it was,
#
# $$ L = -\log \sigma\!\left( \beta \log\frac{\pi(y^+ \mid x)}{\pi_0(y^+ \mid x)} - \beta \log\frac{\pi(y^- \mid x)}{\pi_0(y^- \mid x)} \right). $$
#
# The worse record is here the same with the likeliest *wrong* team (by its first token). The validation tickets, which the decoder has not been tuned on, serve as preferences, and the test tickets judge.


# %%
def pair(message, one):
    """Two rows: question and right record, question and the record with the likeliest wrong team."""
    z, _ = step(after_tuning, [*question(message), *encode('{"team": "')])
    wrong = max(
        (team for team in teams if team != one["team"]), key=lambda team: z[encode(team)[0]]
    )
    rows, counted = np.full((2, room + 16), END, "int32"), np.zeros((2, room + 16), "float32")
    for k, team in enumerate((one["team"], wrong)):
        asked, answer = question(message), [*encode(json.dumps(one | {"team": team})), END]
        rows[k, : len(asked) + len(answer)] = asked + answer
        counted[k, len(asked) : len(asked) + len(answer)] = 1
    return rows, counted


# %% [markdown]
# For the first tickets of a part:


# %%
def pairs_of(part, n):
    found = [
        pair(*both) for both in zip(part.texts[:n], records(part, part.labels), strict=False)
    ]
    return [np.concatenate(rows) for rows in zip(*found, strict=True)]


# %% [markdown]
# The logarithm of a record's probability is the sum over its tokens:


# %%
def log_chance(y, logits):
    """Targets and what counts, (n, t) each -> (n,)."""
    Z = ops.log_softmax(logits, axis=-1)
    picked = ops.take_along_axis(Z, ops.cast(y[..., :1], "int32"), axis=-1)[..., 0]
    return ops.sum(picked * y[..., 1], axis=-1)


# %% [markdown]
# The loss takes every second row, since they stand in pairs:


# %%
def preference(y, logits, beta=0.3):
    gained = log_chance(y, logits) - y[:, 0, 2]  # against the model as it was
    return ops.mean(
        ops.softplus(-beta * (gained[::2] - gained[1::2]))
    )  # softplus(-m) = -log σ(m)


# %% [markdown]
# And what the model as it was says is computed once, and carried beside the targets:


# %%
def packed(rows, counted, model):
    """Targets, what counts, and what the model as it was says, side by side."""
    y = np.stack([rows[:, 1:], counted[:, 1:], 0 * counted[:, 1:]], axis=-1).astype("float32")
    for k in range(0, len(rows), 40):
        some = slice(k, k + 40)
        before = log_chance(ops.convert_to_tensor(y[some]), model(rows[some, :-1]))
        y[some, :, 2] = ops.convert_to_numpy(before)[:, None]
    return rows[:, :-1], y


# %% [markdown]
# A hundred pairs to learn from, a hundred to judge, and three passes:

# %% tags=["nbval-ignore-output"]
x_p, y_p = packed(*pairs_of(tickets.validation, 100), tuned)
x_t, y_t = packed(*pairs_of(tickets.test, 100), tuned)


# %% [markdown]
# Trained:

# %% tags=["nbval-ignore-output"]
preferring = Decoder(V, blocks, d)
preferring.set_weights(tuned.get_weights())
preferring.compile(keras.optimizers.Adam(3e-4), preference)
learnt = preferring.fit(x_p, y_p, batch_size=20, epochs=3, shuffle=False, verbose=0)
[round(loss, 2) for loss in learnt.history["loss"]]

# %% [markdown]
# How likely is each record now, and is the right one ahead of the wrong one?


# %%
def seen(x, y, model):
    """Targets as packed, a model -> log p of right and of wrong records, (pairs,) each."""
    rows = np.concatenate([x[:, :1], y[..., 0].astype("int32")], axis=1)
    counted = np.pad(y[..., 1], ((0, 0), (1, 0)))
    return packed(rows, counted, model)[1][:, 0, 2].reshape(-1, 2).T


# %% [markdown]
# On the preferences and on the test tickets:

# %% tags=["nbval-ignore-output"]
preferred, ahead = {}, {}
for name, asked_for, target in (("preferences", x_p, y_p), ("test", x_t, y_t)):
    for when, model in (("before", tuned), ("after", preferring)):
        good, bad = seen(asked_for, target, model)
        ahead[name, when] = good > bad
        preferred[f"{name}, {when}"] = good.mean(), bad.mean(), ahead[name, when].mean()
    won, lost = (
        (ahead[name, one] & ~ahead[name, two]).sum()
        for one, two in (("after", "before"), ("before", "after"))
    )
    print(f"{name}: {won} pairs put right, {lost} put wrong:", evaluate.share(won, won + lost))
columns = ["log p, right", "log p, wrong", "right is ahead"]
preferred = pd.DataFrame(preferred, index=columns).T
preferred.round(2)

# %% [markdown]
# On its preferences the decoder now puts the right record first in 87 of 100, before in 38. On the test tickets, which it has not seen, about as many pairs were put right as wrong: no gain is shown (a hundred preferences are few). And everywhere the right record has
# become *less* likely: what the loss pushes apart may both fall, as long as the wrong one falls further. So after preference tuning measure likelihood, or accuracy, and not only the loss that was trained. (Whether these hundred tickets would have served as well in plain tuning is not asked here.)

# %%
after_both = preferred["log p, wrong"]
assert after_both["preferences, after"] < after_both["preferences, before"]
assert (
    preferred.loc["preferences, after", "right is ahead"]
    > preferred.loc["preferences, before", "right is ahead"]
)

# %% [markdown]
# ## 6 · The decision
#
# The question's table, with what came. What is lost and gained is counted in pairs, on the same tickets (chapter 10); a core-hour costs 4 US cents, as there.

# %% tags=["nbval-ignore-output"]
mine, bar = right["tuned, mask"]["whole"], right["counted words and rules"]["whole"]
n = len(mine) + 2  # one lost and one gained are added
lost, gained = ((bar & ~mine).sum() + 1) / n, ((mine & ~bar).sum() + 1) / n
most_lost = lost - gained + 1.96 * np.sqrt((lost + gained - (lost - gained) ** 2) / n)
p99, thousand = np.quantile(ms, 0.99), ms.mean() / 3600 * 0.04
asked = ["all valid", "at most 0.02", "at most 50", "at most 1.35"]
n_valid = sum(map(bool, wrote["tuned, mask"]))
came = [f"{n_valid} valid", f"up to {most_lost:.2f}", f"{p99:.0f}", f"{thousand:.5f}"]
kept = [n_valid == len(truth), most_lost <= 0.02, p99 <= 50, thousand <= 1.35]
lines = ["form", "records lost", "99 of 100, ms", "a thousand records, US$"]
pd.DataFrame({"asked": asked, "came": came, "kept": kept}, index=lines)

# %% [markdown]
# Three lines are kept, and by far; the second decides: **counted words and rules ship.** The colleague was right about privacy, price and speed, and it does not matter.
#
# What ships is wrong in 22 of 100, and somebody repairs them. At a dollar each, and with the upper ends of the table above, a thousand tickets cost up to 260 US\$ with the rules and some 700 with the decoder (exercise 12-2's bill, without fixed costs). Beside that an API's 1.35 is nothing: it has paid for itself as soon as it is right in one more of 400.
#
# When would it be otherwise?
#
# * *Somebody else has pretrained it.* Such a model has read a million times more. Tune it (chapter 09), or ask an API; mask, cache and table stay the same. Its price is known, what it gets right on *your* tickets you have to measure.
# * *Text must be written*, not chosen. Then rules are no rival, and the bar is a template.
# * *You have gigabytes of a language of your own*: logs of your own machines, a notation that only your trade writes. If nobody has pretrained on it for you, the curve of section 3 goes on falling.
#
# On Monday you take the mask along: it works with any model that shows you its logits.

# %%
assert course.full or kept == [True, False, True, True]

# %% [markdown] road="side"
# ### Serve it
#
# The tuned decoder behind an address that speaks like OpenAI's: tokens as they come, and many customers at once.

# %% [markdown]
# `course serve` wants a bundle (chapter 10). It numbers the bytes first and the signs last, so the rows of the table change their places. What is needed:

# %%
import tempfile
from pathlib import Path

from course_utils import bundles
from course_utils.bundles.byte_pairs import BytePairs
from course_utils.bundles.decoder import Decoder as Writer
from course_utils.bundles.decoder_pass import Network, Shape

# %% [markdown]
# Where each of the new numbers was before, and the merges in new numbers:

# %%
number = tokenizer.get_vocab()
readable = [*range(33, 127), *range(161, 173), *range(174, 256)]  # how the library sorts bytes
sorted_bytes = readable + [b for b in range(256) if b not in readable]
old = [
    number[c] for _, c in sorted(zip(sorted_bytes, sorted(as_bytes.alphabet()), strict=True))
]
old += [*range(258, V), END, ASK]
new = {before: now for now, before in enumerate(old)}
joined = json.loads(tokenizer.to_str())["model"]["merges"]
joined = [[new[number[half]] for half in pair] for pair in joined]

# %% [markdown]
# The arrays by the names of the bundle:

# %%
E, inside = after_tuning
arrays = {"embedding": E[old]}
for k, block in enumerate(inside):
    for name, W in zip(
        ("queries_keys_values", "attention_out", "hidden_in", "hidden_out"), block, strict=True
    ):
        arrays[f"{k}.{name}"] = W

# %% [markdown]
# As a bundle, served:

# %% tags=["nbval-ignore-output"]
from course_utils.serving.starting import Service

shape = Shape(V, context, blocks, 4, d, rotary=True, squared=True, plain=True, epsilon=1e-6)
chat = {"system": ("", ""), "user": ("", ""), "assistant": ("<ask>", "<end>")}
pieces = BytePairs(joined, ["<end>", "<ask>"], split=PIECES)
writer = Writer(network=Network(shape, arrays), tokenizer=pieces, chat=chat, end="<end>")
home = tempfile.TemporaryDirectory()
bundles.save(writer, Path(home.name) / "bundle")
service = Service(Path(home.name) / "bundle", folder=Path(home.name) / "service")
service.url

# %% [markdown]
# A request holds the ticket and the schema; the service builds the mask. With `stream` the tokens come one by one:

# %%
from urllib.request import Request, urlopen

fields = {
    "team": {"enum": list(teams)},
    "urgent": {"type": "boolean"},
    "amount": {"type": "string", "maxLength": 10},
}
schema = {"type": "object", "properties": fields, "required": list(fields)}


def ask(message, stream=False):
    body = {
        "messages": [{"role": "user", "content": message}],
        "temperature": 0,
        "stream": stream,
    }
    body["response_format"] = {
        "type": "json_schema",
        "json_schema": {"name": "record", "schema": schema},
    }
    header = {"Content-Type": "application/json"}
    return urlopen(
        Request(f"{service.url}/v1/chat/completions", json.dumps(body).encode(), header)
    )


# %% [markdown]
# When does the first token come, when the last?

# %% tags=["nbval-ignore-output"]
short = [message for message in tickets.test.texts if len(encode(message)) < 80]
started, at = time.perf_counter(), []
with ask(short[0], stream=True) as lines_of:
    for one in lines_of:
        if one.startswith(b"data: {"):
            at.append(1000 * (time.perf_counter() - started))
f"first token after {at[0]:.0f} ms, the other {len(at) - 1} in {at[-1] - at[0]:.0f} ms"

# %% [markdown]
# **Predict first.** 64 tickets, one after the other, then sixteen at a time: how many times more records a second?

# %% tags=["nbval-ignore-output"]
from concurrent.futures import ThreadPoolExecutor


def said(message):
    return json.load(ask(message))["choices"][0]["message"]["content"]


pace, served = {}, {}
for at_once in (1, 16):
    with ThreadPoolExecutor(at_once) as customers:
        started = time.perf_counter()
        served[at_once] = list(customers.map(said, short[:64]))
        pace[at_once] = 64 / (time.perf_counter() - started)
service.stop()
f"{pace[1]:.0f} and {pace[16]:.0f} records a second: {pace[16] / pace[1]:.1f} times"

# %% [markdown]
# <details><summary>What came</summary>
#
# Two to three times.
#
# </details>
#
# **Continuous batching**: after each token the service puts in whoever has come, and lets out whoever is done; so one pass through the weights serves up to sixteen, and nobody waits for the longest. On a GPU, where reading the weights takes the time, it is worth far more
# (chapter 01).
#
# And against a service that writes one text at a time? That was measured with texts of 16 to 128 tokens without a mask (an untrained network, four blocks, 128 wide; `tests/benchmarks/decode.py`):

# %%
from course_utils import results

rates = results.load("12", "service")
print(results.described(rates))
rates = pd.DataFrame(rates["rows"]).set_index(["clients", "texts at a time"])
rates

# %% [markdown]
# Sixteen clients: sixteen texts at a time, divided by one at a time:

# %%
alone, together = rates.loc[(16, 1)], rates.loc[(16, 16)]
(together / alone).round(3)

# %% [markdown]
# Each text is written three times more slowly, all together 4.5 times faster; and as there is a place for each of the sixteen, the first token comes after 13 ms instead of 965 (medians; a seventeenth would wait). One client alone loses about one token in a hundred. Why your own figure is smaller was not tested: answers, network and client all differ.

# %%
assert f"{together['tokens a second'] / alone['tokens a second']:.1f}" == "4.5"
assert 2 < together["seconds between two tokens"] / alone["seconds between two tokens"] < 4
assert rates.loc[(1, 16), "tokens a second"] > 0.9 * rates.loc[(1, 1), "tokens a second"]
assert [round(1000 * row["seconds to the first token"]) for row in (together, alone)] == [
    13,
    965,
]

# %% [markdown]
# All 128 records are valid:

# %%
for answer in served[1] + served[16]:
    one = json.loads(answer)
    assert list(one) == list(fields) and one["team"] in teams and len(one["amount"]) <= 10
assert len(at) > 5

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
# Several routes lie before you, each tried on `n` records of which `wrong` were wrong and `invalid` were no valid record. A route costs `fixed` US\$ a month, `each` US\$ a record, and a wrong record
# costs `repair` US\$ of somebody's time. With $v$ records a month and $e$ the share that is wrong,
#
# $$ \text{bill} = \text{fixed} + v\,(\text{each} + \text{repair} \cdot e). $$
#
# Who tried a route on six records knows little, so take for $e$ the upper end of its 95 % interval: `evaluate.share(k, m).high` for `k` wrong of `m`, one route at a time. A route with an invalid record is out. Return the number of
# the route with the least bill, the first of equals, or −1 where all are out. (Routes that were tried on the *same* records are better compared in pairs, as in section 6; here each had its own.)


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
# * *Decoder:* attention with a mask, asserted equal to Keras's; no place before a change moved, and a planted leak was caught. A 5-gram was ahead of it until
#   it had read the text some ten times.
# * *Write:* temperature and top-p reshape one distribution; the cache gives the same text ten times faster, for $2Ld$ numbers a token.
# * *Valid:* a mask over the vocabulary makes every record valid, from any model. It rescues some that would have been spoilt, and supplies nothing that the model does not know.
# * *Decide:* a target written down first, a paired comparison with the honest bar, and the cheap route where the dear one does not show that it earns its place.

# %% [markdown]
# ## Limits and next
#
# Half a million parameters and 0.4 MB of text are a toy: models that are used have ten thousand times the parameters and more than a million times the text, and with them comes what is missing here. The decoder's size and rate were chosen after a few looks at a text like the one that judges. One run, one seed, one
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
# A. Holtzman and others, "The curious case of neural text degeneration", *ICLR* (2020) (top-p) · B. T. Willard, R. Louf, "Efficient guided generation for large language models", arXiv:2307.09702 (2023) (masks from a grammar) · R. Rafailov and others, "Direct preference optimization", *NeurIPS* (2023) · A. Karpathy, *nanoGPT*, github.com/karpathy/nanoGPT (2022) · K. Jordan and others, *Muon* and *modded-nanogpt*,
# github.com/KellerJordan/modded-nanogpt (2024) · G.-I. Yu and others, "Orca", *OSDI* (2022) (continuous batching).
