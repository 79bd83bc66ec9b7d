"""The example in docs/ is what the command says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from generator.__main__ import main
from tests.support.project import description, navigation, pages_of
from tests.support.revisions import write_revision

ROOT = Path(__file__).parents[2]
SPECS = Path(__file__).parent / "specs"


def test_example_in_the_docs_is_what_the_command_says(capsys, monkeypatch):
    """If it is not, run `make docs`."""
    monkeypatch.setattr("generator.changes.version.VERSION", "0.1.0")
    assert main(["changes", str(SPECS / "previous"), str(SPECS / "current"), "--markdown"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "review-example.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/platform.md", "docs/review.md"])
def test_commands_that_the_docs_show_are_commands(name, capsys):
    text = (ROOT / name).read_text("utf-8")
    for command, rest in re.findall(r"python -m generator (\w+)((?: --[a-z-]+)?)", text):
        with pytest.raises(SystemExit) as stopped:
            main([command, "--help"])
        assert stopped.value.code == 0
        assert rest.strip() in capsys.readouterr().out


def test_overrides_that_the_docs_show_have_an_effect(tmp_path):
    """Each corrects a description in which it is needed; without it, other modules are generated."""
    text = (ROOT / "docs" / "review.md").read_text("utf-8")
    [example] = re.findall(r"```toml\n(\[tool\.generator\.overrides\]\n.*?)```", text, re.DOTALL)
    prompt = {"type": "string", "maxLength": 3000}
    scoped = description({"acme/x": {"type": "object", "properties": {"prompt": prompt}}})
    scoped["paths"]["/generation/acme/x"]["post"]["deprecated"] = True
    platform = description({"vidu/q3": {"type": "object", "properties": {"prompt": prompt}}})
    specs = write_revision(tmp_path / "specs", platform, navigation(*pages_of(["vidu/q3", "acme/x"])))
    (specs / "models").mkdir()
    (specs / "models" / "x.json").write_text(json.dumps(scoped), "utf-8")
    entries = example.splitlines()[1:]
    assert len(entries) == 2
    made = []
    for number, lines in enumerate(([], entries[:1], entries[1:])):
        config = tmp_path / f"{number}.toml"
        config.write_text("\n".join(["[tool.generator.overrides]", *lines, ""]), "utf-8")
        inputs = ["--openapi", str(specs / "openapi.json"), "--docs", str(specs / "docs.json")]
        out = tmp_path / f"made_{number}"
        assert main(["generate", *inputs, "--config", str(config), "--out", str(out), "--strict"]) == 0
        made.append({path.name: path.read_text("utf-8") for path in out.glob("*.py")})
    plain, shorter, current = made
    assert {name for name in plain if plain[name] != shorter[name]} >= {"vidu_q3.py"}
    assert {name for name in plain if plain[name] != current[name]} >= {"acme_x.py"}
