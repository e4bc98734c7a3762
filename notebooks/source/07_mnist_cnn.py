# ---
# jupyter:
#   course:
#     chapter: "07"
#     title: MNIST CNN
#     requires: ["00"]
#     needs: {quick: [], full: [mnist]}
#     budget: {seconds: 90, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 07 · MNIST CNN
#
# You train the articles' network on real handwriting, measure how good it is and how sure you may be of that, and find out when you must
# not believe it.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 00, Python and NumPy*

# %% [markdown]
# ## You will be able to
#
# * follow an image through a convolutional network, shape by shape, and count its parameters by hand;
# * split data so that the test tells you about *new* writers, and start from a baseline;
# * report an accuracy with its uncertainty, and read a network's most confident mistakes;
# * make a network sturdier and its training several times faster, one measured change at a time;
# * decide which answers to accept and which to hand to a person, and say where even that fails.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares the kernel. They stand at the top of every chapter;
# chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, evaluate, figures, setup, training

course = setup("07", profile=profile, seed=seed)

import keras
import numpy as np
import pandas as pd
from keras import layers
from scipy import ndimage

# %% [markdown]
# ## The question
#
# Your company scans paper forms. Each form carries an eight-digit customer number, one handwritten digit to a box. A form is read right only
# if all eight digits are. How good must a reader of single digits be? If it reads a digit right with probability $r$, and the digits are
# independent, it reads a whole form right with probability $r^8$.
#
# **Predict first.** A reader that gets 99 % of the digits right sounds excellent. How many of 1,000 forms does it spoil?
#
# <details><summary>Answer</summary>
#
# About 77: $0.99^8 = 0.923$. The next cell has the table.
#
# </details>

# %%
r = np.array([0.95, 0.98, 0.99, 0.995, 0.999])
spoilt = ((1 - r**8) * 1000).round().astype(int)
pd.DataFrame({"digit right": r, "form right": (r**8).round(4), "spoilt of 1,000": spoilt})

# %% [markdown]
# Each tenth of a per cent counts. So this chapter asks two things of every model: how often is it wrong, and does it *know* when? Section 9
# returns to the form with measured numbers.

# %% [markdown]
# ## 1 · The data: look before you model
#
# The quick profile reads the 1,797 handwritten digits that ship with scikit-learn, enlarged to MNIST's form: 28 × 28 pixels, the digit's
# centre of mass where MNIST has it, in the middle or at most half a pixel off. The full profile reads MNIST itself, 70,000 digits. Everything below is written once and runs on both.

# %%
digits = data.load(course.choose(quick="digits", full="mnist"))
digits.summary().round(2)

# %% [markdown]
# The number of images in each part, then the share of each class: about a tenth each. You *train* on the first part, make every choice on
# the second, and touch the third once, at the end. Look at some of the training part.

# %%
figures.image_grid(
    digits.train.images[:8],
    [f"label {label}" for label in digits.train.labels[:8]],
    alt="Eight training digits: centred, grey at the edges of each stroke, in several hands",
)

# %% [markdown]
# The digits are centred and of one size. Remember that: the network never has to learn *where* a digit is, and section 8 shows what
# becomes of it when one is not where it should be.
#
# A pixel is a whole number from 0 (paper) to 255 (ink). Networks like numbers near one, so you divide by 255. A convolution also wants to
# know how many *channels* an image has: one, for grey. Shapes are written `(batch, height, width, channels)`.


# %%
def as_input(images):
    """uint8 (n, 28, 28) from 0 to 255 -> float32 (n, 28, 28, 1) from 0 to 1."""
    return np.expand_dims(images, -1).astype("float32") / 255


# %% [markdown]
# `float32` is deliberate. The articles' program divides a `uint8` array by `255.0`, and NumPy answers in `float64`: twice the memory for
# decimal places that nobody measured.

# %%
x_train, y_train = as_input(digits.train.images), digits.train.labels
x_validation, y_validation = as_input(digits.validation.images), digits.validation.labels
x_train.dtype, x_train.shape

# %% [markdown]
# The memory, as a share of what the articles' line takes:

# %%
f"{x_train.nbytes / (digits.train.images / 255.0).nbytes:.0%}"

# %% [markdown]
# ### Check the article
#
# Section B5.3.1 says that `expand_dims` makes "a three-dimensional tensor". Count.

# %%
whole, single = np.ndim(x_train), np.ndim(x_train[0])
claims.record(
    "c45",
    verdict={(3, 3): "holds", (4, 3): "holds with a condition"}.get((whole, single), "wrong"),
    evidence=f"the training set has {whole} dimensions, one image of it has {single}",
)

# %% [markdown]
# The condition: the sentence is true if "tensor" means one image of the set. The array that the line makes has four dimensions. One
# dimension too few or too many is a common reason why a first network refuses its first batch.

# %% [markdown]
# ## 2 · The split, and why shuffling flatters
#
# scikit-learn's digits come from fourteen sheets of paper, each filled in by one person with some 130 digits, and stand in that order.
# This course keeps whole sheets together: eight to train on, three for validation, three for the test. Most tutorials shuffle
# first, so that every hand is in every part. Which of the two tells you what will happen with next month's forms?
#
# A simple classifier will tell, without touching the test sheets. You need two as baselines anyway. **Logistic regression** draws straight borders between the
# classes, in the space of pixels. A **support vector machine** (SVM) with a Gaussian kernel draws curved ones.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

# %% [markdown]
# Both want pixels from 0 to 1, so each comes with a scaler in front. Their settings (`C`, `gamma`) were chosen on the quick profile's
# validation sheets.


# %%
def baselines():
    return {
        "logistic regression": make_pipeline(
            MinMaxScaler(), LogisticRegression(C=0.3, tol=1e-3)
        ),
        "SVM": make_pipeline(MinMaxScaler(), SVC(C=3, gamma=0.04)),
    }


# %% [markdown]
# The eleven sheets of training and validation together. Eleven times, train the SVM on all but one eleventh and test on that: once the
# eleventh is a *sheet*, once it is drawn by chance.

# %%
small = data.load("digits")
x_small = np.concatenate([small.train.images, small.validation.images]).reshape(-1, 784)
y_small = np.concatenate([small.train.labels, small.validation.labels])
sheets = np.concatenate([small.train.groups, small.validation.groups])
x_small.shape, len(np.unique(sheets))

# %% [markdown]
# **Predict first.** Which way of splitting gives the higher mean accuracy? And which the lower *worst* one?

# %%
ways = {
    "by sheet": list(LeaveOneGroupOut().split(x_small, y_small, sheets)),
    "shuffled": KFold(11, shuffle=True, random_state=seed),
}
scores = {
    way: cross_val_score(baselines()["SVM"], x_small, y_small, cv=cv)
    for way, cv in ways.items()
}
splits = pd.DataFrame({way: [a.mean(), a.min(), a.max()] for way, a in scores.items()}).T
splits.columns = ["mean", "worst", "best"]
splits.round(3)

# %% [markdown]
# Shuffled, every eleventh looks alike, and good. By sheet, one person's digits are read as well as any shuffled part, another's far
# worse: a new writer costs anything from nothing to many points, depending on who it is. A shuffled test hides both, the price and the spread. The
# rule carries over to every product: **split by what will be new**. New customers? Split by customer. Next month? Split by time.
# MNIST did the same: no writer of its test set wrote a digit of its training set.

# %%
assert (
    splits.loc["shuffled", ["mean", "worst"]] > splits.loc["by sheet", ["mean", "worst"]]
).all()

# %% [markdown]
# ## 3 · Baselines first
#
# Now the same two on this chapter's data. They take a second or two, and every network below has to beat them. Both get the first 10,000
# images only, because an SVM's time grows faster than the square of their number; that binds on the full profile.


# %%
def flat(images):
    return images[:10_000].reshape(-1, 784)


fitted = {
    name: model.fit(flat(digits.train.images), y_train[:10_000])
    for name, model in baselines().items()
}
by_baselines = {
    name: (model.predict(flat(digits.validation.images)) == y_validation).mean()
    for name, model in fitted.items()
}
pd.Series(by_baselines, name="validation accuracy").round(3).to_frame()

# %% [markdown]
# On small, centred, clean images an SVM is hard to beat. If this were the whole job you could ship it today, in a file of a few
# megabytes, without a framework. Keep that number in mind when a network costs you a GPU.

# %% [markdown]
# ## 4 · The network, shape by shape
#
# A **convolution** slides a small window, the *kernel*, over the image and writes down at each place how well the two agree. Chapter 04
# builds it by hand; here you need two formulas. Without padding, a kernel of $k \times k$ on an image of $s \times s$ pixels leaves
#
# $$ s' = s - k + 1 $$
#
# rows and columns. A layer with $C_{\text{out}}$ kernels over $C_{\text{in}}$ channels has a weight for each kernel entry and channel,
# and one bias a kernel:
#
# $$ N = (k \cdot k \cdot C_{\text{in}} + 1)\, C_{\text{out}} \quad \text{parameters}. $$
#
# **Max pooling** keeps the largest value of each 2 × 2 window: $s' = \lfloor s/2 \rfloor$, nothing to learn. *ReLU* keeps what is positive and
# makes the rest zero; `Flatten` lays the last maps in one row; a *dense* layer joins every number with every output. Here is the
# articles' network (B5.2.2), written as they wrote it.


# %%
def article_network(input_shape=(28, 28, 1)):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


# %% [markdown]
# **Predict first.** Which layer has the most parameters: the second convolution, the third, or the first dense layer?
#
# <details><summary>Answer</summary>
#
# The third convolution and the first dense layer, level: $(3 \cdot 3 \cdot 64 + 1) \cdot 64 = 36{,}928$ for the one, and the dense layer
# sees $3 \cdot 3 \cdot 64 = 576$ numbers, so $(576 + 1) \cdot 64$, the same. An accident of these sizes, not a law.
#
# </details>
#
# By hand, layer by layer, with the two formulas:


# %%
def conv(s, c_in, c_out, k=3):
    return s - k + 1, (k * k * c_in + 1) * c_out


def dense(c_in, c_out):
    return (c_in + 1) * c_out


# %% [markdown]
# Start at 28 and go down: 28 → 26 → 13 → 11 → 5 → 3.

# %%
s1, n1 = conv(28, 1, 32)
s2, n2 = conv(s1 // 2, 32, 64)
s3, n3 = conv(s2 // 2, 64, 64)
n4, n5 = dense(s3 * s3 * 64, 64), dense(64, 10)
by_hand = pd.DataFrame(
    {
        "output": [f"{s1}×{s1}×32", f"{s2}×{s2}×64", f"{s3}×{s3}×64", 64, 10],
        "parameters": [n1, n2, n3, n4, n5],
    },
    index=["convolution 1", "convolution 2", "convolution 3", "dense 1", "dense 2"],
)
by_hand

# %% [markdown]
# And now we ask someone who does not know us: Keras counts its own arrays.

# %%
model = article_network()
assert by_hand["parameters"].tolist() == [
    layer.count_params() for layer in model.layers if layer.count_params()
]
f"{model.count_params():,} parameters"

# %% [markdown]
# ### Check the article
#
# Section B5.2.2 says of this very code: "two convolutional layers, each followed by a max-pooling layer"; B5.3.2 says that a pooling layer
# follows *every* convolution. The code can answer for itself.

# %%
from itertools import pairwise

kinds = [type(layer).__name__ for layer in model.layers]
convolutions = kinds.count("Conv2D")
pooled = sum(pair == ("Conv2D", "MaxPooling2D") for pair in pairwise(kinds))
claims.record(
    "c44",
    verdict="holds" if (convolutions, pooled) == (2, 2) else "wrong",
    evidence=f"the code has {convolutions} convolutions, {pooled} of them followed by pooling",
)

# %% [markdown]
# ## 5 · Training
#
# The network ends in *softmax*: ten numbers above zero that add up to one. The loss for one image is the **cross-entropy**
# $-\log p_y$, where $p_y$ is the probability given to the true class $y$; over a batch you take the mean. The labels stay integers: the
# `sparse_` loss picks $p_y$ out by its index, where the articles first build an array of zeros and ones. *Adam* is a rule for the size of
# each step (chapter 02).


# %%
def compiled(model):
    model.compile(
        optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


# %% [markdown]
# Before training, a network that knows nothing should be about as wrong as a uniform guess, whose loss is $\log 10 = 2.30$. It is a
# cheap test of the whole path from pixels to loss.

# %%
model = compiled(article_network())
loss, _ = model.evaluate(x_train[:1000], y_train[:1000], verbose=0)
assert abs(loss - np.log(10)) < 0.3
start = model.get_weights()
f"loss before training {loss:.2f}, of a uniform guess {np.log(10):.2f}"

# %% [markdown]
# Now train. One *epoch* shows each training image once, in batches of 32; after each batch the optimiser takes one *step*. Fourteen epochs
# are more than the quick profile needs: you shall see where it stops paying.

# %% tags=["nbval-ignore-output"]
epochs = course.choose(quick=14, full=10)
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=epochs,
    validation_data=(x_validation, y_validation),
    verbose=0,
    callbacks=[training.progress(epochs)],
)

# %% [markdown]
# Numbers that move want a picture.

# %% tags=["nbval-ignore-output", "compare-within=0.2"]
curves = training.history_table(history)
figures.training_curves(
    curves,
    logarithmic=True,
    alt="Training loss keeps falling; validation loss stops falling after some epochs and jumps about",
)

# %% [markdown]
# The training loss keeps falling (its axis is logarithmic), while the validation loss stops falling after some epochs and jumps about. From
# there on the network learns its training images better without learning *digits* better. (In the first epoch validation may look
# better than training: training is measured *during* the epoch, while the weights still change, validation after it. A callback such as
# `keras.callbacks.EarlyStopping` ends training where validation stops improving.)

# %% [markdown]
# ### Check the article
#
# Section B5.4 prints a log of this program. Its last line says: 60,000 samples, "33s 5ms/sample", training loss 0.0229, training
# accuracy 0.9820; its first says "validate on 10000 samples" and "34s 5ms/sample". Two checks need no trust in anyone, arithmetic and the
# printed call itself. A third gives a feeling: what accuracy has *our* run where its loss is nearest to 0.0229?

# %%
import ast

printed_call = "model.fit(train_images, train_labels, epochs=10, batch_size=32)"
arguments = {keyword.arg for keyword in ast.parse(printed_call).body[0].value.keywords}
validates = bool(arguments & {"validation_data", "validation_split"})
seconds = 60_000 * 0.005
seconds, validates

# %% [markdown]
# 5 ms a sample would make 300 seconds an epoch, not 34, and the printed call passes no validation data at all. Now the third.

# %% tags=["nbval-ignore-output"]
run = pd.DataFrame(history.history)
nearest = run.iloc[(np.log(run["loss"]) - np.log(0.0229)).abs().argmin()]
consistent = [abs(seconds - 34) < 1, validates]
claims.record(
    "c46",
    verdict="holds" if all(consistent) else "wrong",
    evidence=f"60,000 × 5 ms = {seconds:.0f} s, not 34 s; the call passes {'' if validates else 'no '}validation data; "
    f"at a training loss of {nearest['loss']:.4f} our accuracy is {nearest['accuracy']:.4f}, not 0.9820",
)

# %% [markdown]
# So the log cannot come from the program above it. Loss and accuracy do not fit either, though they do not quite contradict each other. A wrong answer
# costs at least $\log 2 = 0.69$, since the true class had less than one half; 18 of them in 1,000 cost at least 0.0124 of the 0.0229. They could
# only be barely wrong, all of them, with nearly all other answers certain.

# %% [markdown]
# ## 6 · How good is it?
#
# Now, once, the test set. An accuracy is an estimate: had other digits of the same kind been drawn, it would have come out a little
# different. For a share $\hat p$ of $n$ independent examples, and $z = 1.96$, the 95 % **Wilson interval** says by how much:
#
# $$ \frac{\hat p + \frac{z^2}{2n} \pm z\sqrt{\frac{\hat p (1-\hat p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}. $$


# %%
def wilson(p, n, z=1.96):
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)


# %% [markdown]
# The same 95 %, on 100, 400 and 10,000 examples:

# %%
pd.DataFrame(
    {n: np.round(wilson(0.95, n), 3) for n in (100, 400, 10_000)}, index=["low", "high"]
)

# %% [markdown]
# So 95 % means "somewhere from 92.4 to 96.7" on 400 digits and "94.6 to 95.4" on 10,000. The helper `evaluate.accuracy` is this
# formula. On to our network.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
x_test, y_test = as_input(digits.test.images), digits.test.labels
p_test = model.predict(x_test, verbose=0)
test = evaluate.accuracy(y_test, p_test.argmax(axis=1))
course.headline("test accuracy", test.value, test.low, test.high)

# %% [markdown]
# A training run comes out a little different on another processor or with another seed, which the interval does not know either. So the
# course holds this number within a tolerance, and says which.

# %%
expected, tolerance = course.choose(quick=(0.92, 0.04), full=(0.990, 0.004))
assert abs(test.value - expected) <= tolerance, (
    f"{test.value:.4f} is not within {tolerance} of {expected}"
)

# %% [markdown]
# ### Who wrote it?
#
# The formula takes the *examples* for independent. Digits from one sheet are not: the same hand wrote them all. So look at the test
# sheets one by one, and at all three models. (MNIST's test set has two sources of 5,000 digits, census employees and high-school
# students; on the full profile these are the groups.)

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
answers = {
    name: model.predict(digits.test.images.reshape(-1, 784)) for name, model in fitted.items()
}
answers["network"] = p_test.argmax(axis=1)
hits = pd.DataFrame({name: answer == y_test for name, answer in answers.items()})
hits.groupby(digits.test.groups).mean().rename_axis("group").round(3)

# %% [markdown]
# Group by group the accuracies differ by several points, and three very different models find much the same sheets easy: the difference lies
# in the writers. With three test sheets you have *three* independent draws of a writer, not 382; the honest interval for "a new person's digits" is several times as wide as Wilson's. It takes more
# writers to make it narrow, not more digits from the same ones.
#
# ### Against the baselines

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
scores = pd.DataFrame(
    [(name, *evaluate.accuracy(y_test, answer)) for name, answer in answers.items()],
    columns=["name", "value", "low", "high", "n"],
)
figures.intervals(
    scores,
    x_title="test accuracy, 95 % interval",
    alt="Three test accuracies with intervals; in the quick profile the intervals overlap",
)

# %% [markdown]
# In the quick profile the intervals overlap, so this picture ranks nobody. A sharper question helps: all models answered the *same*
# digits, so look only at those where exactly one of two models is right. If the two were equally good, such digits would fall to
# either side like a fair coin (**McNemar's test**).

# %% tags=["nbval-ignore-output", "compare-within=0.2"]
from scipy.stats import binomtest

only_network = int((hits["network"] & ~hits["SVM"]).sum())
only_svm = int((hits["SVM"] & ~hits["network"]).sum())
coin = binomtest(only_network, only_network + only_svm).pvalue
f"only the network: {only_network}, only the SVM: {only_svm}; a fair coin is as lopsided with probability {coin:.2g}"

# %% [markdown]
# On a thousand training digits the network does *not* beat an SVM that trains in a blink; more digits speak for the SVM than for the
# network. (The coin's probability takes the digits for independent, once more; believe the direction, not its second digit.) On
# MNIST, trained on 55,000, the network wins by far. That is a comparison with an SVM on 10,000, but it is the deal you get for the
# same minute. Data is what a network lives on; with little of it, ask first whether you need one, or borrow one that somebody else has
# trained on much (chapter 09).

# %%
assert only_network > only_svm if course.full else only_svm > only_network

# %% [markdown]
# This test set has now been used. Whatever you change because of what follows would need a new one; so the next sections read the
# *validation* part wherever they choose something.

# %% [markdown]
# ## 7 · Look at the mistakes
#
# An accuracy is one number. The **confusion matrix** says which digits it mistakes for which: a row for each true class, a column for
# each answer. Only the mistakes are coloured.

# %% tags=["nbval-ignore-output"]
from sklearn.metrics import confusion_matrix

p_validation = model.predict(x_validation, verbose=0)
predicted, confidence = p_validation.argmax(axis=1), p_validation.max(axis=1)
figures.confusion(
    confusion_matrix(y_validation, predicted, labels=range(10)),
    digits.class_names,
    alt="Nearly all validation digits lie on the diagonal; the few mistakes stand in a few cells",
)

# %% [markdown]
# Read along a row: what became of the digits of that class? The classes that fare worst, and what they are taken for:

# %% tags=["nbval-ignore-output"]
table = pd.DataFrame({"is": y_validation, "says": predicted}).query("`is` != says")
table.value_counts().head(5).rename("mistakes").reset_index()

# %% [markdown]
# Mistakes that gather in one pair are a task: collect such examples, and look whether they come from one hand. Next, the worst
# ones: wrong *and* sure of it.

# %% tags=["nbval-ignore-output"]
wrong = np.flatnonzero(predicted != y_validation)
worst = wrong[np.argsort(-confidence[wrong])][:12]
figures.image_grid(
    digits.validation.images[worst],
    [f"is {y_validation[i]}, says {predicted[i]}, {confidence[i]:.1%}" for i in worst],
    columns=6,
    cell=112,
    alt="The most confident mistakes on the validation part, each with its label and the network's answer",
)

# %% [markdown]
# Sort them into two piles. Some you would have misread too: no training mends those, but your form can, by asking for the digits
# twice or by a check digit. Others are plain to any person: what do *they* have in common that the training set lacks?

# %% [markdown]
# ### What does it look at?
#
# The first layer holds 32 kernels of 3 × 3. Orange weights ask for ink, blue ones for paper. The upper row shows sixteen of them before
# training, the lower row the same sixteen after it.

# %% tags=["nbval-ignore-output"]
before, after = start[0][:, :, 0, :16], model.get_weights()[0][:, :, 0, :16]  # (3, 3, 16)
figures.image_grid(
    np.concatenate([before, after], axis=2).transpose(2, 0, 1),
    signed=True,
    columns=16,
    cell=42,
    alt="Sixteen kernels before training and after it: the pairs look much alike",
)

# %% [markdown]
# The pairs look much alike. How much, as one number:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
alike = np.corrcoef(before.ravel(), after.ravel())[0, 1]
f"correlation of the kernels before and after training: {alike:.2f}"

# %% [markdown]
# Surprised? In the quick profile the kernels have hardly moved. Random kernels find edges too, ink on one side and paper on the other, and
# the layers behind learn to use what they get. A picture of pretty first-layer filters proves little. Slide a kernel over a digit and you
# get its **feature map**, dark where the pattern was found:

# %% tags=["nbval-ignore-output"]
first_layer = keras.Model(model.inputs, model.layers[0].output)
maps = first_layer.predict(x_validation[:1], verbose=0)[0].transpose(2, 0, 1)[:7]  # (7, 26, 26)
own_scale = maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-6)
figures.image_grid(
    np.concatenate([digits.validation.images[:1, 1:-1, 1:-1] / 255, own_scale]),
    ["input", *(f"map {i}" for i in range(7))],
    alt="Seven feature maps of one digit: some keep the strokes, others only one side of them",
)

# %% [markdown]
# One digit, many views, each on its own scale: some maps keep the whole stroke, some only one side of it. A grey background is a positive
# bias: that kernel says something even where there is only paper.

# %% [markdown]
# ## 8 · What if the digit is not in the middle?
#
# All training digits are centred. The scanner's are not. Move the validation digits sideways, pixel by pixel, and watch.


# %%
def shift(images, right, down=0):
    """Move (n, 28, 28) images by whole pixels; what leaves is lost, what enters is paper."""
    padded = np.pad(images, ((0, 0), (8, 8), (8, 8)))
    return padded[:, 8 - down : 36 - down, 8 - right : 36 - right]


# %% [markdown]
# **Predict first.** At how many pixels, of 28, will the network have lost half of its accuracy?


# %%
def accuracy_when_shifted(model, pixels):
    x = as_input(shift(digits.validation.images[:2000], pixels))
    answers = model.predict(x, verbose=0, batch_size=256).argmax(axis=1)
    return float((answers == y_validation[:2000]).mean())


# %% [markdown]
# From seven pixels to the left to seven to the right:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
offsets = list(range(-7, 8))
plain = [accuracy_when_shifted(model, pixels) for pixels in offsets]
half = min(
    abs(o) for o, accuracy in zip(offsets, plain, strict=True) if accuracy < max(plain) / 2
)
f"lost half of it at {half} pixels"

# %% [markdown]
# Convolution sees the same stroke anywhere, but the dense layer after `Flatten` has its own weight for each *place*. The remedy is cheap:
# show the network shifted digits while it trains. This is **data augmentation**; each epoch every image moves by a few pixels, at random.


# %%
def random_shifts(images, rng, largest=5):
    moves = rng.integers(-largest, largest + 1, size=(len(images), 2))
    return np.concatenate(
        [shift(image[None], *move) for image, move in zip(images, moves, strict=True)]
    )


# %% [markdown]
# The second network gets the same start and as many steps as the first, so that only the pictures differ.

# %% tags=["nbval-ignore-output"]
rng = np.random.default_rng(seed)
sturdy = compiled(article_network())
sturdy.set_weights(start)
bar = training.progress(epochs)
for epoch in range(epochs):
    x = as_input(random_shifts(digits.train.images, rng))
    sturdy.fit(x, y_train, initial_epoch=epoch, epochs=epoch + 1, verbose=0, callbacks=[bar])

# %% [markdown]
# And both over the same shifts:

# %% tags=["nbval-ignore-output", "compare-within=0.1"]
shifted = [accuracy_when_shifted(sturdy, pixels) for pixels in offsets]
kinds = ["centred digits"] * len(offsets) + ["shifted digits"] * len(offsets)
table = pd.DataFrame({"pixels": offsets * 2, "accuracy": plain + shifted, "trained on": kinds})
figures.lines(
    table,
    "pixels",
    "accuracy",
    "trained on",
    x_title="shift to the right, pixels",
    y_title="validation accuracy",
    alt="Trained on centred digits, accuracy falls steeply from two pixels on; trained on shifted digits, it falls slowly up to five pixels",
)

# %% [markdown]
# Trained on shifted digits, the network keeps most of its accuracy as far as it was trained, five pixels, and falls beyond. Augmentation
# does not teach "position does not matter"; it teaches *the positions you show*. On centred digits it gains little or nothing, and at
# equal steps it may cost a little, because its task is harder: improve for the data you will meet, not for the test set you have.

# %%
middle = offsets.index(0)
assert shifted[middle + 5] > plain[middle + 5] + 0.2, "augmentation should help at five pixels"
assert plain[middle] - shifted[middle] < 0.15, "and cost less than that at zero"

# %% [markdown]
# ## 9 · When not to trust it
#
# A softmax always adds up to one. So the network *must* give an answer, to anything. Turn a digit, step by step, with the slider:

# %% tags=["nbval-ignore-output"]
seven = int(p_validation[:, 7].argmax())  # the plainest 7 there is, in the network's eyes
angles = range(0, 181, 30)
turned = np.stack(
    [ndimage.rotate(digits.validation.images[seven], a, reshape=False, order=1) for a in angles]
)
p_turned = model.predict(as_input(turned), verbose=0)
figures.answers_over(
    turned,
    p_turned,
    [f"{angle}°" for angle in angles],
    digits.class_names,
    slider="turned by",
    alt="As a 7 turns, the probability moves from class to class instead of spreading out to say: I do not know",
)

# %% [markdown]
# The bars do not spread out evenly as it turns, to say "I do not know"; they move. The surest *wrong* answer on the way:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
others = np.where(p_turned.argmax(axis=1) == 7, 0, p_turned.max(axis=1))
k = int(others.argmax())
f"turned by {angles[k]}°, it is a {p_turned[k].argmax()}, with {others[k]:.0%}"

# %% [markdown]
# Somewhere on its way round, the 7 is another digit to the network, and it says so with the confidence just printed. At other angles it
# is unsure. Nothing in the answer tells "hard to read" from "I have never seen such a thing". Four more strangers:

# %% tags=["nbval-ignore-output"]
rows, columns = np.indices((28, 28))
strangers = {
    "empty": np.zeros((28, 28)),
    "inverted": 255 - digits.validation.images[seven],
    "noise": rng.integers(0, 256, (28, 28)),
    "a cross": 255 * ((abs(rows - columns) < 3) | (abs(rows + columns - 27) < 3)),
}
p_odd = model.predict(as_input(np.stack(list(strangers.values()))), verbose=0)
figures.image_grid(
    np.stack(list(strangers.values())),
    [f"{name}: {p.argmax()}, {p.max():.0%}" for name, p in zip(strangers, p_odd, strict=True)],
    columns=4,
    cell=140,
    alt="An empty image, an inverted digit, noise and a cross each get a digit for an answer",
)

# %% [markdown]
# Each gets a digit. In your product that is a customer number where nobody wrote one, unless something stops it.
#
# ### A threshold helps, up to a point
#
# The simplest defence: answer only where the largest probability reaches a threshold, and hand the rest to a person. What does it
# cost, what does it bring? You choose a threshold on the validation part, of course. The test part shows whether it keeps its promise.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
thresholds = np.array([0, 0.5, 0.7, 0.9, 0.95, 0.98, 0.99])
promise = evaluate.coverage(y_validation, p_validation, thresholds).assign(
    part="validation: promised"
)
kept = evaluate.coverage(y_test, p_test, thresholds).assign(part="test: kept")
figures.lines(
    pd.concat([promise, kept]),
    "threshold",
    "accuracy",
    "part",
    y_title="accuracy among the answered",
    alt="A higher threshold raises the accuracy among the answered on both parts; in the quick profile the test stays below validation",
)

# %% [markdown]
# A higher threshold makes the machine's own share more reliable, on both parts. But in the quick profile what the validation
# sheets promise, the test sheets do not keep: a threshold is a number measured on some writers, and others are read with less
# right to confidence. Leave a margin, and keep measuring after launch.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
at = {
    "promised": promise.set_index("threshold").loc[0.9],
    "kept": kept.set_index("threshold").loc[0.9],
}
assert all(at["kept"]["accuracy"] > test.value for _ in at) and 0.5 < at["kept"]["answered"] < 1
assert course.full or at["promised"]["accuracy"] > at["kept"]["accuracy"]
pd.DataFrame(at).loc[["answered", "accuracy"]].round(3)

# %% [markdown]
# ### Back to the form
#
# Eight digits to a form. Without a threshold all forms are read by the machine; with 0.9, those on which all eight digits are answered.

# %% tags=["nbval-ignore-output", "compare-within=0.2"]
answered, right = at["kept"]["answered"] ** 8, at["kept"]["accuracy"] ** 8
forms = pd.DataFrame(
    {"without": [1.0, test.value**8], "at 0.9": [answered, right]},
    index=["forms read by machine", "of these right"],
)
forms.round(2)

# %% [markdown]
# That is the number to take to the next meeting: how many forms still need a person, and how many of the others go wrong
# unseen. It takes the eight digits for independent. They are not, one hand writes all eight, so good writers' forms will do better and bad
# writers' worse than this; measure whole forms as soon as you have some.
#
# ### What a threshold cannot do
#
# Look at what the same threshold lets through when the *input* is wrong:

# %% tags=["nbval-ignore-output", "compare-within=0.2"]
images = digits.validation.images[:1000]
kinds = {
    "as scanned": images,
    "turned by 90°": np.rot90(images, axes=(1, 2)),
    "inverted": 255 - images,
    "noise": rng.integers(0, 256, (300, 28, 28)),
}
p_kinds = {name: model.predict(as_input(kind), verbose=0) for name, kind in kinds.items()}
pd.Series(
    {name: (p.max(axis=1) >= 0.9).mean() for name, p in p_kinds.items()}, name="accepted at 0.9"
).round(3).to_frame()

# %% [markdown]
# And how many of the accepted digits that lie on their side were read for what they are?

# %% tags=["nbval-ignore-output"]
sideways = p_kinds["turned by 90°"]
passed = sideways.max(axis=1) >= 0.9
right = (sideways.argmax(axis=1) == y_validation[:1000])[passed].mean()
f"{passed.sum()} of {len(passed)} accepted, {right:.0%} of those right"

# %% [markdown]
# Many of the digits lying on their side pass, and most of the accepted answers are wrong. **Confidence tells easy digits from hard
# ones; it does not reliably tell digits from everything else.** So guard the door as well: check that a box holds ink, that the
# paper is light, that the scan is upright, and count how the share of refused digits moves from day to day.

# %%
assert passed.mean() > 0.1 and right < 0.5

# %% [markdown]
# ## 10 · Faster
#
# The articles' program takes a couple of minutes on two cores. That is nothing, until you train fifty variants. This section
# takes it apart and makes it about ten times as fast *and* more accurate, by measuring one change at a time.
#
# The figures come from real MNIST and took the better part of an hour to measure. They are kept with the course, so that you see them on the
# quick profile too; the next line says when and where they were recorded, and the command at the end of this section measures them
# again on your machine.

# %%
from course_utils import results

measured = results.load("07")
results.described(measured)

# %% [markdown]
# ### Check the article
#
# First the number to beat. Section B5.4 reports 99.25 % on the test set after ten epochs. Its own program, three times:

# %%
printed = pd.DataFrame(measured["test"]["article"])
claims.record(
    "c47",
    verdict="wrong" if (printed["accuracy"] < 0.9925).all() else "holds with a condition",
    evidence=f"three seeds: {', '.join(f'{a:.4f}' for a in printed['accuracy'])}; "
    f"mean {printed['accuracy'].mean():.4f}, standard deviation {printed['accuracy'].std():.4f}",
    recorded=measured["date"],
)

# %% [markdown]
# 99.25 % may happen on a lucky run, or on the best of ten epochs picked by its test score. It is not what this program gives.
#
# ### Where does the time go?
#
# Count multiplications. A convolution multiplies $k^2\, C_{\text{in}}$ weights for each of its $s \times s$ places and each of its
# $C_{\text{out}}$ kernels.


# %%
def products(s, k, c_in, c_out):
    return s * s * k * k * c_in * c_out


theirs = {
    "convolution 1": products(26, 3, 1, 32),
    "convolution 2": products(11, 3, 32, 64),
    "convolution 3": products(3, 3, 64, 64),
    "dense": 576 * 64 + 64 * 10,
}
pd.Series(theirs, name="multiplications an image").map("{:,}".format).to_frame()

# %% [markdown]
# **Predict first.** Four fifths of the work lie in one layer. Which of its results does the network use?
#
# <details><summary>Answer</summary>
#
# At most one in four: max pooling comes next, and keeps the largest of each 2 × 2 window. The rest is computed and thrown away.
#
# </details>
#
# ### Change the network: strides
#
# A convolution with *stride* 2 moves its kernel two pixels at a time. It computes only every other place, in both directions, and needs
# no pooling after it.


# %%
def strided_network(middle=64):
    return [
        layers.Conv2D(32, 5, strides=2, activation="relu"),
        layers.Conv2D(middle, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]


# %% [markdown]
# With 32 channels in the middle instead of 64, on images cut to 24 × 24 pixels (MNIST's border is empty), the same count gives:

# %%
ours = (
    products(10, 5, 1, 32)
    + products(5, 3, 32, 32)
    + products(3, 3, 32, 64)
    + 576 * 64
    + 64 * 10
)
f"{ours:,} multiplications, {sum(theirs.values()) / ours:.1f} times fewer"

# %% [markdown]
# ### Change the steps: one cycle
#
# A constant learning rate is either too small at first or too large at the end. The *one-cycle* schedule climbs to a rate six times Adam's default and
# then falls to zero along half a cosine, over all $T$ steps. It needs half the epochs.


# %%
def one_cycle(step, steps, peak=6e-3, warm_up=0.2):
    done = (keras.ops.cast(step, "float32") + 1) / steps
    climb = 0.1 + 0.9 * done / warm_up
    fall = 0.5 * (1 + keras.ops.cos(np.pi * (done - warm_up) / (1 - warm_up)))
    return peak * keras.ops.where(done < warm_up, climb, fall)


# %% [markdown]
# Drawn over the 2,340 steps of five epochs:

# %%
steps = np.arange(0, 2340, 60)
rates = keras.ops.convert_to_numpy(one_cycle(steps, 2340)).astype("float64").round(6)
rate = pd.DataFrame({"step": steps, "learning rate": rates})
figures.lines(
    rate,
    "step",
    "learning rate",
    alt="The learning rate climbs steeply to 0.006 within a fifth of the steps, then falls smoothly to zero",
)

# %% [markdown]
# Up steeply, down smoothly: large steps while there is far to go, small ones to settle.
#
# ### Change the data: crops and soft labels
#
# Cutting 24 × 24 pixels out of 28 × 28 leaves 25 places to cut. A fresh place for each image in each epoch is augmentation by
# up to two pixels, and it costs next to nothing, because nothing is computed: pixels are copied.


# %%
def random_crops(images, random, size=24):
    places = images.shape[1] - size + 1
    which = random.integers(0, places * places, len(images))
    out = np.empty((len(images), size, size), images.dtype)
    for place in range(places * places):
        row, column = divmod(place, places)
        chosen = np.flatnonzero(which == place)
        out[chosen] = images[chosen, row : row + size, column : column + size]
    return out


# %% [markdown]
# **Label smoothing** asks for a little less than certainty. For $K$ classes and $\varepsilon = 0.1$ the target for the true class is
# $1 - \varepsilon + \varepsilon / K$ instead of 1, and $\varepsilon / K$ for each of the others. A network that is paid for being *quite* sure
# stops pushing its logits apart once it is.
#
# ### One change at a time
#
# Each row adds one change to the row above; the last is tried on top of the one before it. Accuracy is on 5,000 *validation* images, because
# the recipe is chosen here; the mean and standard deviation of two seeds. Time is processor time, both cores added up, which
# hardly depends on what else the machine was doing.

# %%
ladder = pd.DataFrame(measured["ladder"])
rungs = ladder.groupby("program", sort=False).agg(
    accuracy=("accuracy", "mean"),
    spread=("accuracy", "std"),
    seconds=("processor_seconds", "mean"),
    memory=("peak_mib", "mean"),
)
rungs.round({"accuracy": 4, "spread": 4, "seconds": 1, "memory": 0})

# %% [markdown]
# What counts as better? Two runs that differ only in their seed differ by a tenth of a point or more. Speed comes first here, because what
# is fast can be tried often, and accuracy lost on the way can be won back. So a change is kept if it saves a twentieth of the time or the
# memory (MiB) and costs less than half a point, or if it gains more than a tenth of a point and costs no time:

# %%
last = rungs.iloc[0]
verdicts = {}
for name, rung in rungs.iloc[1:].iterrows():
    time_times, memory_times = (
        rung["seconds"] / last["seconds"],
        rung["memory"] / last["memory"],
    )
    gain = rung["accuracy"] - last["accuracy"]
    saves = min(time_times, memory_times) <= 0.95 and gain > -0.005
    keep = saves or (gain > 0.001 and time_times < 1.06)
    verdicts[name] = [
        round(time_times, 2),
        round(memory_times, 2),
        round(gain, 4),
        "kept" if keep else "dropped",
    ]
    last = rung if keep else last
pd.DataFrame(verdicts, index=["time ×", "memory ×", "accuracy +", "verdict"]).T

# %% [markdown]
# As a picture, from the articles' program on the right to the recipe on the left:

# %%
figures.lines(
    rungs.reset_index(),
    "seconds",
    "accuracy",
    x_title="processor seconds of training (logarithmic)",
    y_title="validation accuracy",
    logarithmic="x",
    alt="Changes to the network cut the time to a quarter and cost a little accuracy; the schedule wins back more",
)

# %% [markdown]
# The first steps go left: faster, for a little accuracy. Then one step goes far up *and* left, the one-cycle schedule, and wins back more than
# was lost. What follows is small: crops save time, because 24 × 24 pixels are fewer than 28 × 28, soft labels gain a little more than
# the noise, averaged weights gain nothing here. Speed came first, and it paid for the rest: what takes a tenth of the time can be tried ten
# times as often.
#
# The recipe was now fixed, and met the test set once:

# %%
final = pd.DataFrame(
    {
        name: [
            rows["accuracy"].mean(),
            rows["accuracy"].std(),
            rows["seconds"].mean(),
            rows["peak_mib"].max(),
        ]
        for name, rows in {k: pd.DataFrame(v) for k, v in measured["test"].items()}.items()
    },
    index=["test accuracy", "standard deviation", "seconds", "peak memory, MiB"],
)
assert final.loc["test accuracy", "recipe"] >= 0.9925 > final.loc["test accuracy", "article"]
final.round(4)

# %% [markdown]
# ### And here, now
#
# On your machine, on this chapter's data. `mnist.train` puts the pieces above together; `course_utils/recipes/mnist.py` has its forty lines. The
# quick profile gets more epochs and smaller batches, so that a thousand digits make enough steps.

# %% tags=["nbval-ignore-output"]
import time
from dataclasses import replace

from course_utils.recipes import mnist

recipe = course.choose(quick=replace(mnist.FAST, epochs=30, batch=32), full=mnist.FAST)
began = time.perf_counter()
trained = mnist.train(digits.train.images, y_train, recipe, seed=seed)
seconds = time.perf_counter() - began
answers = trained.predict(digits.validation.images[..., None], verbose=0).argmax(axis=1)
by_recipe = (answers == y_validation).mean()
f"{seconds:.1f} s; validation accuracy {by_recipe:.3f}"

# %% [markdown]
# Section 6 found no reason to prefer the network to an SVM. That was the network *as the articles train it*. On the same validation
# digits:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
article_says = (predicted == y_validation).mean()
pd.Series(
    {**by_baselines, "articles' network": article_says, "recipe": by_recipe}, name="validation"
).round(3).to_frame()

# %% [markdown]
# How you train can matter more than what you train. (Whether the recipe beats the SVM on new *writers* is a question for new sheets: the
# test set is used up, and the recipe saw it in no way, but *you* have.) To measure this section on your machine:
# `python tests/benchmarks/mnist_time_to_accuracy.py`, and once more with `--ladder`.

# %%
assert by_recipe >= article_says - 0.01

# %% [markdown]
# ## 11 · Draw a digit
#
# Your turn. The course ships a small network that this recipe trained on real MNIST; the file says how it was made and how
# good it is, and its hash is checked before it is loaded.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
from course_utils import explorers, strokes, weights

reader = weights.load("mnist_reader")
f"{reader.count_params():,} parameters"


# %% [markdown]
# Why not the network trained above? Because on the quick profile it has never seen such digits. Trained as in section 5, on a thousand digits that
# were 8 × 8 pixels once, how much of MNIST's test set does it read? Three seeds, recorded with the rest of section 10:

# %%
pd.DataFrame(measured["transfer"]).set_index("seed")["accuracy"].to_frame()

# %% [markdown]
# From better than nine in ten on its own kind to *this*, on digits that look much the same to you. The strokes are thinner and sharper, the
# hands are other hands. **Data that differ from training** are the commonest way for a good model to fail after launch; the remedy
# is to train on what will come, and to measure on it. Now ten digits as a hand might draw them on the canvas below, brought into MNIST's form: cut
# out, scaled to 20 pixels, laid into 28 × 28 by their centre of mass.

# %% tags=["nbval-ignore-output"]
drawn = np.stack([strokes.digit_from_strokes(explorers.example_strokes(k)) for k in range(10)])
readers = {
    "this chapter's network": model.predict(as_input(drawn), verbose=0),
    "the shipped network": reader.predict(drawn[..., None], verbose=0),
}
reads = pd.DataFrame({name: p.argmax(axis=1) for name, p in readers.items()}).T
reads

# %% [markdown]
# A column for each drawn digit, 0 to 9, in each row what a network reads there. Ten clean drawings tell little: a network may read them
# all and still fail on every other digit of real handwriting.

# %%
assert (reads.loc["the shipped network"].to_numpy() == np.arange(10)).sum() >= 9

# %% [markdown]
# What was drawn, what the network sees, and what it says:


# %% tags=["nbval-ignore-output", "compare-within=0.05"]
def read(images):  # the canvas gives pixels from 0 to 1, the shipped network wants 0 to 255
    return reader(images * 255)


drawn_seven = explorers.example_strokes(7)
explorers.drawing_picture(
    drawn_seven,
    read,
    alt="A drawn 7, the same 7 as 28 by 28 grey pixels, and ten bars of which the one for 7 is long",
)

# %% [markdown]
# The middle picture is all the network ever gets. Now draw: with a mouse, a finger or a pen, or with the arrow keys (space puts
# the pen down and lifts it). The bars follow while you draw. (This needs a running kernel; in a static view the picture above stands for it.)

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
explorers.draw_digit(read)

# %% [markdown]
# Try to fool it: a 7 with a bar, a 1 with a foot, a 4 open at the top, your initials. Where does it change its mind while you draw? And
# what does it say to a scribble? Section 9 told you why.

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 07-1 · Colour images
# *recall · 8 minutes*
#
# The same network, but for colour images of 32 × 32 pixels with three channels. How many parameters does it have? Use the two formulas of
# section 4 on paper, or in a cell of your own; Keras may check you afterwards.

# %% exercise="07-1"
### BEGIN SOLUTION
a, first = conv(32, 3, 32)
b, second = conv(a // 2, 32, 64)
c, third = conv(b // 2, 64, 64)
answer = first + second + third + dense(c * c * 64, 64) + dense(64, 10)
### END SOLUTION
check("07-1", answer)

# %% [markdown]
# ### Exercise 07-2 · Which digit is read worst?
# *modify · 12 minutes*
#
# Accuracy hides single classes. Write a function that returns the **recall** of each class: of the digits that *are* a 3, the share that
# is *read* as a 3. A class without a single example has no recall; answer `np.nan` there. Once it is right, call it on `y_test` and the
# network's answers: which digit is read worst?


# %% exercise="07-2"
def recall_per_class(labels, predictions, classes=10):
    """Integer arrays of shape (n,) -> float array of shape (classes,)."""
    ### BEGIN SOLUTION
    recall = np.full(classes, np.nan)
    for k in range(classes):
        if (labels == k).any():
            recall[k] = (predictions[labels == k] == k).mean()
    return recall
    ### END SOLUTION


check("07-2", recall_per_class)

# %% [markdown]
# ### Exercise 07-3 · A person decides
# *extend · 12 minutes*
#
# Write the function that the form reader needs: for each row of probabilities the most probable class, or −1 ("ask a person") where the
# largest probability is *below* the threshold. Once it is right, try it on `p_test`.


# %% exercise="07-3"
def decide(probabilities, threshold):
    """Float array (n, classes) -> integer array (n,)."""
    ### BEGIN SOLUTION
    best = probabilities.argmax(axis=1)
    return np.where(probabilities.max(axis=1) >= threshold, best, -1)
    ### END SOLUTION


check("07-3", decide)

# %% [markdown]
# ### Exercise 07-4 · Beat the recipe
# *extend · 45 minutes*
#
# The recipe of section 10 is fast. Now spend the articles' own time, all of it if you like, on accuracy. Write a function that trains
# whatever you want. `contest.run` clocks the articles' program here and now, gives you as long, and measures your network on the test
# part. Reach 99.6 % on MNIST in the full profile, 96 % in the quick one; the articles' program reaches about 99 and 93. Choose on the
# validation part: try `train(digits.train.images, y_train)` there first, and run the contest once you are content.

# %% exercise="07-4" tags=["nbval-ignore-output"]
from course_utils.exercises import contest


def train(images, labels):
    """uint8 (n, 28, 28) and integers (n,) -> a Keras model from (m, 28, 28, 1), 0 to 255, to (m, 10)."""
    ### BEGIN SOLUTION
    # On MNIST, seeds 0, 1 and 2: 0.9967, 0.9969 and 0.9968 on the test part, in three quarters of
    # the articles' processor time. Chosen on the last 10,000 training images (0.9964, 28 rounds).
    rounds, copies, batch = course.choose(quick=(3, 6, 64), full=(26, 1, 128))
    random, n = np.random.default_rng(seed), len(images) * copies // batch * batch
    body = [layers.Rescaling(1 / 255), *mnist.strided_network(64)]
    net = keras.Sequential([layers.Input((24, 24, 1)), *body])
    soft = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    rate = mnist.schedule(n // batch * rounds)
    net.compile(keras.optimizers.Adam(rate), soft, steps_per_execution=8)
    for _ in range(rounds):
        order = random.permutation(np.repeat(np.arange(len(images)), copies))[:n]
        # A random matrix near the identity turns, stretches and slants about the middle.
        a, b, c, d = random.uniform(-1, 1, (4, n)) * [[0.12], [0.2], [0.2], [0.12]]
        maps = [1 + a, b, -13.5 * (a + b), c, 1 + d, -13.5 * (c + d), 0 * a, 0 * a]
        x, maps = images[order, :, :, None].astype("float32"), np.float32(maps).T
        x = keras.ops.convert_to_numpy(keras.ops.image.affine_transform(x, maps))
        x = mnist.random_crops(x[..., 0].astype("uint8"), random)
        y = keras.utils.to_categorical(labels[order], 10)
        net.fit(x[..., None], y, batch_size=batch, shuffle=False, verbose=0)
    # Nine crops of each image are read, their answers averaged: the clock is for training only.
    whole = layers.Input((28, 28, 1))
    places = [((1 + i, 3 - i), (1 + j, 3 - j)) for i in range(3) for j in range(3)]
    answers = [net(layers.Cropping2D(place)(whole)) for place in places]
    return keras.Model(whole, layers.Average()(answers))
    ### END SOLUTION


check("07-4", contest.run(train, profile=course.profile, seed=seed))

# %% [markdown]
# ## Recap
#
# * *Shape by shape:* a convolution without padding leaves $s - k + 1$, pooling halves, and $(k^2 C_{\text{in}} + 1)\,C_{\text{out}}$ counts the
#   parameters: 93,322 in all, asserted against Keras.
# * *Split and baseline:* by sheet, not shuffled, because a new writer can cost many points; an SVM sets the bar in a blink, and on a thousand
#   digits the network does not reach it.
# * *Uncertainty and mistakes:* an accuracy comes with its interval, and the interval believes that the examples are independent; look at
#   the groups. Read mistakes on the validation part.
# * *Sturdier and faster:* shifted copies in training hold the accuracy as far as they reach, and no further; strides instead of pooling and
#   one cycle instead of a constant rate, each measured, kept or dropped by a rule, make training about ten times as fast.
# * *Accept or hand over:* a threshold trades answers for accuracy; what it promises on some writers it need not keep on others, and it is
#   no defence against what is not a digit at all.

# %% [markdown]
# ## Limits and next
#
# The quick profile's test set has a few hundred digits by a handful of writers: enough to learn the method on, too few to choose between two
# good models. Its digits were 8 × 8 pixels before they were enlarged, so a network trained on them reads real forms badly; run
# `course run 07 --profile full` for MNIST itself. Real forms also bring boxes, smudges and crossed-out digits, which no part of this
# chapter has seen. The recipe was tuned on MNIST; another data set deserves its own ladder.
#
# **Sources.** Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", *Proceedings of the
# IEEE* 86 (1998), 2278–2324 (MNIST and convolutional networks for forms) · E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI
# Machine Learning Repository (1998) (scikit-learn's digits) · E. B. Wilson, "Probable inference, the law of succession, and statistical
# inference", *Journal of the American Statistical Association* 22 (1927), 209–212 · L. N. Smith, N. Topin, "Super-convergence", arXiv:1708.07120 (2017) · C. Szegedy and others, "Rethinking the Inception architecture
# for computer vision", *CVPR* (2016) (label smoothing) · A. Nguyen, J. Yosinski, J. Clune, "Deep neural networks
# are easily fooled", *CVPR* (2015) · the second article, sections 5.2 to 5.4.
