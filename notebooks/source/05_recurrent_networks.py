# ---
# jupyter:
#   course:
#     chapter: "05"
#     title: Recurrent networks
#     requires: ["03"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 100, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown] tags=["lint-skip-median-cell"]
# # 05 · Recurrent networks
#
# You teach a network to remember, find out by hand why most of them forget, and learn to measure *before* training whether what happened a
# hundred steps ago still reaches it.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 03, Python and NumPy*

# %% [markdown]
# ## You will be able to
#
# * unroll a recurrent network, compute its states by hand and count its parameters;
# * derive backpropagation through time, for one answer at the end and for one at each step;
# * tell from the recurrent weights whether a gradient vanishes or explodes;
# * compute an LSTM by hand, and set its forget gate for the memory that your task needs;
# * choose between a recurrent network, a 1-D convolution and something simpler, from measured numbers.

# %% [markdown]
# What you may change from outside:

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, evaluate, explorers, figures, gradcheck, setup

course = setup("05", profile=profile, seed=seed)

import keras
import numpy as np
import pandas as pd
from keras import layers, ops
from sklearn.linear_model import LogisticRegression

# %% [markdown]
# ## The question
#
# A pump trips. Two alarms came within one minute: a valve closed, and the pressure fell. Then forty seconds of nothing, until someone looked. One is the cause, the other the
# consequence, and whoever has to repair the pump wants to know only this: **which came first?** Plants have long had a box on the wall
# for that question, the *first-out annunciator*. Your product has a recorder: one number a second, a hundred seconds. Mostly noise; a
# spike up is the valve, a spike down is the pressure.


# %%
def alarms(n, rng, time=100):
    """n sequences (n, time, 1) and their classes: 1 where the spike up comes first, else 0."""
    X, y = rng.normal(0, 0.3, (n, time)), rng.integers(0, 2, n)
    # two different seconds of the first sixty
    first, second = np.sort(rng.random((n, 60)).argsort(axis=1)[:, :2], axis=1).T
    X[np.arange(n), first] += np.where(y == 1, 3, -3)
    X[np.arange(n), second] -= np.where(y == 1, 3, -3)
    return X[..., None], y


# %% [markdown]
# A set to train on, a test set for the end, and a validation set; section 6's learning rates were chosen on it, off this page:

# %%
rng = np.random.default_rng(seed)
n_train = course.choose(quick=2_000, full=10_000)
(X_train, y_train), (X_test, y_test) = alarms(n_train, rng), alarms(1_000, rng)
X_val, y_val = alarms(1_000, rng)
X_train.shape, X_val.shape, X_test.shape

# %% [markdown]
# One sequence of each class:

# %%
of_class = {
    name: X_train[y_train == k][0, :, 0] for k, name in ((1, "up first"), (0, "down first"))
}
curves = pd.DataFrame(of_class, index=range(1, 101)).rename_axis("second").round(2)
figures.lines(
    curves.melt(var_name="class", ignore_index=False).reset_index(),
    "second",
    "value",
    "class",
    alt="Two noisy sequences of a hundred values: each has one spike up and one spike down, in opposite order",
)

# %% [markdown]
# Both have one spike up and one spike down. Nothing but the *order* differs. The last forty seconds are noise: whoever
# answers at the end must have remembered.
#
# **Predict first.** A logistic regression gets the last value, then all hundred sorted by size, then all in place. With the first two it can only guess. How often is it right with the third?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
views = {
    "the last value": lambda X: X[:, -1],
    "all values, sorted": lambda X: np.sort(X[:, :, 0], axis=1),
    "all values, in place": lambda X: X[:, :, 0],
}
answers = {}
for name, view in views.items():
    table = LogisticRegression(max_iter=2_000).fit(view(X_train), y_train)
    answers[name] = evaluate.accuracy(y_test, table.predict(view(X_test)))
pd.Series({name: a.value for name, a in answers.items()}, name="accuracy").round(3).to_frame()

# %% [markdown]
# <details><summary>What came</summary>
#
# More than eight times in ten; half the time with the first two: sorted, the two classes look the same.
#
# </details>
#
# The third view has a weight for each *second*, and can say "what is early counts more". It is your baseline: a plain table of a hundred columns. Noise stops it: a hundred columns of it against a spike in two. (With a tenth of the noise it is right 98 times in a hundred.)

# %%
assert abs(answers["the last value"].value - 0.5) < 0.07
assert abs(answers["all values, sorted"].value - 0.5) < 0.07
assert 0.68 < answers["all values, in place"].value < 0.92

# %% [markdown]
# ## 1 · A state that is carried along
#
# A recurrent network reads one value at a time and keeps a **state** $h_t$, a row of numbers. At each step it makes the new state from the old
# one and the new input, always with the *same* weights, and bends it with an activation $\phi$:
#
# $$ h_t = \phi(h_{t-1} W_h + x_t W_x + b), \qquad t = 1, \dots, T, \qquad h_0 = 0. $$
#
# Drawn out in time, it is a deep network with a layer for each step. That is what *unrolling* means:
#
# ```text
#          x_1          x_2          x_3                x_T
#           │ W_x        │ W_x        │ W_x              │ W_x
#           ▼            ▼            ▼                  ▼
#  h_0 ──▶ h_1 ──W_h──▶ h_2 ──W_h──▶ h_3 ── ⋯ ──W_h──▶ h_T ──W_y──▶ logits
# ```
#
# Two shapes, and one rule for all code of this chapter: what there is once for each *step*, 1 to $T$, stands at `t - 1`; what there is once for each *state*, $h_0$ to $h_T$, stands at `t`.
#
# | array | shape | $t$ stands at |
# |---|---|---|
# | `X`, the inputs $x_t$ | `(batch, time, features)` | `X[:, t - 1]` |
# | `H`, the states $h_t$ | `(batch, time + 1, units)` | `H[:, t]` |


# %%
def rnn_forward(X, W_x, W_h, b, h_0=None, phi=np.tanh):
    """States (batch, time + 1, units) of sequences (batch, time, features); H[:, t] is h_t."""
    batch, time, _ = X.shape
    H = np.zeros((batch, time + 1, len(W_h)))
    H[:, 0] = 0 if h_0 is None else h_0
    for t in range(1, time + 1):
        H[:, t] = phi(H[:, t - 1] @ W_h + X[:, t - 1] @ W_x + b)
    return H


# %% [markdown]
# **Predict first.** One unit, $W_x = 1$, $W_h = 0.5$, $b = 0$ and no $\phi$. The input is 1, 0, 0, 0. What are the four states?

# %%
pulse = np.array([1.0, 0, 0, 0]).reshape(1, 4, 1)
one = rnn_forward(pulse, np.array([[1.0]]), np.array([[0.5]]), np.zeros(1), phi=lambda z: z)
one[0, 1:, 0].tolist()

# %% [markdown]
# <details><summary>What came</summary>
#
# 1, 0.5, 0.25, 0.125. The state remembers, and forgets half of it at each step.
#
# </details>
#
# A formula in a book and a function in a notebook can be wrong together. So ask someone who does not know you: Keras. Its `SimpleRNN` holds the same
# three arrays, in the order $W_x$, $W_h$, $b$.

# %%
rng = np.random.default_rng(1)
X = rng.normal(size=(3, 7, 2))  # batch 3, time 7, features 2
layer = layers.SimpleRNN(4, return_sequences=True)
keras_says = ops.convert_to_numpy(layer(X.astype("float32")))
W_x, W_h, b = layer.get_weights()
assert np.allclose(rnn_forward(X, W_x, W_h, b)[:, 1:], keras_says, atol=1e-5)

# %% [markdown]
# Each unit has a weight for each feature, one for each unit of the old state, and a bias: (features + units + 1) · units parameters. The length $T$ does not occur: the same parameters serve ten steps or ten thousand.

# %% [markdown]
# ## 2 · Backpropagation through time
#
# Let the network answer at *every* step, each answer with a loss of its own, $L = \sum_t L_t(h_t)$. One answer
# at the end, as for the alarms, is the case in which only $L_T$ is there. Write $z_t = h_{t-1} W_h + x_t W_x + b$, so that $h_t = \phi(z_t)$, and
#
# $$ \delta_t = \frac{\partial L}{\partial z_t}. $$
#
# Four short steps lead to everything.
#
# 1. *How does $h_t$ reach the loss?* In two ways: through its own $L_t$, and through the next step, $z_{t+1} = h_t W_h + \dots$
# 2. *Along the second way*, entry $i$ of $h_t$ moves entry $j$ of $z_{t+1}$ by $(W_h)_{ij}$. Sum over $j$: what arrives at $h_t$ is
#    $\sum_j (\delta_{t+1})_j (W_h)_{ij}$, as a row $\delta_{t+1} W_h^\top$.
# 3. *From $h_t$ to $z_t$*, entry by entry, comes the factor $\phi'(z_t)$. So
#
# $$ \delta_t = \Big( \delta_{t+1} W_h^\top + \frac{\partial L_t}{\partial h_t} \Big) \odot \phi'(z_t), \qquad \delta_{T+1} = 0. $$
#
# 4. *From $z_t$ to the parameters.* Pretend that each step had a $W_h$ of its own. Step $t$ is then a dense layer with input $h_{t-1}$, whose gradient is
#    $h_{t-1}^\top \delta_t$. In truth they are one and the same matrix; move it, and *all* the copies move, so their effects add up:
#
# $$ \nabla_{W_h} L = \sum_{t=1}^{T} h_{t-1}^\top \delta_t, \qquad \nabla_{W_x} L = \sum_{t=1}^{T} x_t^\top \delta_t, \qquad
# \nabla_b L = \sum_{t=1}^{T} \text{(the rows of } \delta_t \text{, added up)}. $$
#
# The factor $\phi'$ need not be computed from $z_t$: the states know it. For tanh it is $1 - h_t^2$. By the rule of section 1, `own`, the $\partial L_t / \partial h_t$, has an entry for each step, and `back`, what each state
# receives from later steps, one for each state.


# %%
def slope_tanh(h):
    return 1 - h**2


def bptt(X, H, W_h, own, slope=slope_tanh):
    """Gradients by W_x, W_h and b, and what reaches each state from later steps, shaped like H."""
    dW_x, dW_h, db = np.zeros((X.shape[2], len(W_h))), np.zeros_like(W_h), np.zeros(len(W_h))
    back = np.zeros_like(H)
    for t in range(X.shape[1], 0, -1):
        delta = (back[:, t] + own[:, t - 1]) * slope(H[:, t])
        dW_x += X[:, t - 1].T @ delta
        dW_h += H[:, t - 1].T @ delta
        db += delta.sum(axis=0)
        back[:, t - 1] = delta @ W_h.T
    return dW_x, dW_h, db, back


# %% [markdown]
# A witness can contradict it: the loss itself, measured a little to the left and to the right (the central difference). Take for a loss half the squared distance of each state from a target, summed over the steps, the mean over the batch. The last column holds relative errors, which must be tiny:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
rng = np.random.default_rng(3)
X, target, h_0 = rng.normal(size=(3, 6, 2)), rng.normal(size=(3, 6, 4)), rng.normal(size=(3, 4))
W_x, W_h, b = rng.normal(size=(2, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)


def loss_at_each_step():
    H = rnn_forward(X, W_x, W_h, b, h_0)
    return 0.5 * ((H[:, 1:] - target) ** 2).sum() / len(X)


H = rnn_forward(X, W_x, W_h, b, h_0)
dW_x, dW_h, db, back = bptt(X, H, W_h, own=(H[:, 1:] - target) / len(X))
arrays = {"W_x": W_x, "W_h": W_h, "b": b, "h_0": h_0}
by_hand = {"W_x": dW_x, "W_h": dW_h, "b": db, "h_0": back[:, 0]}
errors = gradcheck.compare(loss_at_each_step, arrays, by_hand)
assert (errors["central difference"] < 1e-6).all()
errors

# %% [markdown] road="side"
# ### How far back must you look?
#
# The backward pass keeps every state, so memory grows with $T$. For a log that runs for days you cut: go back only $k$ steps. You measure what that loses.

# %% [markdown]
# In code it is the same function on the last $k$ steps; the state before them counts as given.


# %%
def truncated(X, H, W_h, own, k):
    return bptt(X[:, -k:], H[:, -k - 1 :], W_h, own[:, -k:])


# %% [markdown]
# How much of the full gradient by $W_h$ is missing? Two networks that differ in one number: in the first $W_h$ shrinks every
# state to 0.8 of its length, in the second it keeps the length (an orthogonal matrix, times 0.8 and times 1). Inputs are small, so that tanh takes little at each step. There is one loss, at the end.

# %%
rng = np.random.default_rng(4)
Q, _ = np.linalg.qr(rng.normal(size=(16, 16)))  # orthogonal: turns a state, keeps its length
X, W_x, b = 0.05 * rng.normal(size=(20, 100, 1)), rng.normal(size=(1, 16)), np.zeros(16)
own = np.zeros((20, 100, 16))
own[:, -1] = rng.normal(size=(20, 16))


def share_missing(keeps, k):
    H = rnn_forward(X, W_x, keeps * Q, b)
    whole = bptt(X, H, keeps * Q, own)[1]
    part = truncated(X, H, keeps * Q, own, k)[1]
    return round(np.linalg.norm(part - whole) / np.linalg.norm(whole), 4)


# %% [markdown]
# **Predict first.** How many steps back catch 99 % of the gradient where each step keeps 0.8? And where it keeps everything?

# %%
steps = [1, 2, 5, 10, 20, 40, 60, 80, 100]
rows = [(k, share_missing(keeps, k), str(keeps)) for keeps in (0.8, 1.0) for k in steps]
missing = pd.DataFrame(rows, columns=["steps back", "missing", "each step keeps"])
share = missing.pivot_table("missing", "steps back", "each step keeps")
share.round(2).T

# %% [markdown]
# <details><summary>What came</summary>
#
# About twenty: $0.8^{20} = 0.012$. Where each step keeps (nearly) everything, you need nearly all hundred.
#
# </details>
#
# Where the network forgets, truncation is free. Where it remembers, the missing share falls slowly. The alarms lie in the first sixty seconds: with $k = 40$ no gradient reaches the step at which one is read. Old inputs may still leave traces in the
# state that is handed on, but nothing teaches the network to lay them down.

# %%
assert share.loc[20, "0.8"] < 0.05 < 0.3 < share.loc[20, "1.0"]
assert (share.loc[100] < 1e-12).all()

# %% [markdown]
# ## 3 · How large is the gradient?
#
# From $h_t = \phi(h_{t-1} W_h + \dots)$: entry $i$ of $h_{t-1}$ moves entry $j$ of $h_t$ by $(W_h)_{ij}\, \phi'(z_{t,j})$. A hundred steps are a hundred such matrices,
# multiplied:
#
# $$ \frac{\partial h_T}{\partial h_0} = \prod_{t=1}^{T} W_h \,\mathrm{diag}\big(\phi'(z_t)\big). $$
#
# Its **norm** $\|\cdot\|$ is the largest factor by which it can stretch a row: how much a small change at the start can matter at the end.
#
# Leave out $\phi$, and all factors are the same: the product is $W_h$ multiplied by itself $T$ times. A direction that $W_h$ only stretches, an *eigenvector*, is stretched by its
# *eigenvalue* $\lambda$ each time, so by $\lambda^T$ in all. (An eigenvalue may be a complex number: then $W_h$ also turns. Only its size $|\lambda|$ counts here.) After many steps the largest one wins. Its size is the **spectral radius** of $W_h$, $\rho = \max_i |\lambda_i|$, and the norm goes like $\rho^{\,T}$.
#
# **Predict first.** How large is $0.9^{100}$? And $1.1^{100}$?


# %%
def radius(W):
    return np.abs(np.linalg.eigvals(W)).max()


def random_matrix(seed, units=32):
    """A random matrix (units, units) of spectral radius 1."""
    W = np.random.default_rng(seed).normal(size=(units, units))
    return W / radius(W)


radii = np.array([0.8, 0.9, 1.0, 1.1, 1.2])
powers = [np.linalg.matrix_power(rho * random_matrix(0), 100) for rho in radii]
measured = np.linalg.norm(powers, 2, axis=(1, 2))
columns = {"radius": radii, "radius^100": radii**100, "measured": measured}
pd.DataFrame(columns).map(lambda v: f"{v:.3g}")

# %% [markdown]
# <details><summary>What came</summary>
#
# 0.000027 and 13,781. One tenth less than one loses everything, one tenth more explodes. Measured is about twice that at every radius; after a hundred steps the radius decides.
#
# </details>
#
# With $\phi$ each factor gets a slope of at most 1 for each unit. tanh takes where the state is large; ReLU takes *all* where a unit is off. So "below one vanishes, above one explodes" is true of the linear network; with $\phi$ a gradient may vanish above one, too (a side road measures it). One side is certain: where the *norm* of $W_h$ is below one, every factor is, and the gradient vanishes.
#
# A gradient that explodes can be cut to length (section 6 does). One that vanishes cannot be brought back: a zero has no direction.

# %%
assert (np.abs(measured / radii**100 - 2) < 1).all()

# %% [markdown] road="side"
# ### With φ: tanh saturates, ReLU drops out
#
# You measure the size of the gradient with each activation, and find out why ReLU can lose it at a radius above one.


# %%
def gradient_sizes(H, W_h, slope, back=slice(None)):
    """For one sequence of states (time + 1, units): ‖∂h_T/∂h_{T−k}‖ for k = 0, 1, …, T."""
    products = [np.eye(len(W_h))]
    for h in H[:0:-1]:
        products.append((W_h * slope(h)) @ products[-1])  # each column j times φ′ of unit j
    return np.linalg.norm(np.array(products)[back], 2, axis=(-2, -1))


# %% [markdown]
# Is it right? Move each entry of $h_0$ a little, see how each entry of $h_T$ answers, and take the norm of that table:

# %%
rng = np.random.default_rng(5)
X, h_0 = rng.normal(size=(1, 8, 2)), rng.normal(size=(1, 4))
W_x, W_h, b = rng.normal(size=(2, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)


def last_state(j):
    return rnn_forward(X, W_x, W_h, b, h_0)[0, -1, j]


moved = [gradcheck.central_difference(lambda j=j: last_state(j), h_0)[0] for j in range(4)]
H = rnn_forward(X, W_x, W_h, b, h_0)
sizes_here = gradient_sizes(H[0], W_h, slope_tanh)
assert np.isclose(sizes_here[-1], np.linalg.norm(np.array(moved), 2), rtol=1e-6)

# %% [markdown]
# Now measure on noise a little stronger than that of the alarms, with large input weights, for twenty random matrices at each radius.

# %%
rng = np.random.default_rng(6)
noise, W_in = 0.4 * rng.normal(size=(1, 100, 1)), rng.normal(size=(1, 32))


def relu(z):
    return np.maximum(z, 0)


def slope_relu(h):
    return (h > 0).astype(float)


activations = {
    "linear": (lambda z: z, np.ones_like),
    "tanh": (np.tanh, slope_tanh),
    "ReLU": (relu, slope_relu),
}


def size_after_100(W_h, name):
    phi, slope = activations[name]
    H = rnn_forward(noise, W_in, W_h, np.zeros(len(W_h)), phi=phi)
    return gradient_sizes(H[0], W_h, slope, back=-1)


# %% [markdown]
# **Predict first.** At radius 1.2 the linear network explodes. And the one with ReLU?

# %% tags=["nbval-ignore-output"]
twenty = [random_matrix(100 + k) for k in range(20)]
some = [0.9, 1.0, 1.2, 1.5, 2.0]
sizes = {
    (name, rho): np.array([size_after_100(rho * W, name) for W in twenty])
    for name in activations
    for rho in some
}
medians = pd.DataFrame(
    {name: [np.median(sizes[name, rho]) for rho in some] for name in activations},
    index=pd.Index(some, name="radius"),
)
medians.map("{:.0e}".format)

# %% [markdown]
# <details><summary>What came</summary>
#
# At radius 1.2 it vanishes: in the median to $10^{-8}$, more thoroughly than tanh.
#
# </details>
#
# Many units are off at any step, and each that is off cuts its share: the matrix that counts is $W_h$ with those columns
# blanked. Count them:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
W_h = 1.2 * twenty[0]
on = rnn_forward(noise, W_in, W_h, np.zeros(32), phi=relu)[0, 1:] > 0
blanked = np.median([radius(W_h * o) for o in on])
assert medians.loc[1.2, "ReLU"] < 1e-3 < 1e3 < medians.loc[1.2, "linear"] and blanked < 1
f"{on.mean():.0%} of the units are on; one step's matrix has a radius of {blanked:.2f}"

# %% [markdown]
# How many of the twenty end where, if a factor from a thousandth to a thousand counts as within reach?

# %% tags=["nbval-ignore-output"]
bounds = {"vanishes": (0, 1e-3), "within reach": (1e-3, 1e3), "explodes": (1e3, np.inf)}
fates = pd.DataFrame(
    {
        (name, fate): [
            int(((low <= sizes[name, r]) & (sizes[name, r] < high)).sum()) for r in some
        ]
        for name in ("tanh", "ReLU")
        for fate, (low, high) in bounds.items()
    },
    index=pd.Index(some, name="radius"),
)
fates

# %% [markdown]
# ReLU falls off its ridge on one side or the other: at 1.5 some matrices lose nearly all and others explode. tanh has a wider ridge, because it saturates where the state grows. The extreme needs one unit only. With $W_h = -1.5$ the state wants to change its sign at each step, and ReLU
# makes it zero: radius 1.5, gradient exactly 0.

# %%
negative = np.array([[-1.5]])
H = rnn_forward(np.zeros((1, 100, 1)), np.ones((1, 1)), negative, 0, np.ones((1, 1)), relu)
one_unit = gradient_sizes(H[0], negative, slope_relu, back=-1)
f"ReLU: {one_unit:g}; without φ: {1.5**100:.0e}"

# %% [markdown] road="side"
# ### Where the radius misleads
#
# What happens on the way to the end, and which start keeps a gradient where it is?

# %% [markdown]
# "After many steps" is a real condition. Here is a matrix whose radius is 0.9, so that in the end all is lost. On the way:

# %%
leaning = np.array([[0.9, 5.0], [0.0, 0.9]])
path = [np.linalg.norm(np.linalg.matrix_power(leaning, t), 2) for t in (1, 5, 10, 50, 200)]
assert max(path) > 10 and path[-1] < 1e-5
pd.Series(path, index=[1, 5, 10, 50, 200], name="norm").rename_axis("steps").map(
    "{:.2g}".format
).to_frame()

# %% [markdown]
# It first grows to twenty times, then falls. This matrix has a single direction that it only stretches; it turns every other row towards that one, and the 5 lengthens the row on the way. The first step tells: its *norm* is above one. A matrix whose norm is at most one never lengthens anything.
# The radius speaks about the end of the road; over short sequences look at the norm.
#
# **Where to start?** An **orthogonal** $W_h$ turns a row and stretches nothing: its *singular values*, the factors by which it stretches its main directions, are all one. It is what Keras starts from. The **identity** with ReLU copies the state, as long as the units are on.

# %%
layer = layers.SimpleRNN(32)
layer.build((None, 100, 1))
singular_values = np.linalg.svd(layer.get_weights()[1], compute_uv=False)
assert np.allclose(singular_values, 1, atol=1e-5)
orthogonal = np.linalg.qr(random_matrix(0))[0]
starts = {"random": random_matrix(0), "orthogonal": orthogonal, "identity": np.eye(32)}
left = pd.DataFrame(
    {name: {s: size_after_100(W, name) for s, W in starts.items()} for name in activations}
)
left.map("{:.0e}".format)

# %% [markdown]
# Linear and orthogonal keeps it exactly. But noise in a tanh network makes each slope a little less than one, and a hundred of those cost many powers of ten; with the identity fewer. ReLU with the identity
# keeps all of a unit's gradient as long as the unit is on, and loses all of it at the first step at which it is off; here at least one unit stayed on. A good start helps. It does not make a memory.

# %%
assert np.allclose(left.loc[["orthogonal", "identity"], "linear"], 1)
assert left.loc["orthogonal", "tanh"] < 1e-3

# %% [markdown] road="side"
# ### Turn it yourself
#
# An explorer: choose the network, its start and its radius, and see how much of a gradient is left.

# %% [markdown]
# First a still picture, for readers without a kernel: a tanh network at radius 1.2.

# %% tags=["nbval-ignore-output"]
explorers.gradient_over_time_picture(
    network="tanh",
    radius=1.2,
    alt="Left: the gradient of a tanh network shrinks over 100 steps although the radius is 1.2; right: eigenvalues around the unit circle",
)

# %% [markdown]
# On the left the gradient over 100 steps, and dotted what the radius alone would make of it. On the right the eigenvalues: those of $W_h$ lie out to the radius, those of a whole
# step with its slope further in.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
explorers.gradient_over_time()

# %% [markdown]
# Try these.
#
# * *linear*, radius from 0.9 to 1.1: the line tips over at 1.
# * *ReLU*, radius 1.5: this draw of 16 units explodes. Press *Another draw* five times: none of those explodes. One matrix proves little.
# * *identity* with *tanh* at radius 2: the state saturates, and the gradient is gone at twice the "explosive" radius.
# * *LSTM* (section 4) with radius 1 again: move its forget bias from 1 to 5.

# %% [markdown] road="side"
# ### Clipping: a limit to the step
#
# An exploding gradient throws the parameters far away in a single step. You shorten it, and find out which of Keras's three ways keeps its direction.

# %% [markdown]
# Take *all* gradients together as one long vector $\nabla L$ with the norm $\|\nabla L\|$. You want the same direction and at most the length "limit". So multiply by a factor:
#
# $$ \nabla L \leftarrow \min\Big(1, \frac{\text{limit}}{\|\nabla L\|}\Big)\, \nabla L. $$


# %%
def clip(gradients, limit):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1, limit / norm) if norm > 0 else g for g in gradients]


# %% [markdown]
# In Keras it is `global_clipnorm`. One step of plain gradient descent with learning rate 1 from zero makes its clipped gradient visible: it is what the parameters then are, with a minus.


# %%
def clipped_by_keras(gradients, **how):
    variables = [keras.Variable(np.zeros_like(g), dtype="float64") for g in gradients]
    keras.optimizers.SGD(learning_rate=1.0, **how).apply(gradients, variables)
    return [-ops.convert_to_numpy(v) for v in variables]


rng = np.random.default_rng(7)
gradients = [5 * rng.normal(size=(2, 4)), 0.1 * rng.normal(size=4)]
for limit in (1.0, 1e6):  # too long, and not too long
    theirs = clipped_by_keras(gradients, global_clipnorm=limit)
    for one, other in zip(clip(gradients, limit), theirs, strict=True):
        assert np.allclose(one, other, rtol=1e-6)

# %% [markdown]
# Keras has two more, with names so alike that they are mixed up: `clipnorm` shortens each array for itself, `clipvalue` cuts each entry. Do they keep the direction? The cosine between
# the gradient and the clipped one says: 1 is the same direction.


# %%
def cosine(a, b):
    a, b = (np.concatenate([g.ravel() for g in arrays]) for arrays in (a, b))
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


cosines = {
    how: cosine(gradients, clipped_by_keras(gradients, **{how: 0.1}))
    for how in ("global_clipnorm", "clipnorm", "clipvalue")
}
assert np.isclose(cosines["global_clipnorm"], 1)
assert max(cosines["clipnorm"], cosines["clipvalue"]) < 0.95
pd.Series(cosines, name="cosine").round(2).to_frame()

# %% [markdown]
# Only the global one, unless nothing is clipped. To see what clipping is for, take one linear unit with weight $w$ over 50 steps from $h_0 = 1$, the loss $L = \frac12 (w^{50} - 1)^2$, and
# one step of gradient descent with $\alpha = 0.01$ from $w = 1.1$. By the chain rule $L' = (w^{50} - 1) \cdot 50\, w^{49}$.

# %%
w = 1.1
steepness = (w**50 - 1) * 50 * w**49
free, held = w - 0.01 * steepness, w - 0.01 * clip([np.array(steepness)], 1.0)[0]
assert abs(free) > 100 and 1 < held < w
f"gradient {steepness:,.0f}; after one step w = {free:,.0f} without clipping, {held:.2f} with it"

# %% [markdown]
# Without clipping one step destroys the network; with it the step is small, and goes the right way. Adam divides by the running size of the gradients anyway; there clipping keeps one wild gradient from spoiling its running means.

# %% [markdown]
# ## 4 · LSTM: a memory with gates
#
# A plain RNN pushes its whole memory through $W_h$ and $\phi$ at each step. The **LSTM** (*long short-term memory*) keeps a second row of numbers, the *cell* $c_t$, that is only multiplied and added to, entry by entry:
#
# $$ c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t). $$
#
# Four small dense layers on $x_t$ and $h_{t-1}$ say how much. With $\sigma$ the sigmoid, a number from 0 to 1:
#
# $$ i_t = \sigma(z^i_t), \quad f_t = \sigma(z^f_t), \quad g_t = \tanh(z^g_t), \quad o_t = \sigma(z^o_t), \qquad [z^i_t, z^f_t, z^g_t, z^o_t] = x_t W_x + h_{t-1} W_h + b. $$
#
# $f_t$ is the *forget gate* (1 keeps, 0 forgets), $i_t$ the input gate, $o_t$ the output gate, $g_t$ the proposal for the memory. Keras keeps the four side by side, in this order:
# $W_x$ has the shape `(features, 4 · units)`.


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_forward(X, W_x, W_h, b):
    """H and C, each (batch, time + 1, units), and the gates i, f, g, o side by side, a step each."""
    (batch, time, _), units = X.shape, len(W_h)
    H, C = np.zeros((2, batch, time + 1, units))
    gates = np.zeros((batch, time, 4 * units))
    for t in range(1, time + 1):
        z = X[:, t - 1] @ W_x + H[:, t - 1] @ W_h + b
        z_i, z_f, z_g, z_o = np.split(z, 4, axis=1)
        i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
        C[:, t] = f * C[:, t - 1] + i * g
        H[:, t] = o * np.tanh(C[:, t])
        gates[:, t - 1] = np.concatenate([i, f, g, o], axis=1)
    return H, C, gates


# %% [markdown]
# Against Keras, and a look at its bias, in blocks of the four gates:

# %%
X = np.random.default_rng(8).normal(size=(3, 7, 2))
layer = layers.LSTM(4, return_sequences=True, dtype="float64")
keras_says = ops.convert_to_numpy(layer(X))
assert np.allclose(lstm_forward(X, *layer.get_weights())[0][:, 1:], keras_says, atol=1e-6)
dict(zip("ifgo", layer.get_weights()[2].reshape(4, 4).tolist(), strict=True))

# %% [markdown]
# Keras starts the forget gate's bias at 1 and all others at 0. Keep that 1 in mind.
#
# Along the cell, from $c_t$ back to $c_{t-1}$, one step costs the factor $f_t$ and nothing else: no matrix, no slope. So $f_t$ near 1 keeps a gradient for as long as you like.
#
# A gate of $f$ loses $1 - f$ at each step, so, for $f$ near 1, about 37 % is left after $1/(1-f)$ steps; call that its memory. For a memory of $\tau$ steps you want $f = 1 - 1/\tau$, and solving $\sigma(b_f) = 1 - 1/\tau$ for the bias gives
#
# $$ b_f = \log(\tau - 1). $$
#
# **Predict first.** With Keras's bias of 1 an untrained forget gate stands near $\sigma(1) = 0.73$. What is left after 100 steps along the cell?

# %%
biases = {"from the box": 1.0, "for 100 steps": np.log(100 - 1)}
[f"{name}: bias {b_f:.1f}, left {sigmoid(b_f) ** 100:.2g}" for name, b_f in biases.items()]

# %% [markdown]
# <details><summary>What came</summary>
#
# $0.73^{100}$, about $2 \cdot 10^{-14}$: an LSTM from the box forgets, too.
#
# </details>
#
# Which $\tau$? You seldom know more than an upper limit, here $T$. So give each unit another one, from 2 steps to $T$, and let the input gate start as far closed as the forget gate is open ($b_i = -b_f$), so
# that a slow cell is not filled with noise. This is *chrono initialisation* (Tallec and Ollivier, 2018):


# %%
def chrono(weights, rng, time=100):
    """The weights of an LSTM, its gates' biases set for memories of up to ``time`` steps."""
    W_x, W_h, b = (w.copy() for w in weights)
    units = len(W_h)
    b[units : 2 * units] = np.log(rng.uniform(1, time - 1, units))
    b[:units] = -b[units : 2 * units]
    return [W_x, W_h, b]


# %% [markdown] road="side"
# ### Backwards through an LSTM
#
# You derive its backward pass in the way of section 2, and two witnesses try it.

# %% [markdown]
# Write $\bar h_t$ and $\bar c_t$ for the gradients of the loss by $h_t$ and $c_t$, and ask of each quantity, as in section 2, by which ways it reaches the loss.
#
# 1. *$h_t$*: by its own $L_t$, and by the next step's $z_{t+1} = x_{t+1} W_x + h_t W_h + b$, just as before.
# 2. *$c_t$*: by $h_t = o_t \odot \tanh c_t$, where the slope is $o_t \odot (1 - \tanh^2 c_t)$, and by the next cell, $c_{t+1} = f_{t+1} \odot c_t + \dots$, where it is $f_{t+1}$. So
#
# $$ \bar h_t = \delta_{t+1} W_h^\top + \frac{\partial L_t}{\partial h_t}, \qquad \bar c_t = \bar c_{t+1} \odot f_{t+1} + \bar h_t \odot o_t \odot (1 - \tanh^2 c_t). $$
#
# 3. *The gates*: each stands in one product only, so its gradient is that of the product times the other factor. $o_t$ stands beside $\tanh c_t$ in $h_t$; $f_t$ beside $c_{t-1}$, $i_t$ beside $g_t$ and $g_t$ beside $i_t$ in $c_t$:
#
# $$ \bar o_t = \bar h_t \odot \tanh c_t, \qquad \bar f_t = \bar c_t \odot c_{t-1}, \qquad \bar i_t = \bar c_t \odot g_t, \qquad \bar g_t = \bar c_t \odot i_t. $$
#
# 4. *From a gate to its $z$* comes the slope of its own activation: $i_t (1 - i_t)$ for a sigmoid, and so for $f_t$ and $o_t$; $1 - g_t^2$ for the proposal. The four, side by side in Keras's order, are $\delta_t$. From there everything is as in section 2. After the last step there is nothing: $\delta_{T+1} = 0$, $\bar c_{T+1} = 0$.


# %%
def lstm_backward(X, H, C, gates, W_h, own):
    """Gradients by W_x, W_h and b, and what each state receives from later steps, h beside c."""
    units, time = len(W_h), X.shape[1]
    dW_x, dW_h, db = np.zeros((X.shape[2], 4 * units)), np.zeros_like(W_h), np.zeros(4 * units)
    back = np.concatenate([0 * H, 0 * C], axis=2)
    for t in range(time, 0, -1):
        i, f, g, o = np.split(gates[:, t - 1], 4, axis=1)
        h_bar, c_bar = np.split(back[:, t], 2, axis=1)
        h_bar = h_bar + own[:, t - 1]
        c_bar = c_bar + h_bar * o * (1 - np.tanh(C[:, t]) ** 2)
        z_bars = [
            c_bar * g * i * (1 - i),
            c_bar * C[:, t - 1] * f * (1 - f),
            c_bar * i * (1 - g**2),
            h_bar * np.tanh(C[:, t]) * o * (1 - o),
        ]
        delta = np.concatenate(z_bars, axis=1)
        dW_x += X[:, t - 1].T @ delta
        dW_h += H[:, t - 1].T @ delta
        db += delta.sum(axis=0)
        back[:, t - 1] = np.concatenate([delta @ W_h.T, c_bar * f], axis=1)
    return dW_x, dW_h, db, back


# %% [markdown]
# The witnesses again; the second is Keras's own layer, called with the same arrays.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
target = np.random.default_rng(9).normal(size=(3, 7, 4))


def framework_lstm(*weights):
    rest = layer.non_trainable_variables
    states = layer.stateless_call(list(weights), rest, ops.convert_to_tensor(X))[0]
    return 0.5 * ops.sum((states - target) ** 2) / len(X)


def lstm_loss():
    H, _, _ = lstm_forward(X, *arrays.values())
    return 0.5 * ((H[:, 1:] - target) ** 2).sum() / len(X)


arrays = dict(zip(("W_x", "W_h", "b"), layer.get_weights(), strict=True))
H, C, gates = lstm_forward(X, *arrays.values())
own = (H[:, 1:] - target) / len(X)
by_hand = lstm_backward(X, H, C, gates, arrays["W_h"], own)[:3]
theirs = gradcheck.by_framework(framework_lstm, *arrays.values())
by_hand, theirs = (dict(zip(arrays, found, strict=True)) for found in (by_hand, theirs))
errors = gradcheck.compare(lstm_loss, arrays, by_hand, framework=theirs)
assert (errors[["central difference", "framework"]] < 1e-5).all(axis=None)
errors

# %% [markdown] road="side"
# ### GRU: the same idea with fewer gates
#
# The **GRU** (*gated recurrent unit*) does without a separate cell, and is a quarter smaller.

# %% [markdown]
# One gate $s_t$ shares out the state: so much of the old one, the rest from a new proposal $\hat h_t$. (Papers and Keras call it $z_t$, which is taken here.) A second gate $r_t$ says how much of the old
# state the proposal may see:
#
# $$ s_t = \sigma(x_t W_x^s + b^s + h_{t-1} W_h^s + d^s), \qquad r_t = \sigma(x_t W_x^r + b^r + h_{t-1} W_h^r + d^r), $$
#
# $$ \hat h_t = \tanh\big(x_t W_x^h + b^h + r_t \odot (h_{t-1} W_h^h + d^h)\big), \qquad h_t = s_t \odot h_{t-1} + (1 - s_t) \odot \hat h_t. $$
#
# Two biases, $b$ and $d$, because $r_t$ multiplies one of them only (Keras's `reset_after=True`, its default). Papers and libraries differ in whether $s_t$ or $1 - s_t$ stands before the old state; in
# Keras it is as here, in the order s, r, h.


# %%
def gru_forward(X, W_x, W_h, biases):
    """States (batch, time + 1, units); the blocks of the weights stand in the order s, r, h."""
    H = np.zeros((len(X), X.shape[1] + 1, len(W_h)))
    b, d = biases
    for t in range(1, X.shape[1] + 1):
        s_x, r_x, h_x = np.split(X[:, t - 1] @ W_x + b, 3, axis=1)
        s_h, r_h, h_h = np.split(H[:, t - 1] @ W_h + d, 3, axis=1)
        s, r = sigmoid(s_x + s_h), sigmoid(r_x + r_h)
        H[:, t] = s * H[:, t - 1] + (1 - s) * np.tanh(h_x + r * h_h)
    return H


# %% [markdown]
# Against Keras. Its biases start at zero, where a mistake with them would not show; so give it random ones. And the parameters of all three layers, built for ten steps and for a thousand:

# %%
rng = np.random.default_rng(12)
X = rng.normal(size=(3, 7, 2))
layer = layers.GRU(4, return_sequences=True, dtype="float64")
layer.build(X.shape)
layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
keras_says = ops.convert_to_numpy(layer(X))
assert np.allclose(gru_forward(X, *layer.get_weights())[:, 1:], keras_says, atol=1e-5)

plain = (1 + 32 + 1) * 32
sizes_of_layers = {"SimpleRNN": plain, "GRU": 3 * (plain + 32), "LSTM": 4 * plain}
for layer_name, count in sizes_of_layers.items():
    for time in (10, 1_000):
        layer = getattr(layers, layer_name)(32)
        layer.build((None, time, 1))
        assert layer.count_params() == count
pd.Series(sizes_of_layers, name="parameters").to_frame()

# %% [markdown]
# What the forget gate is to an LSTM, $s$ is to a GRU: $b^s = \log(\tau - 1)$ should give it a memory of about $\tau$ steps along the direct way (you do not train one here).

# %% [markdown]
# ## 5 · Four untrained networks, a hundred steps
#
# Which network will learn the order of two alarms? Measure before you train. Four candidates: a plain RNN with tanh and a random $W_h$ of radius 0.9; one with an *orthogonal* $W_h$, which turns a row and stretches nothing (Keras's own start); an LSTM from the box; an LSTM with its
# gates set.

# %%
units = course.choose(quick=32, full=100)


def kind(name):
    return layers.LSTM if "LSTM" in name else layers.SimpleRNN


def start(name, seed):
    """The weights of a recurrent layer before training."""
    layer = kind(name)(units, seed=seed)
    layer.build((None, 100, 1))
    weights = layer.get_weights()
    if name == "RNN, radius 0.9":
        weights[1] = 0.9 * random_matrix(seed, units)
    if name == "LSTM, gates set":
        weights = chrono(weights, np.random.default_rng(seed))
    return weights


# %% [markdown]
# Send a gradient in from the end, and see how much of its length reaches the state $k$ steps before. Keras differentiates the last $k$ steps by what they start from, the state (for an LSTM, $h$ and $c$):


# %%
def tanh64(z):
    return 2 * ops.sigmoid(2 * z) - 1  # tanh; on JAX Keras's own has 32 bits


X = X_train[:50]
end = np.random.default_rng(10).normal(size=(50, units))


def share_arriving(name, k):
    """The length of the gradient k steps back over its length at the end, the median over X."""
    layer = kind(name)(units, activation=tanh64, return_state=True, dtype="float64")
    layer.build((None, 100, 1))
    layer.set_weights(start(name, seed))
    _, *states = layer(X[:, :-k])
    states = [ops.convert_to_numpy(s) for s in states]

    def loss(*states):
        later = ops.convert_to_tensor(X[:, -k:])
        return ops.sum(end * layer(later, initial_state=list(states))[0])

    gradients = np.concatenate(gradcheck.by_framework(loss, *states), axis=1)
    return np.median(np.linalg.norm(gradients, axis=1) / np.linalg.norm(end, axis=1))


# %% [markdown]
# The alarms lie 40 to 99 steps before the end:

# %% tags=["nbval-ignore-output"]
candidates = ["RNN, radius 0.9", "RNN, orthogonal", "LSTM from the box", "LSTM, gates set"]
rows = [(k, share_arriving(name, k), name) for name in candidates for k in (20, 40, 60, 80, 99)]
arriving = pd.DataFrame(rows, columns=["steps back", "share", "network"])
figures.lines(
    arriving.assign(share=[float(f"{v:.2g}") for v in arriving["share"]]),
    "steps back",
    "share",
    "network",
    logarithmic="y",
    y_title="share of the gradient that arrives",
    alt="99 steps back the LSTM from the box and the RNN of radius 0.9 have lost seven powers of ten, the orthogonal RNN three, the LSTM with its gates set one",
).update_yaxes(exponentformat="power", dtick=1)

# %% [markdown]
# To the LSTM from the box and to the RNN of radius 0.9 almost nothing arrives: less than a millionth, 99 steps back. The orthogonal RNN keeps some thousandths. The LSTM whose gates were set for the task keeps a tenth. (The LSTM from the box keeps more than the $2 \cdot 10^{-14}$ of its cell, because a gradient also travels through $h$.)

# %%
last = arriving[arriving["steps back"] == 99].set_index("network")["share"]
assert last["LSTM, gates set"] > 0.02 > last["RNN, orthogonal"] > 1e-4
assert max(last["RNN, radius 0.9"], last["LSTM from the box"]) < 1e-5

# %% [markdown]
# ## 6 · Trained
#
# Now the four are trained, and with them a network without a state. A **1-D convolution** slides a small window along the sequence and writes down at each step how well it matches, as chapter 04's does over an image. It has no memory; it has a *view*. Four layers of width 5, each followed by a pooling that halves the length, see 76 seconds; six such views overlap along the sequence, and the dense layer at the end has weights of its own for each: it can tell early from late.


# %%
def network(name):
    if name != "1-D CNN":
        return keras.Sequential([keras.Input((100, 1)), kind(name)(units), layers.Dense(2)])
    blocks = [keras.Input((100, 1))]
    for _ in range(4):
        blocks += [
            layers.Conv1D(16, 5, padding="same", activation="relu"),
            layers.MaxPooling1D(),
        ]
    return keras.Sequential([*blocks, layers.Flatten(), layers.Dense(2)])


# %% [markdown]
# All five get the same sequences in the same batches, the same optimiser, and a gradient cut to length 1 (`global_clipnorm`). Each has the learning rate that was best for it on the *validation* set, out of 0.001, 0.003, 0.01 and 0.02, over three starts. (The rates do not explain it: from the box, 0.02 gives one half, too; with gates set, 0.003 gives eight tenths.) One model serves several starts; between two runs the weights and the optimiser's own numbers are set back.

# %%
epochs = course.choose(quick=4, full=10)


def trainer(model, rate):
    """A function that trains ``model`` from given weights and returns its answers to X."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), loss)
    model.optimizer.build(model.trainable_variables)
    fresh = [ops.convert_to_numpy(v) for v in model.optimizer.variables]

    def run(weights, seed, X):
        keras.utils.set_random_seed(seed)  # the order of the batches
        model.set_weights(weights)
        for variable, value in zip(model.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        model.fit(X_train.astype("float32"), y_train, batch_size=100, epochs=epochs, verbose=0)
        return ops.convert_to_numpy(model(X.astype("float32"))).argmax(axis=1)

    return run


# %% [markdown]
# **Predict first.** Write your bet down: which of the five will be right more than nine times in ten, from each start?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
rates = {
    "RNN, radius 0.9": 0.001,
    "LSTM from the box": 0.003,
    "RNN, orthogonal": 0.001,
    "LSTM, gates set": 0.02,
    "1-D CNN": 0.02,
}
seeds, results = range(seed, seed + course.choose(quick=3, full=2)), {}
for name, rate in rates.items():
    train = trainer(network(name), rate)
    for s in seeds:
        keras.utils.set_random_seed(s)
        weights = network(name).get_weights()
        if name != "1-D CNN":
            weights[:3] = start(name, s)
        results[name, s] = evaluate.accuracy(y_test, train(weights, s, X_test))
right = {name: [results[name, s].value for s in seeds] for name in rates}
pd.DataFrame(right, index=[f"start {s}" for s in seeds]).round(3).T

# %% [markdown]
# <details><summary>What came</summary>
#
# In the quick profile: the LSTM with its gates set and the CNN, each time. The others never: here and there one found part of the way.
#
# </details>
#
# A dot for each start, with a 95 % interval for its accuracy on all alarms of this kind; how much the start matters you see from the dots:

# %% tags=["nbval-ignore-output"]
rows = [("100 columns, logistic", *answers["all values, in place"])]
rows += [(name, *result) for (name, _), result in results.items()]
figures.intervals(
    pd.DataFrame(rows[::-1], columns=["name", "value", "low", "high", "n"]),
    x_title="test accuracy, 95 % interval",
    alt="All starts of the LSTM with its gates set and of the CNN stand near one; logistic regression at 0.83; the orthogonal RNN and the LSTM from the box spread from one half upwards; the RNN of radius 0.9 stands near one half",
).update_layout(height=390)

# %% [markdown]
# Only the recurrent network to which a tenth of the gradient arrives learned the order from every start. Where some thousandths or less arrive, a short training is a gamble, mostly lost to a plain table of a hundred columns. Two rows of biases, $b_f = \log(\tau - 1)$ and $b_i = -b_f$, are all that tells the two LSTMs apart before training, and Keras does not set them for you.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
baseline = answers["all values, in place"].value
assert min(right["LSTM, gates set"] + right["1-D CNN"]) > max(0.85, baseline)
assert course.full or min(right["LSTM from the box"]) < 0.7 < baseline
assert course.full or np.median(right["RNN, radius 0.9"]) < 0.6
course.headline("test accuracy, LSTM with its gates set", *results["LSTM, gates set", seed][:3])

# %% [markdown]
# ## 7 · Which one on Monday?
#
# First the simplest thing. No network above was told what a spike is; you know. Make two columns yourself, the second of the largest value and that of the smallest, and compare them.
#
# **Predict first.** How often is that one comparison right?

# %%
up, down = X_test[..., 0].argmax(axis=1), X_test[..., 0].argmin(axis=1)
by_columns = ((up < down) == y_test).mean()
f"two columns, one comparison: {by_columns:.3f} right"

# %% [markdown]
# <details><summary>What came</summary>
#
# Always, on these thousand. No network above beats that, and nothing had to be trained.
#
# </details>

# %%
assert by_columns > 0.99

# %% [markdown]
# Where you do not know which columns to make, cost decides as often as accuracy. Count the multiplications for one sequence, and how many steps must wait for one another: a recurrent step needs the one before it, the places of a convolution do not.

# %%
step = (1 + units) * units
work = {
    "RNN": (100 * step, 100),
    "LSTM": (4 * 100 * step, 100),
    "1-D CNN": (100 * 5 * 16 + (50 + 25 + 12) * 5 * 16 * 16, 4),
}
pd.DataFrame(work, index=["multiplications", "steps in a row"]).T.map("{:,}".format)

# %% [markdown]
# * **First the table.** A column for each step and logistic regression, or a few columns you make yourself. For the alarms two are enough. If it is good enough, stop.
# * **A fixed window, or a whole recording at once?** 1-D convolutions: few steps in a row, so they use your hardware well, and no gradient has to travel a hundred steps.
# * **An endless stream, one value at a time, on a small device?** An LSTM or GRU (a smaller relative): its state is all it has to keep. Set the gates to the memory you need, and clip.
# * **Text?** First counted words (chapter 08); a pretrained encoder, which looks at all places at once, where it saves hours (chapter 09).

# %% [markdown] road="side"
# ### The plain RNN, by your own hand
#
# Your own gradient trains the orthogonal RNN, without Keras: is it the library that makes it a gamble?

# %% [markdown]
# For the alarms there is one answer, after the last step: two logits $Z = h_T W_y + b_y$, softmax, cross-entropy, the mean over the batch. Chapter 03 derives
# $\partial L / \partial Z = (P - Y)/\text{batch}$, where $Y$ has a 1 at the true class. The only own term is that of the last step, and `bptt` is used unchanged.


# %%
def loss_at_the_end(h_T, W_y, b_y, y):
    """The loss, and its gradients by h_T, W_y and b_y."""
    Z = h_T @ W_y + b_y
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    dZ = (P - np.eye(len(b_y))[y]) / len(y)
    loss = -np.log(P[np.arange(len(y)), y]).mean()
    return loss, dZ @ W_y.T, h_T.T @ dZ, dZ.sum(axis=0)


def loss_and_gradients(X, y, W_x, W_h, b, W_y, b_y):
    """Many-to-one: the loss, the gradients of all five parameters, and what reaches each state."""
    H = rnn_forward(X, W_x, W_h, b)
    own = np.zeros_like(H[:, 1:])
    loss, own[:, -1], dW_y, db_y = loss_at_the_end(H[:, -1], W_y, b_y, y)
    *gradients, back = bptt(X, H, W_h, own)
    return loss, [*gradients, dW_y, db_y], back


# %% [markdown]
# One witness is enough here: the central difference on all five gradients.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
rng = np.random.default_rng(3)
X, y = rng.normal(size=(3, 6, 2)), np.array([0, 1, 1])
sizes = {"W_x": (2, 4), "W_h": (4, 4), "b": 4, "W_y": (4, 2), "b_y": 2}
parameters = {name: rng.normal(size=size) for name, size in sizes.items()}
_, gradients, _ = loss_and_gradients(X, y, *parameters.values())
errors = gradcheck.compare(
    lambda: loss_and_gradients(X, y, *parameters.values())[0],
    parameters,
    dict(zip(parameters, gradients, strict=True)),
)
assert (errors["central difference"] < 1e-6).all()
errors

# %% [markdown]
# What is missing is a rule for the step: Adam in a few lines (chapter 02 derives it), with the clipping of section 3's side road.


# %%
def train_rnn(X, y, parameters, rng, epochs, rate=0.001, batch=100):
    m, v, step = [0 * p for p in parameters], [0 * p for p in parameters], 0
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(X)), len(X) // batch):
            gradients = clip(loss_and_gradients(X[rows], y[rows], *parameters)[1], 1.0)
            step += 1
            for p, g, mean, square in zip(parameters, gradients, m, v, strict=True):
                mean += 0.1 * (g - mean)
                square += 0.001 * (g**2 - square)
                root = np.sqrt(square / (1 - 0.999**step)) + 1e-7
                p -= rate * mean / (1 - 0.9**step) / root
    return parameters


def glorot(rng, rows, columns):
    return rng.uniform(-1, 1, size=(rows, columns)) * np.sqrt(6 / (rows + columns))


# %% [markdown]
# It starts from an orthogonal matrix, as Keras does. How much of a gradient passes a hundred steps is measured before and after training.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
by_own_hand = []
for s in seeds[:3]:
    rng = np.random.default_rng(s)
    W_h = np.linalg.qr(rng.normal(size=(units, units)))[0]
    mine = [glorot(rng, 1, units), W_h, np.zeros(units), glorot(rng, units, 2), np.zeros(2)]
    passed = []
    for n in (0, epochs):
        mine = train_rnn(X_train, y_train, mine, rng, n)
        H = rnn_forward(X_test, *mine[:3])
        passed.append(gradient_sizes(H[0], mine[1], slope_tanh, back=-1))
    share = ((H[:, -1] @ mine[3] + mine[4]).argmax(axis=1) == y_test).mean()
    by_own_hand.append((s, share, *(f"{v:.0e}" for v in passed)))
pd.DataFrame(
    by_own_hand, columns=["seed", "accuracy", "left of 100 steps before", "after"]
).set_index("seed")

# %% [markdown]
# In the quick profile one start of three found it and two stayed at a coin: the same gamble, and it is not the library. Nor does the gradient tell which start will win. Before training some thousandths pass in each; after it most passes in a network that guesses. A gradient that arrives is no promise. (With ten times the rate all three guess.)

# %% [markdown] road="side"
# ## 8 · Slips of the articles
#
# Seven statements of the second article on recurrent networks, each in its kindest reading: a random start, ReLU, two gradients, two weaknesses, one task.

# %% [markdown]
# ### A random start
#
# Section B3.2.3 initialises $h_0 = \text{Random}(\mathbb{R}^{d_h})$. Drawn anew at each run, or drawn once and kept? Show one sequence to one network a
# thousand times and look at how far its probabilities spread. Twice, with networks that differ in one thing:
# the first forgets ($W_h = 0.5\, I$), the second remembers ($W_h = I$). Both have the article's ReLU.


# %%
def spread(keeps, h_0):
    """Largest minus smallest probability over a thousand runs on one and the same sequence."""
    rng = np.random.default_rng(2)
    X = np.repeat(rng.normal(0, 0.4, (1, 100, 1)), 1_000, axis=0)
    W_x, w_y = 0.1 * rng.normal(size=(1, 8)), rng.normal(size=8)
    h_T = rnn_forward(X, W_x, keeps * np.eye(8), np.zeros(8), h_0, phi=relu)[:, -1]
    return float(np.ptp(1 / (1 + np.exp(-h_T @ w_y))))


anew = np.random.default_rng(3).normal(size=(1_000, 8))
readings = {"zeros": np.zeros(8), "drawn once": anew[:1], "drawn anew": anew}
spreads = pd.DataFrame(
    {
        name: {keeps: spread(keeps, h_0) for keeps in (0.5, 1.0)}
        for name, h_0 in readings.items()
    }
)
kept_is_harmless = spreads["drawn once"].max() < 1e-9
anew_is_harmless = (
    spreads["drawn anew"] < 1e-9
).tolist()  # one that forgets, one that remembers
spreads.round(2)

# %%
claims.record(
    "c22",
    verdict="holds"
    if all(anew_is_harmless)
    else "holds with a condition"
    if kept_is_harmless or any(anew_is_harmless)
    else "wrong",
    evidence="one sequence, 1,000 runs, spread of the probability with h_0 drawn anew: "
    f"{spreads['drawn anew'][0.5]:.2f} in a network that forgets, {spreads['drawn anew'][1.0]:.2f} in one that "
    f"remembers; drawn once and kept {spreads['drawn once'].max():.2f}",
)

# %% [markdown]
# The condition: draw it once, or let the network forget it. One that remembers gives the same customer another answer at each fresh draw. Start from zeros, or make $h_0$ a parameter and learn it like $b$.
#
# ### ReLU for the state
#
# Sections B3.2.3 and B4.1.3 choose ReLU. It runs; does it keep a gradient? The kindest start is the identity, made for it (Le, Jaitly and Hinton, 2015).

# %%
share_in_reach = (
    fates["ReLU"]["within reach"] / 20
).max()  # of twenty starts, at the best radius
identity_keeps = left.loc["identity", "ReLU"]

# %%
claims.record(
    "c23",
    verdict="holds"
    if share_in_reach > 0.5
    else "holds with a condition"
    if 1e-3 < identity_keeps < 1e3
    else "wrong",
    evidence=f"after 100 steps with ReLU at most {share_in_reach:.0%} of 20 random starts keep a gradient within a factor of "
    f"1,000, at any of {len(fates)} radii; the identity keeps {identity_keeps:.1g} of it",
)

# %% [markdown]
# ### Gradients that vanish and explode
#
# Section B3.3 says that RNNs are *prone* to both (易受), which makes training hard (导致训练困难). Over all radii measured, with tanh and with ReLU; and how well the best of the RNNs of radius 0.9 did:

# %%
ends = fates.T.groupby(level=1).sum().sum(axis=1) / (2 * 20 * len(fates))
trained = max(right["RNN, radius 0.9"])
both = min(ends["vanishes"], ends["explodes"]) > 0.05
ends.round(2).to_dict() | {"best accuracy at radius 0.9": round(trained, 3)}

# %%
claims.record(
    "c33",
    verdict="wrong"
    if ends["within reach"] > 0.9
    else "holds"
    if both and ends["within reach"] < 0.5 and trained < baseline
    else "holds with a condition",
    evidence=f"‖∂h_T/∂h_0‖ after 100 steps, {len(fates)} radii from {fates.index[0]} to {fates.index[-1]}, tanh and ReLU: "
    f"{ends['vanishes']:.0%} vanish, {ends['explodes']:.0%} explode; where it vanishes training reaches {trained:.2f}",
)

# %% [markdown]
# ### The gradient through time
#
# Section B3.2.3 prints $\delta_t = \delta_{t+1} (W_h)^\top$ and then updates with *one* step, $W_h \leftarrow W_h - \alpha\, \delta_{t+1} h_{t-1}^\top$. (The first formula is written for rows, the second for columns; here both are for rows.) Against the derivation, the first lacks the
# factor $\phi'$ and the loss's own term. Is that ever right? The kindest case has one loss, at the end, and ReLU with all units on. Put each missing term back alone, and ask the central difference which version it knows.


# %%
def deltas(H, W_h, own, slope, with_slope=True, with_own=True):
    delta = np.zeros_like(own)
    delta[:, -1] = own[:, -1] * slope(H[:, -1])  # the last step is right in all versions
    for t in range(own.shape[1] - 1, 0, -1):
        arrives = delta[:, t] @ W_h.T + (own[:, t - 1] if with_own else 0)
        delta[:, t - 1] = arrives * (slope(H[:, t]) if with_slope else 1)
    return delta


def over_all_steps(H, delta):
    return np.einsum("bti,btj->ij", H[:, :-1], delta)  # the sum over t of h_{t−1}ᵀ δ_t


rng = np.random.default_rng(3)
each = rng.normal(size=(3, 6, 4))
at_the_end = each * (np.arange(6) == 5)[:, None]
arrays = [rng.normal(size=shape) for shape in ((3, 6, 2), (2, 4), (4, 4), 4, (3, 4))]
positive = [np.abs(array) / 4 for array in arrays]
cases = {
    "tanh, a loss at each step": (arrays, each, "tanh"),
    "ReLU, one loss at the end": (arrays, at_the_end, "ReLU"),
    "the same, all units on": (positive, at_the_end, "ReLU"),
}

# %% [markdown]
# An error of 0 is full agreement, 1 is none.

# %%
versions = {
    "as printed": {"with_slope": False, "with_own": False},
    "with φ′ only": {"with_own": False},
    "with the own term only": {"with_slope": False},
    "with both": {},
}
wrongness, truths = pd.DataFrame(index=list(versions)), {}


def linear_loss():
    return (rnn_forward(X, W_x, W_h, b, h_0, phi)[:, 1:] * own).sum()


for case, ((X, W_x, W_h, b, h_0), own, bend) in cases.items():
    phi, slope = activations[bend]
    truths[case] = gradcheck.central_difference(linear_loss, W_h)
    H = rnn_forward(X, W_x, W_h, b, h_0, phi)
    made = [over_all_steps(H, deltas(H, W_h, own, slope, **how)) for how in versions.values()]
    wrongness[case] = [gradcheck.relative_error(one, truths[case]) for one in made]
printed, whole = wrongness.loc["as printed"], wrongness.loc["with both"]
wrongness.round(3)

# %%
claims.record(
    "c24",
    verdict="wrong"
    if whole.max() > 1e-6
    else "holds"
    if printed.max() < 1e-6
    else "holds with a condition"
    if printed["ReLU, one loss at the end"] < 1e-6
    else "misprinted",
    evidence="relative error of the gradient by W_h as printed: "
    + "; ".join(f"{name} {error:.2f}" for name, error in printed.items())
    + "; with φ′ and the own term below 0.000001 in each",
)

# %% [markdown]
# With one loss at the end $\phi'$ alone is missing, and where all units are on not even that: the printed line is the *linear* network's.
#
# Now the update, with the right $\delta$ of the first case: the printed index ($\delta_{t+1}$ with $h_{t-1}$), the printed single step, and
# the sum. The kindest reading of the index: $\delta_{t+1}$ is what *arrives at* $h_t$, before the factor $\phi'$. It is tried where that factor is one, in the last case.

# %%
(X, W_x, W_h, b, h_0), own, _ = cases["tanh, a loss at each step"]
truth = truths["tanh, a loss at each step"]
H = rnn_forward(X, W_x, W_h, b, h_0)
delta = deltas(H, W_h, own, slope_tanh)
one_step = [H[:, t].T @ delta[:, t] for t in range(6)]  # h_{t−1}ᵀ δ_t, not yet added up
shifted = [H[:, t].T @ delta[:, t + 1] for t in range(5)]  # the printed index
updates = {
    "printed index, one step": shifted,
    "printed index, summed": [sum(shifted)],
    "right index, one step": one_step,
    "right index, summed": [sum(one_step)],
}
best = {
    name: min(gradcheck.relative_error(g, truth) for g in tried)
    for name, tried in updates.items()
}
(X, W_x, W_h, b, h_0), own, _ = cases["the same, all units on"]
H = rnn_forward(X, W_x, W_h, b, h_0, relu)
received = bptt(X, H, W_h, own, slope_relu)[3][:, 1:] + own
one_step = [H[:, t].T @ received[:, t] for t in range(6)]
truth = truths["the same, all units on"]
for how, tried in {"one step": one_step, "summed": [sum(one_step)]}.items():
    best[f"kindest, {how}"] = min(gradcheck.relative_error(g, truth) for g in tried)
pd.Series(best, name="smallest error over the steps").round(3).to_frame()

# %%
claims.record(
    "c25",
    verdict="wrong"
    if best["right index, summed"] > 1e-6
    else "holds"
    if best["printed index, one step"] < 1e-6 or best["kindest, one step"] < 1e-6
    else "misprinted",
    evidence=f"relative error of the gradient by W_h: as printed {best['printed index, one step']:.2f} at best, its index summed "
    f"{best['printed index, summed']:.2f}, right index but one step {best['right index, one step']:.2f} at best, right index "
    f"summed below 0.000001; in the kindest reading of the index one step {best['kindest, one step']:.2f} at best",
)

# %% [markdown]
# Even the luckiest single step is far off; the sum over the steps is missing in every reading.
#
# ### CNNs and sequences
#
# Section B3.3 says that CNNs are not suited to sequences such as text and speech (不适合处理序列数据，如文本、语音等). Kindly read: less suited than a recurrent network. On the task that B4.3.3 sets for one:

# %%
margin = min(right["1-D CNN"]) - max(right["LSTM, gates set"])  # worst CNN against best LSTM
claims.record(
    "c31",
    verdict="holds"
    if min(right["1-D CNN"]) <= baseline
    else "holds with a condition"
    if margin < -0.03
    else "wrong",
    evidence=f"on the task of B4.3.3 the 1-D CNN is right in {min(right['1-D CNN']):.3f} at worst of {len(right['1-D CNN'])} starts, the best recurrent "
    f"network in {max(right['LSTM, gates set']):.3f} at best, logistic regression in {baseline:.3f}",
)

# %% [markdown]
# Our alarms are neither text nor speech. For those others have measured: Kim (2014) sorts sentences with one convolution, Gehring and others (2017) translate with nothing else, and WaveNet, which the article itself names for speech in section B6.3, is made of convolutions. What is true is this: a convolution sees as far as its view and no further, and ours has a fixed length of 100 built into its last layer.
#
# ### One value a step, a hundred neurons
#
# Section B4.3.3 sets the task: sequences of length 100, each element a one-dimensional vector, two classes; input layer 100 neurons, hidden layer 100, output layer 2; 1,000 iterations. Read literally, a hundred inputs at *each* step; kindly read, one input, drawn a hundred times. Which of them takes the article's own data?


# %%
def accepts(layer, X):
    try:
        layer(X)
    except Exception:
        return False
    return True


takes = {}
for reading, features in {"100 inputs a step": 100, "1 input, drawn 100 times": 1}.items():
    layer = layers.SimpleRNN(100)
    layer.build((None, 100, features))
    takes[reading] = accepts(layer, X_train[:8].astype("float32"))
takes

# %% [markdown]
# Its loss, $\frac12 \sum_{t=1}^{T} (\hat y_t - y_t)^2$, wants a label for each step, and there is one a sequence. Kindly read, the label is repeated. Then the loss also asks for the answer *before* the first alarm. The best reply there is one half for each class, which costs $\frac12 (0.25 + 0.25) = 0.25$ a step:

# %%
first_alarm = (np.abs(X_train[:, :, 0]) > 1.7).argmax(axis=1)  # steps before it: noise only
floor = 0.25 * first_alarm.mean()
f"the loss of a perfect network, on average: {floor:.1f}"

# %%
claims.record(
    "c41",
    verdict="wrong"
    if not any(takes.values())
    else "holds"
    if takes["100 inputs a step"] and floor < 0.01
    else "misprinted",
    evidence=f"a layer with a hundred inputs a step takes the sequences: {takes['100 inputs a step']}, with one: "
    f"{takes['1 input, drawn 100 times']}; one label repeated at each step leaves a loss of {floor:.1f} to a perfect network",
)

# %% [markdown]
# One input unit, drawn a hundred times; one label, one loss, after the last step.

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 05-1 · Count an LSTM
# *recall · 5 minutes*
#
# A machine has 8 sensors. An LSTM of 64 units reads them once a second for ten minutes; a dense layer turns its last state into 3 logits. How many parameters are there in all?

# %% exercise="05-1"
### BEGIN SOLUTION
lstm_and_dense = 4 * (8 + 64 + 1) * 64 + 64 * 3 + 3
### END SOLUTION
check("05-1", lstm_and_dense)

# %% [markdown] road="side"
# ### Exercise 05-2 · A leaky state
# *modify · 15 minutes*
#
# Between the plain RNN and the gates stands the *leaky* state, with one fixed number $a$ from 0 to 1 in place of a gate:
#
# $$ u_t = \tanh(h_{t-1} W_h + x_t W_x + b), \qquad h_t = (1 - a)\, h_{t-1} + a\, u_t. $$
#
# Now $h_{t-1}$ reaches $h_t$ in *two* ways. Go through the four steps of section 2 once more and write its backward pass: the gradients by $W_h$ and by $h_0$. By the rule of section 1, `U` and `own` have an entry for each step ($u_t$ is `U[:, t - 1]`), `H` one for each state.


# %% exercise="05-2"
def leaky_bptt(U, H, W_h, own, a):
    """U, own (batch, time, units), H (batch, time + 1, units) -> dW_h and dh_0 (batch, units)."""
    ### BEGIN SOLUTION
    dW_h, arriving = np.zeros_like(W_h), np.zeros_like(H[:, 0])
    for t in range(U.shape[1], 0, -1):
        g = arriving + own[:, t - 1]  # the whole gradient by h_t
        delta = a * g * (1 - U[:, t - 1] ** 2)
        dW_h += H[:, t - 1].T @ delta
        arriving = (1 - a) * g + delta @ W_h.T
    return dW_h, arriving
    ### END SOLUTION


check("05-2", leaky_bptt)

# %% [markdown] road="side"
# ### Exercise 05-3 · No customer counts too much
# *modify · 10 minutes*
#
# To keep any single customer's data from moving a model much (the core of differentially private training), you clip the gradient of each *example* and then take the mean. Write that: each row of `G` is
# the gradient of one example; shorten the rows that are longer than `limit` to that length, and return the mean of all rows.


# %% exercise="05-3"
def clipped_mean(G, limit):
    """Gradients (examples, parameters) -> their mean after clipping each row, (parameters,)."""
    ### BEGIN SOLUTION
    lengths = np.linalg.norm(G, axis=1, keepdims=True)
    factors = np.minimum(1, limit / np.where(lengths > 0, lengths, 1))
    return (G * factors).mean(axis=0)
    ### END SOLUTION


check("05-3", clipped_mean)

# %% [markdown] road="side"
# ### Exercise 05-4 · Cut into pieces
# *extend · 15 minutes*
#
# A log that never ends is trained on in *pieces* of $k$ steps, first piece first. The state is handed on from piece to piece; the gradient stops at the beginning of each. Write the gradient by $W_h$ for a tanh network with a
# loss at each step (so `own` is full of numbers): the sum over all steps, but nothing flows from a piece into the one before it. The first piece is steps 1 to $k$; the last may be shorter.


# %% exercise="05-4"
def bptt_in_pieces(H, W_h, own, k):
    """H (batch, time + 1, units), own (batch, time, units) -> the gradient by W_h, (units, units)."""
    ### BEGIN SOLUTION
    dW_h, arriving = np.zeros_like(W_h), np.zeros_like(H[:, 0])
    for t in range(own.shape[1], 0, -1):
        delta = (arriving + own[:, t - 1]) * (1 - H[:, t] ** 2)
        dW_h += H[:, t - 1].T @ delta
        # Step t is the first of its piece when t − 1 is a multiple of k: from there nothing flows on.
        arriving = np.zeros_like(delta) if (t - 1) % k == 0 else delta @ W_h.T
    return dW_h
    ### END SOLUTION


check("05-4", bptt_in_pieces)

# %% [markdown]
# ## Recap
#
# * *Unroll and count:* one layer, used at each step, with (features + units + 1) · units parameters whatever the length.
# * *Backpropagation through time:* a step's $\delta_t$ comes from the next step's and from its own loss, times $\phi'$; gradients are sums over $t$.
# * *Vanish or explode:* a linear recurrence goes like $\rho^T$; an activation takes from it, so that a gradient can vanish at a radius above one, too.
# * *Gates:* an LSTM's cell passes the gradient on with the factor $f_t$, and $b_f = \log(\tau - 1)$ sets it for a memory of $\tau$ steps. Measure before you train what arrives from as far back as your clue lies.
# * *Choose:* a table first; convolutions for fixed windows; a gated network for streams, its gates set for the memory it needs. On the alarms the last two solved it from every start, plain RNNs and an LSTM from the box from none, and two columns made by hand were right every time.

# %% [markdown]
# ## Limits and next
#
# The alarms are a toy: two spikes, one sensor, one length. An LSTM from the box is not useless; where the clues lie a few steps back, or the training is long, it learns. The plain RNN can be
# trained on long memories with more care than it got here. Four learning rates were tried, three starts each; another grid moves the figures. Newer recurrences (state-space models) are linear in the state, so that
# all steps can be computed at once, and read text, too. Chapter 04 reads images by convolutions; chapter 09 reads text without recurrence.

# %% [markdown] road="side"
# ### Sources
#
# The papers behind this chapter, the oldest first.

# %% [markdown]
# **Sources.** P. J. Werbos, "Backpropagation through time: what it does and how to do it", *Proceedings of the IEEE* 78 (1990), 1550–1560 · Y. Bengio, P. Simard, P. Frasconi, "Learning long-term dependencies with gradient descent is difficult",
# *IEEE Transactions on Neural Networks* 5 (1994), 157–166 · S. Hochreiter, J. Schmidhuber, "Long short-term memory", *Neural Computation* 9 (1997), 1735–1780 · F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to forget: continual prediction with LSTM",
# *Neural Computation* 12 (2000), 2451–2471 (the forget gate) · R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", *ICML* (2013) (clipping by the norm) · K. Cho and others, "Learning phrase representations using RNN
# encoder–decoder for statistical machine translation", *EMNLP* (2014) (the GRU) · Y. Kim, "Convolutional neural networks for sentence classification", *EMNLP* (2014) · Q. V. Le, N. Jaitly, G. E. Hinton, "A simple way to initialize recurrent networks of rectified linear units", arXiv:1504.00941 (2015) · A. van den Oord and others, "WaveNet: a generative model for raw audio", arXiv:1609.03499
# (2016) · J. Gehring and others, "Convolutional sequence to sequence learning", *ICML* (2017) · C. Tallec, Y. Ollivier, "Can recurrent neural networks warp time?", *ICLR* (2018) (chrono initialisation) · the second article,
# sections 3.2.3, 3.3, 4.1.3, 4.3.3 and 6.3.
