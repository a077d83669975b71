/** Addresses in what people write, and which of them may be followed. */

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/gi;

/** Texts and links in their order: `[{text}, {text, href}]`. Only http and https, nothing that runs. */
export function parts(value) {
  const found = [];
  let end = 0;
  for (const match of value.matchAll(ADDRESS)) {
    const href = safe(match[0]);
    if (href === null) continue;
    if (match.index > end) found.push({ text: value.slice(end, match.index) });
    found.push({ text: match[0], href });
    end = match.index + match[0].length;
  }
  if (end < value.length) found.push({ text: value.slice(end) });
  return found;
}

/** The address if a click may lead there, else null. */
export function safe(address) {
  try {
    const { protocol, href } = new URL(address);
    return protocol === "http:" || protocol === "https:" ? href : null;
  } catch {
    return null;
  }
}
