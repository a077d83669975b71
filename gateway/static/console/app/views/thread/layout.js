/** How messages are laid out: by day, and within a day one author's in a row together. */

/**
 * `[{key, at, turns: [{message, heads, ends, isNew}]}]`; `newFrom` is the seq at which the new ones begin, or null.
 * A turn heads a row of one author's, or ends it.
 */
export function layOut(messages, newFrom) {
  const days = [];
  let day;
  let before;
  for (const message of messages) {
    const key = dayOf(message.created_at);
    // Two servers' clocks may differ a little at midnight: a day that is over doesn't come again.
    const isNewDay = day === undefined || key > day.key;
    if (isNewDay) days.push((day = { key, at: message.created_at, turns: [] }));
    const isNew = message.seq === newFrom;
    const heads = isNewDay || isNew || !isSameAuthor(before.author, message.author);
    if (heads && day.turns.length > 0) day.turns.at(-1).ends = true;
    day.turns.push({ message, heads, ends: false, isNew });
    before = message;
  }
  for (const { turns } of days) turns.at(-1).ends = true;
  return days;
}

function isSameAuthor(one, other) {
  return one.kind === other.kind && one.id === other.id && one.name === other.name;
}

function dayOf(time) {
  const date = new Date(time);
  const part = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`;
}
