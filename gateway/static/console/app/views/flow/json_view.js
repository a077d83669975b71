/** The whole flow as JSON, for those who know it: the other view of the same draft. */

import { useRef, useState } from "preact/hooks";
import { TextArea } from "../../components/field.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { isObject } from "./document.js";

export function JsonView({ desk }) {
  const words = text.flow.json;
  const { editor } = desk;
  const flow = editor.flow.value;
  const broken = editor.broken.value;
  // What was typed stays as it was typed, as long as it says what the draft says.
  const [typed, setTyped] = useState("");
  const said = useRef(undefined);
  const shown = broken?.text ?? (said.current === flow && flow !== null ? typed : written(flow));
  const input = (value) => {
    setTyped(value);
    const { flow: read, message } = parse(value);
    if (message !== undefined) {
      editor.broken.value = { text: value, message };
      return;
    }
    said.current = read;
    editor.change(read, "json");
  };
  return html`<div class="flow-json">
    ${broken !== null && html`<p class="field-errors" role="alert">${broken.message}</p>`}
    <${TextArea} label=${words.label} hint=${words.hint} rows=${26} spellcheck="false" autocapitalize="off" value=${shown} dir="ltr"
      aria-invalid=${broken !== null || undefined} onInput=${input} />
  </div>`;
}

function written(flow) {
  return flow === null ? "" : JSON.stringify(flow, null, 2);
}

function parse(value) {
  const words = text.flow.json;
  if (value.trim() === "") return { message: words.notObject };
  try {
    const flow = JSON.parse(value);
    return isObject(flow) ? { flow } : { message: words.notObject };
  } catch (error) {
    return { message: `${words.broken}: ${error.message}` };
  }
}
