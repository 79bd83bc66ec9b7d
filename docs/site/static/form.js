// The form of a model. It shows what `docs/site/form.py` says, which is the library itself, run in the page.
let started;

// Give `docs.site.form`; Python is started once.
export function python(base) {
  started ||= start(base);
  return started;
}

async function start(base) {
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", base));
  const pyodide = await loadPyodide({ indexURL: new URL("pyodide/", base).href });
  const answer = await fetch(new URL("skills_video.zip", base));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  pyodide.unpackArchive(await answer.arrayBuffer(), "zip", { extractDir: "/lib/skills_video_site" });
  pyodide.runPython("import sys; sys.path.insert(0, '/lib/skills_video_site')");
  return pyodide.pyimport("docs.site.form");
}

// The values that a field lists, as the texts that mean them; none where it takes others as well.
function choicesOf(schema, definitions) {
  if (schema.$ref) return choicesOf(definitions[schema.$ref.split("/").pop()] || {}, definitions);
  const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  if (schema.enum) return schema.enum.map(written);
  if ("const" in schema) return [written(schema.const)];
  if (schema.type === "boolean") return ["true", "false"];
  if (schema.type === "null") return ["null"];
  const parts = (schema.anyOf || schema.oneOf || []).map((part) => choicesOf(part, definitions));
  return parts.length && parts.every((part) => part.length) ? parts.flat() : [];
}

const written = (value) => (typeof value === "string" ? value.replace(/^@/, "@@") : JSON.stringify(value));

export async function openForm(place, make, base) {
  const name = location.pathname.split("/").pop().replace(/\.html$/, "");
  const [told, module] = await Promise.all([
    fetch(`${name}.json`).then((answer) => answer.json()),
    python(base),
  ]);
  const variants = told.variants;
  let variant = variants[0];
  let inputs = new Map();
  let texts = {};
  let way = "Python";
  let timer = 0;

  const choice = make("select", { id: "try-variant", onchange() {
    variant = variants[choice.selectedIndex];
    build();
  } }, ...variants.map((form) => make("option", {}, form.name)));
  const fields = make("div");
  const verdict = make("div", { role: "status", class: "verdict" });
  const tabs = make("div", { role: "tablist", "aria-label": "The payload as" });
  const shown = make("pre", { role: "tabpanel", tabindex: "0", id: "try-text" });
  const copy = make("button", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText(shown.textContent);
    copy.textContent = "Copied";
  } }, "Copy");
  const others = make("div", { role: "status", class: "others" });
  const ask = make("button", { type: "button", onclick: askOthers }, "Which models can do this?");
  const result = make("div", { hidden: true }, tabs, shown, copy, " ", ask, others);
  place.replaceChildren(
    make("div", { class: "field" }, make("label", { for: "try-variant" }, "payload"), choice), fields, verdict, result);

  function field(about) {
    const id = `try-field-${inputs.size}`;
    const schemas = told.schemas[variant.name];
    const schema = schemas.$defs[variant.name].properties[about.wire] || {};
    const choices = choicesOf(schema, schemas.$defs);
    const given = about.wire in (variant.example || {}) ? written(variant.example[about.wire]) : "";
    const plain = { id, name: about.wire, "aria-describedby": `${id}-hint ${id}-wrong`, spellcheck: "false" };
    let input;
    const isNumber = choices.length && choices.every((text) => text !== "" && !Number.isNaN(+text));
    const extra = [];
    if (choices.length && !isNumber) {
      const texts = about.null && !choices.includes("null") ? [...choices, "null"] : choices;
      input = make("select", plain, make("option", { value: "" }, "(not sent)"),
        ...texts.map((text) => make("option", { value: text }, text)));
    } else if (/prompt|text|script/.test(about.wire)) {
      input = make("textarea", { ...plain, rows: "2" });
    } else {
      input = make("input", { ...plain, autocomplete: "off", list: choices.length ? `${id}-list` : undefined });
      if (choices.length) extra.push(make("datalist", { id: `${id}-list` }, ...choices.map((value) => make("option", { value }))));
    }
    input.value = given;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(check, 120);
    });
    const wrong = make("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
    inputs.set(about.wire, { input, wrong });
    const facts = [about.takes + (about.null ? " or null" : ""), about.required ? "required" : "",
      about.default ? `default ${about.default}` : "", about.deprecated ? "deprecated" : "",
      about.file ? "a file of yours: @cat.png" : "", about.text].filter(Boolean).join("; ");
    return make("div", { class: "field" }, make("label", { for: id }, about.wire), input, ...extra,
      make("p", { class: "hint", id: `${id}-hint` }, facts), wrong);
  }

  function build() {
    inputs = new Map();
    const own = variant.fields.filter((about) => !about.constant).map(field);
    if (variant.others) {
      own.push(field({ wire: "", takes: `fields of other names, as a JSON object: ${variant.others}` }));
      own.at(-1).querySelector("label").textContent = "other fields";
    }
    fields.replaceChildren(...own);
    check();
  }

  // What is typed, by the name of its field: fields that are empty are not sent.
  function typed() {
    const given = [...inputs].map(([wire, { input }]) => [wire, input.value]).filter(([, text]) => text !== "");
    return JSON.stringify(Object.fromEntries(given));
  }

  function check() {
    const answer = JSON.parse(module.check(name, variant.name, typed()));
    for (const { input, wrong } of inputs.values()) {
      input.removeAttribute("aria-invalid");
      wrong.hidden = true;
      wrong.replaceChildren();
    }
    others.replaceChildren();
    copy.textContent = "Copy";
    result.hidden = answer.mistakes.length > 0;
    if (result.hidden) return showMistakes(answer.mistakes);
    verdict.replaceChildren(make("p", { class: "right" }, "The library takes this payload."));
    texts = answer.texts;
    showTabs();
  }

  function showMistakes(mistakes) {
    const apart = [];
    for (const mistake of mistakes) {
      const known = inputs.get(mistake.field);
      if (!known) {
        apart.push(make("li", {}, mistake.text));
        continue;
      }
      known.input.setAttribute("aria-invalid", "true");
      known.wrong.hidden = false;
      known.wrong.append(mistake.text, " ");
      if (mistake.nearest !== null) {
        known.wrong.append(make("button", { type: "button", onclick() {
          known.input.value = mistake.nearest;
          check();
          known.input.focus();
        } }, `Use ${mistake.nearest}`), " ");
      }
    }
    const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
    verdict.replaceChildren(make("p", { class: "wrong" }, `${count}; nothing could be sent.`),
      make("ul", { class: "mistakes" }, ...apart));
    if (!apart.length) verdict.lastChild.remove();
  }

  function showTabs() {
    const names = Object.keys(texts);
    tabs.replaceChildren(...names.map((title) => make("button", {
      type: "button", role: "tab", "aria-controls": "try-text", "aria-selected": String(title === way),
      tabindex: title === way ? "0" : "-1", onclick: () => choose(title),
      onkeydown(event) {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) choose(names.at((names.indexOf(way) + step) % names.length));
      },
    }, title)));
    shown.textContent = texts[way];
    shown.setAttribute("aria-label", way);
  }

  function choose(title) {
    way = title;
    showTabs();
    tabs.querySelector("[aria-selected=true]").focus();
  }

  function askOthers() {
    const found = JSON.parse(module.others(name, variant.name, typed()));
    const items = found.map((item) => make("li", {}, make("a", { href: `${item.module}.html` }, item.title),
      item.lost.length ? `: ${item.lost.join("; ")}` : ": nothing is lost"));
    others.replaceChildren(make("p", {}, `${found.length} other models can do this:`), make("ul", {}, ...items));
  }

  build();
  choice.focus();
}
