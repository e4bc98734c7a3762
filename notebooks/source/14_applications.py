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
# %% [markdown] road="side"
# ## 3 · Vision
#
# Read all the numbers on a photographed form: *where* is a digit, and *which*? The articles name three tasks of vision: classification of images (chapters 04 and
# 07), their generation (06), and **detection**, which is built here.

# %% [markdown]
# Somebody photographs a form, and the numbers on it shall go into a table. A classifier gives one answer for a picture. Here the answer is a list, and you do not know
# how long.
#
# ### The pictures
#
# The digits are real (scikit-learn's, chapter 03), the forms are made: two numbers on ruled lines, in uneven light, with noise. Digits may touch each other or the
# line. Because you lay them there, you know each **box**: top, left, bottom, right.

# %%
from keras import layers, ops
from scipy import ndimage

SIDE, CELL = 48, 4


def glyph(image):
    """A digit without its margin, from 0 to 1."""
    ink = image / 255
    return ink[ndimage.find_objects((ink > 0.2).astype(int))[0]]


# %% [markdown]
# One form. A gap below zero lets two digits run into each other:


# %%
def form(glyphs, rng):
    """Glyphs -> a picture, and a row (top, left, bottom, right, its line) for each."""
    picture, rows = np.zeros((SIDE, SIDE)), []
    for below, number in enumerate(np.array_split(np.arange(len(glyphs)), 2)):
        sizes = rng.uniform(0.55, 0.75) * rng.uniform(0.9, 1.1, len(number))
        drawn = [
            ndimage.zoom(glyphs[i], s, order=1) for i, s in zip(number, sizes, strict=True)
        ]
        line, gaps = 20 + 24 * below + rng.integers(-2, 3), rng.integers(-2, 5, len(drawn))
        picture[line, 2:-2] = rng.uniform(0.3, 0.7)
        left = rng.integers(max(1, SIDE - sum(d.shape[1] for d in drawn) - gaps.sum()))
        for d, gap in zip(drawn, gaps, strict=True):
            height, width = d.shape
            left = min(left, SIDE - width)
            top = max(0, line + rng.integers(-2, 3) - height)
            spot = picture[top : top + height, left : left + width]
            np.maximum(spot, d, out=spot)
            rows.append((top, left, top + height, left + width, line))
            left += width + gap
    light = rng.uniform(0, 0.4) * np.linspace(0, 1, SIDE)[:: rng.choice([-1, 1]), None]
    return rng.uniform(0.6, 1) * picture + light + rng.normal(0, 0.08, picture.shape), rows


# %% [markdown]
# The split is by hands: eight sheets are for training, three for validation, three for the test. Of the last two parts each digit stands in exactly one form; for
# training they are drawn again and again.


# %%
def forms_of(part, rng, n=None):
    """Forms of two to six digits: pictures, boxes of each, digits of each."""
    order = rng.permutation(len(part)) if n is None else rng.integers(len(part), size=6 * n)
    cuts = np.cumsum(rng.integers(2, 7, len(order)))
    chosen = [c for c in np.split(order, cuts[cuts < len(order)])[:n] if len(c) > 1]
    made = [form([glyph(part.images[i]) for i in c], rng) for c in chosen]
    pictures = np.array([picture for picture, _ in made], "float32")[..., None]
    return pictures, [np.array(rows) for _, rows in made], [part.labels[c] for c in chosen]


sheets, many = data.load("digits"), course.choose(quick=1_600, full=8_000)
drawn_forms = forms_of(sheets.train, np.random.default_rng(seed), many)
held_out = forms_of(sheets.validation, np.random.default_rng(seed + 1))
final_forms = forms_of(sheets.test, np.random.default_rng(seed + 2))
print(
    [(len(forms[0]), sum(map(len, forms[1]))) for forms in (drawn_forms, held_out, final_forms)]
)

# %%
figures.image_grid(
    np.clip(held_out[0][:8, ..., 0], 0, 1.4),
    [" ".join(map(str, found)) for found in held_out[2][:8]],
    columns=4,
    cell=150,
    alt="Eight noisy forms with two ruled lines each; digits stand on the lines, some touch",
)

# %% [markdown]
# You read them at a glance; in some, digits and line are one piece of ink.
#
# ### What counts as found
#
# A found box $a$ is held against a true one, $b$, by their **intersection over union**:
#
# $$ \text{IoU}(a, b) = \frac{|a \cap b|}{|a| + |b| - |a \cap b|}. $$


# %%
def iou(a, b):
    """Boxes (n, 4) and (m, 4) -> (n, m)"""
    a, b = a[:, None], b[None]
    sides = np.minimum(a[..., 2:4], b[..., 2:4]) - np.maximum(a[..., :2], b[..., :2])
    both = np.clip(sides, 0, None).prod(axis=2)
    area_a, area_b = ((box[..., 2:4] - box[..., :2]).prod(axis=2) for box in (a, b))
    return both / (area_a + area_b - both)


# %% [markdown]
# Counting pixels gives the same:

# %%
some = held_out[1][0]
masks = np.zeros((2, len(some), SIDE, SIDE), bool)
for i, (top, left, bottom, right, _) in enumerate(some):
    masks[0, i, top:bottom, left:right] = masks[1, i, top + 1 : bottom + 1, left:right] = True
moved = some + [1, 0, 1, 0, 0]
inside = moved[:, 2] <= SIDE
counted = [[(m & w).sum() / (m | w).sum() for w in masks[1]] for m in masks[0]]
assert np.allclose(iou(some, moved)[:, inside], np.array(counted)[:, inside])

# %% [markdown]
# A box is a *hit* if its digit is right and its IoU with a true box is at least 0.5. Each true box can be hit once: a second box on the same digit is a false alarm. The
# surest choose first.


# %%
def judged(found, boxes, labels):
    """Found (boxes, digits, scores) of each picture -> rows: picture, digit, score, hit."""
    rows = []
    for i, (box, digit, score) in enumerate(found):
        free = np.ones(len(labels[i]), bool)
        for j in np.argsort(-score, kind="stable"):
            fit = iou(box[j : j + 1], boxes[i])[0] * free * (labels[i] == digit[j])
            hit = fit.max() >= 0.5
            if hit:
                free[fit.argmax()] = False
            rows.append((i, digit[j], score[j], hit))
    return np.array(rows, float)


# %% [markdown]
# How sure must a detector be, for its box to count? Every threshold trades alarms for misses. **Average precision** (AP) looks at all of them. Rank the boxes by score;
# of the first $j$, a share is hits, the precision. Each of $n$ true boxes contributes the best precision at which it can be had, a missed one nothing:
#
# $$ \text{AP} = \frac1n \sum_{k \text{ is a hit}} \; \max_{j \ge k} \; \frac{\text{hits among the first } j}{j}. $$


# %%
def ap(score, hit, n, smooth=True):
    hit = hit[np.argsort(-score, kind="stable")]
    precision = hit.cumsum() / np.arange(1, len(hit) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1] if smooth else precision
    return (best * hit).sum() / n


# %% [markdown]
# scikit-learn's `average_precision_score` takes no maximum and knows nothing of the missed boxes. So *without* the maximum it is the same, times the share that
# was hit. For the maximum there is a reference by brute force: for each number of hits, the best precision of all thresholds that reach it.

# %%
from sklearn.metrics import average_precision_score

rng = np.random.default_rng(seed)
for n in range(10, 60):
    s, h = rng.permutation(40) / 40, rng.random(40) < 0.2
    by_sklearn = average_precision_score(h, s) * h.sum() / n
    tried = [(h[s >= t].sum(), h[s >= t].mean()) for t in s]
    brute = sum(max(p for m, p in tried if m >= need) for need in range(1, h.sum() + 1)) / n
    assert np.isclose(ap(s, h, n, smooth=False), by_sklearn) and np.isclose(ap(s, h, n), brute)

# %% [markdown]
# The headline, **AP@0.5**, is the mean over the ten digits. Its interval draws the pictures anew (`times`: how often each is drawn).


# %%
def mean_ap(rows, labels, times=None):
    times = np.ones(len(labels), int) if times is None else times
    present = times @ np.array([np.bincount(of, minlength=10) for of in labels])
    rows = np.repeat(rows, times[rows[:, 0].astype(int)], axis=0)
    each = [rows[rows[:, 1] == k] for k in range(10)]
    return np.mean([ap(r[:, 2], r[:, 3], n) for r, n in zip(each, present, strict=True)])


# %% [markdown]
# ### Baseline: ink in one piece
#
# Ink is darker than a threshold; pixels that touch are one piece; each piece is cut out, brought to 16×16 and read by a support vector machine that has learnt the true
# boxes of 300 training forms. There is no network in it.

# %%
from sklearn.svm import SVC


def cut(picture, box):
    top, left, bottom, right = box[:4]
    spot = picture[top:bottom, left:right, 0]
    return ndimage.zoom(spot, (16 / spot.shape[0], 16 / spot.shape[1]), order=1).ravel()


cuts = [cut(p, b) for p, boxes in zip(*drawn_forms[:2], strict=True) for b in boxes][:1_200]
by_shape = SVC(C=10).fit(cuts, np.concatenate(drawn_forms[2])[:1_200])


def pieces(picture, darker):
    ink = ndimage.find_objects(ndimage.label(picture[..., 0] > darker)[0])
    box = np.array([(y.start, x.start, y.stop, x.stop) for y, x in ink])
    box = box[((box[:, 2:] - box[:, :2]) >= [6, 2]).all(axis=1)]
    sure = (
        by_shape.decision_function([cut(picture, b) for b in box])
        if len(box)
        else np.zeros((0, 10))
    )
    return box, sure.argmax(axis=1), sure.max(axis=1, initial=-1)


# %% [markdown]
# The threshold is chosen on the validation forms:

# %%
tried = {
    t: mean_ap(judged([pieces(p, t) for p in held_out[0]], *held_out[1:]), held_out[2])
    for t in (0.3, 0.4, 0.5, 0.6)
}
darker = max(tried, key=tried.get)
pd.Series(tried, name="AP@0.5, validation").rename_axis("threshold").to_frame()
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
