"""The example in docs/ is what the command says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.__main__ import main

ROOT = Path(__file__).parents[2]
SPECS = Path(__file__).parent / "specs"


def test_example_in_the_docs_is_what_the_command_says(capsys, monkeypatch):
    """If it is not, run `make docs`."""
    monkeypatch.setattr("generator.changes.version.VERSION", "0.1.0")
    assert main(["changes", str(SPECS / "previous"), str(SPECS / "current"), "--markdown"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "review-example.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["README.md", "docs/review.md"])
def test_commands_that_the_docs_show_are_commands(name, capsys):
    text = (ROOT / name).read_text("utf-8")
    for command, rest in re.findall(r"python -m generator (\w+)((?: --[a-z-]+)?)", text):
        with pytest.raises(SystemExit) as stopped:
            main([command, "--help"])
        assert stopped.value.code == 0
        assert rest.strip() in capsys.readouterr().out
