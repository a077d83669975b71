/** All resources of a kind of which there are few, as agents, channels and teams: loaded whole, kept current by events. */

import { computed, signal } from "@preact/signals";
import { all } from "../core/api.js";
import { backoff } from "../core/pause.js";
import { newer } from "./order.js";

const AGAIN = { shortest: 5_000, longest: 60_000 };

export class Collection {
  #turn = 0;
  #failures = 0;
  #told = new Set(); // what came or went while all are loaded

  /** `path` of the listing; `order` compares two resources. */
  constructor(path, order) {
    this.path = path;
    this.byId = signal(new Map());
    this.loaded = signal(false);
    this.problem = signal(null);
    /** All of them, in order. */
    this.items = computed(() => [...this.byId.value.values()].sort(order));
  }

  get(id) {
    return this.byId.value.get(id);
  }

  /** Load all anew; what events tell meanwhile is not lost. */
  async load() {
    const turn = ++this.#turn;
    this.#told.clear();
    this.problem.value = null;
    try {
      const found = await all(this.path);
      if (turn !== this.#turn) return;
      const known = this.byId.peek();
      const items = new Map(found.map((item) => [item.id, newer(known.get(item.id), item)]));
      for (const id of this.#told) {
        if (!known.has(id)) items.delete(id);
        else if (!items.has(id)) items.set(id, known.get(id));
      }
      this.byId.value = items;
      this.loaded.value = true;
      this.#failures = 0;
    } catch (problem) {
      if (turn !== this.#turn) return;
      this.problem.value = problem;
      if (!problem.passing) return;
      // What is shown may be out of date, and nobody would notice.
      this.#failures += 1;
      setTimeout(() => turn === this.#turn && this.load(), backoff(this.#failures, { ...AGAIN, retryAfter: problem.retryAfter }));
    }
  }

  put(item) {
    this.#told.add(item.id);
    const known = this.byId.peek().get(item.id);
    if (known !== undefined && known.version >= item.version) return;
    this.byId.value = new Map(this.byId.peek()).set(item.id, item);
  }

  drop(id) {
    this.#told.add(id);
    const left = new Map(this.byId.peek());
    if (left.delete(id)) this.byId.value = left;
  }

  clear() {
    this.#turn += 1;
    this.byId.value = new Map();
    this.loaded.value = false;
  }
}
