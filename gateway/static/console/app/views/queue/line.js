/**
 * Who waits for an agent, next one first: read page by page, changed as events tell of those who are shown, and read again now and then
 * while the line moves, for events tell only those in front of their places.
 */

import { signal } from "@preact/signals";
import { get } from "../../core/api.js";
import { on } from "../../core/stream.js";
import { onConversation } from "../../store/conversations.js";

const PAGE = 50;
const SOON = 300; // milliseconds; one agent who comes moves everybody, each told by an event
const PAUSE = 2_000; // for each page that is read again: thirty calls a minute at most, however long the line is

export class Line {
  #cursor = null;
  #pages = 1;
  #turn = 0;
  #timer = null;
  #moved = false;
  #readAt = 0;
  #left = new Set(); // who went while the line is read
  #closed = false;
  #stops;

  /** `close` when it is no longer shown. */
  constructor() {
    this.items = signal([]);
    this.loaded = signal(false);
    /** Whether further ones are on their way; not while what is shown is read again. */
    this.loading = signal(false);
    this.problem = signal(null);
    this.done = signal(false);
    this.#stops = [
      on("assignment.updated", (assignment) => this.#hear(assignment)),
      onConversation(({ id, handler, status }) => this.#see(id, handler === "queue" && status === "open")),
    ];
  }

  close() {
    this.#turn += 1;
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  /** As much as is shown, from the beginning. */
  async reload() {
    await this.#read(async () => {
      const found = [];
      let cursor = null;
      for (let page = 0; page < this.#pages; page += 1) {
        const { items, next_cursor } = await this.#fetch(cursor);
        found.push(...items);
        cursor = next_cursor ?? null;
        if (cursor === null) this.#pages = page + 1;
      }
      return { found, cursor };
    });
    this.#readAt = Date.now();
  }

  /** The next page, unless one is on its way or there is none; after a failure the same once more. */
  async more() {
    if (this.loading.peek()) return;
    if (!this.loaded.peek()) {
      await this.reload();
    } else if (!this.done.peek()) {
      this.loading.value = true;
      this.#pages += 1;
      await this.#read(async () => {
        const { items, next_cursor } = await this.#fetch(this.#cursor);
        return { found: [...this.items.peek(), ...items], cursor: next_cursor ?? null };
      });
      this.loading.value = false;
    }
  }

  /** It doesn't wait any more. */
  drop(conversationId) {
    this.#left.add(conversationId);
    this.items.value = this.items.peek().filter((item) => item.conversation_id !== conversationId);
  }

  #fetch(cursor) {
    return get("/v1/queue", { cursor, limit: PAGE });
  }

  async #read(find) {
    const turn = ++this.#turn;
    this.problem.value = null;
    this.#left.clear();
    try {
      const { found, cursor } = await find();
      if (turn !== this.#turn) return;
      const waiting = found.filter((item) => !this.#left.has(item.conversation_id));
      this.items.value = [...new Map(waiting.map((item) => [item.conversation_id, item])).values()];
      this.#cursor = cursor;
      this.done.value = cursor === null;
      this.loaded.value = true;
    } catch (problem) {
      if (turn === this.#turn) this.problem.value = problem;
    }
  }

  #hear({ conversation_id: id, state, queue_position, estimated_wait_seconds, priority, returned }) {
    if (state !== "queued") {
      this.#see(id, false);
      return;
    }
    const items = this.items.peek();
    const at = items.findIndex((item) => item.conversation_id === id);
    if (at !== -1) {
      const position = queue_position ?? items[at].position;
      const told = { ...items[at], position, estimated_wait_seconds, priority, returned };
      this.items.value = items.with(at, told).sort((one, other) => one.position - other.position);
    }
    this.#reloadSoon();
  }

  /** Whether one waits. Of one who is shown and still does, an assignment tells more. */
  #see(id, waits) {
    const isShown = this.items.peek().some((item) => item.conversation_id === id);
    if (isShown === waits) return;
    if (isShown) this.drop(id);
    this.#reloadSoon();
  }

  #reloadSoon() {
    if (this.#closed) return;
    this.#moved = true;
    this.#timer ??= setTimeout(() => this.#again(), Math.max(SOON, this.#readAt + PAUSE * this.#pages - Date.now()));
  }

  async #again() {
    this.#moved = false;
    await this.reload();
    this.#timer = null;
    if (this.#moved) this.#reloadSoon();
  }
}
