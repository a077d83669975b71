/** What is shown instead of content: that it is on its way, that there is none, that it failed. */

import { Component } from "preact";
import { explain } from "../core/toasts.js";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/** Grey lines where content will be. */
export function Skeleton({ lines = 3 }) {
  return html`<div class="skeleton" role="status">
    <span class="visually-hidden">${text.states.loading}</span>
    ${Array.from({ length: lines }, (_, index) => html`<div key=${index} class="skeleton-line" />`)}
  </div>`;
}

/** Nothing is here, and why, or what to do. */
export function Empty({ icon, title, children }) {
  return html`<div class="empty">
    ${icon && html`<${Icon} name=${icon} size=${32} />`}
    <p class="empty-title">${title}</p>
    ${children && html`<div class="soft">${children}</div>`}
  </div>`;
}

/** It could not be loaded: why, and once more. */
export function Failed({ problem, onRetry }) {
  return html`<div class="failed" role="alert">
    <${Icon} name="warning" />
    <p>${problem ? explain(problem) : text.states.failed}</p>
    ${onRetry && html`<${Button} small onClick=${onRetry}>${text.actions.retry}<//>`}
  </div>`;
}

/** What is shown could not be read again, for whatever reason; `problem` instead where nothing was read at all. */
export function Outdated({ problem, onRetry }) {
  return html`<p class="outdated" role="status">
    <${Icon} name="warning" size=${14} /><span>${problem ? explain(problem) : text.states.outdated}</span>
    <${Button} kind="quiet" small onClick=${onRetry}>${text.actions.retry}<//>
  </p>`;
}

/** A Loading's three states; `children(value)` shows what was loaded. */
export function Loaded({ loading, lines = 3, children }) {
  const value = loading.value.value;
  const problem = loading.problem.value;
  if (value !== undefined) return children(value);
  if (problem !== null) return html`<${Failed} problem=${problem} onRetry=${() => loading.reload()} />`;
  return html`<${Skeleton} lines=${lines} />`;
}

/** Keeps a fault in one part of the page from taking the rest with it. */
export class Boundary extends Component {
  state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  componentDidCatch(error) {
    reportError(error);
  }

  render({ children }, { crashed }) {
    if (!crashed) return children;
    return html`<div class="failed" role="alert">
      <${Icon} name="warning" />
      <p>${text.states.crashed}</p>
      <${Button} small onClick=${() => location.reload()}>${text.states.reload}<//>
    </div>`;
  }
}
