# ---
# jupyter:
#   course:
#     chapter: "06"
#     title: Generative adversarial networks
#     requires: ["03", "04"]
#     needs: {quick: [], full: [mnist]}
#     budget: {seconds: 60, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown] tags=["lint-skip-median-cell"]
# # 06 · Generative adversarial networks
#
# You set two networks against each other until one of them can invent, derive every gradient of the game, see it go wrong, and measure what
# comes out of it.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapters 03 and 04, Python and NumPy*

# %% [markdown]
# ## You will be able to
#
# * write down the game of generator and discriminator, derive the best discriminator, and say which distance the game measures;
# * choose a generator loss that still pushes when the generator is bad, and derive its gradient *through* the discriminator;
# * train such a pair, recognise mode collapse by counting, and say why the training is unstable;
# * make 64 × 64 colour images with two convolutional networks, and measure them by two scores, IS and FID, with controls;
# * decide when a product should use generated data, and when it should not.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares the kernel. They stand at the top of every chapter;
# chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, explorers, figures, gradcheck, setup

course = setup("06", profile=profile, seed=seed)

import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from keras import layers, ops
from threadpoolctl import threadpool_limits

one_core = threadpool_limits(
    1, "blas"
)  # matrices this small are faster on one core than shared over many

# %% [markdown]
# ## The question
#
# Your product reads numbers off photographs. You have a thousand labelled ones and want ten thousand; or a partner wants to test with your data,
# and may not have your customers' pictures. Can a program make *new* examples? And how would you know that they are any good?
#
# Begin where you can count. The data are points in the plane: eight clouds on a ring, say eight kinds of customer. A cloud is a **mode** of the
# distribution, a place where examples gather.

# %%
angles = 2 * np.pi * np.arange(8) / 8
centres = 2 * np.column_stack([np.cos(angles), np.sin(angles)])  # (8, 2)
spread = 0.1


def real_points(n, random):
    return centres[random.integers(8, size=n)] + spread * random.normal(size=(n, 2))


# %% [markdown]
# What makes a set of new points good? Three things, each a number. *Good*: the share of points within three standard deviations of a centre.
# *Varied*: the number of modes covered, where a mode counts if it holds at least a fifth of its fair share. *New*: the share of points that are no copies.


# %%
def quality(points):
    """The share within 3 spreads of a centre, and how many of the modes are covered."""
    distance = np.linalg.norm(points[:, None] - centres, axis=2)  # (n, 8)
    good = distance.min(axis=1) <= 3 * spread
    counts = np.bincount(distance.argmin(axis=1)[good], minlength=len(centres))
    return good.mean(), int((counts >= 0.2 * len(points) / len(centres)).sum())


# %% [markdown]
# Two programs that need no network at all: a *bell* (as normal distributions are called from here on) is fitted to the data and drawn from; a
# *copier* hands out the training points again.
#
# **Predict first.** How good, how varied and how new are the bell's points, and the copier's?
#
# <details><summary>Answer</summary>
#
# The bell's are new and lie nearly anywhere: few are good, too few for any mode to count. The copier's are good and varied, and not one is new.
#
# </details>

# %%
random = np.random.default_rng(seed)
training_points = real_points(1000, random)
mean, covariance = training_points.mean(axis=0), np.cov(training_points.T)
baselines = {
    "bell": random.multivariate_normal(mean, covariance, 1000),
    "copier": random.choice(training_points, 1000),
}
rows = {
    name: [*quality(points), (~np.isin(points[:, 0], training_points[:, 0])).mean()]
    for name, points in baselines.items()
}
pd.DataFrame(rows, index=["good", "modes covered", "new"]).T.round(2)

# %% [markdown]
# Keep both in mind. Whoever sells you a generator must beat the bell in the first column *and* the copier in the third. (The third is a weak
# test: a copier that adds a hair's breadth of noise would pass it. Section 11 asks how *near* the copies lie.) The classical way past the bell is
# a formula that fits your data better, and for photographs nobody has one. The idea of this chapter needs none: **let a second network say what
# is wrong with the first one's work.**

# %%
baselines_good = rows["bell"][0]
assert baselines_good < 0.3 and rows["copier"][0] > 0.95 and rows["copier"][2] == 0

# %% [markdown]
# ## 1 · A game for two
#
# The **generator** $G$ turns random numbers $z$ into an example $G(z)$. The **discriminator** $D$ gets an example, real or generated, and answers
# with the probability that it is real. Think of a forger and a detective. Like any classifier with two classes it computes a logit $a(x)$ and
# puts a sigmoid over it:
#
# $$ D(x) = \sigma\big(a(x)\big), \qquad \sigma(a) = \frac{1}{1 + e^{-a}}. $$
#
# It is a good discriminator if $\log D(x)$ is large for real $x$, and $\log(1 - D(x))$ for generated ones. The sum of the two means (written
# $\mathbb{E}$) is the **value** of the game:
#
# $$ V(D, G) = \mathbb{E}_{x \sim p_{\text{data}}}\big[\log D(x)\big] + \mathbb{E}_{z}\big[\log\big(1 - D(G(z))\big)\big]. $$
#
# $D$ wants it large, $G$ wants it small: $\min_G \max_D V(D, G)$, a **minimax** game. Both logarithms can be written with one function, which
# NumPy's `logaddexp` computes without overflow: since $\log \sigma(a) = -\log(1 + e^{-a})$ and $1 - \sigma(a) = \sigma(-a)$,
#
# $$ -\log D = \operatorname{softplus}(-a), \qquad -\log(1 - D) = \operatorname{softplus}(a), \qquad \operatorname{softplus}(a) = \log(1 + e^{a}). $$


# %%
def sigmoid(a):
    return 0.5 * (1 + np.tanh(a / 2))  # the same function; e^-a would overflow for large -a


def softplus(a):
    return np.logaddexp(0, a)  # log(e^0 + e^a)


def value(a_real, a_fake):
    return -softplus(-a_real).mean() - softplus(a_fake).mean()


# %% [markdown]
# **Predict first.** A discriminator that knows nothing answers ½ to everything. What is the value then?
#
# <details><summary>Answer</summary>
#
# $\log \tfrac12 + \log \tfrac12 = -\log 4 = -1.386$. Remember this number: it comes back as the place where the game ends.
#
# </details>

# %%
no_idea = np.zeros(5)
assert np.isclose(value(no_idea, no_idea), -np.log(4))
f"{value(no_idea, no_idea):.3f}"

# %% [markdown]
# To make $V$ large, $D$ minimises $L_D = -V$. That is no new loss: it is the cross-entropy of the labels "real" and "generated", once for each half of
# the batch. So ask Keras, which knows nothing of games.

# %%
random = np.random.default_rng(seed)
a_real, a_fake = random.normal(1, 3, (2, 7))
entropy = keras.losses.BinaryCrossentropy(from_logits=True)
keras_says = entropy(np.ones(7), a_real) + entropy(np.zeros(7), a_fake)
assert np.isclose(-value(a_real, a_fake), float(keras_says), rtol=1e-5)

# %% [markdown]
# ### Check the article
#
# Section B4.1.4 prints the discriminator as $D(x) = \text{ReLU}(W_d \cdot x + b_d)$. Its losses then take $\log D(x)$ and $\log(1 - D(x))$. What numbers would go
# in there? Some small random discriminators of either kind, on points of the ring:

# %%
random = np.random.default_rng(seed)
x = real_points(2000, random).T  # columns, as the article writes them
W_d, b_d = random.normal(size=(50, 2)), random.normal(size=(50, 1))  # 50 discriminators
as_printed = np.maximum(W_d @ x + b_d, 0)
with_sigmoid = sigmoid(W_d @ x + b_d)

# %% [markdown]
# How often is the answer 0, whose logarithm is $-\infty$, and how often above 1, where $\log(1 - D)$ does not exist?

# %%
zero, above = (as_printed == 0).mean(), (as_printed > 1).mean()
between = ((with_sigmoid > 0) & (with_sigmoid < 1)).mean()
claims.record(
    "c27",
    verdict="wrong" if zero > 0 and above > 0 and between == 1 else "holds",
    evidence=f"of the answers of 50 ReLU discriminators {zero:.0%} are 0 (log 0) and {above:.0%} above 1 (log of a negative number); "
    f"of those with a sigmoid {between:.0%} lie strictly between",
)

# %% [markdown]
# Most of its answers spoil one of the two logarithms: a 0 that of a real example, more than 1 that of a generated one. And where ReLU gives 0 its
# slope is 0 too: from there such a discriminator cannot even learn.

# %% [markdown]
# ## 2 · The best discriminator there is
#
# Hold the generator still. Its examples have some density $p_g(x)$, the real ones $p_{\text{data}}(x)$: the share of examples that falls near
# $x$, for each unit of length, area or volume. Then $V$ is one integral,
#
# $$ V = \int p_{\text{data}}(x) \log D(x) + p_g(x) \log\big(1 - D(x)\big)\, dx, $$
#
# and $D$ may choose its answer at each $x$ separately. Write $p$ and $q$ for the two densities there. The derivative by $D$ is zero where
#
# $$ \frac{p}{D} - \frac{q}{1 - D} = 0 \quad\Longleftrightarrow\quad p\,(1 - D) = q\,D \quad\Longleftrightarrow\quad \boxed{D^*(x) = \frac{p_{\text{data}}(x)}{p_{\text{data}}(x) + p_g(x)}} $$
#
# and it is a maximum, since the second derivative $-p/D^2 - q/(1-D)^2$ is negative. In logits it is simpler still:
# $a^* = \log D^* - \log(1 - D^*) = \log p_{\text{data}} - \log p_g$. **The best logit is the log-ratio of the two densities.** First, pure
# trying: for some $p$ and $q$, which $D$ on a fine grid gives the most?

# %%
grid = np.linspace(0.001, 0.999, 999)
p, q = np.array([[0.5], [0.3], [0.05]]), np.array([[0.5], [0.1], [0.4]])
gains = p * np.log(grid) + q * np.log(1 - grid)
best = grid[gains.argmax(axis=1)]
assert np.allclose(best, np.ravel(p / (p + q)), atol=0.001)
best.round(3)

# %% [markdown]
# Now measure it where nobody tells the discriminator the densities. "Real" numbers come from a bell around 0 with standard deviation 1, "generated" ones from a
# bell around 1.5 with standard deviation 0.6.

# %%
random = np.random.default_rng(seed)
real, fake = random.normal(0, 1, 4000), random.normal(1.5, 0.6, 4000)


def density(x, mean, deviation):
    return np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))


def best_discriminator(x):
    p, q = density(x, 0, 1), density(x, 1.5, 0.6)
    return p / (p + q)


# %% [markdown]
# The logarithm of a bell is a parabola, so the best logit is a parabola too, and a discriminator with the logit $a = w_0 + w_1 x + w_2 x^2$ can
# be perfect. It sees only samples and descends on $L_D$. By its logit the slope of $\operatorname{softplus}(a)$ is $e^a / (1 + e^a) = \sigma(a)$,
# and so that of $\operatorname{softplus}(-a)$ is $-\sigma(-a) = \sigma(a) - 1$.


# %%
def features(x):
    return np.column_stack([np.ones_like(x), x, x**2])


w = np.zeros(3)
for _ in range(1500):
    to_real = features(real).T @ (sigmoid(features(real) @ w) - 1) / len(real)
    to_fake = features(fake).T @ sigmoid(features(fake) @ w) / len(fake)
    w -= 0.3 * (to_real + to_fake)

# %% [markdown]
# A third opinion is mere counting: cut the line into bins, and in each take the share of real ones.

# %%
edges = np.linspace(-2.5, 3, 23)
counts = np.stack([np.histogram(real, edges)[0], np.histogram(fake, edges)[0]])
middles = (edges[1:] + edges[:-1]) / 2
by_counting = counts[0] / counts.sum(axis=0)
trained = sigmoid(features(middles) @ w)

# %% [markdown]
# Three answers to the same question, one from a formula, one from training, one from counting:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
answers = {"formula": best_discriminator(middles), "trained": trained, "counted": by_counting}
figures.lines(
    pd.DataFrame({"x": middles} | answers)
    .melt("x", var_name="source", value_name="D")
    .round(4),
    "x",
    "D",
    "source",
    x_title="x",
    y_title="probability of real, D(x)",
    alt="Formula, trained discriminator and counted shares lie on one curve: near 1 on the left, down to a tenth near 2.3, rising a little at the right edge",
)

# %% [markdown]
# They agree. Far to the left everything is real; where the generator puts its narrow heap, and beyond, the best answer falls to about a tenth; at
# the right edge the formula begins to rise again, because a wide bell outlasts a narrow one. (Few points of either kind lie there, so the count
# scatters.)

# %%
worst = max(abs(answers[name] - answers["formula"]).max() for name in ("trained", "counted"))
assert worst < 0.08, f"the furthest answer is {worst:.3f} away from the formula"

# %% [markdown]
# The finding is worth more than it looks. A classifier between "mine" and "theirs" **measures a ratio of densities** that nobody can write down.
# **On Monday:** train one between last month's requests and this month's, half and half, and test it on requests held back. If it does no better
# than a coin, *it* has found no drift; if it does, look at what it goes by.

# %% [markdown]
# ## 3 · What the game measures
#
# Let the generator face that best discriminator. Put $D^*$ into $V$, and write $m = \frac12(p + q)$ for the even mixture, so that $D^* = p/2m$:
#
# $$ V(D^*, G) = \int p \log \frac{p}{2m} + q \log \frac{q}{2m}\, dx = -\log 4 + \underbrace{\int p \log \frac{p}{m}\,dx}_{\mathrm{KL}(p\,\|\,m)} + \underbrace{\int q \log \frac{q}{m}\,dx}_{\mathrm{KL}(q\,\|\,m)} = -\log 4 + 2\,\mathrm{JSD}(p\,\|\,q). $$
#
# (Each $\log\frac12$ comes out of its integral, since a density has area one; two of them make $-\log 4$.) The **Jensen–Shannon divergence** JSD
# is half of the two KL terms. KL is that of chapter 02, with an integral for the sum: never below zero, and zero only for equal densities. So the
# generator does best exactly when $p_g = p_{\text{data}}$, and the game then stands at $-\log 4$: the detective tosses a coin. At the other end,
# $m$ is at least $p/2$, so $p/m$ is at most 2; the same holds for $q$. So JSD is at most $\log 2$, and $V$ at most 0. Densities that do not
# overlap get there.

# %%
line = np.linspace(-12, 18, 20_001)
dx = line[1] - line[0]


def game_value(p, q):
    """The value against the best discriminator, and by the divergence."""
    m = (p + q) / 2
    by_game = (p * np.log(p / (2 * m)) + q * np.log(q / (2 * m))).sum() * dx
    jsd = (p * np.log(p / m) + q * np.log(q / m)).sum() * dx / 2
    return by_game, -np.log(4) + 2 * jsd


# %% [markdown]
# Two equal bells, one of which moves away:

# %%
shifts = np.arange(0, 6.1, 0.25)
values = np.array([game_value(density(line, 0, 1), density(line, s, 1)) for s in shifts])
assert np.allclose(values[:, 0], values[:, 1]) and np.isclose(values[0, 0], -np.log(4))
assert (np.diff(values[:, 0]) > 0).all() and values[-1, 0] < 0

# %% [markdown]
# The value against the best discriminator, by the distance of the two bells:

# %%
pd.DataFrame({"distance": shifts[::4], "V(D*, G)": values[::4, 0].round(3)}).set_index(
    "distance"
).T

# %% [markdown]
# From $-\log 4 = -1.386$ up to just below 0, and then it is *flat*. That is the catch. A generator far from the truth, as each is at the start, learns by how the value changes when it
# moves; on the flat part it changes hardly at all:

# %%
slope = np.gradient(values[:, 0], shifts)
near, far = np.interp([1.0, 5.5], shifts, slope)
assert near > 10 * far > 0
f"slope at distance 1: {near:.3f}, at 5.5: {far:.4f}"

# %% [markdown]
# ## 4 · Two losses for the generator
#
# The same trouble, seen from the discriminator's logit. The generator feels $D$ through one number only, the logit $a$ that its example gets. In
# the minimax game it minimises $\log(1 - D) = -\operatorname{softplus}(a)$. With $\operatorname{softplus}'(a) = \sigma(a)$ from section 2:
#
# $$ L_{\text{sat}} = \log\big(1 - \sigma(a)\big), \qquad \frac{dL_{\text{sat}}}{da} = -\sigma(a). $$
#
# A poor example gets a logit far below zero, and there $\sigma(a) \approx 0$: the worse it is, the less it is told. This loss **saturates**. Goodfellow and colleagues therefore
# also propose to *maximise* $\log D$ instead of minimising $\log(1 - D)$:
#
# $$ L_{\text{ns}} = -\log \sigma(a) = \operatorname{softplus}(-a), \qquad \frac{dL_{\text{ns}}}{da} = -\sigma(-a) = \sigma(a) - 1. $$
#
# Both are negative: both push the logit up. They differ in *where* they push.


# %%
def saturating(a):  # the slopes, which is all that training needs
    return -sigmoid(a)


def non_saturating(a):
    return sigmoid(a) - 1


# %% [markdown]
# The proof before two witnesses, a central difference and the framework; both losses summed over some logits, so that each logit's slope stands alone.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
a = np.array([-6.0, -2.5, -0.3, 0.0, 1.2, 5.0])
losses = {
    "saturating": (lambda: -softplus(a).sum(), lambda t: ops.sum(-ops.softplus(t))),
    "non-saturating": (lambda: softplus(-a).sum(), lambda t: ops.sum(ops.softplus(-t))),
}
slopes = {"saturating": saturating, "non-saturating": non_saturating}
checked = pd.concat(
    gradcheck.compare(
        loss, {name: a}, {name: slopes[name](a)},
        framework={name: gradcheck.by_framework(in_keras, a)[0]},
    )
    for name, (loss, in_keras) in losses.items()
)  # fmt: skip
checked

# %% [markdown]
# The last two columns are relative errors. All are far below a millionth:

# %%
assert checked[["central difference", "framework"]].to_numpy().max() < 1e-6

# %% [markdown]
# **Predict first.** Let the discriminator be sure of itself: $a = -5$, so $D = 0.7\,\%$. How many times harder does the non-saturating loss push?
#
# <details><summary>Answer</summary>
#
# $\frac{1 - \sigma(a)}{\sigma(a)} = e^{-a}$, here $e^5 = 148$ times.
#
# </details>

# %%
push = pd.DataFrame({"logit": np.linspace(-8, 8, 33)})
push["saturating"], push["non-saturating"] = (
    -saturating(push.logit),
    -non_saturating(push.logit),
)
assert np.isclose(non_saturating(-5.0) / saturating(-5.0), np.exp(5))
figures.lines(
    push.melt("logit", var_name="loss", value_name="push").round(4),
    "logit",
    "push",
    "loss",
    x_title="logit a of a generated example (left: seen through)",
    y_title="size of the slope by the logit",
    alt="The saturating loss pushes only examples that already fool the discriminator, the non-saturating one pushes those that do not",
)

# %% [markdown]
# Mirror images. The saturating loss pushes examples that fool the discriminator already, the non-saturating one those that do not. From here on
# "the generator's loss" is the second. (Where $p_g = p_{\text{data}}$ the best discriminator is ½ everywhere, flat, and either loss leaves the
# generator in peace. So both have the same resting place; only the way there differs. But what the second loss makes smaller on that way is no
# longer the JSD of section 3.)

# %% [markdown]
# ## 5 · Gradients by hand, through the opponent
#
# Both networks are dense: $Z = A W + b$, rows are examples, and between the layers a **leaky ReLU**, $\max(Z, 0.2 Z)$, which lets a little through on the negative side so
# that no unit dies. Chapter 03 derives the backward pass; here it is in short. If $dZ$ is the loss's gradient by a layer's $Z$, then by the chain rule
#
# $$ \nabla_W L = A^{\mathsf T} dZ, \qquad \nabla_b L = \textstyle\sum_{\text{rows}} dZ, \qquad dA = dZ\, W^{\mathsf T}, $$
#
# and through the leaky ReLU below it $dA$ passes whole where that unit's output is positive, and times 0.2 where it is negative.

# %%
from itertools import pairwise


def make(sizes, random):
    """Weights and biases of each layer, the weights on He's scale (chapter 03)."""
    return [[random.normal(0, np.sqrt(2 / m), (m, n)), np.zeros(n)] for m, n in pairwise(sizes)]


def forward(network, X):
    """All activations: A[0] is the input, A[-1] the output, which has no leaky ReLU."""
    A = [X]
    for i, (W, b) in enumerate(network):
        Z = A[-1] @ W + b
        A.append(Z if i == len(network) - 1 else np.maximum(Z, 0.2 * Z))
    return A


# %% [markdown]
# Backwards it returns the gradients of all weights and biases, and one thing more: the gradient by the *input*. To train a classifier you never
# need that. Here it is the whole message from one network to the other.


# %%
def backward(network, A, dZ):
    """From the gradient by the output: those by [W, b] of each layer, and by the input."""
    gradients = []
    for i in reversed(range(len(network))):
        gradients.insert(0, [A[i].T @ dZ, dZ.sum(axis=0)])
        dA = dZ @ network[i][0].T
        dZ = np.where(A[i] > 0, dA, 0.2 * dA)
    return gradients, dA


# %% [markdown]
# **The discriminator** sees real rows and generated rows. Its loss $L_D = -V$ has, by the logits, the slopes of section 2, divided by the number of rows because each half is a mean:
#
# $$ \frac{\partial L_D}{\partial a_i} = \begin{cases} (\sigma(a_i) - 1)/n & \text{real} \\ \sigma(a_i)/n & \text{generated.} \end{cases} $$


# %%
def discriminator_gradients(D, X, fake):
    A = forward(D, np.concatenate([X, fake]))
    a_real, a_fake = np.split(A[-1], [len(X)])
    dZ = np.concatenate([(sigmoid(a_real) - 1) / len(X), sigmoid(a_fake) / len(fake)])
    return backward(D, A, dZ)[0]


# %% [markdown]
# **The generator** never sees a real example. Its loss hangs on the discriminator's logit alone, so the gradient starts there, runs back through
# *all of $D$* to the point $x = G(z)$, where it says "move this point *that* way and I shall like it better", and from there through $G$. On its
# way it yields gradients for $D$'s weights as well. They are thrown away: the generator must not weaken its opponent.


# %%
def generator_gradients(G, D, z, slope=non_saturating):
    A_G = forward(G, z)
    A_D = forward(D, A_G[-1])
    _, dX = backward(D, A_D, slope(A_D[-1]) / len(z))
    return backward(G, A_G, dX)[0]


# %% [markdown]
# A few lines, and easy to get wrong by a factor or a transpose. So both functions go before the two witnesses, in small networks, in float64.

# %%
random = np.random.default_rng(seed)
G, D = make([3, 4, 2], random), make([2, 5, 1], random)
X, z = random.normal(size=(6, 2)), random.normal(size=(6, 3))


def named(network, letter):
    return {
        f"{letter}: {kind}{i}": array
        for i, layer in enumerate(network, start=1)
        for kind, array in zip("Wb", layer, strict=True)
    }


def discriminator_loss():
    return -value(forward(D, X)[-1], forward(D, forward(G, z)[-1])[-1])


def generator_loss():
    return softplus(-forward(D, forward(G, z)[-1])[-1]).mean()


# %% [markdown]
# The same two losses once more, in the framework's words:


# %%
def keras_forward(arrays, X):
    for i in range(0, len(arrays), 2):
        X = ops.matmul(X, arrays[i]) + arrays[i + 1]
        X = X if i == len(arrays) - 2 else ops.leaky_relu(X, 0.2)
    return X


def keras_discriminator_loss(*arrays):
    G, D = arrays[:4], arrays[4:]
    real, fake = keras_forward(D, X), keras_forward(D, keras_forward(G, z))
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def keras_generator_loss(*arrays):
    return ops.mean(ops.softplus(-keras_forward(arrays[4:], keras_forward(arrays[:4], z))))


# %% [markdown]
# The framework returns the gradients by all eight arrays, first the generator's four; each side keeps its own.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
arrays = [*named(G, "G").values(), *named(D, "D").values()]
tables = []
for network, letter, loss, in_keras, ours, part in [
    (D, "D", discriminator_loss, keras_discriminator_loss,
     discriminator_gradients(D, X, forward(G, z)[-1]), slice(4, 8)),
    (G, "G", generator_loss, keras_generator_loss, generator_gradients(G, D, z), slice(0, 4)),
]:  # fmt: skip
    theirs = gradcheck.by_framework(in_keras, *arrays)[part]
    framework = dict(zip(named(network, letter), theirs, strict=True))
    tables.append(
        gradcheck.compare(
            loss, named(network, letter), named(ours, letter), framework=framework
        )
    )
checked = pd.concat(tables)
checked

# %% [markdown]
# Every gradient, the generator's through the discriminator included, agrees with both witnesses to better than a millionth. (The course's own tests repeat this on more than a hundred random shapes.)

# %%
assert checked[["central difference", "framework"]].to_numpy().max() < 1e-6

# %% [markdown]
# Now you can *see* section 4 happen. Take a generator that starts off the mark, its points around $(5, 0)$. Train only the discriminator against
# it, and measure the length of the gradient that the generator would get as the discriminator grows sure of itself. To take a step, **Adam**
# (chapter 02) divides a running mean of the gradient by the root of a running mean of its square. As DCGAN does (section 9), take $\beta_1 = 0.5$
# in place of the usual 0.9: a shorter memory, since the ground moves under both players.


# %%
class Adam:
    def __init__(self, network, rate, beta1=0.5, beta2=0.999):
        self.arrays = [array for layer in network for array in layer]
        self.m, self.v = ([np.zeros_like(a) for a in self.arrays] for _ in "mv")
        self.rate, self.beta1, self.beta2, self.t = rate, beta1, beta2, 0

    def step(self, gradients):
        self.t += 1
        rate = self.rate * np.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        flat = (g for layer in gradients for g in layer)
        for array, m, v, g in zip(self.arrays, self.m, self.v, flat, strict=True):
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            array -= rate * m / (np.sqrt(v) + 1e-8)


# %% [markdown]
# The networks for the ring have two hidden layers of 48 units each.


# %%
def noise(n, random):
    return random.normal(size=(n, 2))


def length(gradients):
    return np.sqrt(sum((g**2).sum() for layer in gradients for g in layer))


random = np.random.default_rng(seed)
G, D = make([2, 48, 48, 2], random), make([2, 48, 48, 1], random)
G[-1][1][0] = 5  # the last bias: where the points lie
adam = Adam(D, 0.006)
rows = []
for step in range(301):
    if step % 50 == 0:
        z = noise(1000, random)
        lengths = [length(generator_gradients(G, D, z, s)) for s in slopes.values()]
        rows.append([step, sigmoid(forward(D, forward(G, z)[-1])[-1]).mean(), *lengths])
    adam.step(discriminator_gradients(D, real_points(64, random), forward(G, noise(64, random))[-1]))  # fmt: skip

# %% [markdown]
# As $D$ learns: what does it think of the generator's points on average, and how long is the gradient that the generator receives by either loss?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
stalls = pd.DataFrame(rows, columns=["step of D", "D(G(z))", *slopes])
stalls.round(4)

# %% [markdown]
# The better the detective, the less the saturating loss tells the forger: its gradient dwindles with $D(G(z))$. The non-saturating one says more
# than at the start. So early training can stall with the first, and not with the second. (Adam divides by the gradient's recent size and hides
# part of such a stall; plain descent hides nothing.)

# %%
first, last = stalls.iloc[0], stalls.iloc[-1]
assert last["D(G(z))"] < 0.05
assert last["saturating"] < 0.5 * first["saturating"]
assert last["non-saturating"] > 2 * first["non-saturating"]

# %% [markdown]
# ## 6 · The game on the ring
#
# All parts are there. One round: the discriminator takes a step on real and generated points, then the generator takes a step through it. Every hundred steps look at both: what
# $D$ answers, how good and how varied the points are.


# %%
def observe(step, G, D, random):
    points = forward(G, noise(1000, random))[-1]
    d_real = sigmoid(forward(D, real_points(1000, random))[-1]).mean()
    d_fake = sigmoid(forward(D, points)[-1]).mean()
    return [step, d_real, d_fake, *quality(points), points[:50].astype("float32")]


# %% [markdown]
# The discriminator learns six times as fast as the generator. Why, section 7 will show.


# %%
def play(random, steps=1000, rates=(0.001, 0.006), slope=non_saturating, every=100, batch=64):
    """A game from the start: G, D and what was observed, a row each ``every`` steps."""
    G, D = make([2, 48, 48, 2], random), make([2, 48, 48, 1], random)
    adam_G, adam_D = Adam(G, rates[0]), Adam(D, rates[1])
    seen = []
    for step in range(steps + 1):
        if step % every == 0:
            seen.append(observe(step, G, D, random))
        X, fake = real_points(batch, random), forward(G, noise(batch, random))[-1]
        adam_D.step(discriminator_gradients(D, X, fake))
        adam_G.step(generator_gradients(G, D, noise(batch, random), slope))
    names = ["step", "D(real)", "D(fake)", "good", "modes", "points"]
    return G, D, pd.DataFrame(seen, columns=names)


# %% [markdown]
# **Predict first.** Where will $D(\text{real})$ and $D(\text{fake})$ go, if all goes well?
#
# <details><summary>Answer</summary>
#
# Both towards ½, by section 2: the better the generator, the less there is to tell. Neither to 1. But mind the converse: a discriminator that
# knows nothing says ½ as well.
#
# </details>

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
G, D, seen = play(np.random.default_rng(seed))
seen.drop(columns="points").round(2)

# %% [markdown]
# In the end all eight modes are covered, without a formula for the ring anywhere in the generator, and many times as many points are good as the
# bell's; far fewer still than the copier's. New they are as well, but here that is no merit: every step draws fresh real points, so there is no
# training set to copy. (With one, $G$ can copy it although it sees only slopes: section 11.)
#
# Now compare the two columns of $D$ with the last two. At step 100, in the stored run, both averages are as near to ½ as at the end, and hardly a
# point is good. **Averages near ½ say that the players are level, not that they are good.**

# %%
assert seen["modes"].max() == 8 and seen["good"].iloc[-3:].max() > 3 * baselines_good
assert abs(seen[["D(real)", "D(fake)"]].iloc[-3:] - 0.5).to_numpy().max() < 0.25

# %% [markdown]
# And as a film, each frame the points of one look:


# %%
def film(seen, *, alt):
    def dots(points, name, colour, symbol):
        marker = {"color": colour, "symbol": symbol, "size": 6}
        return go.Scatter(
            x=points[:, 0], y=points[:, 1], name=name, mode="markers", marker=marker
        )

    truth = real_points(80, np.random.default_rng(1)).astype("float32")
    grey = dots(truth, "real", "#9CA3AF", "circle")
    seen = seen[::2]
    steps = [str(step) for step in seen["step"]]
    made = [dots(points, "generated", "#D55E00", "square") for points in seen["points"]]
    figure = go.Figure([grey, made[-1]])
    figure.frames = [
        go.Frame(data=[m], traces=[1], name=k) for m, k in zip(made, steps, strict=True)
    ]
    how = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}
    moves = [{"label": k, "method": "animate", "args": [[k], how]} for k in steps]
    slider = {"steps": moves, "active": len(moves) - 1, "currentvalue": {"prefix": "step "}}
    figure.update_layout(sliders=[slider | {"pad": {"t": 44}}], meta={"alt": alt})
    figure.update_xaxes(range=[-3.2, 3.2], title_text="first coordinate")
    figure.update_yaxes(range=[-3.2, 3.2], title_text="second coordinate", scaleanchor="x")
    return figure.update_layout(width=560, height=620)


# %% [markdown]
# Grey the real points, orange the generated ones. Move the slider below the picture through the steps of training.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
film(
    seen,
    alt="After training the generated points lie on all eight clouds of the ring, with some strays between them",
)

# %% [markdown]
# At first a shapeless heap; then it spreads, tears, and settles on the clouds. Some points always lie on the way between two clouds: a continuous function of $z$ cannot jump, so it must cross the gaps.

# %% [markdown]
# ### Check the article
#
# The articles (B3.2.4, B4.1.4) let each player *minimise* a loss of its own. Printed are
#
# $$ L_G = -\mathbb{E}\big[\log D(x)\big] - \mathbb{E}\big[\log(1 - D(G(z)))\big], \qquad L_D = \mathbb{E}\big[\log D(x)\big] + \mathbb{E}\big[\log D(G(z))\big]. $$
#
# Look closely at the first. It is $-V$, the loss of the *discriminator*. Its first term does not depend on the generator, and the second is smallest for $D(G(z)) = 0$: the generator would learn to be
# **caught**. By the logit its slope is $+\sigma(a)$, the opposite of the saturating one. Take the discriminator just trained, hold it still, and let two copies of a fresh generator learn, one by either loss.


# %%
def printed(a):
    return sigmoid(a)  # d/da of -log(1 - sigma(a)) = softplus(a)


def against_fixed(slope, steps=200):
    random = np.random.default_rng(seed)
    fresh = make([2, 48, 48, 2], random)
    adam, before = Adam(fresh, 0.001), sigmoid(forward(D, forward(fresh, z)[-1])[-1]).mean()
    for _ in range(steps):
        adam.step(generator_gradients(fresh, D, noise(64, random), slope))
    return before, sigmoid(forward(D, forward(fresh, z)[-1])[-1]).mean()


# %% [markdown]
# $D(G(z))$ before and after 200 steps, then the whole game, both players learning, with the printed loss for $G$:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
falls, rises = against_fixed(printed), against_fixed(non_saturating)
*_, caught = play(np.random.default_rng(seed), steps=300, slope=printed)
claims.record(
    "c28",
    verdict="wrong" if falls[1] < falls[0] and rises[1] > rises[0] else "holds",
    evidence=f"200 steps of G on the printed loss: D(G(z)) from {falls[0]:.2f} to {falls[1]:.2f}, on -log D(G(z)): to {rises[1]:.2f}; "
    f"in a game of 300 steps the printed loss ends with D(G(z)) = {caught['D(fake)'].iloc[-1]:.2f} and {caught['modes'].iloc[-1]} of 8 modes",
)

# %% [markdown]
# The printed loss drives the generator away from the ring, to wherever it is recognised best; the discriminator is always right. A loss with the wrong sign runs, converges, and prints a falling curve; only looking at what it makes gives it away.

# %%
assert falls[1] < 0.5 * falls[0] and rises[1] > 1.3 * rises[0]
assert caught["D(fake)"].iloc[-1] < 0.1 and caught["modes"].iloc[-1] <= 2

# %% [markdown]
# Now the printed $L_D$. Real and generated examples stand in it with the *same* sign. It is smallest, without limit, for $D = 0$ on everything: by the logit its slope is $1 - \sigma(a)$ for both. Train fresh discriminators with
# either loss against a generator that has learnt nothing. (Their last weights are small, so that no answer starts out certain.)


# %%
def discriminate(right, steps=500):
    random = np.random.default_rng(seed)
    G, D = make([2, 48, 48, 2], random), make([2, 48, 48, 1], random)
    D[-1][0] *= 0.1
    adam = Adam(D, 0.001)
    for _ in range(steps):
        X, fake = real_points(64, random), forward(G, noise(64, random))[-1]
        A = forward(D, np.concatenate([X, fake]))
        as_printed = backward(D, A, (1 - sigmoid(A[-1])) / 64)[0]
        adam.step(discriminator_gradients(D, X, fake) if right else as_printed)
    return observe(steps, G, D, random)[1:3]


# %% [markdown]
# What each of the two answers, on average, to real and to generated points:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
by_printed, by_right = discriminate(right=False), discriminate(right=True)
claims.record(
    "c29",
    verdict="wrong" if max(by_printed) < 0.05 and by_right[0] - by_right[1] > 0.3 else "holds",
    evidence=f"after 500 steps on the printed loss D answers {by_printed[0]:.3f} to real and {by_printed[1]:.3f} to generated points; "
    f"on -V it answers {by_right[0]:.2f} and {by_right[1]:.2f}",
)

# %% [markdown]
# The printed discriminator calls everything generated, its loss falls for ever, and it separates nothing. The right one minimises $-V$, as in
# section 1.

# %% [markdown]
# ## 7 · Why it goes wrong so often
#
# Every network before this chapter walked down a hill. Two players have no common hill. The smallest game that shows it: $V(x, y) = x\,y$, one
# player minimises by $x$, the other maximises by $y$, and both rest at $(0, 0)$. Both take their gradient steps at once:
#
# $$ x \leftarrow x - \alpha\, y, \qquad y \leftarrow y + \alpha\, x. $$
#
# **Predict first.** Do they arrive?
#
# <details><summary>Answer</summary>
#
# No, at no learning rate: $(x - \alpha y)^2 + (y + \alpha x)^2 = (1 + \alpha^2)(x^2 + y^2)$. Each step leads a little further away, round and
# round. (If they take turns, as our two networks do, they neither leave nor arrive: for every $\alpha$ below 2 they circle for ever.)
#
# </details>

# %%
alpha, path = 0.1, [np.array([1.0, 0.0])]
for _ in range(150):
    x, y = path[-1]
    path.append(np.array([x - alpha * y, y + alpha * x]))
path = np.array(path)
assert np.allclose((path**2).sum(axis=1), (1 + alpha**2) ** np.arange(151))

# %% [markdown]
# So the distance from the resting place, after 0, 50, 100 and 150 steps:

# %%
np.linalg.norm(path[::50], axis=1).round(2)

# %% [markdown]
# The two wind outwards, for ever. Real games also have valleys that hold them back, so they may circle instead, or settle; nothing promises it.
# The failure to fear is **mode collapse**: the generator covers few modes. It puts its points where the discriminator is weakest just now, the
# discriminator learns to refuse that place, and the generator moves on to the next. To see it, play the same game with two pairs of learning
# rates: the discriminator ahead, as above, or the generator ahead.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
paces = {"D ahead": (0.001, 0.006), "G ahead": (0.005, 0.0005)}
games = {("D ahead", seed): seen}
for name, rates in paces.items():
    for k in (seed, seed + 1, seed + 2):
        if (name, k) not in games:
            games[name, k] = play(np.random.default_rng(k), rates=rates)[2]
summary = pd.DataFrame(
    {key: [g["modes"].iloc[-3:].median(), g["good"].iloc[-1]] for key, g in games.items()},
    index=["modes", "good"],
).T.rename_axis(["pace", "seed"])
summary.round(2)

# %% [markdown]
# Modes is the median of the last three looks. The networks, the data and the loss are the same; only the two learning rates differ. Look at the
# second column too: with the generator ahead, nine points in ten lie on no cloud at all. Where one generator that runs ahead had its points at
# three looks:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
figure = go.Figure()
for look, symbol in zip((6, 8, 10), ("circle", "square", "x"), strict=True):
    step, points = games["G ahead", seed].loc[look, ["step", "points"]]
    marker = {"symbol": symbol, "size": 7}
    figure.add_scatter(
        x=points[:, 0], y=points[:, 1], mode="markers", marker=marker, name=f"step {step}"
    )
figure.update_xaxes(range=[-5, 5], title_text="first coordinate")
figure.update_yaxes(range=[-5, 5], title_text="second coordinate", scaleanchor="x")
figure.update_layout(
    width=460, height=400, meta={"alt": "Three looks at one generator: each time its points lie in another place"}
)  # fmt: skip

# %% [markdown]
# A streak or a heap, turned another way at each look, where a ring is wanted. The modes over the steps:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
figures.lines(
    pd.concat(g.assign(game=f"{name}, seed {k}") for (name, k), g in games.items()),
    "step",
    "modes",
    "game",
    x_title="step",
    y_title="modes covered, of 8",
    alt="With the discriminator ahead all three games reach eight modes; with the generator ahead they stay at a few",
)

# %% [markdown]
# With the discriminator ahead every game finds the ring; with the generator ahead none does, and the curves jump about because a heap that moves covers other modes at each look.

# %% [markdown]
# ### Check the article
#
# Section B3.3 lists "unstable, for instance mode collapse" as the weakness of GANs. The same program must then succeed *and* fail.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
ends = summary["modes"].to_numpy()
claims.record(
    "c32",
    verdict="holds" if ends.max() >= 7 and (ends <= 4).sum() >= 2 else "wrong",
    evidence=f"six games on a ring of 8 Gaussians end with {', '.join(f'{e:.0f}' for e in ends)} modes covered: "
    f"the first three with the discriminator ahead, the others with the generator ahead",
)

# %% [markdown]
# It holds. What told success from failure was a count of modes, not a loss. What helps, in the order to try: let the discriminator learn faster
# (two time scales; Heusel and others, 2017), smaller steps, a limit on how steep the discriminator may be (spectral normalisation; Miyato and
# others, 2018), or a distance that does not flatten when the densities part (Wasserstein GAN; Arjovsky and others, 2017).

# %%
assert summary.loc["D ahead", "modes"].min() >= 7 > 5 >= summary.loc["G ahead", "modes"].max()

# %% [markdown]
# ## 8 · Watch the duel
#
# The background is the discriminator's answer at each place: dark where it says "generated", light where it says "real". The strokes show where some of the generated points are told to move. On the right what $D$ answers on average, and the
# share of modes covered. First as a picture, after 800 steps:

# %% tags=["nbval-ignore-output"]
explorers.duel_picture(
    steps=800,
    alt="Generated points lie on all eight real clouds; the discriminator's two averages hover about one half",
)

# %% [markdown]
# The generated points have found the clouds: the dotted share of modes has climbed to 1. The two averages hovered about ½ all the while, and
# would not have told you. Now play it yourself. (This needs a running kernel; in a static view the picture above stands for it.)

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
explorers.duel()

# %% [markdown]
# Watch the share of modes rather than the two averages. Try three things. *As the article prints* for the generator's loss: the points run away
# and stay away. The generator's learning rate at 0.006 with the discriminator's at 0.0003: a heap or a streak that does not settle. A
# discriminator's rate of 0: it never learns, and the generator marches off to wherever a random network happens to say "real".

# %% [markdown]
# ## 9 · Images, 64 × 64, in colour
#
# Now the task that the article sets in B4.3.4: a random vector in, a colour image of 64 × 64 pixels out. The images are this course's colour
# digits, handwritten digits blended over pieces of two photographs; the quick profile has a thousand, the full one takes MNIST's digits. That is
# 12,288 numbers an image, and nobody can write down their density.

# %%
source, limit = course.choose(quick=("digits", None), full=("mnist", 8000))
digits = data.colour_digits(source, size=64, seed=seed, limit=limit)
pictures = digits.train.images  # uint8, from 0 to 255
pictures.shape

# %% [markdown]
# Networks like numbers near zero, so pixels run from −1 to 1 on the way in, and back to whole numbers on the way out.


# %%
def as_input(pictures):
    """uint8 from 0 to 255 -> float32 from -1 to 1."""
    return pictures.astype("float32") / 127.5 - 1


def as_pictures(images):
    """And back again."""
    return ((images + 1) * 127.5).round().astype("uint8")


assert (as_pictures(as_input(pictures[:9])) == pictures[:9]).all()

# %% [markdown]
# A helper draws rows of images, side by side, as one small file.

# %%
import base64
import io

from PIL import Image


def colour_rows(rows, names, *, alt):
    """Rows of pictures, each row with its name, as a figure."""
    pixels = np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=45)
    source = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    figure = go.Figure(go.Image(source=source, hoverinfo="skip"))
    figure.update_xaxes(visible=False)
    middles = [64 * i + 32 for i in range(len(rows))]
    figure.update_yaxes(
        tickvals=middles, ticktext=names, showgrid=False, ticks="", showline=False
    )
    height, width = pixels.shape[:2]
    figure.update_layout(width=width + 130, height=height + 20, meta={"alt": alt})
    return figure.update_layout(margin={"l": 120, "r": 10, "t": 10, "b": 10})


# %% [markdown]
# Two of the real ones:

# %%
colour_rows(
    [pictures[:2]],
    ["real"],
    alt="Two colour digits, each over a piece of a temple, sky, foliage or flower",
)

# %% [markdown]
# Even for you some are hard to read: where there is ink, the photograph's colours are turned into their opposites.

# %% [markdown]
# ### Check the article
#
# The generator printed in B3.2.4 and B4.1.4 ends in ReLU. The pixels run from −1 to 1. What can such a generator make, whatever it has learnt?

# %%
random = np.random.default_rng(seed)
W_g, b_g = random.normal(size=(300, 32)) / np.sqrt(32), random.normal(size=(300, 1))
noise_in = random.normal(size=(32, 500))  # columns, as the article writes them
ends = {
    name: [activation(W_g @ (scale * noise_in) + b_g) for scale in (1, 10)]
    for name, activation in {"ReLU": lambda z: np.maximum(z, 0), "tanh": np.tanh}.items()
}
table = pd.DataFrame({name: [a.min(), a.max(), b.max()] for name, (a, b) in ends.items()}).T
table.columns = ["smallest", "largest", "largest, noise × 10"]
table.round(1)

# %% [markdown]
# Beside what is wanted:

# %%
dark = (as_input(pictures[:500]) < 0).mean()
relu, tanh = table.loc["ReLU"], table.loc["tanh"]
fits = {name: row.iloc[0] < 0 and row.iloc[2] <= 1 for name, row in table.iterrows()}
claims.record(
    "c26",
    verdict="misprinted" if dark > 0 and fits["tanh"] and not fits["ReLU"] else "holds",
    evidence=f"{dark:.0%} of the pixels are negative; ReLU gives {relu.iloc[0]:.1f} at least, {relu.iloc[1]:.1f} at most and {relu.iloc[2]:.0f} for noise ten times as large; "
    f"tanh stays within {tanh.iloc[0]:.0f} and {tanh.iloc[2]:.0f}",
)

# %% [markdown]
# So the idea (a generator is a network with random input) is right and its last function is not: it can paint nothing darker than mid-grey, and
# knows no brightest pixel. A last layer without limit would do for points in the plane; for pixels take tanh, or a sigmoid for pixels from 0
# to 1.
#
# ### Two convolutional networks
#
# A **DCGAN** (Radford and others, 2016) is a pair of convolutional networks. The discriminator shrinks the image with strides, and a dense layer
# makes one logit of what is left. The generator runs the other way and must *enlarge*. The original uses transposed convolutions; here a plain
# convolution makes $k^2$ times the channels, and each group of $k^2$ is laid out as $k \times k$ pixels (**pixel shuffle**; Shi and others,
# 2016). It can do the same and is kinder to a processor.


# %%
def shuffled(h, k, channels):
    """Enlarge (n, s, s, c) to (n, k s, k s, channels)."""
    s = h.shape[1]
    h = layers.Conv2D(k * k * channels, 3, padding="same")(h)
    h = layers.Reshape((s, s, k, k, channels))(h)
    h = layers.Permute((1, 3, 2, 4, 5))(h)  # (row, row within, column, column within)
    return layers.Reshape((s * k, s * k, channels))(h)


def bend(h):
    return layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.8)(h))


# %% [markdown]
# **Batch normalisation** takes from each channel its mean over the batch, divides by its standard deviation, and gives it a scale and a shift
# that are learnt. In use it takes running averages instead, and so it does here whenever the discriminator learns; a momentum of 0.8 lets them
# follow quickly. Radford and others found it critical for a deep generator to begin learning at all.

# %%
wide, numbers = course.choose(quick=1, full=2), 32
z_in = layers.Input((numbers,))
h = layers.Reshape((8, 8, 32 * wide))(layers.Dense(8 * 8 * 32 * wide)(z_in))
h = bend(shuffled(bend(h), 2, 16 * wide))
h = shuffled(h, 4, 3)
generator = keras.Model(z_in, layers.Activation("tanh", dtype="float32")(h))
generator.output_shape, generator.count_params()

# %% [markdown]
# And its opponent, which ends in a logit:

# %%
discriminator = keras.Sequential([layers.Input((64, 64, 3))])
for filters, kernel, stride in [(24, 8, 4), (32, 4, 2), (48, 4, 2)]:
    discriminator.add(layers.Conv2D(filters * wide, kernel, stride, padding="same"))
    discriminator.add(layers.LeakyReLU(0.2))
discriminator.add(layers.Flatten())
discriminator.add(layers.Dense(1, dtype="float32"))
discriminator.count_params()

# %% [markdown]
# In Keras each player is a model with a loss of its own. The discriminator is a classifier. The generator's model is *generator, then
# discriminator*, one long network whose target is "real": its cross-entropy with label 1 is $-\log \sigma(a)$, the non-saturating loss. In it the
# discriminator is frozen. Each Adam has $\beta_1 = 0.5$, as on the ring.

# %%
entropy = keras.losses.BinaryCrossentropy(from_logits=True)
discriminator.compile(keras.optimizers.Adam(4e-4, beta_1=0.5), entropy)
discriminator.trainable = False
through = keras.Sequential([layers.Input((numbers,)), generator, discriminator])
through.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), entropy)


# %% [markdown]
# A round, as on the ring. (Real ones are labelled 0.9, not 1, so that the discriminator never has a reason to grow its logits without end: *one-sided label smoothing*.)


# %%
def vectors(n, random):
    return random.normal(size=(n, numbers)).astype("float32")


def discriminator_step(real, random):
    fake = generator.predict_on_batch(vectors(len(real), random))
    labels = np.repeat(np.float32([0.9, 0]), len(real))[:, None]
    discriminator.trainable = True
    discriminator.train_on_batch(np.concatenate([real, fake]), labels)


def generator_step(n, random):
    discriminator.trainable = False
    through.train_on_batch(vectors(n, random), np.ones((n, 1), "float32"))


# %% [markdown]
# Freezing is where such programs go wrong in silence. So look: whose weights change in whose step?


# %% tags=["nbval-ignore-output", "compare-within=0.05"]
def changed(model, step):
    before = [np.array(w) for w in model.get_weights()]
    step()
    return any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


random = np.random.default_rng(seed)
players = {"discriminator": discriminator, "generator": generator}
moves = {
    "discriminator_step": lambda: discriminator_step(as_input(pictures[:16]), random),
    "generator_step": lambda: generator_step(16, random),
}
whose = {
    move: {name: changed(model, step) for name, model in players.items()}
    for move, step in moves.items()
}
pd.DataFrame(whose).T

# %% [markdown]
# Each step changes its own player, and only that one.

# %%
assert whose["discriminator_step"] == {"discriminator": True, "generator": False}
assert whose["generator_step"] == {"discriminator": False, "generator": True}
untrained = {name: model.get_weights() for name, model in players.items()}

# %% [markdown]
# Now play. The same few hundred vectors are turned into images at the start, after a third and at the end, so that you see them become something.

# %% tags=["nbval-ignore-output", "compare-within=0"]
steps, batch = course.choose(quick=(210, 16), full=(1500, 32))
fixed = vectors(course.choose(quick=300, full=500), random)
snapshots = {}
for name, model in players.items():
    model.set_weights(untrained[name])  # so that the cell, run again, trains anew
for step in range(steps + 1):
    if step in (0, steps // 3, steps):
        snapshots[step] = as_pictures(generator.predict(fixed, batch_size=100, verbose=0))
    chosen = pictures[random.integers(len(pictures), size=batch)]
    discriminator_step(as_input(chosen), random)
    generator_step(batch, random)

# %% [markdown]
# Three vectors through the training, a row for each look (at the start all were grey):

# %% tags=["nbval-ignore-output"]
colour_rows(
    [*(images[:3] for images in list(snapshots.values())[1:]), pictures[2:5]],
    [*(f"step {step}" for step in list(snapshots)[1:]), "real"],
    alt="From pale noise to coloured patches with a paler smudge in the middle, in which no digit can be read; easy to tell from the real digits below",
)

# %% [markdown]
# Be honest about what you see. In the quick profile, after 210 small steps: patches in the photographs' colours, a dotted texture, and in the
# middle, where the digit belongs, a paler smudge. No digit can be read, and nobody would take them for real. The full profile trains seven times
# as long, on more digits. But "looks better to me" is no measure: you look at three, and you want them to be good.

# %% [markdown]
# ## 10 · Measure what comes out
#
# On the ring you could count modes. Images have no centres to count by. Two scores are common, and both look at images through a *classifier*. The published ones use Inception, a network trained on a million photographs. Here it is a small network of our own,
# trained on colour digits: **its scores cannot be compared with any published number**, only with one another.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
more = data.colour_digits(source, size=64, seed=seed + 1, limit=limit)  # other backgrounds
small_convolutions = [
    layers.Conv2D(filters, 3, 2, padding="same", activation="relu") for filters in (12, 24, 32)
]
judge = keras.Sequential(
    [
        layers.Input((64, 64, 3)),
        layers.Rescaling(1 / 127.5, -1),
        layers.AveragePooling2D(2),
        *small_convolutions,
        layers.Flatten(),
        layers.Dense(32, name="features"),
        layers.ReLU(),
        layers.Dense(10, dtype="float32"),
    ]
)
judge.count_params()

# %% [markdown]
# It is trained on every digit twice, over two different backgrounds, and tested on the validation part: in the quick profile other writers, over
# other parts of the photographs.

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
classes = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
judge.compile(keras.optimizers.Adam(3e-3), classes, metrics=["accuracy"])
judge.fit(
    np.concatenate([pictures, more.train.images]),
    np.tile(digits.train.labels, 2),
    batch_size=32,
    epochs=4,
    verbose=0,
)
_, accuracy = judge.evaluate(digits.validation.images, digits.validation.labels, verbose=0)
course.headline("accuracy of the judge", accuracy)

# %% [markdown]
# A judge that reads most digits right. For each image it gives ten probabilities, and on the way to them 32 numbers, its **features**.

# %%
assert accuracy > 0.6
reader = keras.Model(judge.inputs, [judge.get_layer("features").output, judge.outputs[0]])


def read(pictures):
    """Pictures -> features (n, 32) and probabilities (n, 10), in float64."""
    f, logits = reader.predict(pictures, batch_size=200, verbose=0)
    e = np.exp(logits - logits.max(axis=1, keepdims=True)).astype("float64")
    return np.asarray(f, "float64"), e / e.sum(axis=1, keepdims=True)


# %% [markdown]
# ### The Inception Score
#
# A good image is *clear*: the judge is sure, $p(y \mid x)$ is narrow. A good set is *varied*: over all images every class occurs, $p(y) = \mathbb{E}_x\, p(y \mid x)$ is wide. The distance between narrow and wide is a KL divergence, and the score its exponential
# (Salimans and others, 2016):
#
# $$ \mathrm{IS} = \exp \Big( \mathbb{E}_x \sum_y p(y \mid x) \log \frac{p(y \mid x)}{p(y)} \Big). $$


# %%
def inception_score(p):
    marginal = p.mean(axis=0)
    divergence = (p * (np.log(p + 1e-12) - np.log(marginal + 1e-12))).sum(axis=1)
    return np.exp(divergence.mean())


# %% [markdown]
# **Predict first.** What is it for one image repeated, and for perfectly clear images of all ten digits in equal numbers?
#
# <details><summary>Answer</summary>
#
# 1, since $p(y \mid x) = p(y)$; and 10, since each term is $\log(1 / 0.1)$. It counts, in a soft way, how many classes are made clearly.
#
# </details>

# %%
one_repeated, all_clear = np.tile([[0.7, 0.2, 0.1]], (50, 1)), np.eye(10)[np.arange(50) % 10]
assert np.isclose(inception_score(one_repeated), 1)
assert np.isclose(inception_score(all_clear), 10)

# %% [markdown]
# ### The Fréchet distance
#
# IS never looks at a real image. FID, the *Fréchet Inception distance*, does (Heusel and others, 2017). It takes the features of both sets as if
# drawn from two bells, and asks for the cheapest way to move one bell onto the other. In one dimension you can do it in your head: write both as
# stretched and shifted copies of one standard bell $u$. Then moving each $\mu_1 + \sigma_1 u$ to $\mu_2 + \sigma_2 u$, the lowest to the lowest
# and so on upwards, is cheapest, and costs on average
#
# $$ \mathbb{E}\big[(\mu_1 + \sigma_1 u - \mu_2 - \sigma_2 u)^2\big] = (\mu_1 - \mu_2)^2 + (\sigma_1 - \sigma_2)^2 = (\mu_1 - \mu_2)^2 + \sigma_1^2 + \sigma_2^2 - 2\sqrt{\sigma_1^2 \sigma_2^2}, $$
#
# since $u$ has mean 0 and square 1. In many dimensions a **covariance matrix** $\Sigma$ takes the place of the variance: variances on its
# diagonal, and off it how two features vary together. With $\operatorname{Tr}$, the sum of a diagonal, the formula becomes (by a theorem that is
# not derived here)
#
# $$ \mathrm{FID} = \lVert \mu_1 - \mu_2 \rVert^2 + \operatorname{Tr}\big( \Sigma_1 + \Sigma_2 - 2\,(\Sigma_1 \Sigma_2)^{1/2} \big). $$
#
# The root is that of a *matrix*, not of its entries. Its trace is the sum of the roots of the eigenvalues of $\Sigma_1 \Sigma_2$, which are real and not negative, since that product has the eigenvalues of $\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2}$.


# %%
def frechet(real, fake):
    m1, m2 = real.mean(axis=0), fake.mean(axis=0)
    S1, S2 = np.cov(real.T), np.cov(fake.T)
    roots = np.sqrt(np.linalg.eigvals(S1 @ S2).real.clip(0))
    return ((m1 - m2) ** 2).sum() + np.trace(S1) + np.trace(S2) - 2 * roots.sum()


# %% [markdown]
# Three tests before it is trusted: against SciPy's matrix root, of a set against itself, and on a known answer (moving one column by 3 must cost 3²).

# %%
from scipy.linalg import sqrtm

random = np.random.default_rng(seed)
A, B = random.normal(size=(300, 6)) @ random.normal(size=(6, 6)), random.normal(size=(300, 6))
S1, S2 = np.cov(A.T), np.cov(B.T)
by_root = ((A.mean(0) - B.mean(0)) ** 2).sum() + np.trace(S1 + S2 - 2 * sqrtm(S1 @ S2).real)
assert np.isclose(frechet(A, B), by_root) and abs(frechet(A, A)) < 1e-6

moved = A.copy()
moved[:, 0] = A[:, 0] + 3
assert np.isclose(frechet(A, moved), 3**2)

# %% [markdown]
# ### With controls, or not at all
#
# A score without controls says nothing. So draw two sets of real images, the "halves", each as large as a set of generated ones. Measure against
# the first: the other half (what a *perfect* generator would get), copies of the first, noise, one image repeated, and the generator at each
# look.

# %% tags=["nbval-ignore-output"]
n = len(fixed)
order = np.random.default_rng(seed).permutation(len(pictures))  # they stand in writers' order
half, other = pictures[order[:n]], pictures[order[n : 2 * n]]
sets = {
    "real, other half": other,
    "copies of the first half": half,
    "noise": np.random.default_rng(seed).integers(0, 256, half.shape, dtype="uint8"),
    "one real image, repeated": np.repeat(half[:1], n, axis=0),
    **{f"generator, step {step}": images[:n] for step, images in snapshots.items()},
}
readings = {name: read(images) for name, images in sets.items()}
f_half, _ = read(half)
measured = {name: [frechet(f_half, f), inception_score(p)] for name, (f, p) in readings.items()}
scores = pd.DataFrame(measured, index=["FID to the first half", "IS"]).T
scores.round(1) + 0.0  # no minus before a zero

# %% [markdown]
# Read it row by row. Real against real is the floor: no honest generator does better, but for luck, and it is *not* zero. Copies go below it, to
# a perfect 0: **FID cannot see theft.** The generator starts further out than noise and comes nearer to the floor, but remains far above it. One
# clear image over and over is caught by both.

# %%
fid, score = scores["FID to the first half"], scores["IS"]
trained = f"generator, step {steps}"
assert abs(fid["copies of the first half"]) < 1e-3 and np.isclose(
    score["one real image, repeated"], 1, atol=1e-3
)
assert 0 < 3 * fid["real, other half"] < fid[trained] < 0.8 * fid["generator, step 0"]
assert fid["real, other half"] < 0.2 * fid["noise"] and score["real, other half"] > 3

# %% [markdown]
# ### How many images?
#
# **Predict first.** Two sets of the same real images, but fewer in each. Does FID rise, fall, or only scatter? (The table takes the mean of 20
# splits.)
#
# <details><summary>Answer</summary>
#
# It rises. Two sample means differ even where the true ones are equal, and a squared difference is never negative: nothing cancels.
#
# </details>

# %% tags=["nbval-ignore-output"]
f_real = np.concatenate([f_half, readings["real, other half"][0]])
sizes, draws = [40, 75, 150, n], np.random.default_rng(seed)
bias = []
for size in sizes:
    splits = [draws.permutation(len(f_real))[: 2 * size] for _ in range(20)]
    bias.append(np.mean([frechet(f_real[i[:size]], f_real[i[size:]]) for i in splits]))
pd.DataFrame({"images in each": sizes, "FID": np.round(bias, 1)}).set_index("images in each").T

# %% [markdown]
# Half as many images, about twice the distance: FID is *biased*. It scatters too: the floor above came from *one* split of the largest size, and
# need not agree with the mean of 20. So two FIDs may be compared only at the same number of images, by the same network, and published ones
# mostly take 50,000.

# %%
assert all(a > b for a, b in pairwise(bias))

# %% [markdown]
# ### Check the article
#
# Section B4.3.4 proposes exactly this: a GAN for colour images of 64 × 64, judged by IS and FID. It can be run, as you have seen, with the losses
# of sections 1 and 4 instead of the printed ones, and the score says how far there is to go. But what does the number mean? Take the same judge,
# the same images, the same formula, and read the features one layer later, at its ten logits.


# %% tags=["nbval-ignore-output"]
def logits(pictures):
    return np.asarray(judge.predict(pictures, batch_size=200, verbose=0), "float64")


later = frechet(logits(half), logits(sets[trained]))
floor, start = fid["real, other half"], fid["generator, step 0"]
closer = floor < fid[trained] < start
depends = abs(later / fid[trained] - 1) > 0.05 or abs(bias[0] / floor - 1) > 0.05
claims.record(
    "c42",
    verdict="wrong" if not closer else "holds with a condition" if depends else "holds",
    evidence=f"64×64×3 images; FID {start:.0f} before and {fid[trained]:.0f} after training, IS {score[trained]:.1f}; controls: real against real {floor:.1f}, "
    f"copies {abs(fid['copies of the first half']):.1f}, noise {fid['noise']:.0f}; one layer later {later:.0f} instead of {fid[trained]:.0f}; "
    f"real against real with {sizes[0]} images {bias[0]:.0f} instead of {floor:.1f}",
)

# %% [markdown]
# The condition: the feature network, the number of images and the controls belong to the number. One layer further the same images get another number; "our FID is 40" alone means nothing.

# %% [markdown]
# ## 11 · Should your product do this?
#
# Often not. Ask in this order.
#
# * *Do you need new examples, or more of the old ones?* Shifts, crops, blends and noise on real examples (chapter 07) cost next to nothing and
#   keep the labels. A GAN's images have no labels, unless both players are given the label as well.
# * *Can you compute them?* The colour digits of this chapter are themselves synthetic: a few lines of code blend ink and photograph, with labels,
#   without limit. A renderer or a simulator is a generator that you understand.
# * *Do you want pictures as such?* Then today's default are **diffusion models**: they learn to remove noise step by step, train by one plain squared loss without an opponent, and cover more modes (Ho and others, 2020; Dhariwal and Nichol, 2021).
#   Use a pretrained one. GANs keep a place where one fast pass counts, as in super-resolution.
# * *Is it for privacy?* Generated is not anonymous. Nothing in the game forbids $G$ to repeat a training example, FID rewards it, and whether
#   somebody was in the training set can sometimes be told from the generated data (Stadler and others, 2022). Do not release "synthetic
#   customers" on the strength of a low FID: measure copies, and if it matters, train with *differential privacy*: noise in the training, so that
#   no single example can show. It costs quality.
#
# The first measurement of that kind is easy. For each generated image take the distance to the *nearest* training image in feature space, and hold it against the same distance for real images that the generator never saw:


# %% tags=["nbval-ignore-output"]
from scipy.spatial.distance import cdist


def nearest(f, to):
    return cdist(f, to).min(axis=1)


unseen, _ = read(digits.test.images[:n])
f_all, _ = read(pictures)
distances = {
    "copies": nearest(read(half[:300])[0], f_all),
    "unseen real images": nearest(unseen, f_all),
    "generated": nearest(read(sets[trained])[0], f_all),
}
pd.DataFrame({name: np.percentile(d, [5, 50]) for name, d in distances.items()}, index=["5 %", "median"]).T.round(2)  # fmt: skip

# %% [markdown]
# Copies lie at 0. Look at the *small* end of the generated ones: if it lay well below that of unseen real images, the generator would be
# repeating somebody. Here it does not.
#
# It is a crude test, and lenient in four ways. It sees only what the judge's features see. Poor images can lie far from everything, and pass. The
# unseen images are by other writers over other parts of the photographs, so they may lie further off than they should: better hold some back from
# the training set. And a few copies among hundreds hide below the 5 %, so look at the nearest pairs with your own eyes. Still, it is a dozen
# lines: ask a vendor for it.

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 06-1 · The best logit
# *recall · 4 minutes*
#
# At some place $x$ the real examples have density 0.6 and the generated ones 0.2. Which **logit** does the best discriminator give there? (A calculation may stand for a number.)

# %% exercise="06-1"
### BEGIN SOLUTION
answer = np.log(0.6 / 0.2)
### END SOLUTION
check("06-1", answer)

# %% [markdown]
# ### Exercise 06-2 · Smoothed targets
# *modify · 12 minutes*
#
# The generator's loss is the cross-entropy of the answers $\sigma(a)$ with the label 1. Let the label be any target $t$ between 0 and 1, the same for all rows:
#
# $$ L = \frac1n \sum_i -t \log \sigma(a_i) - (1 - t) \log\big(1 - \sigma(a_i)\big). $$
#
# Write its gradient by the logits, an array of their shape. For $t = 1$ it must be that of section 4, up to the mean. It must hold for logits of ±800, too.


# %% exercise="06-2"
def generator_loss_gradient(a, t):
    """Logits (n,) and a number from 0 to 1 -> the gradient of the mean loss, (n,)."""
    ### BEGIN SOLUTION
    return (sigmoid(a) - t) / len(a)
    ### END SOLUTION


check("06-2", generator_loss_gradient)

# %% [markdown]
# ### Exercise 06-3 · A distance without bias
# *extend · 20 minutes*
#
# Section 10 found FID too high for small sets. The **kernel distance** KID (Bińkowski and others, 2018) is right on average at any size. A kernel
# $k(x, y)$ says how alike two rows are; KID compares the likeness within each set with that across. With
# $k(x, y) = \big(\tfrac1d\, x \cdot y + 1\big)^3$, where $d$ is the number of features, and $m$ rows in $X$ (real), $n$ in $Y$ (generated), it is
#
# $$ \mathrm{KID} = \frac{1}{m(m-1)} \sum_{i \ne j} k(x_i, x_j) + \frac{1}{n(n-1)} \sum_{i \ne j} k(y_i, y_j) - \frac{2}{mn} \sum_{i,j} k(x_i, y_j). $$
#
# The pairs of a row with itself are left out: that is what removes the bias. Once it is right, try `kid(f_real[:40], f_real[40:80])`, other
# forties, and larger sets: does it rise for small ones, as FID did? It may come out below zero. Why?
#
# <details><summary>Answer</summary>
#
# Two real sets have a true distance of 0. An estimate that is right on average must then miss on both sides.
#
# </details>


# %% exercise="06-3"
def kid(real, fake):
    """Features (m, d) and (n, d) -> a number."""

    ### BEGIN SOLUTION
    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x):
        k = kernel(x, x)
        return (k.sum() - np.trace(k)) / (len(x) * (len(x) - 1))

    return within(real) + within(fake) - 2 * kernel(real, fake).mean()
    ### END SOLUTION


check("06-3", kid)

# %% [markdown]
# ### Exercise 06-4 · How many modes, softly?
# *extend · 15 minutes*
#
# "Covered" is yes or no: a generator with 80 % of its points in one mode may still cover all eight. A softer count is the **effective number of
# modes**, $\exp\big(-\sum_k s_k \log s_k\big)$, where $s_k$ is the share of mode $k$ among the *good* points, those within `radius` of their
# nearest centre. Eight equal modes give 8, one gives 1, that generator at most 2.5. An empty mode adds nothing ($0 \log 0 = 0$); if no point is
# good, the answer is 0. Once it is right, try it on `games["D ahead", seed]["points"].iloc[-1]`, the fifty points kept of a look, with `centres`
# and `3 * spread`.


# %% exercise="06-4"
def effective_modes(points, centres, radius):
    """Points (n, 2), centres (k, 2) -> a number from 0 to k."""
    ### BEGIN SOLUTION
    distance = np.linalg.norm(points[:, None] - centres, axis=2)
    good = distance.min(axis=1) <= radius
    counts = np.bincount(distance.argmin(axis=1)[good], minlength=len(centres))
    if counts.sum() == 0:
        return 0.0
    shares = counts[counts > 0] / counts.sum()
    return np.exp(-(shares * np.log(shares)).sum())
    ### END SOLUTION


check("06-4", effective_modes)

# %% [markdown]
# ## Recap
#
# * *The game:* $\min_G \max_D \mathbb{E} \log D(x) + \mathbb{E} \log(1 - D(G(z)))$; the best discriminator is $p_{\text{data}} / (p_{\text{data}} + p_g)$, measured by training and by counting; the value is then $-\log 4 + 2\,\mathrm{JSD}$, and $-\log 4$ when nothing is left to tell.
# * *The loss that pushes:* by the logit $-\sigma(a)$ for the saturating loss, $\sigma(a) - 1$ for the other; the gradient runs through all of the discriminator to the point, and from there into the generator, asserted against two witnesses.
# * *Training and collapse:* all eight modes or nearly with the discriminator ahead, a few at most with the generator ahead, counted in six games;
#   averages of $D$ near ½ are no proof. Two players have no common hill: in the smallest game they never arrive. Both printed losses fail when
#   run.
# * *Images and scores:* a DCGAN in pure Keras; IS asks for clear and varied, FID for the distance of two bells in feature space; neither means anything without its network, its number of images and its controls, and FID rewards copies.
# * *Use it or not:* augmentation and simulation first, a pretrained diffusion model for pictures; generated is not anonymous, so look for copies before you release anything.

# %% [markdown]
# ## Limits and next
#
# The ring is kind: two dimensions, eight modes, and a count that knows the centres. The images of the quick profile come from 210 small steps and
# look like it; `course run 06 --profile full` trains on MNIST's digits for many more, and is still far from what larger networks make on a GPU.
# Our judge reads digits over two photographs, so its features know nothing else; a published FID takes Inception's 2,048 features and 50,000
# images. The best discriminator of section 2 is best for *infinitely many* examples; one that sees a thousand can learn them by heart. And the
# theory says where the game rests, not that training gets there.
#
# **Sources.** I. Goodfellow and others, "Generative adversarial nets", *NeurIPS* (2014) · A. Radford, L. Metz, S. Chintala, "Unsupervised
# representation learning with deep convolutional generative adversarial networks", *ICLR* (2016) · T. Salimans and others, "Improved techniques
# for training GANs", *NeurIPS* (2016) (Inception Score, label smoothing) · W. Shi and others, "Real-time single image and video super-resolution
# using an efficient sub-pixel convolutional neural network", *CVPR* (2016) · M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein generative
# adversarial networks", *ICML* (2017) · T. Miyato and others, "Spectral normalization for generative adversarial networks", *ICLR* (2018) · M.
# Heusel and others, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", *NeurIPS* (2017) (FID) · M. Bińkowski
# and others, "Demystifying MMD GANs", *ICLR* (2018) (KID, and FID's bias) · M. Kahng and others, "GAN Lab: Understanding complex deep generative
# models using interactive visual experimentation", *IEEE Transactions on Visualization and Computer Graphics* 25 (2019), 310–320 (the explorer's
# model) · J. Ho, A. Jain, P. Abbeel, "Denoising diffusion probabilistic models", *NeurIPS* (2020) · P. Dhariwal, A. Nichol, "Diffusion models
# beat GANs on image synthesis", *NeurIPS* (2021) · T. Stadler, B. Oprisanu, C. Troncoso, "Synthetic data – anonymisation groundhog day", *USENIX
# Security* (2022) · the second article, sections 3.1.4, 3.2.4, 3.3, 4.1.4, 4.2.4 and 4.3.4.
