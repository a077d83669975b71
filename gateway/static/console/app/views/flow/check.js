/** What is wrong with a draft, asked of the server whenever the draft has rested for a moment. */

import { computed, effect, signal } from "@preact/signals";
import { post } from "../../core/api.js";

const REST = 600; // milliseconds; checks and plays together are limited to sixty a minute
const AGAIN = 3_000;

export class FlowCheck {
  #timer = null;
  #stop = () => {};

  /** `flow`: the draft's signal. */
  constructor(path, flow) {
    this.path = `${path}/check`;
    this.flow = flow;
    /** `{flow, valid, problems}` of the last draft that was looked at; null before. */
    this.result = signal(null);
    this.problem = signal(null);
    /** Whether the result is of the draft as it is. */
    this.current = computed(() => this.result.value !== null && this.result.value.flow === this.flow.value);
    this.problems = computed(() => (this.flow.value === null ? [] : (this.result.value?.problems ?? [])));
  }

  open() {
    this.#stop = effect(() => {
      const flow = this.flow.value;
      clearTimeout(this.#timer);
      if (flow !== null) this.#timer = setTimeout(() => this.#ask(flow), this.result.peek() === null ? 0 : REST);
    });
  }

  close() {
    this.#stop();
    clearTimeout(this.#timer);
  }

  /** What a refused PUT said: `errors` by place. */
  refuse(flow, errors) {
    const problems = Object.entries(errors).flatMap(([place, texts]) => texts.map((message) => ({ place, message })));
    this.result.value = { flow, valid: false, problems };
  }

  async #ask(flow) {
    try {
      const { valid, problems } = await post(this.path, flow);
      if (flow !== this.flow.peek()) return;
      this.problem.value = null;
      this.result.value = { flow, valid, problems };
    } catch (problem) {
      if (flow !== this.flow.peek()) return;
      this.problem.value = problem;
      if (problem.passing) this.#timer = setTimeout(() => this.#ask(flow), Math.max(problem.retryAfter * 1000, AGAIN));
    }
  }
}

/** Problems by the block that they are about, each with its place within it: `Map` of `[{place, message}]`. */
export function byBlock(problems, names) {
  const found = new Map();
  for (const { place, message } of problems) {
    const name = blockOf(place, names);
    if (name === null) continue;
    found.set(name, [...(found.get(name) ?? []), { place: place.slice(`blocks.${name}.`.length), message }]);
  }
  return found;
}

/** The block that a problem is about, of the names there are; null when it is about none of them. */
export function blockOf(place, names) {
  const found = names.filter((name) => place === `blocks.${name}` || place.startsWith(`blocks.${name}.`));
  return found.sort((one, other) => other.length - one.length)[0] ?? null;
}

/** Texts of the problems exactly at a place. */
export function textsAt(problems, place) {
  return problems.filter((problem) => problem.place === place).map(({ message }) => message);
}

/** Problems under a path, with their places from there. */
export function problemsUnder(problems, path) {
  return problems
    .filter(({ place }) => place === path || place.startsWith(`${path}.`))
    .map(({ place, message }) => ({ place: place.slice(path.length + 1), message }));
}
