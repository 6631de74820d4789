// The page: what changes comes by events and is put in place; what is pressed is sent.

import { act, look, state } from "./state.js";
import { startClocks } from "./clocks.js";
import { put } from "./put.js";
import { composer } from "./composer.js";
import { openModal } from "./modal.js";
import { savePng } from "./card.js";

const REGIONS = ["people", "places", "heading", "messages", "truth", "proof", "steps"];
const byId = (id) => document.getElementById(id);
const dismissed = new Set();
let events = null;

function listen() {
  events?.close();
  events = new EventSource(`/events?${new URLSearchParams(state.view())}`);
  events.onmessage = (event) => show(JSON.parse(event.data));
  events.onopen = () => lost(false);
  events.onerror = () => lost(true);
}

function lost(isLost) {
  const line = byId("lost");
  line.hidden = !isLost;
  line.textContent = isLost ? document.body.dataset.lost : "";
}

function show({ now, regions }) {
  state.setTime(now);
  const scroll = document.querySelector(".scroll");
  const wasAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  for (const name of REGIONS) {
    if (name in regions) put(byId(name), regions[name]);
  }
  if (regions.about) state.about = regions.about;
  if ("commands" in regions) composer.offer(JSON.parse(regions.commands));
  for (const id of dismissed) byId(id)?.setAttribute("hidden", "");
  if ("messages" in regions && (wasAtEnd || state.justMoved)) {
    const end = byId("end");
    scroll.scrollTop = end ? 0 : scroll.scrollHeight;
  }
  state.justMoved = false;
  tick();
}

function go(there) {
  look(there);
  listen();
}

function complain(sentence) {
  const line = byId("error");
  line.textContent = sentence ?? "";
  line.hidden = !sentence;
}

async function send(request, element) {
  element?.setAttribute("aria-busy", "true");
  const answer = await act(request);
  element?.removeAttribute("aria-busy");
  complain(answer.error);
  if (answer.modal) openModal(answer.modal, send);
  if (answer.go) {
    go(answer.go);
    byId("heading").scrollIntoView({ block: "nearest" });
  }
  return answer;
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("button");
  if (!target || target.ariaDisabled === "true" || target.ariaBusy === "true") return;
  const { press, message, step, blow, dismiss, save } = target.dataset;
  if (target.dataset.as || target.dataset.in) go({ as: target.dataset.as, in: target.dataset.in });
  else if (press) send({ do: "press", message, custom_id: press }, target);
  else if (step) send({ do: "step", step, delay: byId("delay")?.value }, target);
  else if (blow) send({ do: "strike", blow }, target);
  else if (dismiss) {
    dismissed.add(dismiss);
    byId(dismiss).hidden = true;
  } else if (save) savePng(target.closest("figure").querySelector("img"), target.dataset.name);
  else if ("confirm" in target.dataset) choose(target.closest(".menu").querySelector("select"));
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.id === "language") speak(target.value);
  else if (target.dataset.choose && !target.multiple && target.value) choose(target);
});

function choose(menu) {
  const values = [...menu.selectedOptions].map((option) => option.value);
  send({ do: "choose", message: menu.dataset.message, custom_id: menu.dataset.choose, values }, menu);
}

// The page that is loaded anew tells the server its language.
function speak(language) {
  const address = new URL(location.href);
  address.searchParams.set("lang", language);
  location.assign(address);
}

document.addEventListener("click", (event) => {
  const spoiler = event.target.closest(".spoiler");
  if (spoiler) spoiler.classList.add("shown");
});

const tick = startClocks(state);
composer.start(send);
act({ do: "speak" });
listen();
