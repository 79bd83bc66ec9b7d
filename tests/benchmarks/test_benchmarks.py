"""What `make bench` writes: fair verdicts, and nothing lost of what was there."""

from __future__ import annotations

import sys

import pytest

from benchmarks import synthetic
from benchmarks.measure import Contender, RunError, Samples, alternate
from benchmarks.results import compared, merged, table
from benchmarks.rows import HERE, ROWS

BEGIN, END = "<!-- results: begin (written by `make bench`) -->", "<!-- results: end -->"


def ours(*values):
    return Samples("ours", values)


def test_a_verdict_is_about_the_better_peer():
    line = compared(
        "time", ours(1.0, 9.0, 2.0), [Samples("slow", (9.0,)), Samples("fast", (1.0, 4.0, 2.0))], 0.9, unit="s"
    )
    assert line.against.startswith("fast")
    assert (line.result, line.met) == ("1.00", "**no**")


def test_a_goal_may_be_about_how_much_more():
    line = compared("time", ours(30.0), [Samples("bare", (20.0,))], 15.0, unit="ms", difference=True)
    assert (line.result, line.goal, line.met) == ("10.00 ms more", "at most 15 ms more", "yes")


def test_a_run_replaces_the_lines_of_its_rows_and_keeps_all_else():
    text = (HERE / "RESULTS.md").read_text("utf-8")
    order, about = ["a", "b", "c"], ["- what a row is"]
    first = merged(text, {"a": ["| a | old |"], "c": ["| c | old |"]}, order, about) + "A note of a person.\n"
    second = merged(first, {"b": ["| b | new |"], "c": ["| c | new |"]}, order, about)
    inside = second.partition(BEGIN)[2].partition(END)[0].splitlines()
    assert inside[-3:] == ["| a | old |", "| b | new |", "| c | new |"]
    assert second.endswith("A note of a person.\n")


def test_results_without_a_marker_are_refused():
    with pytest.raises(ValueError, match="lacks the markers"):
        merged("# Results\n", {}, [], [])


def test_every_line_of_a_table_has_all_its_cells():
    lines = table({"row": [compared("time", ours(1.0), [ours(2.0)], 1.0, unit="s")]}, "today")
    assert [line.count(" | ") for line in lines["row"]] == [7]
    assert all(row.about for row in ROWS.values())


def test_contenders_run_in_turn_and_the_first_round_does_not_count(tmp_path):
    log = tmp_path / "log"
    program = "import json, sys; print(sys.argv[1], file=open(sys.argv[2], 'a')); print(json.dumps({'n': 1}))"
    contenders = [Contender(name, [sys.executable, "-c", program, name, log], tells=True) for name in ("a", "b")]
    samples = alternate(contenders, 2)
    assert log.read_text().split() == ["a", "b"] * 3
    assert samples["a"]["n"].values == (1, 1)


def test_a_program_that_fails_is_no_figure():
    with pytest.raises(RunError, match=r"broken ended with 3 after .* no such thing"):
        alternate(
            [
                Contender(
                    "broken", [sys.executable, "-c", "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"]
                )
            ],
            1,
        )


def test_a_synthetic_description_has_so_many_models_and_is_the_same_every_time(tmp_path, project):
    for name in ("a", "b"):
        synthetic.write(tmp_path / name, 40)
    texts = [(tmp_path / name / "openapi.json").read_bytes() for name in ("a", "b")]
    assert texts[0] == texts[1]
    project.openapi, project.docs = tmp_path / "a" / "openapi.json", tmp_path / "a" / "docs.json"
    assert project.run("generate", "--strict") == 0
    assert len(list(project.out.glob("provider_*.py"))) == 40
