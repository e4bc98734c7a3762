# ---
# jupyter:
#   course:
#     chapter: "14"
#     title: Applications
#     requires: ["08"]
#     needs: {quick: [], full: []}
#     budget: {seconds: 120, memory_mib: 1536}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

# %% [markdown]
# # 14 · Applications
#
# You try six fields of the articles on real data, each against its honest baseline, and decide for each whether a small team should use a large model there.
#
# *Hardware: two cores, 1.5 GiB; the data sets are fetched once · Needs: chapter 08*

# %% [markdown]
# ## You will be able to
#
# * recommend films, and check your figures against a published table;
# * translate spellings into sounds, and know when a network beats rules;
# * read a new field's figures: which baseline, which metric, which split;
# * decide where a small team should use a large model.

# %% [markdown]
# The next cell holds what you may change from outside, the one after it prepares Python; chapter 00 explains them.

# %% tags=["parameters"]
profile = None  # "quick" or "full"; None takes COURSE_PROFILE, else quick
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, claims, data, evaluate, figures, setup

course = setup("14", profile=profile, seed=seed)

import keras
import numpy as np
import pandas as pd
import plotly.express as px

# %% [markdown]
# ## The question
#
# Section 6 of the articles lists where large models are used: language, vision, speech, recommendation, finance, medicine. It names no number. Before you build in
# one of these fields you want three: what the simplest thing reaches, what a network adds, and what both cost.
#
# Each section below answers for one field, on real data, and runs alone. Two are on the main road; pick the others by your trade.

# ===== RECOMMENDATION begin
# ===== RECOMMENDATION end

# ===== LANGUAGE begin
# ===== LANGUAGE end

# ===== VISION begin
# ===== VISION end

# ===== SPEECH begin
# ===== SPEECH end

# ===== FINANCE begin
# ===== FINANCE end

# ===== MEDICINE begin
# ===== MEDICINE end

# %% [markdown]
# ## Exercises
#
# Each is checked at once.

# ===== EXERCISE RECOMMENDATION begin
# ===== EXERCISE RECOMMENDATION end

# ===== EXERCISE LANGUAGE begin
# ===== EXERCISE LANGUAGE end

# ===== EXERCISE VISION begin
# ===== EXERCISE VISION end

# ===== EXERCISE FINANCE begin
# ===== EXERCISE FINANCE end

# %% [markdown]
# ## Recap
#
# * **Recommendation**: (one bullet, by its helper)
# * **Language**: (one bullet, by its helper)
# * **A new field**: its baseline first, its own metric, a split that looks like the future.
# * **A large model?** (one bullet, at the end)

# %% [markdown]
# ## Limits and next
#
# (to come)
#
# **Sources.** (each helper adds its own)
