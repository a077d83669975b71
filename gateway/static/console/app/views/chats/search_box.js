/** Where one says what to look for. It is looked for once one pauses, and stands in the address. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { IconButton } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";

const PAUSE = 250; // milliseconds
const LONGEST = 200; // characters, as the API takes them

/** `value` is what is looked for; `onSearch(value)` at every pause in writing. */
export function SearchBox({ value, onSearch }) {
  const id = useId();
  const [written, setWritten] = useState(value);
  const input = useRef(null);
  const timer = useRef(null);
  const told = useRef(value);
  const search = useRef(onSearch);
  search.current = onSearch; // one may be elsewhere when the pause is over
  useEffect(() => {
    // Changed from elsewhere: by the address, not by what was written here a moment ago.
    if (value === told.current) return;
    clearTimeout(timer.current);
    told.current = value;
    setWritten(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (words) => {
    clearTimeout(timer.current);
    told.current = words.trim();
    search.current(words.trim());
  };
  const write = (words) => {
    setWritten(words);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => tell(words), PAUSE);
  };
  const clear = () => {
    setWritten("");
    tell("");
    input.current.focus();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && written !== "") {
      event.preventDefault();
      event.stopPropagation();
      clear();
    }
  };
  return html`<form class="search-box" role="search" onSubmit=${(event) => {
    event.preventDefault();
    tell(written);
  }}>
    <label class="visually-hidden" for=${id}>${text.chats.search}</label>
    <${Icon} name="search" size=${16} />
    <input id=${id} class="input" ref=${input} type="text" inputmode="search" enterkeyhint="search" dir="auto" autocomplete="off" maxlength=${LONGEST}
      placeholder=${text.chats.search} value=${written} onInput=${(event) => write(event.currentTarget.value)} onKeyDown=${onKeyDown} />
    ${written !== "" && html`<${IconButton} icon="close" size=${14} label=${text.chats.removeFilter(written)} onClick=${clear} />`}
  </form>`;
}
