"""Models in folders: a card, a hash for each file, no pickle, and verified before anything is loaded.

``load_model(folder).predict_proba(texts)``; ``save(model, folder)``. What `course compare` recommends is such a folder,
and so is what a service loads.
"""

from course_utils.bundles.bundle import load_model, needs_keras, read_card, save, versions
from course_utils.bundles.files import SCHEMA, amend, replace_folder, size
from course_utils.bundles.models import Model
from course_utils.bundles.networks import KINDS
from course_utils.bundles.signature import check_signature, new_keys, sign

__all__ = [
    "KINDS",
    "SCHEMA",
    "Model",
    "amend",
    "check_signature",
    "load_model",
    "needs_keras",
    "new_keys",
    "read_card",
    "replace_folder",
    "save",
    "sign",
    "size",
    "versions",
]
