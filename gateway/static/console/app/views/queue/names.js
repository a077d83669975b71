/** The names of those who wait: of whom nothing was heard so far, they are asked for a few at a time, as they come into view. */

import { useComputed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { conversations, fetchConversation } from "../../store/conversations.js";
import { text } from "../../text/index.js";

const AT_ONCE = 3;
const NEAR = "200px"; // to the view

const wanted = new Map(); // by conversation id: what to do when it can't be known
let asking = 0;

/** The contact's name, undefined until it is known; `row` is a ref of what is in view or isn't. */
export function useName(id, row) {
  const known = useComputed(() => conversations.at(id).value?.contact.name);
  const [unknown, setUnknown] = useState(false);
  const name = known.value;
  const isMissing = name === undefined && !unknown;
  useEffect(() => {
    if (!isMissing) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        wanted.set(id, () => setUnknown(true));
        ask();
      },
      { rootMargin: NEAR },
    );
    observer.observe(row.current);
    return () => {
      observer.disconnect();
      wanted.delete(id);
    };
  }, [id, isMissing]);
  return name ?? (unknown ? text.chats.queue.unknownContact : undefined);
}

async function ask() {
  if (asking === AT_ONCE) return;
  asking += 1;
  while (wanted.size > 0) {
    const [[id, fail]] = wanted;
    wanted.delete(id);
    await fetchConversation(id).catch(fail);
  }
  asking -= 1;
}
