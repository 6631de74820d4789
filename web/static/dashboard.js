// Two comforts, and the pages work without either: times in the reader's own time zone, and lists
// that keep themselves up to date.
"use strict";

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const here = moment.toLocaleString([], {
      weekday: "short", day: "2-digit", month: "short",
      hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    });
    if (time.classList.contains("relative")) {
      time.title = here;
    } else {
      time.title = time.textContent;
      time.textContent = here;
    }
  }
}

function nameZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const place = document.querySelector("footer .zone");
  if (zone && place) place.textContent = `your time zone (${zone}), except in charts`;
}

function isInUse(live) {
  const selection = document.getSelection();
  return document.hidden || live.contains(document.activeElement) ||
    live.querySelector("details[open]") || (selection && !selection.isCollapsed);
}

async function refresh(live) {
  if (isInUse(live)) return;
  let news = null;
  try {
    const answer = await fetch(location.href);
    news = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch (error) {
    // The bot is away; the next round asks again.
  }
  const content = news && news.getElementById("live");
  live.classList.toggle("stale", !content);
  if (!content || isInUse(live)) return;
  localTimes(content);
  live.replaceChildren(...content.childNodes);
  for (const place of ["#health", "header nav"]) {
    document.querySelector(place).replaceChildren(...news.querySelector(place).childNodes);
  }
}

localTimes(document);
nameZone();
const live = document.getElementById("live");
const seconds = Number(document.body.dataset.refreshS);
if (live && seconds) {
  (async () => {
    for (;;) {
      await new Promise((resume) => setTimeout(resume, seconds * 1000));
      await refresh(live);
    }
  })();
}
