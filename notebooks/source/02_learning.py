# ---
# jupyter:
#   course:
#     chapter: "02"
#     title: Learning
#     requires: ["00"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 25, memory_mib: 1024}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 02 · Learning
#
# You find the number that goes down when a program learns, derive why it is that one, and walk down it by hand: with plain gradient descent,
# with batches, and with the optimisers that everybody uses.
#
# *Hardware: two cores, 1 GiB; no network · Needs: chapter 00, Python, NumPy and school calculus*

# %% [markdown]
# ## You will be able to
#
# * score a prediction by its surprise, and say what entropy, cross-entropy and maximum likelihood have to do with it;
# * turn logits into probabilities without overflow, and derive the gradient of the loss: $P - Y$;
# * choose a learning rate from the curvature of the loss, and name what happens when it is too large;
# * train a classifier with nothing but NumPy, whole or in batches, and prove it right against scikit-learn;
# * write momentum, RMSProp and Adam from memory, and say where Keras differs from the papers.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares the kernel. Almost all of this chapter is NumPy; Keras
# starts late, as a witness.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, explorers, figures, gradcheck, setup

course = setup("02", profile=profile, seed=seed, framework=False)

import numpy as np
import pandas as pd

# %% [markdown]
# ## The question
#
# Your product sorts support tickets to three teams: billing, technical and sales. Two models give each ticket three probabilities. On four
# tickets, whose right teams are known (0, 1, 2 and once more 1), they say:

# %%
y = np.array([0, 1, 2, 1])
A = np.array([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98], [0.98, 0.01, 0.01]])
B = np.array([[0.70, 0.20, 0.10], [0.20, 0.70, 0.10], [0.10, 0.20, 0.70], [0.50, 0.40, 0.10]])
{name: float((P.argmax(axis=1) == y).mean()) for name, P in {"A": A, "B": B}.items()}

# %% [markdown]
# Both are right on three of four. Yet on the last ticket `A` is *certain* of the wrong team, so nobody will look, while `B` hesitates.
# Accuracy does not see it. It has a second fault. Let `B` learn: move the last ticket's probability, little by little, from the wrong
# team to the right one.

# %%
moved = np.array([0, 0.02, 0.04, 0.06, 0.08])  # taken from team 0, given to team 1


def after(m):
    P = B.copy()
    P[3] += [-m, m, 0]
    return P


accuracy = [float((after(m).argmax(axis=1) == y).mean()) for m in moved]
pd.DataFrame({"right team gets": 0.4 + moved, "accuracy": accuracy}).T.round(2)

# %% [markdown]
# `B` gets better with every column, and accuracy stands still, then jumps. A number that does not move when you improve a little cannot tell you in
# which direction to go on. **To learn is to change parameters so that a number falls.** Which number, and which change? That is this
# chapter. (Whether the number also falls on examples that nobody trained on is the test of all learning; chapter 07 spends itself on that.)

# %% [markdown]
# ## 1 · Surprise
#
# How surprised should you be when something happens to which you gave the probability $p$? Ask three things of the answer $s(p)$: what was
# certain surprises nobody, $s(1) = 0$; what was less probable surprises more; and the surprises of two *independent* events add up:
#
# $$ s(p\,q) = s(p) + s(q). $$
#
# That leaves one function, up to its unit. Differentiate both sides by $q$: $\;p\, s'(p\,q) = s'(q)$. Set $q = 1$: $\;s'(p) = s'(1)/p$. Integrate, with
# $s(1) = 0$: $\;s(p) = s'(1) \log p$. It falls as $p$ grows, so $s'(1)$ is negative, and choosing its size chooses the unit. With $-1$:
#
# $$ s(p) = -\log p. $$
#
# The logarithm is the natural one, and the unit is called *nat*. (With the logarithm to base 2 the unit is the *bit*; a nat is 1.44 of them.)


# %%
def surprise(p):
    return -np.log(p)


p, q = 0.3, 0.2
assert np.isclose(surprise(p * q), surprise(p) + surprise(q)) and surprise(1.0) == 0
table = {p: surprise(p) for p in (0.99, 0.5, 0.1, 0.01)}
pd.Series(table, name="surprise, nats").round(3).to_frame()

# %% [markdown]
# Halving a probability always costs the same, $\log 2 = 0.69$. What you called impossible costs without limit. Now score a model: for each
# ticket take the surprise at the team that was right, and then the mean over the tickets. `P[np.arange(n), y]` picks out
# $P_{i, y_i}$, from each row the entry of its class.


# %%
def mean_surprise(P, y):
    return surprise(P[np.arange(len(y)), y]).mean()


# %% [markdown]
# **Predict first.** `A` is a little better than `B` on three tickets, and far worse on one. Which has the smaller mean surprise?

# %%
scores = {"A": mean_surprise(A, y), "B": mean_surprise(B, y)}
assert scores["A"] > 2 * scores["B"]
{name: round(float(value), 3) for name, value in scores.items()}

# %% [markdown]
# `B`, by far: one confident mistake cost `A` more than all its sureness earned. And this number moves when `B` learns a little:

# %%
falling = [mean_surprise(after(m), y) for m in moved]
assert (np.diff(falling) < 0).all()
pd.DataFrame({"right team gets": 0.4 + moved, "mean surprise": falling}).T.round(3)

# %% [markdown]
# It falls in every column. This is the number that goes down. The next two sections show that it is not one choice among many.

# %% [markdown]
# ## 2 · Entropy, cross-entropy, and the floor
#
# Suppose half of all tickets are for billing, three tenths technical, two tenths sales: $p = (0.5, 0.3, 0.2)$. Somebody who knows these
# shares, and nothing about the single ticket, is surprised by $-\log p_k$ with probability $p_k$. The mean of that is the **entropy**:
#
# $$ H(p) = -\sum_k p_k \log p_k. $$
#
# Somebody who *believes* $q$ while $p$ is the truth has a mean surprise of
#
# $$ H(p, q) = -\sum_k p_k \log q_k, $$
#
# the **cross-entropy**. What the false belief costs on top is the **Kullback–Leibler divergence**, $\mathrm{KL}(p, q) = H(p, q) - H(p)$. In code a class
# with $p_k = 0$ must count nothing, whatever its logarithm; `xlogy(p, q)` is $p \log q$ with that convention.

# %%
from scipy.special import xlogy


def cross_entropy(p, q):
    return -xlogy(p, q).sum(axis=-1)


def kl(p, q):
    return cross_entropy(p, q) - cross_entropy(p, p)


# %% [markdown]
# A formula in a book and a function in a notebook can be wrong together. So ask somebody who does not know this course: SciPy.

# %%
from scipy.stats import entropy

p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.5, 0.3])
assert np.isclose(cross_entropy(p, p), entropy(p)) and np.isclose(kl(p, q), entropy(p, q))
{"H(p)": round(float(cross_entropy(p, p)), 3), "H(p, q)": round(float(cross_entropy(p, q)), 3)}

# %% [markdown]
# Which belief $q$ has the least cross-entropy? The truth, and only the truth. The proof needs one fact: $\log x \le x - 1$, with equality at $x = 1$
# alone (the line $x - 1$ touches the logarithm there, and the logarithm bends away below it). Then
#
# $$ -\mathrm{KL}(p, q) = \sum_k p_k \log\frac{q_k}{p_k} \;\le\; \sum_k p_k \Big(\frac{q_k}{p_k} - 1\Big) = \sum_k q_k - \sum_k p_k = 1 - 1 = 0. $$
#
# So $\mathrm{KL} \ge 0$, and it is $0$ only where every $q_k / p_k$ is 1. (Classes with $p_k = 0$ are left out of the sums; then the $q_k$ that remain add up to one at
# most, and the inequality stands.) Put it to the test with 10,000 random beliefs.

# %%
rng = np.random.default_rng(seed)
x = rng.uniform(0.001, 20, 10_000)
assert (np.log(x) <= x - 1).all()
beliefs = rng.dirichlet(np.ones(3), 10_000)
assert (kl(p, beliefs) > 0).all() and kl(p, p) == 0

# %% [markdown]
# For two classes you can see it. A customer stays with probability $p$ and leaves with $1 - p$; you believe $q$ and $1 - q$.


# %%
def of_two(p, q):
    return -xlogy(p, q) - xlogy(1 - p, 1 - q)


q = np.linspace(0.02, 0.98, 49).round(2)
curves = {f"p = {p}": of_two(p, q) for p in (0.7, 0.9)}
assert [float(q[curve.argmin()]) for curve in curves.values()] == [0.7, 0.9]

# %% [markdown]
# Drawn, for two truths:

# %%
table = pd.DataFrame(curves).round(4).assign(belief=q)
figures.lines(
    table.melt("belief", var_name="truth", value_name="cost"),
    "belief",
    "cost",
    "truth",
    x_title="believed probability q",
    y_title="cross-entropy, nats",
    alt="Cross-entropy over the belief is lowest at the true probability, and not zero there",
)

# %% [markdown]
# Each curve is lowest exactly at its truth, and steep towards certainty that is false. Two readings are worth keeping:
#
# * A loss that rewards the truth cannot be gamed by a bold model or a timid one. Statisticians call such a score *proper*.
# * The floor is $H(p)$, not zero. A ticket that three people would send to three teams has an entropy that no model removes.
#
# **On Monday:** before you train, work out two numbers. $\log K$ is the loss of a uniform guess among $K$ classes. $H$ of the class shares is
# the loss of a model that has learnt the shares and nothing else. A model above the second does worse than one that never reads a ticket: either it has learnt nothing about the *tickets*, or, like `A`, it is far too sure of its mistakes.

# %%
{"log 3": round(float(np.log(3)), 3), "H of the shares": round(float(cross_entropy(p, p)), 3)}

# %% [markdown]
# ## 3 · Maximum likelihood is the same thing
#
# Statistics has another way to fit a model: choose the parameters under which *what happened* was most probable. Ten trial customers: seven stayed, three
# left. If each stays with probability $q$, independently, the probability of what happened is the **likelihood**
#
# $$ \mathcal{L}(q) = q^7 (1-q)^3. $$
#
# A logarithm keeps the place of the maximum; a minus sign turns it into a minimum; dividing by the ten customers changes nothing either:
#
# $$ -\tfrac{1}{10} \log \mathcal{L}(q) = -0.7 \log q - 0.3 \log (1-q) = H\big((0.7,\,0.3),\,(q,\,1-q)\big). $$
#
# It *is* the cross-entropy between the observed shares and the model. So the last section has already found the minimum: $q = 0.7$, the observed
# share. (By calculus: $-0.7/q + 0.3/(1-q) = 0$ gives the same.)

# %%
q = np.linspace(0.01, 0.99, 99)
likelihood = q**7 * (1 - q) ** 3
assert np.allclose(-np.log(likelihood) / 10, of_two(0.7, q))
round(float(q[likelihood.argmax()]), 2)

# %% [markdown]
# The same for a die. With $n_k$ throws of face $k$ the likelihood is $\prod_k q_k^{n_k}$, and $-\frac1n \log$ of it is
# $-\sum_k \frac{n_k}{n} \log q_k$: cross-entropy again. Throw a loaded die 600 times.

# %%
loaded = np.array([0.10, 0.15, 0.15, 0.15, 0.15, 0.30])
throws = np.random.default_rng(1).choice(6, size=600, p=loaded)
shares = np.bincount(throws, minlength=6) / 600
float(np.prod(shares[throws]))  # the likelihood of the best fit there is

# %% [markdown]
# Zero! This product of 600 probabilities is smaller than any positive number that `float64` can hold. This is the practical reason for logarithms: the sum of
# 600 surprises is a tame number. And no other die explains the throws better than the observed shares:

# %%
others = np.random.default_rng(2).dirichlet(np.ones(6), 5_000)
log_likelihood = np.log(others[:, throws]).sum(axis=1)
best = np.log(shares[throws]).sum()
assert np.isclose(-best / 600, cross_entropy(shares, shares)) and (log_likelihood < best).all()
round(float(best), 1)

# %% [markdown]
# A classifier is such a die for every ticket, loaded by what the ticket says. The likelihood of all labels is $\prod_i P_{i, y_i}$, and
#
# $$ L = -\frac{1}{n} \sum_{i=1}^{n} \log P_{i,\,y_i} $$
#
# is `mean_surprise`. Three roads, one number: **least mean surprise, least cross-entropy, maximum likelihood.**
#
# ### Check the article
#
# Section A4.2 prints the loss as $L = -\sum_{i=1}^{n} y_i \log(p_i)$ and explains: $y_i$ is the true label *of the $i$-th sample*, $p_i$ the
# predicted probability *of the $i$-th sample*. One line of code is enough for it; what $i$ counts is for the caller to say.


# %%
def as_printed(y, p):
    return -xlogy(y, p).sum()


# %% [markdown]
# First let $i$ count the *classes* of one ticket, and let $y$ be 1 at the right class, 0 elsewhere (*one-hot*). The last ticket of `B`:

# %%
over_classes = as_printed(np.array([0, 1, 0]), B[3])
assert np.isclose(over_classes, surprise(0.4))
round(float(over_classes), 3)

# %% [markdown]
# Right. Now as explained, over samples. Eight customers, of whom the last two leave ($y_i = 1$). One model has learnt something; the
# other is an alarmist: *everyone* leaves, with probability 1. Beside the printed formula stands the right one for two classes, where the model gives $p_i$ to
# "leaves" and $1 - p_i$ to "stays": $-\frac1n \sum_i \big[\,y_i \log p_i + (1-y_i) \log(1-p_i)\,\big]$, the mean of `of_two`.
#
# **Predict first.** What does the printed formula say of the alarmist?

# %%
leaves = np.array([0, 0, 0, 0, 0, 0, 1, 1])
models = {"learnt": np.array([0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.7, 0.6]), "alarmist": np.ones(8)}
printed = {name: as_printed(leaves, p) for name, p in models.items()}
right = {name: of_two(leaves, p).mean() for name, p in models.items()}
pd.DataFrame({"as printed": printed, "right": right}).round(3) + 0.0  # makes −0 a 0

# %% [markdown]
# The alarmist gets 0, the best score there is, from the printed formula, and an infinite one from the right formula: it called six things certain that did not happen. The
# reason is plain. Where $y_i = 0$ the whole term is gone, so the customers who stayed are not in the sum at all. A model that minimises it has
# nothing to learn from them; their gradient is zero. And a sum over samples doubles when the same data come twice, where a mean
# stays.

# %%
p = models["learnt"].copy()
slope = gradcheck.central_difference(lambda: as_printed(leaves, p), p)
ignored = int((slope == 0).sum())
twice = as_printed(np.tile(leaves, 2), np.tile(p, 2)) / as_printed(leaves, p)
ignored, round(float(twice), 1)

# %% [markdown]
# Six of the eight customers do not move it at all. The verdict:

# %%
blind = printed["alarmist"] < printed["learnt"] and ignored == (leaves == 0).sum()
fine_over_classes = np.isclose(over_classes, surprise(B[3, 1]))
claims.record(
    "c06",
    verdict="misprinted" if blind and fine_over_classes else "holds" if not blind else "wrong",
    evidence=f"over the classes of one ticket {over_classes:.3f} = −log 0.4; over samples "
    f"a model that says 1 to everyone gets {abs(printed['alarmist']):.0f}, one that has "
    f"learnt {printed['learnt']:.3f}; {ignored} of 8 samples are ignored",
)

# %% [markdown]
# The idea is right, the index is not: $i$ runs over *classes*, for one example, and over a batch you take the mean.

# %% [markdown]
# ## 4 · Softmax: from scores to probabilities
#
# A model computes scores that may be any numbers, its **logits** $z_1, \dots, z_K$. Probabilities must be positive and add up to one. How do you get from one
# to the other? Let a *difference* of logits be the logarithm of a *ratio* of probabilities, so that adding to a score multiplies its odds:
#
# $$ z_j - z_k = \log \frac{p_j}{p_k} \quad\Longrightarrow\quad p_j = p_k\, e^{z_j - z_k}. $$
#
# Sum over $j$; the left side is one: $\;1 = p_k \sum_j e^{z_j - z_k} = p_k\, e^{-z_k} \sum_j e^{z_j}$. Solve for $p_k$:
#
# $$ p_k = \operatorname{softmax}(z)_k = \frac{e^{z_k}}{\sum_j e^{z_j}}. $$
#
# First just as it stands; each row of `Z` is one example.


# %%
def softmax_as_written(Z):
    E = np.exp(Z)
    return E / E.sum(axis=-1, keepdims=True)


softmax_as_written(np.array([2.0, 1.0, 0.0])).round(3)

# %% [markdown]
# Only differences went in, so a number added to *all* logits must change nothing:

# %%
z = np.array([2.0, 1.0, 0.0])
assert np.allclose(softmax_as_written(z + 100), softmax_as_written(z))

# %% [markdown]
# **Predict first.** In `float32`, then. What does `softmax_as_written` give for the logits 102, 101 and 100?

# %%
with np.errstate(over="ignore", invalid="ignore"):
    single = softmax_as_written(np.array([102, 101, 100], dtype="float32"))
    double = softmax_as_written(np.array([1002, 1001, 1000], dtype="float64"))
assert np.isnan(single).all() and np.isnan(double).all()
single, double

# %% [markdown]
# `nan`: not a number, and nearly all arithmetic that touches it gives `nan` too. $e^{102}$ is too large for `float32`, so it becomes infinity, and infinity over
# infinity has no value. `float64` only moves the cliff. Where does it stand?

# %%
{
    name: round(float(np.log(np.finfo(name).max)), 1)
    for name in ("float16", "float32", "float64")
}

# %% [markdown]
# A logit of 89 breaks it in `float32`; in `float16`, 12 is enough. (`bfloat16`, in which many large models run, reaches as far as `float32`.) There is a
# second cliff, at the other end. The loss of a confident mistake needs $\log p$ for a tiny $p$:

# %%
with np.errstate(divide="ignore"):
    naive = surprise(softmax_as_written(np.array([0.0, 700.0, -100.0]))[2])
assert np.isinf(naive)
float(naive)

# %% [markdown]
# The true value is 800, a perfectly ordinary number: $p = e^{-800}$ was rounded to zero before the logarithm could bring it back. The cure
# for both is the freedom you have just seen. Subtract the largest logit $m = \max_j z_j$ first, and *simplify before you compute*:
#
# $$ \log \sum_j e^{z_j} \;=\; \log \Big( e^{m} \sum_j e^{z_j - m} \Big) \;=\; m + \log \sum_j e^{z_j - m}. $$
#
# The largest exponent is now 0, so nothing overflows; that term is $1$, so the sum lies between 1 and $K$, and its logarithm is harmless. This is
# **log-sum-exp**, and the loss of one example is $-\log p_y = \operatorname{lse}(z) - z_y$: no probability is ever formed.


# %%
def log_sum_exp(Z):
    m = Z.max(axis=-1, keepdims=True)
    return (m + np.log(np.exp(Z - m).sum(axis=-1, keepdims=True)))[..., 0]


def softmax(Z):
    E = np.exp(Z - Z.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def loss_of(Z, y):
    return (log_sum_exp(Z) - Z[np.arange(len(y)), y]).mean()


# %% [markdown]
# The same inputs once more, and the same functions of SciPy on random logits of every size:

# %%
from scipy import special

Z = rng.normal(size=(200, 5)) * 10.0 ** rng.integers(-2, 4, size=(200, 1))
assert np.allclose(log_sum_exp(Z), special.logsumexp(Z, axis=1), rtol=1e-12)
assert np.allclose(softmax(Z), special.softmax(Z, axis=1), rtol=1e-12, atol=0)
assert loss_of(np.array([[0.0, 700.0, -100.0]]), np.array([2])) == 800
softmax(np.array([1002.0, 1001.0, 1000.0])).round(3)

# %% [markdown]
# **On Monday:** if your loss becomes `nan`, look first for a softmax followed by a logarithm. Give the framework the *logits*
# (`from_logits=True` in Keras) and let it do the above.
#
# **Predict first.** What becomes of the probabilities when all logits are multiplied by 10? By a tenth?
#
# <details><summary>Answer</summary>
#
# Times ten, the largest takes nearly everything; times a tenth, they become nearly equal. Language models expose this as the *temperature* $T$: they
# use $\operatorname{softmax}(z / T)$. Low temperature is bold, high temperature is random.
#
# </details>

# %%
pd.DataFrame({f"z × {factor:g}": softmax(z * factor) for factor in (1, 10, 0.1)}).T.round(3)

# %% [markdown]
# ### The gradient
#
# How does the loss change with each logit? Take one example, $\ell = \operatorname{lse}(z) - z_y$, and differentiate by $z_k$, term by term.
#
# 1. By the chain rule, $\displaystyle \frac{\partial}{\partial z_k} \log \sum_j e^{z_j} = \frac{1}{\sum_j e^{z_j}} \cdot e^{z_k} = p_k$. The slope of log-sum-exp *is* softmax.
# 2. $\displaystyle \frac{\partial z_y}{\partial z_k}$ is 1 where $k = y$ and 0 elsewhere: the one-hot label, $Y_k$.
# 3. Together: $\displaystyle \frac{\partial \ell}{\partial z_k} = p_k - Y_k$.
#
# Prediction minus truth; nothing else is left of all those logarithms. For the mean over $n$ examples each row gets its share:
#
# $$ \nabla_Z L = \frac{P - Y}{n}. $$


# %%
def one_hot(y, classes):
    return np.eye(classes)[y]


def gradient_of_loss(Z, y):
    return (softmax(Z) - one_hot(y, Z.shape[1])) / len(y)


# %% [markdown]
# Is it true? The loss itself can say: move each logit a little up and down, and look how far the loss moves (a **central difference**, in `float64`). The second
# witness is a framework that differentiates by itself. Starting it takes some seconds; all of the chapter so far ran without.

# %% tags=["nbval-ignore-output"]
course = course.start_framework()

import keras

# %% [markdown]
# Keras states the loss in its own words, with integer labels and logits. `gradcheck.by_framework` asks its backend for the gradient.

# %%
Z = rng.normal(size=(5, 3)) * 3
labels = np.array([0, 2, 1, 1, 0])


def loss_by_keras(Z):
    return keras.ops.mean(
        keras.losses.sparse_categorical_crossentropy(labels, Z, from_logits=True)
    )


(by_keras,) = gradcheck.by_framework(loss_by_keras, Z)
ours = gradient_of_loss(Z, labels)
errors = gradcheck.compare(
    lambda: loss_of(Z, labels), {"Z": Z}, {"Z": ours}, framework={"Z": by_keras}
)
agree = errors[["central difference", "framework"]] < 1e-8
assert agree.all(axis=None)
agree

# %% [markdown]
# Both witnesses agree to eight places. A small consequence: each row of $P - Y$ adds up to $1 - 1 = 0$, the shadow of the shift that changes nothing.

# %%
assert np.allclose(gradient_of_loss(Z, labels).sum(axis=1), 0)

# %% [markdown]
# ## 5 · Downhill
#
# You have a loss and its gradient. Which step makes the loss fall? Near the point $w$ where you stand, a smooth loss is almost a plane:
#
# $$ L(w + d) \approx L(w) + \nabla L(w) \cdot d. $$
#
# Take a step $d$ of a fixed small length $\varepsilon$, at an angle $\varphi$ to the gradient. Then $\nabla L \cdot d = \varepsilon\, \lVert \nabla L \rVert \cos\varphi$, and that is smallest where
# $\cos\varphi = -1$: straight *against* the gradient. Test it on a bowl that bends eight times as much one way as the other,
# $f(w) = \frac12 (w_1^2 + 8 w_2^2)$, by trying all directions.

# %%
curvatures = np.array([1.0, 8.0])


def f(w):
    return 0.5 * (curvatures * w**2).sum(axis=-1)


def gradient_of_f(w):
    return curvatures * w


# %% [markdown]
# A step of length 0.01 from $w = (1, 0.5)$, at 360 angles to the gradient:

# %%
w, angles = np.array([1.0, 0.5]), np.arange(0, 360)
g = gradient_of_f(w)
along, across = g / np.linalg.norm(g), np.array([-g[1], g[0]]) / np.linalg.norm(g)
turn = np.radians(angles)[:, None]
change = f(w + 0.01 * (np.cos(turn) * along + np.sin(turn) * across)) - f(w)
assert np.abs(change - 0.01 * np.linalg.norm(g) * np.cos(turn[:, 0])).max() < 0.01**2 * 8
assert abs(angles[change.argmin()] - 180) <= 1

# %% [markdown]
# As a picture, measured at some angles and predicted by the plane at those between:

# %%
seen, between = angles[::30], angles[15::30]
plane = 0.01 * np.linalg.norm(g) * np.cos(np.radians(between))
table = pd.DataFrame({"angle": np.r_[seen, between], "change": np.r_[change[seen], plane]})
table["how"] = np.repeat(["measured", "by the plane"], len(seen))
figures.lines(
    table.round(5),
    "angle",
    "change",
    "how",
    x_title="angle between step and gradient, degrees",
    y_title="change of the loss",
    alt="The change of the loss is a cosine of the step's angle, lowest against the gradient",
)

# %% [markdown]
# Both lie on one curve: a cosine, lowest at 180°, against the gradient. So step against it, by a length that you choose with the **learning rate** $\alpha$,
# look again, and repeat. That is **gradient descent**:
#
# $$ w \leftarrow w - \alpha\, \nabla L(w). $$


# %%
def descend(gradient, w, alpha, steps):
    path = [w]
    for _ in range(steps):
        w = w - alpha * gradient(w)
        path.append(w)
    return np.array(path)


path = descend(gradient_of_f, np.array([1.0, 0.5]), alpha=0.1, steps=100)
{f"after {t} steps": f"{f(path[t]):.2g}" for t in (0, 10, 100)}

# %% [markdown]
# ### How large a step?
#
# A little way off the plane is no longer true: the surface bends. Take the simplest loss that does, a parabola with **curvature** $\lambda$ (its second
# derivative): $f(w) = \frac{\lambda}{2} w^2$ with the gradient $\lambda w$. One step is
#
# $$ w \leftarrow w - \alpha \lambda w = (1 - \alpha\lambda)\, w. $$
#
# Every step multiplies the error by the same factor. After $t$ steps it is $(1 - \alpha\lambda)^t\, w_0$: it dies out where
# $\lvert 1 - \alpha\lambda \rvert < 1$, which is
#
# $$ 0 < \alpha < \frac{2}{\lambda}. $$
#
# (Many books call the largest curvature $L$ and write $2/L$; here $L$ is the loss.) With $\lambda = 8$ the border is $0.25$.

# %%
fates = {alpha: descend(lambda w: 8 * w, 1.0, alpha, 100) for alpha in (0.05, 0.24, 0.25, 0.26)}
for alpha, path in fates.items():
    assert np.allclose(path, (1 - 8 * alpha) ** np.arange(101), rtol=1e-9)
table = {f"α = {alpha}": path[[0, 1, 2, 3, 100]] for alpha, path in fates.items()}
pd.DataFrame(table, index=["start", "step 1", "step 2", "step 3", "step 100"]).T.round(4)

# %% [markdown]
# A small rate creeps in from one side. A rate near the border leaps across the minimum each time and still gets there. Exactly on the border it
# cycles between $1$ and $-1$ for ever; a hundredth above, it is gone. Move the slider of this figure; it works without a kernel.

# %%
import plotly.graph_objects as go

rates = [0.02, 0.05, 0.1, 0.125, 0.15, 0.2, 0.24, 0.25, 0.26, 0.27]
paths = {rate: descend(lambda w: 8 * w, 1.0, rate, 12).round(4) for rate in rates}


def walked(rate):
    style = {
        "mode": "lines+markers",
        "name": "12 steps",
        "line": {"color": "#0072B2", "dash": "dot"},
    }
    return go.Scatter(x=paths[rate], y=(4 * paths[rate] ** 2).round(4), **style)


# %% [markdown]
# One frame for each rate, and a slider that goes from frame to frame:

# %%
w_axis = np.linspace(-2.5, 2.5, 61).round(3)
bowl = go.Scatter(
    x=w_axis, y=(4 * w_axis**2).round(3), mode="lines", name="4 w²", line={"color": "#6B7280"}
)
figure = go.Figure([bowl, walked(0.05)])
figure.frames = [go.Frame(data=[walked(r)], traces=[1], name=str(r)) for r in rates]
at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}
moves = [{"label": str(r), "method": "animate", "args": [[str(r)], at_once]} for r in rates]
slider = {"steps": moves, "currentvalue": {"prefix": "learning rate: "}, "pad": {"t": 48}}
alt = "Twelve steps on a parabola: small rates creep, rates near 0.25 leap across, larger ones leave"
figure.update_layout(
    meta={"alt": alt}, width=720, height=430, sliders=[{**slider, "active": 1}]
)
figure.update_xaxes(title_text="w", range=[-2.5, 2.5])
figure.update_yaxes(title_text="loss", range=[-1, 24])
figure

# %% [markdown]
# Up to 0.125 the path stays on its side, and at 0.125, which is $1/\lambda$, it needs *one* step. Above, it zigzags; from 0.25 on it never
# arrives.
#
# In several dimensions a bowl has several curvatures, and one learning rate has to serve them all. The *largest* sets the limit, the *smallest* the
# speed. Their ratio is the **condition number** $\kappa = \lambda_{\max}/\lambda_{\min}$. The best constant rate makes both ends shrink alike, $1 - \alpha\lambda_{\min} = -(1 - \alpha\lambda_{\max})$, so
#
# $$ \alpha = \frac{2}{\lambda_{\min} + \lambda_{\max}}, \qquad \text{factor for each step} \quad \frac{\kappa - 1}{\kappa + 1}. $$


# %%
def steps_needed(kappa, within=1e-6):
    lam = np.array([1.0, kappa])
    path = descend(lambda w: lam * w, np.ones(2), 2 / lam.sum(), 4_000)
    assert np.allclose(
        np.abs(path), ((kappa - 1) / (kappa + 1)) ** np.arange(4_001)[:, None], atol=1e-9
    )
    return int((np.abs(path).max(axis=1) > within).sum())


pd.Series(
    {kappa: steps_needed(kappa) for kappa in (1, 10, 100)}, name="steps to a millionth"
).to_frame()

# %% [markdown]
# A round bowl takes one step. With $\kappa = 100$, a bowl ten times as long as it is wide (lengths go by the root of the curvatures), it is hundreds. Most of what section 8
# does is aimed at this column.
#
# ### Check the article
#
# Section A4.2 gives the rule $w \leftarrow w - \alpha \nabla L$ and says no word about $\alpha$. On the parabola you have both sides of the border. Is $2/\lambda$ then a law for *all* losses? Two
# others answer. The first, $\log\cosh w$, is a parabola near zero and straight further out; its gradient is $\tanh w$, and its curvature
# $1 - \tanh^2 w$ is nowhere above $\lambda = 1$. Take $\alpha = 4$, twice the border. (Each line below is printed so that it begins with a plus.)

# %%
for start in (0.01, 1.0, -3.0, 10.0):
    end = descend(np.tanh, start, alpha=4.0, steps=300)[-4:]
    print(f"from {start:5}: … {' '.join(f'{w:+.4f}' for w in np.sign(end[0]) * end)}")

# %% [markdown]
# It neither converges nor runs away: from all four starts it falls into the same **cycle**, from one wall to the other and back. A pencil finds the
# equation, a root finder its number. A step must turn $w$ into $-w$, so $w - \alpha \tanh w = -w$, or $2w = \alpha \tanh w$.

# %%
from scipy.optimize import brentq

corner = brentq(lambda w: 2 * w - 4 * np.tanh(w), 0.1, 10)
assert np.allclose(np.abs(end), corner)
round(corner, 4)

# %% [markdown]
# The second: **logistic loss** on examples that a line can separate. Two classes, written as $y_i = \pm 1$; the loss is
# $\frac1n \sum_i \log(1 + e^{-y_i\, x_i \cdot w})$. Write $\sigma(u) = 1/(1 + e^{-u})$ (SciPy's
# `expit`). The derivative of $\log(1 + e^{-u})$ is $-\sigma(-u)$, the second is $\sigma(u)(1 - \sigma(u))$: largest at $u = 0$, where it is $\frac14$. So at $w = 0$ every example bends most.

# %%
signed = np.array([[2.0, 1.0], [-1.0, 2.0], [3.0, -2.0]])  # the rows y_i x_i


def logistic(w):
    return np.logaddexp(0, -(signed @ w)).mean()


def gradient_of_logistic(w):
    return -(signed * special.expit(-(signed @ w))[:, None]).mean(axis=0)


# %% [markdown]
# The gradient is checked like every other, then ten times the border is taken as the learning rate.
#
# **Predict first.** Does it diverge?

# %%
w = np.array([0.3, -0.2])
errors = gradcheck.compare(lambda: logistic(w), {"w": w}, {"w": gradient_of_logistic(w)})
assert (errors["central difference"] < 1e-8).all()
border = 2 / (np.linalg.eigvalsh(signed.T @ signed / 3)[-1] / 4)
path = descend(gradient_of_logistic, np.zeros(2), 10 * border, 300)
losses = np.array([logistic(w) for w in path])
calm = logistic(descend(gradient_of_logistic, np.zeros(2), border / 2, 300)[-1])
assert (np.diff(losses[:4]) > 0).all() and losses[-1] < calm / 10
at = [0, 1, 2, 3, 4, 300]
pd.Series(losses[at], index=at, name="loss").round(5).to_frame().T

# %% [markdown]
# It goes *up* for three steps, and then falls, to less than a tenth of what half the border reaches in the same 300 steps. Far out this loss is nearly flat, so its
# curvature shrinks on the way: a step that is too long at the start need not be too long for ever. Three losses, three fates:

# %%
below, above = abs(fates[0.24][-1]) < 1e-3, abs(fates[0.26][-1]) > 1e3
cycles = np.allclose(end[2:], end[:2]) and np.allclose(end[1], -end[0])
still_falls = losses[3] > losses[0] and losses[-1] < 1e-4
conditional = below and (above or cycles)
claims.record(
    "c07",
    verdict="wrong" if not below else "holds with a condition" if conditional else "holds",
    evidence=f"quadratic, curvature 8: after 100 steps |w| is {abs(fates[0.24][-1]):.4f} with "
    f"α = 0.24 and {abs(fates[0.26][-1]):.0f} with 0.26; log cosh at twice 2/λ "
    f"{f'cycles between ±{corner:.3f}' if cycles else 'does not cycle'}; separable logistic "
    f"loss at ten times 2/λ goes from {losses[0]:.3f} up to {losses.max():.3f} and "
    f"{f'down to {losses[-1]:.1e}' if still_falls else 'stays up'}",
)

# %% [markdown]
# So the rule holds on a condition. *Below* the border there is a law for every smooth loss. If no curvature anywhere exceeds $\lambda$, the loss lies under the plane plus a parabola, and the
# step $-\alpha g$ with $g = \nabla L(w)$ gives
#
# $$ L(w - \alpha g) \;\le\; L(w) - \alpha {\lVert g \rVert}^2 + \tfrac{\lambda}{2} \alpha^2 {\lVert g \rVert}^2 = L(w) - \alpha \big(1 - \tfrac{\alpha\lambda}{2}\big) {\lVert g \rVert}^2 . $$
#
# For $0 < \alpha < 2/\lambda$ it falls at every step until the gradient is zero. *Above* the border only the parabola is sure to diverge. If your loss climbs or jumps about from the first steps, divide the
# learning rate by ten before you suspect anything else.
#
# Do not lean on the logistic loss's good nature, either. It needs classes that can be separated. Two customers alike in everything, one of whom stays and one leaves,
# have the loss $\frac12 [\log(1 + e^{-w}) + \log(1 + e^{w})]$, and that is an old acquaintance:

# %%
w = np.linspace(-5, 5, 101)
overlapping = (np.logaddexp(0, -w) + np.logaddexp(0, w)) / 2
assert np.allclose(overlapping, np.log(2 * np.cosh(w / 2)))

# %% [markdown]
# It is $\log \cosh$ once more, of $w/2$: curvature $\frac14$ at most, border 8, and at twice that it cycles as that does. (Meng and others, 2024, build overlapping data on which it cycles at rates
# below $2/\lambda$, with the $\lambda$ at the minimum; Wu and others, 2024, prove that on separable data the loss goes to zero with every constant rate.)

# %% [markdown]
# ## 6 · A classifier by hand
#
# Now put it together. **Softmax regression** is one dense layer and a softmax: $Z = XW + b$. The data are scikit-learn's digits: 8 × 8 pixels, ten classes, in the
# order of the sheets of paper on which they were written. The first eight sheets, 1,029 digits, are for training, the rest, by other people, for the test.

# %%
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, y_train, X_test, y_test = X[:1029], y[:1029], X[1029:], y[1029:]
X_train.shape, X_test.shape

# %% [markdown]
# The loss, with a small addition: $\frac{c}{2} {\lVert W \rVert}^2$ pulls every weight towards zero. Without it a class that can be separated perfectly would
# drive its weights to infinity: the logistic loss above falls for ever and has no minimum.
#
# $$ L(W, b) = \frac1n \sum_i \Big[ \operatorname{lse}(Z_i) - Z_{i, y_i} \Big] + \frac{c}{2} \sum_{j,k} W_{jk}^2. $$
#
# The gradient, step by step:
#
# 1. With $D = (P - Y)/n$, section 4 says: $\partial L / \partial Z_{ik} = D_{ik}$ (without the addition).
# 2. $Z_{ik} = \sum_j X_{ij} W_{jk} + b_k$, so $W_{jk}$ moves $Z_{ik}$ by $X_{ij}$, in every row $i$.
# 3. Chain rule: $\displaystyle \frac{\partial L}{\partial W_{jk}} = \sum_i X_{ij} D_{ik} = (X^{\mathsf T} D)_{jk}$. The addition contributes $c\, W_{jk}$.
# 4. $b_k$ moves $Z_{ik}$ by 1 in every row: $\displaystyle \frac{\partial L}{\partial b_k} = \sum_i D_{ik}$.


# %%
def objective(X, y, W, b, c):
    return loss_of(X @ W + b, y) + c / 2 * (W**2).sum()


def gradients(X, y, W, b, c):
    D = gradient_of_loss(X @ W + b, y)
    return X.T @ D + c * W, D.sum(axis=0)


# %% [markdown]
# As always, two witnesses: the loss itself and the framework.

# %%
few, c = slice(0, 20), 0.01
W, b = rng.normal(size=(64, 10)) * 0.1, rng.normal(size=10)
ours = dict(zip("Wb", gradients(X_train[few], y_train[few], W, b, c), strict=True))


def objective_by_keras(W, b):
    Z = keras.ops.matmul(X_train[few], W) + b
    losses = keras.losses.sparse_categorical_crossentropy(y_train[few], Z, from_logits=True)
    return keras.ops.mean(losses) + c / 2 * keras.ops.sum(W**2)


theirs = dict(zip("Wb", gradcheck.by_framework(objective_by_keras, W, b), strict=True))
errors = gradcheck.compare(
    lambda: objective(X_train[few], y_train[few], W, b, c),
    {"W": W, "b": b},
    ours,
    framework=theirs,
)
agree = errors[["central difference", "framework"]] < 1e-7
assert agree.all(axis=None)
agree.assign(shape=errors["shape"])

# %% [markdown]
# ### A learning rate without guessing
#
# The limit needs the largest curvature. Differentiate $p_k = e^{z_k} / \sum_j e^{z_j}$ by $z_j$ with the quotient rule: $\partial p_k / \partial z_j = p_k Y_{kj} - p_k p_j$, where
# $Y_{kj}$ is 1 for $j = k$ and else 0. So the second derivatives of log-sum-exp are the matrix $\operatorname{diag}(p) - p p^{\mathsf T}$. How much can it bend? Along a direction $v$ the matrix gives
# $\sum_k p_k v_k^2 - (\sum_k p_k v_k)^2$, which is the *variance* of $v$ under $p$. A variance is at most the mean squared distance from any fixed number; take the middle of the range, from which
# nothing is further than half the range. Last, $(a - b)^2 \le 2a^2 + 2b^2$:
#
# $$ v^{\mathsf T} (\operatorname{diag}(p) - p p^{\mathsf T})\, v = \operatorname{Var}_p(v) \le \tfrac14 (\max v - \min v)^2 \le \tfrac12 {\lVert v \rVert}^2. $$
#
# Check the matrix by central differences, and the bound on 500 random $p$:


# %%
def second_derivatives(p):
    return np.diag(p) - np.outer(p, p)


z = rng.normal(size=4)
slopes = [gradcheck.central_difference(lambda k=k: softmax(z)[k], z) for k in range(4)]
assert np.allclose(slopes, second_derivatives(softmax(z)), atol=1e-9)
largest = [
    np.linalg.eigvalsh(second_derivatives(p))[-1] for p in rng.dirichlet(np.ones(4), 500)
]
assert max(largest) <= 0.5

# %% [markdown]
# From the logits to the parameters: let $X$ have a column of ones for the bias. A change $V$ of the parameters moves the logits of row $i$ by $v_i = V^{\mathsf T} x_i$, so the curvature along it is at most
# $\frac1n \sum_i \frac12 {\lVert v_i \rVert}^2 = \frac{1}{2n} {\lVert X V \rVert}^2$. The most that ${\lVert X V \rVert}^2 / n$ can be for $\lVert V \rVert = 1$ is called the largest *eigenvalue* of
# $X^{\mathsf T} X / n$; NumPy computes it. So no curvature of $L$ exceeds half of it, plus $c$. This is a bound, not the curvature itself, and a bound is what a safe rate needs.


# %%
def largest_curvature(X, c):
    with_ones = np.column_stack([X, np.ones(len(X))])
    return np.linalg.eigvalsh(with_ones.T @ with_ones / len(X))[-1] / 2 + c


mean = X_train.mean(axis=0)
spaces = {"as they are": X_train, "centred": X_train - mean}
{name: round(float(largest_curvature(A, c)), 2) for name, A in spaces.items()}

# %% [markdown]
# A gift: subtract each pixel's mean from the data, and the bound is more than ten times smaller, so the safe step is more than ten times larger. The
# mean made one steep direction that all pixels shared. **Centre your inputs** (and bring them to one scale): it is the cheapest optimiser there is.
# The test data get the *training* mean; a mean of their own would be knowledge from the test.

# %%
assert largest_curvature(X[:1029], c) > 10 * largest_curvature(X[:1029] - mean, c)
X_train, X_test = X[:1029] - mean, X[1029:] - mean


def train(X, y, c, alpha, steps):
    W, b = np.zeros((X.shape[1], y.max() + 1)), np.zeros(y.max() + 1)
    losses = [objective(X, y, W, b, c)]
    for _ in range(steps):
        dW, db = gradients(X, y, W, b, c)
        W, b = W - alpha * dW, b - alpha * db
        losses.append(objective(X, y, W, b, c))
    return W, b, np.array(losses)


# %% [markdown]
# With all parameters zero every class gets a tenth, so the loss must begin at $\log 10$. And with $\alpha = 1/\lambda$, for $\lambda$ the bound just found, section 5 says that it must fall at *every* step.

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
alpha = 1 / largest_curvature(X_train, c)
W, b, losses = train(X_train, y_train, c, alpha, steps=300)
assert np.isclose(losses[0], np.log(10)) and (np.diff(losses) < 1e-12).all()
at = [0, 1, 10, 100, 300]
pd.Series(losses[at], index=at, name="loss").round(4).to_frame().T

# %% [markdown]
# ### An outsider's verdict
#
# scikit-learn minimises the same function with another method (L-BFGS), written by other people. It *sums* the losses and puts a
# factor `C` before them: $\frac12 {\lVert W \rVert}^2 + C \sum_i \ell_i$. Divide by $nC$ to see that $c = 1/(nC)$.

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
from sklearn.linear_model import LogisticRegression

settings = {"C": 1 / (len(X_train) * c), "tol": 1e-8, "max_iter": 2_000}
theirs = LogisticRegression(**settings).fit(X_train, y_train)
difference = max(np.abs(theirs.coef_.T - W).max(), np.abs(theirs.intercept_ - b).max())
loss_of_theirs = objective(X_train, y_train, theirs.coef_.T, theirs.intercept_, c)
assert difference < 1e-3 and abs(loss_of_theirs - losses[-1]) < 1e-6
f"largest weight {np.abs(W).max():.2f}; all 650 parameters agree within 0.001"

# %% [markdown]
# A few lines of NumPy and a library agree on every parameter. And on digits by people whom neither has seen, both are right on:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
answers = (X_test @ W + b).argmax(axis=1)
assert (answers == theirs.predict(X_test)).mean() > 0.99
assert abs((answers == y_test).mean() - 0.92) < 0.03
f"{(answers == y_test).mean():.0%} of {len(y_test)} test digits"

# %% [markdown]
# What did it learn? A weight for each pixel and class: here as pictures, orange for ink that speaks for the class, blue for ink that speaks against it.

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
figures.image_grid(
    W.T.reshape(10, 8, 8).round(3),
    [str(k) for k in range(10)],
    signed=True,
    columns=10,
    cell=64,
    alt="Ten pictures of weights; that of 0 is blue in the middle and orange around it",
)

# %% [markdown]
# The 0 wants ink in a ring and none in the hole. It is one template a class, and no more: softmax regression cannot know two ways to write a
# 7. Chapter 03 gives it a hidden layer.

# %% [markdown]
# ## 7 · A part for the whole: stochastic gradients
#
# Each of those steps read all 1,029 examples. With a hundred million you would wait long for the first step. Take a *batch* of $B$ examples, drawn at random, and
# use their gradient. Is that allowed? The gradient is a mean over examples, $g = \frac1n \sum_i g_i$. A random example has $g_i$ with probability $1/n$ each, so
# its expectation is
#
# $$ \mathbb{E}[g_{\text{random}}] = \sum_i \tfrac1n\, g_i = g, $$
#
# and a mean of $B$ such draws has the same expectation. It is right *on average* (**unbiased**). No need to believe averages over random draws: for six examples, try every batch of two there is.

# %%
from itertools import combinations


def gradient_of(rows, W, b):
    return gradients(X_train[rows], y_train[rows], W, b, c=0)[0]


W_half, b_half, _ = train(X_train, y_train, c, alpha, steps=20)  # somewhere on the way
batches = [gradient_of(list(pair), W_half, b_half) for pair in combinations(range(6), 2)]
assert np.allclose(
    np.mean(batches, axis=0),
    gradient_of(list(range(6)), W_half, b_half),
    rtol=1e-10,
    atol=1e-14,
)
len(batches)

# %% [markdown]
# The mean of all fifteen is the full gradient, but for rounding. And how far off is a single batch? Variances of independent draws add, so the mean of $B$ of them has the
# variance $\sigma^2 / B$: the noise falls like $1/\sqrt{B}$. Measure it: the root mean square distance from the full gradient, over 300 draws.

# %%
D = softmax(X_train @ W_half + b_half) - one_hot(y_train, 10)
each = (X_train[:, :, None] * D[:, None, :]).reshape(len(D), -1)  # every example's gradient
full = each.mean(axis=0)
sigma = np.sqrt(((each - full) ** 2).sum(axis=1).mean())
sizes, noise = [1, 4, 16, 64, 256], []
for size in sizes:
    draws = [each[rng.integers(0, len(each), size)].mean(axis=0) - full for _ in range(300)]
    noise.append(np.sqrt((np.array(draws) ** 2).sum(axis=1).mean()))
assert np.allclose(noise, sigma / np.sqrt(sizes), rtol=0.15)

# %% [markdown]
# Beside the prediction, on logarithmic axes:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
predicted = sigma / np.sqrt(sizes)
table = pd.DataFrame({"batch": sizes, "measured": noise, "σ / √B": predicted}).round(4)
figures.lines(
    table.melt("batch", var_name="how", value_name="noise"),
    "batch",
    "noise",
    "how",
    x_title="examples in a batch",
    y_title="distance from the full gradient",
    logarithmic="xy",
    alt="A batch's noise falls along a straight line of slope −1/2 on logarithmic axes",
)

# %% [markdown]
# A straight line with slope −½. The trade is lopsided: four times the work *halves* the noise. That is why small batches pay, at first: with the
# same number of examples read, many rough steps beat few exact ones. Five passes over the data, as 5 full steps with the safe rate $1/\lambda \approx 2$, and as 255 batches of about 20 with a rate of 0.5:


# %% tags=["nbval-ignore-output", "compare-within=0.02"]
def train_in_batches(X, y, c, alpha, batch, epochs, seed):
    rng = np.random.default_rng(seed)
    W, b = np.zeros((X.shape[1], y.max() + 1)), np.zeros(y.max() + 1)
    for _ in range(epochs):
        order = rng.permutation(len(y))  # every example once an epoch
        for rows in np.array_split(order, len(y) // batch):
            dW, db = gradients(X[rows], y[rows], W, b, c)
            W, b = W - alpha * dW, b - alpha * db
    return objective(X, y, W, b, c)


whole = train(X_train, y_train, c, alpha, steps=5)[2][-1]
rough = [train_in_batches(X_train, y_train, c, 0.5, 20, 5, seed=s) for s in (seed, seed + 1)]
least = losses[-1]
assert max(rough) - least < 0.1 * (whole - least)
f"5 full steps: {whole:.3f} · 255 small ones: {max(rough):.3f} · minimum: {least:.3f}"

# %% [markdown]
# And at the end? A constant learning rate keeps the noise alive: the small steps stop falling and dance around the minimum, at a distance set by $\alpha$. Fifty epochs, with two
# rates:


# %% tags=["nbval-ignore-output", "compare-within=0.02"]
def above_the_minimum(rate, seed):
    return train_in_batches(X_train, y_train, c, rate, 20, 50, seed) - least


dance = {rate: [above_the_minimum(rate, s) for s in (seed, seed + 1)] for rate in (2.0, 0.5)}
assert min(dance[2.0]) > max(dance[0.5])
{f"α = {rate:g}": f"{min(above):.4f} above the minimum" for rate, above in dance.items()}

# %% [markdown]
# The smaller rate dances closer. So rates are lowered towards the end: a *schedule*. Chapter 07 measures what a good one is worth.

# %% [markdown]
# ## 8 · Momentum, RMSProp, Adam
#
# Gradient descent has two troubles: long valleys, where it zigzags across and creeps along, and gradients of very different sizes, for which one rate is
# never right. Three rules answer. Each keeps a little memory beside the parameters, and returns the step and the new memory; $g$ is the gradient. (Only Adam needs the number of the
# step, $t$; all take it, so that one loop can run them.)
#
# **Momentum** (Polyak, 1964). Keep a velocity; old steps fade by $\mu$, usually 0.9:
#
# $$ v \leftarrow \mu v - \alpha g, \qquad w \leftarrow w + v. $$


# %%
def momentum(g, t, v, alpha, mu=0.9):
    v = mu * v - alpha * g
    return v, v


# %% [markdown]
# Where the gradient keeps its direction, the steps add up: $v = -\alpha g\,(1 + \mu + \mu^2 + \dots) \to -\alpha g / (1 - \mu)$, ten times a plain step for $\mu = 0.9$. Where it flips its sign, they cancel. So it
# is fast along a valley and calm across it.

# %%
v = 0.0
for t in range(1, 201):
    step, v = momentum(1.0, t, v, alpha=0.01)
assert np.isclose(step, -0.01 / (1 - 0.9))

# %% [markdown]
# On the bowl with $\kappa = 100$, where plain descent with its best rate took hundreds of steps, momentum with its best constants (Polyak's formulas) takes:

# %%
lam, root = np.array([1.0, 100.0]), 10.0
alpha_best, mu_best = 4 / (1 + root) ** 2, ((root - 1) / (root + 1)) ** 2
w, v, count = np.ones(2), 0.0, 0
while np.abs(w).max() > 1e-6:
    step, v = momentum(lam * w, count, v, alpha_best, mu_best)
    w, count = w + step, count + 1
assert count < steps_needed(100) / 5
count, steps_needed(100)

# %% [markdown]
# The first number is momentum's. Why? On a direction of curvature $\lambda$ one step turns the pair $(w_t, w_{t-1})$ into
# $(w_{t+1}, w_t)$ by a fixed matrix, since $w_{t+1} = w_t + \mu (w_t - w_{t-1}) - \alpha\lambda w_t$. Its eigenvalue of largest absolute value is in size the factor for each step, in the long run:

# %%
pairs = [[[1 + mu_best - alpha_best * bend, -mu_best], [1, 0]] for bend in lam]
factor = np.abs(np.linalg.eigvals(np.array(pairs))).max()
assert np.isclose(factor, (root - 1) / (root + 1), atol=1e-3)
{"momentum": round(float(factor), 2), "plain": round((100 - 1) / (100 + 1), 2)}

# %% [markdown]
# $(\sqrt\kappa - 1)/(\sqrt\kappa + 1)$ instead of $(\kappa - 1)/(\kappa + 1)$: in the long run a bowl of
# condition $\kappa$ shrinks at the rate that one of condition $\sqrt\kappa$ has without momentum. (Not quite as quickly: at Polyak's constants both eigenvalues
# coincide, and the error goes like $t\, r^t$.)
#
# **RMSProp** (Hinton, 2012). Keep a running mean of the *squared* gradient, for each parameter on its own, and divide by its root:
#
# $$ v \leftarrow \rho v + (1 - \rho)\, g^2, \qquad w \leftarrow w - \frac{\alpha\, g}{\sqrt{v + \epsilon}}. $$


# %%
def rmsprop(g, t, v, alpha, rho=0.9, eps=1e-7):
    v = rho * v + (1 - rho) * g**2
    return -alpha * g / np.sqrt(v + eps), v


# %% [markdown]
# **Predict first.** Multiply all gradients by 1,000. What happens to the steps?

# %%
g, v, v_large = np.array([0.5, -2.0, 30.0]), 0.0, 0.0
for t in range(1, 4):
    step, v = rmsprop(g, t, v, alpha=0.1, eps=0)
    step_large, v_large = rmsprop(1_000 * g, t, v_large, alpha=0.1, eps=0)
assert np.allclose(step, step_large)
step.round(3)

# %% [markdown]
# Nothing, and all three entries move equally far though their gradients differ sixtyfold: the size cancels, the sign stays. A parameter whose gradients are
# always tiny moves like the others, as long as $g^2$ is far above $\epsilon$ (for $10^{-7}$: $\lvert g \rvert$ far above 0.0003).
#
# **Adam** (Kingma and Ba, 2015) takes both ideas, a running mean of the gradient over the root of a running mean of its square:
#
# $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1-\beta_2)\, g^2, $$
#
# and mends their beginning. Both start at zero, so they are too small at first. How much? For a constant gradient, $m$ after $t$ steps is
# $(1-\beta_1)(1 + \beta_1 + \dots + \beta_1^{t-1})\, g = (1 - \beta_1^t)\, g$, by the geometric sum. Divide by that:
#
# $$ \hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad w \leftarrow w - \frac{\alpha\, \hat m}{\sqrt{\hat v} + \epsilon}. $$


# %%
def adam(g, t, memory, alpha, beta_1=0.9, beta_2=0.999, eps=1e-8):
    m, v = memory
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return -alpha * m_hat / (np.sqrt(v_hat) + eps), (m, v)


# %% [markdown]
# So the very first step is $-\alpha$ times the *sign* of the gradient, for every size far above $\epsilon$. That is one reason why "0.001" travels so well from model to model: with Adam
# the learning rate is a *length*, for each parameter.

# %%
step, memory = adam(np.array([1e-3, -2.0, 3e4]), 1, (0.0, 0.0), alpha=0.001)
assert np.allclose(step, [-0.001, 0.001, -0.001], rtol=1e-4)

# %% [markdown]
# ### Are they Keras's?
#
# Feed the same random gradients to ours and to Keras's own, in `float64`, and compare after every step. One trap: Keras keeps the learning rate in
# `float32`, and on TensorFlow passes $\mu$ and the $\beta$ through it too, so that 0.9 becomes 0.89999998. Sums of powers of two survive: a rate of $2^{-6}$, and $7/8$ and $1 - 2^{-10}$ for the memories.

# %%
sequence = np.random.default_rng(seed).normal(size=(30, 4, 3)) * 10.0 ** np.arange(-2, 1)
rate = 2.0**-6


def by_keras(optimiser):
    w, path = keras.Variable(np.zeros((4, 3)), dtype="float64"), []
    for g in sequence:
        optimiser.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [w])
        path.append(keras.ops.convert_to_numpy(w))
    return np.array(path)


def by_hand(rule, memory=0.0, **constants):
    w, path = np.zeros((4, 3)), []
    for t, g in enumerate(sequence, start=1):
        step, memory = rule(g, t, memory, rate, **constants)
        w = w + step
        path.append(w)
    return np.array(path)


# %% [markdown]
# Momentum and RMSProp first:

# %%
gaps = {
    "momentum": by_hand(momentum, mu=7 / 8)
    - by_keras(keras.optimizers.SGD(rate, momentum=7 / 8)),
    "RMSProp": by_hand(rmsprop, rho=7 / 8)
    - by_keras(keras.optimizers.RMSprop(rate, rho=7 / 8)),
}
assert all(np.abs(gap).max() < 1e-12 for gap in gaps.values())

# %% [markdown]
# Equal over all thirty steps, to twelve places. Two conventions hide in that sentence. Keras puts $\epsilon$ *inside* the root of RMSProp (PyTorch outside),
# and $\alpha$ *inside* the velocity of momentum (PyTorch multiplies afterwards), which differs as soon as the rate changes on the way. Now Adam:

# %%
betas = {"beta_1": 7 / 8, "beta_2": 1 - 2**-10}
by_its_adam = by_keras(keras.optimizers.Adam(rate, epsilon=1e-7, **betas))
gap = by_hand(adam, (0.0, 0.0), eps=1e-7, **betas) - by_its_adam
assert 1e-9 < np.abs(gap).max() < 2 * rate  # less than two steps

# %% [markdown]
# Close, and *not* equal. Keras (like TensorFlow before it) takes the form that the paper mentions in passing, cheaper by a division. It puts both corrections into the rate and leaves $v$ as it is:
#
# $$ \alpha_t = \alpha\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}, \qquad w \leftarrow w - \frac{\alpha_t\, m}{\sqrt{v} + \hat\epsilon}. $$
#
# Multiply numerator and denominator of the paper's step by $\sqrt{1 - \beta_2^t}$, and you see that it is the same if $\hat\epsilon = \epsilon \sqrt{1 - \beta_2^t}$. So Keras's `epsilon` is the paper's
# $\hat\epsilon$ ("epsilon hat"), and on the first step, with $\beta_2 = 0.999$, it counts some thirty times as much.


# %%
def adam_keras(g, t, memory, alpha, beta_1=0.9, beta_2=0.999, eps=1e-7):
    m, v = memory
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    alpha_t = alpha * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return -alpha_t * m / (np.sqrt(v) + eps), (m, v)


gap = by_hand(adam_keras, (0.0, 0.0), **betas) - by_its_adam
assert np.abs(gap).max() < 1e-12

# %% [markdown]
# Equal, to twelve places. Does the difference ever matter? Where gradients are as small as $\epsilon$ (a loss was scaled down, say) *and* the run is young: after some thousand steps $\sqrt{1 - \beta_2^t}$ is nearly 1, and the two agree. The first step for a gradient of $10^{-7}$, with $\epsilon = 10^{-7}$ in both
# places:

# %%
tiny = {
    "paper": adam(1e-7, 1, (0, 0), 1.0, eps=1e-7)[0],
    "Keras": adam_keras(1e-7, 1, (0, 0), 1.0, eps=1e-7)[0],
}
assert np.isclose(tiny["paper"] / tiny["Keras"], (1 + 1 / np.sqrt(0.001)) / 2)
{name: f"{step:.3f} α" for name, step in tiny.items()}

# %% [markdown]
# Half a step against a thirtieth. If you port a training run from one framework to another and it comes out different, compare the epsilons before the
# architectures.
#
# **AdamW** (Loshchilov and Hutter, 2019) is what trains most large models: Adam, plus a pull of the weights towards zero that does *not* pass through the
# division by $\sqrt{\hat v}$. You write it in exercise 02-4.

# %% [markdown]
# ## 9 · See it move
#
# Nine losses of two parameters, seen from above: dark is low. First a picture, for a long bowl ($\lambda$ = 1 and 10) and plain descent just below the limit $2/10$:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
explorers.descent_picture(
    "long bowl",
    "gradient descent",
    0.19,
    40,
    alt="Gradient descent zigzags across a long bowl on its way to the minimum; the loss falls slowly",
)

# %% [markdown]
# The path zigzags across the valley, because the rate is near the limit of the steep direction: each step multiplies $w_2$ by $1 - 0.19 \cdot 10 = -0.9$. Here that is the slow
# part; $w_1$, along the valley, is multiplied by $1 - 0.19 = 0.81$. At a rate of 0.05 it is the other way round: $w_2$ halves with every step, and $w_1$, times 0.95, creeps. Now drag the start, choose a loss and an optimiser, and move the learning rate. (This needs a running kernel; in a static view the picture stands for it.)

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
explorers.descent()

# %% [markdown]
# Three things to try:
#
# * *Long bowl, gradient descent.* Raise the rate past 0.2, and the sentence says: diverges. Now choose *log cosh* and a rate of 4: a cycle, and no escape. On *logistic*,
#   even a rate of 20 brings the loss below a millionth.
# * *Curved valley, 200 steps.* Which rates bring the loss below a thousandth? For plain descent those from about 0.2 to 0.45, and above it flies out. For momentum they
#   reach from 0.012 to 0.21, for Adam from 0.17 to 13: you may choose worse and still arrive.
# * *Saddle.* The start lies exactly on the ridge, and plain descent gets stuck at the saddle: its gradient there is zero. Drag the start a hair to the side, and it is free.

# %% [markdown]
# ## 10 · Formulas that are none
#
# Here are all four stages of a model's life in code, small. Section A3.2 of the articles writes each as a product.
#
# ### Check the article
#
# It prints: model choice = task × data; training = data × backpropagation × optimisation; evaluation = validation set × metric; deployment = conversion × integration. A product
# has properties that you can test. It does not care about the order of its factors. Here are the four as what they are: *functions with arguments*.


# %%
def choose(candidates, task, data):
    """Model choice: the number of the candidate with the least loss in this task on these data."""
    scores = [evaluate(parameters, data, task) for parameters in candidates]
    return scores.index(min(scores))


def training(data, gradients, rule):
    """Training: data, a way to get gradients, a rule for the step; gives parameters."""
    (X, y), memory, w = data, 0.0, np.zeros((65, 10))
    for t in range(1, 31):
        step, memory = rule(np.vstack(gradients(X, y, w[:64], w[64], 0.01)), t, memory, 0.5)
        w = w + step
    return w


def evaluate(parameters, data, metric):
    return metric(data[1], softmax(data[0] @ parameters[:64] + parameters[64]))


def deploy(parameters, convert, integrate):
    return integrate(convert(parameters))


# %% [markdown]
# They run, and what they return is of four different kinds: a choice, parameters, a number, and a service that answers.

# %%
fit, held_back = (X_train[:906], y_train[:906]), (X_train[906:], y_train[906:])
w = training(fit, gradients, momentum)


def error_rate(y, P):
    return float((P.argmax(axis=1) != y).mean())


def log_loss(y, P):
    return float(mean_surprise(P, y))


def half(parameters):
    return parameters.astype("float16")


def service(parameters):
    return lambda x: int((x @ parameters[:64] + parameters[64]).argmax())


answer = deploy(w, half, service)
best = choose([0 * w, 0.5 * w, w], log_loss, held_back)
wrong = evaluate(w, held_back, error_rate)
they_run = best == 2 and answer(X_test[0]) == y_test[0] and 0 < wrong < 0.3
assert they_run
best, type(w).__name__, type(wrong).__name__, type(answer).__name__

# %% [markdown]
# Now swap two arguments in each, as one may in a product, and see whether the result is the same.


# %%
def same_when_swapped(function, *arguments):
    """Whether exchanging the last two arguments gives the same; an error is not the same."""
    *first, a, b = arguments
    right = function(*first, a, b)
    try:
        return bool(np.all(function(*first, b, a) == right))
    except Exception:
        return False


swapped = {
    "model choice": same_when_swapped(choose, [0 * w, 0.5 * w, w], log_loss, held_back),
    "training": same_when_swapped(training, fit, gradients, momentum),
    "evaluation": same_when_swapped(evaluate, w, held_back, log_loss),
    "deployment": same_when_swapped(
        lambda p, f, g: deploy(p, f, g)(X_test[0]), w, half, service
    ),
}
assert same_when_swapped(np.multiply, w, 2 * w)  # the control: a product passes
pd.Series(swapped, name="the same when swapped").to_frame()

# %% [markdown]
# None gives another result; each stops with an error, for its arguments are of different kinds: a metric is no data set. Factors that cannot even change places are not factors. A second property: a product of numbers is zero only if one of its factors is. The error rate on those test digits that the model gets right is zero, though neither the set nor the metric is.

# %%
right = (X_test @ w[:64] + w[64]).argmax(axis=1) == y_test
zero = evaluate(w, (X_test[right], y_test[right]), error_rate)
products = sum(swapped.values())
claims.record(
    "c62",
    verdict="holds" if products == 4 and zero else "misprinted" if they_run else "wrong",
    evidence=f"{products} of 4 give the same when two arguments are swapped, as a product must; "
    f"an error rate is {zero:.0f} with neither set nor metric zero; written as functions with "
    f"arguments all four {'run' if they_run else 'fail'}",
)

# %% [markdown]
# The × signs mean "depends on". Written as functions, with their arguments, the slogans become a design: *what goes in, what comes out, in which order?* A model cannot be
# integrated before it is converted, and a metric without the right set tells nothing. When somebody shows you such a formula in a pitch, ask for the function's signature.

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 02-1 · A loss with pencil and paper
# *recall · 6 minutes*
#
# Three tickets with the right teams 2, 0 and 1 (the first team is 0). A model gives them the probabilities (0.2, 0.3, 0.5), (0.8, 0.1, 0.1) and (0.5, 0.25, 0.25). What is
# its loss, the mean cross-entropy in nats? Three decimals are enough.

# %% exercise="02-1"
### BEGIN SOLUTION
answer = -(np.log(0.5) + np.log(0.8) + np.log(0.25)) / 3
### END SOLUTION
check("02-1", answer)

# %% [markdown]
# ### Exercise 02-2 · Log-softmax with a temperature
# *modify · 10 minutes*
#
# Language models report *log-probabilities*: $\log \operatorname{softmax}(z / T)$, for each row of logits. Write it so that logits of any size, ±1,000 say, give finite numbers
# in every row.


# %% exercise="02-2"
def log_softmax(Z, T=1.0):
    """Logits (batch, classes) and a temperature -> log-probabilities, the same shape."""
    ### BEGIN SOLUTION
    Z = Z / T
    return Z - log_sum_exp(Z)[:, None]
    ### END SOLUTION


check("02-2", log_softmax)

# %% [markdown]
# ### Exercise 02-3 · Mistakes with a price
# *modify · 15 minutes*
#
# A misrouted ticket of your largest customer costs more. Give each ticket a price $r_i > 0$, and take the *weighted* mean:
#
# $$ L(W, b) = \frac{\sum_i r_i\, \ell_i}{\sum_i r_i}, \qquad \ell_i = \operatorname{lse}(Z_i) - Z_{i, y_i}, \qquad Z = XW + b. $$
#
# Derive the gradients by $W$ and by $b$, as in section 6 (without the addition $c$), and return both. Equal prices must give back the plain mean.


# %% exercise="02-3"
def weighted_gradients(X, y, W, b, r):
    """(n, inputs), (n,), (inputs, classes), (classes,), (n,) -> the gradients by W and by b."""
    ### BEGIN SOLUTION
    P = softmax(X @ W + b)
    D = r[:, None] * (P - one_hot(y, len(b))) / r.sum()
    return X.T @ D, D.sum(axis=0)
    ### END SOLUTION


check("02-3", weighted_gradients)

# %% [markdown]
# ### Exercise 02-4 · AdamW
# *extend · 15 minutes*
#
# AdamW is the paper's Adam of section 8 with a pull towards zero *beside* the step, not inside the gradient:
#
# $$ w \leftarrow w - \frac{\alpha\, \hat m}{\sqrt{\hat v} + \epsilon} - \alpha\, c\, w, $$
#
# with the $w$ from before the step on the right. Write one step. It returns the new $w$, $m$ and $v$.


# %% exercise="02-4"
def adamw(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    """Parameters, gradient, number of the step (from 1), both running means -> new w, m, v."""
    ### BEGIN SOLUTION
    step, (m, v) = adam(g, t, (m, v), alpha, beta_1, beta_2, eps)
    return w + step - alpha * c * w, m, v
    ### END SOLUTION


check("02-4", adamw)

# %% [markdown]
# ## Recap
#
# * *Surprise:* the loss is the mean of $-\log p_y$. It is the cross-entropy with the truth, least where you believe the truth, never below the entropy; and it is maximum
#   likelihood. Over one example sum over *classes*, over a batch take the mean.
# * *Softmax:* differences of logits are log-ratios of probabilities. Subtract the maximum, stay in logarithms, and the gradient by the logits is $(P - Y)/n$.
# * *The learning rate:* each step multiplies a parabola's error by $1 - \alpha\lambda$. It converges below $2/\lambda$ and diverges above. Every smooth loss falls below $2/\lambda$, with $\lambda$ its largest curvature; above, it may cycle or still fall.
# * *A classifier by hand:* $X^{\mathsf T} D$ and a sum of $D$ are all of it; scikit-learn finds the same 650 parameters. A batch's gradient is right on average, and its noise
#   falls like $1/\sqrt{B}$.
# * *Optimisers:* momentum adds steps up, RMSProp divides by the gradient's size, Adam does both and corrects its beginning. Keras's epsilon is the paper's epsilon hat.

# %% [markdown]
# ## Limits and next
#
# Softmax regression with its small addition is convex: one $W$ is best, and one $b$ but for a number added to all its entries. So every road led there. Deep networks have no such luck: their surfaces have saddles, plateaus and many minima, and what section 5 proves
# holds near a point, not for the whole journey. The gradient noise of section 7 took examples for independent; a stream of tickets from one outage is not. And a falling
# training loss proves that the *machinery* works. Whether the model is any good, chapter 07 asks. Next: chapter 03 puts layers on top of one another and carries $P - Y$ back through them.
#
# **Sources.** C. E. Shannon, "A mathematical theory of communication", *Bell System Technical Journal* 27 (1948), 379–423 · S. Kullback, R. A. Leibler, "On information and sufficiency",
# *Annals of Mathematical Statistics* 22 (1951), 79–86 · L. Bottou, F. E. Curtis, J. Nocedal, "Optimization methods for large-scale machine learning", *SIAM Review* 60 (2018), 223–311 ·
# B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", *USSR Computational Mathematics and Mathematical Physics* 4 (1964), 1–17 · G. Hinton, *Neural Networks for
# Machine Learning*, lecture 6 (2012) (RMSProp) · D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", *ICLR* (2015) · I. Loshchilov, F. Hutter, "Decoupled weight decay
# regularization", *ICLR* (2019) · D. Böhning, "Multinomial logistic regression algorithm", *Annals of the Institute of Statistical Mathematics* 44 (1992), 197–200 (the bound of one half) · J. Wu, P. L. Bartlett, M. Telgarsky, B. Yu, "Large stepsize gradient descent for logistic
# loss", *COLT* (2024) · S. Y. Meng, A. Orvieto, D. Y. Cao, C. De Sa,
# "Gradient descent on logistic regression with non-separable data and large step sizes", arXiv:2406.05033 (2024) · E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine
# Learning Repository (1998) · the first article, sections 3.2 and 4.2.
