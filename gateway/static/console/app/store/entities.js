/** Resources of one kind by id, each in a signal of its own, so that what changed is drawn anew and nothing else. */

import { signal } from "@preact/signals";

export class Entities {
  #signals = new Map();

  /** The signal of a resource; its value is undefined until one is put. */
  at(id) {
    let known = this.#signals.get(id);
    if (known === undefined) this.#signals.set(id, (known = signal(undefined)));
    return known;
  }

  /** The resource, read without being told of changes. */
  peek(id) {
    return this.#signals.get(id)?.peek();
  }

  /** Keep a resource unless a newer version is known. Says whether it was kept. */
  put(resource) {
    const known = this.at(resource.id);
    if (known.peek() !== undefined && known.peek().version > resource.version) return false;
    known.value = resource;
    return true;
  }

  drop(id) {
    const known = this.#signals.get(id);
    if (known !== undefined) known.value = undefined;
  }

  clear() {
    for (const known of this.#signals.values()) known.value = undefined;
    this.#signals.clear();
  }
}
