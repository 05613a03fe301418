"""Labels: what scores mean, and how often two classifiers agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.scoring.labels import Labels, compare_labels
from distill.teachers.labels import labels_of


def test_one_score_means_its_sign_and_zero_is_the_first_class():
    assert labels_of(np.array([[-1.0], [0.0], [-0.0], [1e-300]])).tolist() == [0, 0, 0, 1]


def test_of_several_scores_the_first_of_the_largest_wins():
    scores = np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0], [0.0, -1.0, 5.0]])
    assert labels_of(scores).tolist() == [1, 0, 2]


def test_the_confusion_counts_the_teachers_classes_in_rows():
    labels = compare_labels(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]), 3)
    assert labels.confusion == ((1, 1, 0), (0, 1, 0), (0, 0, 1))
    assert labels.points == 4
    assert labels.agreement == pytest.approx(0.75)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_agreement_is_the_share_of_equal_labels(pairs):
    found, wanted = np.array(pairs).T
    labels = compare_labels(found, wanted, 4)
    assert labels.points == len(pairs)
    assert labels.agreement == pytest.approx(np.mean(found == wanted))
    assert Labels.from_data(labels.to_data()) == labels


def test_what_has_no_value_has_no_label_and_does_not_agree():
    found = labels_of(np.array([[np.nan, 1.0], [2.0, 1.0], [0.0, np.nan]]))
    assert found.tolist() == [-1, 0, -1]
    labels = compare_labels(found, np.array([1, 0, -1]), 2)
    assert labels.confusion == ((1, 0), (0, 0))
    assert (labels.missing, labels.points) == (1, 2)
    assert labels.agreement == pytest.approx(0.5)
    assert Labels.from_data(labels.to_data()) == labels
