/** The windows in which blocks are added, renamed and moved. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Dialog } from "../../components/dialog.js";
import { Select, TextField } from "../../components/field.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { freeName, ways, wrongName } from "./document.js";
import { TYPES } from "./kinds.js";
import { wayWords } from "./words.js";

/** `spot`: where it is proposed to be put. */
export function AddDialog({ desk, spot, onClose }) {
  const words = text.flow.dialogs;
  const flow = desk.editor.flow.value;
  const [type, setType] = useState("message");
  const [typed, setTyped] = useState(null);
  const [where, setWhere] = useState(keyOf(spot));
  const spots = spotsOf(desk, flow);
  const title = typed ?? freeName(flow, type);
  const submit = () => {
    onClose();
    desk.add(title, type, spots.find((each) => each.value === where).spot);
  };
  const types = TYPES.map((each) => ({ value: each, label: `${text.flow.types[each]}: ${text.flow.typeHints[each]}` }));
  return html`<${Dialog} title=${words.add.title} onClose=${onClose}>
    <${NamedForm} flow=${flow} value=${title} onInput=${setTyped} action=${words.add.submit} onSubmit=${submit} onClose=${onClose}>
      <${Select} label=${words.add.type} value=${type} options=${types} onInput=${setType} />
      <${Select} label=${words.spot} value=${where} options=${spots} onInput=${setWhere} />
    <//>
  <//>`;
}

export function RenameDialog({ desk, name: present, onClose }) {
  const words = text.flow.dialogs;
  const [typed, setTyped] = useState(present);
  const submit = () => {
    onClose();
    if (typed !== present) desk.rename(present, typed);
  };
  return html`<${Dialog} title=${words.rename.title(present)} onClose=${onClose}>
    <${NamedForm} flow=${desk.editor.flow.value} value=${typed} own=${present} onInput=${setTyped} action=${words.rename.submit} onSubmit=${submit} onClose=${onClose} />
  <//>`;
}

export function MoveDialog({ desk, name: moved, onClose }) {
  const words = text.flow.dialogs;
  const spots = spotsOf(desk, desk.editor.flow.value, moved).filter(({ spot }) => spot !== null);
  const [where, setWhere] = useState(spots[0].value);
  const submit = (event) => {
    event.preventDefault();
    onClose();
    desk.move(moved, spots.find((each) => each.value === where).spot);
  };
  return html`<${Dialog} title=${words.move.title(moved)} onClose=${onClose}>
    <form class="form" onSubmit=${submit}>
      <p class="soft">${words.move.lead}</p>
      <${Select} label=${words.spot} value=${where} options=${spots} onInput=${setWhere} />
      <footer class="dialog-foot">
        <${Button} onClick=${onClose}>${text.actions.cancel}<//>
        <${Button} kind="primary" type="submit">${words.move.submit}<//>
      </footer>
    </form>
  <//>`;
}

/** A form that asks for a block's name, among other things. `own`: the name that the block has already. */
function NamedForm({ flow, value, own, onInput, action, onSubmit, onClose, children }) {
  const words = text.flow.dialogs;
  const [tried, setTried] = useState(false);
  const wrong = value === own ? null : wrongName(flow, value);
  const submit = (event) => {
    event.preventDefault();
    setTried(true);
    if (wrong === null) onSubmit();
  };
  return html`<form class="form" onSubmit=${submit}>
    ${children}
    <${TextField} label=${words.name} hint=${words.nameHint} value=${value} maxlength="64" autocomplete="off" spellcheck="false"
      errors=${wrong !== null && (tried || wrong === "taken") ? [words.wrong[wrong]] : []} onInput=${onInput} />
    <footer class="dialog-foot">
      <${Button} onClick=${onClose}>${text.actions.cancel}<//>
      <${Button} kind="primary" type="submit">${action}<//>
    </footer>
  </form>`;
}

/** Every place at which a block can be put; not one of `moved` itself. */
function spotsOf(desk, flow, moved = null) {
  const words = text.flow.dialogs.spots;
  const found = desk.names.value
    .filter((from) => from !== moved)
    .flatMap((from) => ways(desk.editor.block(from)).map(({ path }) => ({ from, path })));
  return [
    { value: keyOf(null), label: words.none, spot: null },
    ...(flow.start === moved ? [] : [{ value: keyOf("start"), label: words.start, spot: "start" }]),
    ...found.map((spot) => ({
      value: keyOf(spot),
      label: words.way(spot.from, wayWords(desk.editor.block(spot.from), spot.path)),
      spot,
    })),
  ];
}

function keyOf(spot) {
  return JSON.stringify(spot);
}
