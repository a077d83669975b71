/** Blocks and tests in words, for those who read a flow rather than its JSON. */

import { duration } from "../../core/format.js";
import { agents, teams } from "../../store/people.js";
import { text } from "../../text/index.js";
import { isObject } from "./document.js";

const DEPTH = 8;

/** What a block says to the visitor; empty for those that say nothing. */
export function saidBy(block) {
  const said = block.type === "ticket" ? block.subject : block.text;
  return typeof said === "string" ? said : "";
}

/** What a block does besides saying something, in sentences. */
export function doneBy(block) {
  return Object.hasOwn(DEEDS, block.type) ? DEEDS[block.type](block).filter(Boolean) : [];
}

const DEEDS = {
  question: ({ kind, field, retries }) => {
    const words = text.flow.says;
    return [
      words.question(text.flow.kinds[kind] ?? plain(kind), plain(field)),
      Number.isInteger(retries) && words.retries(retries),
    ];
  },
  buttons: ({ field, retries }) => {
    const words = text.flow.says;
    return [typeof field === "string" && words.keptIn(field), Number.isInteger(retries) && words.retries(retries)];
  },
  set: ({ field, value }) => {
    const words = text.flow.says;
    return [value === null || value === undefined ? words.clear(plain(field)) : words.set(plain(field), quoted(value))];
  },
  ticket: ({ description }) => [typeof description === "string" && description],
  delay: ({ seconds }) => [text.flow.says.delay(typeof seconds === "number" ? inWords(seconds) : plain(seconds))],
  assign: (block) => {
    const { strategies, priorities, says } = text.flow;
    const strategy = strategies[block.strategy ?? "least_busy"] ?? plain(block.strategy);
    return [says.assign(whom(block), strategy, priorities[block.priority ?? "normal"] ?? plain(block.priority))];
  },
  close: () => [text.flow.says.close],
};

/** How a way is called: by the option or the case that it belongs to. */
export function wayWords(block, path) {
  const words = text.flow.ways;
  const part = Array.isArray(block[path[0]]) ? block[path[0]][path[1]] : undefined;
  if (path[0] === "options") return words.option(plain(part?.label));
  if (path[0] === "cases") return words.case(testWords(part?.if));
  return words[path[0]];
}

/** Where a way leads that names no block. */
export function endWords(path) {
  const words = text.flow.ways;
  if (path[0] === "unavailable") return words.wait;
  return path[0] === "otherwise" ? words.human : words.end;
}

/** What a condition asks. */
function testWords(test, depth = 1) {
  const words = text.flow.test.words;
  if (!isObject(test) || depth > DEPTH) return words.unreadable;
  for (const joint of ["all", "any"]) {
    if (Array.isArray(test[joint])) {
      const parts = test[joint].map((part) =>
        isJoint(part) ? words.group(testWords(part, depth + 1)) : testWords(part, depth + 1),
      );
      return words[joint](parts);
    }
  }
  if (isObject(test.not)) return words.not(testWords(test.not, depth + 1));
  return Object.hasOwn(SUBJECTS, test.on) ? SUBJECTS[test.on](test) : words.unreadable;
}

const SUBJECTS = {
  field: (test) => text.flow.test.words.field(plain(test.field), relation(test), values(test)),
  country: (test) => text.flow.test.words.country(relation(test), values(test)),
  url: (test) =>
    text.flow.test.words.url(text.flow.test.pages[test.page ?? "last"] ?? plain(test.page), relation(test), values(test)),
  business_hours: (test) => text.flow.test.words.business_hours[test.is] ?? text.flow.test.words.unreadable,
  agents: (test) => text.flow.test.words.agents[test.is]?.(whom(test)) ?? text.flow.test.words.unreadable,
};

/** Whom a block or a test names: by name, as far as they are known. */
function whom({ agents: ids, team }) {
  const words = text.flow.says;
  if (Array.isArray(ids)) return words.agents(ids.map((id) => agents.get(id)?.name ?? plain(id)));
  if (typeof team === "string") return words.team(teams.get(team)?.name ?? team);
  return words.everyone;
}

function isJoint(test) {
  return isObject(test) && (Array.isArray(test.all) || Array.isArray(test.any));
}

function relation(test) {
  return text.flow.test.relations[test.is] ?? plain(test.is);
}

function values({ value }) {
  if (value === undefined) return "";
  return Array.isArray(value) ? text.flow.test.words.list(value.map(plain)) : quoted(value);
}

function quoted(value) {
  return typeof value === "string" ? text.flow.test.words.quote(value) : plain(value);
}

function inWords(seconds) {
  return seconds < 120 ? text.flow.says.seconds(seconds) : duration(seconds);
}

/** Whatever somebody wrote into the document, as text. */
function plain(value) {
  if (typeof value === "string") return value;
  return value === undefined ? "?" : JSON.stringify(value);
}
