/** Short words at the edge of the screen: what was done, for a moment, or what went wrong and no form can show, until it was read. */

import { signal } from "@preact/signals";
import { text } from "../text/index.js";

const SECONDS = 6;
let number = 0;

/** `[{id, tone: "good" | "bad", words}]`. */
export const toasts = signal([]);

/** Say that something was done. */
export function say(words) {
  show("good", words);
}

/** Say why something failed: a Problem, or words. */
export function complain(problem) {
  show("bad", typeof problem === "string" ? problem : explain(problem));
}

/** A problem in a sentence for people. */
export function explain(problem) {
  return text.problems[problem.code] ?? problem.detail ?? text.problems.unknown;
}

/** Take one away. */
export function dismiss(id) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

function show(tone, words) {
  const id = ++number;
  toasts.value = [...toasts.value.slice(-3), { id, tone, words }];
  if (tone === "good") setTimeout(() => dismiss(id), SECONDS * 1000);
}
