// What a page can do beyond being read: filters and order of the table of models, and the way to the form. All texts
// are put in as text. Nothing is asked of another address.
"use strict";

const here = document.currentScript.src;

function make(name, about = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// What scrolls by itself must be reached by the keyboard.
function letScroll() {
  for (const element of document.querySelectorAll(".table-wrapper, .highlight pre")) {
    if (element.scrollWidth > element.clientWidth) {
      element.tabIndex = 0;
      if (element.matches(".table-wrapper")) {
        element.setAttribute("role", "region");
        element.setAttribute("aria-label", "a table that is wider than the page");
      }
    }
  }
}

// --- The table of models -------------------------------------------------------------------------------------------

const TAKES = ["image", "video", "audio", "frames", "first_frame", "last_frame", "references"];
const folded = (values) => values.map((value) => String(value).toLowerCase());

// Whether a video may last so long; "1-15" is a range, fractions included.
function lasts(length, seconds) {
  const range = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(String(length));
  return range ? +range[1] <= seconds && seconds <= +range[2] : +length === seconds;
}

// As `Models.find` of the library: what the description does not tell is no yes.
function isMet(model, wish) {
  const sizes = folded(model.resolutions);
  const size = (wish.resolution || "").toLowerCase();
  return wish.takes.every((word) => model.takes.includes(word))
    && (!wish.seconds || model.seconds.some((length) => lasts(length, +wish.seconds)))
    && (!wish.ratio || folded(model.ratios).includes(wish.ratio.toLowerCase()))
    && (!size || sizes.includes(size) || (/^\d+$/.test(size) && sizes.includes(`${size}p`)))
    && (!wish.sound || model.sound === (wish.sound === "yes"))
    && (!wish.deprecated || model.deprecated === (wish.deprecated === "yes"));
}

function wishOf(address) {
  const given = new URLSearchParams(address);
  const wish = { takes: given.getAll("takes").filter((word) => TAKES.includes(word)) };
  for (const name of ["seconds", "ratio", "resolution", "sound", "deprecated", "sort"]) wish[name] = given.get(name) || "";
  return wish;
}

function addressOf(wish) {
  const given = new URLSearchParams();
  for (const word of wish.takes) given.append("takes", word);
  for (const [name, value] of Object.entries(wish)) if (name !== "takes" && value) given.set(name, value);
  const text = given.toString();
  return text ? `?${text}` : location.pathname;
}

function compareModels(table, models) {
  const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, model: models[place] }));
  const options = (name, values) => make("label", {}, name,
    make("select", { name }, make("option", { value: "" }, "any"), ...values.map((value) => make("option", { value }, value))));
  const distinct = (name) => [...new Set(models.flatMap((model) => model[name].map(String)))].sort(
    (one, other) => one.localeCompare(other, "en", { numeric: true }));
  const count = make("output", { "aria-live": "polite" });
  const form = make("form", { class: "filters", "aria-label": "Filters" },
    make("fieldset", {}, make("legend", {}, "takes"),
      ...TAKES.map((value) => make("label", {}, make("input", { type: "checkbox", name: "takes", value }), value))),
    make("label", {}, "seconds", make("input", { name: "seconds", type: "number", min: "0", step: "any" })),
    options("ratio", distinct("ratios")), options("resolution", distinct("resolutions")),
    options("sound", ["yes", "no"]), options("deprecated", ["no", "yes"]),
    make("button", { type: "reset" }, "All models"), count);
  table.closest(".table-wrapper").before(form);
  table.closest(".table-wrapper").classList.add("compared");
  const heads = [...table.tHead.rows[0].cells];
  let wish = wishOf(location.search);

  function show() {
    let shown = 0;
    for (const { row, model } of rows) {
      row.hidden = !isMet(model, wish);
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length} models`;
    const isDown = wish.sort.startsWith("-");
    const column = heads.findIndex((head) => head.dataset.name === wish.sort.replace("-", ""));
    heads.forEach((head, place) => head.setAttribute(
      "aria-sort", place !== column ? "none" : isDown ? "descending" : "ascending"));
    const text = ({ row }) => row.cells[column].textContent;
    const ordered = [...rows];
    if (column >= 0) {
      ordered.sort((one, other) => (!text(one) - !text(other)) || (isDown ? -1 : 1) * text(one).localeCompare(
        text(other), "en", { numeric: true }) || one.place - other.place);
    }
    table.tBodies[0].append(...ordered.map(({ row }) => row));
  }

  function fill() {
    for (const element of form.elements) {
      if (element.type === "checkbox") element.checked = wish.takes.includes(element.value);
      else if (element.name) element.value = wish[element.name];
    }
    show();
  }

  function change(more) {
    const given = new FormData(form);
    wish = { ...wish, ...Object.fromEntries(given), takes: given.getAll("takes"), ...more };
    history.replaceState(null, "", addressOf(wish));
    show();
  }

  for (const head of heads) {
    head.dataset.name = head.textContent;
    const button = make("button", { type: "button", onclick() {
      change({ sort: wish.sort === head.dataset.name ? `-${head.dataset.name}` : head.dataset.name });
    } }, ...head.childNodes);
    head.replaceChildren(button);
  }
  form.addEventListener("input", () => change({}));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    wish = wishOf("");
    history.replaceState(null, "", location.pathname);
    fill();
  });
  addEventListener("popstate", () => {
    wish = wishOf(location.search);
    fill();
  });
  fill();
}

// --- The form of a model -------------------------------------------------------------------------------------------

function offerForm(section) {
  const told = make("p", { role: "status" });
  const open = make("button", { type: "button", async onclick() {
    open.disabled = true;
    told.textContent = "Python is being started; this takes some seconds, the first time.";
    try {
      const { openForm } = await import(new URL("form.js", here));
      await openForm(place, make, new URL(".", here));
    } catch (error) {
      open.disabled = false;
      told.textContent = location.protocol === "file:"
        ? "The form needs the site to be served: python -m http.server, in its folder."
        : `The form cannot be opened: ${error.message}`;
    }
  } }, "Open the form");
  const place = make("div", { class: "try" }, open, told);
  section.querySelector("p").after(place);
}

document.addEventListener("DOMContentLoaded", () => {
  letScroll();
  const table = document.querySelector("#all-models table");
  if (table) {
    document.head.append(make("script", { src: "models.js", onload: () => compareModels(table, skillsVideoModels) }));
  }
  const section = document.querySelector("section#try-it");
  if (section) offerForm(section);
});
