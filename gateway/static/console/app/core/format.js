/** How times, durations, numbers and countries are written. Times are the browser's own. */

import { signal } from "@preact/signals";
import { text } from "../text/index.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const pageLanguage = document.documentElement.lang;
/** The page's language, in the person's variant of it where they have one. */
export const language = navigator.languages.find((each) => each.split("-")[0] === pageLanguage) ?? pageLanguage;
const clockFormat = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const weekdayFormat = new Intl.DateTimeFormat(language, { weekday: "long" });
const dayFormat = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const yearFormat = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
const exactFormat = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const fullFormat = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });
const numberFormat = new Intl.NumberFormat(language);

/** The present, renewed every half minute: what says "today" or "for 3 minutes" reads it. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 30_000);

/** `09:05`. */
export function clock(time) {
  return clockFormat.format(new Date(time));
}

/** `Today`, `Yesterday`, `Monday`, `24 Nov`, `24 Nov 2025`. */
export function day(time) {
  const days = daysAgo(time);
  if (days === 0) return text.time.today;
  if (days === 1) return text.time.yesterday;
  if (days > 1 && days < 7) return weekdayFormat.format(new Date(time));
  const sameYear = new Date(time).getFullYear() === new Date(now.value).getFullYear();
  return (sameYear ? dayFormat : yearFormat).format(new Date(time));
}

/** For lists: today's as `09:05`, yesterday's as `Yesterday 17:40`, older ones as `24 Nov 17:40`. */
export function moment(time) {
  const days = daysAgo(time);
  if (days === 0) return clock(time);
  if (days === 1) return `${text.time.yesterday} ${clock(time)}`;
  const sameYear = new Date(time).getFullYear() === new Date(now.value).getFullYear();
  return `${(sameYear ? dayFormat : yearFormat).format(new Date(time))} ${clock(time)}`;
}

/** To the second, as logs want it: `24 Nov 2026, 09:05:31`. */
export function exact(time) {
  return exactFormat.format(new Date(time));
}

/** All there is of a time: for titles. */
export function fullTime(time) {
  return fullFormat.format(new Date(time));
}

/** `less than a minute`, `4 min`, `2 h 5 min`, `3 days`. */
export function duration(seconds) {
  if (seconds < MINUTE) return text.time.moment;
  if (seconds < HOUR) return text.time.minutes(Math.round(seconds / MINUTE));
  if (seconds < DAY) return text.time.hours(Math.floor(seconds / HOUR), Math.round((seconds % HOUR) / MINUTE));
  return text.time.days(Math.floor(seconds / DAY));
}

/** Seconds since a time. */
export function since(time) {
  return Math.max(0, (now.value - Date.parse(time)) / 1000);
}

/** `1,200`. */
export function number(value) {
  return numberFormat.format(value);
}

/** The flag of a country by its ISO 3166-1 code, as two regional indicator letters. */
export function flag(code) {
  if (!/^[A-Z]{2}$/.test(code)) return "";
  return String.fromCodePoint(...[...code].map((letter) => 0x1f1e6 + letter.charCodeAt(0) - 65));
}

function daysAgo(time) {
  const midnight = (value) => new Date(value).setHours(0, 0, 0, 0);
  return Math.round((midnight(now.value) - midnight(time)) / (DAY * 1000));
}
