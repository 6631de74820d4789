// Times in the reader's own zone and language, and countdowns that run.

const locale = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" },
  S: { dateStyle: "short", timeStyle: "medium" },
};
const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export function startClocks(state) {
  const tick = () => {
    const now = state.now();
    for (const each of document.querySelectorAll("time[data-ms]")) date(each, now);
    for (const each of document.querySelectorAll("[data-epoch]")) moment(each, now);
    for (const each of document.querySelectorAll("[data-until]")) countdown(each, now);
  };
  setInterval(tick, 100);
  return tick;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function date(element, now) {
  const at = new Date(Number(element.dataset.ms));
  if (element.className === "full") set(element, full.format(at));
  else if (element.className === "clock-ms") {
    set(element, exactly(at, new Date(now)));
  } else set(element, ("seconds" in element.dataset ? seconds : clock).format(at));
  if (!element.dateTime) element.dateTime = at.toISOString();
}

const two = (number) => String(number).padStart(2, "0");

// As PostgreSQL writes it, with the day where that is another one.
function exactly(at, today) {
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  const exact = `${time}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  if (at.toDateString() === today.toDateString()) return exact;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${exact}`;
}

function moment(element, now) {
  const at = Number(element.dataset.epoch) * 1000;
  const style = element.dataset.style;
  if (style === "R") set(element, inWords((at - now) / 1000));
  else set(element, new Intl.DateTimeFormat(locale, STYLES[style] ?? STYLES.f).format(new Date(at)));
  if (!element.title) element.title = full.format(new Date(at));
}

// As Discord rounds: down, to the largest unit.
function inWords(left) {
  const [unit, length] = UNITS.find(([, each]) => Math.abs(left) >= each) ?? ["second", 1];
  return relative.format(Math.trunc(left / length), unit);
}

function countdown(element, now) {
  const left = Math.max(0, Number(element.dataset.until) - now);
  const isLarge = element.classList.contains("large");
  element.classList.toggle("soon", left < 10000);
  if (left === 0 && element.dataset.due) return set(element, element.dataset.due);
  const days = Math.floor(left / 86400000);
  const whole = Math.ceil(left / 1000);
  const parts = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const hms = parts.map(two).join(":");
  if (!days) {
    if (isLarge && left < 60000) return set(element, `${tenths.format(left / 1000)} s`);
    return set(element, isLarge || parts[0] ? hms : hms.slice(3));
  }
  if (!isLarge) return set(element, `${days}d ${hms}`);
  const text = days === 1 ? element.dataset.day : element.dataset.days;
  set(element, `${text.replace("{n}", days)} ${hms}`);
}
