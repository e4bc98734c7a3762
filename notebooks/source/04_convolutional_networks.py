# ---
# jupyter:
#   course:
#     chapter: "04"
#     title: Convolutional networks
#     requires: ["03"]
#     needs: {quick: [], full: [mnist]}
#     budget: {seconds: 100, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 04 · Convolutional networks
#
# You build convolution and pooling by hand, check each against outsiders, see what a unit can see, and train the articles' network for
# colour images.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 03, Python and NumPy*

# %% [markdown]
# ## You will be able to
#
# * say what a convolution computes, and how large its result is for any kernel, padding, stride and dilation;
# * write a convolutional layer and a pooling layer in a few lines of NumPy, and check them;
# * say what the gradients of a convolution are, and where the flipped kernel comes from;
# * work out which pixels an answer can depend on, and check it with a gradient;
# * start from a baseline, train a small network on colour images, and judge one change honestly.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares the notebook.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, evaluate, figures, gradcheck, setup, training

course = setup("04", profile=profile, seed=seed)

import keras
import numpy as np
import pandas as pd
from keras import layers, ops
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

# %% [markdown]
# ## The question
#
# Your customer makes metal parts and wants a camera to find scratches, which never lie in the same place. Why not show the pixels to a
# dense network (chapter 03) and let it learn? Take small photos, 32 × 32 pixels
# with three colours, and a first layer that answers with 16 numbers for each pixel.
#
# **Predict first.** How many parameters has that layer if it is dense, every input joined with every output? And how many if it is a
# *convolution*: 16 little windows of 3 × 3 pixels, each with a weight for each pixel and colour in it and one bias, slid over the photo?

# %%
inputs, outputs = 32 * 32 * 3, 32 * 32 * 16
parameters = {"dense": (inputs + 1) * outputs, "convolution": (3 * 3 * 3 + 1) * 16}
pd.Series(parameters, name="parameters").map("{:,}".format).to_frame()

# %% [markdown]
# <details><summary>What came</summary>
#
# Dense: some fifty million. Convolution: 448.
#
# </details>
#
# A dense layer would also have to learn each scratch anew in each place. Here is a photo with a scratch, a dense unit whose weights fit this
# very photo, and a window whose weights fit the scratch alone.

# %%
scratch = np.tri(6, k=1) - np.tri(6, k=-2)  # three diagonals of ones
photo = np.zeros((32, 32))
photo[13:19, 8:14] = scratch
dense_weights, window_weights = photo.copy(), scratch

# %% [markdown]
# Now the part moves to the right, pixel by pixel. The dense unit multiplies each pixel with its own weight and adds up. The convolution
# does that in every place; take the largest of its answers. Both as a share of the first.
#
# **Predict first.** How much is left of the dense unit's answer at two pixels?

# %%
shifts, answers = range(9), {"dense unit": [], "convolution, largest answer": []}
for right in shifts:
    moved = np.roll(photo, right, axis=1)
    answers["dense unit"].append((dense_weights * moved).sum() / scratch.sum())
    found = signal.correlate2d(moved, window_weights, mode="valid").max()
    answers["convolution, largest answer"].append(found / scratch.sum())
table = pd.DataFrame(answers, index=shifts).rename_axis("pixels").reset_index()
figures.lines(
    table.melt("pixels", var_name="who", value_name="answer"),
    "pixels",
    "answer",
    "who",
    x_title="shift to the right, pixels",
    y_title="answer, share of the first",
    height=300,
    alt="The dense unit's answer falls, the convolution's largest answer stays the same",
)

# %% [markdown]
# <details><summary>What came</summary>
#
# A quarter: one diagonal of three still lies on another.
#
# </details>

# %%
assert table["dense unit"].iloc[3] == 0 and (table["convolution, largest answer"] == 1).all()

# %% [markdown]
# From three pixels on the dense unit sees nothing at all; the convolution finds the scratch in each of these places: it uses the same few
# weights everywhere.

# %% [markdown]
# ## 1 · Slide, multiply, add
#
# Start with one row of numbers $a$ and a short row of weights $w$, the **kernel**. Lay the kernel on the row, multiply what lies on top of
# each other, add up, write the sum down; move one place on and repeat. That is **correlation**:
#
# $$ z_x = \sum_{i=0}^{k-1} w_i \, a_{x+i}. $$
#
# `sliding_window_view` lists all windows of a given length, without copying anything; a product with $w$ then does every sum at once.


# %%
def correlate(a, w):
    return sliding_window_view(a, len(w)) @ w


# %% [markdown]
# **Predict first.** The kernel $(-1, 1)$ subtracts each number from the next. What does it make of $(0, 0, 2, 5, 5)$?

# %%
a, w = np.array([0, 0, 2, 5, 5]), np.array([-1, 1])
correlate(a, w)

# %% [markdown]
# <details><summary>What came</summary>
#
# $(0, 2, 3, 0)$: nothing where nothing changes, and how much it rises where it does. A kernel is a question; this one asks "does it rise
# here?"
#
# </details>
#
# Five numbers in, four out: the kernel fits into four places. **Convolution**, the word on the door of this chapter, is almost the same.
# Mathematics defines it with a minus:
#
# $$ z_x = \sum_{i=0}^{k-1} w_i \, a_{x-i}. $$
#
# As $i$ grows, it walks *back* along the row. That is a correlation with the kernel **flipped**, last weight first.


# %%
def convolve(a, w):
    return correlate(a, w[::-1])


assert np.array_equal(correlate(a, w), np.correlate(a, w, mode="valid"))
assert np.array_equal(convolve(a, w), np.convolve(a, w, mode="valid"))
correlate(a, w), convolve(a, w)

# %% [markdown]
# With the flipped kernel $(1, -1)$ every sign turns. NumPy has both, and agrees.

# %% [markdown]
# ### Two dimensions
#
# An image has rows and columns, so the kernel gets both too, and the sum runs over both. Here $x$ counts rows, from the top, and $y$ columns,
# as NumPy's first two axes do:
#
# $$ z_{x,y} = \sum_{i=0}^{k-1} \sum_{j=0}^{k-1} w_{i,j} \, a_{x+i,\; y+j}. $$
#
# `einsum` reads almost like the formula: letters name the axes, and what stands on the left but not on the right of the arrow is summed.


# %%
def correlate2d(a, w):
    return np.einsum("xyij,ij->xy", sliding_window_view(a, w.shape), w)


def convolve2d(a, w):
    return correlate2d(a, w[::-1, ::-1])


# %% [markdown]
# A kernel that differs from its mirror images tells the two apart. Which of them does Keras compute when it says "convolution"?

# %%
rng = np.random.default_rng(seed)
a, w = rng.integers(0, 10, (6, 7)).astype(float), rng.integers(-3, 4, (3, 2)).astype(float)
theirs = np.squeeze(ops.conv(a[None, :, :, None], w[:, :, None, None]))
agrees = {f.__name__: np.allclose(theirs, f(a, w)) for f in (correlate2d, convolve2d)}
assert agrees == {"correlate2d": True, "convolve2d": False}
assert np.allclose(convolve2d(a, w), signal.convolve2d(a, w, mode="valid"))
agrees

# %% [markdown]
# SciPy's `convolve2d` means what it says. Keras says "convolution" and correlates, as the layers of PyTorch do. For *learning* it is all the
# same: a network that wants the flipped kernel learns the flipped kernel. It matters when you bring a kernel along, out of a book or from
# another library, and on the way back (section 5). From here on "convolution" means what Keras computes.
#
# A kernel asks one question. "One side of the window minus the other" asks for edges, and for decades people *designed* such kernels. A
# convolutional network learns them.

# %% [markdown]
# ## 2 · How large is the result?
#
# The kernel fits into fewer places than there are pixels. Three numbers change where the kernel may
# stand. **Padding** $p$ puts $p$ rows and columns of zeros around the image. **Stride** $s$ moves the kernel $s$ pixels at a time.
# **Dilation** $d$ spreads the kernel: its weights look at every $d$-th pixel.
#
# Count the places along one side of $n$ pixels. Spread out, $k$ weights with $d - 1$ gaps between them span $d(k-1) + 1$ pixels. The side
# has $n + 2p$ of them now. The kernel's first pixel can stand at every $s$-th as long as its last one is still inside:
#
# $$ n' = \left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1. $$


# %%
def output_size(n, k, p=0, s=1, d=1):
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


# %% [markdown]
# **Predict first.** A camera gives 224 × 224 pixels, the first layer has 7 × 7 kernels, padding 3 and stride 2 (so begins ResNet, a
# well-known network). How large is its result? And how large would it be without padding?

# %%
output_size(224, k=7, p=3, s=2), output_size(224, k=7, s=2)

# %% [markdown]
# <details><summary>What came</summary>
#
# 112 with padding, 109 without.
#
# </details>
#
# Libraries offer two ready choices. `"valid"` is no padding. `"same"` pads so that $n' = \lceil n / s \rceil$: with stride 1, as many as
# before.

# %% [markdown] road="side"
# ### See it
#
# Three classic kernels on a photograph; then one window at a time, in an explorer with stride and dilation to set.

# %% [markdown]
# What can nine weights see? Three classic kernels on a photograph (scikit-learn's temple, its three colours averaged). The first takes the
# mean of a window; the other two are *Sobel's*, one side of the window minus the other, the middle counted twice:

# %%
from course_utils.data import colour

temple = colour.photographs()[0][40:400, 100:500].mean(axis=2) / 255
temple = temple.reshape(36, 10, 40, 10).mean(axis=(1, 3))  # the mean of 10 × 10 pixels each
kernels = {
    "blur": np.ones((3, 3)) / 9,
    "horizontal edges": np.array([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]]),
    "vertical edges": np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]),
}

# %% [markdown]
# For the edges, ink shows how strong an answer is, whatever its sign (a third of it, cut off at full ink):

# %%
maps = [np.abs(correlate2d(temple, kernel)) for kernel in kernels.values()]
maps = [1 - temple[1:-1, 1:-1], 1 - maps[0], maps[1] / 3, maps[2] / 3]
figures.image_grid(
    np.minimum(maps, 1),
    ["photograph", *kernels],
    columns=4,
    cell=160,
    alt="A temple, the same blurred, its horizontal edges and its vertical edges: each kernel keeps what it asks for",
)

# %% [markdown]
# One picture, three questions. The edges of the roofs come out under one kernel, the sides of the tower under the other.

# %% [markdown]
# Now one window at a time: the image with the current window framed, the kernel, their products, and the map of all sums with the
# current one framed. Numbers are whole, from 0 (paper) to 9 (ink), so you can check each sum by hand.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
from course_utils import explorers

explorers.convolution_picture(
    image="digit",
    kernel="vertical edges",
    alt="A digit with a framed 3 by 3 window, a kernel, their nine products, and the output map with one pixel framed",
)

# %% [markdown]
# The framed pixel of the map is the sum of the nine products. The map is orange on one side of each stroke and blue on the other: the
# kernel answers with a sign, and the sign says from which side the ink comes. In the live version, point at a pixel of the map, or move the
# two sliders, row and column. (It needs a live notebook; in a static view the picture above stands for it.)

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
explorers.convolution()

# %% [markdown]
# Try three things. *Blur* against *sharpen*: which has negative weights, and what do they do along an edge? *Stride 2*: the map has a
# quarter of the pixels; the window jumps. *Dilation 3*: nine pixels, far apart; how much does the map shrink, and does the formula agree?
# Then flip the kernel of the edges and watch the colours change places.

# %% [markdown]
# ## 3 · A whole layer
#
# Two more axes make it a layer. Images have **channels**, three colours at first, and a kernel reaches through all of them. And a layer has
# many kernels, each of which writes a map of its own: the *output* channels. For image $n$ (its padding already around it), place $(x, y)$
# and output channel $o$:
#
# $$ z_{n,x,y,o} = b_o + \sum_{i,j,c} w_{i,j,c,o} \; a_{n,\; sx+di,\; sy+dj,\; c}. $$
#
# The sum runs over the window ($i$, $j$) and over the input channels ($c$), which come last, as in Keras. (PyTorch has them second.) First
# the windows, for a whole batch, with stride and dilation as steps of the slices. Nothing is copied; NumPy only walks over the same memory
# in larger steps.


# %%
def windows(a, size, s=1, d=1):
    """(n, height, width, channels) -> (n, rows, columns, channels, k, k)"""
    span = [d * (k - 1) + 1 for k in size]
    return sliding_window_view(a, span, axis=(1, 2))[:, ::s, ::s, :, ::d, ::d]


def pad(a, p):
    return np.pad(a, ((0, 0), (p, p), (p, p), (0, 0)))


# %% [markdown]
# The formula, letter by letter:


# %%
def conv(a, w, b, p=0, s=1, d=1):
    view = windows(pad(a, p), w.shape[:2], s, d)
    return np.einsum("nxycij,ijco->nxyo", view, w) + b


# %% [markdown]
# One kernel has $k \cdot k \cdot C_{\text{in}}$ weights and one bias, so a layer has $(k^2\, C_{\text{in}} + 1)\, C_{\text{out}}$
# parameters. The size of the image does not appear in it.
#
# A formula and a function can be wrong together. So ask Keras, in float64. Its layer has
# no stride together with dilation; but a stride only skips places, so take every $s$-th of its answers.


# %%
def keras_conv(a, w, b, p=0, s=1, d=1):
    a = ops.pad(a, ((0, 0), (p, p), (p, p), (0, 0)))
    return ops.conv(a, w, dilation_rate=d)[:, ::s, ::s] + b


# %% [markdown]
# With padding, with a stride, with dilation:

# %%
a = rng.normal(size=(2, 9, 8, 3))
w, b = rng.normal(size=(3, 2, 3, 5)), rng.normal(size=5)
for how in ({"p": 1}, {"s": 2}, {"d": 3}, {"p": 2, "s": 3, "d": 2}):
    z, theirs = conv(a, w, b, **how), ops.convert_to_numpy(keras_conv(a, w, b, **how))
    assert z.shape == theirs.shape and z.shape[1] == output_size(9, k=3, **how)
    assert gradcheck.relative_error(z, theirs) < 1e-12

# %% [markdown]
# Same numbers, to a dozen digits, and the sizes that `output_size` promised.

# %% [markdown] road="side"
# ### Padding "same", and two hundred layers
#
# How much padding "same" is, where an odd one goes, and what goes wrong when a network moves from Keras to PyTorch.

# %% [markdown]
# The last place starts at $(n' - 1)s$ and spans $d(k-1) + 1$ pixels; what sticks out beyond $n$ is the padding in all. Half goes in front; an
# odd one goes behind.


# %%
def same_padding(n, k, s=1, d=1):
    total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)  # -(-n // s) rounds up
    return total // 2, total - total // 2


# %% [markdown]
# Now two formulas, two hundred random layers, and Keras to judge. (It takes stride or dilation, not both at once.)

# %%
dice = np.random.default_rng(seed)
for _ in range(200):
    n, width = dice.integers((12, 1), (60, 6)).tolist()
    s, d = [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)][dice.integers(5)]
    for padding in ("valid", "same"):
        layer = layers.Conv2D(1, width, strides=s, dilation_rate=d, padding=padding)
        added = sum(same_padding(n, width, s, d)) if padding == "same" else 0
        assert layer.compute_output_shape((1, n, n, 1))[1] == output_size(
            n + added, width, s=s, d=d
        )

# %% [markdown]
# A last check, with a stride, where the padding can be lopsided. (With a stride, PyTorch's layers pad both
# sides alike. A network moved from one library to the other may run without an error, its windows one pixel off.)

# %%
photos = dice.normal(size=(2, 8, 9, 3))
layer = layers.Conv2D(4, 3, strides=2, padding="same", dtype="float64")
answered = ops.convert_to_numpy(layer(photos))
weights, biases = layer.get_weights()
around = ((0, 0), same_padding(8, 3, s=2), same_padding(9, 3, s=2), (0, 0))
assert np.allclose(conv(np.pad(photos, around), weights, biases, s=2), answered)
assert layer.count_params() == (3 * 3 * 3 + 1) * 4

# %% [markdown]
# ## 4 · Pooling: keep the strongest
#
# A map says *how much* of a pattern stands *where*. The layers behind need the first, and can often live with a rougher version of the
# second: is there an edge somewhere in this corner? **Max pooling** keeps the largest number of each small window. For windows of
# $k \times k$ and stride $s$, in each channel by itself,
#
# $$ z_{x,y} = \max_{0 \le i,\,j < k} \; a_{sx+i,\; sy+j}, $$
#
# and **average pooling** puts the mean in place of the maximum. There is nothing to learn in either.


# %%
def max_pool(a, k=2, s=2):
    return windows(a, (k, k), s).max(axis=(-2, -1))


def average_pool(a, k=2, s=2):
    return windows(a, (k, k), s).mean(axis=(-2, -1))


# %% [markdown]
# Four by four numbers, windows of 2 × 2, stride 2.
#
# **Predict first.** Which four numbers remain?

# %%
small = np.array([[1.0, 3, 2, 0], [4, 2, 1, 1], [0, 1, 5, 6], [2, 2, 7, 8]])[None, :, :, None]
np.squeeze(max_pool(small))

# %% [markdown]
# <details><summary>What came</summary>
#
# 4, 2, 2 and 8, the largest of each quadrant.
#
# </details>

# %% [markdown]
# ## 5 · Backward: the flip comes back
#
# Training needs to know how the loss $L$ changes with each weight. Whatever comes after the layer, it reaches the layer as one array shaped
# like $z$, $\delta_{x,y} = \partial L / \partial z_{x,y}$ (chapter 03). Take one channel and stride 1.
#
# **Kernel.** A weight is used at every place, and collects from all its uses. So its gradient is the *correlation of the input with*
# $\delta$:
#
# $$ \frac{\partial L}{\partial w_{i,j}} = \sum_{x,y} \delta_{x,y} \; a_{x+i,\; y+j}. $$
#
# **Input.** The layer before asks for the gradient of its answers. The pixel $a_{u,v}$ was used where $x + i = u$ and $y + j = v$:
#
# $$ \frac{\partial L}{\partial a_{u,v}} = \sum_{i,j} w_{i,j} \; \delta_{u-i,\; v-j}. $$
#
# There is the minus of section 1. **The layer correlates; its input gradient convolves.** And since a pixel in the corner of the image was
# used too, the sum includes all places where kernel and $\delta$ overlap at all: the *full* convolution.
#
# **Predict first.** The image has 6 × 6 pixels, the kernel 3 × 3, so $\delta$ has 4 × 4 numbers. How many has their full convolution?

# %%
x, k, delta = rng.normal(size=(6, 6)), rng.normal(size=(3, 3)), rng.normal(size=(4, 4))
grad_k = signal.correlate2d(x, delta, mode="valid")
grad_x = signal.convolve2d(delta, k, mode="full")
grad_x.shape

# %% [markdown]
# <details><summary>What came</summary>
#
# 6 × 6: an input gradient has the shape of the input.
#
# </details>
#
# Is it right? The **central difference** moves each number a little and measures the loss. The simplest loss with this $\delta$ is
# $L = \sum \delta \odot z$ ($\odot$: entry by entry).

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
errors = gradcheck.compare(
    lambda: (delta * correlate2d(x, k)).sum(), {"k": k, "x": x}, {"k": grad_k, "x": grad_x}
)
assert errors["central difference"].max() < 1e-6
errors

# %% [markdown]
# Two formulas, two lines of SciPy, and a witness who knows neither.

# %% [markdown] road="side"
# ### Any stride, any number of channels
#
# The same gradients in full, with padding, stride, dilation and channels, against two witnesses; then the input's gradient as one
# convolution.

# %% [markdown]
# Let $\delta_{n,x,y,o}$ be shaped like $z$ of section 3. The bias $b_o$ is added to every $z$ of its channel, so its gradient is the sum of
# that channel's $\delta$. The kernel's sums over images, too:
#
# $$ \frac{\partial L}{\partial w_{i,j,c,o}} = \sum_{n,x,y} \delta_{n,x,y,o} \; a_{n,\; sx+di,\; sy+dj,\; c}. $$
#
# The windows are those of the forward pass, so the code is too, with other letters summed. The pixel $a_{n,u,v,c}$ was used where
# $sx + di = u$ and $sy + dj = v$:
#
# $$ \frac{\partial L}{\partial a_{n,u,v,c}} = \sum_{\substack{x,\, i:\; sx+di=u \\ y,\, j:\; sy+dj=v}} \; \sum_o w_{i,j,c,o} \; \delta_{n,x,y,o}. $$
#
# The easiest way to visit all such pairs: for each weight $(i, j)$, hand $\delta$ times the weight to the pixels on which it lay. Those
# form a slice.


# %%
def conv_backward(delta, a, w, p=0, s=1, d=1):
    padded, (rows, columns) = pad(a, p), delta.shape[1:3]
    grad_b = delta.sum(axis=(0, 1, 2))
    grad_w = np.einsum("nxycij,nxyo->ijco", windows(padded, w.shape[:2], s, d), delta)
    grad_a = np.zeros_like(padded)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            under = np.s_[:, d * i : d * i + s * rows : s, d * j : d * j + s * columns : s]
            grad_a[under] += delta @ w[i, j].T
    return grad_w, grad_b, grad_a[:, p : p + a.shape[1], p : p + a.shape[2]]


# %% [markdown]
# The last line cuts off what was passed to the padding, which no layer before will ask for. Two witnesses: the central difference, and the
# framework, which differentiates its own convolution. The loss is $L = \sum G \odot z$ with a fixed random $G$, for then $\delta = G$.


# %%
def random_layer(rng):
    n, c, o, k, m = rng.integers(1, 4, 5)
    height, width = rng.integers(7, 11, 2)
    p, s, d = rng.integers((0, 1, 1), (3, 3, 3)).tolist()
    a, w = rng.normal(size=(n, height, width, c)), rng.normal(size=(k, m, c, o))
    return a, w, rng.normal(size=o), {"p": p, "s": s, "d": d}


# %% [markdown]
# Ten of them, each by both:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
dice = np.random.default_rng(seed)


def witnesses(a, w, b, how):
    G = dice.normal(size=conv(a, w, b, **how).shape)
    by_hand = dict(zip("wba", conv_backward(G, a, w, **how), strict=True))
    theirs = gradcheck.by_framework(
        lambda w, b, a: ops.sum(keras_conv(a, w, b, **how) * G), w, b, a
    )
    loss, arrays = lambda: (conv(a, w, b, **how) * G).sum(), {"w": w, "b": b, "a": a}
    return gradcheck.compare(
        loss, arrays, by_hand, framework=dict(zip("wba", theirs, strict=True))
    )


tables = [witnesses(*random_layer(dice)) for _ in range(10)]
both = ["central difference", "framework"]
assert max(table[both].to_numpy().max() for table in tables) < 1e-6
tables[0]

# %% [markdown]
# Ten random shapes; the first one's errors are shown. Against the framework they agree to the last digits; a central difference is itself
# only good to ten digits or so. (The course's own tests do it on more than a hundred.)
#
# With channels, input and output channels change places in the flipped kernel; with a stride, $s - 1$ zeros are put between the entries of
# $\delta$ first. That gives a second way to the same gradient, by nothing but a convolution:


# %%
def input_gradient(delta, w, shape, p=0, s=1, d=1):
    span = [d * (k - 1) for k in w.shape[:2]]
    sides = [n + 2 * p - reach for n, reach in zip(shape[1:3], span, strict=True)]
    spread = np.zeros((shape[0], *sides, w.shape[3]))  # as large as without stride
    spread[:, ::s, ::s] = delta
    spread = np.pad(spread, ((0, 0), (span[0], span[0]), (span[1], span[1]), (0, 0)))
    flipped = w[::-1, ::-1].transpose(0, 1, 3, 2)
    return conv(spread, flipped, 0, d=d)[:, p : p + shape[1], p : p + shape[2]]


# %% [markdown]
# Padding, stride and dilation included, twenty times:

# %%
for _ in range(20):
    image, kernel, bias, how = random_layer(dice)
    G = dice.normal(size=conv(image, kernel, bias, **how).shape)
    slices = conv_backward(G, image, kernel, **how)[2]
    assert np.allclose(input_gradient(G, kernel, image.shape, **how), slices)

# %% [markdown] road="side"
# ### Pooling: against Keras, and backward
#
# Both poolings against Keras's; then the way back: max pooling passes $\delta$ to the one pixel that won, average pooling to all alike.

# %% [markdown]
# What does Keras say, on overlapping windows too?

# %%
dice = np.random.default_rng(seed)
several = dice.normal(size=(2, 9, 8, 3))
for how in ((2, 2), (3, 2), (3, 1), (2, 3)):  # the window's side, the stride
    largest = layers.MaxPooling2D(*how, dtype="float64")(several)
    means = layers.AveragePooling2D(*how, dtype="float64")(several)
    assert np.allclose(max_pool(several, *how), largest)
    assert np.allclose(average_pool(several, *how), means)

# %% [markdown]
# On the way back, the losers could have been a little larger or smaller, and nothing would have changed. Both by slices again.


# %%
def max_pool_backward(delta, a, k=2, s=2):
    grad, z, (rows, columns) = np.zeros_like(a), max_pool(a, k, s), delta.shape[1:3]
    for i in range(k):
        for j in range(k):
            under = np.s_[:, i : i + s * rows : s, j : j + s * columns : s]
            grad[under] += delta * (a[under] == z)
    return grad


def average_pool_backward(delta, a, k=2, s=2):
    grad, (rows, columns) = np.zeros_like(a), delta.shape[1:3]
    for i in range(k):
        for j in range(k):
            grad[:, i : i + s * rows : s, j : j + s * columns : s] += delta / k**2
    return grad


# %% [markdown]
# Where two pixels tie for the largest, the maximum has a kink and no gradient; frameworks usually pick one of the two, our code gives each of
# them all of $\delta$. So the check runs on numbers that are all different.


# %%
def pooling_error(pool, backward, k, s):
    a = dice.permutation(2 * 7 * 8 * 3).reshape(2, 7, 8, 3).astype(float)
    G = dice.normal(size=pool(a, k, s).shape)
    gradient = {"a": backward(G, a, k, s)}
    table = gradcheck.compare(lambda: (pool(a, k, s) * G).sum(), {"a": a}, gradient)
    return table["central difference"].max()


for how in ((2, 2), (3, 2), (2, 3)):  # the window's side, the stride
    assert pooling_error(max_pool, max_pool_backward, *how) < 1e-6
    assert pooling_error(average_pool, average_pool_backward, *how) < 1e-6

# %% [markdown]
# And the framework's word on max pooling:

# %%
pooled = dice.normal(size=(2, 8, 7, 3))
G = dice.normal(size=max_pool(pooled, 2, 3).shape)
winners = gradcheck.by_framework(lambda a: ops.sum(ops.max_pool(a, 2, 3) * G), pooled)[0]
assert gradcheck.relative_error(max_pool_backward(G, pooled, 2, 3), winners) < 1e-12

# %% [markdown] road="side"
# ## 6 · One matrix product: why it is fast
#
# Libraries can turn a convolution into one matrix product. How, what that saves against a loop, and what it costs in memory.

# %% [markdown]
# Written as the formula is, a convolution is a loop over images, rows, columns and output channels. Python takes its time for that. The
# trick on which many libraries build: write each window as a *row*. Then all windows form a matrix $A$ with $k \cdot k \cdot C_{\text{in}}$
# columns, the kernels form a matrix $W$ with a column for each, and the whole layer is the line you know,
#
# $$ Z = A W + b. $$
#
# A convolution is a dense layer applied to every window. The rearrangement has a name, **im2col**.


# %%
def im2col(a, size, s=1, d=1):
    view = windows(a, size, s, d).transpose(0, 1, 2, 4, 5, 3)  # channels last, as in w
    n, rows, columns = view.shape[:3]
    return view.reshape(n * rows * columns, -1), (n, rows, columns, -1)  # here NumPy copies


def conv_im2col(a, w, b, p=0, s=1, d=1):
    A, shape = im2col(pad(a, p), w.shape[:2], s, d)
    W = w.reshape(A.shape[1], -1)
    return (A @ W + b).reshape(shape)


# %% [markdown]
# And the loop, as one would write it first:


# %%
def conv_loop(a, w, b):
    k = len(w)
    rows, columns = output_size(a.shape[1], k), output_size(a.shape[2], k)
    z = np.empty((len(a), rows, columns, w.shape[3]))
    for n, x, y, o in np.ndindex(z.shape):
        z[n, x, y, o] = (a[n, x : x + k, y : y + k] * w[..., o]).sum() + b[o]
    return z


# %% [markdown]
# Four programs, one result. One image of 32 × 32 with 32 channels, 32 kernels of 3 × 3, in float32, as networks compute:

# %%
dice = np.random.default_rng(seed)
images = dice.normal(size=(1, 32, 32, 32)).astype("float32")
filters, bias = dice.normal(size=(3, 3, 32, 32)).astype("float32"), np.zeros(32, "float32")
programs = {
    "loop": conv_loop,
    "windows and einsum": conv,
    "im2col": conv_im2col,
    "keras.ops.conv": lambda a, w, b: ops.convert_to_numpy(ops.conv(a, w) + b),
}
first = conv(images, filters, bias)
assert all(
    gradcheck.relative_error(run(images, filters, bias), first) < 1e-5
    for run in programs.values()
)

# %% [markdown]
# **Predict first.** The formula asks for eight million multiplications. How many times faster than the loop is the fastest?

# %% tags=["nbval-ignore-output"]
import timeit
from functools import partial

seconds = {}
for name, program in programs.items():
    again = 1 if name == "loop" else 30  # the best of thirty: others may be using the machine
    seconds[name] = min(
        timeit.repeat(partial(program, images, filters, bias), number=1, repeat=again)
    )
clock = pd.DataFrame({"milliseconds": pd.Series(seconds) * 1000})
clock["times as fast as the loop"] = clock["milliseconds"]["loop"] / clock["milliseconds"]
clock.round(1)

# %% [markdown]
# <details><summary>What came</summary>
#
# The loop is the slowest by far (the next cell holds that); the factors depend on your machine.
#
# </details>
#
# Two things are at work. Python's own overhead goes, because one call does it all; that much `einsum` has too. And a matrix product is what
# processors and their libraries are best at: they fetch a block of numbers once and use each of them many times before they fetch the next.
# (Keras may use all cores, and its time includes the way to the framework and back, which counts for small layers.)
#
# The price is memory. A pixel that lies in nine windows is written nine times:

# %%
assert max(seconds, key=seconds.get) == "loop"
f"{im2col(images, (3, 3))[0].size / images.size:.1f} times as many numbers as the input has"

# %% [markdown]
# (A little less than nine: pixels at the border lie in fewer windows.) Real libraries often build the matrix piece by piece, or not at all,
# walking the image in the same order. So when training runs out of memory on Monday, suspect first the maps that every layer keeps for the
# way back: halve the batch and see.

# %% [markdown]
# ## 7 · What can a unit see?
#
# A pixel of the first map depends on 3 × 3 pixels of the photo. One of the second map depends on 3 × 3 of the *first*. The side of the
# square it can depend on is its **receptive field** $r$. How does it grow? Let neighbours in the current map stand $g$ pixels of the photo
# apart. A layer with kernel $k$ and dilation $d$ reaches $d(k-1)$ neighbours further, and its stride $s$ moves its own neighbours $s$ times
# as far apart:
#
# $$ r \leftarrow r + d(k-1)\, g, \qquad \text{then } g \leftarrow s\, g, \qquad \text{from } r = g = 1. $$


# %%
def receptive_field(stack):
    """Layers as (k, s, d), the first one first; pooling counts as a layer."""
    r = g = 1
    for k, s, d in stack:
        r += d * (k - 1) * g
        g *= s
    return r


# %% [markdown]
# **Predict first.** Which of these sees furthest: three convolutions of 3 × 3; two convolutions with a 2 × 2 pooling between them; or three
# convolutions with dilation 1, 3 and 9?

# %%
stacks = {
    "three convolutions": [(3, 1, 1)] * 3,
    "convolution, pooling, convolution": [(3, 1, 1), (2, 2, 1), (3, 1, 1)],
    "dilation 1, 3, 9": [(3, 1, 1), (3, 1, 3), (3, 1, 9)],
}
reach = {name: receptive_field(stack) for name, stack in stacks.items()}
pd.Series(reach, name="receptive field, pixels").to_frame()

# %% [markdown]
# <details><summary>What came</summary>
#
# Dilation: 27 pixels against 7 and 8, with no more weights than the three plain ones.
#
# </details>
#
# The formula says so; does the network? A gradient knows. Take one number of the last map and ask the framework which pixels of the photo
# have a gradient other than zero. All weights are one here, so that nothing cancels by accident, and pooling is by sum, so that every pixel
# of a window counts.


# %%
def seen(stack, side=31):
    def middle(photo):
        for k, s, d in stack:
            photo = keras_conv(photo, np.ones((k, k, 1, 1)), 0.0, s=s, d=d)
        return photo[0, photo.shape[1] // 2, photo.shape[2] // 2, 0]

    return gradcheck.by_framework(middle, np.zeros((1, side, side, 1)))[0][0, :, :, 0].round(9)


# %% [markdown]
# From the first row with a gradient to the last:

# %%
for stack in stacks.values():
    rows = np.flatnonzero(seen(stack).any(axis=1))
    assert rows[-1] - rows[0] + 1 == receptive_field(stack)

# %% [markdown]
# Formula and gradient agree every time. The picture shows more than the size:

# %%
fields = [seen(stack) for stack in stacks.values()]
figures.image_grid(
    np.stack([field / field.max() for field in fields]),
    [f"{name}: {side}" for name, side in reach.items()],
    columns=3,
    cell=220,
    alt="Which pixels count: the middle of two receptive fields is dark, their rim faint; the dilated one is even",
)

# %% [markdown]
# In the first two the middle counts more than the rim: many ways lead from the middle pixel to the output, a single one from the corner. For
# three convolutions the ratio is 49 to 1 (the next cell). With dilation 1, 3 and 9 every pixel has exactly one way, as every whole number
# below 27 has exactly one spelling in base three. So the receptive field is what a unit *can* see, an upper bound; what it looks at is often
# smaller. The rule for Monday: what you look for must fit into the receptive field of the last map with room to spare.

# %%
three, dilated = fields[0], fields[2]
assert three.max() == three[15, 15] == 49 and three[three > 0].min() == 1
assert set(dilated[dilated > 0]) == {1.0} and (dilated > 0).sum() == 27 * 27

# %% [markdown]
# ## 8 · The articles' network
#
# Section B4.3.2 sketches a network for 32 × 32 colour images: two convolutions of 3 × 3 with ReLU, a dense layer, ten outputs. Its list of
# shapes fits 16 kernels in each convolution, padding "same" and a 2 × 2 pooling between them. How wide the dense layer is, it does not say;
# here it has 64 units. The loss gets *logits* (chapter 02).


# %%
def article_network():
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )


# %% [markdown]
# Nearly all of its parameters sit in the first dense layer, $(16 \cdot 16 \cdot 16 + 1) \cdot 64$.

# %% [markdown]
# ## 9 · Train it on colour digits
#
# The data: handwritten digits blended over two photographs, so that neither colour nor brightness means ink: where there is ink,
# the photograph's colours are turned into their opposites. Each part holds other sheets of handwriting (chapter 07 explains why), and other
# strips of the photographs.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
source = course.choose(quick="digits", full="mnist")
digits = data.colour_digits(source, size=32, seed=seed, limit=20_000)
digits.summary().round(2)

# %% [markdown]
# Images in each part, and the share of each class: about a tenth. Always guessing one class would be right that often: the first
# baseline. Colour images side by side:


# %%
def colour_grid(images, alt):
    import plotly.graph_objects as go

    row = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=255) // 36 * 36
    canvas = np.hstack(list(row))  # eight steps a colour are enough for a look
    figure = go.Figure(go.Image(source=figures.png(canvas), hoverinfo="skip"))
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, meta={"alt": alt})
    return figure.update_layout(width=canvas.shape[1] * 5 // 2, height=canvas.shape[0] * 5 // 2)


# %% [markdown]
# Eight of the training part:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
colour_grid(
    digits.train.images[:8],
    "Eight colour digits: some bright on dark, some dark on bright, some hardly to be found",
)

# %% [markdown]
# ### Baselines
#
# Numbers around zero, from −½ to ½ (chapter 02: centre your inputs).


# %%
def as_input(images):
    return images.astype("float32") / 255 - 0.5


x_train, y_train = as_input(digits.train.images), digits.train.labels
x_validation, y_validation = as_input(digits.validation.images), digits.validation.labels

# %% [markdown]
# Two baselines share one classifier, logistic regression. The first sees the pixels, after a 2 × 2 average pooling. The second sees a network
# *without training*: two kernels, $(-1, 1)$ across and down; the absolute value, because an edge is an edge whichever side is bright; the
# strongest of the three colours; and an average pooling to 8 × 8.


# %%
def pixels(x):
    return average_pool(x).reshape(len(x), -1)


def edges(x):
    across, down = np.abs(np.diff(x, axis=2)), np.abs(np.diff(x, axis=1))
    full = [
        np.pad(across, ((0, 0), (0, 0), (0, 1), (0, 0))),
        np.pad(down, ((0, 0), (0, 1), (0, 0), (0, 0))),
    ]
    strongest = np.concatenate([edge.max(axis=3, keepdims=True) for edge in full], axis=3)
    return average_pool(strongest, 4, 4).reshape(len(x), -1)


pixels(x_train).shape, edges(x_train).shape

# %% [markdown]
# **Predict first.** 768 numbers with all the colours, or 128 with none. Which does logistic regression read better, and by how much?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
from sklearn.linear_model import LogisticRegression

few = slice(5000)  # a straight border needs no more examples than that
strength = {pixels: 0.1, edges: 3.0}  # chosen on the quick profile's validation part
fitted = {}
for features, C in strength.items():
    classifier = LogisticRegression(C=C, tol=1e-2, max_iter=200)
    fitted[features.__name__] = classifier.fit(features(x_train[few]), y_train[few])

baselines = {
    "one class for all": (y_validation == np.bincount(y_train).argmax()).mean(),
    "pixels": fitted["pixels"].score(pixels(x_validation), y_validation),
    "edges": fitted["edges"].score(edges(x_validation), y_validation),
}
pd.Series(baselines, name="validation accuracy").round(3).to_frame()

# %% [markdown]
# <details><summary>What came</summary>
#
# From the pixels it reads about every second digit, or fewer; from two hand-made kernels, rectified and pooled, about nine of ten.
#
# </details>

# %%
assert baselines["edges"] > baselines["pixels"] + 0.2

# %% [markdown]
# Nothing was learned but the last layer. **Convolve, rectify, pool**: together that much on these images (which of the three does most was
# not asked). It is the bar for the network.

# %% [markdown]
# ### The articles' network
#
# Adam, batches of 32, the cross-entropy of chapter 02. The articles ask for
# 1,000 steps; on so few images the quick profile stops earlier.


# %%
def fresh_network(make=article_network):
    keras.utils.set_random_seed(seed)  # so every one starts from the same weights
    net = make()
    rate, loss = keras.optimizers.Adam(2e-3), keras.losses.SparseCategoricalCrossentropy
    net.compile(rate, loss(from_logits=True), metrics=["accuracy"])
    return net


# %% [markdown]
# And train:

# %% tags=["nbval-ignore-output"]
epochs, article = course.choose(quick=7, full=6), fresh_network()
history = article.fit(
    x_train, y_train, batch_size=32, epochs=epochs, verbose=0,
    validation_data=(x_validation, y_validation), callbacks=[training.progress(epochs)],
)  # fmt: skip
f"{epochs * -(-len(x_train) // 32):,} steps"

# %% [markdown]
# The validation accuracy, with its interval:


# %% tags=["nbval-ignore-output", "compare-within=0.05"]
def accuracy_of(net, x=x_validation, y=y_validation):
    return evaluate.accuracy(y, net.predict(x, verbose=0).argmax(axis=1))


by_article = accuracy_of(article)
str(by_article)

# %% [markdown]
# Far above logistic regression on the pixels. Did the kernels do that? Take them out, and leave the two dense layers.


# %%
def dense_network():
    hidden, last = layers.Dense(64, activation="relu"), layers.Dense(10)
    return keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), hidden, last])


# %% [markdown]
# **Predict first.** How much of the gain is left?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
dense = fresh_network(dense_network)
dense.fit(x_train, y_train, batch_size=32, epochs=epochs, verbose=0)
by_dense = accuracy_of(dense)
str(by_dense)

# %% [markdown]
# <details><summary>What came</summary>
#
# Most of it, in the quick profile: nearly nine of ten are right, and the intervals overlap.
#
# </details>
#
# And is the network better than two kernels made by hand? In the quick profile nobody can say so: that baseline lies above the lower end of its
# interval. **A baseline that costs a minute can stand next to a network**; the network's advantage is that nobody had to know about edges.

# %%
assert by_article.value > baselines["pixels"] + 0.15
if not course.full:
    assert by_article.low < baselines["edges"] and by_dense.high > by_article.low
    assert by_dense.value > baselines["pixels"] + 0.2

# %% [markdown] road="side"
# ### Look at the curves and the mistakes
#
# How the training went, and the validation digits that the network gets wrong and is surest of.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
figures.training_curves(
    training.history_table(history),
    alt="Training and validation accuracy rise together at first; towards the end training goes on while validation slows down",
)

# %% [markdown]
# Both rise; at the end the training part is ahead. In the quick profile nearly every training digit is right by then.
#
# The mistakes:

# %% tags=["nbval-ignore-output"]
logits = article.predict(x_validation, verbose=0)
p = ops.convert_to_numpy(ops.softmax(logits))
wrong = np.flatnonzero(p.argmax(axis=1) != y_validation)
worst = wrong[np.argsort(-p[wrong].max(axis=1))][:8]
colour_grid(
    digits.validation.images[worst],
    "Eight confident mistakes on the validation part: colour digits over pieces of photographs",
)

# %% [markdown]
# Look at the ground: busy or even, dark or bright? In the run stored with the course some lie on ground that hides them, and others are
# plain to any person, dark on bright and even ground. The true classes and the answers, in the same order:

# %% tags=["nbval-ignore-output"]
", ".join(f"{y_validation[i]} read as {p[i].argmax()}" for i in worst)

# %% [markdown]
# ### One change, measured
#
# What do the hand-made features know that the network has to learn? To them, dark on bright is the same as bright on dark, because of the
# absolute value: turn every colour into its opposite (with pixels from −½ to ½ simply $-x$), and the edges stay *exactly* the same. The
# turned image shows the same digit. So turning gives as many new grounds as there are images, for nothing.

# %%
assert np.allclose(edges(-x_train[:100]), edges(x_train[:100]), atol=1e-6)

# %% [markdown]
# Train a second network from the same start, for as many steps, on images of which a random half is turned anew in each epoch. (The
# batches may come in another order.)


# %%
def turned(x, rng):
    return np.where(rng.random((len(x), 1, 1, 1)) < 0.5, -x, x)


# %% [markdown]
# The rest is as before:

# %% tags=["nbval-ignore-output"]
augmented, bar, turns = fresh_network(), training.progress(epochs), np.random.default_rng(seed)
for epoch in range(epochs):
    augmented.fit(
        turned(x_train, turns), y_train, batch_size=32,
        initial_epoch=epoch, epochs=epoch + 1, verbose=0, callbacks=[bar],
    )  # fmt: skip

# %% [markdown]
# Both, on the validation part as it is and turned:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
nets = {"images as they are": article, "half of them turned": augmented}
measured = pd.DataFrame(
    {
        "validation": [accuracy_of(net).value for net in nets.values()],
        "validation, turned": [accuracy_of(net, -x_validation).value for net in nets.values()],
    },
    index=pd.Index(nets, name="trained on"),
)
measured.round(3)

# %% [markdown]
# On turned images, which show the same digits, the first network loses many points. The second reads them far better, and on the images as
# they are no price shows, as far as so few, and one run of each, can show it. Choose changes like this one, from a reason why the answer must
# not change.

# %%
plain, both = measured.loc["images as they are"], measured.loc["half of them turned"]
least = {"validation, turned": course.choose(quick=0.05, full=0), "validation": -0.06}
assert all(both[part] > plain[part] + gain for part, gain in least.items())

# %% [markdown] road="side"
# ### Why did it stumble over turned images?
#
# A suspicion: most grounds in training are dark. A comparison can refuse it: networks trained on grounds of which half are dark.

# %% [markdown]
# The frame of an image shows its ground. From the first thousand take all that are bright and as many dark ones, and beside them as many as
# they come. Nothing is turned.


# %% tags=["nbval-ignore-output", "compare-within=0.05"]
def dark(x):
    frame = np.pad(np.zeros((26, 26)), 3, constant_values=1)[:, :, None]
    return (x * frame).sum(axis=(1, 2, 3)) < 0


is_dark = dark(x_train[:1029])
kinds = [np.flatnonzero(is_dark), np.flatnonzero(~is_dark)]
most = min(len(kind) for kind in kinds)
f"{is_dark.mean():.0%} are dark; {2 * most} images in each part"

# %% [markdown]
# Two draws of each, trained from the same start:


# %% tags=["nbval-ignore-output", "compare-within=0.1"]
def as_is_and_turned(chosen):
    net = fresh_network()
    net.fit(x_train[chosen], y_train[chosen], batch_size=32, epochs=12, verbose=0)
    return [accuracy_of(net).value, accuracy_of(net, -x_validation).value]


draws = np.random.default_rng(seed)
grounds = {}
for i in (1, 2):
    halves = [draws.choice(kind, most, replace=False) for kind in kinds]
    grounds[f"half dark, {i}"] = as_is_and_turned(np.concatenate(halves))
    grounds[f"as they come, {i}"] = as_is_and_turned(
        draws.choice(1029, 2 * most, replace=False)
    )
grounds = pd.DataFrame(grounds, index=["validation", "validation, turned"]).T
grounds.round(3)

# %% [markdown]
# Even grounds leave most of the gap: the suspicion is no more than a part of the reason, and the rest is not known. That turning helps was
# measured; why the first network stumbled was not.

# %%
gaps = grounds["validation"] - grounds["validation, turned"]
assert course.full or gaps[["half dark, 1", "half dark, 2"]].mean() > 0.08

# %% [markdown]
# ### The test set, once
#
# Everything is chosen. Three classifiers, each with its 95 % interval. (In the quick profile the digits are those that chapters 00 and 03
# tested on, here over photographs. Nothing here was chosen on them.)

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
x_test, y_test = as_input(digits.test.images), digits.test.labels
read = fitted["edges"].predict(edges(x_test))
tested = {"logistic regression on edges": evaluate.accuracy(y_test, read)}
for name, net in nets.items():
    tested[f"network, {name}"] = accuracy_of(net, x_test, y_test)
final = tested["network, half of them turned"]
course.headline("test accuracy", final.value, final.low, final.high)

# %% [markdown]
# As a picture:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
rows = [(name, *estimate) for name, estimate in tested.items()]
figures.intervals(
    pd.DataFrame(rows, columns=["name", "value", "low", "high", "n"]),
    x_title="test accuracy, 95 % interval",
    alt="Test accuracies with intervals: the hand-made kernels lowest; the intervals of neighbours overlap in the quick profile",
)

# %% [markdown]
# The hand-made kernels come last here, and all three lose from validation to test. What may you rank? Of three pairs one: in the run stored
# with the course the kernels' interval lies wholly below that of the network trained with turned images. The others overlap: do not rank them
# by this picture. (Chapter 07 has a sharper question for classifiers that answered the *same* digits. And the intervals take 382 digits for
# independent, which digits from three sheets of paper are not.)
#
# So, for the customer: with a thousand images none of the three is ready. Begin with the cheap bar, put a small convolutional network beside
# it, and turn what you know of the parts into changes that must not matter.

# %%
by_hand = tested["logistic regression on edges"].value
assert min(tested[f"network, {name}"].value for name in nets) > by_hand
expected, tolerance = course.choose(quick=(0.86, 0.08), full=(0.95, 0.04))
assert abs(final.value - expected) <= tolerance, f"{final.value:.3f}"

# %% [markdown] road="side"
# ## 10 · Look inside
#
# Are the maps of a trained layer worth a look? What a picture of them can tell, and what it takes to know which kernel matters.

# %% [markdown]
# The first layer has 16 kernels of 3 × 3 × 3. Slide them over one digit and look at the maps, each on its own scale, ink for a strong
# answer.

# %% tags=["nbval-ignore-output"]
learned, biases = augmented.layers[0].get_weights()
chosen = x_validation[:1].astype("float64")
maps_inside = np.maximum(conv(chosen, learned, biases, p=1), 0)[0].transpose(
    2, 0, 1
)  # our own layer, Keras's weights
own_scale = maps_inside / np.maximum(maps_inside.max(axis=(1, 2), keepdims=True), 1e-6)
figures.image_grid(
    np.concatenate([0.5 - chosen.mean(axis=3), own_scale[:7]]),
    ["grey", *(f"map {i}" for i in range(7))],
    alt="A digit in grey and seven of its feature maps, some of strokes' sides, some of whole areas",
)

# %% [markdown]
# Seven of the sixteen: some may keep one side of the strokes, some whole areas, some almost nothing. (They were computed by `conv` of
# section 3 with Keras's weights; the next cell compares.) It is tempting to tell stories about them: "this one looks for curves". A story
# is not a measurement. One measurement: silence a kernel, set its weights and its bias to zero, and see how much of the validation accuracy
# goes.

# %%
by_keras = ops.convert_to_numpy(augmented.layers[0](x_validation[:1]))[0].transpose(2, 0, 1)
assert (
    gradcheck.relative_error(maps_inside, by_keras) < 0.01
)  # a GPU may round to three digits (TF32)

# %% [markdown]
# Sixteen times, on at most a thousand images:


# %%
def quick_accuracy(net, n=1000):
    answers = ops.convert_to_numpy(net(x_validation[:n])).argmax(axis=1)
    return float((answers == y_validation[:n]).mean())


def silenced(o):
    augmented.layers[0].set_weights(
        (learned * (np.arange(16) != o), biases * (np.arange(16) != o))
    )
    accuracy = quick_accuracy(augmented)
    augmented.layers[0].set_weights((learned, biases))
    return accuracy


# %% [markdown]
# The dearest four:

# %% tags=["nbval-ignore-output"]
whole = quick_accuracy(augmented)
lost = [whole - silenced(o) for o in range(16)]
loss_of = (
    pd.Series(lost, name="accuracy lost").sort_values(ascending=False).rename_axis("kernel")
)
loss_of.round(3).head(4).to_frame()

# %% [markdown]
# And the rest?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
f"{(loss_of < 0.02).sum()} of 16 kernels cost less than two points each"

# %% [markdown]
# No kernel carries the network alone, and most cost little by themselves: they did little, or others do the same work. (In the quick profile
# one point is four images, so do not rank the cheap ones.) Use pictures of
# kernels to find what is *broken*, an empty map, say, or a map that is all noise; to learn what a network relies on, take something away
# and measure.

# %%
assert max(lost) < whole - 0.1, "no single kernel carries it all"

# %% [markdown] road="side"
# ## 11 · Slips of the articles
#
# Eight statements about convolutional networks, each run as printed and, where that fails, in its kindest reading.

# %% [markdown]
# ### A sum that is missing (B4.1.2, B4.2.2)
#
# The operation is printed as
#
# $$ f(x, y) = \sum_{i=1}^{k} w_{i} \cdot a(x-i,\; y-j) + b. $$
#
# The minus signs say convolution, in the mathematical sense. Take the formula at its word, as Python, which counts from 0 where the article
# counts from 1:

# %%
printed = "sum(window[i] * image[x - i, y - j] for i in range(rows)) + bias"
dice, bias = np.random.default_rng(seed), 1.0
image, square = dice.integers(0, 10, (6, 7)).astype(float), dice.integers(-3, 4, (3, 3)) * 1.0
numbers = {"image": image, "bias": bias, "rows": 3, "x": 3, "y": 3}
try:
    unbound = None
    eval(printed, {"window": square[:, 0], **numbers})
except NameError as error:
    unbound = error.name
unbound

# %% [markdown]
# Which $j$? Nothing in the formula says. Fix it by hand, once for each column of the kernel, and compare with SciPy; then sum over $j$ as
# well, with a weight for each $j$.


# %%
def with_fixed(j):
    here = {**numbers, "window": square[:, j], "j": j}
    places = np.ndindex(4, 5)
    return [eval(printed, {**here, "x": u + 2, "y": v + 2}) for u, v in places]


fixed = np.array([with_fixed(j) for j in range(3)])
right = (signal.convolve2d(image, square, mode="valid") + bias).ravel()
distances = np.abs(fixed - right).max(axis=1)  # with j fixed
summed = np.abs(
    fixed.sum(axis=0) - 2 * bias - right
).max()  # the bias is added once, not 3 times

# %% [markdown]
# None of the fixed ones is the convolution; their sum is.

# %%
claims.record(
    "c35",
    verdict="holds" if distances.min() < 1e-9 else "misprinted" if summed < 1e-9 else "wrong",
    evidence=f"as printed: name '{unbound}' is not defined; with j fixed at 0, 1, 2 it is off by up to "
    f"{', '.join(f'{d:.0f}' for d in distances)}; summed over j, with w_ij, by {summed:.0f}",
)

# %% [markdown]
# Right is $\sum_i \sum_j w_{i,j}\, a(x-i,\, y-j) + b$, and so says the prose below the formula: the neighbourhood's values times the kernel's
# weights, added up.
#
# ### A layer (B3.2.2)
#
# $$ f^{(l)}(x) = \text{ReLU}\Big( \sum_{k=1}^{K} w^{(l)}_k \cdot \phi(x \odot k) + b^{(l)} \Big), $$
#
# where $x$ is the image, $k$ "the convolution kernel", $\odot$ the product entry by entry and $\phi$ "the kernel's activation function,
# such as ReLU". First word by word: an image of 6 × 6 and two kernels of 3 × 3.

# %%
picture, pair = dice.integers(0, 10, (6, 6)), dice.integers(-3, 4, (2, 3, 3))
try:
    literal = (picture * pair[0]).shape
except ValueError as error:
    literal = str(error)
literal

# %% [markdown]
# A product entry by entry wants two arrays of one shape. So read it kindly: $x$ is the *window* at one place, the entries are added up,
# $w_k = 1$ and $b = 0$. There remain two oddities: $\phi$ comes before the sum, and the sum over kernels $k$ melts all maps into one.


# %%
def relu(z):
    return np.maximum(z, 0)


spots = sliding_window_view(picture, (3, 3))  # (4, 4, 3, 3)
kindly = relu(relu(spots[:, :, None] * pair).sum(axis=(-2, -1)).sum(axis=-1))
as_kernels = pair.transpose(1, 2, 0)[:, :, None] * 1.0
library = ops.convert_to_numpy(ops.conv(picture[None, :, :, None] * 1.0, as_kernels))
library = relu(library[0])
shapes = {"kindly": kindly.shape, "library": library.shape}
one = relu(relu(spots * pair[0]).sum(axis=(-2, -1)))
without_phi = relu((spots * pair[0]).sum(axis=(-2, -1)))
alike, repaired = (int((z == library[..., 0]).sum()) for z in (one, without_phi))
shapes, alike, repaired

# %% [markdown]
# One map instead of two. And with a single kernel the first oddity remains: with ReLU inside, nothing ever speaks *against* a pattern. The
# kindest reading: $k$ counts the window's nine *pixels*, $x \odot k$ is one of them, $w_k$ its weight. Then $\phi$ meets pixels alone. Try it on this
# image, whose pixels are 0 to 9, and on the same less 5.


# %%
def by_pixels(image):
    windows_of = sliding_window_view(image, (3, 3))
    as_read = relu((relu(windows_of) * pair[0]).sum(axis=(-2, -1)))
    return int((as_read == relu((windows_of * pair[0]).sum(axis=(-2, -1)))).sum())


kindest, below_zero = by_pixels(picture), by_pixels(picture - 5)
kindest, below_zero

# %% [markdown]
# Equal in all 16 places where no pixel is below zero, as behind another ReLU; not elsewhere.

# %%
fits = (shapes["kindly"] == shapes["library"] and alike == 16) or below_zero == 16
claims.record(
    "c19",
    verdict="holds" if fits else "misprinted" if repaired == 16 else "wrong",
    evidence=f"image ⊙ kernel: shapes (6, 6) and (3, 3) do not fit; read kindly, one map for 2 kernels, and with "
    f"1 kernel {alike} of 16 places as in the library; with k a pixel and w_k its weight {kindest} of 16 where no pixel is "
    f"below zero, else {below_zero}; without φ {repaired} of 16",
)

# %% [markdown]
# Drop $\phi$, let the sum run over the window and the input channels, and it is section 3's formula with a ReLU around it.
#
# ### Max pooling, and what pooling saves (B4.1.2, B3.1.2)
#
# Max pooling is printed as $p(x,y) = \max\big(\sum_i \sum_j a(x-i,\, y-j)\big)$. The two sums leave *one* number inside the brackets. (The
# prose of B4.2.2 below the same formula is right: the largest value of each neighbourhood.)

# %%
sums = windows(small, (2, 2), 2).sum(axis=(-2, -1), keepdims=True)
results = {
    "as printed": sums.max(axis=(-2, -1)),  # the largest of one number
    "max pooling": max_pool(small),
    "4 × average": 4 * average_pool(small),
}
results = {name: z.astype(int).ravel().tolist() for name, z in results.items()}

# %% [markdown]
# What is printed is *sum* pooling, four times the average:

# %%
claims.record(
    "c36",
    verdict="holds" if results["as printed"] == results["max pooling"] else "misprinted",
    evidence="on the 4×4 example: " + ", ".join(f"{name} {z}" for name, z in results.items()),
)

# %% [markdown]
# One strong edge among zeros counts 9 either way, while four weak ones of 3 count 3 under the maximum and 12 under the sum.
#
# Section B3.1.2 says that pooling reduces the number of *parameters*. Count, on two networks, each with and without a pooling layer between
# its two convolutions: one lays its last maps in a row (`Flatten`), the other takes the mean of each map; a dense layer comes last.


# %%
def counted(pooled, end):
    first, second = (layers.Conv2D(16, 3, padding="same") for _ in range(2))
    pooling, dense = [layers.MaxPooling2D()] if pooled else [], layers.Dense(10)
    keras.Sequential([keras.Input((32, 32, 3)), first, *pooling, second, end(), dense])
    return {
        "convolutions": first.count_params() + second.count_params(),
        "pooling": sum(layer.count_params() for layer in pooling),
        "dense": dense.count_params(),
    }


# %% [markdown]
# For each ending, without the pooling layer and with it:

# %%
endings = {"flatten": layers.Flatten, "mean of each map": layers.GlobalAveragePooling2D}
counts = {
    (name, "with" if pooled else "without"): counted(pooled, end)
    for name, end in endings.items()
    for pooled in (False, True)
}
counts = pd.DataFrame(counts)
counts

# %% [markdown]
# The pooling layer has no parameters and changes none in the convolutions, whose parameters do not know the image's size. It shrinks the
# *maps*, and so the work of all that follows and the first dense layer after `Flatten`.

# %%
without, with_ = counts["flatten", "without"], counts["flatten", "with"]
each_mean = counts["mean of each map"]
elsewhere = each_mean["without"].equals(each_mean["with"]) and with_["pooling"] == 0
elsewhere = elsewhere and with_["convolutions"] == without["convolutions"]
fewer = with_["dense"] < without["dense"]
claims.record(
    "c57",
    verdict="wrong" if not fewer else "holds with a condition" if elsewhere else "holds",
    evidence=f"pooling {with_['pooling']}, convolutions {without['convolutions']:,} with and without; the dense layer "
    f"after Flatten {without['dense']:,} without, {with_['dense']:,} with; after a mean over each map no difference",
)

# %% [markdown]
# ### The way back (B3.2.2)
#
# The backward pass of a CNN repeats the dense network's formulas: $\delta^{(l)} = \delta^{(l+1)} (W^{(l+1)})^T$ for the error, and
# $\delta^{(l+1)} a^{(l-1)\,T}$ for the weights. Put in what section 5 had: $\delta$ of 4 × 4, a kernel of 3 × 3, an input of 6 × 6.


# %%
def shape_of(left, right):
    try:
        return (left @ right).shape
    except ValueError:
        return "the shapes do not fit"


as_printed = {"input": shape_of(delta, k.T), "kernel": shape_of(delta, x.T)}
needed = {"input": grad_x.shape, "kernel": grad_k.shape}
pd.DataFrame({"as printed": as_printed, "needed": needed})

# %% [markdown]
# They cannot even be multiplied. There is a kind reading: unroll the image into a row of 36 numbers, and the layer is *some* dense layer,
# with a large matrix $M$ of 36 × 16 in which most entries are zero and the others repeat nine weights. Build it from its answers to single
# pixels.


# %%
def matrix_of(kernel):
    return np.stack(
        [correlate2d(pixel, kernel).ravel() for pixel in np.eye(36).reshape(36, 6, 6)]
    )


M = matrix_of(k)
assert np.allclose(x.ravel() @ M, correlate2d(x, k).ravel())
kind_input = (delta.ravel() @ M.T).reshape(6, 6)
kind_kernel = np.outer(x.ravel(), delta.ravel())
np.allclose(kind_input, grad_x), kind_kernel.shape

# %% [markdown]
# Read so, $\delta M^T$ *is* the input gradient. But the weights' formula gives 36 × 16 separate numbers, as if the layer had 576 weights.
# It has nine. Which entries of $M$ hold the weight $(i, j)$? Those where a kernel with a single one, at $(i, j)$, has a one. Adding up over
# them, each weight collects from all its uses:

# %%
units = np.eye(9).reshape(9, 3, 3)
collected = np.reshape([(kind_kernel * matrix_of(unit)).sum() for unit in units], (3, 3))
mended = np.allclose(collected, grad_k) and np.allclose(kind_input, grad_x)

# %% [markdown]
# Added up so, they are the right gradients:

# %%
claims.record(
    "c21",
    verdict="holds" if as_printed == needed else "misprinted" if mended else "wrong",
    evidence=f"as printed {as_printed}, needed {needed} (a full convolution, and the correlation of input and δ); "
    "unrolled to a dense layer, 576 entries must be summed into 9 shared weights",
)

# %% [markdown]
# The dense formulas know nothing of *shared* weights, and sharing was the point of it all. (They also lack the factor of each hidden
# layer's activation; chapter 03 shows that.)
#
# ### One size of image (B3.3)
#
# A weakness of a CNN, says the article, is that it needs images of one fixed size. Build each of the two networks with a photo of
# 32 × 32 pixels, then show it others: a larger one, and a strip. (The mean of each map is called *global average pooling*.)


# %%
def takes(end, size):
    body = [layers.Conv2D(8, 3), layers.MaxPooling2D(), layers.Conv2D(8, 3)]
    net = [*body, end(), layers.Dense(10)]
    for x in (np.zeros((1, 32, 32, 3)), np.zeros((1, *size, 3))):  # the first photo builds it
        for layer in net:
            try:
                x = layer(x)
            except ValueError:
                return False
    return True


# %% [markdown]
# Which sizes pass through all layers?

# %%
sizes = {"32 × 32": (32, 32), "48 × 48": (48, 48), "20 × 70": (20, 70)}
taken = {name: [takes(end, size) for size in sizes.values()] for name, end in endings.items()}
flat, by_mean = taken["flatten"], taken["mean of each map"]

# %% [markdown]
# Which were accepted decides:

# %%
claims.record(
    "c30",
    verdict="holds" if not all(by_mean) else "wrong" if all(flat) else "holds with a condition",
    evidence=f"built on 32 × 32 and shown {', '.join(sizes)}: with Flatten {sum(flat)} of 3 accepted, "
    f"with a mean over each map {sum(by_mean)} of 3",
)

# %% [markdown]
# The condition is `Flatten`: it is the dense layer behind it that counts pixels, not the convolutions. (To *accept* a size is not to be
# good at it. Show the network the sizes that will come.)
#
# ### The network's shapes (B4.3.2)
#
# "Convolution 1: 32 × 32 × 3", "convolution 2: 16 × 16 × 16", both 3 × 3 with stride 1 and ReLU; "dense: 16 × 16 × 16"; 10 outputs, softmax.
# Read each shape as what *goes into* the layer, and let the formula of section 2 search: 4 to 64 kernels in either layer, padding or none,
# and between the convolutions nothing or a pooling of 2, 3 or 4.

# %%
from itertools import product


def takes_in(filters, padding, pool):
    p = 1 if padding == "same" else 0
    before = output_size(32, 3, p) // pool
    after = output_size(before, 3, p)
    return [(32, 32, 3), (before, before, filters[0]), (after, after, filters[1])]


listed = [(32, 32, 3), (16, 16, 16), (16, 16, 16)]
ways = list(product(product((4, 8, 16, 32, 64), repeat=2), ("valid", "same"), (1, 2, 3, 4)))
fitting = [way for way in ways if takes_in(*way) == listed]
built = [tuple(article.layers[i].input.shape[1:]) for i in (0, 2, 3)]
unlisted = sum(isinstance(layer, layers.MaxPooling2D) for layer in article.layers)
len(ways), fitting

# %% [markdown]
# One way of two hundred, and it needs a pooling that the list does not mention:

# %%
builds = built == listed and len(fitting) == 1
claims.record(
    "c40",
    verdict="wrong" if not builds else "holds with a condition" if unlisted else "holds",
    evidence=f"{len(fitting)} of {len(ways)} ways gives the listed shapes: 16 filters, padding same and {unlisted} "
    "pooling of 2×2 that is not listed",
)

# %% [markdown]
# ### From maps to a loss (B3.2.2)
#
# The dense layer is printed as $z = \sum_{l=1}^{L} w_l f^{(l)}(x) + b$, a sum over *layers* $l$; then $a = \text{ReLU}(z)$; then the
# cross-entropy $-y \log a$. Can the maps of different layers be added? And what do ReLU and the logarithm make of ordinary logits?

# %%
map_shapes = [tuple(article.layers[i].output.shape[1:]) for i in (0, 2)]
scores = np.array([[2.0, -1.0, 0.5], [2.0, -1.0, 0.5], [200.0, -1.0, 0.5]])
true = scores[np.arange(3), [0, 1, 0]]  # the true classes are 0, 1 and 0
with np.errstate(divide="ignore"):
    printed_loss = -np.log(relu(true))
right_loss = np.log(np.exp(scores).sum(axis=1)) - true  # −log softmax
pd.DataFrame({"true logit": true, "as printed": printed_loss, "softmax": right_loss}).round(3)

# %% [markdown]
# The maps do not fit, so kindly let the sum run over the numbers of *one* layer, the last. Still the loss is infinite as soon as the true
# class's logit is zero or below, and it falls below zero without end as the logit grows, whatever the *other* classes get. With softmax it
# is finite and never negative.

# %%
sound = [np.isfinite(loss).all() and loss.min() >= 0 for loss in (printed_loss, right_loss)]
claims.record(
    "c20",
    verdict="holds" if sound[0] else "misprinted" if sound[1] else "wrong",
    evidence=f"maps of {map_shapes[0]} and {map_shapes[1]} cannot be added; read as one layer, −log ReLU(z) is "
    f"{printed_loss[1]:.1f} for z = −1 and {printed_loss[2]:.1f} for z = 200; with softmax "
    f"{right_loss.min():.1f} to {right_loss.max():.1f}",
)

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 04-1 · Size and parameters
# *recall · 4 minutes*
#
# Write a function that plans a convolutional layer. It takes the image's side `n`, the kernel's side `k`, the numbers of channels that come
# in and go out, padding, stride and dilation. It returns two whole numbers: the side of the result and the number of parameters, biases
# included.


# %% exercise="04-1"
def plan(n, k, c_in, c_out, p=0, s=1, d=1):
    """Whole numbers -> (side of the result, number of parameters)"""
    ### BEGIN SOLUTION
    side = (n + 2 * p - d * (k - 1) - 1) // s + 1
    return side, (k * k * c_in + 1) * c_out
    ### END SOLUTION


check("04-1", plan)

# %% [markdown] road="side"
# ### Exercise 04-2 · As large as before
# *modify · 12 minutes*
#
# `correlate2d` of section 1 shrinks the image. Write one that does not: the correlation of an image with a kernel of odd sides (3 × 5,
# say), with zeros around the image, half of them on either side, just enough that the result is as large as the image.


# %% exercise="04-2"
def correlate_same(a, w):
    """Arrays (height, width) and (k, m), both odd -> (height, width)"""
    ### BEGIN SOLUTION
    k, m = w.shape
    padded = np.pad(a, ((k // 2, k // 2), (m // 2, m // 2)))
    return np.einsum("xyij,ij->xy", sliding_window_view(padded, w.shape), w)
    ### END SOLUTION


check("04-2", correlate_same)

# %% [markdown] road="side"
# ### Exercise 04-3 · Both gradients
# *extend · 25 minutes*
#
# One image `x`, one kernel `k`, no padding, stride 1: $z$ is their correlation, `target` what it should be, and the loss is half the mean
# of the squared differences over all $m$ places of $z$, $L = \frac{1}{2m} \sum (z - \text{target})^2$. The kernel need not be square. Return
# the two gradients, for the kernel first, then for the image. What is $\delta$ here? Then section 5, with `np.pad` for "full". Check yourself
# with `gradcheck.central_difference` (chapter 03) before `check` does.


# %% exercise="04-3"
def gradients(x, k, target):
    """(height, width), (rows, columns), as large as z -> gradients shaped like k and like x"""
    ### BEGIN SOLUTION
    delta = (correlate2d(x, k) - target) / target.size
    rows, columns = k.shape
    around = np.pad(delta, ((rows - 1, rows - 1), (columns - 1, columns - 1)))
    return correlate2d(x, delta), correlate2d(around, k[::-1, ::-1])
    ### END SOLUTION


check("04-3", gradients)

# %% [markdown]
# ### Exercise 04-4 · Which rows did it see?
# *extend · 10 minutes*
#
# A customer asks *why* the camera rejected a part. The last map has a high number in row `x`. Which rows of the photo can it depend on?
# Layers come as `(k, s, d)`, the first one first, without padding. Return the first and the last such row, counted from 0, as `x` is. (Go
# from the last layer to the first: which rows of its input does a row, or a range of rows, depend on?)


# %% exercise="04-4"
def rows_seen(stack, x):
    """Layers (k, s, d) and a row of the last map -> (first row, last row) of the image"""
    ### BEGIN SOLUTION
    first = last = x
    for k, s, d in reversed(stack):
        first, last = s * first, s * last + d * (k - 1)
    return first, last
    ### END SOLUTION


check("04-4", rows_seen)

# %% [markdown]
# ## Recap
#
# * *What and how large:* slide the kernel, multiply, add; libraries correlate and call it convolution. The result has
#   $\lfloor (n + 2p - d(k-1) - 1)/s \rfloor + 1$ places a side, and the layer $(k^2 C_{\text{in}} + 1)\,C_{\text{out}}$ parameters whatever
#   the image's size.
# * *A layer:* windows and one `einsum`, equal to Keras's; pooling keeps the largest number of each window.
# * *Backward:* the kernel's gradient correlates input and $\delta$; the input's is the full convolution of $\delta$ with the kernel. The
#   central difference agrees.
# * *What it can see:* $r \leftarrow r + d(k-1)\,g$, then $g \leftarrow s\,g$; a gradient shows the same square, and that without dilation
#   its middle counts most.
# * *Train and judge:* two kernels made by hand and pooled set a bar that a small network, trained on a thousand digits, was not shown to clear
#   on the validation part; on the test part they came last. Turning the images, a change with a reason, made the network sturdier.

# %% [markdown]
# ## Limits and next
#
# "A convolution finds it wherever it lies" is exact for one layer with stride 1, away from the border. Pooling and strides answer alike
# only for shifts by whole strides, and `Flatten` with a dense layer forgets it altogether: chapter 07 measures that, and what augmentation
# does about it. Our NumPy code is for reading. Colour digits are a toy over two
# photographs; a real camera brings blur, glare and parts that nobody has seen before. A scratch detector would
# start from a network trained on millions of photographs, not from nothing (chapter 09 does so for text). Chapter 05 slides weights along
# *time*.

# %% [markdown] road="side"
# ### Sources
#
# **Sources.** K. Fukushima, "Neocognitron", *Biological Cybernetics* 36 (1980), 193–202 · Y. LeCun and others, "Backpropagation applied to
# handwritten zip code recognition", *Neural Computation* 1 (1989), 541–551 · K. Chellapilla, S. Puri, P. Simard, "High performance
# convolutional neural networks for document processing", *IWFHR* (2006) (im2col) · V. Dumoulin, F. Visin, "A guide to convolution
# arithmetic for deep learning", arXiv:1603.07285 (2016) · W. Luo and others, "Understanding the effective receptive field in deep
# convolutional neural networks", *NeurIPS* (2016) · F. Yu, V. Koltun, "Multi-scale context aggregation by dilated convolutions", *ICLR*
# (2016) · K. He and others, "Deep residual learning for image recognition", *CVPR* (2016) (ResNet) · Y. Ganin and others,
# "Domain-adversarial training of neural networks", *JMLR* 17 (2016) (digits over photographs) · Z. J. Wang and others, "CNN Explainer",
# *IEEE Transactions on Visualization and Computer Graphics* 27 (2021), 1396–1406 (the model for section 2's explorer) · the second article,
# sections 3.1 to 3.3 and 4.1 to 4.3.
