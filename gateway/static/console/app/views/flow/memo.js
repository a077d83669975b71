/** Flows have hundreds of blocks, of which a keystroke changes one. */

import { Component } from "preact";
import { html } from "../../html.js";

/** The component, drawn anew only when one of its properties is another one; signals that it reads count besides. */
export function memo(Inner) {
  return class extends Component {
    shouldComponentUpdate(next) {
      return Object.keys(next).some((property) => next[property] !== this.props[property]);
    }

    render(props) {
      return html`<${Inner} ...${props} />`;
    }
  };
}
