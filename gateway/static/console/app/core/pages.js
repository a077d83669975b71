/** A listing that is read page by page as one scrolls. */

import { signal } from "@preact/signals";

/** `items`, `problem`, `loading`, `done` are signals; `fetchPage(cursor)` answers `{items, next_cursor}`. */
export class Pages {
  #cursor = null;
  #turn = 0;

  constructor(fetchPage) {
    this.fetchPage = fetchPage;
    this.items = signal([]);
    this.loading = signal(false);
    this.problem = signal(null);
    this.done = signal(false);
  }

  /** From the beginning; what is shown stays until the first page is there. */
  async reload() {
    this.#cursor = null;
    this.done.value = false;
    await this.#read(true);
  }

  /** The next page, unless one is on its way or there is none. */
  async more() {
    if (this.loading.value || this.done.value) return;
    await this.#read(false);
  }

  async #read(anew) {
    const turn = ++this.#turn;
    this.loading.value = true;
    this.problem.value = null;
    try {
      const page = await this.fetchPage(this.#cursor);
      if (turn !== this.#turn) return;
      const kept = anew ? [] : this.items.value;
      const known = new Set(kept.map((item) => item.id));
      this.items.value = [...kept, ...page.items.filter((item) => item.id === undefined || !known.has(item.id))];
      this.#cursor = page.next_cursor ?? null;
      this.done.value = this.#cursor === null;
    } catch (problem) {
      if (turn === this.#turn) this.problem.value = problem;
    } finally {
      if (turn === this.#turn) this.loading.value = false;
    }
  }
}
