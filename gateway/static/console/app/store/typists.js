/** Who is writing in a conversation right now: nobody says so for long. */

import { signal } from "@preact/signals";
import { me } from "../core/session.js";

const SECONDS = 8; // clients repeat the signal every few seconds while it lasts

export class Typists {
  #timers = new Map();

  /** `[{kind, id, name}]`, without oneself. */
  authors = signal([]);

  /** A signal came. */
  hear({ author, typing }) {
    if (author.kind === "agent" && author.id === me.peek()?.id) return;
    if (!typing) {
      this.silence(author);
      return;
    }
    const key = keyOf(author);
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => this.silence(author), SECONDS * 1000),
    );
    if (!this.authors.peek().some((known) => keyOf(known) === key)) this.authors.value = [...this.authors.peek(), author];
  }

  /** This one has said it, or stopped. */
  silence(author) {
    const key = keyOf(author);
    clearTimeout(this.#timers.get(key));
    if (this.#timers.delete(key)) this.authors.value = this.authors.peek().filter((known) => keyOf(known) !== key);
  }

  clear() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.authors.value = [];
  }
}

function keyOf({ kind, id, name }) {
  return `${kind} ${id ?? name}`;
}
