/** Who waits for an agent, next one first: read page by page, and read again whenever an event says that the line has moved. */

import { signal } from "@preact/signals";
import { get } from "../../core/api.js";
import { on } from "../../core/stream.js";
import { onConversation } from "../../store/conversations.js";

const PAGE = 50;
const PAUSE = 300; // milliseconds; one agent who comes moves everybody, each told by an event

export class Line {
  #cursor = null;
  #pages = 1;
  #turn = 0;
  #timer = null;
  #moved = false;
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
      on("assignment.updated", ({ conversation_id, state }) => this.#hear(conversation_id, state === "queued")),
      onConversation(({ id, handler, status }) => this.#hear(id, handler === "queue" && status === "open")),
    ];
  }

  close() {
    this.#turn += 1;
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
        if (cursor === null) break;
      }
      return { found, cursor };
    });
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
    this.items.value = this.items.peek().filter((item) => item.conversation_id !== conversationId);
  }

  #fetch(cursor) {
    return get("/v1/queue", { cursor, limit: PAGE });
  }

  async #read(find) {
    const turn = ++this.#turn;
    this.problem.value = null;
    try {
      const { found, cursor } = await find();
      if (turn !== this.#turn) return;
      this.items.value = [...new Map(found.map((item) => [item.conversation_id, item])).values()];
      this.#cursor = cursor;
      this.done.value = cursor === null;
      this.loaded.value = true;
    } catch (problem) {
      if (turn === this.#turn) this.problem.value = problem;
    }
  }

  #hear(conversationId, waits) {
    const known = this.items.peek().some((item) => item.conversation_id === conversationId);
    if (known && !waits) this.drop(conversationId);
    if (known || waits) this.#reloadSoon();
  }

  #reloadSoon() {
    this.#moved = true;
    this.#timer ??= setTimeout(async () => {
      this.#moved = false;
      await this.reload();
      this.#timer = null;
      if (this.#moved) this.#reloadSoon();
    }, PAUSE);
  }
}
