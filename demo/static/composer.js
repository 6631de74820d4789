// Where one writes, and runs slash commands: `/` offers them, Enter picks the first, which is the
// one of exactly that name if there is one.

import { act } from "./state.js";

const byId = (id) => document.getElementById(id);
const words = JSON.parse(byId("words").textContent);
const word = (key, values = {}) =>
  words[key].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
const make = (tag, properties = {}, children = []) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

let send = null;
let offered = { place: "", canWrite: true, commands: [] };
let shown = [];
let active = 0;

export const composer = {
  start(sender) {
    send = sender;
    byId("write").addEventListener("submit", write);
    byId("text").addEventListener("input", () => ((active = 0), list()));
    byId("text").addEventListener("keydown", keys);
    byId("text").addEventListener("blur", () => setTimeout(() => byId("command").hidden && close(), 150));
    byId("commands").addEventListener("pointerdown", (event) => {
      const item = event.target.closest("[role=option]");
      if (!item) return;
      event.preventDefault();
      pick(shown[Number(item.dataset.index)]);
    });
  },

  offer(news) {
    const moved = news?.place !== offered.place;
    offered = news ?? { place: "", canWrite: false, commands: [] };
    byId("composer").hidden = !news;
    const text = byId("text");
    text.labels[0].textContent = word("composer.label", { place: offered.place });
    text.placeholder = word("composer.hint");
    if (moved) cancel();
    else list();
  },
};

async function write(event) {
  event.preventDefault();
  const text = byId("text").value;
  if (text.startsWith("/")) {
    if (shown.length) pick(shown[active]);
    return;
  }
  if (!text.trim()) return;
  byId("text").value = "";
  const answer = await send({ do: "write", text });
  if (answer.error) byId("text").value = text;
}

function matching() {
  const text = byId("text").value;
  if (!text.startsWith("/")) return [];
  const typed = text.slice(1).toLowerCase().trimEnd();
  const rank = ({ label, name }) => {
    const names = [label.toLowerCase(), name];
    if (names.includes(typed)) return 0;
    if (names.some((each) => each.startsWith(typed))) return 1;
    return names.some((each) => each.includes(typed)) ? 2 : 3;
  };
  return offered.commands
    .filter((command) => rank(command) < 3)
    .sort((one, other) => rank(one) - rank(other));
}

function list() {
  shown = matching();
  const box = byId("commands");
  const isOpen = byId("text").value.startsWith("/") && byId("command").hidden;
  box.hidden = !isOpen;
  byId("text").setAttribute("aria-expanded", String(isOpen && shown.length > 0));
  box.replaceChildren(
    ...shown.map((command, index) => {
      const item = make("li", { id: `command-${index}`, role: "option" }, [
        make("b", { textContent: `/${command.label}` }),
        make("span", { textContent: command.description }),
      ]);
      item.dataset.index = index;
      item.setAttribute("aria-selected", String(index === active));
      return item;
    }),
  );
  if (isOpen && !shown.length) box.replaceChildren(make("li", { textContent: word("composer.no_command") }));
  if (isOpen && shown.length) byId("text").setAttribute("aria-activedescendant", `command-${active}`);
  else byId("text").removeAttribute("aria-activedescendant");
  box.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
}

function keys(event) {
  if (byId("commands").hidden) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    active = (active + step + shown.length) % Math.max(1, shown.length);
    list();
  } else if (event.key === "Escape") cancel();
  else if (event.key === "Tab" && shown.length) {
    event.preventDefault();
    pick(shown[active]);
  }
}

function close() {
  byId("commands").hidden = true;
  byId("text").setAttribute("aria-expanded", "false");
}

function cancel() {
  byId("text").value = "";
  byId("command").hidden = true;
  byId("command").replaceChildren();
  byId("write").hidden = false;
  close();
}

// A command that is picked is a form, with a field for each option.
function pick(command) {
  if (!command) return;
  const form = byId("command");
  form.replaceChildren(
    make("h3", { textContent: `/${command.label}` }),
    make("p", { className: "small-print", textContent: command.description }),
    ...command.options.map((option) => field(command, option)),
    make("p", { className: "row" }, [
      make("button", { className: "button style-1", textContent: word("composer.run") }),
      make("button", {
        type: "button",
        className: "button style-2",
        textContent: word("composer.cancel"),
        onclick: () => (cancel(), byId("text").focus()),
      }),
    ]),
  );
  form.onsubmit = (event) => run(event, command);
  form.onkeydown = (event) => {
    if (event.key === "Escape") {
      cancel();
      byId("text").focus();
    }
  };
  close();
  byId("write").hidden = true;
  form.hidden = false;
  form.querySelector("input, select, button").focus();
  form.scrollIntoView({ block: "nearest" });
}

function field(command, option) {
  const id = `option-${option.name}`;
  const optional = option.required ? "" : ` (${word("composer.optional")})`;
  const about = make("span", { className: "small-print", id: `${id}-about`, textContent: option.description });
  const input = option.isMenu ? menu(id, option) : line(id, command, option);
  input.setAttribute("aria-describedby", about.id);
  const label = make("label", { htmlFor: id, textContent: option.label + optional });
  const children = [label, about, input];
  if (option.autocomplete) children.push(suggestions(command, option, input));
  return make("div", { className: "field" }, children);
}

function menu(id, option) {
  const first = make("option", { value: "", textContent: word("message.choose") });
  const rest = option.choices.map(({ value, label }) => make("option", { value, textContent: label }));
  return make("select", { id, name: option.name, required: option.required }, [first, ...rest]);
}

function line(id, command, option) {
  const properties = { id, name: option.name, required: option.required, autocomplete: "off" };
  return make("input", { ...properties, maxLength: option.maxLength ?? 6000 });
}

// What the bot suggests while one types, asked for once typing pauses.
function suggestions(command, option, input) {
  const box = make("ul", { className: "suggestions", id: `${input.id}-list`, role: "listbox", hidden: true });
  box.setAttribute("aria-label", option.label);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", box.id);
  input.setAttribute("aria-autocomplete", "list");
  let timer = 0;
  let asked = 0;
  let index = -1;
  const mark = () => {
    [...box.children].forEach((each, place) => each.setAttribute("aria-selected", String(place === index)));
    const chosen = box.children[index];
    if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
    else input.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  };
  const hide = () => {
    asked += 1;
    box.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  const choose = (item) => {
    input.value = item.dataset.value;
    hide();
  };
  const ask = async () => {
    if (!input.isConnected) return;
    const mine = (asked += 1);
    const options = values(input.form);
    const answer = await act({ do: "suggest", command: command.name, options, focused: option.name });
    if (mine !== asked || document.activeElement !== input) return;
    index = -1;
    box.replaceChildren(
      ...(answer.choices ?? []).map(({ value, label }, place) => {
        const item = make("li", { id: `${box.id}-${place}`, role: "option", textContent: label });
        item.dataset.value = value;
        item.onpointerdown = (event) => (event.preventDefault(), choose(item));
        return item;
      }),
    );
    box.hidden = !box.children.length;
    input.setAttribute("aria-expanded", String(!box.hidden));
  };
  input.addEventListener("focus", ask);
  input.addEventListener("input", () => (clearTimeout(timer), (timer = setTimeout(ask, 120))));
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    if (box.hidden) return;
    const length = box.children.length;
    if (event.key === "ArrowDown") index = (index + 1) % length;
    else if (event.key === "ArrowUp") index = (index - 1 + length) % length;
    else if (event.key === "Enter" && index >= 0) choose(box.children[index]);
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
    event.stopPropagation();
    mark();
  });
  return box;
}

const values = (form) => Object.fromEntries(new FormData(form).entries());

async function run(event, command) {
  event.preventDefault();
  const button = event.target.querySelector("button");
  const answer = await send({ do: "run", command: command.name, options: values(event.target) }, button);
  if (answer.error) return;
  cancel();
  if (!answer.modal) byId("text").focus();
}
