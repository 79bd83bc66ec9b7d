"""The site in a real browser: nothing goes wrong, nothing is asked of others, and what it shows is true."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys

import pytest

import skills_video
from docs.site import browser as packages
from skills_video import catalog
from skills_video_runtime.sandbox import Sandbox
from tests.support.children import finished

AXE = packages.Package(
    "axe-core",
    "4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ("axe.min.js",),
)
PATIENCE = 60_000  # milliseconds for Python to start in a busy browser


@pytest.fixture(scope="session")
def axe(site):
    try:
        packages.unpack(AXE, site.parent / "npm", site.parent / "axe")
    except packages.UnavailableError as error:
        pytest.skip(f"axe-core: {error}")
    return (site.parent / "axe" / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def has_form(site):
    if not (site / "_static" / "pyodide" / "pyodide.asm.wasm").is_file():
        pytest.skip("npm gave no Pyodide when the site was built")


def test_every_page_opens_and_asks_nothing_of_others(page, site):
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert len(names) > 50
    for name in names:
        page.open(name)


def test_a_link_of_the_menu_leads_on(page):
    shown = page.open("index.html")
    shown.get_by_role("link", name="Errors, and what to do").first.click()
    assert shown.get_by_role("heading", level=1).inner_text() == "Errors, and what to do"


def test_the_search_finds_a_field_of_a_model(page):
    shown = page.open("index.html")
    shown.get_by_role("textbox", name="Search").first.fill("character_orientation")
    shown.keyboard.press("Enter")
    shown.locator("#search-results li a", has_text="Kling V2.6 Video").first.click()
    assert shown.get_by_role("heading", level=1).inner_text() == "Kling V2.6 Video"


# The table of models.


def modules(shown):
    links = shown.locator("#all-models tbody tr:visible td:first-child a")
    return [
        link.partition(".html")[0] for link in links.evaluate_all("all => all.map(one => one.getAttribute('href'))")
    ]


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ("", {}),
        ("?takes=image&seconds=10&ratio=9:16&sound=yes",
         {"takes": "image", "seconds": 10, "ratio": "9:16", "sound": True}),
        ("?takes=video&takes=audio", {"takes": ("video", "audio")}),
        ("?seconds=4.5", {"seconds": 4.5}),
        ("?seconds=6&resolution=1080p", {"seconds": 6, "resolution": "1080p"}),
        ("?resolution=1080&ratio=21:9", {"resolution": "1080", "ratio": "21:9"}),
        ("?sound=no", {"sound": False}),
        ("?takes=nonsense&deprecated=no", {}),
    ],
)  # fmt: skip
def test_an_address_with_filters_shows_what_the_library_finds(page, query, wish):
    shown = page.open(f"models/index.html{query}")
    shown.locator(".filters").wait_for()
    found = [info.module for info in catalog.MODELS.find(**wish)]
    assert modules(shown) == found
    assert shown.locator(".filters output").inner_text() == f"{len(found)} of {len(catalog.MODELS)} models"


def test_filters_are_set_by_keyboard_and_live_in_the_address(page):
    shown = page.open("models/index.html")
    shown.get_by_role("checkbox", name="audio").focus()
    shown.keyboard.press("Space")
    shown.get_by_role("spinbutton", name="seconds").focus()
    shown.keyboard.type("10")
    shown.get_by_role("combobox", name="ratio").select_option("9:16")
    assert re.search(r"\?takes=audio&seconds=10&ratio=9%3A16$", shown.url)
    found = modules(shown)
    assert found == [info.module for info in catalog.MODELS.find(takes="audio", seconds=10, ratio="9:16")]
    shown.reload()
    shown.locator(".filters").wait_for()
    assert modules(shown) == found
    shown.get_by_role("button", name="All models").click()
    assert len(modules(shown)) == len(catalog.MODELS)
    assert "?" not in shown.url


def test_the_table_is_sorted_by_keyboard_and_back(page):
    shown = page.open("models/index.html")
    head = shown.get_by_role("columnheader", name="model")
    for order, first in (("ascending", min), ("descending", max)):
        head.get_by_role("button").focus()
        shown.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == order
        titles = shown.locator("#all-models tbody tr td:first-child").all_inner_texts()
        assert titles[0].lower() == first(title.lower() for title in titles)
    assert shown.url.endswith("?sort=-model")


def test_without_javascript_the_table_and_the_examples_are_read(browser, address):
    with browser.new_context(java_script_enabled=False) as context:
        shown = context.new_page()
        shown.goto(f"{address}/models/index.html")
        assert shown.locator("#all-models tbody tr").count() == len(catalog.MODELS)
        shown.goto(f"{address}/models/kling_v2_6.html")
        assert "client.generate(payload)" in shown.locator(".highlight-python").first.inner_text()


# The form.


def opened(page, module):
    shown = page.open(f"models/{module}.html")
    shown.get_by_role("button", name="Open the form").click()
    shown.get_by_text("The library takes this payload.").wait_for(timeout=PATIENCE)
    return shown


@pytest.fixture(scope="module")
def page_with_form(shared_page, has_form):
    opened(shared_page, "kling_v2_6")
    return shared_page


@pytest.fixture
def form(page_with_form):
    """Give one page on which several tests use the form, as Python takes seconds to start in a browser."""
    yield page_with_form.page
    assert page_with_form.wrong == []


def texts_of(shown):
    texts = {}
    for tab in shown.get_by_role("tab").all():
        tab.click()
        texts[tab.inner_text()] = shown.get_by_role("tabpanel").text_content()
    return texts


def run(texts, folder):
    """Run the program and the command that were shown, and give the inputs that arrived."""
    with Sandbox(speed=200) as sandbox:
        given = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url}
        command = texts["Command line"].replace("skills-video", shlex.join([sys.executable, "-m", "skills_video"]), 1)
        for arguments in ([sys.executable, "-c", texts["Python"]], ["sh", "-c", command], ["sh", "-c", texts["curl"]]):
            done = finished(arguments, cwd=folder, env={"PATH": os.environ["PATH"], **given})
            assert done.returncode == 0, done.stderr
        return [dict(made.input) for made in sandbox.generations()]


def test_a_file_is_mended_and_what_is_shown_sends_it(form, tmp_path):
    wrong, right = {"duration": "7", "image_url": "cat"}, {"image_url": "@cat.png"}
    check_that_it_is_mended(form, "kling_v2_6", wrong, ["Use 5"], right, tmp_path)


@pytest.mark.parametrize(
    ("module", "wrong", "nearest", "right"),
    [
        ("google_veo_3_1", {"duration": "7", "prompt": ""}, ["Use 6"], {"prompt": "first snow"}),
        ("bytedance_seedance_1_5", {"duration": "99", "prompt": ""}, ["Use 12"], {"prompt": "a paper boat"}),
    ],
)
def test_a_wrong_payload_is_mended_and_what_is_shown_makes_it(page, has_form, module, wrong, nearest, right, tmp_path):
    check_that_it_is_mended(opened(page, module), module, wrong, nearest, right, tmp_path)


def check_that_it_is_mended(shown, module, wrong, nearest, right, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    for name, text in wrong.items():
        shown.get_by_label(name, exact=True).fill(text)
    shown.get_by_text(f"{len(wrong)} mistakes; nothing could be sent.").wait_for()
    for name in wrong:
        assert shown.get_by_label(name, exact=True).get_attribute("aria-invalid") == "true"
    for name in nearest:
        shown.get_by_role("button", name=name, exact=True).click()
    for name, text in right.items():
        shown.get_by_label(name, exact=True).fill(text)
    shown.get_by_text("The library takes this payload.").wait_for()
    texts = texts_of(shown)
    row = json.loads(texts["JSONL row"])
    assert row["model"] == catalog.MODELS[module].endpoint.model
    arrived = run(texts, tmp_path)
    assert len(arrived) == 3
    for body in arrived:
        for name in ("prompt", "duration"):
            assert str(body[name]) == str(row["payload"][name])
    if "@" not in texts["JSONL row"]:
        asked = json.loads(texts["Tool call"])
        assert skills_video.call(asked["name"], asked["arguments"]).payload.to_dict() == row["payload"]
    shown.get_by_role("button", name="Which models can do this?").click()
    shown.get_by_text("other models can do this").wait_for()
    assert shown.locator(".others a").count() > 0


def test_the_form_takes_every_example_of_every_variant(form):
    """What a trial of the form did not import would be missing here."""
    wrong = form.evaluate(
        """async (names) => {
            const base = new URL("../_static/", location.href);
            const { python } = await import(new URL("form.js", base));
            const module = await python(base);
            const wrong = [];
            for (const name of names) {
                const told = await (await fetch(`${name}.json`)).json();
                for (const form of told.variants) {
                    const typed = Object.entries(form.example).filter(([key]) => !form.fields.some(
                        (field) => field.wire === key && field.constant));
                    const text = (value) => typeof value === "string" ? value : JSON.stringify(value);
                    const given = Object.fromEntries(typed.map(([key, value]) => [key, text(value)]));
                    const answer = JSON.parse(module.check(name, form.name, JSON.stringify(given)));
                    if (answer.mistakes.length) wrong.push([name, form.name, answer.mistakes]);
                }
            }
            return wrong;
        }""",
        [info.module for info in catalog.MODELS],
    )
    assert wrong == []


def test_hostile_data_is_text_in_the_form(page, has_form, site):
    told = json.loads((site / "models" / "kling_v2_6.json").read_text("utf-8"))
    text = '<img src=x onerror="window.pwned = 1"><script>window.pwned = 1</script>'
    for field in told["variants"][0]["fields"]:
        field["text"] = field["takes"] = text
    told["variants"][0]["example"]["prompt"] = text
    page.page.route("**/kling_v2_6.json", lambda route: route.fulfill(json=told))
    shown = opened(page, "kling_v2_6")
    assert shown.evaluate("window.pwned") is None
    assert text in shown.locator(".try .hint").first.inner_text()
    assert text.partition('"')[0] in shown.get_by_role("tabpanel").inner_text()


# For everybody.

SERIOUS = {"serious", "critical"}


SCHEMES = [("light", {}), ("dark", {"runOnly": ["color-contrast"]})]


def check_by_axe(shown, axe, rules):
    shown.evaluate(axe)
    result = shown.evaluate("(rules) => axe.run(rules)", rules)
    wrong = [item for item in result["violations"] if item["impact"] in SERIOUS]
    assert [(item["id"], node["html"][:200]) for item in wrong for node in item["nodes"]] == [], shown.url


@pytest.mark.parametrize(("scheme", "rules"), SCHEMES)
def test_axe_finds_nothing_serious(browser, address, axe, scheme, rules):
    with browser.new_context(color_scheme=scheme) as context:
        shown = context.new_page()
        for name in ("errors.html", "search.html", "models/index.html", "models/kling_v2_6.html"):
            shown.goto(f"{address}/{name}")
            check_by_axe(shown, axe, rules)


@pytest.mark.parametrize(("scheme", "rules"), SCHEMES)
def test_axe_finds_nothing_serious_in_the_form(form, axe, scheme, rules):
    form.emulate_media(color_scheme=scheme)
    assert form.locator(".try .field").count() > 1
    check_by_axe(form, axe, rules)


@pytest.mark.parametrize("name", ["index.html", "models/index.html", "models/kling_v2_6.html", "errors.html"])
def test_a_phone_shows_a_page_without_scrolling_aside(browser, address, name):
    with browser.new_context(viewport={"width": 375, "height": 740}, has_touch=True) as context:
        shown = context.new_page()
        shown.goto(f"{address}/{name}")
        shown.wait_for_load_state()
        assert shown.evaluate("document.documentElement.scrollWidth") <= 375
