/** A listing that is read page by page and kept current by what events tell: a contact's notes and tickets, a conversation's decisions. */

import { computed, signal } from "@preact/signals";
import { Pages } from "../core/pages.js";
import { newer } from "./order.js";

export class LiveList {
  #heard = signal(new Map()); // by id: the newest that was told since the listing was read, null for what was removed
  #pages;
  #stops = [];
  #turn = 0;

  /**
   * `fetchPage(cursor)` answers `{items, next_cursor}`; `order` compares two items as the listing does; `holds(item)` says what
   * belongs to it; `listen(list)` begins to bring what is told, and answers how to stop, each.
   */
  constructor({ fetchPage, order, listen = () => [], holds = () => true }) {
    this.listen = listen;
    this.#pages = new Pages(fetchPage);
    this.loading = this.#pages.loading;
    this.problem = this.#pages.problem;
    this.done = this.#pages.done;
    this.loaded = signal(false);
    /** In the listing's order. */
    this.items = computed(() => merge(this.#pages.items.value, this.#heard.value, { order, holds, done: this.done.value }));
  }

  open() {
    this.#stops = this.listen(this);
  }

  close() {
    for (const stop of this.#stops) stop();
  }

  /** From the beginning. What is told meanwhile is not lost; what was told before is in the answer. */
  async reload() {
    const turn = ++this.#turn;
    const before = this.#heard.peek();
    await this.#pages.reload();
    if (turn !== this.#turn || this.problem.peek() !== null) return;
    this.#heard.value = new Map([...this.#heard.peek()].filter(([id, item]) => before.get(id) !== item));
    this.loaded.value = true;
  }

  /** The next page; the first one when it could not be read. */
  async more() {
    if (this.loading.peek()) return;
    await (this.loaded.peek() ? this.#pages.more() : this.reload());
  }

  /** One is new or has changed. */
  put(item) {
    const known = this.#heard.peek().get(item.id);
    if (known !== null) this.#hear(item.id, newer(known, item));
  }

  /** One was removed. */
  drop(id) {
    this.#hear(id, null);
  }

  #hear(id, item) {
    this.#heard.value = new Map(this.#heard.peek()).set(id, item);
  }
}

function merge(read, heard, { order, holds, done }) {
  const known = new Set(read.map((item) => item.id));
  const last = read.at(-1);
  // What belongs behind the last one that was read comes with its page.
  const added = [...heard.values()].filter(
    (item) => item !== null && !known.has(item.id) && (done || (last !== undefined && order(item, last) < 0)),
  );
  const current = read.map((item) => (heard.get(item.id) === null ? null : newer(item, heard.get(item.id) ?? item)));
  return [...added, ...current.filter((item) => item !== null)].filter(holds).sort(order);
}
