/**
 * Keeps a growing list where the person is: at its end, or at what they read.
 *
 * Not left to the browser's own scroll anchoring: Safari has none for long, and it does nothing at the very top, where older
 * messages come in.
 */

import { signal } from "@preact/signals";

const NEAR = 40; // pixels from the end that count as the end

export class ScrollKeeper {
  #frame = null;
  #anchor = null;
  #place = 0;
  #top = 0;
  #observer = new ResizeObserver(() => this.keep());

  /** Whether the end is in view: then it stays so. Not known to be before the view has its place. */
  atEnd = signal(false);

  /** `frame` scrolls; its only child holds all that grows. */
  attach(frame) {
    this.#frame = frame;
    frame.addEventListener("scroll", this.#look, { passive: true });
    this.#observer.observe(frame);
    this.#observer.observe(frame.firstElementChild);
  }

  detach() {
    this.#observer.disconnect();
    this.#frame.removeEventListener("scroll", this.#look);
  }

  /** Put right what a change of the content moved. */
  keep() {
    const frame = this.#frame;
    // The person may have scrolled already, and the browser not told of it yet.
    if (this.atEnd.peek() && frame.scrollTop !== this.#top) this.#look();
    if (this.atEnd.peek()) {
      frame.scrollTop = frame.scrollHeight;
    } else if (this.#anchor?.isConnected) {
      // By where it is in the content, whatever was scrolled since it was last looked at.
      const place = this.#placeOf(this.#anchor);
      if (place !== this.#place) frame.scrollTop += place - this.#place;
      this.#place = place;
    }
    this.#top = frame.scrollTop;
  }

  toEnd() {
    this.#frame.scrollTop = this.#frame.scrollHeight;
    this.#look();
  }

  /** So that the element is near the top of the view. */
  toElement(element) {
    this.#frame.scrollTop = this.#placeOf(element) - this.#frame.clientHeight / 5;
    this.#look();
  }

  #look = () => {
    const { scrollTop, scrollHeight, clientHeight } = this.#frame;
    this.#top = scrollTop;
    this.atEnd.value = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.atEnd.peek()) return;
    this.#anchor = this.#firstInView() ?? this.#anchor;
    if (this.#anchor) this.#place = this.#placeOf(this.#anchor);
  };

  #firstInView() {
    const { left, top, width, height } = this.#frame.getBoundingClientRect();
    for (let y = 4; y < height; y += 24) {
      const row = document.elementFromPoint(left + width / 2, top + y)?.closest("[data-seq]");
      if (row && this.#frame.contains(row)) return row;
    }
    return null;
  }

  #placeOf(element) {
    return element.getBoundingClientRect().top - this.#frame.getBoundingClientRect().top + this.#frame.scrollTop;
  }
}
