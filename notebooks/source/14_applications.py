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
# A classifier gives one answer for a picture. Here the answer is a list, and you do not know how long.
#
# ### The pictures
#
# The digits are real (scikit-learn's, chapter 03), the forms are made (`course_utils/data/forms.py`): two numbers on ruled lines, uneven light, noise. So each
# **box** is known: top, left, bottom, right. The split is by hands: eight sheets for training, three for validation, three for the test, where each digit stands on one form.

# %%
from course_utils.data import forms

sheets, many = data.load("digits"), course.choose(quick=2_000, full=8_000)
drawn_forms = forms.draw(sheets.train, np.random.default_rng(seed), many)
held_out = forms.draw(sheets.validation, np.random.default_rng(seed + 1))
final_forms = forms.draw(sheets.test, np.random.default_rng(seed + 2))
print(
    [(len(part), sum(map(len, part.labels))) for part in (drawn_forms, held_out, final_forms)]
)

# %% [markdown]
# The first forms of the validation part, with what is to be found:

# %%
figures.boxes(
    np.clip(held_out.pictures[:4, ..., 0], 0, 1.4),
    held_out.boxes[:4],
    held_out.labels[:4],
    alt="Four noisy forms with two ruled lines each; a frame around each digit, some frames touch",
)

# %% [markdown]
# Some frames touch each other, many the line.
#
# ### What counts as found
#
# A found box $a$ is held against a true one, $b$, by their **intersection over union**:
#
# $$ \text{IoU}(a, b) = \frac{|a \cap b|}{|a| + |b| - |a \cap b|}. $$


# %%
def iou(a, b):
    """Boxes (n, 4) and (m, 4) -> (n, m)"""
    a, b = np.asarray(a)[:, None], np.asarray(b)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.clip(sides, 0, None).prod(axis=2)
    area_a, area_b = ((box[..., 2:] - box[..., :2]).prod(axis=2) for box in (a, b))
    return both / (area_a + area_b - both)


# %% [markdown]
# By hand: a square of side 2, moved by one to the right, keeps 2 of 6 pixels; moved down, too, 1 of 7; moved by two, none.

# %%
moved = iou([[0, 0, 2, 2]], [[0, 1, 2, 3], [1, 1, 3, 3], [0, 2, 2, 4]])
assert np.allclose(moved, [2 / 6, 1 / 7, 0])

# %% [markdown]
# A box is a *hit* if its digit is right and its IoU with a true box is at least 0.5. The surest choose first, and each true box can be hit once: a second box on the
# same digit is a false alarm.


# %%
def judged(found, truth):
    """Found (boxes, digits, scores) of each picture -> rows: picture, digit, score, hit."""
    rows = []
    for i, (box, digit, score) in enumerate(found):
        free = np.ones(len(truth.labels[i]), bool)
        for j in np.argsort(-score, kind="stable"):
            fit = iou(box[[j]], truth.boxes[i])[0] * free * (truth.labels[i] == digit[j])
            hit = fit.max() >= 0.5
            free[fit.argmax()] &= not hit
            rows.append((i, digit[j], score[j], hit))
    return np.array(rows, float)


# %% [markdown]
# From which score on does a box count? Every threshold trades alarms for misses. **Average precision** (AP) looks at all of them. Rank the boxes by score; among the
# first $j$, the share of hits is the precision. Each of $n$ true boxes contributes the best precision at which it can be had, a missed one nothing:
#
# $$ \text{AP} = \frac1n \sum_{k \text{ is a hit}} \; \max_{j \ge k} \; \frac{\text{hits among the first } j}{j}. $$


# %%
def ap(score, hit, n, best=True):
    hit = hit[np.argsort(-score, kind="stable")]
    precision = hit.cumsum() / np.arange(1, len(hit) + 1)
    if best:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    return (precision * hit).sum() / n


# %% [markdown]
# scikit-learn's `average_precision_score` takes no maximum and does not know the missed boxes. So *without* the maximum, and without ties, its value times the share that was
# hit is this AP. For the maximum the reference is brute force: for each number of hits, the best precision of all thresholds that reach it.

# %%
from sklearn.metrics import average_precision_score

rng = np.random.default_rng(seed)
for n in range(20, 60):
    s, h = rng.permutation(40) / 40, rng.permutation(40) < n // 3
    by_sklearn = average_precision_score(h, s) * h.sum() / n
    tried = [(h[s >= t].sum(), h[s >= t].mean()) for t in s]
    brute = sum(max(p for m, p in tried if m >= need) for need in range(1, h.sum() + 1)) / n
    assert np.isclose(ap(s, h, n, best=False), by_sklearn) and np.isclose(ap(s, h, n), brute)

# %% [markdown]
# The headline, **AP@0.5**, is the mean over the ten digits. For its interval the pictures are drawn anew (`times`: how often each).


# %%
def mean_ap(rows, labels, times):
    present = times @ np.array([np.bincount(of, minlength=10) for of in labels])
    rows = np.repeat(rows, times[rows[:, 0].astype(int)], axis=0)
    each = [rows[rows[:, 1] == k] for k in range(10)]
    return np.mean([ap(r[:, 2], r[:, 3], n) for r, n in zip(each, present, strict=True)])


# %% [markdown]
# ### Baseline: ink in one piece
#
# Ink is darker than a threshold; pixels that touch are one piece; each piece is cut out, brought to 16×16 and read by a support vector machine that has learnt the boxes of
# 300 training forms. Its largest decision value is the score.

# %%
from scipy import ndimage
from sklearn.svm import SVC


def cut(picture, box):
    spot = picture[box[0] : box[2], box[1] : box[3], 0]
    return ndimage.zoom(spot, (16 / spot.shape[0], 16 / spot.shape[1]), order=1).ravel()


pairs = zip(drawn_forms.pictures[:300], drawn_forms.boxes[:300], strict=True)
crops = [cut(picture, box) for picture, boxes in pairs for box in boxes]
by_shape = SVC(C=10).fit(crops, np.concatenate(drawn_forms.labels[:300]))

# %% [markdown]
# Specks below 6×2 pixels are left out:


# %%
def pieces(picture, darker):
    ink = ndimage.find_objects(ndimage.label(picture[..., 0] > darker)[0])
    box = np.array([(y.start, x.start, y.stop, x.stop) for y, x in ink]).reshape(-1, 4)
    box = box[(box[:, 2:] - box[:, :2] >= [6, 2]).all(axis=1)]
    values = [by_shape.decision_function([cut(picture, b)])[0] for b in box]
    values = np.array(values).reshape(-1, 10)
    return box, values.argmax(axis=1), values.max(axis=1)


# %% [markdown]
# The threshold is chosen on the validation forms:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
by_threshold, once = {}, np.ones(len(held_out), int)
for darker in (0.3, 0.4, 0.5, 0.6):
    rows = judged([pieces(picture, darker) for picture in held_out.pictures], held_out)
    by_threshold[darker] = mean_ap(rows, held_out.labels, once)
darker = max(by_threshold, key=by_threshold.get)
print("AP@0.5 by threshold:", pd.Series(by_threshold).round(2).to_dict())

# %% [markdown]
# ### A detector
#
# The network is fully convolutional and answers for each cell of 4×4 pixels, as CenterNet does: for each digit, is its *centre* here ($p$, ten heat maps), and if so,
# where in the cell, how high and how wide (four numbers)? The targets $h$ are 1 at the cell of a centre and fall off around it, so that a neighbour is a small mistake.
# With $n$ digits in the batch,
#
# $$ \text{loss} = -\frac1n \sum \begin{cases} (1-p)^2 \log p & h = 1 \\ (1-h)^4\, p^2 \log(1-p) & \text{else} \end{cases}
# \;+\; \frac1n \sum_{\text{centres}} |\text{four numbers} - \text{true ones}|. $$
#
# The squares give little weight to cells that are easy, such as empty paper.


# %%
def targets(truth):
    """-> (n, 12, 12, 15): ten heat maps, four numbers, and 1 at a centre."""
    wanted = np.zeros((len(truth), 12, 12, 15), "float32")
    cells = np.moveaxis(np.mgrid[:12, :12], 0, -1) + 0.5
    for i, (boxes, labels) in enumerate(zip(truth.boxes, truth.labels, strict=True)):
        for box, k in zip(boxes, labels, strict=True):
            middle, size = (box[:2] + box[2:]) / 8, (box[2:] - box[:2]) / 4
            y, x = middle.astype(int)
            near = np.exp(-((cells - middle) ** 2).sum(axis=-1) / 0.72)
            wanted[i, :, :, k] = np.maximum(wanted[i, :, :, k], near)
            wanted[i, y, x, 10:] = [*(middle - (y, x)), *np.log(size), 1]
            wanted[i, y, x, k] = 1
    return wanted


# %% [markdown]
# The loss in the same symbols; from the logits `z` the logarithms stay finite:

# %%
from keras import layers, ops


def detection_loss(wanted, out):
    z, h, centre = out[..., :10], wanted[..., :10], wanted[..., 14:]
    p, log_p, log_not_p = ops.sigmoid(z), -ops.softplus(-z), -ops.softplus(z)
    elsewhere = (1 - h) ** 4 * p**2 * log_not_p
    which = -ops.sum(ops.where(h == 1, (1 - p) ** 2 * log_p, elsewhere))
    where = ops.sum(centre * ops.abs(out[..., 10:] - wanted[..., 10:14]))
    return (which + where) / ops.sum(centre)


# %% [markdown]
# Five convolutions and two heads:

# %%
x = given = keras.Input((None, None, 1))
for filters, stride in [(16, 2), (16, 1), (32, 2), (32, 1), (32, 1)]:
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(x))
rarely = keras.initializers.Constant(-3)  # at first, a centre is nowhere
heads = [layers.Conv2D(10, 1, bias_initializer=rarely)(x), layers.Conv2D(4, 1)(x)]
detector = keras.Model(given, layers.Concatenate(dtype="float32")(heads))
print(f"{detector.count_params():,} parameters")

# %% [markdown]
# Training:

# %% tags=["nbval-ignore-output"]
epochs = course.choose(quick=4, full=8)
rate, steps = keras.optimizers.schedules.CosineDecay, epochs * many // 16
rate = rate(2e-3, steps, warmup_target=2e-2, warmup_steps=steps // 5)
# On TensorFlow compiling does not pay for so few steps.
compiled = keras.backend.backend() == "jax"
detector.compile(keras.optimizers.Adam(rate), loss=detection_loss, jit_compile=compiled)
wanted = targets(drawn_forms)
learnt = detector.fit(drawn_forms.pictures, wanted, batch_size=16, epochs=epochs, verbose=0)
print("loss:", np.round(learnt.history["loss"], 2))

# %% [markdown]
# To *decode*, take each cell that no neighbour exceeds, with its surest digit:


# %%
def detected(pictures, least=0.02):
    out, found = detector.predict(pictures, verbose=0).astype("float64"), []
    p = 1 / (1 + np.exp(-out[..., :10]))
    best = p.max(axis=-1)
    peaks = (best == ndimage.maximum_filter(best, (1, 3, 3))) & (best >= least)
    for i, peak in enumerate(peaks):
        numbers = out[i][peak][:, 10:]
        middle, half = np.argwhere(peak) + numbers[:, :2], np.exp(numbers[:, 2:]) / 2
        box = 4 * np.concatenate([middle - half, middle + half], axis=1)
        found.append((box, p[i][peak].argmax(axis=1), best[i][peak]))
    return found


# %% [markdown]
# **Predict first.** By how much does the detector beat the pieces of ink, in AP@0.5 on the test forms?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
found = {
    "pieces of ink": [pieces(picture, darker) for picture in final_forms.pictures],
    "detector": detected(final_forms.pictures),
}
rows = {name: judged(one, final_forms) for name, one in found.items()}
n = len(final_forms)
draws = np.random.default_rng(seed).multinomial(n, np.ones(n) / n, 300)
draws = np.vstack([np.ones(n, int), draws])  # first the forms as they are
aps = {k: np.array([mean_ap(r, final_forms.labels, t) for t in draws]) for k, r in rows.items()}
aps["difference"] = aps["detector"] - aps["pieces of ink"]
shown = {k: [a[0], *np.quantile(a[1:], [0.025, 0.975])] for k, a in aps.items()}
pd.DataFrame(shown, index=["AP@0.5", "low", "high"]).T.round(3)

# %% [markdown]
# <details><summary>What came</summary>
#
# By more than 0.25, the interval far from zero. It speaks of more forms by these hands; three test sheets say little about a fourth.
#
# </details>

# %%
reached = {name: values[0] for name, values in aps.items()}
assert reached["detector"] > course.choose(quick=0.72, full=0.9)
assert (
    shown["difference"][0] > 0.25
    and shown["difference"][1] > 0.15
    and reached["pieces of ink"] < 0.6
)

# %% [markdown]
# ### Look at the errors
#
# The share of true boxes that get a box with the right digit; in the last column, with *any* digit:


# %% tags=["nbval-ignore-output", "compare-within=0.1"]
def fits(one, any_digit=False):
    """For each form: true boxes down, found ones across, whether they belong together."""
    rest = zip(final_forms.boxes, final_forms.labels, one, strict=True)
    return [(iou(b, f) >= 0.5) & (any_digit | (k[:, None] == d)) for b, k, (f, d, _) in rest]


digit, line = np.concatenate(final_forms.touching).T
touching = np.where(digit, "a digit", np.where(line, "only the line", "nothing"))
found_by = {name: fits(one) for name, one in found.items()}
found_by["detector, place"] = fits(found["detector"], any_digit=True)
errors = {name: np.concatenate([f.any(axis=1) for f in one]) for name, one in found_by.items()}
by_touch = pd.DataFrame(errors).groupby(pd.Series(touching, name="touching")).mean()
by_touch.assign(digits=pd.Series(touching).value_counts()).round(2)

# %% [markdown]
# Where a digit touches nothing, ink in one piece keeps up. Where it touches, the piece is more than the digit, and the baseline finds fewer than half. The detector finds nearly every
# place, but for digits that touch each other; what it lacks there and elsewhere is often *which*, not *where*.

# %%
assert by_touch.loc["nothing", "pieces of ink"] > 0.75
assert (by_touch.loc[["nothing", "only the line"], "detector, place"] > 0.93).all()
assert (by_touch.loc[["a digit", "only the line"], "pieces of ink"] < 0.5).all()
assert by_touch.loc["only the line", "detector"] > 0.75

# %% [markdown]
# In the end a *number* is wanted, whole. The score from which a box is shown is chosen by that, on the validation forms:

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
levels = {}
for least in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
    levels[least] = forms.read_whole(detected(held_out.pictures, least), held_out).mean()
least = max(levels, key=levels.get)
by_detector = detected(final_forms.pictures, least)
whole = forms.read_whole(by_detector, final_forms)
print(f"from {least} on, {whole.mean():.2f} of the test forms' numbers are read whole")

# %% [markdown]
# Four test forms with an error. A dotted frame has the wrong digit or place; a digit without a frame is missed:

# %% tags=["nbval-ignore-output"]
wrong = np.flatnonzero(whole < 1)[:4]
right = fits(by_detector)
figures.boxes(
    np.clip(final_forms.pictures[wrong, ..., 0], 0, 1.4),
    [by_detector[i][0] for i in wrong],
    [by_detector[i][1] for i in wrong],
    [right[i].any(axis=0) for i in wrong],
    alt="Four forms with the detector's frames; most fit, dotted ones are wrong, and some digits have no frame",
)

# %% [markdown]
# A dotted frame often sits well and has the wrong digit. (Where a detector lays several boxes on one thing, the surest is kept: **non-maximum suppression**. One peak a
# place has done it here.)

# %%
pairs = [np.triu(iou(box, box) > 0.5, 1).sum() for box, _, _ in by_detector]
assert sum(pairs) <= 5

# %% [markdown] needs="ppocr"
# ### A published reader
#
# PP-OCRv4 finds lines of text and reads them, in 15.6 MB. It was not trained on these forms; your detector has seen nothing else.

# %% [markdown]
# It is helped: forms are enlarged, of its 6,625 outputs only ten digits and the blank are let speak, and no score is asked for.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
from course_utils.recipes.ppocr import Reader

reader = Reader(scale=course.choose(quick=4, full=8))
assert reader.outputs == 6_625
by_reader = [reader(picture[..., 0]) for picture in final_forms.pictures]
published = forms.read_whole(by_reader, final_forms)
for name, each in {
    "PP-OCRv4": published,
    "detector": whole,
    "detector more": whole - published,
}.items():
    low, high = np.quantile(draws[1:] @ each / n, [0.025, 0.975])
    print(f"{name}: {each.mean():.2f} ({low:.2f} to {high:.2f})")

# %% [markdown]
# Some half of the numbers, without one label of yours: a published reader is a baseline, too. Your detector reads more of *these* forms; of others nothing is shown.

# %%
assert (
    0.35 < published.mean() < 0.75 and np.quantile(draws[1:] @ (whole - published), 0.025) > 0
)

# %% [markdown]
# ### Should a small team use a large model here?

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
gained = shown["difference"][1] > 0
size = detector.count_params()
print(
    f"AP@0.5 {reached['detector']:.2f} with {size:,} parameters, {reached['pieces of ink']:.2f} with none"
)
print("a small network pays" if gained else "the pieces of ink will do")
del drawn_forms, held_out, wanted
keras.utils.clear_session()

# %% [markdown]
# Not for this. Where digits touch nothing, cut out the pieces: there the network brought little. Else a small network will do *if you can make or label pictures like
# yours*. If you cannot, measure a published reader on a hundred forms of your own first.
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
# %% [markdown]
# ### Exercise 14-3 · From which score on?
# *decide · 8 minutes*
#
# The forms' boxes go into your books. A false box costs `alarm` (somebody hunts a number that is not there), a digit without a box `miss`. From the validation forms you have the boxes'
# scores, whether each is a hit, and `n`, the number of true boxes. Return the threshold with the smallest cost, and that cost. A box counts from the threshold on (`score >= t`);
# candidates are the scores and `np.inf` (show nothing). Of equal costs take the *largest* threshold.


# %% exercise="14-3"
def cheapest(score, hit, n, alarm, miss):
    """Floats, booleans, three numbers -> (threshold, cost)."""

    ### BEGIN SOLUTION
    def cost(t):
        shown = hit[score >= t]
        return alarm * (~shown).sum() + miss * (n - shown.sum())

    t = min([np.inf, *np.sort(score)[::-1]], key=cost)
    return t, cost(t)
    ### END SOLUTION


check("14-3", cheapest)
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
# **Sources.** (each helper adds its own) Vision: X. Zhou, D. Wang, P. Krähenbühl, "Objects as Points", arXiv:1904.07850 (2019) · T.-Y. Lin and others, "Microsoft COCO: Common
# Objects in Context", *ECCV* (2014) · E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI (1998) · C. Li and others, "PP-OCRv3", arXiv:2206.03001 (2022).
