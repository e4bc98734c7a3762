# ---
# jupyter:
#   course:
#     chapter: "15"
#     title: Trends and challenges
#     requires: ["03"]
#     needs: {quick: [], full: [mnist]}
#     budget: {seconds: 90, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 15 · Trends and challenges
#
# You train on data that must not leave their owners, attack what you have trained, and buy a guarantee with noise: each with its price in accuracy.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 03*

# %% [markdown]
# ## You will be able to
#
# * train one network over ten owners' data without collecting them, and say what that buys;
# * read a picture out of a single update, and find out who was in the training data;
# * judge such an attack at few false accusations, where it hurts;
# * train with a privacy guarantee, and compute its ε by hand;
# * decide between collecting, federating, adding noise and asking fewer people.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares Python; chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, data, evaluate, figures, setup

course = setup("15", profile=profile, seed=seed, framework=False)

import numpy as np
import pandas as pd
import plotly.express as px
from sklearn.datasets import load_digits

dice = np.random.default_rng(seed)

# %% [markdown]
# ## The question
#
# Both articles end with trends. One is a promise (8.2 of the second): research will develop "privacy protection such as federated learning, so that models are
# trained while the privacy of the data is protected". Suppose you are to build a reader of handwriting for ten clinics, and no sheet may leave its clinic. Is federated
# learning the protection you need?
#
# The clinics are ten *writers*. scikit-learn's digits come from 14 filled-in sheets, one hand each (chapter 07). Each of the first ten is an owner of about a hundred images and keeps thirty
# more for checking. Sheet 11 is for choices; sheets 12 to 14, the course's test part, are new hands.

# %%
pictures, y = load_digits(return_X_y=True)
X, Y = (pictures / 16).astype("float32"), np.eye(10, dtype="float32")[y]
parts = data.load("digits")
sheet = np.concatenate([part.groups for part in (parts.train, parts.validation, parts.test)])
owners = [np.flatnonzero(sheet == k)[:-30] for k in range(1, 11)]
kept = [np.flatnonzero(sheet == k)[-30:] for k in range(1, 11)]
choice, new = np.flatnonzero(sheet == 11), np.flatnonzero(sheet > 11)
pool = np.concatenate(owners)
print(f"{len(pool)} images of ten owners, {len(choice)} to choose by, {len(new)} of new hands")

# %% [markdown]
# The same digit, once by each owner:

# %%
sevens = [rows[y[rows] == 7][0] for rows in owners]
alt = "Ten sevens in different hands: some with a bar, some without, one bent like a hook"
figures.image_grid(X[sevens].reshape(-1, 8, 8), range(1, 11), columns=10, cell=64, alt=alt)

# %% [markdown]
# No two are alike. Write down what would be enough, before you measure:
#
# | | enough |
# |---|---|
# | useful | 85 of 100 digits of new hands are read |
# | closed | who accuses one outsider in a hundred of having been in the training data finds at most 3 of 100 who were |
# | promised | ε at most 8 for each image, at δ = 10⁻⁵ (section 3 says what that is) |
#
# ## 1 · Train where the data are
#
# The model is chapter 03's: one hidden layer, ReLU, softmax. To train hundreds of them in seconds, all arrays get one axis in front, the networks: $W$ is
# `(networks, inputs, outputs)`, and `@` multiplies network by network.


# %%
def start(networks, inputs=64, hidden=32):
    def layer(a, b):
        W = dice.normal(0, a**-0.5, (networks, a, b)).astype("float32")
        return [W, np.zeros((networks, 1, b), "float32")]

    return layer(inputs, hidden) + layer(hidden, 10) if hidden else layer(inputs, 10)


def logits(net, X):
    *first, W, b = net
    A = np.maximum(X @ first[0] + first[1], 0) if first else X
    return A, A @ W + b


# %% [markdown]
# The gradient, as in chapter 03: behind each layer stands $D$, the gradient with respect to its $Z$; for softmax and cross-entropy it is $P - Y$. In front of it stands what came in, $A$. Then
# $\nabla_W = A^\top D$, and $\nabla_b$ adds $D$'s rows up. Here both are *sums* over the batch:


# %%
def layers(net, X, Y):
    """Pairs (A, D), one a layer."""
    A, Z = logits(net, X)
    E = np.exp(Z - Z.max(axis=-1, keepdims=True))
    D = E / E.sum(axis=-1, keepdims=True) - Y
    last = [(A, D)]
    return [(X, D @ net[2].swapaxes(1, 2) * (A > 0)), *last] if len(net) == 4 else last


def gradients(pairs):
    sums = [(A.swapaxes(-1, -2) @ D, D.sum(axis=-2, keepdims=True)) for A, D in pairs]
    return [g for pair in sums for g in pair]


# %% [markdown]
# Stochastic gradient descent for all networks at once; each has its own row of `rows`, the numbers of its images:


# %%
def sgd(net, rows, epochs, batch=20, α=0.3):
    net = [W.copy() for W in net]
    for _ in range(epochs):
        order = dice.permuted(rows, axis=1)
        for i in range(0, order.shape[1], batch):
            these = order[:, i : i + batch]
            for W, g in zip(net, gradients(layers(net, X[these], Y[these])), strict=True):
                W -= np.float32(α / these.shape[1]) * g
    return net


# %% [markdown]
# **Federated averaging** (McMahan and others, 2017) goes in rounds. A server sends the network $w_r$ to all owners. Owner $k$ trains it for $E$ epochs on its own $n_k$ images and sends back
# $w_{r+1}^k$. The server takes the mean, weighted by images, of $n$ in all:
#
# $$ w_{r+1} = \sum_k \frac{n_k}{n} \, w_{r+1}^k. $$


# %%
def average(nets, sizes):
    """Owners' networks (runs × owners, …) -> the mean of each run (runs, …)."""
    share = (sizes / sizes.sum()).astype("float32")
    return [np.einsum("k,rk...->r...", share, W.reshape(-1, len(sizes), *W.shape[1:])) for W in nets]


def federated(rows, sizes, rounds, E, **how):
    """``rows`` is (runs, owners, images). Gives the networks after each round."""
    runs, K, _ = rows.shape
    w = start(runs)
    for _ in range(rounds):
        local = sgd([np.repeat(W, K, axis=0) for W in w], rows.reshape(runs * K, -1), E, **how)
        w = average(local, sizes)
        yield w


# %% [markdown]
# Is that right? There is a case that you can work out by hand. If each owner takes *one step* with all its images, then
#
# $$ \sum_k \frac{n_k}{n} \big(w_r - \alpha \nabla L_k\big) = w_r - \alpha \sum_k \frac{n_k}{n} \nabla L_k = w_r - \alpha \nabla L, $$
#
# which is one step on the pooled data. So three owners of different sizes must agree with it to the last digits:

# %%
three, w = [pool[:10], pool[10:40], pool[40:100]], start(1)
one_step = [sgd(w, rows[None], 1, batch=len(rows)) for rows in three]
together = average(
    [np.concatenate(W) for W in zip(*one_step, strict=True)], np.array([10, 30, 60])
)
pooled_step = sgd(w, pool[None, :100], 1, batch=100)
worst = max(abs(a - b).max() for a, b in zip(together, pooled_step, strict=True))
print(f"largest difference {worst:.0e}")
assert worst < 1e-6

# %% [markdown]
# With more than one step the two part: each owner walks off in its own direction before the mean is taken. What is gained is *rounds*, and each round sends the whole
# network to everybody and back.
#
# Four federations, eight runs each: by writer with five epochs a round, or with one step; and, for five epochs, with the same images dealt differently: shuffled, or sorted so that an owner has
# about two of the ten digits.

# %%
runs, sizes = 8, np.array([len(rows) for rows in owners])
deals = np.array_split(pool[np.argsort(y[pool], kind="stable")], 20)
pairs_of = dice.permutation(20).reshape(10, 2)
dealt = {
    "by writer": owners,
    "shuffled": np.array_split(dice.permutation(pool), 10),
    "two digits each": [np.concatenate([deals[a], deals[b]]) for a, b in pairs_of],
}


def table_of(rows):
    """Rows of unequal length -> (runs, owners, longest); the short ones repeat some images."""
    longest = max(map(len, rows))
    return np.tile([np.resize(one, longest) for one in rows], (runs, 1, 1))


def right(net, rows):
    return logits(net, X[rows])[1].argmax(axis=-1) == y[rows]


# %% [markdown]
# **Predict first.** Which costs more: that each owner has another hand, or that each has other digits?

# %% tags=["nbval-ignore-output"]
curves, federation = [], {}
for name, (rows, E) in {
    "one step": (owners, 1),
    **{name: (rows, 5) for name, rows in dealt.items()},
}.items():
    how = {"batch": 100} if E == 1 else {}
    lengths = np.array([len(one) for one in rows])
    for r, w in enumerate(federated(table_of(rows), lengths, 20, E, **how), start=1):
        curves += [(name, r, run) for run in right(w, choice).mean(axis=1)]
    federation[name] = w
curves = pd.DataFrame(curves, columns=["dealt", "round", "right"])
by_round = curves.groupby(["dealt", "round"], sort=False)["right"].agg(["mean", "sem"])
by_round = by_round.reset_index().assign(error=lambda t: 2.36 * t["sem"])  # t, 7 degrees
picture = px.line(by_round, "round", "mean", color="dealt", line_dash="dealt", error_y="error")
alt = "By writer and shuffled rise together to 0.9 within five rounds; two digits each climbs later; one step reaches about 0.6"
picture.update_layout(width=760, height=360, meta={"alt": alt})
picture.update_yaxes(title="share right, sheet 11", range=[0, 1])

# %% [markdown]
# <details><summary>What came</summary>
#
# Other digits, by far. Hands cost next to nothing.
#
# </details>
#
# By writer the curve cannot be told from shuffled images. Dealt by digits it starts far lower, and catches up. One step a round is far behind: local
# epochs are what makes the method cheap in rounds. (Bars are 95 % intervals over runs.)
#
# What else could the owners have done? Each alone on its own sheet; or all images in one place. Everybody sees each image a hundred times.


# %%
def interval(values):
    draws = np.random.default_rng(seed).choice(values, (2_000, len(values))).mean(axis=1)
    return "{:.3f} ({:.3f} to {:.3f})".format(values.mean(), *np.quantile(draws, [0.025, 0.975]))


alone = sgd(start(10 * runs), table_of(owners).reshape(10 * runs, -1), 100)
pooled = sgd(start(runs), np.tile(pool, (runs, 1)), 100)
ways = {
    "each alone": alone,
    "federated": federation["by writer"],
    "federated, by digits": federation["two digits each"],
    "pooled": pooled,
}

# %% [markdown]
# The test, once: new hands, and each owner's own kept images. Intervals draw images anew, each by its share of right runs; three hands are few, so take the column of new hands as these three hands.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
on_new = {name: right(net, new).mean(axis=0) for name, net in ways.items()}
own_hand = {name: right(net, np.concatenate(kept)).mean(axis=0) for name, net in ways.items()}
by_owner = [[W[k::10] for W in alone] for k in range(10)]
own_hand["each alone"] = np.concatenate(
    [right(by_owner[k], kept[k]).mean(axis=0) for k in range(10)]
)
pd.DataFrame(
    {"new hands": map(interval, on_new.values()), "own hand": map(interval, own_hand.values())},
    index=ways,
)

# %% [markdown]
# Federated training reads new hands as well as pooled training to within two or three points, and far better than an owner alone. But look at the last column: for its *own* hand a network
# of a hundred images is at least as good as the one of all ten. An owner with nothing but its own writing to read has no reason to join.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
print("pooled - federated, new hands:   ", interval(on_new["pooled"] - on_new["federated"]))
print("federated - alone, new hands:    ", interval(on_new["federated"] - on_new["each alone"]))
print("alone - federated, own hand:     ", interval(own_hand["each alone"] - own_hand["federated"]))

# %%
assert on_new["federated"].mean() - on_new["each alone"].mean() > 0.1
assert abs(on_new["pooled"].mean() - on_new["federated"].mean()) < 0.05
assert own_hand["each alone"].mean() > own_hand["federated"].mean() - 0.01
assert on_new["federated"].mean() > on_new["federated, by digits"].mean()

# %% [markdown]
# ### What leaves the house
#
# No image does. But an update does, and for a single image the gradient is $\nabla_W = A^\top D$ with a single row: each of its columns is the image, times a number, and
# that number stands in $\nabla_b$. Divide:

# %%
def read_out(rows):
    gW, gb, *_ = gradients(layers(start(1), X[rows][None], Y[rows][None]))
    unit = abs(gb[0, 0]).argmax()
    return gW[0, :, unit] / gb[0, 0, unit]


one = owners[0][7:8]
assert np.allclose(read_out(one), X[one[0]], atol=1e-5)
shown = [X[one[0]], read_out(one), read_out(owners[0][7:9]), read_out(owners[0][7:27])]
alt = "The image read out of its gradient is the image; from two images a mixture comes, from twenty a smear"
figures.image_grid(
    np.clip(shown, 0, None).reshape(-1, 8, 8),
    ["the image", "from its gradient", "from two", "from twenty"],
    alt=alt,
    cell=120,
)

# %% [markdown]
# The second picture *is* the first. With a batch the images mix, and attackers have ways to unmix them (Zhu and others, 2019). So "the data stay where they are" says where files are, not what can be known. **Secure
# aggregation** (Bonawitz and others, 2017) shows the server the sum over owners alone. Against what the *finished* model tells it does nothing, and that is next.
#
# ## 2 · Who was in it?
#
# Give an attacker the finished network and an image. Was the image in the training data? For a digit nobody cares; for "was this patient in the study of that disease" the answer is
# the secret. The attacker knows the label and sees the logits. How sure is the network of the truth? Its log-odds:
#
# $$ s = \log \frac{P_y}{1 - P_y} = Z_y - \log \sum_{j \ne y} e^{Z_j}. $$


# %%
def log_odds(net, X, y):
    Z = logits(net, X)[1].astype("float64")
    truth = np.eye(10, dtype=bool)[y]
    others = np.where(truth, -np.inf, Z)
    return Z[:, truth] - np.logaddexp.reduce(others, axis=-1)


# %% [markdown]
# To judge attacks you need many targets. So train 64 networks, each on a random half of every owner's images: `inn` holds who was in. And, with the same halves, 64 federations.

# %%
M = 64
halves = [np.array([dice.permutation(rows)[: len(rows) // 2] for _ in range(M)]) for rows in owners]
members = np.concatenate(halves, axis=1)
inn = np.zeros((M, len(X)), bool)
np.put_along_axis(inn, members, True, axis=1)
inn = inn[:, pool]
targets = {"pooled": sgd(start(M), members, 100)}
by_owner = np.stack([half[:, np.arange(50) % half.shape[1]] for half in halves], axis=1)
*_, targets["federated"] = federated(by_owner, sizes // 2, 20, 5)

# %% [markdown]
# The oldest attack says "in" if the loss is small, or $s$ is large. Its usual figure of merit is the area under the ROC curve (chapter 08), and that would calm you: 0.53, a coin has 0.50. But an attacker need not be right about
# everybody. One who names *ten patients*, and is sure, has done the harm. So ask (Carlini and others, 2022): **if at most 1 % of the outsiders are accused, what share of the members is found?** Guessing finds 1 %. And at 0.1 %?
#
# Their attack, **LiRA**, asks of each image by itself. Some are easy: every network is sure of them, in or out. What tells is whether *this* network is surer of *this* image than networks are that never saw it.
# The attacker trains *shadow networks* on data of the same kind, some with the image and some without, and fits a normal distribution to either group. The score is the log of
#
# $$ \Lambda = \frac{\mathcal{N}(s \mid \mu_\text{in}, \sigma_\text{in}^2)}{\mathcal{N}(s \mid \mu_\text{out}, \sigma_\text{out}^2)}. $$
#
# Each of our networks is the target in turn, the 63 others are its shadows:


# %%
def log_normal(s, shadows, of):
    """Of each image, by its shadow networks ``of``; one variance for all images."""
    μ = (shadows * of).sum(axis=0) / of.sum(axis=0)
    variance = ((shadows - μ) ** 2)[of].mean()
    return -((s - μ) ** 2) / (2 * variance) - np.log(variance) / 2


def lira(s, inn):
    Λ = np.empty_like(s)
    for t in range(len(s)):
        shadows, of = np.delete(s, t, axis=0), np.delete(inn, t, axis=0)
        Λ[t] = log_normal(s[t], shadows, of) - log_normal(s[t], shadows, ~of)
    return Λ


# %% [markdown]
# And the measure: the threshold comes from the outsiders, and the members above it are found. Its interval draws the networks anew.


# %%
def found(score, inn, rate):
    threshold = np.quantile(score[~inn], 1 - rate, method="higher")
    return (score[inn] > threshold).mean()


def attacked(net, images=X):
    s = log_odds(net, images[pool], y[pool])
    return {"loss": s, "LiRA": lira(s, inn)}


def report(score, rate, inn=inn):
    again = np.random.default_rng(seed).integers(0, len(score), (100, len(score)))
    low, high = np.quantile([found(score[i], inn[i], rate) for i in again], [0.025, 0.975])
    return f"{found(score, inn, rate):.1%} ({low:.1%} to {high:.1%})"


# %% [markdown]
# **Predict first.** The pooled networks read 96 of 100 digits that they have not seen, of the same hands: they generalise. Of 100 members, how many does LiRA find at one false accusation in a hundred?

# %% tags=["nbval-ignore-output", "compare-within=0.3"]
from sklearn.metrics import roc_auc_score

scores = {
    (name, attack): score
    for name, net in targets.items()
    for attack, score in attacked(net).items()
}
pd.DataFrame(
    {
        key: [f"{roc_auc_score(inn.ravel(), s.ravel()):.2f}", report(s, 0.01), report(s, 0.001)]
        for key, s in scores.items()
    },
    index=["area under ROC", "found at 1 %", "found at 0.1 %"],
).T

# %% [markdown]
# <details><summary>What came</summary>
#
# About eight, and four even at one false accusation in a thousand. The loss finds what guessing would.
#
# </details>
#
# On axes with logarithms:

# %% tags=["nbval-ignore-output"]
rates = np.geomspace(1e-4, 1, 40)
roc = pd.DataFrame(
    [
        (f"{name}, {attack}", rate, found(s, inn, rate))
        for (name, attack), s in scores.items()
        for rate in rates[:-1]
    ],
    columns=["attack", "outsiders accused", "members found"],
)
alt = "At one outsider in a thousand LiRA finds forty times as many members as guessing on pooled networks and ten times on federated ones; the loss lies on the diagonal"
picture = figures.lines(
    roc, "outsiders accused", "members found", "attack", alt=alt, logarithmic="xy"
)
picture.update_traces(mode="lines")
picture.add_scatter(x=rates, y=rates, mode="lines", name="guessing", line={"color": "grey"})

# %% [markdown]
# To the right all curves look alike, and that is where the area comes from. To the left LiRA on the same networks is far above guessing: *the loss says "safe", and is wrong.* Federated networks leak, too: they are attacked after training, and where the data lay then makes no difference. (They leak less than
# pooled ones here; but they are also less accurate, so less trained. Which of both it is, a side road could ask.)
#
# Who is found? The images whose $s$ rises most when they are in:

# %% tags=["nbval-ignore-output"]
s = scores["pooled", "loss"]
rise = (s * inn).sum(axis=0) / inn.sum(axis=0) - (s * ~inn).sum(axis=0) / (~inn).sum(axis=0)
order = rise.argsort()[::-1]
some = np.r_[order[:8], order[len(order) // 2 :][:8]]
captions = [f"{y[pool[i]]}: +{rise[i]:.1f}" for i in some]
alt = "Above eight odd digits, hard to read, whose log-odds rise by more than five; below eight ordinary ones that rise by about one"
figures.image_grid(X[pool[some]].reshape(-1, 8, 8), captions, columns=8, alt=alt)

# %% [markdown]
# Above the most exposed, below the middle of the list: caption is the true digit, and the rise. The unusual ones are exposed, as the network can only learn them by heart. In your data these are people with a rare disease, the one customer abroad.
# A mean over everybody hides them.

# %%
lira_pooled, lira_federated = scores["pooled", "LiRA"], scores["federated", "LiRA"]
assert found(lira_pooled, inn, 0.01) > 0.045 and found(lira_pooled, inn, 0.001) > 0.015
assert found(lira_federated, inn, 0.01) > 0.02
assert all(found(scores[name, "loss"], inn, 0.01) < 0.02 for name in targets)
assert rise[order[:8]].min() > 2 * np.median(rise)
