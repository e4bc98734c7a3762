"""A signature says who made a bundle; a hash beside the file does not."""

import json
import stat

import numpy as np
import pytest

from course_utils import bundles, paths
from course_utils.bundles.models import Majority
from course_utils.errors import CourseError


@pytest.fixture
def signed(tmp_path):
    private, public = bundles.new_keys(tmp_path / "key")
    bundles.save(Majority(class_names=("a", "b"), shares=np.array([0.6, 0.4])), tmp_path / "model")
    bundles.sign(tmp_path / "model", private)
    return tmp_path / "model", private, public


def test_a_signed_bundle_is_accepted_and_the_key_is_not_in_it(signed):
    folder, private, public = signed
    bundles.check_signature(folder, public)
    assert bundles.load_model(folder).class_names == ("a", "b")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.json.sig", "shares.json"]


def swap(folder):
    """What an attacker does who can write the folder: another file, and its hash in the card."""
    card = json.loads((folder / "model.json").read_text("utf-8"))
    (folder / "shares.json").write_text("[0.0, 1.0]")
    card["files"]["shares.json"] = {"sha256": paths.sha256(folder / "shares.json"), "bytes": 10}
    (folder / "model.json").write_text(json.dumps(card))


def test_a_swap_that_the_hashes_let_through_is_refused_by_the_signature(signed):
    folder, _, public = signed
    swap(folder)
    assert bundles.load_model(folder).predict(["x"]) == ["b"], "the hashes are right: they lie beside the files"
    with pytest.raises(CourseError, match="was changed after it was signed, or another key signed it"):
        bundles.check_signature(folder, public)


def test_a_changed_file_is_refused_by_its_hash_although_the_signature_is_right(signed):
    folder, _, public = signed
    (folder / "shares.json").write_text("[0.0, 1.0]")
    bundles.check_signature(folder, public)
    with pytest.raises(CourseError, match="is not the file that was saved"):
        bundles.load_model(folder)


@pytest.mark.parametrize("content", ["", "zz", "00", "ab" * 64, "ab" * 65])
def test_a_signature_that_is_none_is_refused(signed, content):
    folder, _, public = signed
    (folder / "model.json.sig").write_text(content)
    with pytest.raises(CourseError, match="was changed after it was signed"):
        bundles.check_signature(folder, public)


def test_another_key_or_none_is_refused(signed, tmp_path):
    folder, private, public = signed
    _, other = bundles.new_keys(tmp_path / "other")
    with pytest.raises(CourseError, match="another key signed it"):
        bundles.check_signature(folder, other)
    for wrong in (private, folder / "shares.json"):
        with pytest.raises(CourseError, match="is no public Ed25519 key in PEM"):
            bundles.check_signature(folder, wrong)
    with pytest.raises(CourseError, match="is no private Ed25519 key in PEM"):
        bundles.sign(folder, public)
    with pytest.raises(CourseError, match="cannot be read"):
        bundles.sign(folder, tmp_path / "nowhere")
    with pytest.raises(CourseError, match="a key is never overwritten"):
        bundles.new_keys(tmp_path / "key")


def test_what_is_not_signed_or_not_whole_is_said(signed, tmp_path):
    folder, private, public = signed
    (folder / "model.json.sig").unlink()
    with pytest.raises(CourseError, match=r"is not signed \(No such file or directory\); it is not loaded"):
        bundles.check_signature(folder, public)
    (folder / "shares.json").write_text("[1]")
    with pytest.raises(CourseError, match="is not the file that was saved"):
        bundles.sign(folder, private)
