/** Tells the others that one is writing: again while it lasts, and when it is over. Lost signals are no loss. */

import { post } from "../../core/api.js";

const EVERY = 3_000;

export class OwnTyping {
  #toldAt = -Infinity;

  constructor(conversationId) {
    this.id = conversationId;
  }

  write() {
    if (performance.now() - this.#toldAt < EVERY) return;
    this.#toldAt = performance.now();
    this.#tell(true);
  }

  stop() {
    if (this.#toldAt === -Infinity) return;
    this.#toldAt = -Infinity;
    this.#tell(false);
  }

  #tell(typing) {
    post(`/v1/conversations/${this.id}/typing`, { typing }).catch(() => {});
  }
}
