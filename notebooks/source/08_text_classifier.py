# ---
# jupyter:
#   course:
#     chapter: "08"
#     title: A text classifier
#     requires: ["00"]
#     needs: {quick: [], full: [sst2, chnsenticorp, ag_news]}
#     budget: {seconds: 60, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 08 · A text classifier
#
# You route the tickets of a small software company: with counted words, with the first article's network once it is mended, and with a rule that says
# which of the two you should ship.
#
# *Hardware: two cores, 1.5 GiB; no network · Needs: chapter 00, Python and NumPy*

# %% [markdown]
# ## You will be able to
#
# * measure a router of messages by accuracy *and* macro-F1, and find what makes a test set lie;
# * build TF-IDF by hand, and set the bar with it before any network;
# * cut text into characters, words and subwords, and say what each costs;
# * mend, derive and train an embedding network, with a mask and with attention;
# * read its errors one by one, and decide by a rule what to ship.

# %% [markdown]
# The next cell holds what you may change from outside. `language` is special to this chapter: with "zh" everything below runs on Chinese tickets.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0
language = "en"  # or "zh": the same chapter on the Chinese tickets

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, evaluate, explorers, figures, gradcheck, setup

course = setup("08", profile=profile, seed=seed)

import keras
import numpy as np
import pandas as pd
from keras import layers, ops
from threadpoolctl import threadpool_limits

threadpool_limits(1)  # matrices as small as these: two threads mostly wait for each other
pd.set_option("display.max_colwidth", 110)

# %% [markdown]
# ## The question
#
# Tidebook makes an app for small businesses: invoices, receipts, bank feeds. Sixty messages a day reach its help desk, and one of eight teams
# should get each of them first. Somebody sorts them by hand. A message that goes to the wrong team costs about twelve minutes there, and the
# customer half a day. What is a router worth that is right with probability $r$? Per month of 21 days, the hours lost:

# %%
r = np.array([0.24, 0.60, 0.78, 0.90, 0.95])
hours = (1 - r) * 60 * 21 * 12 / 60
pd.DataFrame({"routed right": r, "hours lost a month": hours.round(1)})

# %% [markdown]
# The first row is the router that sends everything to the largest team. Every point is worth the same two and a half hours a month, the first as
# much as the last. But not every point *costs* the same: the simple model of section 2 gains the first fifty in a second of training, and the last
# ones are dear. Keep also in mind what the machine competes with. A person who needs a minute a message sorts for 21 hours a month; section 12
# comes back to that.
#
# ### Why accuracy alone flatters
#
# A queue is unbalanced. Of 100 messages 90 are about bugs and 10 about security, and a router answers "bug" to all. Rows are true classes,
# columns answers:

# %%
C = np.array([[90, 0], [10, 0]])
float(np.trace(C) / C.sum())

# %% [markdown]
# Ninety per cent, and no security message ever arrives. So look at each class $k$ alone. **Recall** is the share of its messages that were found,
# **precision** the share of the answers "k" that were right, $F_1$ their harmonic mean, low as soon as one of the two is low:
#
# $$ R_k = \frac{C_{kk}}{\sum_j C_{kj}}, \qquad P_k = \frac{C_{kk}}{\sum_i C_{ik}}, \qquad
# F_k = \frac{2 P_k R_k}{P_k + R_k} = \frac{2\, C_{kk}}{\sum_j C_{kj} + \sum_i C_{ik}}. $$
#
# The last form also works where no answer was "k" and $P_k$ would be 0/0. **Macro-F1** is the plain mean of $F_k$ over the classes: the smallest
# class counts as much as the largest.
#
# **Predict first.** What is the macro-F1 of the router above?
#
# <details><summary>Answer</summary>
#
# Bugs: $2 \cdot 90 / (90 + 100) = 0.947$. Security: $0 / (10 + 0) = 0$. Their mean is 0.474: little more than half of what the accuracy promised.
#
# </details>

# %%
from sklearn.metrics import f1_score

labels, answers = np.repeat([0, 1], [90, 10]), np.zeros(100, int)
by_hand = (2 * 90 / (90 + 100) + 0 / (10 + 0)) / 2
assert np.isclose(by_hand, f1_score(labels, answers, average="macro"))
round(by_hand, 3)

# %% [markdown]
# From here on every model gets both numbers. Accuracy also gets its 95 % interval (Wilson's; chapter 07 derives it).


# %%
def scores(labels, answers):
    right = evaluate.accuracy(labels, answers)
    macro = f1_score(labels, answers, average="macro", zero_division=0)
    return {"accuracy": right.value, "low": right.low, "high": right.high, "macro-F1": macro}


# %% [markdown]
# ## 1 · Look at the data first
#
# 1,000 messages in English and 330 in Chinese ship with the course, written for it. They are not easy: customers guess the wrong team, write about two
# things at once, and are sarcastic. The table has the number of messages, their median length in characters, and the share of each class.

# %%
tickets = data.load({"en": "tickets", "zh": "tickets_zh"}[language])
names, K = tickets.class_names, len(tickets.class_names)
tickets.summary().round(2).astype(object).T

# %% [markdown]
# The classes are the same in all parts, and far from equal. Here is one message of each class, cut to what fits:

# %%
shown = tickets.train.frame.groupby("label", sort=False).head(1)
shown[["label", "channel", "text"]].reset_index(drop=True)

# %% [markdown]
# How long are they? In characters, the shortest, the quarters, and the longest:

# %%
lengths = pd.Series([len(text) for text in tickets.train.texts])
lengths.quantile([0, 0.25, 0.5, 0.75, 1]).astype(int).rename("characters").to_frame().T

# %% [markdown]
# A few are several times as long as the middle one. Remember it when section 4 pads them all to one length.
#
# ### How good can any model be?
#
# The column `also` names a second team that would be defensible. On such a message two careful people need not agree. Suppose that even a perfect
# reader hits the label of those rows only half of the time, and all the others. Then nobody can expect more than $1 - s/2$, where $s$ is their
# share.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
also = tickets.test.frame["also"]
s = (also != "").mean()
pd.Series({"share with a second team": s, "bound on accuracy": 1 - s / 2}).round(3).to_frame(
    "test"
)

# %% [markdown]
# So the last points do not only cost more, some of them hardly exist. (The half is a guess; section 10 looks at it again.) A model that claims 99 %
# on such a queue has probably seen the answers.
#
# ### Has it seen the answers?
#
# A test text that also stands in training tests memory. Exact copies are easy to find; *near* copies ("Hi, same problem again!!") need a measure. Cut each
# text into all its pieces of five characters. The **Jaccard similarity** of two texts is the share of their pieces that they have in common:
#
# $$ J(a, b) = \frac{|S_a \cap S_b|}{|S_a| + |S_b| - |S_a \cap S_b|}. $$

# %%
from sklearn.feature_extraction.text import CountVectorizer


def nearest(texts, others, n=5):
    """For each text, its largest similarity to any of the others."""
    cut = CountVectorizer(analyzer="char", ngram_range=(n, n), binary=True).fit(
        [*texts, *others]
    )
    A, B = cut.transform(texts), cut.transform(others)
    common = np.asarray((A @ B.T).todense(), dtype=float)
    sizes = np.asarray(A.sum(axis=1)) + np.asarray(B.sum(axis=1)).T
    return (common / np.maximum(sizes - common, 1)).max(axis=1)


# %% [markdown]
# A pair that we know tells whether it works: two messages that differ in a greeting, and two about other things.

# %%
pair = nearest(["My invoice is wrong!", "My invoice is wrong!"], ["Hi, my invoice is wrong!"])
odd = nearest(["My invoice is wrong!"], ["How do I add a user?"])
pair.round(2), odd.round(2)

# %% [markdown]
# Now the test part against the training part, and the validation part against it. More than 0.5 in common shall count as a near copy:

# %%
parts = {"test": tickets.test, "validation": tickets.validation}
found = {name: nearest(part.texts, tickets.train.texts) for name, part in parts.items()}
rows = {
    name: {"largest similarity": f.max(), "near copies": (f > 0.5).sum()}
    for name, f in found.items()
}
pd.DataFrame(rows).T.round(2)

# %% [markdown]
# Not one near copy: these messages were written one by one. Do not expect that of your own: customers write twice, agents copy, exports overlap.
# And published sets can be as bad.
#
# ### A leak, found
#
# The full profile opens ChnSentiCorp, 12,000 Chinese reviews in the parts in which they are published and cited. The quick profile plants a leak as
# large as theirs into the tickets: 28 % of the test messages go into training as well.

# %%
test, train = tickets.test, tickets.train
if course.full:
    public = data.load("chnsenticorp")
    test, train = public.test, public.train
pool = train.frame[["text"]].assign(label=train.labels)
if not course.full:
    planted = test.frame[["text"]].assign(label=test.labels).sample(frac=0.28, random_state=0)
    pool = pd.concat([pool, planted], ignore_index=True)
leaked = pool["text"].isin(test.texts).to_numpy()
seen = set(pool["text"])
f"{sum(text in seen for text in test.texts)} of {len(test)} test texts stand in training"

# %% [markdown]
# A set of strings found them. What did they do to the number? A quick model, trained with the leak and without it, on the same test:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union


def tested(frame):
    pairs = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(pairs, LogisticRegression(C=10, max_iter=1000))
    return scores(test.labels, model.fit(frame["text"], frame["label"]).predict(test.texts))


leak = pd.DataFrame({"with the leak": tested(pool), "without it": tested(pool[~leaked])}).T
leak.round(3)

# %% [markdown]
# The first row is the number that would go into the report; the second is what customers would get. The weaker the honest model, the more a leak is
# worth: it mends what would have been wrong. **On Monday:** run these two checks on your export before anything else.

# %%
assert leak.loc["with the leak", "accuracy"] > leak.loc["without it", "accuracy"]

# %% [markdown]
# ## 2 · Baselines first
#
# Before the first model that could be shipped, a plan, so that the test set stays honest. Four models, fixed in advance: the majority, TF-IDF with
# logistic regression, a network that averages word vectors, and the same with attention (at two speeds, section 7). Where something has to be chosen,
# the *validation* part decides; all meet the *test* part in section 8. (The quick model of the leak has met it. Nothing below is chosen by that.)
#
# The **majority** router answers the largest class of the training part.

# %%
largest = np.bincount(tickets.train.labels).argmax()
majority = scores(tickets.validation.labels, np.full(len(tickets.validation), largest))
names[largest], {name: round(float(value), 3) for name, value in majority.items()}

# %% [markdown]
# ### TF-IDF by hand
#
# An old idea, still in use: a text is the words in it, each weighted by how often it stands *here* (term frequency) and how rare it is
# *elsewhere* (inverse document frequency). For $n$ documents of which $d_w$ contain the word $w$, with counts $c_{iw}$:
#
# $$ \text{idf}_w = \ln\frac{1 + n}{1 + d_w} + 1, \qquad x_{iw} = \frac{c_{iw}\,\text{idf}_w}{\sqrt{\sum_v (c_{iv}\,\text{idf}_v)^2}}. $$
#
# The ones in the fraction act like one more document that holds every word: nothing is divided by zero. The $+1$ behind keeps a word that stands everywhere.
# The root makes each row's length one, so that a long message does not shout louder than a short one.


# %%
def tf_idf(counts):
    n, d = len(counts), (counts > 0).sum(axis=0)
    idf = np.log((1 + n) / (1 + d)) + 1
    x = counts * idf
    return x / np.sqrt((x**2).sum(axis=1, keepdims=True))


# %% [markdown]
# Four documents. The table will have a row for each, a column for each word in alphabetical order, and the weights $x_{iw}$.
#
# **Predict first.** Which word weighs more in the first row, "invoice wrong"?
#
# <details><summary>Answer</summary>
#
# "wrong": it stands in two documents, "invoice" in three. Rarer says more.
#
# </details>

# %%
corpus = [
    "invoice wrong",
    "invoice twice and wrong sum",
    "add user",
    "user cannot open invoice",
]
words = sorted({word for text in corpus for word in text.split()})
counts = np.array([[text.split().count(word) for word in words] for text in corpus])
pd.DataFrame(tf_idf(counts), columns=words).round(2)

# %% [markdown]
# And now scikit-learn, which does not know us:

# %%
theirs = TfidfVectorizer().fit_transform(corpus).toarray()
assert np.allclose(tf_idf(counts), theirs)
float(np.abs(tf_idf(counts) - theirs).max().round(12))

# %% [markdown]
# ### The recipe
#
# The counts are dampened ($1 + \ln c$ for $c$), pairs of words and pieces of words (two to five letters) are counted like words, and a **logistic
# regression** learns a weight for each of them and each class (a single dense layer with softmax, chapter 02). Pieces of words catch typos. Chinese
# gets pieces of one to three characters. `C=10` keeps the weights from growing too large, but gently (a small `C` is strict). `class_weight` makes
# all classes count alike.


# %%
def tfidf(language="en"):
    """TF-IDF with logistic regression: texts in, class numbers out."""
    if language == "zh":
        features = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    else:
        features = make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        )
    return make_pipeline(
        features, LogisticRegression(C=10, class_weight="balanced", max_iter=3000)
    )


# %% [markdown]
# Trained in a second or two:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
baseline = tfidf(language).fit(tickets.train.texts, tickets.train.labels)
by_tfidf = scores(tickets.validation.labels, baseline.predict(tickets.validation.texts))
pd.DataFrame({"majority": majority, "TF-IDF": by_tfidf}).T.round(3)

# %% [markdown]
# Look at the intervals. A hundred validation messages pin an accuracy down to some seven points either way (the 45 in Chinese to fourteen). That is
# enough to throw out a bad idea, and too little to choose between two good ones.

# %%
assert by_tfidf["low"] > majority["high"] or language == "zh"
assert by_tfidf["accuracy"] > majority["accuracy"]

# %% [markdown]
# It is also a model that you can read. For each class the words and pairs of words with the largest weights (the pieces of words are left out):

# %% tags=["nbval-ignore-output"]
features = np.array([f.split("__")[-1] for f in baseline[0].get_feature_names_out()])
whole = np.array(
    [
        f.startswith("tfidfvectorizer-1") or language == "zh"
        for f in baseline[0].get_feature_names_out()
    ]
)
weight = np.where(whole, baseline[1].coef_, -np.inf)
top = {
    name: " · ".join(features[np.argsort(-row)[:7]])
    for name, row in zip(names, weight, strict=True)
}
pd.Series(top, name="carried by").to_frame()

# %% [markdown]
# Most make sense, and some are an accident of 500 messages. Read this table before you ship: a customer's name or a date in it means that the model has
# learnt your archive, not your business.

# %% [markdown]
# ## 3 · From characters to words to subwords
#
# A network wants whole numbers, one for each **token**. What is a token?
#
# *Characters*: a few dozen, hardly ever a new one, but a message becomes long and a letter means nothing by itself. *Words*: they mean something, but
# there is no end to them, and whatever was not seen in training is **out of vocabulary**: it becomes "unknown".
#
# Words are split off by a pattern: runs of letters and digits, and single signs. Chinese puts no spaces between words:

# %%
import re

UNIT = {"en": re.compile(r"\w+|[^\w\s]"), "zh": re.compile(r"[a-z0-9]+|\S")}


def units(text, language="en"):
    """A text as words and signs, in lower case; Chinese as characters."""
    return UNIT[language].findall(text.lower())


# %% [markdown]
# Two messages that say the same, split at spaces and by the pattern:

# %%
says = {"en": "My invoice won't open!", "zh": "我的发票打不开！"}
pd.DataFrame(
    {code: [text.split(), units(text, code)] for code, text in says.items()},
    index=["at spaces", "units"],
).T

# %% [markdown]
# Split at spaces, the whole Chinese sentence is *one* word, which no other message will ever repeat. By character it works: each of the
# few thousand common ones carries meaning. (Programs that cut Chinese into words exist; they make mistakes of their own, and this chapter does without.)
#
# ### Subwords: learn the pieces
#
# **Byte-pair encoding** takes the middle way. Begin with characters. Count which two pieces stand side by side most often, make them one piece, and
# repeat. Frequent words grow together, rare ones stay in pieces, and nothing is unknown but a character that training never had, a new emoji say.
# (Large models begin with the 256 bytes instead of characters: then nothing is.)


# %%
import collections
from itertools import pairwise


def merge(pieces, pair):
    """Join the pair wherever it stands, from the left."""
    out = []
    for piece in pieces:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return tuple(out)


# %% [markdown]
# The word "banana" with the pair (a, n), and a run in which pairs overlap:

# %%
merge(tuple("banana"), ("a", "n")), merge(tuple("aaa"), ("a", "a"))

# %% [markdown]
# Learning is counting. `counts` says how often each word stands in the training part; ties go to the later pair of the alphabet, so that every run
# learns the same.


# %%
def learn_merges(counts, k):
    split, learnt = {word: tuple(word) for word in counts}, []
    for _ in range(k):
        pairs = collections.Counter()
        for word, pieces in split.items():
            for pair in pairwise(pieces):
                pairs[pair] += counts[word]
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        learnt.append((best, pairs[best]))
        split = {word: merge(pieces, best) for word, pieces in split.items()}
    return learnt


# %% [markdown]
# Two hundred merges on the tickets. The first eight, and the longest pieces of all:


# %%
def plain_words(texts):
    return [word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())]


old, new = plain_words(tickets.train.texts), plain_words(tickets.validation.texts)
learnt = learn_merges(collections.Counter(old), 200)
first = [f"{a} + {b}, {n} times" for (a, b), n in learnt[:8]]
longest = sorted(("".join(pair) for pair, _ in learnt), key=lambda piece: (-len(piece), piece))
pd.DataFrame({"first merges": first, "longest pieces": longest[:8]}, index=range(1, 9))

# %% [markdown]
# First come the pairs that the language likes; the longest are whole words, and among them those of the *trade*, what customers of this product write about. Nobody gave it
# a dictionary. Cutting a new word means replaying the merges in the order in which they were learnt:


# %%
def subwords(word, learnt):
    pieces = tuple(word)
    for pair, _ in learnt:
        pieces = merge(pieces, pair)
    return pieces


{
    word: subwords(word, learnt)
    for word in {
        "en": ["invoices", "tidebook", "reinvoicing"],
        "zh": ["我的发票打不开", "电子发票"],
    }[language]
}

# %% [markdown]
# ### What is unknown, at what size?
#
# Give each kind of token a vocabulary of the most frequent ones of the training part. Which share of the *validation* tokens is then unknown?


# %%
def unknown(old, new, size):
    known = {token for token, _ in collections.Counter(old).most_common(size)}
    return float(np.mean([token not in known for token in new]))


rows = []
for kind, make in {"characters": "".join, "words": list}.items():
    seen, fresh = list(make(old)), list(make(new))
    most = len(set(seen))
    for size in sorted(
        {min(size, most) for size in (10, 20, 40, 80, 160, 320, 640, 1280, most)}
    ):
        rows.append((kind, size, unknown(seen, fresh, size)))

# %% [markdown]
# For subwords the vocabulary is the characters and what was merged so far:

# %%
letters = len(set("".join(old)))
for merges in (0, 50, 100, 200):
    cut = {word: subwords(word, learnt[:merges]) for word in {*old, *new}}
    seen, fresh = ([piece for word in part for piece in cut[word]] for part in (old, new))
    rows.append(("subwords", letters + merges, unknown(seen, fresh, len(seen))))
table = pd.DataFrame(rows, columns=["tokens", "vocabulary", "unknown"]).round(4)
per_message = pd.Series(
    {"characters": len("".join(new)), "subwords": len(fresh), "words": len(new)}
)
(per_message / len(tickets.validation)).round(1).rename("tokens per message").to_frame()

# %% [markdown]
# Shorter pieces, longer messages. And the unknown ones:

# %%
figures.lines(
    table,
    "vocabulary",
    "unknown",
    "tokens",
    logarithmic="x",
    x_title="size of the vocabulary (logarithmic)",
    y_title="unknown share of validation tokens",
    height=300,
    alt="Words stay unknown in part at any size; characters and subwords are known nearly all",
)

# %% [markdown]
# With all words of the training part some are still unknown, and a larger company's archive would only move the line to the right. Characters are known almost at
# once, and subwords too, in messages a good deal shorter. This is why nearly every large model reads subwords (chapter 09's reads WordPiece, a sister of this
# method). With a few hundred messages we stay with words, in Chinese with characters, and give rare ones to one token, "unknown".

# %%
last = table.groupby("tokens")["unknown"].min()
assert last["subwords"] < last["words"] and last["characters"] < last["words"]

# %% [markdown]
# ### Messages as numbers
#
# Frequent units get a number from 2 on. 1 stands for "unknown", which training must also see, so units seen only once are unknown there too. 0 is
# **padding**: a batch is a rectangle, and short messages are filled up to its width.

# %%
PADDING, UNKNOWN = 0, 1


def vocabulary(texts, language="en", least=2, most=10_000):
    counts = collections.Counter(unit for text in texts for unit in units(text, language))
    kept = [
        u for u, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n >= least
    ]
    return {unit: number for number, unit in enumerate(kept[: most - 2], 2)}


def token_ids(texts, numbers, length, language="en"):
    out = np.zeros((len(texts), length), np.int32)
    for row, text in zip(out, texts, strict=True):
        found = [numbers.get(unit, UNKNOWN) for unit in units(text, language)[:length]]
        row[: len(found)] = found
    return out


# %% [markdown]
# The training part, 128 tokens wide; what does not fit is cut off. The shortest message in it, its first sixteen numbers:

# %%
numbers = vocabulary(tickets.train.texts, language)
V, length = len(numbers) + 2, 128
ids = {
    part: token_ids(getattr(tickets, part).texts, numbers, length, language)
    for part in ("train", "validation", "test")
}
shortest = (ids["train"] > 0).sum(axis=1).argmin()
V, ids["train"].shape, ids["train"][shortest, :16]

# %% [markdown]
# The zeros go on to the end of the row. How much of the rectangle is padding?

# %%
padding = float((ids["train"] == PADDING).mean())
assert padding > 0.5
round(padding, 2)

# %% [markdown]
# ## 4 · The article's network
#
# Section A5 of the first article classifies text with four layers. An **embedding** is a table $E$ with a row of $d$ numbers for each token; a message of
# $T$ tokens becomes $T$ rows. **Global average pooling** takes their mean, whatever their order. Two dense layers follow:
#
# $$ h = \frac{1}{T} \sum_{t=1}^{T} E_{x_t}, \qquad a = \text{ReLU}(h W_1 + b_1), \qquad p = \text{softmax}(a W_2 + b_2). $$


# %%
def article_network(classes, tokens=20_000, width=128):
    return keras.Sequential(
        [
            layers.Embedding(tokens, width),
            layers.GlobalAveragePooling1D(),
            layers.Dense(24, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


# %% [markdown]
# **Predict first.** Where are its parameters? Count them for $K = 8$ classes.
#
# <details><summary>Answer</summary>
#
# $20{,}000 \cdot 128 = 2{,}560{,}000$ in the table; $128 \cdot 24 + 24 = 3{,}096$ and $24 \cdot 8 + 8 = 200$ in the dense layers. Nearly all of it is a
# dictionary.
#
# </details>

# %%
model = article_network(8)
model.build((None, 100))
assert model.count_params() == 20_000 * 128 + 128 * 24 + 24 + 24 * 8 + 8
f"{model.count_params():,}"

# %% [markdown]
# ### Check the article
#
# The network is sound. Does the listing around it run? These are its lines that handle data, statement by statement (the layers are above). Python can say
# which names they use that no line defines.

# %%
listing = """
sequences = tokenizer.texts_to_sequences(training_sentences)
padded_sequences = pad_sequences(
    sequences, maxlen=max_len, padding=padding_type, truncating=trunc_type)
output = Dense(num_classes, activation='softmax')(x)
model.fit(padded_sequences, training_labels, epochs=10,
          validation_data=(val_padded_sequences, val_labels))
test_sequences = tokenizer.texts_to_sequences(test_sentences)
test_padded_sequences = pad_sequences(
    test_sequences, maxlen=max_len, padding=padding_type, truncating=truncating_type)
"""
elsewhere = "tokenizer pad_sequences max_len padding_type trunc_type Dense x model"

# %% [markdown]
# `elsewhere` holds what other lines of the listing define or import.

# %%
import ast

used = [node for node in ast.walk(ast.parse(listing)) if isinstance(node, ast.Name)]
bound = {*elsewhere.split()} | {node.id for node in used if isinstance(node.ctx, ast.Store)}
undefined = sorted({node.id for node in used} - bound)
undefined

# %% [markdown]
# Seven. Most are data that the reader brings. But look what is handed over as `truncating` in the two calls of `pad_sequences`:

# %%
handed = re.findall(r"truncating=(\w+)", listing)
typos = [name for name in handed if name in undefined]
handed

# %% [markdown]
# The second is a typo; it fails on anybody's data, *after* training. Now the `Tokenizer`. Does Keras still have its module, `preprocessing.text`?
# And what does it do with a Chinese sentence? It lowers the letters, takes out ASCII signs and splits at spaces; the cell does
# the same. (First whether the module is gone, then the number of tokens.)

# %%
gone = not hasattr(getattr(keras, "preprocessing", None), "text")
signs = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
clause = "发票打不开，请帮忙".lower().translate(str.maketrans(signs, " " * len(signs))).split()
gone, len(clause)

# %% [markdown]
# One token for the whole clause. (TensorFlow still carries the old class as `tensorflow.keras.preprocessing.text`; where TensorFlow runs, the next cell asks it.) And
# in spite of the file's name, `bert_text_classification.py`, no line of it has a BERT.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
if keras.config.backend() == "tensorflow":
    from tensorflow.keras.preprocessing.text import Tokenizer

    old_tokenizer = Tokenizer(num_words=20_000, oov_token="<OOV>")
    old_tokenizer.fit_on_texts(["发票打不开，请帮忙"])
    assert len(old_tokenizer.word_index) - 1 == len(clause)
bert = sum("bert" in node.id.lower() for node in used)
claims.record(
    "c10",
    verdict="wrong" if undefined or gone else "holds",
    evidence=f"{len(undefined)} names are undefined, {len(typos)} of them a typo ({', '.join(typos)}); Tokenizer is "
    f"{'gone from' if gone else 'in'} keras; a Chinese clause of nine characters makes {len(clause)} token; "
    f"{bert} names mention BERT",
)
# %% [markdown]
# ### Check the article: who is in the mean?
#
# The article pads every message to 100 tokens and then averages over all 100. Say $n$ of $T$ tokens are real, and $E_0$ is the padding's row. Then
#
# $$ \frac{1}{T}\Big(\sum_{t=1}^{n} E_{x_t} + (T - n)\,E_0\Big)
# = \frac{n}{T}\,\underbrace{\frac{1}{n}\sum_{t=1}^{n} E_{x_t}}_{\text{the mean you wanted}} + \Big(1 - \frac{n}{T}\Big) E_0. $$
#
# What reaches the dense layers is mostly $E_0$ for a short message. The same text gives another answer when the *batch* is wider. The remedy is to
# divide the sum of the real rows by $n$: a **mask**.


# %%
def mean_of_all(E, ids):
    return E[ids].mean(axis=1)


def mean_of_real(E, ids):
    return np.stack([E[row[row != PADDING]].mean(axis=0) for row in ids])


# %% [markdown]
# A random table, one short message, padded to 10, 100 and 1,000. The formula above, and the share of the wanted mean in what comes out:

# %%
rng = np.random.default_rng(seed)
E, message = rng.normal(size=(50, 6)), rng.integers(2, 50, 8)
wide = {T: np.pad(message, (0, T - 8))[None] for T in (10, 100, 1000)}
for T, row in wide.items():
    assert np.allclose(mean_of_all(E, row), 8 / T * mean_of_real(E, row) + (1 - 8 / T) * E[0])
{T: round(8 / T, 3) for T in wide}

# %% [markdown]
# At the article's width less than a tenth of the vector is about this message. Keras has the mask built in: `mask_zero=True` tells the layers behind the embedding
# which tokens are padding, and `GlobalAveragePooling1D` leaves them out. Both versions, asked:


# %%
def keras_pooling(E, ids, mask):
    table = layers.Embedding(*E.shape, mask_zero=mask, dtype="float64")
    table.build(None)
    table.set_weights([E])
    rows = table(ids)
    return np.asarray(
        layers.GlobalAveragePooling1D(dtype="float64")(
            rows, mask=ops.not_equal(ids, PADDING) if mask else None
        )
    )


for row in wide.values():
    assert np.allclose(keras_pooling(E, row, mask=False), mean_of_all(E, row))
    assert np.allclose(keras_pooling(E, row, mask=True), mean_of_real(E, row))

# %% [markdown]
# Both are what the formulas say. So how far does the vector of one message move when only its padding grows?


# %%
def moved(pooled):
    start, *others = [pooled(E, row) for row in wide.values()]
    return float(max(np.abs(other - start).max() for other in others))


without, masked = moved(mean_of_all), moved(mean_of_real)
verdicts = {(False, False): "holds", (True, False): "holds with a condition"}
claims.record(
    "c11",
    verdict=verdicts.get((without > 1e-9, masked > 1e-9), "wrong"),
    evidence=f"the same message padded to 10 or 1,000: its vector moves by {without:.2f} without a mask, by {masked:.2f} with one",
)

# %% [markdown]
# The condition is the mask. Without it the network can still learn, if every message in training *and* in production is padded to exactly the
# same width: it then reads the length, too. Section 5 takes the mask away and changes that number.
#
# ### Check the article: its log
#
# Section A5.4 prints ten epochs and says that the model "gradually converges". Under them stands "[Epoch 10] loss increased". The printed training losses
# and accuracies:

# %%
loss = np.array(
    [1.3963, 1.4054, 1.4021, 1.3996, 1.3981, 1.3967, 1.3954, 1.3944, 1.3933, 1.3924]
)
right = np.array(
    [0.5245, 0.5280, 0.5307, 0.5328, 0.5346, 0.5363, 0.5376, 0.5390, 0.5404, 0.5417]
)
rose = (np.flatnonzero(np.diff(loss) > 0) + 2).tolist()
gained = 1 - loss[-1] / loss[0]
rose, f"{gained:.2%}"

# %% [markdown]
# The loss rose once, in epoch 2, not in epoch 10. And ten epochs took 0.28 % off it. Is 1.39 at least a good loss? Two yardsticks, for $K$ classes, cost
# nothing. A guess that gives every class $1/K$ has the loss $-\ln(1/K) = \ln K$. And somebody who names a class with the printed accuracy $r$, *and
# knows* that he is right that often, gives it $r$ and each other class $(1-r)/(K-1)$; his loss is
#
# $$ -r \ln r - (1 - r) \ln\frac{1 - r}{K - 1}. $$
#
# **Predict first.** The log's last loss is 1.3924. For which $K$ is it worse than the uniform guess?
#
# <details><summary>Answer</summary>
#
# For two, three and four: $\ln 4 = 1.386$. From five on it is below $\ln K$.
#
# </details>

# %%
k, r = np.arange(2, 9), right[-1]
knows = -r * np.log(r) - (1 - r) * np.log((1 - r) / (k - 1))
pd.DataFrame(
    {"uniform guess": np.log(k), "knows how often": knows}, index=pd.Index(k, name="K")
).round(3).T

# %% [markdown]
# The article never says what $K$ is. For up to four classes the log is worse than guessing. For five it beats the guess, but not a model that
# merely knows its own accuracy (1.325): barely trained. From six on it would be a fair loss. And whatever $K$ is: a loss that loses 0.28 % in ten
# epochs does not converge, it stands still; and the line under the log contradicts the log.

# %%
claims.record(
    "c12",
    verdict="holds" if not rose and gained > 0.05 and loss[9] > loss[8] else "wrong",
    evidence=f"ten epochs take {gained:.2%} off the loss; it rose in epoch {rose[0]}, not in epoch 10; it ends at {loss[-1]}, "
    f"ln 4 = {np.log(4):.4f}, ln 5 = {np.log(5):.4f}",
)

# %% [markdown]
# **On Monday:** compare the first loss of every training run with $\ln K$; it costs one line. Far from it: a missing softmax, a wrong number of
# classes, or inputs on a wild scale. And a loss that still *stays* there after some epochs says that nothing of the input arrives.
#
# ## 5 · The mended network
#
# Masked, with a smaller table, and with **dropout**: in training each of the 64 numbers of the hidden layer is left out with probability 0.3 (the
# others grow to make up for it), so that no single one is relied on. In use all of them are there.


# %%
def small_network(tokens, classes, width=64):
    return keras.Sequential(
        [
            layers.Embedding(tokens, width, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(width, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax"),
        ]
    )


# %% [markdown]
# Rare classes shall count as much as frequent ones: a message of class $k$ weighs $n / (K n_k)$. That is what `class_weight="balanced"` did for the
# baseline.


# %%
def balanced(labels, classes=K):
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.maximum(counts, 1) * np.count_nonzero(counts)))[labels]


# %% [markdown]
# The weights of each class, added up:

# %%
y = tickets.train.labels
weight = balanced(y)
pd.DataFrame({name: [weight[y == k].sum()] for k, name in enumerate(names)}).round(1)

# %% [markdown]
# Each class weighs the same now. First the check that section 4 asked for: is the untrained loss near $\ln K$?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
keras.utils.set_random_seed(seed)
model = small_network(V, K)
model.compile(
    keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
first = model.evaluate(ids["train"], y, verbose=0)[0]
assert abs(first - np.log(K)) < 0.05
f"{model.count_params():,} parameters; untrained loss {first:.3f}, ln K = {np.log(K):.3f}"

# %% [markdown]
# Now train, fifteen times through the messages.

# %% tags=["nbval-ignore-output"]
from course_utils import training

history = model.fit(
    ids["train"],
    y,
    sample_weight=weight,
    batch_size=32,
    epochs=15,
    verbose=0,
    validation_data=(ids["validation"], tickets.validation.labels),
    callbacks=[training.progress(15)],
)

# %% [markdown]
# Loss and accuracy after some of the epochs:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
logs = pd.DataFrame(history.history, index=range(1, 16)).rename_axis("epoch")
logs.loc[[1, 5, 10, 15], ["loss", "val_loss", "accuracy", "val_accuracy"]].round(2)

# %% [markdown]
# The training messages are learnt by heart (the loss nears zero); the accuracy on validation (`val_`) stops far below. So many parameters on so few
# messages have all the room they need to remember. Against the baseline, on validation:


# %% tags=["nbval-ignore-output", "compare-within=0.05"]
def keras_says(ids):
    return ops.convert_to_numpy(model(ids)).argmax(axis=1)


by_network = scores(tickets.validation.labels, keras_says(ids["validation"]))
assert by_network["accuracy"] > majority["accuracy"] + 0.1
pd.DataFrame({"majority": majority, "TF-IDF": by_tfidf, "network": by_network}).T.round(3)

# %% [markdown]
# ### Somebody changes the width
#
# The same trained weights, with and without the mask, on validation messages padded to 128, 256 and 1,024 tokens.
#
# **Predict first.** What does the unmasked one do at 1,024?
#
# <details><summary>Answer</summary>
#
# It gives nearly every message the same class: of each vector hardly more than a thirtieth is about the message, the rest is the padding's row.
#
# </details>

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
unmasked = keras.Sequential([layers.Embedding(V, 64), *model.layers[1:]])
unmasked.build((None, length))
unmasked.set_weights(model.get_weights())
rows = []
for T in (128, 256, 1024):
    wide = np.pad(ids["validation"], ((0, 0), (0, T - length)))
    for name, one in (("masked", model), ("no mask", unmasked)):
        answers = ops.convert_to_numpy(one(wide)).argmax(axis=1)
        rows.append((T, name, float((answers == tickets.validation.labels).mean())))
widths = pd.DataFrame(rows, columns=["width", "network", "accuracy"])
widths.pivot_table("accuracy", "network", "width").round(3)

# %% [markdown]
# With the mask nothing changes. Without it the answers drift to whatever class the padding's own row leans to, and nobody gets an error message.
# That is the kind of bug that reaches customers. (These weights never saw a mean with padding in it. A network *trained* without the mask knows its
# own width, and would start higher at 128; but by the formula of section 4 its vectors move with the width just the same.)

# %%
at = widths.set_index(["network", "width"])["accuracy"]
assert abs(at["masked", 128] - at["masked", 1024]) < 0.025
assert at["no mask", 1024] < at["masked", 1024] - 0.1
# %% [markdown]
# ## 6 · Its gradient by hand
#
# What does training change in the table $E$? Only the rows of words that occurred. Write the $h$ of section 4 for a whole batch, a row a message:
# $Z_1 = H W_1 + b_1$, $A = \text{ReLU}(Z_1)$, $Z = A W_2 + b_2$, and $p_i$ is the softmax of row $i$ of $Z$. Now start from the end. For $n$
# messages with weights $\omega_i$ the loss is $L = \frac{1}{n} \sum_i -\omega_i \ln p_{i, y_i}$. Chapter 03 derives what softmax and cross-entropy
# give together, here with the weights; row $Y_i$ has a one at the true class of message $i$ and zeros elsewhere:
#
# $$ D = \nabla_Z L, \qquad D_i = \tfrac{\omega_i}{n} (p_i - Y_i). $$
#
# Two dense layers back, the chain rule gives ($[Z_1 > 0]$ is one where that holds, else zero)
#
# $$ \nabla_{W_2} L = A^\top D, \quad \nabla_{Z_1} L = (D\,W_2^\top) \odot [Z_1 > 0], \quad \nabla_{W_1} L = H^\top \nabla_{Z_1} L, \quad
# G = \nabla_H L = \nabla_{Z_1} L\; W_1^\top. $$


# %%
def softmax(Z):
    exponentials = np.exp(Z - Z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def dense_forward(P, H):
    Z1 = H @ P["W1"] + P["b1"]
    A = np.maximum(Z1, 0)
    return Z1, A, softmax(A @ P["W2"] + P["b2"])


def dense_backward(P, H, y, weight):
    Z1, A, p = dense_forward(P, H)
    D = (p - np.eye(p.shape[1])[y]) * weight[:, None] / len(y)
    dZ1 = (D @ P["W2"].T) * (Z1 > 0)
    return dZ1 @ P["W1"].T, {
        "W1": H.T @ dZ1,
        "b1": dZ1.sum(axis=0),
        "W2": A.T @ D,
        "b2": D.sum(axis=0),
    }


# %% [markdown]
# Now the new part. $h_i$ is the mean of the rows $E_{x_{it}}$ over the $n_i$ real tokens. The row of word $w$ enters $h_i$ once for each place where $w$
# stands, each time with the factor $1/n_i$. So what arrives at $h_i$ is handed back to each of these places, and added up:
#
# $$ \nabla_{E_w} L = \sum_i \sum_{t \,:\, x_{it} = w} \frac{1}{n_i}\, G_i. $$
#
# The forward pass *gathers* rows, the backward pass *scatters and adds*.


# %%
def lookup_backward(G, ids, tokens):
    dE = np.zeros((tokens, G.shape[1]))
    for g, row in zip(G, ids, strict=True):
        real = row[row != PADDING]
        np.add.at(dE, real, g / len(real))
    return dE


# %% [markdown]
# **Predict first.** Why `np.add.at(dE, real, …)` and not `dE[real] += …`? Think of a message in which a word stands twice.
#
# <details><summary>Answer</summary>
#
# `dE[real] += g` reads all the rows, adds, and writes them back: for a word that stands twice both writes are "old value plus one share", and the
# second covers the first. No error, a wrong gradient.
#
# </details>

# %%
twice, g = np.array([[2, 2, 3, 0]]), np.ones((1, 1))
lossy = np.zeros((4, 1))
lossy[twice[0][:3]] += g / 3
lookup_backward(g, twice, 4).ravel().round(2), lossy.ravel().round(2)

# %% [markdown]
# Put it to the proof, in float64: six messages over a table of 30 words, against the central difference and against the framework. The loss is any number that
# depends on $h$; a weighted sum with random weights $G$ will do, and then $\nabla_H L = G$.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
few = np.where(np.arange(9) < rng.integers(2, 10, (6, 1)), rng.integers(1, 30, (6, 9)), 0)
E, G, q = rng.normal(size=(30, 4)), rng.normal(size=(6, 4)), rng.normal(size=4)


def by_keras(E):
    real = ops.cast(few != PADDING, "float64")[..., None]
    return ops.sum(G * ops.sum(ops.take(E, few, axis=0) * real, axis=1) / ops.sum(real, axis=1))


proof = gradcheck.compare(
    lambda: (G * mean_of_real(E, few)).sum(),
    {"E": E},
    {"E": lookup_backward(G, few, 30)},
    framework={"E": gradcheck.by_framework(by_keras, E)[0]},
)
assert proof[["central difference", "framework"]].to_numpy().max() < 1e-6
proof

# %% [markdown]
# ### What the mean throws away
#
# Neither formula knows *where* a word stands. Write $C$ for the table of counts (a row a message, a column a token, the padding's column all zeros)
# and divide each row by its sum: the mean is then a plain matrix product, and so is its gradient.
#
# $$ B = C / \text{row sums}, \qquad H = B\,E, \qquad \nabla_E L = B^\top G. $$


# %%
def count_tokens(ids, tokens):
    C = np.zeros((len(ids), tokens), np.float32)
    np.add.at(C, (np.arange(len(ids))[:, None], ids), 1)
    C[:, PADDING] = 0
    return C


# %% [markdown]
# On the six messages:

# %%
B = count_tokens(few, 30).astype("float64")
B /= B.sum(axis=1, keepdims=True)
assert np.allclose(B @ E, mean_of_real(E, few))
assert np.allclose(B.T @ G, lookup_backward(G, few, 30))

# %% [markdown]
# So this "network on sequences" is a dense network on word frequencies: the input of TF-IDF without its weights. "Not the invoice, the report" and "not the
# report, the invoice" are the same message to it. Matrix products are also fast, and you will need that: sections 7 and 8 train sixteen networks.
#
# ## 7 · Attention: which words count?
#
# In the mean every word has the same say, "the" as much as "refund". Let the network learn who speaks. A vector $q$ gives each word a score; softmax over
# the words of the message turns scores into shares; the message is the weighted mean:
#
# $$ s_t = E_{x_t} \cdot q, \qquad a_t = \frac{e^{s_t}}{\sum_{r=1}^{n} e^{s_r}}, \qquad h = \sum_{t=1}^{n} a_t E_{x_t}. $$
#
# With $q = 0$ all shares are $1/n$: mean pooling is the special case from which attention starts. Padding must not get a share; it is left out of the sum, which
# is the same as a score of $-\infty$.


# %%
def attend(E, q, row):
    e = E[row[row != PADDING]]
    a = softmax(e @ q)
    return a, a @ e


assert np.allclose(attend(E, 0 * q, few[0])[1], mean_of_real(E, few[:1])[0])
attend(E, q, few[0])[0].round(2)

# %% [markdown]
# The gradient, one step at a time, for one message and $g = \nabla_h L$. A share $a_t$ multiplies $E_{x_t}$, so $\nabla_{a_t} L = g \cdot E_{x_t}$. Through the softmax
# ($\partial a_r / \partial s_t = a_r([r = t] - a_t)$):
#
# $$ \nabla_{s_t} L = \sum_r (g \cdot E_{x_r})\, a_r ([r = t] - a_t) = a_t\,(g \cdot E_{x_t} - g \cdot h). $$
#
# Read it: a word gains say if its own vector would have lowered the loss more than the mixture did. The score is a product, $s_t = E_{x_t} \cdot q$, so
#
# $$ \nabla_q L = \sum_t (\nabla_{s_t} L)\, E_{x_t}, \qquad
# \nabla_{E_w} L = \sum_{t \,:\, x_t = w} \big( a_t\, g + (\nabla_{s_t} L)\, q \big). $$
#
# A word's score does not depend on its place either, so the counts will do again: token $w$ gets the share
# $B_{iw} \propto C_{iw}\, e^{E_w \cdot q}$.


# %%
def shares(P, C):
    scores = P["E"] @ P["q"]
    B = C * np.exp(scores - scores.max())
    return B / np.maximum(B.sum(axis=1, keepdims=True), 1e-30)


def forward(P, C):
    B = shares(P, C)
    return B, B @ P["E"]


def backward(P, C, y, weight):
    B, H = forward(P, C)
    G, gradients = dense_backward(P, H, y, weight)
    ds = (B * (G @ P["E"].T - (G * H).sum(axis=1, keepdims=True))).sum(axis=0)
    return {"E": B.T @ G + np.outer(ds, P["q"]), "q": ds @ P["E"], **gradients}


# %% [markdown]
# The shares by counts are those by tokens:

# %%
C = count_tokens(few, 30).astype("float64")
for row, message, h in zip(few, *forward({"E": E, "q": q}, C), strict=True):
    assert np.allclose(attend(E, q, row)[1], h)
    assert np.isclose(message.sum(), 1) and message[PADDING] == 0

# %% [markdown]
# And the whole network at once, all six arrays of it, against both witnesses. Keras gets the formulas as they stand above, token by token, with the mask.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
P = {
    "E": E,
    "q": q,
    "W1": rng.normal(size=(4, 5)),
    "b1": rng.normal(size=5),
    "W2": rng.normal(size=(5, 3)),
    "b2": rng.normal(size=3),
}
labels, weight6 = rng.integers(0, 3, 6), rng.uniform(0.5, 2, 6)


def loss_of():
    p = dense_forward(P, forward(P, C)[1])[2]
    return -(weight6 * np.log(p[np.arange(6), labels])).mean()


def keras_loss(E, q, W1, b1, W2, b2):
    e = ops.take(E, few, axis=0)
    s = ops.where(few == PADDING, -1e30, ops.sum(e * q, axis=-1))
    h = ops.sum(ops.softmax(s, axis=1)[..., None] * e, axis=1)
    z = ops.matmul(ops.relu(ops.matmul(h, W1) + b1), W2) + b2
    each = keras.losses.sparse_categorical_crossentropy(labels, z, from_logits=True)
    return ops.mean(weight6 * each)


theirs = dict(zip(P, gradcheck.by_framework(keras_loss, *P.values()), strict=True))
proof = gradcheck.compare(loss_of, P, backward(P, C, labels, weight6), framework=theirs)
assert proof[["central difference", "framework"]].to_numpy().max() < 1e-6
proof

# %% [markdown]
# Six gradients, two witnesses: agreement to ten digits or so with the central difference, and as far as float64 goes with the framework. In Keras
# attention is a layer of a few lines, ready for your own model:


# %%
class AttentionPooling(layers.Layer):
    supports_masking = True

    def build(self, shape):
        self.q = self.add_weight(shape=(shape[-1],), initializer="zeros", name="q")

    def call(self, e, mask=None):
        s = ops.sum(e * self.q, axis=-1)
        s = s if mask is None else ops.where(mask, s, -1e30)
        return ops.sum(ops.softmax(s, axis=1)[..., None] * e, axis=1)

    def compute_mask(self, e, mask=None):
        return None  # what comes out has no tokens any more


# %% [markdown]
# Our own functions and this layer, on the same numbers:

# %%
layer = AttentionPooling(dtype="float64")
layer.build((None, None, 4))
layer.q.assign(q)
says = layer(ops.take(ops.convert_to_tensor(E), few, axis=0), mask=few != PADDING)
assert np.allclose(ops.convert_to_numpy(says), forward(P, C)[1])

# %% [markdown]
# ### Train what you derived
#
# No framework is needed any more. *Adam* (chapter 02) moves each parameter by its average gradient over the root of its average square. The argument
# `attention` says how fast $q$ learns compared with the rest: 0 leaves it at zero, so that the network is the mean.


# %%
def start(tokens, classes, rng, width=64):
    def glorot(rows, columns):
        return rng.uniform(-1, 1, (rows, columns)) * np.sqrt(6 / (rows + columns))

    P = {
        "E": rng.uniform(-0.05, 0.05, (tokens, width)),
        "q": np.zeros(width),
        "W1": glorot(width, width),
        "b1": np.zeros(width),
        "W2": glorot(width, classes),
        "b2": np.zeros(classes),
    }
    return {name: array.astype("float32") for name, array in P.items()}


# %% [markdown]
# The loop: a batch, its gradients, a step.


# %%
def train(C, y, attention=0.0, seed=0, classes=K, steps=320, batch=32, rate=3e-3):
    rng, weight = np.random.default_rng(seed), balanced(y, classes).astype("float32")
    P = start(C.shape[1], classes, rng)
    mean, square = ({name: 0 * array for name, array in P.items()} for _ in range(2))
    order = np.concatenate(
        [rng.permutation(len(y)) for _ in range(steps * batch // len(y) + 1)]
    )
    for step in range(1, steps + 1):
        i = order[(step - 1) * batch : step * batch]
        for name, g in backward(P, C[i], y[i], weight[i]).items():
            mean[name] += 0.1 * (g - mean[name])
            square[name] += 0.001 * (g * g - square[name])
            size = np.sqrt(square[name] / (1 - 0.999**step)) + 1e-7
            speed = rate * (attention if name == "q" else 1.0)
            P[name] -= np.float32(speed / (1 - 0.9**step)) * mean[name] / size
    return P


def answer(P, C):
    return dense_forward(P, forward(P, C)[1])[2].argmax(axis=1)


# %% [markdown]
# Twenty times through the messages. Three seeds, three kinds: the mean, attention at full speed, and attention whose $q$ learns ten times more slowly. Training and validation
# accuracy, the mean of the seeds:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
counts = {part: count_tokens(row, V) for part, row in ids.items()}
kinds = {"mean": 0.0, "attention": 1.0, "slow attention": 0.1}
trained = {
    (kind, s): train(counts["train"], y, attention, seed + s)
    for kind, attention in kinds.items()
    for s in range(3)
}
rows = [
    (
        kind,
        s,
        (answer(P, counts["train"]) == y).mean(),
        (answer(P, counts["validation"]) == tickets.validation.labels).mean(),
    )
    for (kind, s), P in trained.items()
]
seeds = pd.DataFrame(rows, columns=["pooling", "seed", "training", "validation"])
seeds.groupby("pooling", sort=False)[["training", "validation"]].agg(["mean", "std"]).round(3)

# %% [markdown]
# All three learn the training messages nearly by heart. At full speed attention is *not* the better model here. Where does it look? The largest
# share of each training message (the mean over the messages), and in how many messages the word stands that gets it (the median):

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
holds = (counts["train"] > 0).sum(axis=0)
looks = {}
for kind in kinds:
    B = shares(trained[kind, 0], counts["train"])
    looks[kind] = {
        "largest share": B.max(axis=1).mean(),
        "stands in": np.median(holds[B.argmax(axis=1)]),
    }
looks = pd.DataFrame(looks).T
looks.round(2)

# %% [markdown]
# In the mean the loudest "word" is simply the most frequent one, a full stop say. Attention learns to listen to words that stand in a handful of training messages: by them a
# message can be *recognised*, and that lowers the training loss as well as understanding would. Held back, it stays close to the mean, and about as good. More freedom
# needs more data.

# %%
assert looks.loc["attention", "stands in"] < looks.loc["mean", "stands in"] / 2

# %% [markdown]
# The same in numbers that the course holds, and the distance between our mean network and Keras's on validation:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
by_kind = seeds.groupby("pooling")[["training", "validation"]].mean()
assert (by_kind["training"] > 0.95).all()
seen = by_kind["validation"]
assert language == "zh" or seen["attention"] < max(seen["mean"], seen["slow attention"]) + 0.02
apart = float(abs(seen["mean"] - by_network["accuracy"]))
assert apart < {"en": 0.12, "zh": 0.25}[language]
round(apart, 3)

# %% [markdown]
# Some messages in a hundred, here more than two of our seeds differ: the two are not quite the same network. Keras's drops units out and goes
# fifteen times through the messages; ours drops none and goes twenty times.
# %% [markdown]
# ## 8 · The test, and would more labels pay?
#
# The plan of section 2 named four models. Now all of them meet the test part, once.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
on_test = {
    "majority": scores(tickets.test.labels, np.full(len(tickets.test), largest)),
    "TF-IDF": scores(tickets.test.labels, baseline.predict(tickets.test.texts)),
}
for kind in kinds:
    three = [
        scores(tickets.test.labels, answer(trained[kind, s], counts["test"])) for s in range(3)
    ]
    on_test[f"{kind}, 3 seeds"] = pd.DataFrame(three).mean().to_dict()
test_table = pd.DataFrame(on_test).T
best = test_table.loc["TF-IDF"]
course.headline("test accuracy, TF-IDF", best["accuracy"], best["low"], best["high"])
test_table.round(3)

# %% [markdown]
# On the English tickets nothing beats TF-IDF. The networks are trained from nothing: each word's 64 numbers have to be learnt from the few places
# where it stands, while logistic regression learns one weight a class for each feature, and its features include pieces of words. **Little data,
# simple model** is no fashion; it is this table. (Simple does not mean few weights: so many features give it more than the network has. But there
# is no hidden layer, `C` holds the weights back, and the fit has one best solution.) And the freest network, attention at full speed, is the worst
# of the three.
#
# Are the differences real? All models answered the same messages, so compare message by message: how often is TF-IDF right where the mean network is not, and the
# other way round? Draw the test messages anew, with replacement, two thousand times (a paired **bootstrap**), and look where the difference falls.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
hit_tfidf = baseline.predict(tickets.test.texts) == tickets.test.labels
hit_mean = np.mean(
    [answer(trained["mean", s], counts["test"]) == tickets.test.labels for s in range(3)],
    axis=0,
)
difference = hit_tfidf - hit_mean
again = np.random.default_rng(seed).integers(0, len(difference), (2000, len(difference)))
low, high = np.quantile(difference[again].mean(axis=1), [0.025, 0.975])
f"TF-IDF minus mean network: {difference.mean():+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"

# %% [markdown]
# On the English tickets the whole interval lies above zero: with four hundred *other* messages TF-IDF would very probably lead again. (It says
# nothing about other *training* messages; for those look at the spread below.) The course holds these numbers within a tolerance.

# %%
expected = {
    "en": {"TF-IDF": 0.782, "mean, 3 seeds": 0.73},
    "zh": {"TF-IDF": 0.508, "mean, 3 seeds": 0.50},
}
for name, value in expected[language].items():
    assert abs(test_table.loc[name, "accuracy"] - value) < {"en": 0.05, "zh": 0.09}[language]
at = test_table["accuracy"]
assert language == "zh" or (
    at["TF-IDF"] > at["mean, 3 seeds"] > at["attention, 3 seeds"] + 0.02
)

# %% [markdown]
# ### The learning curve
#
# TF-IDF and the mean network on a quarter, a half and all of the training messages: three different draws of the two smaller sizes, one network
# each, always the same test. One function trains and tests any model on any texts:


# %%
def tested_on(part, texts, labels, kind, seed, language, classes):
    if kind == "TF-IDF":
        return scores(part.labels, tfidf(language).fit(texts, labels).predict(part.texts))
    numbers = vocabulary(texts, language, most=5_000)
    C, T = (
        count_tokens(token_ids(t, numbers, 128, language), len(numbers) + 2)
        for t in (texts, part.texts)
    )
    steps = max(320, 8 * len(texts) // 32)
    return scores(part.labels, answer(train(C, labels, kinds[kind], seed, classes, steps), T))


# %% [markdown]
# And one that draws the messages:


# %%
def curve(name, sizes, draws, models=("TF-IDF", "mean")):
    whole, rows = data.load(name), []
    for N in sizes:
        for draw in range(draws if len(whole.train) > N else 1):
            chosen = np.random.default_rng([seed, draw]).permutation(len(whole.train))[:N]
            texts = whole.train.frame["text"].iloc[chosen].tolist()
            for kind in models:
                found = tested_on(
                    whole.test,
                    texts,
                    whole.train.labels[chosen],
                    kind,
                    seed + draw,
                    whole.language,
                    len(whole.class_names),
                )
                rows.append({"set": name, "model": kind, "N": N, **found})
    return pd.DataFrame(rows)


# %% [markdown]
# **Predict first.** How many points does a doubling of the training messages add? Will the curve be flat at 500?
#
# <details><summary>Answer</summary>
#
# In English some eight to ten points each, and it is not flat.
#
# </details>

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
n = len(tickets.train)
curves = curve(tickets.name, [n // 4, n // 2, n], draws=3)
groups = curves.groupby(["model", "N"], sort=False)
points = groups[["accuracy", "low", "high", "macro-F1"]].mean()
points["spread of draws"] = groups["accuracy"].agg(np.ptp)
points.round(3)

# %% [markdown]
# As a picture, with the test's 95 % interval at each size:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
import plotly.graph_objects as go


def with_intervals(points, alt):
    figure = go.Figure()
    for i, (name, part) in enumerate(points.groupby(level="model", sort=False)):
        value = part["accuracy"].to_numpy().round(4)
        figure.add_scatter(
            x=part.index.get_level_values("N").to_numpy() * (1 + 0.02 * i),
            y=value,
            name=name,
            line={"dash": figures.DASHES[i]},
            marker={"symbol": figures.SYMBOLS[i], "size": 9},
            error_y={
                "array": (part["high"] - value).round(4),
                "arrayminus": (value - part["low"]).round(4),
                "symmetric": False,
            },
        )
    sizes = sorted(set(points.index.get_level_values("N")))
    figure.update_xaxes(title="training messages (logarithmic)", type="log", tickvals=sizes)
    figure.update_yaxes(title="test accuracy, 95 % interval")
    return figure.update_layout(meta={"alt": alt}, width=560, height=300)


with_intervals(
    points,
    "Accuracy rises with each doubling for both models and has not flattened at the largest size",
)

# %% [markdown]
# (All of the messages can be drawn in one way only, so the last spread is zero; and the mean network is one seed here, three in the table above.)
# Both still climb at the right end, by several points for each doubling: **more labels would pay**. How much, in the hours of this chapter's first
# table, if the next doubling gains only half of what the last one did?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
gain = points.loc[("TF-IDF", n), "accuracy"] - points.loc[("TF-IDF", n // 2), "accuracy"]
saved, labelling = gain / 2 * 60 * 21 * 12 / 60, n / 60
f"last doubling {gain:+.3f}; the next saves {saved:.0f} hours a month and costs {labelling:.0f} hours once, at a minute a label"

# %% [markdown]
# That is the sum to bring to the meeting. (On the full profile the next cell draws the same curve where there is more to learn from: 4,000 news items of AG News in four
# classes, 8,000 sentences of SST-2 in two.)

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
longer = "nothing to draw: this is the quick profile"
many = {"ag_news": [250, 1000, 4000], "sst2": [500, 2000, 8000]}
if course.full:
    longer = pd.concat([curve(name, sizes, 1) for name, sizes in many.items()])
    longer = longer.pivot_table("accuracy", ["set", "model"], "N").round(3)
longer

# %% [markdown]
# Held by the course:

# %%
assert gain > 0 and (language == "zh" or 0.04 < gain < 0.15)
assert points.loc["TF-IDF", "accuracy"].is_monotonic_increasing

# %% [markdown]
# ## 9 · Look inside
#
# What has a network learnt about words? Each has 64 numbers; nobody sees 64 dimensions. The first two **principal components** are the two
# directions, at right angles, in which the words scatter most. The singular value decomposition of the centred table, $X = U S V^\top$, hands them
# over: they are the first two columns of $V$, and the squares in $S$ say how much of the variance each one keeps.


# %%
def project(E):
    X = E - E.mean(axis=0)
    _, S, Vt = np.linalg.svd(X, full_matrices=False)
    return X @ Vt[:2].T, (S[:2] ** 2).sum() / (S**2).sum()


# %% [markdown]
# Against scikit-learn, on a random table; a direction's sign is anybody's choice:

# %%
from sklearn.decomposition import PCA

random_table = np.random.default_rng(0).normal(size=(40, 6))
flat, share = project(random_table)
check_pca = PCA(2).fit(random_table)
assert np.allclose(np.abs(flat), np.abs(check_pca.transform(random_table)))
assert np.isclose(share, check_pca.explained_variance_ratio_.sum())

# %% [markdown]
# The 400 most frequent words of the training messages, signs left out. And a question that only this network can answer: which class does a *message of this one word*
# get? Its mean is the word's own row, so the dense layers tell. Two words are neighbours when their vectors point the same way; the measure is the
# **cosine**, $\frac{u \cdot v}{\lVert u \rVert \lVert v \rVert}$, from $-1$ to $1$.


# %%
def neighbours(E, k, most=5):
    unit = E / np.linalg.norm(E, axis=1, keepdims=True)
    cosine = unit @ unit[k]
    cosine[k] = -np.inf
    nearest = np.argsort(-cosine)[:most]
    return nearest, cosine[nearest]


# %% [markdown]
# For each class the word with the longest vector, and its nearest neighbours:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
P = trained["mean", 0]
words = [word for word in numbers if re.fullmatch(r"\w+", word)][:400]
E = P["E"][[numbers[word] for word in words]]
lean = dense_forward(P, E)[2]
rows = []
for k, name in enumerate(names):
    own = np.flatnonzero(lean.argmax(axis=1) == k)
    top = own[np.linalg.norm(E[own], axis=1).argmax()]
    near = ", ".join(f"{words[i]} {c:.2f}" for i, c in zip(*neighbours(E, top), strict=True))
    rows.append((name, words[top], lean[top, k], near))
pd.DataFrame(rows, columns=["class", "word", "probability", "nearest, with cosine"]).round(2)

# %% [markdown]
# Neighbours here are not synonyms; they are words that speak *for the same team*. That is all this network was ever paid to learn. How often does a word's nearest neighbour lean to its own class?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
leans = lean.argmax(axis=1)
same = np.mean([leans[neighbours(E, k, 1)[0][0]] == leans[k] for k in range(len(E))])
assert same > 0.5
f"{same:.0%} of the words; two words at random: {(np.bincount(leans) ** 2).sum() / len(E) ** 2:.0%}"

# %% [markdown]
# The map, of the 50 most frequent:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
alt = "Words that lean to one class lie together; account, billing and integration each to a side, the middle is mixed"
explorers.words_picture(E, words, lean, names, count=50, alt=alt).update_layout(
    width=560, height=460
)

# %% [markdown]
# Some teams have a side of their own (in English account, billing and integration); the middle is a crowd. Surely words that say little make the
# network say little? How many of the 400 words, alone, make it more than 99 % sure of a class? And how much of all this do two of 64 dimensions
# keep?

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
flat, share = project(E)
assert (lean.max(axis=1) > 0.99).mean() > 0.25
f"{(lean.max(axis=1) > 0.99).mean():.0%} of the words; {share:.0%} of the variance"

# %% [markdown]
# Far more words than can be telling. In a message of forty words each has a fortieth of the say, so training makes the vectors long; alone, a word
# has all of it, and the network shouts. Do not ask it about messages of one word. And two points may lie together in the picture and far apart in
# truth. The explorer gives the cosine in all 64. (It needs a running kernel; in a static view the picture above stands for it.)

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
explorers.words(E, words, lean, names)

# %% [markdown]
# Try: point at words at the edge, and read whose neighbours they are. Choose "security", the rarest class: are these words about security, or about the few
# messages that were? Then lower the number of words to 50, the most frequent ones of the language: which team does the network think they belong to?

# %% [markdown]
# ### What attention looks at
#
# The trained shares on three validation messages, the four largest of each, once slow and once at full speed:


# %% tags=["nbval-ignore-output", "compare-within=0.05"]
def loudest(P, C, most=4):
    row = shares(P, C[None])[0]
    return ", ".join(
        f"{word_of.get(w, 'unknown')} {row[w]:.2f}" for w in np.argsort(-row)[:most]
    )


word_of = {number: word for word, number in numbers.items()}
rows = [
    [tickets.validation.texts[i][:80]]
    + [
        loudest(trained[kind, 0], counts["validation"][i])
        for kind in ("slow attention", "attention")
    ]
    for i in range(3)
]
pd.DataFrame(rows, columns=["message", "slow", "full speed"])

# %% [markdown]
# It is tempting to read these as reasons. They say how much of each vector goes into the mean, no more; a large share of a vector that no class
# cares about changes little. If you must explain an answer, take words *out* and watch the probability.

# %% [markdown]
# ## 10 · Read the errors
#
# The test is used now: whoever changes a model because of what follows needs a new test. Here are the errors of TF-IDF. First which class is taken
# for which:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
from sklearn.metrics import confusion_matrix

p_test = baseline.predict_proba(tickets.test.texts)
said, truth = p_test.argmax(axis=1), tickets.test.labels
matrix = confusion_matrix(truth, said, labels=range(K))
alt = "The small classes lose many of theirs to the large ones"
figures.confusion(matrix, names, alt=alt).update_layout(width=450, height=380)

# %% [markdown]
# Read along a row: what became of this team's messages? As numbers, with the small classes below:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
hits = np.diag(matrix)
per_class = pd.DataFrame({"messages": matrix.sum(axis=1)}, index=names)
per_class["recall"] = hits / matrix.sum(axis=1)
per_class["precision"] = hits / np.maximum(matrix.sum(axis=0), 1)
per_class.round(2).astype(object).T

# %% [markdown]
# The rare classes suffer: with a couple of dozen training messages there is little to go by. This is what macro-F1 saw and accuracy hid. And one of
# them is `security`, where a lost message costs most. The usual advice is a list of words ("hacked", "breach", "phishing") that always calls a
# person. Not one of the sixteen in the English test has any of the three words: frightened people write "someone has my password" and "That wasn't me"
# (the next table has both). Take the words from your own *training* messages, and measure the list's recall and false alarms as you would a model's.
# Where a miss costs so much more than an alarm, a person should also get every message to which the model gives `security` even a modest
# probability.

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
rare = per_class["messages"].to_numpy() < 0.08 * len(truth)
assert per_class["recall"][rare].mean() < per_class["recall"][~rare].mean()
wrong = np.flatnonzero(said != truth)
worst = wrong[np.argsort(-p_test[wrong].max(axis=1))][:8]
frame = tickets.test.frame.iloc[worst]
pd.DataFrame(
    {
        "is": frame["label"],
        "says": [names[k] for k in said[worst]],
        "surely": p_test[worst].max(axis=1).round(2),
        "also": frame["also"],
        "text": frame["text"].str.slice(0, 110),
    }
)

# %% [markdown]
# Eight errors, the surest first. Read them one by one, aloud if need be, and sort them. Some kinds come back in every queue: the customer's own
# wrong guess ("your billing is broken", and it is the bank feed); two topics, of which the label takes the other; sarcasm; plain messages that the
# model just does not know; and labels you would have set differently. Not all of them are among these eight. The last kind is what `also` is for.
# Counted as right where the second team was named:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
second = np.array([names[k] for k in said]) == also.to_numpy()
lenient = evaluate.accuracy(truth, np.where(second, truth, said))
strict = evaluate.accuracy(truth, said)
pd.Series(
    {
        "strict": str(strict),
        "either team": str(lenient),
        "errors explained by also": f"{second.sum()} of {len(wrong)}",
    }
).to_frame("TF-IDF on the test part")

# %% [markdown]
# Some of the errors are none; most are real. Measure both before you promise anybody a number. (Section 1 guessed that on such messages half of the
# answers would fall to the second team. Far fewer do: to some degree the labels' choice can be learnt, and that bound was a rough one.)
#
# **On Monday:** take your own hundred most confident errors and give them to somebody from support. An hour of that often teaches more than a week of tuning.

# %% [markdown]
# ## 11 · In Chinese
#
# Set `language = "zh"` at the top, and all of the above runs on the Chinese tickets. What changes is small: units are characters, and TF-IDF counts pieces of one to
# three of them. The rest, network, gradient, mask, is the same code. Both languages, and English once more with as few messages as there are in Chinese:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
wanted = {("tickets", 500), ("tickets", 165), ("tickets_zh", 165)} - {(tickets.name, n)}
both = pd.concat(
    [curves[curves["N"] == n], *(curve(name, [N], 1) for name, N in sorted(wanted))]
)
both = both.set_index(["set", "N", "model"]).sort_index()
both.round(3)

# %% [markdown]
# Is Chinese harder? Compare the right rows: 165 English messages with 165 Chinese ones. A good part of the distance between 500 English and 165
# Chinese messages is $N$; only the rest may be the language, or that more of these messages have a second defensible team (93 of 330, in English
# 191 of 1,000). Before you blame a language, a market or a customer, compare at equal $N$. The Chinese test has 120 messages; its intervals are
# twice as wide. In practice a second language starts with few labels; chapter 09 borrows a network that has read much already.

# %% tags=["nbval-ignore-output", "compare-within=0"]
tf = both["accuracy"].xs("TF-IDF", level="model")
assert tf["tickets", 500] > tf["tickets", 165] + 0.05
assert tf["tickets", 500] > tf["tickets_zh", 165] + 0.1

# %% [markdown]
# ## 12 · On Monday
#
# ### A rule for shipping
#
# Write the rule down before you look at the numbers (here you have seen them; at work you need not). A simple one: *ship the simplest model whose
# validation macro-F1 is within two points of the best.*

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
truly = tickets.validation.labels
candidates = {"majority": majority["macro-F1"], "TF-IDF": by_tfidf["macro-F1"]}
for kind in kinds:
    three = [scores(truly, answer(trained[kind, s], counts["validation"])) for s in range(3)]
    candidates[kind] = float(np.mean([one["macro-F1"] for one in three]))
ships = next(
    name for name, value in candidates.items() if value >= max(candidates.values()) - 0.02
)
ships, {name: round(float(value), 3) for name, value in candidates.items()}

# %% [markdown]
# `candidates` goes from simple to less simple, and the first that is good enough wins. (A hundred validation messages can make the rule err: four
# of them are `security`, and one more of the four found moves macro-F1 by two to five points. With your own, larger, validation part it errs less.)
#
# Second rule: *let it route only where it is sure enough, and send the rest to a person.* How sure is enough? As a first rule: the lowest threshold
# at which nine of ten routed validation messages are right. With TF-IDF:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
p_validation = baseline.predict_proba(tickets.validation.texts)
thresholds = np.linspace(0, 1, 21).round(2)
promise = evaluate.coverage(tickets.validation.labels, p_validation, thresholds)
enough = promise[(promise["accuracy"] >= 0.9) & (promise["answered"] > 0)]
threshold = float((enough if len(enough) else promise.tail(1))["threshold"].iloc[0])
kept = evaluate.coverage(truth, p_test, [threshold])
pd.concat(
    [promise[promise["threshold"] == threshold], kept], keys=["promised", "kept on test"]
).droplevel(1).round(3)

# %% [markdown]
# The machine routes its share, with more right than without a threshold; a person gets the rest. (A threshold of 0.3 does not mean 30 % right: the
# model is right far more often than its probabilities say.) What the test keeps is less than what was promised: the threshold was *chosen* to look
# good on a hundred messages, and on other messages luck runs out. Leave a margin. Count every week what share goes to people; when it grows, the
# queue has changed.
#
# %%
routed, promised = (
    kept["accuracy"].iloc[0],
    promise.set_index("threshold")["accuracy"][threshold],
)
assert routed > test_table.loc["TF-IDF", "accuracy"]
assert language == "zh" or routed < promised

# %% [markdown]
# ### Does it pay?
#
# Close the account of the first section. Suppose that a person needs a minute a message and is right in 0.95 of them, and that an error costs
# twelve minutes whoever makes it. With the share $a$ routed by the machine, right in $r$ of these, a message costs on average
#
# $$ a\,(1 - r) \cdot 12 + (1 - a)\,\bigl(1 + 0.05 \cdot 12\bigr) \quad\text{minutes.} $$
#
# **Predict first.** At which threshold is the sum smallest: 0, where the machine routes everything, 1, where people do, or between? Does "nine of
# ten are right" find it?
#
# <details><summary>Answer</summary>
#
# Between. A person costs 1.6 minutes a message, and so does a machine that is right in $1 - 1.6/12 = 0.87$ of *such* messages. All messages that
# the machine gets right more often than that belong to it, all others to a person. "Nine of ten" is about the average of all that are routed,
# the doubtful ones at the threshold included, so it lets too much through.
#
# </details>


# %% tags=["nbval-ignore-output"]
def hours_a_month(table, right=0.95, sorting=1, error=12, messages=60 * 21):
    a, r = table["answered"], table["accuracy"].fillna(1)
    minutes = a * (1 - r) * error + (1 - a) * (sorting + (1 - right) * error)
    return messages * minutes / 60


tested = evaluate.coverage(truth, p_test, thresholds)
account = pd.DataFrame({"validation": hours_a_month(promise), "test": hours_a_month(tested)})
account["people alone"] = hours_a_month(pd.DataFrame({"answered": [0.0], "accuracy": [1.0]}))[0]
account.set_index(thresholds).rename_axis("threshold").iloc[::2].round(1).T

# %% [markdown]
# The whole queue to the machine is the dearest way. Choose the threshold by its cost, on validation; the test says what you get:

# %% tags=["nbval-ignore-output", "compare-within=0.05"]
cheapest = account["validation"].idxmin()
bill = account.loc[[0, int(np.flatnonzero(thresholds == threshold)[0]), cheapest]]
bill.index = ["all to the machine", "nine of ten right", f"cheapest: {thresholds[cheapest]}"]
assert bill["test"].iloc[2] < bill["people alone"].iloc[0] < bill["test"].iloc[0]
assert language == "zh" or bill["test"].iloc[2] < bill["test"].iloc[1]
bill.round(1)

# %% [markdown]
# That is what a router is worth: the last row against "people alone". It is less than validation promised, for the reason above. (Not in the account:
# the customer's half day, and that the machine is awake at night.) Put your own three numbers into `hours_a_month`: the minutes of an error decide
# most.

# %% [markdown]
# ### Your own queue
#
# `data.load_csv` reads your export and says what is wrong with it, line by line. A small file with the usual troubles:

# %%
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())
(folder / "queue.csv").write_text(
    """message;team
"I was charged twice; please check";billing
I was charged twice!;billing
How do I add a user?;howto
How do I add a user?;howto
How do I export my receipts?;howto
;howto
Where is my refund?;billing
Is it cheaper for a school?;sales
""",
    encoding="utf-8",
)
own = data.load_csv(folder / "queue.csv", text="message", label="team")
for finding in own.findings:
    print("·", finding)
own.frame

# %% [markdown]
# From here it is two lines: `tfidf().fit(own.frame["text"], own.frame["label"])`, after a split. Split by *time* if you can: train on the past, test on the last month. That is what
# you will be asked to do.
#
# ### Save it, and know what you load
#
# `joblib` and `pickle` store a scikit-learn pipeline in one line. They store it *as a program*: whoever can change the file can run anything on
# your server.
# This object, for instance, computes something the moment it is read:

# %%
import pickle


class Trap:
    def __reduce__(self):
        return eval, ("'code ran while loading: ' + str(6 * 7)",)


pickle.loads(pickle.dumps(Trap()))

# %% [markdown]
# So load only what you wrote, and prove it: keep the file's SHA-256 apart from the file, in your code or configuration, and compare *before* loading.

# %% tags=["nbval-ignore-output"]
import hashlib

import joblib

path = folder / "router.joblib"
joblib.dump(baseline, path)
known_hash = hashlib.sha256(path.read_bytes()).hexdigest()


def load_router(path, known_hash):
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != known_hash:
        raise ValueError(f"{path.name} is not the file that was released")
    return joblib.load(path)


again = load_router(path, known_hash)
assert np.array_equal(again.predict_proba(tickets.test.texts), p_test)
f"{path.stat().st_size / 2**20:.1f} MiB, same answers"

# %% [markdown]
# One byte more, and it is not opened:

# %%
path.write_bytes(path.read_bytes() + b"!")
try:
    load_router(path, known_hash)
except ValueError as error:
    print(error)

# %% [markdown]
# The network needs no program at all: its arrays and its vocabulary are plain data. NumPy refuses to run code as long as you do not say `allow_pickle=True`.

# %%
import json

np.savez(folder / "mean.npz", **P)
(folder / "mean.json").write_text(json.dumps(numbers, ensure_ascii=False), encoding="utf-8")
with np.load(folder / "mean.npz") as arrays:
    loaded = dict(arrays)
vocabulary_again = json.loads((folder / "mean.json").read_text(encoding="utf-8"))
assert vocabulary_again == numbers
assert np.array_equal(answer(loaded, counts["test"]), answer(P, counts["test"]))

# %% [markdown]
# Chapter 10 goes on from there: ONNX, a service, its latency and its load.

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 08-1 · The masked mean, without a loop
# *recall · 10 minutes*
#
# `mean_of_real` goes row by row. Write it for a whole batch at once. `E` has shape `(tokens, width)`, `ids` shape `(batch, length)`; 0 is padding, and it may stand anywhere in a
# row. A row of nothing but padding has no mean: give it zeros.


# %% exercise="08-1"
def masked_mean(E, ids):
    """Float (tokens, width), integers (batch, length) -> float (batch, width)."""
    ### BEGIN SOLUTION
    real = (ids != 0)[..., None]
    return (E[ids] * real).sum(axis=1) / np.maximum(real.sum(axis=1), 1)
    ### END SOLUTION


check("08-1", masked_mean)

# %% [markdown]
# ### Exercise 08-2 · Macro-F1 from a confusion matrix
# *modify · 12 minutes*
#
# Rows are true classes, columns answers, as in "The question". Return the mean of $F_k$ over the classes. A class that neither occurs nor is ever
# answered has no $F_k$ (0/0): leave it out of the mean. A class that occurs and is never found, or is answered and never occurs, has $F_k = 0$, and
# counts.


# %% exercise="08-2"
def macro_f1(matrix):
    """Integer (classes, classes) -> a float."""
    ### BEGIN SOLUTION
    sums = matrix.sum(axis=0) + matrix.sum(axis=1)
    there = sums > 0
    return float(np.mean(2 * np.diag(matrix)[there] / sums[there]))
    ### END SOLUTION


check("08-2", macro_f1)

# %% [markdown]
# ### Exercise 08-3 · TF-IDF for new messages
# *modify · 15 minutes*
#
# `tf_idf` takes $n$ and $d_w$ from the same documents that it weighs. In production $n$ and $d_w$ come from the *training* counts, and the weights
# go to new messages; their rows get length one as before. Write that function. The columns are the same words in both arrays. A word that no
# training message holds has $d_w = 0$; the formula gives it an idf all the same. A new message with no word of the table at all is a row of zeros;
# leave it so.


# %% exercise="08-3"
def tf_idf_new(train_counts, new_counts):
    """Integers (n, words) and (m, words) -> float (m, words)."""
    ### BEGIN SOLUTION
    n, d = len(train_counts), (train_counts > 0).sum(axis=0)
    x = new_counts * (np.log((1 + n) / (1 + d)) + 1)
    size = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x / np.where(size > 0, size, 1)
    ### END SOLUTION


check("08-3", tf_idf_new)

# %% [markdown]
# ### Exercise 08-4 · Attention pooling for a batch
# *extend · 20 minutes*
#
# `attend` takes one message without its padding. Write it for a batch: `e` are the word vectors, `(batch, length, width)`, `q` has shape `(width,)`, `mask` is true where
# a token is real. Padding must get no share at all, however large its score, and scores in the thousands must not overflow. Every row has at least one real token.


# %% exercise="08-4"
def attention_pool(e, q, mask):
    """Float (batch, length, width), (width,) and bool (batch, length) -> float (batch, width)."""
    ### BEGIN SOLUTION
    s = np.where(mask, e @ q, -np.inf)
    a = np.exp(s - s.max(axis=1, keepdims=True))
    a = a / a.sum(axis=1, keepdims=True)
    return (a[..., None] * e).sum(axis=1)
    ### END SOLUTION


check("08-4", attention_pool)

# %% [markdown]
# ## Recap
#
# * *Measure:* accuracy with its interval, macro-F1 beside it because queues are unbalanced; copies between parts and second labels decide what a number means.
# * *Baseline:* TF-IDF is counts times rarity, rows of length one, equal to scikit-learn's; with logistic regression it set a bar that no network of this chapter
#   passed on 500 messages.
# * *Tokens:* characters are few and hardly ever unknown, words mean something and run out, subwords are learnt by counting pairs; Chinese goes by
#   character.
# * *Network:* the article's needs a mask, or its mean is mostly padding; its gradient gathers, scatters and adds; attention with $q = 0$ is the mean, and too free for
#   little data. All gradients were held against two witnesses.
# * *Errors and shipping:* read the surest errors, count those that a second label explains, route only above a threshold, and take it from
#   what errors and people cost; load no file that you cannot vouch for.

# %% [markdown]
# ## Limits and next
#
# The tickets were written for this course by a language model, and labelled by it; real queues are duller, longer, and repeat themselves. The split is by chance, not by time, so
# nothing here tells how a router ages. Three seeds and one test of 400 messages show large differences, not small ones. The network saw no text but these messages; chapter 09
# takes one that has read a great deal more, and asks whether that changes the table of section 8.
#
# **Sources.** K. Spärck Jones, "A statistical interpretation of term specificity and its application in retrieval", *Journal of Documentation* 28
# (1972), 11–21 · R. Sennrich, B. Haddow, A. Birch, "Neural machine translation of rare words with subword units", *ACL* (2016) (byte-pair encoding)
# · A. Joulin, E. Grave, P. Bojanowski, T. Mikolov, "Bag of tricks for efficient text classification", *EACL* (2017) (mean of embeddings) · D.
# Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align and translate", *ICLR* (2015) (attention) · Z. Yang and
# others, "Hierarchical attention networks for document classification", *NAACL* (2016) (a learnt vector that scores words) · S. Jain, B. C.
# Wallace, "Attention is not explanation", *NAACL* (2019) · E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
# *Journal of the American Statistical Association* 22 (1927), 209–212 · S. Tan, J. Zhang, "An empirical study of sentiment analysis for Chinese
# documents", *Expert Systems with Applications* 34 (2008), 2622–2629 (ChnSentiCorp) · the first article, section 5.
