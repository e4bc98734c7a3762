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
# ===== LANGUAGE end

# ===== VISION begin
# ===== VISION end

# ===== SPEECH begin

# %% [markdown] road="side" needs="spoken_digits"
# ## 4 · Speech
#
# A small team has no thousand speakers, but it can *make* voices. You train a digit recogniser on synthetic voices, meet three real speakers, and measure what
# augmentation and a few real words repair.
#
# The set: 28 single words, one take each, by Allison Smith (a telephone exchange), David Dawson (a talking clock) and an unnamed speaker (a chess program).

# %%
from course_utils.recipes import spoken_digits as synthesiser

spoken = data.load("spoken_digits", progress=False)
speakers = list(dict.fromkeys(spoken.speakers))
pd.Series(spoken.speakers).value_counts(sort=False)

# %% [markdown]
# ### Voices from a table
#
# A voice is a buzz that passes a throat. The throat has resonances, *formants*, at $F_k$ with width $B_k$; at frequency $f$ they amplify by
#
# $$ H(f) = \prod_k \left| 1 - (f/F_k)^2 + i\, f B_k / F_k^2 \right|^{-1}. $$
#
# *Two* and *three* differ in little but where the formants stand. The synthesiser (`course_utils/recipes/spoken_digits.py`) has a table of 26 sounds and
# glides from one to the next. `plain` voices differ in size, pitch and tempo.

# %%
plain = synthesiser.Kind()
plain_sounds, plain_labels = synthesiser.voices(plain, 60, np.random.default_rng(seed))
held_sounds, held_labels = synthesiser.voices(plain, 15, np.random.default_rng(seed + 1))
len(plain_sounds), round(sum(map(len, plain_sounds)) / spoken.rate)

# %% [markdown]
# Listen to a *seven*, the machine's and Allison's:

# %% tags=["nbval-ignore-output"]
from IPython.display import Audio, display

for sound in (plain_sounds[7], spoken.sounds[7]):
    display(Audio(np.int16(32000 * sound / np.abs(sound).max()), rate=spoken.rate, normalize=False))

# %% [markdown]
# ### Log-mel features by hand
#
# Cut the sound into frames of 32 ms, take each one's power spectrum, and add it up in bands as wide as the ear's: equal steps of
# $m(f) = 1127 \ln(1 + f/700)$. Band $j$ is a triangle between the edges $m_{j}$ and $m_{j+2}$; the logarithm makes loudness additive.

# %%
FRAME, STEP, BANDS = 256, 80, 32


def mel(f):
    return 1127 * np.log(1 + f / 700)


m = mel(np.fft.rfftfreq(FRAME, 1 / spoken.rate))[:, None]
edges = np.linspace(mel(100), mel(3800), BANDS + 2)
rises, falls = (m - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - m) / np.diff(edges)[1:]
triangles = np.maximum(0, np.minimum(rises, falls))

# %% [markdown]
# Keras has a layer for the whole of it. Asked for the power of one word, it must agree:


# %%
def mel_power(x):
    frames = np.lib.stride_tricks.sliding_window_view(x, FRAME)[::STEP]
    hann = np.hanning(FRAME + 1)[:-1]
    return np.abs(np.fft.rfft(frames * hann)) ** 2 @ triangles


layer = keras.layers.MelSpectrogram(
    fft_length=FRAME, sequence_stride=STEP, sampling_rate=spoken.rate, num_mel_bins=BANDS,
    min_freq=100, max_freq=3800, power_to_db=False,
)  # fmt: skip
word = spoken.sounds[3]
keras_says = keras.ops.convert_to_numpy(layer(np.pad(word, FRAME // 2)[None])).squeeze().T
ours = mel_power(np.pad(np.pad(word, FRAME // 2), FRAME // 2, mode="reflect"))

# %%
assert ours.shape == keras_says.shape and np.allclose(ours, keras_says, rtol=1e-2, atol=1e-3 * ours.max())

# %% [markdown]
# A word gets 48 frames, however slowly it is said: silence at the ends off, the rest stretched.


# %%
def features(sounds):
    def one(x):
        loud = np.flatnonzero(np.convolve(x**2, np.ones(80), "same") > 1e-3 * np.convolve(x**2, np.ones(80), "same").max())
        power = mel_power(np.pad(x[loud[0] : loud[-1]], FRAME))
        log = np.log10(power / power.max() + 1e-5)
        at = np.linspace(0, len(log) - 1.001, 48)
        low, share = at.astype(int), (at % 1)[:, None]
        return log[low] * (1 - share) + log[low + 1] * share

    return np.stack([one(x) for x in sounds])[..., None].astype("float32")


# %% [markdown]
# ### Clean voices, real voices
#
# A small CNN as in chapter 07. How much of what it learns from clean synthetic voices is left on real ones?


# %% tags=["nbval-ignore-output"]
def listener(sounds, labels, epochs=12):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Input((48, BANDS, 1))]
    for filters in (16, 32, 32):
        layers.append(keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
    layers += [keras.layers.Flatten(), keras.layers.Dropout(0.3), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(features(sounds), labels, epochs=epochs, verbose=0)
    return model


def hear(model, sounds):
    return model.predict(features(sounds), verbose=0).argmax(1)


clean = listener(plain_sounds, plain_labels)
held_clean = evaluate.accuracy(held_labels, hear(clean, held_sounds))
held_clean

# %% [markdown]
# ### Augmentation, chosen without the test
#
# Three recipes: *size*: children to giants, formants astray. *Room*: echo, band limits, noise. *All* adds accents. The three speakers must not choose. The judge
# is synthetic, and of a kind that no recipe holds: **whispers** by smaller and larger throats than any.

# %% tags=["nbval-ignore-output"]
wide = {"size": (0.85, 1.25), "pitch": (80, 260), "wobble": 0.1}
recipes = {
    "size": synthesiser.Kind(**wide),
    "room": synthesiser.Kind(room=True),
    "all": synthesiser.Kind(**wide, accents=True, room=True),
}
judge = [synthesiser.Kind(size=size, whisper=True) for size in ((0.78, 0.85), (1.25, 1.35))]
whispers = [synthesiser.voices(kind, 10, np.random.default_rng(9)) for kind in judge]
whispered, whispered_labels = whispers[0][0] + whispers[1][0], np.concatenate([w[1] for w in whispers])
trained = {"clean": clean}
for name, kind in recipes.items():
    trained[name] = listener(*synthesiser.voices(kind, 60, np.random.default_rng(seed)))
judged = pd.Series({name: (hear(model, whispered) == whispered_labels).mean() for name, model in trained.items()})
chosen = judged.drop("clean").idxmax()
judged.round(2)

# %% [markdown]
# ### A few real words
#
# A third way: let the augmented network hear the *other two* speakers' words, twelve changed copies of each among the synthetic ones, and test it on the third.

# %% tags=["nbval-ignore-output"]
heard = {name: hear(trained[name], spoken.sounds) for name in ("clean", chosen)}
mixed, mixed_labels = synthesiser.voices(recipes[chosen], 25, np.random.default_rng(seed + 2))
start, heard["+ real"] = trained[chosen].get_weights(), np.zeros(len(spoken.labels), int)
for speaker in speakers:
    others, rng = np.flatnonzero(spoken.speakers != speaker), np.random.default_rng(seed)
    copies = [synthesiser.room(synthesiser.speed(spoken.sounds[i], rng), rng) for i in others for _ in range(12)]
    trained[chosen].set_weights(start)
    x, y = features(copies + mixed), np.r_[np.repeat(spoken.labels[others], 12), mixed_labels]
    trained[chosen].fit(x, y, epochs=4, verbose=0)
    its = spoken.speakers == speaker
    heard["+ real"][its] = hear(trained[chosen], [spoken.sounds[i] for i in np.flatnonzero(its)])

# %% [markdown]
# Now the test, by speaker, with 95 % intervals over the words:

# %% tags=["nbval-ignore-output"]
its = {speaker: spoken.speakers == speaker for speaker in speakers} | {"together": spoken.labels >= 0}
rows = {who: {how: evaluate.accuracy(spoken.labels[w], h[w]) for how, h in heard.items()} for who, w in its.items()}
pd.DataFrame(rows).T.map(lambda e: f"{e.value:.2f} ({e.low:.2f}–{e.high:.2f})")

# %% tags=["nbval-ignore-output"]
gap = {who: held_clean.value - row["clean"].value for who, row in rows.items()}
closed = pd.DataFrame(
    {how: {who: (rows[who][how].value - rows[who]["clean"].value) / gap[who] for who in rows} for how in (chosen, "+ real")}
)
closed.round(2)

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
# ===== EXERCISE LANGUAGE end

# ===== EXERCISE VISION begin
# ===== EXERCISE VISION end

# ===== EXERCISE FINANCE begin
# ===== EXERCISE FINANCE end

# %% [markdown]
# ## Recap
#
# * **Recommendation**: (one bullet, by its helper)
# * **Language**: (one bullet, by its helper)
# * **A new field**: its baseline first, its own metric, a split that looks like the future.
# * **A large model?** (one bullet, at the end)

# %% [markdown]
# ## Limits and next
#
# (to come)
#
# **Sources.** (each helper adds its own)
