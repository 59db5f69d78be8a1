// Times as Slack writes them, in the reader's own zone, against the workspace's clock (which tests may move).

const MINUTE = 60, DAY = 86400;
let offset = 0;

export function setNow(seconds) {
  if (Number.isFinite(seconds)) offset = seconds - Date.now() / 1000;
}
export const now = () => Date.now() / 1000 + offset;

const date = (ts) => new Date(Number(ts) * 1000);
const fmt = (options) => new Intl.DateTimeFormat("en-US", options);
const CLOCK = fmt({ hour: "numeric", minute: "2-digit" });
const CLOCK_SECONDS = fmt({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const WEEKDAY = fmt({ weekday: "long" });
const MONTH = fmt({ month: "long" });
const MONTH_SHORT = fmt({ month: "short" });

export const clock = (ts) => CLOCK.format(date(ts)).replace(/\u202f/g, " ");
export const clockBare = (ts) => clock(ts).replace(/\s?[AP]M$/, "");
export const dayKey = (ts) => date(ts).toDateString();

function ordinal(n) {
  const tens = n % 100;
  if (tens >= 11 && tens <= 13) return `${n}th`;
  return `${n}${["th", "st", "nd", "rd"][n % 10] || "th"}`;
}

function relativeDay(ts) {
  const days = Math.round((new Date(dayKey(now())) - new Date(dayKey(ts))) / 86400000);
  return { 0: "today", 1: "yesterday", [-1]: "tomorrow" }[days] || null;
}

const year = (ts) => (date(ts).getFullYear() === date(now()).getFullYear() ? "" : `, ${date(ts).getFullYear()}`);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export function dayTitle(ts) {
  const near = relativeDay(ts);
  if (near) return capital(near);
  return `${WEEKDAY.format(date(ts))}, ${MONTH.format(date(ts))} ${ordinal(date(ts).getDate())}${year(ts)}`;
}

export function dayAndTime(ts) {
  const near = relativeDay(ts);
  const day = near ? capital(near) : `${MONTH_SHORT.format(date(ts))} ${ordinal(date(ts).getDate())}${year(ts)}`;
  return `${day} at ${clock(ts)}`;
}

export const full = (ts) => `${dayTitle(ts)} at ${CLOCK_SECONDS.format(date(ts)).replace(/\u202f/g, " ")}`;

export function lastReply(ts) {
  const age = now() - Number(ts);
  if (age < MINUTE) return "Last reply just now";
  if (age < 60 * MINUTE) return `Last reply ${plural(Math.floor(age / MINUTE), "minute")} ago`;
  if (relativeDay(ts)) return `Last reply ${relativeDay(ts)} at ${clock(ts)}`;
  return `Last reply ${plural(Math.max(1, Math.round(age / DAY)), "day")} ago`;
}

export const plural = (n, word) => (n === 1 ? `1 ${word}` : `${n} ${word.endsWith("ply") ? word.replace(/y$/, "ies") : `${word}s`}`);

function ago(ts) {
  const gap = Math.round(now() - Number(ts));
  const size = Math.abs(gap);
  const words = size < MINUTE ? plural(size, "second")
    : size < 3600 ? plural(Math.round(size / MINUTE), "minute")
    : size < DAY ? plural(Math.round(size / 3600), "hour")
    : plural(Math.round(size / DAY), "day");
  return gap >= 0 ? `${words} ago` : `in ${words}`;
}

/** As a field for date and time wants it: 2027-03-02T09:30. */
export const localMinute = (ts) => `${TOKENS.date_num(ts)}T${pad(date(ts).getHours())}:${pad(date(ts).getMinutes())}`;

const pad = (n) => String(n).padStart(2, "0");
const long = (ts) => `${WEEKDAY.format(date(ts))}, ${MONTH.format(date(ts))} ${ordinal(date(ts).getDate())}, ${date(ts).getFullYear()}`;
const middle = (ts) => `${MONTH.format(date(ts))} ${ordinal(date(ts).getDate())}, ${date(ts).getFullYear()}`;
const short = (ts) => `${MONTH_SHORT.format(date(ts))} ${date(ts).getDate()}, ${date(ts).getFullYear()}`;
const TOKENS = {
  date_num: (ts) => `${date(ts).getFullYear()}-${pad(date(ts).getMonth() + 1)}-${pad(date(ts).getDate())}`,
  date_slash: (ts) => `${pad(date(ts).getMonth() + 1)}/${pad(date(ts).getDate())}/${date(ts).getFullYear()}`,
  date_long: long, date_long_full: long, date: middle, date_short: short,
  date_pretty: (ts) => relativeDay(ts) || middle(ts),
  date_short_pretty: (ts) => relativeDay(ts) || short(ts),
  date_long_pretty: (ts) => relativeDay(ts) || long(ts),
  time: clock,
  time_secs: (ts) => CLOCK_SECONDS.format(date(ts)).replace(/\u202f/g, " "),
  ago, day_divider_pretty: (ts) => dayTitle(ts),
};

/** Slack's date tokens: "{date_short_pretty} at {time}". "today" is capitalised only where it opens a line. */
export function dateTokens(ts, format, opens = false) {
  if (!Number.isFinite(Number(ts))) return null;
  const text = String(format).replace(/\{(\w+)\}/g, (whole, name) => (TOKENS[name] ? TOKENS[name](ts) : whole));
  return opens && /^\{date_\w*pretty\}/.test(format) ? capital(text) : text;
}
