"""58 single changes of the current description: each is told by its rule, with its verdict."""

from __future__ import annotations

import copy
import json

import pytest

from generator.changes.models import compare
from tests.support.revisions import revision

from .mutations import MUTATIONS, PAGE, current, listing, table


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    document = current()
    return revision(tmp_path_factory.mktemp("old"), document, listing(document)), document


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_single_change_has_the_right_answer(mutation, old, tmp_path):
    before, document = old
    new = copy.deepcopy(document)
    mutation.edit(new)
    assert json.dumps(new) != json.dumps(document)
    found = compare(before, revision(tmp_path, new, listing(new)))
    verdicts = {change.verdict for change in found if change.rule == mutation.rule}
    assert (mutation.verdict in verdicts) == bool(mutation.rule), found
    if not mutation.verdict:
        assert not any(change.breaking for change in found), found
    if not mutation.rule:
        assert found == []


def test_the_page_is_the_table():
    """If it is not, run `make docs`."""
    assert len(MUTATIONS) == len({row.name for row in MUTATIONS}) == 58
    assert PAGE.read_text("utf-8") == table()
