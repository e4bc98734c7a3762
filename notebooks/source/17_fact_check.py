# ---
# jupyter:
#   course:
#     chapter: "17"
#     title: The fact-check
#     requires: ["00"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 20, memory_mib: 512}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 17 · The fact-check
#
# This course follows two articles about large models in start-ups and puts 64 of their statements to the test. Here are the verdicts, how they were reached, where
# the fact-check itself was wrong, and how you check the next text that asks for your money.
#
# *Hardware: any computer · Needs: chapter 00*

# %% [markdown]
# ## You will be able to
#
# * check a statement about AI so that the check could have failed;
# * tell a wrong statement from one that is misprinted, and from one that lacks its condition;
# * decide what you may build on each.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares Python; chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, setup

course = setup("17", profile=profile, seed=seed, framework=False)

import numpy as np
import pandas as pd
import plotly.express as px

# %% [markdown]
# ## The question
#
# Somebody sends you a text: why large models, how they work, what they cost, with formulas and a program at the end. It reads well. You may build on it, or look for another. Two such articles were the outline of this course, and
# its chapters ran what they say.
#
# **Predict first.** Of 64 statements, picked because something could be run or looked up: how many hold as they are printed?
# %% tags=["nbval-ignore-output"]
from course_utils import paths
from course_utils.running.outcome import results_of
from IPython.display import Markdown

folder = paths.require_checkout() / "notebooks"
others = sorted({*folder.glob("*.ipynb")} - {folder / "17_fact_check.ipynb"})
reached = [{**one, "file": book.name} for book in others for one in results_of(book)[1]]
print(f"{sum(one['verdict'] == 'holds' for one in reached)} hold as printed, of {len(reached)}")

# %% [markdown]
# <details><summary>What came</summary>
#
# Four. (One more, c49, is judged in section 3 below.)
#
# </details>
#
# That sounds worse than it is, so look at what the other verdicts mean before you throw such a text away.
#
# ## 1 · How a verdict is reached
#
# Take an easy one, c46. The second article prints the log of its network; its first epoch of 60,000 images says "34s 5ms/sample". Can both be true? First the words, with the rounding that Keras did: 5 ms means anything from 4.5 to 5.5. Then the **kindest reading**: which slip of one word would make it true? Keras also writes "5ms/step", and the article's step has 32 images.


# %%
def judge(seconds, milliseconds, samples=60_000, batch=32):
    """A log's seconds and milliseconds -> a verdict, and what they would have to be."""
    rounding = np.array([-0.5, 0.5])
    if_sample = samples * (milliseconds + rounding) / 1000
    if_step = if_sample / batch
    found = "{:.0f} to {:.0f} s for samples, {:.1f} to {:.1f} for steps".format(
        *if_sample, *if_step
    )
    for name, (low, high) in {"holds": if_sample, "misprinted": if_step}.items():
        if low <= seconds <= high:
            return name, found
    return "wrong", found


judge(34, 5)

# %% [markdown]
# A verdict is worth something only if it **could have come out otherwise**. So turn it: which log would have held, and which would have been a slip of one word?

# %%
judge(300, 5), judge(9, 5)

# %% [markdown]
# Every verdict of this course is such a condition, in a cell of its own, on what was measured or recorded above it; and a test feeds each cell other numbers that must turn it (`tests/claims`). Three rules, and five verdicts:
#
# 1. *The words in their place.* What is claimed, of what, beside what?
# 2. *The kindest reading is run too*, and what it needs is said.
# 3. *What would turn the verdict* is written down before the run.
#
# | verdict | means | you may |
# |---|---|---|
# | holds | true as printed | build on it |
# | holds with a condition | true where something is given that the text does not say | build on it where *you* have the condition |
# | misprinted | false as printed, but what was meant is plain, and true | use the mended form |
# | wrong | no reading that the words allow is true | leave it |
# | unverifiable | nothing that is within reach could decide it | treat it as not said |

# %% [markdown]
# ## 2 · Where do such texts fail?
#
# Sort the statements by what they are: *formulas and code* stand in sections 3.2, 4 and 5 of the articles; the rest is *talk*, of advantages, areas, trends and answers.

# %% tags=["nbval-ignore-output"]
claimed = pd.DataFrame(claims.rows().values())
of_formulas = claimed["where"].str.contains(r"(?:^|, )[AB](?:3\.2|4|5)")
claimed["what"] = of_formulas.map({True: "formulas and code", False: "talk"})


# %% [markdown]
# With their verdicts, those of the executed chapters:

# %% tags=["nbval-ignore-output"]
now = {one["id"]: one["verdict"] for one in reached}
claimed["verdict"] = claimed["id"].map(now)
counted = pd.crosstab(claimed["what"], claimed["verdict"])
counted = counted.reindex(columns=list(claims.VERDICTS), fill_value=0)
counted

# %% [markdown]
# As a picture:

# %% tags=["nbval-ignore-output"]
shares = counted.div(counted.sum(axis=1), axis=0).mul(100).reset_index()
long = shares.melt("what", var_name="verdict", value_name="% of its statements")
picture = px.bar(long, long.columns[2], "what", color="verdict", pattern_shape="verdict")
alt = "Formulas and code are mostly misprinted; talk mostly lacks its condition"
picture.update_layout(width=760, height=300, yaxis_title="", meta={"alt": alt})

# %% [markdown]
# Where formulas and code fail, they are mostly *misprinted*: an index, a sum, a sign. What was meant can be found, if somebody runs them. Talk is wrong in about a quarter; mostly it lacks its *condition*: "training is
# short" (if somebody else has done the long part), "a small model will do" (with enough labels), "distribution lowers the load" (of one machine, not of all). That is the more dangerous kind: it is true in the story that is told, and the bill comes where the condition is not met.
#
# (The 64 were not drawn by lot: they were picked because they could be run. Shares say something of these, not of all sentences; and sections are a rough sieve, for a few of the formulas' sections hold advice.)

# %%
assert counted.loc["formulas and code"].idxmax() == "misprinted"
assert counted.loc["talk"].idxmax() == "holds with a condition"

# %% [markdown]
# ## 3 · What cannot be found
#
# c49: section B7.3 recommends five papers, by title alone. Three are famous. The other two, without author or year: on vision "Deep Learning for Computer Vision: A Comprehensive Review", on language "Deep Learning for Natural Language Processing: A Comprehensive Overview". What would settle it? A work of that very title, and an identifier that leads to it. So a search was made, on the day that is named with the verdict:

# %%
found = [
    ("vision", "made-up entries in test data, nine times", False),
    ("vision", "three reading lists, each with other authors", False),
    ("language", "one list, its arXiv number a paper on gravity", False),
]
pd.DataFrame(found, columns=["title", "where it stands", "leads to it"])

# %% [markdown]
# That is no proof that there is no such paper: a search has an end. And the kindest reading? A word or two away there *are* real surveys: "… a *brief* review" of computer vision (Voulodimos and others, 2018), "A comprehensive *review* of deep learning for natural language processing" (Bouraoui and others, 2022), others besides. But "misprinted" is for what was plainly meant, and which of them was meant, nothing says. So:

# %%
traced = {title for title, _, leads in found if leads}
verdict = ["unverifiable", "holds with a condition", "holds"][len(traced)]
evidence = f"titles with an identifier that leads to the work: {len(traced)} of 2"
claims.record("c49", verdict, evidence, recorded="2026-11-29")

# %% [markdown]
# Titles that sound right, with authors that change from list to list, are copied on. Whether a person or a model made them up, nobody can tell. The rule is the same: *a source that you cannot open is no source*. Begin with the surveys named above, or with Otter and others (2021) on language: see the references at the end.

# %% [markdown]
# ## 4 · Where the fact-check was wrong
#
# Who checks others is wrong too. As first written down, before anybody had read the checks, and as they stand now, thirteen verdicts differ (the project's history has each change):

# %%
was = dict.fromkeys(["c05", "c08", "c12", "c28", "c29", "c43", "c47", "c60"], "wrong")
was |= dict.fromkeys(["c26", "c59", "c63"], "misprinted")
was |= {"c42": "holds with a condition", "c54": "holds"}
turned = pd.DataFrame({"was": was, "is": {claim: now[claim] for claim in was}}).sort_index()
rank = {name: k for k, name in enumerate(claims.VERDICTS)}
turned["became"] = np.where(
    turned["is"].map(rank) < turned["was"].map(rank), "milder", "harsher"
)
turned

# %% [markdown]
# Twelve became milder, one harsher. Whoever looks for mistakes finds them. "Training and tuning" was read as training from scratch only (c05); one odd line of a log was taken for the whole (c12); Keras *is* found, inside TensorFlow (c43); a mean of five runs was held against one reported run (c47); indices were read by another section's definition (c63). The other way, c54 had passed without the condition that it needs. That is why the kindest reading has to be *run*, why what would turn a verdict is written down first, and why somebody else reads it.

# %%
assert turned["became"].value_counts().to_dict() == {"milder": 12, "harsher": 1}
assert all(now[claim] == claims.rows()[claim]["expected"] for claim in was)

# %% [markdown]
# ## 5 · The decision
#
# On Monday somebody shows you a page on a model, a tool or a market. Take the *three* sentences that your money would rest on, no more, and for each:
#
# | ask | if you cannot answer |
# |---|---|
# | What would I see if it were false? | it says nothing: strike it out |
# | What is the kindest reading, and what does that need? | do you have what it needs? Test *that*, on your data |
# | Who measured it, on what, beside what? | a number without a baseline is an advertisement |
# | Can I open the source? | it is not there |
#
# **The rule:** build on a sentence only if it holds, and you or somebody whose run you can repeat has run it, or if it holds with a condition that you have met and measured. What is unverifiable counts as not said. For the two articles that comes to: their *outline* is sound and this course follows it; of their *formulas and code*
# take none without running it; of their *talk* take the condition first.

# %%
judged = pd.Series({**now, "c49": verdict})
f"of {len(judged)} statements judged {judged.ne('holds').mean():.0%} need something before you build on them"

# %% [markdown] road="side"
# ### Every claim, with its evidence
#
# c01 to c64: what is said and where, the verdict, what was measured, and the chapter whose cell measured it.

# %% [markdown]
# *A* and *B* are the two articles, the number is the section. Each id leads to the chapter's cell; the evidence is that of its stored run.


# %% tags=["nbval-ignore-output"]
def row_of(claim):
    own = {"id": "c49", "verdict": verdict, "evidence": evidence, "file": "17_fact_check.ipynb"}
    one = next((one for one in [*reached, own] if one["id"] == claim["id"]), None)
    if one is None:
        return f"| {claim['id']} | {claim['where']} | {claim['says']} | **not judged yet** | |"
    link = f"[{claim['id']}]({one['file']}#claim-{claim['id']})"
    told = claims.evidence_of(one).replace("|", "∣")
    return f"| {link} | {claim['where']} | {claim['says']} | **{one['verdict']}** | {told} |"


head = ["| claim | where | it says | verdict | evidence |", "|---|---|---|---|---|"]
Markdown("\n".join(head + [row_of(claim) for claim in claims.rows().values()]))

# %% [markdown] road="side"
# ### References
#
# Every work that the course leans on, in full, with the chapters that cite it.

# %% [markdown]
# Facts that were only remembered, not seen again in a published list, are marked with a circle (○).

# %% tags=["nbval-ignore-output"]
import nbformat
from course_utils import references

cited = {}
for book in sorted(folder.glob("*.ipynb")):
    for cell in nbformat.read(book, as_version=4).cells:
        for key in references.cited(cell.source) if "**Sources" in cell.source else ():
            cited.setdefault(key, set()).add(book.name[:2])


# %% [markdown]
# By the first author's name:


# %% tags=["nbval-ignore-output"]
def line_of(key, work):
    places = ", ".join(sorted(cited.get(key, ()))) or work.note
    return f"* {'' if work.verified == 'search' else '○ '}{references.text_of(work)} ({places})"


works = references.load()
print(f"{len(works)} works, {sum(key in cited for key in works)} cited in a chapter's sources")
Markdown("\n".join(line_of(key, work) for key, work in works.items()))

# %% [markdown]
# ## Exercises
#
# Each is checked at once. Replace the `...`, run the cell, read what it says.

# %% [markdown]
# ### Exercise 17-1 · From readings to a verdict
# *modify · 7 minutes*
#
# A statement was run in several readings. Of each you know what had to be changed for it, `"nothing"`, `"a condition"` or `"a symbol"`, and whether it then held: `True`, `False`, or `None` where it could not be run. Return the verdict by the table of section 1. The mildest change with which it
# held decides: nothing (holds), a condition (holds with a condition), a symbol (misprinted). Where every one was run and none held, it is wrong. Else nobody knows: unverifiable, and so too where there is no reading at all. (A reading that held settles it, whatever could not be run.)


# %% exercise="17-1"
def verdict_of(readings):
    """A list of (change, held) -> one of the five verdicts."""
    ### BEGIN SOLUTION
    held = {change for change, result in readings if result}
    for change, name in (
        ("nothing", "holds"),
        ("a condition", "holds with a condition"),
        ("a symbol", "misprinted"),
    ):
        if change in held:
            return name
    return (
        "wrong"
        if readings and all(result is False for _, result in readings)
        else "unverifiable"
    )
    ### END SOLUTION


check("17-1", verdict_of)

# %% [markdown]
# ### Exercise 17-2 · What would turn it?
# *decide · 8 minutes*
#
# You have a verdict as a function of observations, a dict such as `{"seconds": 34, "milliseconds": 5}`, and what was observed. For each observation somebody names a value that it *might* have had. Return the names, in
# their order, of those that would have turned the verdict, each changed alone, the others as observed. Where none turns it return an empty list: before you trust such a verdict, look for values that would.


# %% exercise="17-2"
def what_turns(judge, observed, might_have_been):
    """A function of a dict, a dict, a dict of other values -> a list of names."""
    ### BEGIN SOLUTION
    as_it_is = judge(observed)
    return [
        name
        for name, value in might_have_been.items()
        if judge({**observed, name: value}) != as_it_is
    ]
    ### END SOLUTION


check("17-2", what_turns)

# %% [markdown]
# ## Recap
#
# * *Check:* the words in their place, the kindest reading run, and what would turn the verdict written down first. Checkers fail too, mostly towards harshness, so somebody else reads it.
# * *Tell apart:* formulas are mostly misprinted, talk mostly lacks its condition; a quarter of it is wrong.
# * *Decide:* take the three sentences that your money rests on; build on what you have run, or whose condition you have met and measured.

# %% [markdown]
# ## Limits and next
#
# One course judged two articles, and wrote the rules itself. The claims were picked, not drawn. Verdicts on published numbers rest on papers that were read, not repeated; what only a large machine could run was computed from formulas. You are at the end: chapter 00 has the routes, if you came here first.
#
# **Sources.** The two articles, in Chinese, by 禅与计算机程序设计艺术 · A. Voulodimos, N. Doulamis, A. Doulamis, E. Protopapadakis, "Deep learning for computer vision: a brief review", *Computational Intelligence and Neuroscience* (2018), 7068349 · D. W. Otter, J. R. Medina, J. K. Kalita, "A survey of the usages of deep learning for natural language processing", *IEEE Transactions on Neural Networks and Learning Systems* 32 (2021), 604–624 · A. Bouraoui, S. Jamoussi, A. Ben Hamadou, "A comprehensive review of deep learning for natural language processing", *International Journal of Data Mining, Modelling and Management* 14 (2022), 149–182.
