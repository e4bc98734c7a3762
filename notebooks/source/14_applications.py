# ---
# jupyter:
#   course:
#     chapter: "14"
#     title: Applications
#     requires: ["08"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 120, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 14 · Applications
#
# You try six fields of the articles on real data, each against its honest baseline, and decide for each whether a small team should use a large model there.
#
# *Hardware: two cores, 1.5 GiB; the data sets are fetched once · Needs: chapter 08*

# %% [markdown]
# ## You will be able to
#
# * recommend films, and check your figures against a published table;
# * translate spellings into sounds, and know when a network beats rules;
# * read a new field's figures: which baseline, which metric, which split;
# * decide where a small team should use a large model.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares Python; chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, evaluate, figures, setup

course = setup("14", profile=profile, seed=seed)

import keras
import numpy as np
import pandas as pd
import plotly.express as px

# %% [markdown]
# ## The question
#
# Section 6 of the articles lists where large models are used: language, vision, speech, recommendation, finance, medicine. It names no number. Before you build in
# one of these fields you want three: what the simplest thing reaches, what a network adds, and what both cost.
#
# Each section below answers for one field, on real data, and runs alone. Two are on the main road; pick the others by your trade.

# ===== RECOMMENDATION begin
# ===== RECOMMENDATION end

# ===== LANGUAGE begin

# %% [markdown] needs="cmudict"
# ## 2 · Language
#
# The articles name "文本分类、机器翻译、情感分析": text classification, machine translation, sentiment. The first and the last are chapters 08 and 09; here you translate.
#
# **The question.** A voice product must say names and words that it has not seen. It translates from spelling to sound: translation in small, with two alphabets and no letter for
# each sound, and every answer can be checked in a dictionary.
#
# CMUdict holds American English in 39 sounds. Entries with digits or punctuation are left out, and so is the stress: a word that is stressed in the wrong place counts as right.
# %%
spoken = data.load("cmudict").frames["words"]
spoken = spoken[spoken["word"].str.fullmatch("[a-z]+")]
spoken = spoken.assign(sounds=spoken["pronunciation"].str.replace(r"\d", "", regex=True))
listed = {}  # word -> its pronunciations
for entry in spoken.drop_duplicates(["word", "sounds"]).itertuples():
    listed.setdefault(entry.word, []).append(tuple(entry.sounds.split()))
alphabet = sorted({sound for ways in listed.values() for way in ways for sound in way})
print(f"{len(listed):,} words, {len(alphabet)} sounds; read: {listed['read']}")

# %% [markdown]
# Any listed pronunciation is right. The split is by *words*: no second pronunciation of a judged word stands in training. Choices are made on the validation words.

# %%
lexicon = np.random.default_rng(seed).permutation(sorted(listed)).tolist()
judged = lexicon[: 3_000 if course.full else 1_000]
trying, known = lexicon[10_000:11_000], lexicon[11_000:]
print(
    f"{len(known):,} words to learn from, {len(trying):,} to choose by, {len(judged):,} judged"
)

# %% [markdown]
# **Two errors.** The *word error* is the share of words said wrong. The *phoneme error* counts edits, the fewest sounds changed, added or left out on the way to the *nearest* listed
# pronunciation, and pools them:
#
# $$ \text{word error} = \frac{\text{words said wrong}}{\text{words}}, \qquad \text{phoneme error} = \frac{\sum_i \text{edits}_i}{\sum_i \text{sounds}_i}. $$
#
# For the second the interval draws whole words anew, as the sounds of one word go wrong together.


# %%
from course_utils.recipes import spelling


def errors(said):
    """The pronunciations of the judged words -> word error and phoneme error; each word's edits."""
    pairs = [
        min((spelling.edits(s, r), len(r)) for r in listed[w])
        for s, w in zip(said, judged, strict=True)
    ]
    changed, sounds = np.array(pairs).T
    draws = np.random.default_rng(seed).integers(len(judged), size=(1_000, len(judged)))
    ends = np.quantile(changed[draws].sum(1) / sounds[draws].sum(1), [0.025, 0.975])
    pooled = evaluate.Estimate(changed.sum() / sounds.sum(), *ends, len(judged))
    return evaluate.share(int((changed > 0).sum()), len(judged)), pooled, changed


# %% [markdown]
# ### Baselines without a network
#
# **Look it up.** An unseen word is not in the list: word error 1. In a product the list comes first all the same.
#
# **Letter by letter.** Let each letter make no, one or two sounds: a *chunk*. Nobody has written down which. If $p(\text{chunk} \mid \text{letter})$ were known, the best split of a
# word's sounds $y$ among its letters $x$ would follow letter by letter, where $\text{best}_i(j)$ is the best score at which the first $i$ letters make the first $j$ sounds:
#
# $$ \text{best}_i(j) = \max_{k \in \{0, 1, 2\}} \Big( \text{best}_{i-1}(j - k) + \log p(y_{j-k+1} \dots y_j \mid x_i) \Big). $$


# %%
def align(x, y, log_p):
    """Letters and sounds, int (words, places), zeros behind -> each letter's chunk; sounds a, b are 40 a + b."""
    rows, one = np.arange(len(x)), np.pad(y, ((0, 0), (1, 0)))
    chunks = [np.zeros_like(one), one, 40 * np.roll(one, 1, axis=1) + one]
    best = np.where(np.arange(one.shape[1]) == 0, 0.0, -np.inf) + np.zeros((len(x), 1))
    ways = []
    for letter in x.T[:, :, None]:
        moved = [best]
        for k in (1, 2):
            moved.append(np.pad(best[:, :-k], ((0, 0), (k, 0)), constant_values=-np.inf))
        options = [moved[k] + log_p[letter, chunks[k]] for k in range(3)]
        ways.append(np.argmax(options, axis=0).astype(np.int8))
        best = np.max(options, axis=0)
    j, found = (y > 0).sum(1), np.zeros_like(x)
    for i in reversed(range(x.shape[1])):  # back from the last letter
        k = ways[i][rows, j]
        found[:, i] = np.choose(k, [chunk[rows, j] for chunk in chunks])
        j = j - k
    return found


# %% [markdown]
# And if the splits were known, counting would give $p$. So do both in turn, beginning with the words that have as many sounds as letters, one each. (This is *expectation
# maximisation*, in its hard form.) Ten thousand pairs are enough for that.


# %%
import time


def counted(x, chunks):
    count = (
        np.bincount((1600 * x + chunks).ravel(), minlength=27 * 1600).reshape(27, 1600) + 0.01
    )
    return np.log(count / count.sum(1, keepdims=True))


began = time.process_time()
x, y = spelling.pairs(known, listed, alphabet, width=22)
some, even = slice(10_000), ((x > 0).sum(1) == (y > 0).sum(1))[:10_000]
log_p = counted(x[some][even], y[some][even])
for _ in range(4):
    log_p = counted(x[some], align(x[some], y[some], log_p))
parts = [slice(k, k + 10_000) for k in range(0, len(x), 10_000)]
chunks = np.concatenate([align(x[part], y[part], log_p) for part in parts])
units = 1600 * x + chunks  # a letter with its chunk
del spoken, chunks

# %% [markdown]
# What has it found for these words?


# %%
def shown(chunk):
    return "+".join(alphabet[k - 1] for k in divmod(chunk, 40) if k) or "·"


show = spelling.pairs(["thought", "axis", "knight"], listed, alphabet, width=22)
for row in zip(show[0], align(*show, log_p), strict=True):
    print(
        "  ".join(f"{chr(96 + a)} {shown(chunk)}" for a, chunk in zip(*row, strict=True) if a)
    )

# %% [markdown]
# **A joint n-gram.** A letter with its chunk is one *unit*, and a word is a sequence of units. So chapter 12's counted n-gram gives each unit its probability after the $n - 1$
# units before it, which hold both letters and sounds. To say a new word, you search the most probable units whose letters spell it.


# %%
from course_utils.recipes.ngrams import SequenceGrams


def joint(units, n):
    """Units (words, places) -> a function of letters that gives the step of a search, and the units' names."""
    names, units = np.unique(units, return_inverse=True)
    units = units.reshape(-1, 22)
    grams, often = SequenceGrams(units, n), np.bincount(units.ravel()) > 2
    choices = np.zeros((27, 24), int)
    for a in range(1, 27):
        found = np.flatnonzero(often & (names // 1600 == a))[:23]
        choices[a, 1 : len(found) + 1] = found

    def step(history, letters):
        a = letters[:, history.shape[2] - 1]
        options = choices[a][:, None].repeat(history.shape[1], axis=1)
        allowed = options > 0
        allowed[..., 0] = (a == 0)[:, None]  # the end, behind the last letter
        return options, np.where(allowed, np.log(grams.chances(history, options)), -np.inf)

    return step, names


# %% [markdown]
# The search is a **beam**: all words at once, and of each the `width` best beginnings are kept. With width 1 it is *greedy*. It asks `step` for what may come next, so the network
# below can use it, too. Number 0 is begin and end.


# %%
def beam(step, letters, width):
    """The best sequence for each row of letters, int (words, places)."""
    n, rows = len(letters), np.arange(len(letters))[:, None]
    history, score, over = np.zeros((n, 1, 1), int), np.zeros((n, 1)), np.zeros((n, 1), bool)
    while not over[:, 0].all() and history.shape[2] < 45:
        options, log_p = step(history, letters)
        log_p[over] = np.where(np.arange(options.shape[2]) == 0, 0, -np.inf)
        total = (score[..., None] + log_p).reshape(n, -1)
        best = np.argsort(-total, axis=1)[:, :width]
        score, token = total[rows, best], options.reshape(n, -1)[rows, best]
        kept = history[rows, best // options.shape[2]]
        history, over = np.concatenate([kept, token[..., None]], axis=2), token == 0
    return history[:, 0, 1:]


def sounds_of(chunks):
    return [
        tuple(alphabet[k - 1] for c in row for k in divmod(int(c), 40) if k) for row in chunks
    ]


def say_joint(words, units, n, width=8):
    step, names = joint(units, n)
    return sounds_of(names[beam(step, spelling.letters(words), width)] % 1600)


# %% [markdown]
# **Predict first.** With $n = 1$ each letter gets its most frequent chunk, whatever stands around it. How many of 100 words are then right? And with $n = 8$?

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
orders = {}
for n in (1, 2, 4, 6, 8):
    said = say_joint(trying, units, n)
    orders[n] = np.mean([s not in listed[w] for s, w in zip(said, trying, strict=True)])
curve = pd.DataFrame({"n": orders.keys(), "word error": orders.values()})
alt = "The word error falls from almost one for single letters to about 0.3 at n = 6, and stays there"
figures.lines(curve, "n", "word error", alt=alt)

# %% [markdown]
# <details><summary>What came</summary>
#
# Two or three, and about seventy. From $n = 6$ on nothing is gained.
#
# </details>
#
# English spelling is no code of letters; it is one of neighbourhoods.

# %%
assert (
    orders[1] > 0.9 and orders[4] < orders[2] < orders[1] and abs(orders[8] - orders[6]) < 0.02
)
rows = {("letter by letter", len(known)): errors(say_joint(judged, units, 1))}
rows["joint 8-gram", len(known)] = by_joint = errors(said_joint := say_joint(judged, units, 8))
spent = {"joint 8-gram": time.process_time() - began}

# %% [markdown]
# ### The model: a small transformer
#
# The encoder reads the letters. The decoder writes sound by sound; it looks at the sounds so far and, by **cross-attention**, at the letters (chapter 01 has the attention). Nobody
# tells it which letter makes which sound. Places first, as attention alone knows no order:


# %%
d, depth, epochs, lessons = (128, 2, 14, known) if course.full else (64, 1, 2, known[:15_000])
layers, ops = keras.layers, keras.ops
keras.utils.set_random_seed(seed)


class Places(layers.Layer):
    """Embeds tokens and adds the waves of their places."""

    def __init__(self, tokens):
        super().__init__()
        angle = np.arange(64)[:, None] / 10_000 ** (np.arange(0, d, 2) / d)
        self.waves = np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype("float32")
        self.embed = layers.Embedding(tokens, d, embeddings_initializer="random_normal")

    def call(self, tokens):
        return (
            self.embed(tokens) * d**0.5
            + ops.convert_to_tensor(self.waves)[: ops.shape(tokens)[1]]
        )


# %% [markdown]
# A block, pre-normed; with a memory it looks there, too, and also returns where:


# %%
def block(z, mask=None, causal=False, memory=None, memory_mask=None):
    """Attention to itself, to a memory if there is one, and a dense part; also returns where it looked."""
    looks = None
    a = layers.LayerNormalization()(z)
    a = layers.MultiHeadAttention(4, d // 4)(a, a, attention_mask=mask, use_causal_mask=causal)
    z = z + layers.Dropout(0.1 if course.full else 0)(a)
    if memory is not None:
        cross, a = layers.MultiHeadAttention(4, d // 4), layers.LayerNormalization()(z)
        a, looks = cross(a, memory, attention_mask=memory_mask, return_attention_scores=True)
        z = z + a
    a = layers.Dense(4 * d, activation="relu")(layers.LayerNormalization()(z))
    return z + layers.Dropout(0.1 if course.full else 0)(layers.Dense(d)(a)), looks


# %% [markdown]
# Encoder, decoder, and both together for training:

# %%
letters_in, sounds_in = (keras.Input((None,), dtype="int32") for _ in range(2))
memory_in = keras.Input((None, d))
real = ops.expand_dims(letters_in > 0, 1)
z = Places(27)(letters_in)
for _ in range(depth):
    z, _ = block(z, real)
encoder = keras.Model(letters_in, layers.LayerNormalization()(z))
z, looks = block(Places(40)(sounds_in), causal=True, memory=memory_in, memory_mask=real)
logits = layers.Dense(40)(layers.LayerNormalization()(z))
decoder = keras.Model([sounds_in, memory_in, letters_in], [logits, looks])
translator = keras.Model(
    [letters_in, sounds_in], decoder([sounds_in, encoder(letters_in), letters_in])[0]
)

# %% [markdown]
# It learns to name the next sound when the right ones so far are given. In `quick` it gets 15,000 words and two passes, in `full` all words and fourteen.

# %% tags=["nbval-ignore-output"]
from course_utils.recipes.pairs import batches

began = time.process_time()
learn = spelling.pairs(lessons, listed, alphabet, width=22)
lesson = batches(*learn, 128 if course.full else 64, seed=seed)
peak, steps = 1.5e-3 if course.full else 4e-3, epochs * len(lesson)
rate = keras.optimizers.schedules.CosineDecay(
    0.0, steps, warmup_target=peak, warmup_steps=steps // 8
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
translator.compile(
    keras.optimizers.Adam(rate, beta_2=0.98, clipnorm=1.0), loss, jit_compile=False
)
log = translator.fit(lesson, epochs=epochs, shuffle=False, verbose=0)
spent["transformer"] = time.process_time() - began
print(f"{translator.count_params():,} parameters, {spent['transformer']:.0f} processor seconds")

# %% [markdown]
# Does the search matter? Greedy takes the likeliest sound each time; a beam of four can take back a wrong beginning. The same words are said both ways, so compare them in pairs:
# with $d_i$ = 1, 0 or −1 for each word, the interval is $\bar d \pm 1.96\, s_d / \sqrt n$.


# %% tags=["nbval-ignore-output", "compare-within=0.05"]
def say_network(words, width):
    letters = spelling.letters(words).astype("int32")
    memory = np.asarray(encoder(letters))

    def step(history, letters):
        n, width, places = history.shape
        each = [np.repeat(part, width, axis=0) for part in (memory, letters)]
        so_far = history.reshape(n * width, places).astype("int32")
        now, _ = decoder([ops.convert_to_tensor(part) for part in (so_far, *each)])
        log_p = np.array(ops.log_softmax(now[:, -1])).reshape(n, width, 40)
        return np.broadcast_to(np.arange(40), log_p.shape), log_p

    return sounds_of(beam(step, letters, width))


name = ("transformer, greedy", len(lessons))
rows[name] = greedy = errors(say_network(judged, 1))
rows["transformer, beam of 4", len(lessons)] = by_network = errors(say_network(judged, 4))
gain = (greedy[2] > 0).astype(float) - (by_network[2] > 0)
half = 1.96 * gain.std() / len(gain) ** 0.5
print(f"the beam says {gain.mean():.3f} ± {half:.3f} more of the words right")

# %% [markdown]
# The beam buys a point or two of a hundred, for four times as many beginnings to extend. Now the fair comparison: the counted model gets *the network's* words, too.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
same = 1600 * learn[0] + align(*learn, log_p)
rows["joint 8-gram", len(lessons)] = by_same = errors(say_joint(judged, same, 8))
table = pd.DataFrame(
    {key: row[:2] for key, row in rows.items()}, index=["word error", "phoneme error"]
).T
print({name: round(seconds) for name, seconds in spent.items()}, "processor seconds")
table.rename_axis(["model", "training words"]).map(
    "{0.value:.3f} ({0.low:.3f} to {0.high:.3f})".format
)

# %% [markdown]
# In `quick` counting wins by far on the same words, and with all words, which it counts in seconds, by farther. It was told that letters make sounds in order, which the network has to find out (whether that is
# the reason is not tested here). Given all words and some twenty minutes of a processor it draws level: in a run of `full`'s sizes on 2,000 validation words it had a word error of 0.304, greedy 0.311, and the 8-gram 0.295. That gap is within
# what 2,000 words leave open.
#
# These are hard words. On an older edition and split of the dictionary 24.4 % is reported for a counted model and 20.2 % for a transformer, on the present one 33.9 % and about 31 % (Sources; other
# splits, so no ranking with yours).

# %%
assert by_joint[0].value < 0.35 and by_joint[1].value < 0.12
assert course.full or by_same[0].high < by_network[0].low
assert by_network[0].value < (0.35 if course.full else 0.75)

# %% [markdown]
# ### Look at the errors
#
# A wrong word is not always a useless one. And a random split is kind: "smiths" may be judged while "smith" was learnt. How is it with words that have *no* such relative, which share no beginning
# with a training word but for their last three letters?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
wrong, stems = by_joint[2] > 0, set(known)
kin = np.array([any(w[:-k] in stems for k in (1, 2, 3) if len(w) > k + 2) for w in judged])
for label, part in {"with a relative": kin, "without": ~kin}.items():
    print(f"{label}: word error {evaluate.share(int(wrong[part].sum()), int(part.sum()))}")
print(f"of the wrong words {(by_joint[2][wrong] == 1).mean():.2f} are one sound off")
picked = np.flatnonzero(wrong)[:8]
said_wrong = [
    (judged[i], " ".join(said_joint[i]), " ".join(listed[judged[i]][0])) for i in picked
]
pd.DataFrame(said_wrong, columns=["word", "said", "first listed"])

# %% [markdown]
# More than half of the wrong words are one sound off, in the list above mostly a vowel; many listeners would not mind. Words without a relative fare worse, by some eight points in this run: for names, their figure is the safer guess. But the dictionary is of English as spoken in America: it says nothing about how *your*
# customers say their names.

# %%
assert (by_joint[2][wrong] == 1).mean() > 0.4

# %% [markdown] road="side"
# ### Where the decoder looks
#
# The cross-attention of one word, drawn, and held against the alignment that was counted.

# %% [markdown]
# While the decoder writes the sounds of a word, its attention says which letters it draws on. The mean of the four heads:


# %% tags=["nbval-ignore-output"]
def attention(letters, sounds):
    """Int (words, places) -> how much each sound looks at each letter, (words, sounds, letters)."""
    so_far = np.pad(sounds[:, :-1], ((0, 0), (1, 0)))
    so_far, letters = (
        ops.convert_to_tensor(part.astype("int32")) for part in (so_far, letters)
    )
    return np.array(decoder([so_far, encoder(letters), letters])[1]).mean(axis=1)


word = next(w for w in trying if "sh" in w and 8 <= len(w) <= 10 and len(listed[w][0]) > 5)
read, way = spelling.pairs([word], {word: listed[word][:1]}, alphabet, width=22)
drawn = attention(read, way)[0, : len(listed[word][0]), : len(word)]
labels = {
    "x": [f"{k} {a}" for k, a in enumerate(word, 1)],
    "y": [f"{k} {s}" for k, s in enumerate(listed[word][0], 1)],
}
picture = px.imshow(drawn, **labels, color_continuous_scale="Blues", aspect="auto")
alt = f"The sounds of {word} against its letters: the dark cells run from the upper left to the lower right"
picture.update_layout(width=620, height=380, meta={"alt": alt})
picture.update_xaxes(title="letter").update_yaxes(title="sound")

# %% [markdown]
# The dark cells go from the upper left to the lower right, though nobody told it the order. Is that so for other words? Take the letter that gets most attention, and the one that the counted alignment gives
# the sound to, over the validation words:

# %% tags=["nbval-ignore-output"]
read, way = spelling.pairs(trying, listed, alphabet, width=22)
looked = attention(read, way)
chunk = align(read, way, log_p)
made = (chunk > 0).astype(int) + (chunk >= 40)
share_near = []
for k in range(len(read)):
    owner = np.repeat(np.arange(22), made[k])
    share_near.append(np.abs(looked[k, : len(owner)].argmax(1) - owner) <= 1)
print(
    f"{np.concatenate(share_near).mean():.2f} of the sounds look most at their letter or a neighbour"
)

# %% [markdown]
# So attention is no proof of an alignment, but where it looks is what counting found, in most places.

# %% [markdown]
# ### Should a small team use a large model here?

# %% tags=["nbval-ignore-output"]
better = "counting" if by_joint[0].high < by_network[0].low else "neither, as far as is shown"
print(
    f"ahead: {better}; list first, then counting: wrong on {by_joint[0].value:.0%} of unseen words,"
)
print(
    f"after {spent['joint 8-gram']:.0f} processor seconds; network {by_network[0].value:.0%} after {spent['transformer']:.0f}"
)

# %% [markdown]
# No. The list answers for what is in it, and for the rest a counted model that learns in seconds says about seven of ten words right; a network needed some twenty minutes to draw level. Let people hear and mend the
# hundred names that matter most to you. A large language model was not tried here: if you do, judge it on words that it cannot have read.

# %%
del x, y, units, learn, lesson, same
keras.utils.clear_session()

# ===== LANGUAGE end

# ===== VISION begin
# ===== VISION end

# ===== SPEECH begin
# ===== SPEECH end

# ===== FINANCE begin
# ===== FINANCE end

# ===== MEDICINE begin
# ===== MEDICINE end

# %% [markdown]
# ## Exercises
#
# Each is checked at once.

# ===== EXERCISE RECOMMENDATION begin
# ===== EXERCISE RECOMMENDATION end

# ===== EXERCISE LANGUAGE begin

# %% [markdown]
# ### Exercise 14-2 · Ship the network?
# *decide · 8 minutes*
#
# Two models have said the same words: `simple` and `network` are lists of pronunciations, `listed` holds for each word the list of those that are right, any of them. The network costs more, so it ships only
# if it is *shown* to be better: with $d_i$ = 1 where it alone is right, −1 where `simple` alone is right, else 0, the whole interval $\bar d \pm 1.96\, s_d/\sqrt n$ must lie above 0.
# Return `"network"` or `"simple"`.


# %% exercise="14-2"
def ship(simple, network, listed):
    """Two lists of pronunciations, a list of lists of pronunciations -> "network" or "simple"."""
    ### BEGIN SOLUTION
    right = [
        [said in ways for said, ways in zip(of, listed, strict=True)]
        for of in (simple, network)
    ]
    d = np.array(right[1], float) - np.array(right[0], float)
    return "network" if d.mean() - 1.96 * d.std() / np.sqrt(len(d)) > 0 else "simple"
    ### END SOLUTION


check("14-2", ship)

# ===== EXERCISE LANGUAGE end

# ===== EXERCISE VISION begin
# ===== EXERCISE VISION end

# ===== EXERCISE FINANCE begin
# ===== EXERCISE FINANCE end

# %% [markdown]
# ## Recap
#
# * **Recommendation**: (one bullet, by its helper)
# * **Language**: on words that nobody had listed, counting letters with their sounds is right in about seven of ten after seconds; a small transformer needs all words and twenty minutes to draw level.
# * **A new field**: its baseline first, its own metric, a split that looks like the future.
# * **A large model?** (one bullet, at the end)

# %% [markdown]
# ## Limits and next
#
# (to come)
#
# **Sources.** (each helper adds its own) M. Bisani, H. Ney, "Joint-sequence models for grapheme-to-phoneme conversion", *Speech Communication* 50 (2008) · K. Rao and others, "Grapheme-to-phoneme conversion using long
# short-term memory recurrent neural networks", *ICASSP* (2015): LSTM with CTC 25.8 % word error, with a joint n-gram 21.3 %, on the older CMUdict · CMUSphinx, "Sequence-to-Sequence G2P toolkit"
# (software, 2018): the 24.4 and 20.2 %, 33.9 and about 31 % of section 2, without stress.
