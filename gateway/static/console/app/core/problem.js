/** Why a call failed, whatever the reason: the API's problem (RFC 9457), or what kept an answer from coming. */

export class Problem extends Error {
  /**
   * @param {object} about
   * @param {string} about.code stable, for programs; `NO_ANSWER` when nothing came
   * @param {string} about.detail for people
   * @param {number} [about.status] the HTTP status; 0 without an answer
   * @param {Record<string, string[]>} [about.errors] what is wrong with which value, by dotted path
   * @param {number} [about.retryAfter] seconds after which the server wants to be asked again
   * @param {object} [about.data] the whole answer
   */
  constructor({ code, detail, status = 0, errors = {}, retryAfter = 0, data = {} }) {
    super(detail);
    this.name = "Problem";
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.errors = errors;
    this.retryAfter = retryAfter;
    this.data = data;
  }

  /** Whether the same call may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** An answer's content, null without any. Throws Problem: what it says, or that it broke off. */
  static async check(response) {
    if (!response.ok) throw await Problem.#of(response);
    if (response.status === 204) return null;
    try {
      return await response.json();
    } catch (error) {
      throw Problem.noAnswer(error.message);
    }
  }

  static async #of(response) {
    let data = {};
    try {
      data = await response.json();
    } catch {
      // A proxy's page, or nothing.
    }
    return new Problem({
      code: data.code ?? "NO_PROBLEM",
      detail: data.detail ?? response.statusText ?? "",
      status: response.status,
      errors: data.errors,
      retryAfter: Number(response.headers.get("Retry-After")) || 0,
      data,
    });
  }

  /** The problem that no answer came. */
  static noAnswer(detail) {
    return new Problem({ code: "NO_ANSWER", detail });
  }
}
