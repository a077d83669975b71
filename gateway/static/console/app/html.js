/** Markup in the language itself: `html` makes Preact's nodes, whose texts and attributes are never parsed as markup. */

import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
