/** Random ids for what this client makes: `crypto.randomUUID` is missing on pages without TLS. */

/** 32 random hex digits. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
