// Keeps the page current, counts deadlines down, and takes the Discord window along.
"use strict";

const POLL_MS = 500;
const form = document.querySelector("form");
const now = document.getElementById("now");
const ended = document.getElementById("ended");

let discord = null; // the window that the form's answers go to
let text = null;

form.elements.timezone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// Beside this page where there is room; a tab, if the browser prefers one.
form.addEventListener("submit", () => {
  const left = Math.min(document.body.offsetWidth + 20, screen.availWidth / 2);
  const size = { left: screen.availLeft + left, top: screen.availTop, width: screen.availWidth - left, height: screen.availHeight };
  const features = Object.entries(size).map(([name, value]) => `${name}=${Math.round(value)}`);
  discord = window.open("", "discord", ["popup", ...features].join(","));
  setTimeout(refresh, 100);
});

function moves() {
  return Number(now.querySelector("[data-moves]").dataset.moves);
}

function countDown() {
  for (const time of now.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil(Number(time.dataset.until) - Date.now() / 1000);
    const clock = new Date(Math.max(seconds, 0) * 1000).toISOString().slice(11, 19);
    time.textContent = seconds > 0 ? clock.replace(/^00:/, "") : "closing";
  }
}

async function refresh() {
  try {
    const response = await fetch("/now");
    if (!response.ok) throw new Error(response.statusText);
    const fresh = await response.text();
    ended.hidden = true;
    if (fresh === text) return;
    const before = moves();
    const focused = document.activeElement?.value;
    now.innerHTML = text = fresh;
    for (const button of now.querySelectorAll("button")) {
      if (focused && button.value === focused) { button.focus(); break; }
    }
    countDown();
    if (moves() > before && discord && !discord.closed) {
      discord.location.replace(new URL("/discord", location.href).href);
    }
  } catch {
    ended.hidden = false;
  }
}

countDown();
setInterval(countDown, 200);
setInterval(refresh, POLL_MS);
