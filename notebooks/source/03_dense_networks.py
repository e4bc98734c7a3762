# ---
# jupyter:
#   course:
#     chapter: "03"
#     title: Dense networks
#     requires: ["02"]
#     needs: {quick: [], full: [mnist]}
#     budget: {seconds: 30, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 03 · Dense networks
#
# You build a neural network of any depth in some fifty lines of NumPy, derive its gradient line by line, prove it right before two witnesses, and
# train it on what no linear model can solve.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 02, Python and NumPy*

# %% [markdown]
# ## You will be able to
#
# * say what a layer computes, and why a network without a bend is a linear model in disguise;
# * derive the backward pass of a dense network by the chain rule, and write it for any depth, activation and loss;
# * test a gradient against a central difference and a framework, and recognise the usual mistakes by what they do;
# * choose the scale of the first weights so that a signal survives fifty layers, and a loss that pushes when it should;
# * train your own network, see it overfit, and say when a linear model is the better product.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares the kernel. Keras comes later, when there is something
# to compare.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
import os
from itertools import pairwise

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # small matrices: one core is faster than two
from course_utils import check, claims, data, explorers, figures, gradcheck, setup

course = setup("03", profile=profile, seed=seed, framework=False)

import numpy as np
import pandas as pd

# %% [markdown]
# ## The question
#
# A machine reports two readings. Its good and its faulty states wind around each other, because what matters is how the two readings
# belong together, not how large either of them is. The classical toy for this is a pair of spirals.


# %%
def spirals(n, noise, rng, turns=1.25):
    """n points on two arms -> readings (n, 2), kinds (n,) of 0 and 1."""
    kind = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.03, 1, n))  # the root spreads them evenly over the disc
    angle = 2 * np.pi * turns * radius + np.pi * kind
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + noise * rng.normal(size=(n, 2)), kind


# %% [markdown]
# 400 points to learn from, 2,000 others to see what was learnt. First the model that chapter 00 calls a baseline: logistic
# regression, which draws *one straight border*.

# %%
from sklearn.linear_model import LogisticRegression

draw = np.random.default_rng(seed)
X_train, y_train = spirals(400, 0.03, draw)
X_new, y_new = spirals(2000, 0.03, draw)
linear = LogisticRegression().fit(X_train, y_train)
f"validation accuracy of a straight border: {linear.score(X_new, y_new):.2f}"

# %% [markdown]
# The colours show what it answers at each place: blue for kind 0, orange for kind 1, white where it is in doubt. (Half of the points are drawn.)

# %%
figures.decisions(
    [lambda points: linear.predict_proba(points)[:, 1]],
    X_train[:200],
    y_train[:200],
    alt="Two spirals of points; the border of logistic regression is a straight line that cuts through both",
)

# %% [markdown]
# One straight line cannot separate two spirals, wherever you put it. More data will not help, nor will training longer: the model has no
# curve in it. Where does a curve come from?

# %%
assert linear.score(X_new, y_new) < 0.8

# %% [markdown]
# ## 1 · A layer, and why it needs a bend
#
# A **neuron** weighs its inputs and adds a bias: $z = x_1 w_1 + x_2 w_2 + \dots + b$. A **dense layer** is many neurons that read the same
# inputs, one column of $W$ for each; a batch is many examples, one row of $A$ for each. Row $r$, neuron $j$:
#
# $$ Z_{rj} = \sum_k A_{rk} W_{kj} + b_j, \qquad \text{all at once:} \quad Z = A W + b. $$
#
# Five examples with three inputs, four neurons, by loops and by one product:

# %%
draw = np.random.default_rng(seed)
A, W, b = draw.normal(size=(5, 3)), draw.normal(size=(3, 4)), draw.normal(size=4)
by_loops = [
    [sum(A[r, k] * W[k, j] for k in range(3)) + b[j] for j in range(4)] for r in range(5)
]
assert np.allclose(A @ W + b, by_loops)
A.shape, W.shape, b.shape, (A @ W + b).shape

# %% [markdown]
# The shapes tell the story: `(batch, inputs)` times `(inputs, outputs)` is `(batch, outputs)`. When a shape does not fit in this chapter, it is
# nearly always a transpose.
#
# **Predict first.** You stack two such layers, one on the other. What can the stack do that one layer cannot?
#
# <details><summary>Answer</summary>
#
# Nothing. $(A W_1 + b_1) W_2 + b_2 = A\,(W_1 W_2) + (b_1 W_2 + b_2)$, which is one layer with the weights $W_1 W_2$ and the bias
# $b_1 W_2 + b_2$. A hundred linear layers are still one.
#
# </details>

# %%
V, c = draw.normal(size=(4, 2)), draw.normal(size=2)
two_layers = (A @ W + b) @ V + c
one_layer = A @ (W @ V) + (b @ V + c)
assert np.allclose(two_layers, one_layer)

# %% [markdown]
# So something has to stand between the layers that is not linear, an **activation** $\sigma$, applied entry by entry: $A_1 = \sigma(Z_1)$.
# The simplest is a single bend, the *rectified linear unit*: $\mathrm{relu}(z) = \max(0, z)$.
#
# How much does one bend buy? Take the smallest problem that defeats a straight border, *exclusive or*: answer 1 if exactly one of two inputs
# is 1. A linear score $s$ would need $s(0,1) > 0$ and $s(1,0) > 0$, which add up to $w_1 + w_2 + 2b > 0$; and $s(0,0) < 0$ and
# $s(1,1) < 0$, which add up to $w_1 + w_2 + 2b < 0$. Both cannot be. Two neurons with a bend solve it, with weights you can find by hand:

# %%
four = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
W_1 = np.array([[1, 1], [1, 1]])  # both neurons count the ones;
b_1 = np.array([0, -1])  # the second leaves out the first of them
hidden = np.maximum(0, four @ W_1 + b_1)
answers = hidden @ np.array([1, -2])
assert answers.tolist() == [0, 1, 1, 0]

# %% [markdown]
# Inputs, hidden layer and answer side by side:

# %%
columns = ["x1", "x2", "h1", "h2", "answer"]
pd.DataFrame(np.c_[four, hidden, answers], columns=columns)

# %% [markdown]
# The hidden layer moved the four points: in the columns `h1` and `h2`, the two cases that should answer 1 lie on the same spot, and a straight border
# does the rest. That is what hidden layers are for: **new coordinates, in the last of which the problem is linear.**

# %% [markdown]
# ### Activations and their slopes
#
# Three are in common use in dense layers. Training needs their slopes as well, so derive each at once.
#
# * ReLU: $\sigma(z) = \max(0, z)$. To the right of zero it is $z$, with slope 1; to the left it is 0, with slope 0. (At zero: section 4.)
# * Sigmoid: $\sigma(z) = 1/(1 + e^{-z})$. The chain rule gives $\sigma'(z) = e^{-z}/(1+e^{-z})^2$, and since
#   $e^{-z}/(1+e^{-z}) = 1 - \sigma(z)$, that is $\sigma(z)\,(1 - \sigma(z))$.
# * Tanh: $\sinh z / \cosh z$, with $\sinh z = (e^z - e^{-z})/2$ and $\cosh z = (e^z + e^{-z})/2$; each is the other's slope. The quotient rule gives $(\cosh^2 z - \sinh^2 z)/\cosh^2 z = 1 - \tanh^2 z$.


# %%
def relu(z):
    return np.maximum(0, z)


def relu_slope(z):
    return (z > 0).astype(z.dtype)


# %% [markdown]
# The two smooth ones:


# %%
def sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2  # the same function, written so that nothing can overflow


def sigmoid_slope(z):
    return sigmoid(z) * (1 - sigmoid(z))


def tanh_slope(z):
    return 1 - np.tanh(z) ** 2


# %% [markdown]
# A table of them, with "linear" for no activation at all, so that the network below can look one up by its name:

# %%
ACTIVATIONS = {
    "relu": (relu, relu_slope),
    "sigmoid": (sigmoid, sigmoid_slope),
    "tanh": (np.tanh, tanh_slope),
    "linear": (np.copy, np.ones_like),
}

# %% [markdown]
# A formula in a book and a function in a notebook can be wrong together. So ask the function itself: the **central difference**
# $\big(\sigma(z+h) - \sigma(z-h)\big)/2h$ is its slope up to an error of the size of $h^2$. `gradcheck.central_difference` takes a loss and an array, and moves
# one entry at a time. It is the first of this chapter's two witnesses.

# %%
z = np.array([-3.0, -1.2, -0.3, 0.4, 1.5, 4.0])
for name, (sigma, slope) in ACTIVATIONS.items():
    measured = gradcheck.central_difference(lambda f=sigma: f(z).sum(), z)
    assert gradcheck.relative_error(slope(z), measured) < 1e-8, name

# %% [markdown]
# The slopes as a picture. Remember it: the backward pass will *multiply* by these numbers, once a layer.

# %%
z_axis = np.sort(np.append(np.linspace(-6, 6, 33), 1e-9))  # a point just right of 0: ReLU jumps
slopes = {name: ACTIVATIONS[name][1](z_axis) for name in ("relu", "tanh", "sigmoid")}
slopes = pd.DataFrame({"z": z_axis, **slopes}).round(3)

# %% [markdown]
# `melt` turns one column a curve into one row a point, as `figures.lines` wants it.

# %%
figures.lines(
    slopes.melt("z", var_name="of", value_name="slope"),
    "z",
    "slope",
    "of",
    y_title="slope σ′(z)",
    height=330,
    alt="ReLU has slope 0 or 1; tanh reaches 1 at zero only; the sigmoid never exceeds a quarter; both fall to nothing at the sides",
)

# %% [markdown]
# The sigmoid's slope never exceeds a quarter, and far from zero both smooth curves are flat. The slopes of ten sigmoid layers multiply to at
# most $0.25^{10}$, about a millionth. ReLU multiplies by 1 or by 0.

# %% [markdown]
# ### What one hidden layer can do
#
# In principle: nearly everything. The **universal approximation theorem** says that one hidden layer, wide enough, comes as close as you like to
# any continuous function on a closed, bounded region. For ReLU and one input you can see why without any training. Choose places
# $t_0 < t_1 < \dots$, let $s_k$ be the slope of the straight piece from $t_k$ to $t_{k+1}$, and let each neuron bend the line once:
#
# $$ \hat f(x) = f(t_0) + \sum_k (s_k - s_{k-1})\, \mathrm{relu}(x - t_k), \qquad s_{-1} = 0. $$


# %%
def bends(f, x, neurons):
    t = np.linspace(0, 1, neurons + 1)  # a neuron at each place but the last
    s = np.diff(f(t)) / np.diff(t)
    Z = x[:, None] * np.ones(neurons) - t[:-1]  # weights 1, biases -t
    return f(t[0]) + relu(Z) @ np.diff(s, prepend=0)


# %% [markdown]
# The hidden layer's weights are all 1, its biases are $-t_k$, the output layer's weights are the changes of slope and its bias is $f(t_0)$. How well do 4, 8, … 64
# neurons follow a curve?


# %%
def curve(x):
    return np.sin(5 * x) + 0.3 * np.sin(17 * x)


x_axis = np.linspace(0, 1, 2001)
worst = {n: np.abs(bends(curve, x_axis, n) - curve(x_axis)).max() for n in (4, 8, 16, 32, 64)}
pd.Series(worst, name="largest error").rename_axis("neurons").round(4).to_frame()

# %% [markdown]
# Twice the neurons, a quarter of the error, once there are enough to follow each wave. Four and sixteen of them, drawn:

# %%
assert 3.5 < worst[32] / worst[64] < 4.5
x_drawn = np.linspace(0, 1, 49)
made = {f"{n} neurons": bends(curve, x_drawn, n) for n in (4, 16)}
made = pd.DataFrame({"x": x_drawn, "the curve": curve(x_drawn), **made}).round(3)

# %% [markdown]
# The curve, and what is made of straight pieces:

# %%
figures.lines(
    made.melt("x", var_name="made by", value_name="f(x)"),
    "x",
    "f(x)",
    "made by",
    height=330,
    alt="Four neurons follow the curve coarsely in straight pieces, sixteen lie on it nearly everywhere",
)

# %% [markdown]
# Sixteen bends lie on the curve nearly everywhere. Two warnings belong to the theorem. It says that good weights *exist*, not that training finds them. And a grid
# of 16 places, harmless on a line, has $16^{10}$ places for ten inputs, and nobody hands you $f$, only examples of it. So the bends have to be learnt.

# %% [markdown]
# ### Check the article
#
# Section B3.2.1 prints a layer as $a^{(l)} = \sigma(W^{(l)} a^{(l-1)})$: no bias. What does that cost? Put $a^{(l-1)} = 0$: whatever the
# weights, the answer is $\sigma(0)$. And let a line without bias fit $y = 2 + x$, as well as it can.

# %%
zero = np.zeros((1, 3))
printed_says = {float(sigmoid(zero @ draw.normal(size=(3, 1)))[0, 0]) for _ in range(1000)}
x_line = np.linspace(-1, 1, 21)[:, None]
without = np.linalg.lstsq(x_line, 2 + x_line, rcond=None)[1].item() / 21
with_bias = np.linalg.lstsq(np.c_[x_line, np.ones(21)], 2 + x_line, rcond=None)[1].item() / 21

# %%
claims.record(
    "c14",
    verdict="misprinted" if len(printed_says) == 1 and without > 1e6 * with_bias else "holds",
    evidence=f"at input 0, 1,000 random W give {len(printed_says)} answer; "
    f"mean squared error on y = 2 + x: {without:.2f} without a bias, {with_bias:.2f} with one",
)

# %% [markdown]
# Section B4.1.1 has the bias, and other slips: $z_{ij}^{(l)} = \sum_k w_{ik}^{(l-1)} a_{kj}^{(l-1)} + b_i^{(l)}$. The weights of layer $l$ are
# numbered $l-1$ here and $l$ in B3.2.1, and nobody says what $j$ is. Take B3.2.1's numbering, where $W^{(l)}$ makes layer $l$, and
# see in how many of three layers the product exists at all. ($j$ must be the example: a column each. That is why $b_i$ has no $j$.)

# %%
widths, batch = (3, 5, 4, 2), 7
w = {i: draw.normal(size=shape[::-1]) for i, shape in enumerate(pairwise(widths), start=1)}
a = {i: draw.normal(size=(width, batch)) for i, width in enumerate(widths)}

# %% [markdown]
# `shift` says which matrix layer $l$ multiplies with: $l - 1$ as printed, or $l$.


# %%
def layers_that_fit(shift):
    return sum(i + shift in w and w[i + shift].shape[1] == len(a[i - 1]) for i in (1, 2, 3))


fits = {"printed": layers_that_fit(-1), "mended": layers_that_fit(0)}
fits

# %% [markdown]
# With $w_{ik}^{(l)}$ it fits everywhere, and it is the layer above, lying on its side: $(W a + b)^\mathsf{T} = a^\mathsf{T} W^\mathsf{T} + b^\mathsf{T}$.

# %%
bias = draw.normal(size=widths[1])
same = np.allclose((w[1] @ a[0] + bias[:, None]).T, a[0].T @ w[1].T + bias)
claims.record(
    "c63",
    verdict="misprinted" if fits["printed"] < 3 and fits["mended"] == 3 and same else "holds",
    evidence=f"w^(l-1) fits {fits['printed']} of 3 layers, w^(l) fits {fits['mended']}; "
    f"with j as the example it {'equals' if same else 'differs from'} A W + b, transposed",
)

# %% [markdown]
# ## 2 · Forward: any depth, two losses
#
# A network is a list of layers, each a pair $(W_l, b_l)$, counted from 1 to $N$. Start with $A_0 = X$ and go up:
#
# $$ Z_l = A_{l-1} W_l + b_l, \qquad A_l = \sigma(Z_l). $$
#
# The last layer stops at $Z_N$, the *logits*; what happens to them belongs to the loss. Keep every $A$ and $Z$: the way back will need
# them.


# %%
def forward(X, parameters, activation):
    """(batch, inputs), [(W, b), ...] -> what each layer read, and its Z (the last: logits)."""
    sigma, _ = ACTIVATIONS[activation]
    A, Z = [X], []
    for W, b in parameters:
        if Z:
            A.append(sigma(Z[-1]))
        Z.append(A[-1] @ W + b)
    return A, Z


# %% [markdown]
# Python counts from 0, so `A[i]` is $A_i$, but `parameters[i]` is $(W_{i+1}, b_{i+1})$, the layer that reads it, and `Z[i]` is the $Z_{i+1}$ that it makes. First weights are drawn at random, biases are zero; the factor
# `scale` of section 5 decides how large.


# %%
def start(widths, rng, scale=2.0):
    """[inputs, hidden, ..., outputs] -> [(W, b), ...], each W with variance scale / inputs."""
    return [
        (rng.normal(size=(inputs, outputs)) * np.sqrt(scale / inputs), np.zeros(outputs))
        for inputs, outputs in pairwise(widths)
    ]


# %% [markdown]
# A network with two hidden layers, on six examples:

# %%
tiny = start([3, 5, 4, 2], np.random.default_rng(seed))
x_tiny = np.random.default_rng(seed + 1).normal(size=(6, 3))
kept_A, kept_Z = forward(x_tiny, tiny, "tanh")
[array.shape for array in kept_A], [array.shape for array in kept_Z]

# %% [markdown]
# ### Two losses
#
# For *classes*: **softmax** makes probabilities of the logits, **cross-entropy** asks for the one of the true class (chapter 02). For one example,
#
# $$ P_k = \frac{e^{Z_k}}{\sum_j e^{Z_j}}, \qquad L = -\log P_y = -Z_y + \log \sum_j e^{Z_j}, $$
#
# and over a batch the mean. For *numbers*: the **mean squared error** over all entries, of outputs $A = \sigma(Z)$ against targets $T$:
#
# $$ L = \frac{1}{n m} \sum_{r=1}^{n} \sum_{j=1}^{m} (A_{rj} - T_{rj})^2. $$
#
# Each function below also returns $\delta = \partial L / \partial Z$. You will derive both in the next section; read over them for now.


# %%
def cross_entropy(Z, y):
    """Logits (n, classes) and true classes (n,) -> the mean loss, and its gradient by Z."""
    n = len(Z)
    Z = Z - Z.max(axis=1, keepdims=True)  # changes nothing, and exp cannot overflow
    log_P = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
    Y = np.eye(Z.shape[1])[y]  # one row of zeros and a one for each example
    return -(Y * log_P).sum() / n, (np.exp(log_P) - Y) / n


# %% [markdown]
# The other loss takes the output's activation as a name: "linear" for regression, "sigmoid" for the article's classifier in section 7.


# %%
def mean_squared_error(Z, T, output="linear"):
    """Logits and targets (n, m) -> the mean loss, and its gradient by Z."""
    sigma, slope = ACTIVATIONS[output]
    error = sigma(Z) - T
    return (error**2).mean(), 2 * error * slope(Z) / error.size


# %% [markdown]
# **Predict first.** Two classes, and a network that knows nothing, so that its logits are equal. What is its cross-entropy?
#
# <details><summary>Answer</summary>
#
# $-\log \tfrac12 = \log 2 = 0.693$. If an untrained classifier starts far above $\log K$, look at the scale of its weights before anything
# else.
#
# </details>

# %%
ignorant = np.zeros((6, 2))
y_tiny = np.array([0, 1, 1, 0, 1, 0])
f"{cross_entropy(ignorant, y_tiny)[0]:.3f}"

# %% [markdown]
# ### Check the article
#
# Section B3.2.1 prints the loss as $L = \frac1n \sum_{i=1}^{n} -y_i \log a_i$, and explains $i$ as a *sample* for $y_i$, and as an *output* for
# $a_i$. Try both readings. First $i$ as sample, with labels 0 and 1 and $a_i$ the probability of a 1: a model that says "1, 99 %" to everything.

# %%
always_one = np.full(6, 0.99)
as_sample = -(y_tiny * np.log(always_one)).mean()
right = -np.log(np.where(y_tiny == 1, always_one, 1 - always_one)).mean()
f"as printed {as_sample:.3f}, right {right:.3f}"

# %% [markdown]
# Half of its answers are wrong and confident, and the printed loss is next to nothing: the factor $y_i = 0$ strikes out every negative
# example. Now $i$ as output of one example with four classes, of which the model gives the true one 0.7:

# %%
p, truth = np.array([0.1, 0.1, 0.7, 0.1]), np.array([0, 0, 1, 0])
as_output = -(truth * np.log(p)).sum() / 4
by_definition = -np.log(0.7)
too_small = right > 2 * as_sample and by_definition > 2 * as_output

# %%
claims.record(
    "c15",
    verdict="misprinted" if too_small else "holds",
    evidence=f"i as sample: 'always 1' pays {as_sample:.3f} instead of {right:.3f}; "
    f"i as output: {as_output:.3f} instead of {by_definition:.3f}, divided by the number of classes",
)

# %% [markdown]
# Two sums are needed: over the classes, without a factor, and over the examples, with $1/n$. Section B4.2.2 has a different surprise. It calls cross-entropy
# "defined as $\frac12 \sum_i (\hat y_i - y_i)^2$". Compare the two, and their slopes by the probability of the true class:

# %%
p_true = np.array([0.9, 0.5, 0.1, 0.01])
losses = pd.DataFrame({"cross-entropy": -np.log(p_true), "as printed": (p_true - 1) ** 2 / 2})
losses["slope of cross-entropy"] = -1 / p_true
losses["slope as printed"] = p_true - 1
losses.set_index(p_true).rename_axis("probability of the true class").round(3)

# %% [markdown]
# Two losses that are multiples of one another would teach the same. Are they?

# %%
ratio = losses["cross-entropy"] / losses["as printed"]
slope_ratio = losses["slope of cross-entropy"] / losses["slope as printed"]
differs = ratio.max() > 1.01 * ratio.min() and slope_ratio.max() > 1.01 * slope_ratio.min()

# %%
claims.record(
    "c38",
    verdict="wrong" if differs else "holds",
    evidence=f"their ratio runs from {ratio.min():.1f} to {ratio.max():.1f}, that of their slopes from "
    f"{slope_ratio.min():.1f} to {slope_ratio.max():.1f}: not even multiples of one another",
)

# %% [markdown]
# What is printed is a squared error. As the model grows sure of a wrong answer, its slope stops at 1, where that of cross-entropy has no limit.
# Section 3 shows what that does to learning.

# %% [markdown]
# ## 3 · Backward: one line a step
#
# Training needs the slope of $L$ by *every* weight. Moving each weight in turn would cost a forward pass for each; the chain rule gives all of
# them in one pass back. Everything hangs on one quantity a layer:
#
# $$ \delta_l = \frac{\partial L}{\partial Z_l}, \quad \text{of the shape of } Z_l. $$
#
# ### The output's $\delta$
#
# **Softmax with cross-entropy**, one example, $L = -Z_y + \log \sum_j e^{Z_j}$. Differentiate by $Z_k$:
#
# * the first term gives $-1$ if $k = y$, else 0: that is $-Y_k$, where $Y$ is the row with a one at $y$;
# * the second gives $\dfrac{1}{\sum_j e^{Z_j}} \cdot e^{Z_k}$, by the chain rule: that is $P_k$;
# * together $\dfrac{\partial L}{\partial Z_k} = P_k - Y_k$, and with the mean over $n$ examples $\; \delta_N = (P - Y)/n$.
#
# **Mean squared error**, $L = \frac{1}{nm} \sum (\sigma(Z) - T)^2$:
#
# * the square gives $2\,(A_{rj} - T_{rj})/(nm)$;
# * its inside, $\sigma(Z_{rj})$, gives $\sigma'(Z_{rj})$;
# * together $\delta_N = \frac{2}{nm}\,(A - T) \odot \sigma'(Z)$, where $\odot$ multiplies entry by entry.
#
# Those are the second values that the two functions returned. The witness:

# %%
draw = np.random.default_rng(seed)
logits, wanted = draw.normal(size=(6, 3)), draw.normal(size=(6, 3))
classes = draw.integers(0, 3, 6)

L, delta = cross_entropy(logits, classes)
measured = gradcheck.central_difference(lambda: cross_entropy(logits, classes)[0], logits)
assert gradcheck.relative_error(delta, measured) < 1e-8

# %% [markdown]
# And squared error behind each activation whose output one would use:

# %%
for output in ("linear", "sigmoid", "tanh"):
    L, delta = mean_squared_error(logits, wanted, output)
    measured = gradcheck.central_difference(
        lambda name=output: mean_squared_error(logits, wanted, name)[0], logits
    )
    assert gradcheck.relative_error(delta, measured) < 1e-8

# %% [markdown]
# ### Check the article
#
# Section B3.2.1 prints one rule for the output, $\delta^{(L)} = (a^{(L)} - y) \odot \frac{d\sigma}{da}$. Try it and its neighbours on both
# losses, for one example, with the article's own $\frac12\sum$ for the squared error.

# %%
z_out, y_out = np.array([[0.8, -1.1, 2.0]]), np.array([[0.0, 1.0, 0.0]])
softmax_of = np.exp(z_out) / np.exp(z_out).sum()
outputs = {"softmax + cross-entropy": softmax_of, "sigmoid + squared error": sigmoid(z_out)}
measured = {
    "softmax + cross-entropy": lambda: cross_entropy(z_out, [1])[0],
    "sigmoid + squared error": lambda: ((sigmoid(z_out) - y_out) ** 2).sum() / 2,
}
measured = {k: gradcheck.central_difference(loss, z_out) for k, loss in measured.items()}

# %% [markdown]
# Three candidates for each. (Both softmax and sigmoid have $\partial a_k / \partial z_k = a_k (1 - a_k)$. As printed, with a derivative by $a$, the
# slope is taken at $a$. Softmax also has $\partial a_k / \partial z_j = -a_k a_j$, for which an entrywise product has no place. Which $\sigma$ is meant is not said; the third row takes the sigmoid for both.)

# %%
candidates = {
    "a − y": lambda a: a - y_out,
    "(a − y) ⊙ σ′(z)": lambda a: (a - y_out) * a * (1 - a),
    "(a − y) ⊙ σ′(a), printed": lambda a: (a - y_out) * sigmoid_slope(a),
}
errors = pd.DataFrame(
    {
        loss: {
            k: gradcheck.relative_error(rule(a), measured[loss])
            for k, rule in candidates.items()
        }
        for loss, a in outputs.items()
    }
)
errors.round(3)

# %% [markdown]
# The relative error, $\lVert a - b \rVert / (\lVert a \rVert + \lVert b \rVert)$, is 0 where two gradients agree and 1 at worst, where one is nothing or points the opposite way; two of equal length at a right angle have 0.71. Each loss has its own right rule, and neither is the printed one.

# %%
printed, best = errors.loc["(a − y) ⊙ σ′(a), printed"], errors.idxmin()
found = errors.min().max() < 1e-6
claims.record(
    "c16",
    verdict="holds" if printed.max() < 1e-6 else "misprinted" if found else "wrong",
    evidence=f"relative error as printed {printed.iloc[0]:.2f} and {printed.iloc[1]:.2f}; "
    f"right: {best.iloc[0]} for softmax with cross-entropy, {best.iloc[1]} for sigmoid with squared error",
)

# %% [markdown]
# The derivative is by $z$, not by $a$; and softmax with cross-entropy has no factor at all, because $\log$ and $e$ cancel each other. It is why
# the two are used together.
#
# ### Which loss pushes?
#
# That factor decides how a network learns from its worst mistakes. One output, true answer 1, and a network that gets ever more sure of 0:

# %%
z_axis = np.linspace(-10, 4, 29)
push = pd.DataFrame({"z": z_axis})
push["cross-entropy"] = 1 - sigmoid(z_axis)
push["squared error"] = (1 - sigmoid(z_axis)) * sigmoid_slope(z_axis)

# %% [markdown]
# Both are $-\partial L / \partial z$, of $-\log a$ and of the article's $\frac12 (a - 1)^2$ (without the half, the lower curve is twice as high): a positive number pushes $z$ up, towards the right answer.

# %%
figures.lines(
    push.round(3).melt("z", var_name="loss", value_name="push"),
    "z",
    "push",
    "loss",
    x_title="logit z (left: sure of the wrong answer)",
    y_title="push, −∂L/∂z",
    height=330,
    alt="Cross-entropy pushes with force 1 where the network is sure and wrong; squared error pushes hardest in doubt and not at all there",
)

# %% [markdown]
# Cross-entropy pushes hardest where the network is sure and wrong. Squared error behind a sigmoid hardly pushes there at all: it learns most
# from what it is in doubt about, and next to nothing from its worst mistakes.

# %% [markdown]
# ### Check the article
#
# B4.1.1 and B4.2.1 call squared error "a common loss" of a dense network, print half a *sum* of it, and use it for a classifier. Three questions. Does it ask
# for the right thing: if a 1 comes up in three of ten cases, which answer does each loss want? How does its push compare at $z = -10$? And what does a
# sum do when the batch grows from 10 examples to 1,000?

# %%
grid = np.linspace(0.01, 0.99, 99)
wants = {
    "cross-entropy": grid[(-0.3 * np.log(grid) - 0.7 * np.log(1 - grid)).argmin()],
    "squared error": grid[(0.3 * (grid - 1) ** 2 + 0.7 * grid**2).argmin()],
}
weaker = push["cross-entropy"][0] / push["squared error"][0]
pd.Series(wants).round(2).to_dict(), round(weaker)

# %% [markdown]
# Both want 0.3: squared error is an honest loss (forecasters call it the Brier score). But its push is thousands of times weaker. Now the sum, for a weight
# to whose gradient each example contributes $(a - t)\,x$:

# %%
ten = (0.5 - draw.integers(0, 2, 10)) * draw.normal(size=10)  # (a − t) x of ten examples
batch = np.tile(ten, 100)  # the same ten, a hundred times
grows = {"sum": batch.sum() / ten.sum(), "mean": batch.mean() / ten.mean()}
honest = abs(wants["squared error"] - 0.3) < 0.006
plain = weaker < 10 and grows["sum"] < 1.01
pd.Series(grows).round(2).to_dict()

# %%
claims.record(
    "c34",
    verdict=("holds" if plain else "holds with a condition") if honest else "wrong",
    evidence=f"wants {wants['squared error']:.2f}, as it should; sure and wrong (z = −10) it pushes {weaker:,.0f} times "
    f"less than cross-entropy; a batch 100 times larger makes the sum's gradient {grows['sum']:.0f} times larger, the mean's {grows['mean']:.0f}",
)

# %% [markdown]
# The conditions: for numbers, or for a classifier that starts in doubt and not in error; and as a mean, or else the learning rate must be
# found again for every batch size.

# %% [markdown]
# ### From a layer's $\delta$ to its weights
#
# Now one layer, $Z_{rj} = \sum_k A_{rk} W_{kj} + b_j$, and $\delta$ by its $Z$ is known. Each rule is the chain rule: sum over everything that the
# number influences.
#
# * $W_{kj}$ influences $Z_{rj}$ in every row $r$, by the factor $A_{rk}$: $\;\dfrac{\partial L}{\partial W_{kj}} = \sum_r A_{rk}\, \delta_{rj}$, that is $\;\nabla_W L = A^\mathsf{T} \delta$.
# * $b_j$ influences $Z_{rj}$ in every row, by the factor 1: $\;\nabla_b L = \sum_r \delta_r$, the sum of $\delta$'s rows.
# * $A_{rk}$ influences $Z_{rj}$ for every neuron $j$, by the factor $W_{kj}$: $\;\dfrac{\partial L}{\partial A_{rk}} = \sum_j \delta_{rj} W_{kj}$, that is $\;\delta\, W^\mathsf{T}$.
# * $A_{rk} = \sigma(\bar Z_{rk})$, where $\bar Z$ is the $Z$ of the layer below, so one more factor: $\;\bar\delta = (\delta\, W^\mathsf{T}) \odot \sigma'(\bar Z)$.
#
# With the layers' numbers:
#
# $$ \nabla_{W_l} L = A_{l-1}^\mathsf{T}\, \delta_l, \qquad \nabla_{b_l} L = \sum_r (\delta_l)_r, \qquad
# \delta_l = \big(\delta_{l+1} W_{l+1}^\mathsf{T}\big) \odot \sigma'(Z_l). $$
#
# **Predict first.** $A$ has shape `(32, 784)` and $\delta$ has shape `(32, 500)`. Using nothing but shapes: how must they be multiplied to
# give something of $W$'s shape?
#
# <details><summary>Answer</summary>
#
# $W$ is `(784, 500)`, so $A^\mathsf{T} \delta$: `(784, 32)` times `(32, 500)`. The batch is summed away, as it should be. Shapes do not
# prove a formula, but they disprove most wrong ones.
#
# </details>
#
# Those three formulas are the whole backward pass:


# %%
def backward(delta, A, Z, parameters, activation):
    """The output's delta and what forward kept -> [(gradient by W, gradient by b), ...]."""
    _, slope = ACTIVATIONS[activation]
    gradients = []
    for i in reversed(range(len(parameters))):
        gradients.insert(0, (A[i].T @ delta, delta.sum(axis=0)))
        if i > 0:
            delta = (delta @ parameters[i][0].T) * slope(Z[i - 1])
    return gradients


# %% [markdown]
# Nine lines, for any depth, batch and activation. Forward, loss and backward as one step:


# %%
def loss_and_gradients(X, target, parameters, activation, loss):
    A, Z = forward(X, parameters, activation)
    L, delta = loss(Z[-1], target)
    return L, backward(delta, A, Z, parameters, activation)


# %% [markdown]
# On the way up a layer costs one matrix product, on the way back two (the first layer only one: below it there is nothing to reach). So all gradients together cost about as much as two forward passes. Moving
# each weight of the article's network (section 7) there and back instead:

# %%
numbers = sum(W.size + b.size for W, b in start([784, 500, 2], np.random.default_rng(seed)))
f"{2 * numbers / 1e6:.1f} million forward passes"

# %% [markdown]
# ### Check the article
#
# Section B3.2.1 goes back by $\delta^{(l)} = \delta^{(l+1)} (W^{(l+1)})^\mathsf{T}$. (The order suits rows, although its way
# up used columns.) The factor $\sigma'$ is missing. Does it matter? A network with two hidden layers of six; its first gradient with the factor, and without:

# %%
deep = start([3, 6, 6, 2], np.random.default_rng(seed))
kept_A, kept_Z = forward(x_tiny, deep, "tanh")
right = as_printed = cross_entropy(kept_Z[-1], y_tiny)[1]
for i in (2, 1):  # from the third layer down to the first
    right = (right @ deep[i][0].T) * tanh_slope(kept_Z[i - 1])
    as_printed = as_printed @ deep[i][0].T

# %% [markdown]
# The gradient by the first weights is $X^\mathsf{T} \delta_1$. What does the loss itself say?

# %%
measured = gradcheck.central_difference(
    lambda: loss_and_gradients(x_tiny, y_tiny, deep, "tanh", cross_entropy)[0], deep[0][0]
)
with_factor = gradcheck.relative_error(x_tiny.T @ right, measured)
without_it = gradcheck.relative_error(x_tiny.T @ as_printed, measured)

# %%
claims.record(
    "c17",
    verdict="misprinted" if without_it > 0.01 and with_factor < 1e-6 else "holds",
    evidence=f"relative error of the first layer's gradient: {without_it:.2f} as printed, "
    f"{'below 1e-6' if with_factor < 1e-6 else with_factor} with ⊙ σ′(z)",
)

# %% [markdown]
# Without the factor, the way back treats the hidden units as linear. The shapes all fit and no error is raised, which is the
# nasty part: **a wrong gradient need not crash.**
#
# Last, the update: $W^{(l)} \leftarrow W^{(l)} - \alpha\, \delta^{(l+1)} (a^{(l-1)})^\mathsf{T}$. In columns, as the article writes, $\delta^{(l+1)}$ belongs to the
# *next* layer. Look at the shapes for layer 1 of widths 3, 5, 4, 2, and then at a network whose layers are all equally wide:

# %%
kept_A, kept_Z = forward(x_tiny, tiny, "tanh")
delta_1 = np.ones_like(kept_Z[0])  # only shapes matter here
delta_2 = np.ones_like(kept_Z[1])
shapes = {
    "W^(1)": tiny[0][0].T.shape,
    "printed": (delta_2.T @ kept_A[0]).shape,
    "mended": (delta_1.T @ kept_A[0]).shape,
}
shapes

# %% [markdown]
# The printed product has the wrong shape. Now the network of equal widths:

# %%
square = start([3, 3, 3, 3], np.random.default_rng(seed))
kept_A, kept_Z = forward(x_tiny, square, "tanh")
delta_2 = cross_entropy(kept_Z[-1], y_tiny)[1] @ square[2][0].T * tanh_slope(kept_Z[1])
ours = loss_and_gradients(x_tiny, y_tiny, square, "tanh", cross_entropy)[1][0][0]
off = gradcheck.relative_error((delta_2.T @ kept_A[0]).T, ours)
wrong_shape = shapes["printed"] != shapes["W^(1)"] == shapes["mended"]

# %%
claims.record(
    "c18",
    verdict="misprinted" if wrong_shape and off > 0.01 else "holds",
    evidence=f"printed: shape {shapes['printed']} for a W of {shapes['W^(1)']}; δ^(l) gives {shapes['mended']}. "
    f"With equal widths the shapes agree and the relative error is {off:.2f}",
)

# %% [markdown]
# With equal widths nothing complains, and the gradient is nonsense. So test with *unequal* sizes: batch, inputs, hidden and outputs all
# different. And use a witness.

# %% [markdown]
# ## 4 · Two witnesses
#
# A gradient that you derived, and a loss that you can evaluate, check one another: that is the central difference. A third party, who has never
# seen your formulas, is a framework's automatic differentiation. Start Keras now (it takes a few seconds).

# %% tags=["nbval-ignore-output"]
course = course.start_framework()
import keras
from keras import ops

# %% [markdown]
# The same network in the framework's operations. `gradcheck.by_framework` calls it on tensors of 64 bits and asks for the gradient.


# %%
def framework_loss(X, target, activation, kind):
    def loss(*tensors):
        A = ops.convert_to_tensor(X, dtype="float64")
        for W, b in zip(tensors[::2], tensors[1::2], strict=True):
            Z = ops.matmul(A, W) + b
            A = getattr(ops, activation)(Z) if activation != "linear" else Z
        if kind == "cross-entropy":
            each = keras.losses.sparse_categorical_crossentropy(target, Z, from_logits=True)
        else:
            each = keras.losses.mean_squared_error(target, Z)
        return ops.mean(each)

    return loss


# %% [markdown]
# Names for all arrays of a network, and both witnesses asked about each of them:


# %%
def flat(layers):
    """[(W, b), ...] -> {"W1": W, "b1": b, ...}"""
    numbered = enumerate(layers, start=1)
    return {
        f"{name}{i}": array
        for i, pair in numbered
        for name, array in zip("Wb", pair, strict=True)
    }


def witnessed(X, target, net, activation, kind):
    loss = {"cross-entropy": cross_entropy, "squared error": mean_squared_error}[kind]
    _, ours = loss_and_gradients(X, target, net, activation, loss)
    arrays = flat(net)
    theirs = gradcheck.by_framework(
        framework_loss(X, target, activation, kind), *arrays.values()
    )
    return gradcheck.compare(
        lambda: loss_and_gradients(X, target, net, activation, loss)[0],
        arrays,
        flat(ours),
        framework=dict(zip(arrays, theirs, strict=True)),
    )


# %% [markdown]
# One network first, with three hidden layers of different widths. Its biases are random, for a reason that comes in a moment. The numbers are relative errors,
# $\lVert a - b \rVert / (\lVert a \rVert + \lVert b \rVert)$.

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
draw = np.random.default_rng(seed)
x_check, classes = draw.normal(size=(7, 3)), draw.integers(0, 2, 7)
checked = [(W, draw.normal(size=b.shape)) for W, b in start([3, 6, 5, 4, 2], draw)]
table = witnessed(x_check, classes, checked, "tanh", "cross-entropy")
table.map(lambda value: value if isinstance(value, str) else f"{value:.0e}")

# %% [markdown]
# And the largest error of each activation with each loss:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
targets = {"cross-entropy": classes, "squared error": draw.normal(size=(7, 2))}
largest = pd.DataFrame(
    {
        (kind, name): witnessed(x_check, targets[kind], checked, name, kind).max(
            numeric_only=True
        )
        for kind in targets
        for name in ACTIVATIONS
    }
).T
assert largest.max(axis=None) < 1e-6
largest.map("{:.0e}".format)

# %% [markdown]
# The framework agrees to the last digits of 64 bits (on JAX to about seven digits, because some of Keras's operations pass through
# 32 bits there). The central difference agrees to the eight digits or more that a difference of two losses leaves. Both are asserted below $10^{-6}$; the two mistakes of section 3 showed as tenths, so there is a wide gap.
#
# The same from the other side: Keras's own `Dense` layers, given these weights, must give the same logits.

# %% tags=["nbval-ignore-output", "compare-within=0"]
A = ops.convert_to_tensor(x_tiny, dtype="float64")
for W, b in tiny:
    dense = keras.layers.Dense(
        len(b), activation=None if len(b) == 2 else "tanh", dtype="float64"
    )
    dense.build(A.shape)
    dense.set_weights([W, b])
    A = dense(A)
assert np.allclose(ops.convert_to_numpy(A), forward(x_tiny, tiny, "tanh")[1][-1], rtol=1e-6)

# %% [markdown]
# ### Where a check must not stand
#
# ReLU has a kink at 0. **Predict first.** What does the central difference say there? What does the framework?
#
# <details><summary>Answer</summary>
#
# The central difference looks to both sides and averages: one half. The framework has to choose, and takes 0. Neither is wrong: there is no slope at a kink. So a
# gradient check near a kink may fail although the code is right. Check elsewhere, or shift the points.
#
# </details>


# %%
def slopes_at(z, h=1e-6):
    at = np.array([z])
    left, right = (relu(at) - relu(at - h)) / h, (relu(at + h) - relu(at)) / h
    central = gradcheck.central_difference(lambda: relu(at).sum(), at)
    (framework,) = gradcheck.by_framework(lambda t: ops.sum(ops.relu(t)), at)
    return [float(v[0]) for v in (left, right, central, framework, relu_slope(at))]


# %% [markdown]
# To the left of the kink, on it, and to the right:

# %%
columns = ["from the left", "from the right", "central difference", "framework", "ours"]
sides = pd.DataFrame({z: slopes_at(z) for z in (-2.0, 0.0, 2.0)}, index=columns)
sides = sides.T.rename_axis("z").round(6) + 0.0
sides

# %% [markdown]
# Is that far-fetched? Take an example that is all zeros (padding, a blank image) and biases that are all zero, as they are before training. Then
# *every* $z$ of that example is exactly 0, and the check fails, although nothing is wrong:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
x_blank = x_check * (np.arange(7) > 0)[:, None]  # the first example is blank
fresh = start([3, 6, 5, 4, 2], np.random.default_rng(seed))
on_kinks = witnessed(x_blank, classes, fresh, "relu", "cross-entropy").max(numeric_only=True)
assert on_kinks["central difference"] > 0.01 and on_kinks["framework"] < 1e-6
on_kinks.map("{:.0e}".format).to_frame("largest relative error")

# %% [markdown]
# The framework agrees to the last digit, the central difference does not: the fault lies with the place, not with the code. Random biases move
# the points off the kinks, which is why the check above had them.

# %% [markdown]
# ### Check the article
#
# B4.2.1 praises ReLU: fast to compute, and "its gradient does not exist". Where does it exist?

# %%
agree = (sides["from the left"] - sides["from the right"]).abs() < 1e-6
exists = sides.loc[agree, "central difference"].to_dict()
at_zero = sides.loc[0.0].map("{:.0f}".format)
exists

# %%
claims.record(
    "c37",
    verdict="holds" if not exists else "misprinted" if 1.0 in exists.values() else "wrong",
    evidence=f"the slope exists on both sides of 0 ({exists[-2.0]:.0f} at z = −2, {exists[2.0]:.0f} at z = 2); only at 0 the "
    f"two sides differ ({at_zero['from the left']} and {at_zero['from the right']}), and the framework takes {at_zero['framework']}",
)

# %% [markdown]
# "Does not *vanish*" must have been meant: for $z > 0$ the slope is 1, however large $z$ is. (For $z < 0$ it vanishes altogether. A neuron that
# is negative on every example learns nothing any more; it is called *dead*.)

# %% [markdown]
# ## 5 · Fifty layers
#
# Why not stack fifty of these? Because on the way up each layer multiplies by $W$, and on the way back by $W^\mathsf{T}$, so whatever
# factor a layer has, it enters fifty times: $0.9^{50} = 0.005$, $1.1^{50} = 117$. A signal survives only if the factor is very near 1. And
# the factor is decided by the *first* weights, before anything has been learnt.
#
# ### What the scale should be
#
# Draw the weights independently, from a distribution that is symmetric about 0 (as the normal is), with variance $v$. One neuron with $n$ inputs, $z = \sum_k a_k w_k$:
#
# * the terms are uncorrelated and have mean 0, so their squares add up: $\mathrm{E}[z^2] = n\, v\, \mathrm{E}[a^2]$;
# * $z$ is symmetric about 0, and ReLU strikes out one half: $\mathrm{E}[\mathrm{relu}(z)^2] = \tfrac12 \mathrm{E}[z^2]$;
# * together, from layer to layer, $\mathrm{E}[a_{\text{new}}^2] = \tfrac12\, n\, v\, \mathrm{E}[a^2]$, which stays as it is for $v = 2/n$.
#
# That is **He** initialisation. Without the half, as for tanh near zero, it is $v = 1/n$: **Glorot**'s, which uses the mean of inputs and outputs for
# $n$, since the way back has the outputs in place of the inputs. Check the steps with numbers:

# %%
draw = np.random.default_rng(seed)
n, v = 200, 0.03
a_in = relu(draw.normal(size=(300, n)))
z_out = a_in @ (np.sqrt(v) * draw.normal(size=(n, 300)))
adds_up = (z_out**2).mean() / (n * v * (a_in**2).mean())
halves = (relu(z_out) ** 2).mean() / (z_out**2).mean()
assert abs(adds_up - 1) < 0.05 and abs(halves - 0.5) < 0.05
f"E[z²] over n v E[a²]: {adds_up:.1f}; E[relu(z)²] over E[z²]: {halves:.1f}"

# %% [markdown]
# Now fifty layers of 100 neurons, and four rules for the first weights. Up goes a batch of 100 random examples, back comes a random $\delta$; you
# measure their root mean square at each layer. (`sizes` calls `forward` and repeats the inner line of `backward`, because
# here you want the size of each $\delta$ and not the gradients.)

# %%
RULES = {
    "unit normal": lambda n: 1.0,
    "0.01 × normal": lambda n: 0.01**2,
    "Glorot": lambda n: 2 / (n + n),
    "He": lambda n: 2 / n,
}


def root_mean_square(array):
    return float(np.sqrt((array**2).mean()))


# %% [markdown]
# `start` takes the variance times the number of inputs.


# %%
def sizes(rule, activation, rng, depth=50, n=100):
    """The size of each layer's Z on the way up, and of each delta on the way back."""
    net = start([n] * (depth + 1), rng, scale=n * RULES[rule](n))
    _, Z = forward(rng.normal(size=(100, n)), net, activation)
    deltas = [rng.normal(size=Z[-1].shape)]
    for i in reversed(range(1, depth)):
        deltas.insert(0, (deltas[0] @ net[i][0].T) * ACTIVATIONS[activation][1](Z[i - 1]))
    return [root_mean_square(one) for one in Z], [root_mean_square(one) for one in deltas]


# %% [markdown]
# **Predict first.** With weights from the unit normal distribution and ReLU, how large is a number of size 1 after fifty layers of 100?
#
# <details><summary>Answer</summary>
#
# Each layer multiplies the mean square by $\tfrac12 \cdot 100 \cdot 1 = 50$, the size by $\sqrt{50} \approx 7$. Fifty layers:
# $7.07^{50} = 50^{25} \approx 3 \cdot 10^{42}$. In 32-bit numbers, which end at $3 \cdot 10^{38}$, that is infinity.
#
# </details>


# %%
def journey(activation, way):
    """A column a rule, a row for every seventh layer; way 0 is up, 1 is back."""
    found = {r: sizes(r, activation, np.random.default_rng(seed))[way] for r in RULES}
    table = pd.DataFrame(found, index=range(1, 51)).rename_axis("layer")
    return table.iloc[[0, *range(7, 50, 7)]].map(lambda size: float(f"{size:.3g}"))


journey("relu", way=0).iloc[-1].map("{:.0e}".format).rename("size at layer 50").to_frame()

# %% [markdown]
# Every seventh layer, on a logarithmic axis:


# %% tags=["nbval-ignore-output", "compare-within=0.02"]
def melted(table):
    return table.reset_index().melt("layer", var_name="first weights", value_name="size")


figures.lines(
    melted(journey("relu", way=0)),
    "layer",
    "size",
    "first weights",
    y_title="size of Z (root mean square)",
    logarithmic="y",
    alt="With ReLU, unit normal weights explode to ten to the 42, small ones vanish, Glorot fades, He stays level",
).update_yaxes(exponentformat="power")

# %% [markdown]
# Only He's line is level. The same on the way back, where $\delta$ starts at layer 50 with size 1 and travels to the left:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
figures.lines(
    melted(journey("relu", way=1)),
    "layer",
    "size",
    "first weights",
    y_title="size of δ (root mean square)",
    logarithmic="y",
    alt="Going back from layer 50 to layer 1 the gradient explodes, vanishes or, with He, stays level",
).update_yaxes(exponentformat="power")

# %% [markdown]
# The way back is the mirror image, because it multiplies by the same weights and by slopes of which half are zero. **He keeps both.**
#
# And tanh? On the way up it cannot explode: no output exceeds 1. On the way back it can. How far does the gradient stray, with either activation, and
# with another seed as well?


# %%
def powers_of_ten(rule, activation):
    """From layer 50 back to layer 1 (negative: it fades), of two seeds the one that strays further."""
    backs = [sizes(rule, activation, np.random.default_rng(s))[1] for s in (seed, seed + 1)]
    return max((np.log10(back[0] / back[-1]) for back in backs), key=abs)


# %% [markdown]
# In powers of ten, for both activations; a minus means that it fades:

# %%
span = {act: {rule: powers_of_ten(rule, act) for rule in RULES} for act in ("relu", "tanh")}
span = pd.DataFrame(span)
assert abs(span["relu"]["He"]) < 1 and -12 < span["relu"]["Glorot"] < -1
assert span.loc["unit normal"].min() > 12 and span.loc["0.01 × normal"].max() < -12
assert span["tanh"][["Glorot", "He"]].abs().max() < 2
span.round(0).astype(int)

# %% [markdown]
# With tanh and unit normal weights most units sit on their flat ends, but those that do not are multiplied by huge weights, so the gradient
# explodes. Glorot and He both stay within a factor of a hundred over fifty layers of tanh; with ReLU only He does.

# %% [markdown]
# ### Check the article
#
# Section B3.2.1 begins: $W = \mathrm{Random}(\mathbb{R}^{d \times h})$, with $d$ inputs and $h$ hidden units. Which random, it does not say; and the next line multiplies $W a$.

# %%
d, h = 3, 5
fits = np.zeros((d, h)).shape[1] == np.zeros(d).shape[0]  # W a, with a of length d
relu_span = span["relu"].round(0).astype(int)
decides = relu_span.abs().max() > 12 > relu_span.abs().min()

# %%
claims.record(
    "c13",
    verdict="holds" if fits and not decides else "misprinted",
    evidence=f"over 50 ReLU layers the gradient changes by a factor of about 10^{relu_span['unit normal']} (unit normal), "
    f"10^{relu_span['Glorot']} (Glorot), 10^{relu_span['He']} (He); "
    f"and a {d}×{h} W {'can' if fits else 'cannot'} multiply an a of length {d}",
)

# %% [markdown]
# The scale is not a detail: it decides whether there is anything to train. What does Keras take?

# %%
type(keras.layers.Dense(1).kernel_initializer).__name__

# %% [markdown]
# Glorot's, unless you say `kernel_initializer="he_normal"`, as you should for deep ReLU networks. (Normalisation layers and skip connections, in all large models of today, keep the factor near 1 by other means.)

# %% [markdown]
# ## 6 · Training: back to the spirals
#
# All parts are there. A **step** takes the gradients and moves each number against its slope; the rule is *Adam* (chapter 02).


# %%
def adam(parameters, gradients, memory, t, rate):
    """Step number t, in place. The memory holds a running mean m and mean square v for each array."""
    for layer, slopes, kept in zip(parameters, gradients, memory, strict=True):
        for p, g, (m, v) in zip(layer, slopes, kept, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g**2 - v)
            p -= rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


# %% [markdown]
# Training is a loop around it. `decay` comes later. The function yields after every step, so that whoever calls it can look.


# %%
def training(X, y, parameters, steps, rate=0.02, activation="tanh", decay=0.0):
    memory = [[(np.zeros_like(p), np.zeros_like(p)) for p in layer] for layer in parameters]
    for t in range(1, steps + 1):
        L, gradients = loss_and_gradients(X, y, parameters, activation, cross_entropy)
        gradients = [
            (dW + decay * W, db) for (W, _), (dW, db) in zip(parameters, gradients, strict=True)
        ]
        adam(parameters, gradients, memory, t, rate)
        yield t, L


# %% [markdown]
# What the network answers, as a probability of kind 1, and how often it is right:


# %%
def probability(X, parameters, activation="tanh"):
    logits = forward(X, parameters, activation)[1][-1]
    return sigmoid(logits[:, 1] - logits[:, 0])  # softmax of two


def accuracy(X, y, parameters, activation="tanh"):
    return float(((probability(X, parameters, activation) > 0.5) == y).mean())


# %% [markdown]
# One hidden layer of 32 tanh units: $2 \cdot 32 + 32 + 32 \cdot 2 + 2 = 162$ parameters. A thousand steps on all 400 points. At five moments you keep a copy.

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
import copy

net = start([2, 32, 2], np.random.default_rng(seed), scale=1.0)
moments, copies, losses = (0, 50, 150, 400, 1000), {0: copy.deepcopy(net)}, []
for t, L in training(X_train, y_train, net, 1000):
    losses.append(L)
    if t in moments:
        copies[t] = copy.deepcopy(net)
f"validation accuracy {accuracy(X_new, y_new, net):.3f}; the straight border had {linear.score(X_new, y_new):.3f}"

# %% [markdown]
# The figure opens at the end. Move its slider back to the beginning (it needs no kernel).

# %% tags=["nbval-ignore-output"]
figures.decisions(
    [lambda points, net=copies[t]: probability(points, net) for t in moments],
    X_train[:200],
    y_train[:200],
    labels=[str(t) for t in moments],
    slider="after steps",
    alt="The network's border starts nearly straight, bends, and after a thousand steps follows both spirals",
)

# %% [markdown]
# The border begins nearly straight, bends, and winds itself between the arms. Nobody told the network about spirals: 32 bends, a loss, and the
# chain rule. Another seed, to be sure that it was no luck:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
again = start([2, 32, 2], np.random.default_rng(seed + 1), scale=1.0)
for _ in training(X_train, y_train, again, 1000):
    pass
both = [accuracy(X_new, y_new, one) for one in (net, again)]
assert min(both) > 0.97 and losses[0] > 50 * losses[-1]
course.headline("validation accuracy on the spirals", both[0])

# %% [markdown]
# How the training loss got there:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
pd.Series({t: losses[t - 1] for t in (1, 10, 50, 150, 400, 1000)}, name="loss").rename_axis(
    "step"
).map("{:.4f}".format).to_frame()

# %% [markdown]
# It begins near $\log 2 = 0.69$, drops quickly for ten steps, hardly moves for forty, and then falls fast while the border winds up. (The next figure has loss curves.)
#
# ### Too much of a good thing
#
# 400 clean points were an easy life. Now 60 points, so noisy that the arms overlap, and a network of 128 units. **Predict first.** What will the loss on
# *other* points do while the training loss falls?
#
# <details><summary>Answer</summary>
#
# Fall, turn, and climb. From the turn on the network learns the noise of its sixty points, and grows sure of it.
#
# </details>
#
# A remedy is **weight decay**: add $\frac{\lambda}{2} \lVert W \rVert^2$ to the loss, for each $W$. Its gradient is $\lambda W$, the term that `training` already
# has. (Here it goes through Adam's division like any gradient; the AdamW of chapter 02 pulls beside it, which is not the same.)

# %% tags=["nbval-ignore-output", "compare-within=0"]
draw = np.random.default_rng(seed)
X_few, y_few = spirals(60, 0.2, draw, turns=0.75)
X_other, y_other = spirals(2000, 0.2, draw, turns=0.75)
parts = {"training": (X_few, y_few), "validation": (X_other, y_other)}

# %% [markdown]
# Train, and look at both losses every fifty steps.


# %%
def both_losses(decay, steps=1500):
    net, rows = start([2, 128, 2], np.random.default_rng(seed), scale=1.0), []
    for t, _ in training(X_few, y_few, net, steps, decay=decay):
        for part, (X, y) in parts.items() if t % 50 == 1 else ():
            loss = cross_entropy(forward(X, net, "tanh")[1][-1], y)[0]
            rows.append({"step": t, "loss": loss, "part": f"{part}, λ = {decay:g}"})
    return pd.DataFrame(rows)


# %% [markdown]
# Without decay, and with $\lambda = 0.003$:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
free, held = both_losses(0.0), both_losses(0.003)
figures.lines(
    pd.concat([free, held]).round(4),
    "step",
    "loss",
    "part",
    logarithmic="y",
    alt="Without decay the training loss goes to zero while the validation loss falls, turns and climbs; with decay both stay level",
)

# %% [markdown]
# Without decay the training loss goes to zero, and the validation loss turns and climbs far above its best: the network is *sure* where it should be
# in doubt. With decay the two stay together. The other remedy is cheaper still: stop at the turn (**early stopping**). Best, though, are more
# points.

# %%
free_loss, held_loss = (
    table.loc[table["part"].str.startswith("validation"), "loss"] for table in (free, held)
)
assert (
    free_loss.iloc[-1] > 2 * free_loss.min() and held_loss.iloc[-1] < 0.5 * free_loss.iloc[-1]
)

# %% [markdown]
# ## 7 · The article's network
#
# Section B4.3.1 sets a task: images of 28 × 28 pixels, two classes, a network 784-500-2, squared error, 1,000 iterations. It reports no
# result. The functions above can build it as they are. The classes: 3 and 8, which differ in two short strokes. The quick profile has scikit-learn's digits (8 × 8, enlarged to 28 × 28), the full
# one MNIST.

# %%
digits = data.load(course.choose(quick="digits", full="mnist"))


def threes_and_eights(part):
    chosen = np.isin(part.labels, (3, 8))
    pixels = part.images[chosen].reshape(-1, 784).astype("float32") / 255
    return pixels, (part.labels[chosen] == 8).astype(int)


(X_38, y_38), (X_test, y_test) = threes_and_eights(digits.train), threes_and_eights(digits.test)
X_38.shape, X_test.shape

# %% [markdown]
# Baselines first: always naming the more frequent class, and a linear model.

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
majority = max(y_test.mean(), 1 - y_test.mean())
by_line = LogisticRegression(max_iter=300).fit(X_38, y_38).score(X_test, y_test)
f"majority {majority:.3f}, logistic regression {by_line:.3f}"

# %% [markdown]
# The network: two sigmoid outputs, one for each class, targets $(1, 0)$ and $(0, 1)$. Read an *iteration* as one step on a batch of 32. Plain gradient
# descent, no Adam: the article has none.


# %%
def loss_38(Z, T):
    return mean_squared_error(Z, T, "sigmoid")


def article_network(rng, iterations=1000, rate=0.5):
    net = [(W.astype("float32"), b.astype("float32")) for W, b in start([784, 500, 2], rng)]
    T_38 = np.eye(2, dtype="float32")[y_38]
    for _ in range(iterations):
        rows = rng.integers(0, len(X_38), 32)
        _, gradients = loss_and_gradients(X_38[rows], T_38[rows], net, "relu", loss_38)
        for layer, slopes in zip(net, gradients, strict=True):
            for p, g in zip(layer, slopes, strict=True):
                p -= rate * g
    return net


# %% [markdown]
# Trained twice, from different first weights and with different batches:

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
from course_utils import evaluate

trained = [article_network(np.random.default_rng(s)) for s in (seed, seed + 1)]
says = [forward(X_test, one, "relu")[1][-1].argmax(axis=1) for one in trained]
reached = [evaluate.accuracy(y_test, answer) for answer in says]
[f"{r.value:.3f} ({r.low:.3f} to {r.high:.3f})" for r in reached]

# %% [markdown]
# ### Check the article
#
# Does it classify? It does if even the lower end of its 95 % interval stays ten points above the majority, both times, both times.

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
above = [r.low > majority + 0.1 for r in reached]
claims.record(
    "c39",
    verdict="holds" if all(above) else "holds with a condition" if any(above) else "wrong",
    evidence=f"784-500-2, squared error, 1,000 iterations on {len(X_38):,} images: test accuracy "
    f"{reached[0].value:.3f} and {reached[1].value:.3f} (two seeds); the majority {majority:.3f}, logistic regression {by_line:.3f}",
)

# %% [markdown]
# It does. Squared error is no obstacle here, because with sensible first weights the network starts in doubt, not in error. But look at the baseline: on two hundred images
# from eight hands, hundreds of thousands of parameters do about as well as the linear model's 785 (you count them in exercise 03-1). (On MNIST's twelve thousand, in the full profile, the next
# cell asserts that they do better.)

# %%
assert min(r.value for r in reached) > by_line - 0.04
assert not course.full or min(r.value for r in reached) > by_line

# %% [markdown]
# **On Monday.** Most data in a small company are tables: customers, orders, tickets by category. There, start with a linear model, then try gradient boosting
# (`sklearn.ensemble.HistGradientBoostingClassifier`), which needs no scaling and minutes of work. A dense network has to beat both to earn its keep, and on tables it often does
# not. Its day comes with inputs that nobody can tabulate, as pixels, sound and text, and then with more structure than dense layers have: chapters 04 and 05.

# %% [markdown]
# ## 8 · Play
#
# All of it under your hands: data, depth, width, activation, learning rate. Each small square in the middle shows what one neuron answers over the whole
# plane, blue below zero and orange above: layer by layer, from straight borders to the shapes that the output needs. Before the live one, how it looks after 600 steps
# on the spirals with two layers of six:

# %% tags=["nbval-ignore-output"]
explorers.playground_picture(
    data="spirals",
    depth=2,
    width=6,
    activation="tanh",
    rate=0.1,
    steps=600,
    seed=seed,
    alt="The first layer's neurons show straight borders, the second layer's curved ones; together they wind between two spirals",
)

# %% [markdown]
# In the first column of neurons every border is straight; in the second they bend, each made of all of the first. (What follows needs a running kernel.)

# %% tags=["nbval-ignore-output", "compare-within=0.02"]
explorers.playground(seed=seed)

# %% [markdown]
# Things to try:
#
# * *Circles* without a hidden layer, then one layer with one neuron, two, three. With three straight borders you can fence in a circle.
# * *Spirals*, three layers of eight, activation *linear*. It stays at a straight border, however deep. Then switch to tanh.
# * *Spirals*, four layers, *sigmoid* against *tanh*: slopes of at most a quarter, four times over.
# * Turn the learning rate up, notch by notch, until the sentence below warns you; then to 0.
# * *Spirals* with the noise at its top, four layers of eight: watch the two loss curves part. Then weight decay.

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 03-1 · Count the article's network
# *recall · 4 minutes*
#
# How many parameters has the network 784-500-2 of section 7, with its biases?

# %% exercise="03-1"
### BEGIN SOLUTION
answer = (784 * 500 + 500) + (500 * 2 + 2)
### END SOLUTION
check("03-1", answer)

# %% [markdown]
# ### Exercise 03-2 · Back through a layer
# *modify · 12 minutes*
#
# A framework's dense layer has a backward method of its own. Write it, for $Z = A W + b$ without activation: from the layer's input `A`, its weights `W` and
# `dZ` $= \partial L/\partial Z$ to the gradients by `W`, by `b` and by `A`, in that order. (The loss is a mean already: its $1/n$ is inside `dZ`.)


# %% exercise="03-2"
def backward_layer(A, W, dZ):
    """(n, inputs), (inputs, outputs), (n, outputs) -> gradients by W, b and A, each of its array's shape."""
    ### BEGIN SOLUTION
    dW = A.T @ dZ
    db = dZ.sum(axis=0)
    dA = dZ @ W.T
    return dW, db, dA
    ### END SOLUTION


check("03-2", backward_layer)

# %% [markdown]
# ### Exercise 03-3 · Back through a modern activation
# *modify · 12 minutes*
#
# Many networks of today bend with *SiLU*, also called swish: $\mathrm{silu}(z) = z\,\sigma(z)$, with the sigmoid $\sigma$. Derive its slope (a product, so the product rule), and
# write the way back: from `Z` and `dA` $= \partial L/\partial A$, where $A = \mathrm{silu}(Z)$, to $\partial L/\partial Z$. You may use `sigmoid`.


# %% exercise="03-3"
def silu_backward(Z, dA):
    """Two arrays of one shape -> the gradient by Z, of the same shape."""
    ### BEGIN SOLUTION
    s = sigmoid(Z)
    return dA * (s + Z * s * (1 - s))
    ### END SOLUTION


check("03-3", silu_backward)

# %% [markdown]
# ### Exercise 03-4 · A whole network in one function
# *extend · 20 minutes*
#
# Without looking at `backward`: all four gradients of a network with one hidden layer of tanh units, softmax and cross-entropy, the loss a mean over the
# batch. That is, $Z_1 = X W_1 + b_1$, $A_1 = \tanh Z_1$, $Z_2 = A_1 W_2 + b_2$, and $L$ is the mean of $-\log P_y$. Before you ask, let the first witness look at it; paste this into a cell of its own:
#
# ```python
# small = start([3, 4, 2], np.random.default_rng(seed))
# arrays = {"W_1": small[0][0], "b_1": small[0][1], "W_2": small[1][0], "b_2": small[1][1]}
# yours = two_layer_gradients(x_check, classes, *arrays.values())
# gradcheck.compare(
#     lambda: cross_entropy(forward(x_check, small, "tanh")[1][-1], classes)[0],
#     arrays,
#     dict(zip(arrays, yours, strict=True)),
# )
# ```


# %% exercise="03-4"
def two_layer_gradients(X, y, W_1, b_1, W_2, b_2):
    """(n, inputs), classes (n,) and the parameters -> gradients by W_1, b_1, W_2, b_2."""
    ### BEGIN SOLUTION
    A_1 = np.tanh(X @ W_1 + b_1)
    Z_2 = A_1 @ W_2 + b_2
    P = np.exp(Z_2 - Z_2.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    delta_2 = (P - np.eye(W_2.shape[1])[y]) / len(X)
    delta_1 = (delta_2 @ W_2.T) * (1 - A_1**2)
    return X.T @ delta_1, delta_1.sum(axis=0), A_1.T @ delta_2, delta_2.sum(axis=0)
    ### END SOLUTION


check("03-4", two_layer_gradients)

# %% [markdown]
# ## Recap
#
# * *A layer* is $Z = A W + b$; two without a bend between them are one, asserted. One bend a neuron makes any curve out of straight pieces.
# * *Backward*: $\nabla_W = A^\mathsf{T}\delta$, $\nabla_b$ the sum of $\delta$'s rows, and one layer down $(\delta W^\mathsf{T}) \odot \sigma'(Z)$. Nine lines for any depth.
# * *Two witnesses*, the central difference and the framework, agree with it below $10^{-6}$. A missing $\sigma'$ does not crash, nor does a wrong index between equal widths; the
#   witnesses showed errors of tenths. Test with unequal sizes, away from kinks.
# * *Scale and loss*: variance $2/n$ before ReLU keeps signal and gradient level over fifty layers, unit normal weights end at $10^{42}$; cross-entropy pushes where the network is sure and
#   wrong, squared error behind a sigmoid does not.
# * *Your own network* solved the spirals, overfitted sixty points, and did about as well as a linear model on two hundred digits: baseline first.

# %% [markdown]
# ## Limits and next
#
# The code is for learning: it keeps all activations, knows no GPU, and its Adam has no options. Frameworks derive the same backward pass from the forward code,
# for any mix of operations; now you know what they write down. A dense layer also treats an image as 784 unrelated numbers: shuffle the pixels of all images in the same way, and it
# learns just as well. Chapter 04 uses what that throws away, and chapter 05 does the same for time.
#
# **Sources.** D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating errors", *Nature* 323 (1986), 533–536 · G. Cybenko, "Approximation by superpositions of a
# sigmoidal function", *Mathematics of Control, Signals and Systems* 2 (1989), 303–314 · X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", *AISTATS*
# (2010) · K. He and others, "Delving deep into rectifiers", *ICCV* (2015) · G. W. Brier, "Verification of forecasts expressed in terms of probability", *Monthly Weather Review* 78 (1950), 1–3 · L.
# Grinsztajn, E. Oyallon, G. Varoquaux, "Why do tree-based models still outperform deep learning on typical tabular data?", *NeurIPS* (2022) · D. Smilkov and others,
# "Direct-manipulation visualization of deep networks", arXiv:1708.03788 (2017) (TensorFlow Playground) · the second article, sections 3.2.1, 4.1.1, 4.2.1 and 4.3.1.
