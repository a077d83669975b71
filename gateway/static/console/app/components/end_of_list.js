/** The end of a list that goes on: asks for more as soon as it is near the view, and offers a button besides. */

import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { Button } from "./button.js";
import { Failed, Skeleton } from "./states.js";

/** `pages`: has the signals `loading`, `problem`, `done` and the method `more`; `byHand`: asks only when the button is pressed, where something follows. */
export function EndOfList({ pages, byHand = false }) {
  const element = useRef(null);
  const { loading, problem, done } = pages;
  useEffect(() => {
    if (byHand || element.current === null) return undefined;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && pages.more(), {
      rootMargin: "400px",
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [pages, loading.value, problem.value, done.value]);
  if (problem.value !== null) return html`<${Failed} problem=${problem.value} onRetry=${() => pages.more()} />`;
  if (loading.value) return html`<${Skeleton} lines=${2} />`;
  if (done.value) return null;
  return html`<div ref=${element} class="end-of-list"><${Button} kind="quiet" small onClick=${() => pages.more()}>${text.actions.more}<//></div>`;
}
