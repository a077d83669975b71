/** The types of blocks: what a new one says of itself, and which of its properties the form shows. */

import { text } from "../../text/index.js";

export const KINDS = ["text", "name", "email", "phone", "number", "date", "choice"];
export const MAX_OPTIONS = 20;

const FIELDS = {
  message: ["text", "next"],
  question: ["kind", "text", "field", "options", "retry", "retries", "otherwise", "next"],
  buttons: ["text", "field", "options", "retry", "retries", "otherwise"],
  condition: ["cases", "else"],
  set: ["field", "value", "next"],
  ticket: ["subject", "description", "next"],
  delay: ["seconds", "next"],
  assign: ["text", "strategy", "agents", "team", "priority", "unavailable"],
  goto: ["next"],
  close: ["text"],
};
export const TYPES = Object.keys(FIELDS);

const NEW = {
  message: (words) => ({ text: words.message, next: null }),
  question: (words) => ({ kind: "text", text: words.question, field: "answer", next: null }),
  buttons: (words) => ({ text: words.question, options: newOptions(true) }),
  condition: () => ({ cases: [newCase()], else: null }),
  set: () => ({ field: "source", value: "website", next: null }),
  ticket: (words) => ({ subject: words.subject, description: null, next: null }),
  delay: () => ({ seconds: 60, next: null }),
  assign: (words) => ({
    text: words.assign,
    strategy: "least_busy",
    agents: null,
    team: null,
    priority: "normal",
    unavailable: "wait",
  }),
  goto: () => ({ next: null }),
  close: (words) => ({ text: words.close }),
};

/** A block that runs as it is, once its ways lead somewhere. */
export function newBlock(type) {
  return { type, ...NEW[type](text.flow.fresh) };
}

/** A case that asks something, to be made one's own. */
export function newCase() {
  return { if: newTest("business_hours"), next: null };
}

/** A test of a subject, or of the combination `all`, `any` or `not`. */
export function newTest(subject) {
  return {
    field: { on: "field", field: "email", is: "set" },
    country: { on: "country", is: "known" },
    url: { on: "url", page: "last", is: "contains", value: "/" },
    business_hours: { on: "business_hours", is: "open" },
    agents: { on: "agents", is: "available" },
    all: { all: [{ on: "business_hours", is: "open" }] },
    any: { any: [{ on: "business_hours", is: "open" }] },
    not: { not: { on: "business_hours", is: "open" } },
  }[subject];
}

/** One more option, whose value is none of the others'. */
export function newOption(others, withNext) {
  let number = others.length + 1;
  while (others.some((option) => option?.value === `option_${number}`)) number += 1;
  return { label: text.flow.fresh.option(number), value: `option_${number}`, ...(withNext && { next: null }) };
}

/** Two, as a question of kind choice or buttons begin with. */
export function newOptions(withNext) {
  const first = newOption([], withNext);
  return [first, newOption([first], withNext)];
}

/** Whether the form of a type shows a property: what is wrong with it is told there. */
export function isShown(type, property) {
  return Object.hasOwn(FIELDS, type) && FIELDS[type].includes(property);
}
