# ---
# jupyter:
#   course:
#     chapter: "16"
#     title: FAQ labs
#     requires: ["08"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 180, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown] tags=["lint-skip-median-cell"]
# # 16 · FAQ labs
#
# You put the seven answers of the articles' FAQ to the test, one lab each, and go home with seven small functions.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 08*

# %% [markdown]
# ## You will be able to
#
# * report on a rare class so that nobody is flattered;
# * say how much a score owes to having been chosen;
# * decide between a net and traditional machine learning by a paired interval over what will be new;
# * hold five more answers of the FAQ against numbers, each in a lab of its own.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares Python; chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, evaluate, setup

course = setup("16", profile=profile, seed=seed)

import numpy as np
import pandas as pd
import plotly.express as px

# %% [markdown]
# ## The question
#
# Both articles end in frequently asked questions. A colleague will quote the answers to you in a meeting. On which can you act, and what must be added?
#
# Each question is a **lab**: a section that shows, and an exercise of the same number at the end, with three hints and ten points. Q4 (how is a model evaluated?) and Q5 (can large models replace traditional machine learning?) are the main road. The others are
# side roads, in any order, but that Q6 borrows Q1's model.
#
# ## 1 · Q4: metrics
#
# *Needs: chapter 08.*
#
# "Accuracy measures how exact a model is in classification; recall how well it recalls the true positives; F1 considers accuracy and
# recall together and balances the two; the ROC curve measures binary classification." Four numbers. Are they enough?
#
# Take a class that is rare. Of 10,000 payments one in a hundred is fraud. They are generated, with a fixed seed, so that the truth is known: a feature
# is normal around 0 for honest payments, around 2.2 for fraud. Bayes' rule then gives the best probability that anybody can state:

# %%
dice = np.random.default_rng(seed)
fraud = dice.random(10_000) < 0.01
feature = dice.normal(2.2 * fraud)
logit = np.log(0.01 / 0.99) + 2.2 * feature - 2.2**2 / 2
best = 1 / (1 + np.exp(-logit))
f"{fraud.sum()} of {len(fraud):,} are fraud; the best model expects {best.sum():.0f}"

# %% [markdown]
# Three candidates. The *constant* never cries fraud. The *honest* model states those probabilities. The *loud* one states their square roots: the same
# order, larger words. Each flags what reaches its threshold. That is 0.1, right where a missed fraud costs nine times a false alarm: there both choices
# cost the same, 0.1 × 9 = 0.9 × 1 (C. Elkan). The loud one's is moved to match.
#
# **Predict first.** Which of the article's four numbers tells the loud model from the honest one?

# %%
from sklearn.metrics import average_precision_score, f1_score, precision_score, roc_auc_score

stated = {"constant": np.full(len(best), 0.01), "honest": best, "loud": np.sqrt(best)}
threshold = {"constant": 0.1, "honest": 0.1, "loud": np.sqrt(0.1)}
rows = {}
for name, p in stated.items():
    flagged = p >= threshold[name]
    rows[name] = {
        "accuracy": (flagged == fraud).mean(),
        "recall": flagged[fraud].mean(),
        "F1": f1_score(fraud, flagged),
        "ROC-AUC": roc_auc_score(fraud, p),
        "precision": precision_score(fraud, flagged, zero_division=0),
        "PR-AUC": average_precision_score(fraud, p),
        "expected / came": p.sum() / fraud.sum(),
    }
metrics = pd.DataFrame(rows).T
metrics.round(3)

# %% [markdown]
# <details><summary>What came</summary>
#
# None of the four. Only the last column does.
#
# </details>
#
# Read the table three times.
#
# * *Accuracy*, at this threshold, ranks the constant first, with 99 %. Recall and F1 see through it.
# * *ROC-AUC* is the chance that a random fraud is ranked above a random honest payment; a coin has a half. It says about 0.93. *Precision* says that three of four alarms are false. The **PR-AUC**, the area under precision over
#   recall, says what a rare class is like; for a constant it is the share of positives, not a half.
# * *Calibration*, here the fraud that a model expects over what came, is the one column in which honest and loud differ. Whoever multiplies these
#   probabilities by money needs it.
#
# And a number without an interval hides how few positives it stands on:

# %%
flagged = best >= 0.1
print("accuracy", evaluate.share(int((flagged == fraud).sum()), len(fraud)))
print("recall  ", evaluate.share(int(flagged[fraud].sum()), int(fraud.sum())))

# %% [markdown]
# Accuracy is known to a quarter of a point either way, recall to some ten points, from the same payments.
#
# ### Check the article: do four numbers measure a model?
#
# Those payments were made to show it. Here are two models that anybody might train. Take each of the eight teams of chapter 08's tickets against the rest: one logistic regression as it is, one that weighs
# both classes alike. Each flags as many of the 400 test tickets as the team's share in training says.

# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

tickets = data.load("tickets")
texts, teams = np.array(list(tickets.train.texts), dtype=object), tickets.train.labels
vector = TfidfVectorizer(sublinear_tf=True)
Z, tested = vector.fit_transform(texts), vector.transform(tickets.test.texts)
FOUR = ["accuracy", "recall", "F1", "ROC-AUC"]


def judged(weight):
    """Of each team the article's four numbers, the constant's accuracy, and what the model expects over what came."""
    for team, name in enumerate(tickets.class_names):
        ours, truth = teams == team, tickets.test.labels == team
        model = LogisticRegression(C=30, max_iter=300, class_weight=weight).fit(Z, ours)
        p = model.predict_proba(tested)[:, 1]
        flagged = p >= np.sort(p)[-round(len(p) * ours.mean())]
        four = (flagged == truth).mean(), flagged[truth].mean(), f1_score(truth, flagged)
        more = roc_auc_score(truth, p), 1 - truth.mean(), p.sum() / truth.sum()
        yield dict(
            zip(["team", *FOUR, "constant", "expects"], [name, *four, *more], strict=True)
        )


plain, even = (pd.DataFrame(judged(weight)).set_index("team") for weight in (None, "balanced"))

# %% [markdown]
# Two models pass for equal if each of the four is within 0.02 (`apart` is the widest gap). What does either expect, over what came?

# %% tags=["compare-within=0.05"]
apart, factor = (plain - even)[FOUR].abs().max(axis=1), even["expects"] / plain["expects"]
teamwise = plain[["accuracy", "constant"]].assign(apart=apart, expects=plain["expects"])
teamwise.assign(**{"expects, balanced": even["expects"]}).round(3)

# %% [markdown]
# Kindly read, the four belong together, and recall and F1 expose the constant. They would do if no constant came first in accuracy, and if no two models alike in all four differed by a factor of two in what they expect:

# %%
both, alike = pd.concat([plain, even]), apart < 0.02
sees_constant = (both[FOUR[1:]] > [0, 0, 0.5]).all(axis=None)
misled, blind = (both["accuracy"] <= both["constant"]).sum(), (alike & (factor > 2)).sum()
claims.record(
    "c51",
    verdict="wrong"
    if not sees_constant
    else "holds with a condition"
    if misled or blind
    else "holds",
    evidence=f"eight teams against the rest, two models of each: by recall, F1 and ROC all {'beat' if sees_constant else 'do not beat'} the constant, by accuracy {len(both) - misled} of {len(both)}; "
    f"of {alike.sum()} pairs alike in all four, {blind} differ by a factor of more than two in the tickets they expect, the widest by {factor[alike].max():.1f}",
)

# %% [markdown]
# Here no constant came first, as it does where a threshold buys hits with many false alarms. But in the three rarest teams the four call two models one, and one of them expects more than twice as many tickets: weights move
# the probabilities and hardly their order, and with equally many flagged the four see the order alone. Which of the two is right? Here the balanced one counts rightly, to about a tenth; the plain one, which nobody touched, expects less than half of what comes.
# Under a stronger penalty balancing errs the other way (section 6). None of the four sees either.
#
# The condition: name the constant's accuracy beside yours; add precision, calibration and intervals. (The articles make F1 of
# accuracy and recall. It is made of *precision* $p$ and recall $r$, as $2pr / (p + r)$; the side road below runs both.)

# %%
rarest = plain.sort_values("constant").index[-3:]
assert plain.loc[rarest, "expects"].max() < 0.5
assert (even.loc[rarest, "expects"] - 1).abs().max() < 0.15

# %% [markdown] road="side"
# ### Check the article: accuracy, or precision?
#
# Both articles say that F1 combines 准确率 and recall. What comes of it if you do?

# %% [markdown]
# Two lines above, both explain 准确率: it "measures the model's *accuracy* in classification". Precision is 精确率 (or 查准率). With hits, false alarms and
# misses counted,
#
# $$ \text{precision} = \frac{\text{hits}}{\text{hits} + \text{false alarms}}, \qquad
# \text{F1} = \frac{2 \cdot \text{precision} \cdot \text{recall}}{\text{precision} + \text{recall}}. $$
#
# **Predict first.** Put accuracy where precision belongs. How far is it from scikit-learn's F1?


# %%
def harmonic(a, b):
    return 2 * a * b / (a + b)


a, r, printed, p = metrics.loc["honest", ["accuracy", "recall", "F1", "precision"]]
readings = {"accuracy": harmonic(a, r), "precision": harmonic(p, r)}
pd.Series(readings | {"scikit-learn": printed}).round(3).to_frame("F1").T

# %% [markdown]
# <details><summary>What came</summary>
#
# By a factor of two. With accuracy a poor detector looks like a decent one.
#
# </details>
#
# Is there a kinder reading? The kindest takes 准确率 for precision, as people sometimes speak; then the sentence is exactly right, but the articles shut that
# door: both explain the word as accuracy in the same list, and section 5.2.3 of the second prints 准确率（accuracy）. Another: "considers both and balances
# them" might be any kind of mean, and a mean lies *between* its two numbers. F1 lies below both:

# %%
between = min(a, r) <= printed <= max(a, r)
same = np.isclose(readings["accuracy"], printed)
claims.record(
    "c56",
    verdict="holds" if same else "holds with a condition" if between else "wrong",
    evidence=f"accuracy {a:.3f}, recall {r:.3f}, F1 {printed:.3f}: {'between them' if between else 'no mean of these two'}; "
    f"with accuracy in its place it would be {readings['accuracy']:.3f}, with precision {readings['precision']:.3f}",
)

# %% [markdown]
# So it stays wrong: on a rare class the two readings are far apart.

# %%
assert readings["accuracy"] > 1.3 * printed and not between
assert np.isclose(readings["precision"], printed)

# %% [markdown]
# ### Check the article: no test set
#
# The first article's recipe (3.1, 3.2) goes from "evaluate the model on the validation set, and adjust the model's *parameters*" straight to deployment. It
# names no test set, though the article's program predicts on `test_sentences`, and the second article judges on MNIST's test part. Kindly read,
# *hyper*parameters are meant, what you choose. What is the winner's score worth?
#
# Take 300 candidates. Each sees a random quarter of the words of 200 tickets, and smooths its counts by an `alpha` of its own. The best on 50 validation
# tickets wins, and 250 *fresh* ones tell what it is worth. Repeat it with 200 other draws of the 50.

# %%
from sklearn.naive_bayes import MultinomialNB

order = dice.permutation(len(texts))
fit, held = order[:200], order[200:]
words = TfidfVectorizer(sublinear_tf=True).fit(texts[fit])
known, new = words.transform(texts[fit]).tocsc(), words.transform(texts[held]).tocsc()

# %% [markdown]
# Which held-out tickets does each candidate get right?

# %%
right = []
for _ in range(300):
    some = dice.choice(known.shape[1], known.shape[1] // 4, replace=False)
    candidate = MultinomialNB(alpha=10 ** dice.uniform(-2, 0.5)).fit(known[:, some], teams[fit])
    right.append(candidate.predict(new[:, some]) == teams[held])
right = np.array(right)

# %% [markdown]
# **Predict first.** The best of 300 on its 50 validation tickets: how many points does it lose on fresh ones?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
rounds = []
for _ in range(200):
    shuffled = dice.permutation(len(held))
    seen, fresh = right[:, shuffled[:50]].mean(axis=1), right[:, shuffled[50:]].mean(axis=1)
    for tried in (1, 3, 10, 30, 100, 300):
        winner = seen[:tried].argmax()
        rounds.append((tried, seen[winner], fresh[winner], fresh.mean()))
columns = ["candidates", "validation", "fresh", "a candidate at random"]
chosen = pd.DataFrame(rounds, columns=columns)
last = chosen[chosen["candidates"] == 300]
drift, gain = last["validation"] - last["fresh"], last["fresh"] - last["a candidate at random"]
chosen.groupby("candidates").mean().round(3)

# %% [markdown]
# <details><summary>What came</summary>
#
# About fifteen points. With a single candidate, none.
#
# </details>
#
# Choosing *does* help: the winner is better on fresh tickets than a candidate at random. But the more you try, the less of its score is true.

# %%
falls = (drift > 0).mean()
claims.record(
    "c58",
    verdict="wrong"
    if gain.mean() <= 0
    else "holds with a condition"
    if falls > 0.8
    else "holds",
    evidence=f"best of 300 on 50 validation tickets: {100 * gain.mean():.1f} points above a candidate at random on fresh ones, "
    f"but {100 * drift.mean():.0f} below its own validation score; it falls in {falls:.0%} of 200 draws",
)

# %% [markdown]
# The condition: what is tuned are hyperparameters, and a third set, touched once, gives the score that you quote.

# %%
assert drift.mean() > 0.05 and gain.mean() > 0.005
assert abs(chosen.loc[chosen["candidates"] == 1].eval("validation - fresh").mean()) < 0.04

# %% [markdown] road="side"
# ### The drift as a picture
#
# The same means over 200 draws, drawn: where does the validation score part from the fresh one?

# %% tags=["nbval-ignore-output"]
means = (
    chosen.groupby("candidates")
    .mean()
    .reset_index()
    .melt("candidates", value_name="share right")
)
picture = px.line(
    means, "candidates", "share right", color="variable", line_dash="variable", log_x=True
)
alt = (
    "The validation score climbs steadily with the number of candidates, the fresh score hardly"
)
picture.update_layout(width=760, height=340, meta={"alt": alt})

# %% [markdown]
# As soon as there is a choice. The validation score climbs at every step; the fresh one soon stops.

# %% [markdown]
# ## 2 · Q5: tradition against nets
#
# *Needs: chapter 08; chapters 04 and 07 say more of the two rivals.*
#
# "Large models cannot fully replace traditional machine learning. Traditional algorithms keep their advantage in certain tasks, such as image classification and
# regression." You expect the opposite for images? Let both try.
#
# The 1,797 digits, 8 × 8 pixels, come from fourteen sheets of paper. New digits will come from new *hands*, so whole sheets are held out: fit on seven, judge
# on the other seven, then the other way round. A support vector machine draws curved borders between classes (`C` is chapter 07's, `gamma` ten times
# its own, for a twelfth of the pixels). A convolutional network slides small filters over the image.

# %%
from sklearn.datasets import load_diabetes, load_digits
from sklearn.svm import SVC

parts = data.load("digits")
sheets = np.concatenate([part.groups for part in (parts.train, parts.validation, parts.test)])
digits, answers = load_digits().data.reshape(-1, 8, 8) / 16, load_digits().target
halves = [np.isin(sheets, np.unique(sheets)[start::2]) for start in (0, 1)]
len(digits), len(np.unique(sheets))

# %% [markdown]
# The network has chapter 04's layers. On larger canvases it keeps each feature's strongest answer, wherever it stands:

# %%
import keras
from keras import layers


def network(side):
    pool = layers.Flatten() if side == 8 else layers.GlobalMaxPooling2D()
    body = [layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    body += [layers.Conv2D(64, 3, padding="same", activation="relu"), pool, layers.Dropout(0.3)]
    net = keras.Sequential([keras.Input((side, side, 1)), *body, layers.Dense(10, "softmax")])
    net.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    return net


# %% [markdown]
# Both read every sheet that they have not seen. Processor seconds are counted along.

# %%
from time import process_time


def duel(images, gamma):
    """Which digits each of the two reads, and the processor seconds of each."""
    hits = {name: np.zeros(len(answers), bool) for name in ("SVM", "network")}
    seconds = dict.fromkeys(hits, 0.0)
    flat, deep = images.reshape(len(images), -1), images[..., None]
    for part in halves:
        begin = process_time()
        svm = SVC(C=3, gamma=gamma).fit(flat[part], answers[part])
        hits["SVM"][~part] = svm.predict(flat[~part]) == answers[~part]
        middle = process_time()
        keras.utils.set_random_seed(seed)
        net = network(images.shape[1])
        net.fit(deep[part], answers[part], epochs=20, batch_size=64, verbose=0)
        hits["network"][~part] = np.asarray(net(deep[~part])).argmax(1) == answers[~part]
        seconds["SVM"] += middle - begin
        seconds["network"] += process_time() - middle
    return hits, seconds


# %% [markdown]
# A second contest with the same digits: each is put somewhere on a canvas of 14 × 14, as a photographed form would have it.
# There `gamma` was picked on these same sheets, a favour to the SVM.
#
# **Predict first.** Who wins where the digits are centred, and who where they are moved?

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
canvas = np.zeros((len(digits), 14, 14))
corners = dice.integers(0, 7, (len(digits), 2))
for image, digit, (x, y) in zip(canvas, digits, corners, strict=True):
    image[x : x + 8, y : y + 8] = digit
duels = {"digits, centred": duel(digits, 0.4), "digits, moved": duel(canvas, 0.2)}
cropped = np.zeros_like(digits)
for image, moved in zip(cropped, canvas, strict=True):  # the ink alone, put in a corner
    ink = moved[np.ix_(moved.any(axis=1), moved.any(axis=0))]
    image[: len(ink), : ink.shape[1]] = ink
duels["digits, cropped"] = duel(cropped, 0.4)
pd.DataFrame(
    {name: {who: hit.mean() for who, hit in hits.items()} for name, (hits, _) in duels.items()}
).T

# %% [markdown]
# <details><summary>What came</summary>
#
# Centred, the two are about even. Moved, the network wins by far. Cropped to its ink first, old craft, both read it alike.
#
# </details>
#
# How sure? Both read the same sheets, so take one difference $d$ for each of the $k = 14$ sheets. Easy and hard hands then cancel. With the mean $\bar d$ and the
# standard deviation $s$ (dividing by $k - 1$), a 95 % interval is about (with a handful of sheets take Student's $t$ in place of 2)
#
# $$ \bar d \pm \frac{2\,s}{\sqrt{k}}. $$


# %% tags=["nbval-ignore-output"]
def paired(differences):
    half = 2 * differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean() - half, differences.mean() + half


ahead = {}
for name, (hits, _) in duels.items():
    gap = hits["SVM"].astype(float) - hits["network"]
    ahead[name] = paired(np.array([gap[sheets == sheet].mean() for sheet in np.unique(sheets)]))
pd.DataFrame(ahead, index=["SVM ahead by at least", "at most"]).T.round(3)

# %% [markdown]
# An interval that holds zero shows no order. If its width is bearable, the price decides.
#
# Now regression: how far a diabetes has got after a year, for 442 patients, from ten measurements (B. Efron and others). A straight line with a penalty
# (ridge) against a small net, in ten folds, on which the net's penalty was picked: a favour to the net.

# %% tags=["nbval-ignore-output"]
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

patients, later = load_diabetes(return_X_y=True)
later = (later - later.mean()) / later.std()
folds = KFold(10, shuffle=True, random_state=seed)
small_net = MLPRegressor(
    hidden_layer_sizes=(16,), alpha=10, solver="lbfgs", max_iter=5_000, random_state=seed
)
squares, prices = {}, {}
for name, model in {"ridge": Ridge(10), "net": small_net}.items():
    begin = process_time()
    guess = cross_val_predict(make_pipeline(StandardScaler(), model), patients, later, cv=folds)
    squares[name], prices[name] = (guess - later) ** 2, process_time() - begin
ahead["diabetes"] = paired(squares["net"] - squares["ridge"])
{name: round(float(1 - error.mean()), 3) for name, error in squares.items()}

# %% [markdown]
# Alike, in the share of the variance that they explain. All together, with the traditional one's processor time over the net's:

# %% tags=["nbval-ignore-output"]
cost = {name: seconds["SVM"] / seconds["network"] for name, (_, seconds) in duels.items()}
cost["diabetes"] = prices["ridge"] / prices["net"]
summary = pd.DataFrame(ahead, index=["ahead by at least", "at most"]).T
summary["its cost / the net's"] = pd.Series(cost)
summary.round(3)

# %% [markdown]
# ### Check the article: does tradition keep an advantage?
#
# In the kindest reading an advantage is to be ahead, or to be level and cheaper.


# %%
def standing(name):
    low, high = ahead[name]
    if high < 0:
        return "behind"
    return "better" if low > 0 or cost[name] < 1 else "level"


places = {name: standing(name) for name in ahead}
better, behind = (
    [name for name, place in places.items() if place == one] for one in ("better", "behind")
)
claims.record(
    "c52",
    verdict="wrong" if not better else "holds with a condition" if behind else "holds",
    evidence=f"ahead, or level and cheaper: {', '.join(better) or 'nowhere'}; behind: {', '.join(behind) or 'nowhere'} "
    f"(moved digits by {-100 * ahead['digits, moved'][1]:.0f} points at least)",
)

# %% [markdown]
# The condition: small sets whose columns mean the same in every row, as table columns and centred pixels do. Where position varies, raw pixels lose by twenty
# points and more, until somebody crops; what the network saves you is knowing that. With 60,000 images the network is ahead (chapter 07). (The rival was a small net each time. For "certain tasks" one of images and one table
# suffice; but "image classification" is more than centred digits.)

# %%
assert ahead["digits, moved"][1] < -0.1 and ahead["digits, centred"][1] > -0.01
assert patients.shape == (442, 10) and len(np.unique(sheets)) == 14
assert ahead["diabetes"][1] > -0.02 and cost["digits, centred"] < 0.3 and cost["diabetes"] < 0.5

# %% [markdown] road="side"
# ## 3 · Q1: when is a small model enough?
#
# "For simple tasks or little data a small model may suit better." A learning curve with its intervals turns that into a number of labels.
# *Needs: chapter 08, and section 1 run before.*

# %% [markdown]
# TF-IDF with logistic regression learns from 50 to 600 tickets and is judged on the 400 test tickets. Three draws of each size below 600:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

dice = np.random.default_rng(seed)


def small_model(**option):
    vector = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    return make_pipeline(vector, LogisticRegression(C=30, max_iter=300, **option))


labelled = np.concatenate([texts, np.array(list(tickets.validation.texts), dtype=object)])
labels = np.concatenate([teams, tickets.validation.labels])
curve = {}
for size in (50, 100, 200, 400, 600):
    draws = [dice.permutation(600)[:size] for _ in range(3 if size < 600 else 1)]
    scores = [
        (
            small_model().fit(labelled[d], labels[d]).predict(tickets.test.texts)
            == tickets.test.labels
        ).sum()
        for d in draws
    ]
    curve[size] = evaluate.share(round(np.mean(scores)), 400)
pd.DataFrame(curve, index=["right", "at least", "at most", "n"]).T.round(3)

# %% [markdown]
# A rule that can be written down before: **the small model is enough from the number of labels on at which the lower end reaches your goal, and stays there.** For a
# goal of 0.60 it is somewhere above 200 labels, at most 400, although the share itself touches 0.60 with 200. For 0.75 even 600 are too few: label more, or
# measure a larger model. Chapter 09 does, with an encoder, and settles the claim (c55). Exercise 16-1 is this rule.

# %%
assert curve[600].low > 0.65 and curve[50].high < 0.50
assert curve[400].low > 0.60 and curve[200].low < 0.60 and curve[600].low < 0.75

# %% [markdown] road="side"
# ## 4 · Q2: cut the compute
#
# "By quantisation and pruning, by distributed training, by GPUs and TPUs." Which of them buys anything depends on what you wait for.
# *Needs: nothing but arithmetic; it reads chapter 10's record.*

# %% [markdown]
# A dense layer with $m$ inputs, $n$ outputs and a batch of $b$ takes $2\,b\,m\,n$ operations and moves $m\,n$ weights plus $b\,(m + n)$ numbers that go in and come
# out. A processor calculates and fetches at the same time, so the longer of the two times counts (chapter 01 has the rule for tokens). Take 4,096 × 4,096, with $10^{11}$ operations and $10^{10}$ bytes a second:


# %%
def milliseconds(b, weight_bytes=4, width=1.0, operations=1e11, bandwidth=1e10):
    m = n = 4096 * width
    calculate = 2 * b * m * n / operations
    fetch = (m * n * weight_bytes + 4 * b * (m + n)) / bandwidth
    return 1000 * max(calculate, fetch)


# %% [markdown]
# **Predict first.** Which cut helps a single answer, which a batch of 512?

# %%
cuts = {"as it is": {}, "eight bits": {"weight_bytes": 1}, "half the width": {"width": 0.5}}
layer = {name: [milliseconds(b, **cut) for b in (1, 512)] for name, cut in cuts.items()}
layer["80 % zeros, dense"] = layer["as it is"]
pd.DataFrame(layer, index=["one, ms", "512, ms"]).T.round(2)

# %% [markdown]
# <details><summary>What came</summary>
#
# Eight bits: a quarter of the time for one, nothing for 512. Half the width: a quarter for both. Zeros: nothing, as a dense kernel multiplies them like any other number (chapter 10 measured that).
#
# </details>
#
# Is the price in accuracy borne? Chapter 10 recorded it for its digit reader in eight bits, on MNIST's 10,000 test images:

# %%
from course_utils import results

record = results.load("10")
print(results.described(record))
pd.DataFrame(record["int8"]).T

# %% [markdown]
# At most 0.04 points lost, so eight bits are cheap here; whether they are *fast* is a question of batch and machine. In chapter 10's stored run they cut the file to a
# third (270 to 87 kB) and made one answer slower: int8 would lower a bill for storage and transfer there, and raise one for processor time.
# Distributed training splits the work and adds messages (c50, chapter 10). Exercise 16-2 is the arithmetic.

# %%
assert np.isclose(layer["as it is"][0] / layer["eight bits"][0], 4, rtol=0.01)
assert layer["as it is"][1] == layer["eight bits"][1] > 3.9 * layer["half the width"][1]
assert max(one["loss at most, points"] for one in record["int8"].values()) < 0.05

# %% [markdown] road="side"
# ## 5 · Q3: judge a forecast by its evidence
#
# "In future we can expect large models to make important breakthroughs in autonomous driving, smart manufacturing and medicine." What would show that it was wrong?
# *Needs: nothing of other labs.*

# %% [markdown]
# Nothing would, as it stands. A forecast can be scored if it says *what*, *by when*, *measured how* and *how probably*. The article's three, and one that we made up as a pattern:

# %%
asked_of = ["what", "by when", "measured how", "how probably"]
forecasts = pd.DataFrame(
    [["breakthrough in autonomous driving", "", "", ""],
     ["breakthrough in smart manufacturing", "", "", ""],
     ["breakthrough in medicine", "", "", ""],
     ["our router answers half of all tickets", "30 June", "share closed without a person, June", "0.7"]],
    columns=asked_of,
)  # fmt: skip
forecasts.assign(missing=(forecasts == "").sum(axis=1))

# %% [markdown]
# What can be scored is scored by the **Brier score**, the mean square between the stated probability $p_i$ and what came, $y_i$ (1 or 0); and by its **skill** against somebody who
# always says the base rate:
#
# $$ \text{Brier} = \frac1n \sum_i (p_i - y_i)^2, \qquad \text{skill} = 1 - \frac{\text{Brier}}{\text{Brier of the base rate}}. $$
#
# 400 generated forecasts, of which about a quarter come true. All three forecasters know something; one says it too loudly:

# %%
dice = np.random.default_rng(16)  # generated once, whatever the chapter's seed
chance = dice.beta(1, 3, 400)  # the true probabilities
came = dice.random(400) < chance
careful = np.clip(0.5 * chance + 0.5 * 0.25 + dice.normal(0, 0.05, 400), 0.01, 0.99)
bold = np.where(chance + dice.normal(0, 0.1, 400) > 0.3, 0.95, 0.05)
who = {"base rate, 0.25": np.full(400, 0.25), "careful": careful, "bold": bold}
f"{came.sum()} of 400 came true"

# %% [markdown]
# **Predict first.** Who has the highest skill? Is anybody below zero?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
square = {name: (p - came) ** 2 for name, p in who.items()}
reference = square["base rate, 0.25"]
draws = dice.integers(0, 400, (2_000, 400))
skills = {}
for name, own in square.items():
    again = 1 - own[draws].mean(axis=1) / reference[draws].mean(axis=1)
    skills[name] = [
        own.mean(),
        1 - own.mean() / reference.mean(),
        *np.quantile(again, [0.025, 0.975]),
    ]
pd.DataFrame(skills, index=["Brier", "skill", "at least", "at most"]).T.round(3)

# %% [markdown]
# <details><summary>What came</summary>
#
# The careful one. The bold one is worse than somebody who knows nothing but the base rate.
#
# </details>
#
# Calibration says why. Of what the bold one called 95 % sure, so much came:

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
{f"said {p}": round(float(came[bold == p].mean()), 2) for p in (0.05, 0.95)}

# %% [markdown]
# The base rate must be one that was known *before*: taken from the very outcomes, it has seen them. Exercise 16-3 insists on that.

# %%
assert skills["careful"][2] > 0 > skills["bold"][3]

# %% [markdown] road="side"
# ## 6 · Q6: bias in the data
#
# "Augmentation" by rotating, scaling and cropping for more variety, "deleting or correcting" noise and outliers, balancing by over- or undersampling. Weights for classes, deleting, and two kinds of copies are tried, and what each costs is counted.
# *Needs: chapter 08, and sections 1 to 3 run before (Q1's model, Q5's digits).*

# %% [markdown]
# **Balancing.** Three classes of the tickets are rare: feature requests, sales and security, 73 of 500. Give each class the same weight in training, which stands for oversampling: in the regression a weight of three does what three copies do. Do it under a strong penalty and under that of Q1's model, and count what is found on the 400 test tickets:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
dice = np.random.default_rng(seed)
names, test = np.array(tickets.class_names), tickets.test
rare_names = ["feature", "sales", "security"]
rare = np.isin(names[test.labels], rare_names)
ok, expected = {}, {}
for C in (3, 30):  # a strong penalty, and that of Q1's model
    for how, weight in {"as it is": None, "balanced": "balanced"}.items():
        model = small_model(class_weight=weight).set_params(logisticregression__C=C)
        p = model.fit(texts, teams).predict_proba(test.texts)
        ok[how, C] = p.argmax(axis=1) == test.labels
        expected[how, C] = p[:, np.isin(names, rare_names)].sum()
print(np.isin(names[teams], rare_names).sum(), "rare ones of", len(teams), "in training")
by_class = {
    f"{how}, C = {C}": pd.Series(hit).groupby(names[test.labels]).mean()
    for (how, C), hit in ok.items()
}
pd.DataFrame(by_class).round(2)

# %% [markdown]
# Of the three rare classes it finds more. Is there a bill? Ask the same models how many tickets of the three they expect, as the sum of their probabilities. Beside it the gain, in pairs:

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
helped = {
    C: paired((ok["balanced", C].astype(float) - ok["as it is", C])[rare]) for C in (3, 30)
}
came_rare = evaluate.share(int(rare.sum()), len(rare))
chance_of = len(rare) * came_rare.low, len(rare) * came_rare.high
print(f"{rare.sum()} came; by its 95 % interval {chance_of[0]:.0f} to {chance_of[1]:.0f}")
bill = {
    f"C = {C}": [*gain, expected["as it is", C], expected["balanced", C]]
    for C, gain in helped.items()
}
rows = ["finds more, at least", "at most", "expected, as it is", "expected, balanced"]
pd.DataFrame(bill, index=rows).T.round(2)

# %% [markdown]
# Under the weaker penalty (C = 30) balancing has no bill: the plain model expects too few, the balanced one about as many as come. Under the stronger one it gains more, and has one: the plain model expected about as many as come, the balanced one half as many again.
# So balancing moves what a model expects, towards what comes or away from it, by the penalty: count before you trust the probabilities. For a model
# that is calibrated where it was trained, in its balanced world, arithmetic undoes the drift (exercise 16-6). With a penalty and 73 rare tickets do not take that for granted: fit a calibration on predictions for tickets that it has not seen, and count again.
#
# **Cleaning.** Delete what looks wrong: tickets whose own label gets less than a tenth from a model that has not seen them. Nobody spoilt labels on purpose here; a second reader agreed on 985 of 1,000 (the data's card).
#
# **Predict first.** Which classes lose most?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
unseen = cross_val_predict(small_model(), texts, teams, cv=5, method="predict_proba")
odd = unseen[np.arange(len(teams)), teams] < 0.1
deleted = pd.Series(odd).groupby(names[teams]).mean().sort_values()
of_rare, of_largest = (np.isin(names[teams], group) for group in (rare_names, ["bug", "howto"]))
gone = {"three rare classes": odd[of_rare].mean(), "two largest": odd[of_largest].mean()}
print(
    {
        name: f"{share:.0%} of {kind.sum()} tickets"
        for (name, share), kind in zip(gone.items(), (of_rare, of_largest), strict=True)
    }
)
deleted.round(2).to_frame("deleted").T

# %% [markdown]
# <details><summary>What came</summary>
#
# The rare ones: of the tickets of the three taken together about half. Of the two largest classes next to nothing is deleted.
#
# </details>
#
# An outlier is what the model has seen seldom, and so is a minority. Cleaning by a model's surprise deletes the classes that it serves badly. Let somebody read what is to be deleted.
#
# **Augmentation.** Customers who write Chinese are a group that 500 English tickets lack. Two copies of each, with words left out by chance, make 1,500. Or add 165 real Chinese ones:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
chinese = data.load("tickets_zh")
fewer = [
    " ".join(w for w in text.split() if dice.random() > 0.15) or text
    for text in [*texts, *texts]
]
sets = {
    "English": (list(texts), teams),
    "augmented": ([*texts, *fewer], np.tile(teams, 3)),
    "165 Chinese added": (
        [*texts, *chinese.train.texts],
        np.append(teams, chinese.train.labels),
    ),
}
reached = {}
for name, (some_texts, some_teams) in sets.items():
    letters = TfidfVectorizer(sublinear_tf=True, analyzer="char", ngram_range=(1, 2), min_df=2)
    model = make_pipeline(letters, LogisticRegression(C=10, max_iter=300)).fit(
        some_texts, some_teams
    )
    reached[name] = model.predict(chinese.test.texts) == chinese.test.labels
{name: str(evaluate.share(int(hit.sum()), len(hit))) for name, hit in reached.items()}

# %% [markdown]
# In pairs: real ones gain by far, copies by nothing that could be shown.

# %% tags=["nbval-ignore-output"]
base = reached["English"].astype(float)
copies = paired(reached["augmented"] - base)
real = paired(reached["165 Chinese added"] - base)
pd.DataFrame({"augmented": copies, "165 Chinese": real}, index=["at least", "at most"]).T.round(
    3
)

# %% [markdown]
# No dropped word turns English into Chinese. But the article means pictures, and there copies can make the missing group. The SVM of section 2 learns digits in the *middle* of a canvas and is judged, on other people's sheets, where they are moved; then it learns eight shifted copies of each as well:

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
middle = np.pad(digits, ((0, 0), (3, 3), (3, 3)))
part, read_moved = halves[0], {}
for copies_each in (0, 8):
    seen = [middle[part]]
    for _ in range(copies_each):  # each digit by a step of its own
        steps = dice.integers(-3, 4, (part.sum(), 2))
        seen.append(
            [np.roll(one, step, (0, 1)) for one, step in zip(middle[part], steps, strict=True)]
        )
    seen = np.concatenate(seen).reshape(-1, 196)
    svm = SVC(C=3, gamma=0.2).fit(seen, np.tile(answers[part], copies_each + 1))
    hit = svm.predict(canvas[~part].reshape((~part).sum(), -1)) == answers[~part]
    read_moved[copies_each] = hit.mean()
{f"{n} copies": round(float(share), 3) for n, share in read_moved.items()}

# %% [markdown]
# Augmentation brings a group that you can *make* from what you have.
#
# ### Check the article: do the three deal with bias?
#
# They would, without more, if one of them helped and none had a bill. Balancing has one if a balanced model that finds more expects a number outside the interval of what came, and the plain one does not. Cleaning has one if it deletes of the rare by ten points more than of the common.
# (Class weights stand for oversampling. Not tried: undersampling, correcting, rotating, scaling and cropping. That dropped words bring no Chinese decides nothing: nobody promised it.)

# %%
within = {key: chance_of[0] <= n <= chance_of[1] for key, n in expected.items()}
billed = [
    C
    for C, gain in helped.items()
    if gain[0] > 0 and within["as it is", C] and not within["balanced", C]
]
minority, common = gone["three rare classes"], gone["two largest"]
bills = [len(billed) > 0, minority > common + 0.1]
most_helped = max(gain[0] for gain in helped.values())
claims.record(
    "c53",
    verdict="wrong"
    if most_helped <= 0 and read_moved[8] <= read_moved[0]
    else "holds with a condition"
    if any(bills)
    else "holds",
    evidence="balancing, by penalty: "
    + "; ".join(
        f"C = {C} finds {100 * low:.0f} to {100 * high:.0f} points more of the three rare classes, and expects {expected['balanced', C]:.0f} of them in place of {expected['as it is', C]:.0f}"
        for C, (low, high) in helped.items()
    )
    + f", where {chance_of[0]:.0f} to {chance_of[1]:.0f} may come; "
    f"cleaning deletes {minority:.0%} of the tickets of these classes taken together, {common:.0%} of those of the two largest; shifted copies lift moved digits from {read_moved[0]:.2f} to {read_moved[8]:.2f}; "
    f"beside it, for Chinese tickets copies bring at most {100 * copies[1]:.1f} points, real data at least {100 * real[0]:.1f}",
)

# %% [markdown]
# The condition: count, and recalibrate on unseen examples; read before you delete; and collect what no transformation can make.

# %%
assert min(gain[0] for gain in helped.values()) > 0 and billed == [3]
assert expected["as it is", 30] < chance_of[0] and within["balanced", 30]
assert 1.3 < expected["balanced", 3] / rare.sum() < 1.7 and helped[3][0] > helped[30][0]
assert read_moved[8] > read_moved[0] + 0.4
assert minority > common + 0.1 and real[0] > 0.05 and copies[1] < real[0]
assert {*pd.Series(names[teams]).value_counts().index[:2]} == {"bug", "howto"}
assert (len(texts), len(chinese.train.texts)) == (500, 165)

# %% [markdown] road="side"
# ## 7 · Q7: a gate for deployment
#
# "Compress, quantise, optimise, and keep the model from attack." A gate that says ship, stop or *measure more*, on chapter 10's numbers.
# *Needs: chapter 10.*

# %% [markdown]
# Of chapter 10's variants three are in eight bits. What was lost and gained is from its record (10,000 images); the kilobytes are those that its quick run prints. A limit of 0.1 MB excludes its original of 270 kB. How much may be lost, if it must be *shown*?


# %%
from course_utils import results


def loss_between(lost, gained, n):
    """The paired interval of chapter 10, as shares."""
    p, g = (lost + 1) / (n + 2), (gained + 1) / (n + 2)
    half = 1.96 * np.sqrt((p + g - (p - g) ** 2) / (n + 2))
    return p - g - half, p - g + half


record = results.load("10")
size = {"int8 dynamic": 81, "int8 per tensor": 84, "int8 per channel": 87}
gated = pd.DataFrame({
    name: [size[name], one["lost"], one["gained"], *(100 * end for end in loss_between(one["lost"], one["gained"], 10_000))]
    for name, one in record["int8"].items()
}, index=["kB", "lost", "gained", "loss at least", "at most, points"]).T  # fmt: skip
gated.round(3)

# %% [markdown]
# With a limit of 0.3 points and 0.1 MB all three pass. In chapter 10's stored run the smallest has the longest p50 of them, but the contract is about p99, which that table does not print: measure it for the file that you ship. **Predict first.** The same counts, lost 0 and gained 1, on chapter 10's 382 test digits instead: what is shown?

# %%
{n: f"at most {100 * loss_between(0, 1, n)[1]:.2f} points lost" for n in (382, 1_797, 10_000)}

# %% [markdown]
# <details><summary>What came</summary>
#
# On 382 up to 0.6 points might be lost: not refuted, not shown. The answer is *measure*.
#
# </details>
#
# Two limits are no statistics: a p99 that customers wait for, and a signature. A file that nobody has signed is stopped whatever its numbers (c54, chapter 10). Exercise 16-7 puts them together.

# %%
assert gated["at most, points"].max() < 0.3 < 100 * loss_between(0, 1, 382)[1]

# %% [markdown]
# ## Exercises
#
# Try without the hints first, then open one at a time. Score yourself by the table, or swap with a colleague.

# %% [markdown]
# ### Exercise 16-4 · A report on a rare class
# *modify · 15 minutes*
#
# *Q4: "How is the performance of a large model evaluated?"* `y` says what is positive, `p` what a model states; at or above `threshold` it flags. Return five numbers as a tuple: the accuracy *above* that of the constant (which
# answers with the larger class), precision, recall, F1, and the lower end of the 95 % interval of the recall (`evaluate.share(hits, n).low`). Where nothing is flagged, precision is 0; where nothing is hit, F1 is 0.
#
# | points | for |
# |---|---|
# | 2 | the constant is named and subtracted |
# | 4 | precision, recall and F1, also where nothing is flagged |
# | 2 | the interval counts the positives |
# | 2 | one sentence: what would you tell a customer who asks for 99 % accuracy? |
#
# <details><summary>Hint 1: the direction</summary>
#
# Count three things: hits, what is flagged, what is positive. All five numbers follow from them and from the accuracy.
#
# </details>
#
# <details><summary>Hint 2: the formula</summary>
#
# Precision is hits over flagged, recall hits over positives, F1 twice the hits over flagged plus positives.
#
# </details>
#
# <details><summary>Hint 3: nearly the code</summary>
#
# `hits = (flagged & y).sum()`; the constant has `max(y.mean(), 1 - y.mean())`; the interval is of `hits` among `y.sum()`.
#
# </details>


# %% exercise="16-4"
def report(y, p, threshold):
    """(n,) bool, (n,) probabilities, number -> (gain, precision, recall, F1, low)."""
    ### BEGIN SOLUTION
    alarms = p >= threshold
    caught, positives = int((alarms & y).sum()), int(y.sum())
    above = (alarms == y).mean() - max(y.mean(), 1 - y.mean())
    exact = caught / alarms.sum() if alarms.any() else 0.0
    f1 = 2 * caught / (alarms.sum() + positives)
    return above, exact, caught / positives, f1, evaluate.share(caught, positives).low
    ### END SOLUTION


check("16-4", report)

# %% [markdown]
# ### Exercise 16-5 · Net, tradition, or the cheaper one
# *decide · 14 minutes*
#
# *Q5: "Can large models replace traditional machine-learning algorithms?"* `traditional` and `net` say which digits each read, `writers` who wrote them. Take each writer's difference of the two shares, and section 2's interval, mean ± 2 s/√k (1.96 or Student's t in place of 2 are right, too). Return
# `"traditional"` where it lies above zero, `"net"` where it lies below, else `"cheaper"`.
#
# | points | for |
# |---|---|
# | 4 | one difference for each writer |
# | 3 | the interval, with k − 1 |
# | 1 | "cheaper" where no order is shown |
# | 2 | one sentence: what are the "writers" of your product? |
#
# <details><summary>Hint 1: the direction</summary>
#
# Go through the writers (`np.unique`). Each gives one number.
#
# </details>
#
# <details><summary>Hint 2: the formula</summary>
#
# That number is the share that `traditional` read of the writer's digits, less the share that `net` read. The spread is `std(ddof=1)`.
#
# </details>
#
# <details><summary>Hint 3: nearly the code</summary>
#
# Build an array `gaps`; `half` is twice its spread over `np.sqrt(len(gaps))`; compare `gaps.mean() - half` and `gaps.mean() + half` with zero.
#
# </details>


# %% exercise="16-5"
def who_wins(traditional, net, writers):
    """(n,) bool, (n,) bool, (n,) names -> a word."""
    ### BEGIN SOLUTION
    gaps = np.array(
        [
            (traditional[writers == w].mean() - net[writers == w].mean())
            for w in np.unique(writers)
        ]
    )
    margin = 2 * gaps.std(ddof=1) / np.sqrt(len(gaps))
    if gaps.mean() - margin > 0:
        return "traditional"
    return "net" if gaps.mean() + margin < 0 else "cheaper"
    ### END SOLUTION


check("16-5", who_wins)

# %% [markdown] road="side"
# ### Exercise 16-1 · Labels enough for a small model
# *decide · 15 minutes*
#
# *Q1: "Do large models suit all AI start-up products?"* A small model was trained with `sizes` labels (ascending), and got `right` of the same `n` test messages right. Return the smallest size at which, *and at all larger ones*, the lower end of the 95 % interval
# reaches `goal`; `np.inf` if there is none.
#
# | points | for |
# |---|---|
# | 4 | the lower end, not the share |
# | 3 | it stays above the goal |
# | 1 | `np.inf` for none |
# | 2 | one sentence: what does a label cost you, and what a larger model? |
#
# <details><summary>Hint 1: the direction</summary>
#
# Decide for each size whether it fits, then look from the right end to the left.
#
# </details>
#
# <details><summary>Hint 2: the formula</summary>
#
# A size fits if `evaluate.share(good, n).low >= goal`.
#
# </details>
#
# <details><summary>Hint 3: nearly the code</summary>
#
# A list `fits`; then the first `k` for which `all(fits[k:])`.
#
# </details>


# %% exercise="16-1"
def labels_enough(sizes, right, n, goal):
    """Numbers, numbers, number, share -> one of the sizes, or inf."""
    ### BEGIN SOLUTION
    fits = [evaluate.share(int(good), n).low >= goal for good in right]
    enough = [number for k, number in enumerate(sizes) if all(fits[k:])]
    return enough[0] if enough else np.inf
    ### END SOLUTION


check("16-1", labels_enough)

# %% [markdown] road="side"
# ### Exercise 16-2 · What a cut buys
# *modify · 20 minutes*
#
# *Q2: "How can the need for computing be lowered?"* A dense layer of `inputs` × `outputs` answers a batch. Its weights have `bits` bits each; both widths are cut to the share `keep`; what goes in and comes out stays in 32 bits. `peak` is in operations, `bandwidth` in
# *bytes* a second. Return the seconds of one batch.
#
# | points | for |
# |---|---|
# | 3 | operations: two for each weight and example |
# | 4 | bytes: weights in bits, inputs and outputs in four bytes, widths cut |
# | 1 | the longer time |
# | 2 | one sentence: which of the two does your service wait for? |
#
# <details><summary>Hint 1: the direction</summary>
#
# Two times, one for calculating, one for moving bytes. The longer counts.
#
# </details>
#
# <details><summary>Hint 2: the formula</summary>
#
# With m and n the cut widths: 2·b·m·n operations; m·n·bits/8 + 4·b·(m + n) bytes.
#
# </details>
#
# <details><summary>Hint 3: nearly the code</summary>
#
# First `m, n = inputs * keep, outputs * keep`, then `max` of the two quotients.
#
# </details>


# %% exercise="16-2"
def layer_seconds(inputs, outputs, batch, bits, keep, peak, bandwidth):
    """Seven numbers -> seconds."""
    ### BEGIN SOLUTION
    rows_, columns_ = inputs * keep, outputs * keep
    operations = 2 * batch * rows_ * columns_
    moved = rows_ * columns_ * bits / 8 + 4 * batch * (rows_ + columns_)
    return max(operations / peak, moved / bandwidth)
    ### END SOLUTION


check("16-2", layer_seconds)

# %% [markdown] road="side"
# ### Exercise 16-3 · The skill of a forecaster
# *modify · 15 minutes*
#
# *Q3: "What are the prospects of large models?"* Somebody `said` probabilities; `came` is 1 or 0 for each; `due` says which of them have come due. `earlier` are the outcomes that were known when the forecasts were made. Return the skill, over what is due, against the
# base rate of `earlier`.
#
# | points | for |
# |---|---|
# | 3 | the Brier score |
# | 3 | the base rate that was known before |
# | 2 | what is not due is left out on both sides |
# | 2 | rewrite one of the article's forecasts so that it can be scored |
#
# <details><summary>Hint 1: the direction</summary>
#
# Two forecasters answer the same questions: this one, and the one who always says the base rate.
#
# </details>
#
# <details><summary>Hint 2: the formula</summary>
#
# One minus the mean square of the one over the mean square of the other.
#
# </details>
#
# <details><summary>Hint 3: nearly the code</summary>
#
# Arrays first: `now = np.array(due, bool)`. The rival's square is `(np.mean(earlier) - came[now]) ** 2`.
#
# </details>


# %% exercise="16-3"
def skill(said, came, due, earlier):
    """(n,) probabilities, (n,) outcomes, (n,) bool, (m,) outcomes -> a number."""
    ### BEGIN SOLUTION
    now = np.array(due, bool)
    guessed, outcome = np.array(said, float)[now], np.array(came, float)[now]
    rival = (np.mean(earlier) - outcome) ** 2
    return 1 - np.mean((guessed - outcome) ** 2) / rival.mean()
    ### END SOLUTION


check("16-3", skill)

# %% [markdown] road="side"
# ### Exercise 16-6 · Probabilities after balancing
# *extend · 15 minutes*
#
# *Q6: "How is bias in the training data handled?"* A model was trained where a share `trained` was positive, after balancing a half, say, and is calibrated where it was trained. In the world the share is `real`. It states `p`, an array. Return what it should state. (The classes themselves are
# unchanged, how they are mixed has changed.)
#
# | points | for |
# |---|---|
# | 3 | both classes are weighed |
# | 3 | the result lies between 0 and 1 and is made to sum |
# | 2 | the right direction: with a smaller real share it falls |
# | 2 | one sentence: who in your company multiplies these numbers by money? |
#
# <details><summary>Hint 1: the direction</summary>
#
# Balancing has weighed a positive too heavily, by a known factor, and a negative too lightly. Undo both.
#
# </details>
#
# <details><summary>Hint 2: the formula</summary>
#
# A positive's weight is real over trained, a negative's the same of what is left to one. In the end divide by the sum of both.
#
# </details>
#
# <details><summary>Hint 3: nearly the code</summary>
#
# With `yes` as p times its weight and `no` as (1 − p) times the other: `yes / (yes + no)`.
#
# </details>


# %% exercise="16-6"
def mended(p, trained, real):
    """(n,) probabilities, share, share -> (n,) probabilities."""
    ### BEGIN SOLUTION
    yes = p * real / trained
    no = (1 - p) * (1 - real) / (1 - trained)
    return yes / (yes + no)
    ### END SOLUTION


check("16-6", mended)

# %% [markdown] road="side"
# ### Exercise 16-7 · Ship, stop or measure
# *decide · 20 minutes*
#
# *Q7: "What matters when a large model is deployed?"* A variant `lost` and `gained` images of `n`, has a `p99` (ms), a size (`mb`) and is `signed` or not. `limits` has `"ms"`, `"mb"` and `"loss"` (a share). `"stop"`: not signed, above a limit of time or size, or the
# *lower* end of section 7's interval above the loss allowed. `"ship"`: the upper end within it. Else `"measure"`.
#
# | points | for |
# |---|---|
# | 4 | the interval, and both of its ends |
# | 2 | time and size |
# | 2 | the signature comes first |
# | 2 | one sentence: who may overrule this gate, and where is it written down? |
#
# <details><summary>Hint 1: the direction</summary>
#
# Three answers, two questions: is it refuted? If not, is it shown?
#
# </details>
#
# <details><summary>Hint 2: the formula</summary>
#
# Section 7's `loss_between` gives both ends. Above the limit with the lower one: refuted. Within it with the upper one: shown.
#
# </details>
#
# <details><summary>Hint 3: nearly the code</summary>
#
# `low, high = loss_between(lost, gained, n)`; first all reasons to stop in one `if`, then one line for the other two.
#
# </details>


# %% exercise="16-7"
def gate(lost, gained, n, p99, mb, signed, limits):
    """Numbers, bool, dictionary -> a word."""
    ### BEGIN SOLUTION
    low, high = loss_between(lost, gained, n)
    slow_or_large = p99 > limits["ms"] or mb > limits["mb"]
    if not signed or slow_or_large or low > limits["loss"]:
        return "stop"
    return "ship" if high <= limits["loss"] else "measure"
    ### END SOLUTION


check("16-7", gate)

# %% [markdown]
# ## Recap
#
# * *A rare class:* the constant's accuracy beside yours, precision and recall, calibration, and an interval over the positives. F1 is made of precision, not of accuracy.
# * *A chosen score:* the best of 300 fell by some fifteen points on fresh tickets. Quote what a third set says, once.
# * *Net or tradition:* centred digits and a table were a draw, which the cheaper one wins; moved digits went to the net by far, until they were cropped. One difference for each writer.
# * *On the side roads:* a number of labels, the longer of two times, a skill score, the bills of balancing and cleaning, what copies can make, and a gate with three answers.

# %% [markdown]
# ## Limits and next
#
# Payments and forecasts were generated, so that their truth is known; yours is not. No model of billions was run. The gain of choosing depends on how different the candidates are, here in luck and one hyperparameter. On MNIST a net is ahead (chapter 07's full profile, whose SVM gets 10,000 of 55,000 digits). Three answers of the FAQ stay with other chapters: those to Q2 and Q7 (c50, c54, c59) with
# 10, that to Q1 (c55) with 09.
#
# The capstone, `course capstone`, walks you from a question and your own data, or the tickets, to a running, gated, monitored service.

# %% [markdown] road="side"
# ### Sources
#
# What this chapter rests on.

# %% [markdown]
# **Sources.** G. W. Brier, "Verification of forecasts expressed in terms of probability", *Monthly Weather Review* 78 (1950), 1–3 · E. B. Wilson, "Probable inference, the law of succession, and statistical inference", *Journal of the American Statistical Association* 22 (1927), 209–212 ·
# C. Elkan, "The foundations of cost-sensitive learning", *IJCAI* (2001), 973–978 · T. Saito, M. Rehmsmeier, "The precision-recall plot is more informative than the ROC plot when evaluating binary classifiers on imbalanced datasets", *PLoS ONE* 10 (2015), e0118432 ·
# G. C. Cawley, N. L. C. Talbot, "On over-fitting in model selection and subsequent selection bias in performance evaluation", *Journal of Machine Learning Research* 11 (2010), 2079–2107 · D. G. Bonett, R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data", *Journal of Educational and Behavioral Statistics* 37 (2012), 479–488 ·
# B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least angle regression", *Annals of Statistics* 32 (2004), 407–499.
