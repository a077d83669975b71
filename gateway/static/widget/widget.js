/**
 * Foyer's chat for any website: a launcher and the visitor's conversation, in a shadow root that the page's styles can't reach.
 *
 * One classic script, served as it is: no dependency, no build, no cookie. docs/widget.md says how to embed it. From the inside out:
 * `Store`, `Api`, `Stream`, `Outbox` and `Conversation` each know one thing, `Visit` is one visitor's talk with the server,
 * `View` what is seen of it, `Widget` the page's side. What people write becomes text nodes and nothing else.
 */
/* oxlint-disable max-lines -- pages embed one file */
(() => {
  "use strict";

  /** All that visitors read; a page's `window.FoyerTexts` replaces any of it. `{…}` is filled in. */
  const TEXTS = {
    title: "Chat with us",
    greeting: "",
    launcher: "Open the chat",
    unread: "Open the chat, {count} unread",
    close: "Close the chat",
    log: "Messages",
    empty: "Write to us. The answer comes here.",
    placeholder: "Write a message",
    send: "Send",
    choices: "Answers to choose from",
    you: "You",
    agent: "Agent",
    bot: "Bot",
    withAgent: "You are talking to {name}",
    withBot: "Our bot answers first",
    withQueue: "Waiting for a colleague",
    next: "You are next in line",
    position: "You are number {position} in line",
    minute: "{place}, about a minute",
    minutes: "{place}, about {minutes} minutes",
    hours: "{place}, more than an hour",
    leave: "Stop waiting",
    left: "You are not waiting any more. Your next message asks for a colleague again.",
    typing: "{name} is typing",
    botTyping: "The bot is typing",
    connecting: "Connecting…",
    reconnecting: "Reconnecting…",
    unreachable: "We can't be reached just now. Trying again…",
    busy: "A lot is going on here. Trying again…",
    unavailable: "The chat is not available on this page.",
    blocked: "You can't write to us here.",
    archived: "This conversation has ended.",
    again: "Start a new one",
    earlier: "Loading earlier messages…",
    newer: "New messages",
    sending: "Sending…",
    sent: "Sent",
    failed: "Not sent.",
    retry: "Try again",
    discard: "Delete",
    tooLong: "{count} too many",
    room: "{count} left",
    today: "Today",
    yesterday: "Yesterday",
    dir: "ltr",
    locale: "", // of days and times; the browser's unless said
  };

  const MAX_TEXT = 10_000; // characters, as the API counts them
  const COUNTER_FROM = 9_500;
  const PAGE_SIZE = 50;
  const REQUEST_TIMEOUT = 20_000; // milliseconds, like all that follow
  const SILENCE = 40_000; // a stream beats every 15 s
  const OPENING = 10_000;
  const BACKOFF = [500, 10_000];
  const STABLE_AFTER = 30_000; // a stream that was up for so long is no sign of trouble
  const RECONNECT_WITHIN = 5_000; // everybody loses the stream at once when a gateway ends
  const RECONNECT_WITHIN_SEEN = 1_500;
  const MISSES = 2; // connections in a row that never opened: this network has no WebSockets
  const MISSES_PER_TRY = 6;
  const LOST_AFTER = 2_000;
  const READ_AFTER = 250;
  const SETTLED_AFTER = 400;
  const TYPING_EVERY = 3_000;
  const TYPING_ENDS = 5_000;
  const TYPING_SHOWN = 8_000;
  const PAUSE = 5 * 60_000; // after it, an author is named and a time is told again
  const ENDED_SHOWN = 60 * 60_000; // whoever opens the chat later than this after its end begins a new one
  const RETURNS = 20; // how often the widget comes back to a page that takes it away
  const REFUSALS = 3; // requests unreadable while the server is there: it refuses this page
  const FULLSCREEN = "(max-width: 480px)";

  const OF_TOKEN = ["UNAUTHENTICATED", "TOKEN_EXPIRED", "TOKEN_INVALID", "CONTACT_NOT_FOUND", "CONVERSATION_NOT_FOUND"];

  // ---- Waiting

  const sleepers = new Set();

  /** Resolves after a time, or as soon as something says that trying may succeed now, unless `firm`. */
  const sleep = (milliseconds, firm = false) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        sleepers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      if (!firm) sleepers.add(done);
    });

  const wake = () => [...sleepers].forEach((done) => done());

  /** Wait before the next attempt: longer each time, apart from others who wait, and at least as long as the server asked for. */
  const backOff = (attempt, problem, spread = 0) => {
    const [shortest, longest] = BACKOFF;
    const pause = Math.max(Math.min(longest, shortest * 2 ** attempt) * (0.5 + Math.random() / 2), spread * Math.random());
    const asked = (problem?.retryAfter || 0) * 1000 * (1 + Math.random());
    return sleep(Math.max(pause, asked), asked > pause);
  };

  /** Wait until somebody looks at the page. */
  const untilSeen = async () => {
    while (document.visibilityState !== "visible") await sleep(60 * 60_000);
  };

  /** Do the work while no other tab does its own, where the browser has locks. */
  const alone = async (name, work) => {
    let begun = false;
    const start = () => {
      begun = true;
      return work();
    };
    try {
      return await navigator.locks.request(name, start);
    } catch (error) {
      if (begun) throw error;
      return work();
    }
  };

  const randomId = () =>
    crypto.randomUUID?.() ??
    [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  /** Tell who made the page. */
  // oxlint-disable-next-line no-console
  const warn = (text) => console.warn(`Foyer: ${text}`);

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  // ---- What outlives the page

  /** Names and values in one of the browser's storages, or in memory where it refuses. */
  class Store {
    #area = null;
    #prefix;
    #memory = new Map();

    constructor(kind, prefix) {
      this.#prefix = prefix;
      try {
        this.#area = window[kind];
        this.#area.setItem(`${prefix}probe`, "1");
        this.#area.removeItem(`${prefix}probe`);
      } catch {
        this.#area = null;
      }
    }

    get(name) {
      return this.#memory.get(name) ?? this.#area?.getItem(this.#prefix + name) ?? null;
    }

    /** Keep a value; null takes it away. */
    set(name, value) {
      this.#memory.delete(name);
      if (value === null) {
        this.#area?.removeItem(this.#prefix + name);
        return;
      }
      try {
        if (!this.#area) throw new Error("no storage");
        this.#area.setItem(this.#prefix + name, value);
      } catch {
        this.#memory.set(name, value); // none, or full
      }
    }

    names() {
      const stored = this.#area ? Object.keys(this.#area).filter((key) => key.startsWith(this.#prefix)) : [];
      return [...new Set([...stored.map((key) => key.slice(this.#prefix.length)), ...this.#memory.keys()])].sort();
    }

    clear() {
      this.names().forEach((name) => this.set(name, null));
    }
  }

  // ---- The server

  /** Why a request failed: RFC 9457 from the server, or status 0 when there was no answer to read. */
  class Problem extends Error {
    constructor(status, { code = "", detail = "", errors = null, retryAfter = 0 } = {}) {
      super(detail || `HTTP ${status}`);
      Object.assign(this, { status, code, errors, retryAfter });
    }

    /** Whether the same request may succeed later; what has no code is not of the API but of something before it. */
    get mayPass() {
      return !this.code || this.status === 408 || this.status === 429 || this.status >= 500;
    }

    /** Whether the token stands for nobody any more. */
    get isOfToken() {
      return OF_TOKEN.includes(this.code);
    }

    /** For the visitor. */
    get reason() {
      return Object.values(this.errors ?? {}).flat()[0] ?? this.message;
    }
  }

  /** Requests in the visitor's name. */
  class Api {
    token = null;
    #server;

    constructor(server) {
      this.#server = server;
    }

    /** The answer's body. Throws Problem. */
    async ask(method, path, body, headers = {}) {
      const request = {
        method,
        headers: {
          ...headers,
          ...(body && { "Content-Type": "application/json" }),
          ...(this.token && { Authorization: `Bearer ${this.token}` }),
        },
        body: body && JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal: AbortSignal.timeout(REQUEST_TIMEOUT),
      };
      let response;
      let data = null;
      try {
        response = await fetch(`${this.#server}/v1/widget${path}`, request);
        const text = await response.text();
        if (text) data = JSON.parse(text);
      } catch (error) {
        // Half an answer is none; somebody else's page, of a proxy perhaps, counts by its status.
        if (!response || response.ok || !(error instanceof SyntaxError)) throw new Problem(0);
      }
      if (response.ok) return data;
      const retryAfter = Number(response.headers.get("Retry-After")) || 0;
      throw new Problem(response.status, { ...data, retryAfter });
    }

    /** Whether the server is there at all: a page whose origin it refuses can't read why it is refused. */
    async isThere() {
      try {
        return (await fetch(`${this.#server}/widget.js`, { method: "HEAD", credentials: "omit", cache: "no-store" })).ok;
      } catch {
        return false;
      }
    }

    socket(ticket, lastId) {
      const address = new URL(`${this.#server.replace(/^http/, "ws")}/v1/widget/events/ws`);
      address.searchParams.set("ticket", ticket);
      if (lastId) address.searchParams.set("last_event_id", lastId);
      return new WebSocket(address);
    }
  }

  // ---- The event stream

  /** The visitor's events over a WebSocket, resumed by id for as long as it is wanted. */
  class Stream {
    #api;
    #on;
    #lastId = null;
    #run = null; // the present run; another one, or none, ends it
    #hangUp = () => {};
    #heardAt = 0;
    #lost = null;

    /**
     * `on` has `event(name, data)`, `ready(resumed)`, `missed()` instead of a connection that opened, `lost(flag)`, `refused(problem)`,
     * and `isSeen()`: whether somebody would notice a delay.
     */
    constructor(api, on) {
      this.#api = api;
      this.#on = on;
    }

    get isWanted() {
      return this.#run !== null;
    }

    start() {
      if (!this.#run) this.#go((this.#run = {}));
    }

    stop() {
      this.#run = null;
      this.#found();
      this.#hangUp();
    }

    /** The network is back or the page is looked at again: a connection that slept may be dead without having said so. */
    check() {
      if (!this.#heardAt || Date.now() - this.#heardAt <= SILENCE) return;
      this.stop();
      this.start(); // at once
    }

    hangUp() {
      this.#hangUp();
    }

    async #go(run) {
      let attempt = 0;
      let misses = 0;
      this.#lose();
      while (run === this.#run) {
        let problem = null;
        let spread = 0;
        try {
          const upFor = misses < MISSES || misses % MISSES_PER_TRY === 0 ? await this.#connect(run) : 0;
          if (run !== this.#run) return;
          if (upFor) {
            misses = 0;
            spread = this.#on.isSeen() ? RECONNECT_WITHIN_SEEN : RECONNECT_WITHIN;
            if (upFor > STABLE_AFTER) attempt = 0;
          } else {
            misses++;
            await this.#on.missed();
          }
        } catch (error) {
          problem = error;
          misses = 0;
          if (run === this.#run && problem.isOfToken) {
            this.stop();
            this.#on.refused(problem);
          }
        }
        if (run !== this.#run) return;
        // Whoever asks instead of listening is not without a connection, but costs the server more.
        if (misses < MISSES) this.#lose();
        else this.#found();
        await backOff(attempt++, problem, spread);
        if (misses >= MISSES) await untilSeen();
      }
    }

    /** Be connected, until the connection ends; for how long it had been open, 0 if it never was. */
    async #connect(run) {
      const { ticket } = await this.#api.ask("POST", "/events/ticket");
      if (run !== this.#run) return 0;
      const resumed = this.#lastId !== null;
      let socket;
      try {
        socket = this.#api.socket(ticket, this.#lastId);
      } catch {
        return 0; // there are none here, or the page's policy is against it
      }
      return this.#listen(socket, resumed);
    }

    #listen(socket, resumed) {
      return new Promise((resolve) => {
        let openedAt = 0;
        let watchdog = setTimeout(() => end(), OPENING);
        const end = () => {
          clearTimeout(watchdog);
          socket.onmessage = socket.onclose = null;
          socket.close();
          resolve(openedAt && Math.max(1, Date.now() - openedAt));
          this.#heardAt = 0;
          this.#hangUp = () => {};
        };
        this.#hangUp = end;
        socket.onclose = end;
        socket.onmessage = ({ data: text }) => {
          clearTimeout(watchdog);
          watchdog = setTimeout(end, SILENCE);
          this.#heardAt = Date.now();
          openedAt ||= this.#heardAt;
          const { id, event, data } = JSON.parse(text);
          this.#lastId = id;
          if (event === "stream.ready") {
            this.#found();
            this.#on.ready(resumed);
          } else if (event !== "stream.heartbeat") this.#on.event(event, data);
        };
      });
    }

    #lose() {
      this.#lost ??= setTimeout(() => this.#on.lost(true), LOST_AFTER);
    }

    #found() {
      clearTimeout(this.#lost);
      this.#lost = null;
      this.#on.lost(false);
    }
  }

  // ---- What is to be sent

  /** The visitor's messages that the server hasn't confirmed, oldest first; each a value of its own, so that tabs don't overwrite each other. */
  class Outbox {
    items = [];
    #store;
    #own = new Map(); // by name, what was written here: the page may empty the storage

    constructor(store) {
      this.#store = store;
      this.read();
    }

    /** Look again at what is stored: another tab adds and takes away too. */
    read() {
      const values = new Map(this.#own);
      for (const name of this.#store.names()) if (name.startsWith("out:")) values.set(name, this.#store.get(name));
      this.items = [...values.keys()].sort().flatMap((name) => {
        try {
          return [{ ...JSON.parse(values.get(name)), name }];
        } catch {
          return [];
        }
      });
    }

    /** Behind all others, whatever the clock says. */
    add(content) {
      this.read();
      const at = Math.max(Date.now(), (this.items.at(-1)?.at ?? 0) + 1);
      const item = { ...content, id: randomId(), at, failed: null };
      this.#write({ ...item, name: `out:${String(at).padStart(15, "0")}:${item.id}` });
    }

    get first() {
      return this.items.find((item) => item.failed === null);
    }

    has({ name }) {
      return this.items.some((item) => item.name === name);
    }

    fail(item, reason, code) {
      // An id that the server knows for another text would be refused for ever.
      this.#write({ ...item, failed: reason, id: code === "CLIENT_MESSAGE_ID_REUSED" ? randomId() : item.id });
    }

    retry(id) {
      const item = this.items.find((each) => each.id === id);
      if (item) this.#write({ ...item, failed: null });
    }

    remove(id) {
      const item = this.items.find((each) => each.id === id);
      if (item) this.drop(item.name);
    }

    /** It was sent or deleted, here or in another tab. */
    drop(name) {
      this.#own.delete(name);
      this.#store.set(name, null);
      this.read();
    }

    /** Give everything to another outbox: the visitor turned out to be somebody whom the page knows. */
    moveTo(other) {
      this.read();
      for (const item of this.items) {
        other.#write(item);
        this.drop(item.name);
      }
    }

    #write({ name, ...item }) {
      this.#own.set(name, JSON.stringify(item));
      this.#store.set(name, this.#own.get(name));
      this.read();
    }
  }

  // ---- What was said

  /** The present conversation as far as it is known here, and those that ended while this page was open. */
  class Conversation {
    info = null;
    messages = [];
    past = [];
    typists = new Map();
    readSeq = 0; // what the server may not have heard of yet

    /** This conversation, and some of its messages, newly fetched. */
    open(info, messages) {
      if (this.info?.id !== info.id) {
        if (this.messages.length) this.past.push(this.messages);
        this.messages = [];
        this.info = info;
        this.readSeq = 0;
        this.typists.clear();
      }
      this.update(info);
      messages.forEach((message) => this.add(message));
    }

    update(info) {
      if (info.id === this.info?.id && info.version >= this.info.version) this.info = info;
    }

    /** Whether the message is new. */
    add(message) {
      if (message.conversation_id !== this.info?.id) return false;
      let at = this.messages.length;
      while (at > 0 && this.messages[at - 1].seq > message.seq) at--;
      const known = this.messages[at - 1]?.seq === message.seq;
      this.messages.splice(known ? at - 1 : at, known ? 1 : 0, message);
      if (!known) this.typists.delete(message.author.kind);
      return !known;
    }

    get isArchived() {
      return this.info?.status === "archived";
    }

    get firstSeq() {
      return this.messages[0]?.seq ?? 1;
    }

    get lastSeq() {
      return this.messages.at(-1)?.seq ?? 0;
    }

    /** Up to here nothing is missing. */
    get wholeUpTo() {
      const broken = this.messages.findIndex(({ seq }, at) => seq !== this.firstSeq + at);
      return broken < 0 ? this.lastSeq : this.messages[broken - 1].seq;
    }

    get isBroken() {
      return this.wholeUpTo < this.lastSeq;
    }

    holds(clientMessageId) {
      return this.messages.some(({ author, client_message_id: id }) => author.kind === "visitor" && id === clientMessageId);
    }

    get readUpTo() {
      return Math.max(this.readSeq, this.info?.visitor_read_seq ?? 0);
    }

    /** How many messages of others the visitor hasn't seen; a bot that greets somebody who never looked has said nothing new. */
    get unread() {
      const seen = this.readUpTo;
      if (seen === 0 && this.messages.every(({ author }) => author.kind === "bot")) return 0;
      return this.messages.filter(({ seq, author }) => seq > seen && author.kind !== "visitor").length;
    }
  }

  // ---- One visitor

  /** One visitor's talk with the server, from whichever page: begun when wanted, kept up, forgotten when `end`ed. */
  class Visit {
    phase = "idle"; // connecting, ready; blocked and fault for good
    trouble = null; // why it is connecting still: unreachable, busy
    lost = false;
    leaving = false;
    hasLeft = false;
    loadingOlder = false;
    conversation = new Conversation();

    #ended = false;
    #settings;
    #on;
    #api;
    #stream;
    #kept;
    #starting = null;
    #syncing = null;
    #syncAgain = false;
    #flushing = false;
    #reading = null;
    #contactId = null;
    #typedAt = 0;
    #typing = null;
    #url = null;

    /** `on` has `change()`, `message(message)` and `fault(reason)`; `user` is somebody the page vouches for, or null. */
    constructor(settings, stores, user, on) {
      this.#settings = settings;
      this.#on = on;
      this.user = user;
      this.stores = stores;
      this.#kept = user ? stores.of(user) : stores.anonymous;
      this.tab = user ? this.#kept : stores.tab;
      this.outbox = new Outbox(this.#kept);
      this.#api = new Api(settings.server);
      this.#stream = new Stream(this.#api, {
        event: (name, data) => this.#hear(name, data),
        ready: (resumed) => {
          wake();
          if (!resumed) this.sync();
        },
        missed: () => this.sync(),
        lost: (lost) => this.#tell({ lost }),
        refused: (problem) => this.#renew(problem),
        isSeen: () => settings.isOpen(),
      });
    }

    /** Go on where the visitor was. Whoever has not talked here yet stays unknown to the server. */
    resume() {
      const token = this.#kept.get("token");
      if (token) this.#start(() => this.#pickUp(token));
      else if (
        this.user &&
        (this.stores.anonymous.get("token") || this.stores.anonymous.get(`met:${this.stores.mark(this.user)}`))
      )
        this.#start(() => this.#openSession());
    }

    /** The visitor wants to talk. */
    async open() {
      wake();
      await this.#starting;
      if (this.#ended) return;
      if (this.phase === "ready") this.#stream.start();
      const endedAt = this.conversation.isArchived && Date.parse(this.conversation.info.archived_at);
      if (this.phase === "idle" || (endedAt && Date.now() - endedAt > ENDED_SHOWN)) this.#start(() => this.#openSession());
    }

    /** Begin a new conversation after the end of the last. */
    startOver() {
      this.#start(() => this.#openSession());
    }

    end() {
      this.#ended = true;
      this.#stream.stop();
      clearTimeout(this.#typing);
      clearTimeout(this.#reading);
    }

    /** The page is left for now, and may come back as it was. */
    freeze() {
      this.#stream.stop();
    }

    check() {
      if (this.#stream.isWanted) this.#stream.check();
      else if (this.phase === "ready") this.sync();
      wake();
    }

    hangUp() {
      this.#stream.hangUp();
    }

    get unread() {
      return this.phase === "ready" ? this.conversation.unread : 0;
    }

    /** What is to be sent, as messages, unless the conversation has it already. */
    get waiting() {
      const author = { kind: "visitor" };
      return this.outbox.items
        .filter(({ id }) => !this.conversation.holds(id))
        .map(({ id, at, text, failed }) => ({
          author,
          client_message_id: id,
          conversation_id: this.conversation.info?.id,
          created_at: at,
          text,
          failed,
        }));
    }

    get isKnown() {
      return this.phase !== "idle";
    }

    /** Say something: `{text}`, or `{choice, text}` with the button's label. */
    send(content) {
      this.outbox.add(content);
      this.hasLeft = false;
      this.#typedAt = 0;
      clearTimeout(this.#typing);
      this.#on.change();
      this.flush();
    }

    retry(id) {
      this.outbox.retry(id);
      this.#on.change();
      this.flush();
    }

    discard(id) {
      this.outbox.remove(id);
      this.#on.change();
    }

    /** Send what waits, in order and one at a time over all tabs. */
    async flush() {
      if (this.#flushing) return;
      this.#flushing = true;
      try {
        if (this.phase === "idle" && this.outbox.first) this.#start(() => this.#openSession());
        await this.#starting;
        for (let attempt = 0; this.phase === "ready" && !this.#ended && this.outbox.first; attempt++) {
          const item = this.outbox.first;
          try {
            await alone(`${this.#settings.prefix}outbox`, () => this.#post(item));
            attempt = -1;
          } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            if (this.#ended) return;
            await this.#handleRefusal(item, problem, attempt);
          }
          this.#on.change();
        }
      } finally {
        this.#flushing = false;
      }
    }

    /** Another tab wrote something, or took it away. */
    rereadOutbox(name, isGone) {
      if (isGone) this.outbox.drop(name);
      else this.outbox.read();
      this.#on.change();
      if (this.phase === "ready") this.flush();
    }

    /** The visitor sees the newest message. */
    markRead() {
      const { conversation } = this;
      const seq = conversation.lastSeq;
      if (this.phase !== "ready" || seq <= conversation.readUpTo) return;
      conversation.readSeq = seq;
      clearTimeout(this.#reading);
      this.#reading = setTimeout(async () => {
        try {
          conversation.update(await this.#api.ask("POST", "/read", { seq }));
        } catch {
          conversation.readSeq = 0; // with the next change again
        }
      }, READ_AFTER);
      this.#on.change();
    }

    /** The visitor is writing, or has stopped. */
    signalTyping(typing) {
      clearTimeout(this.#typing);
      if (this.phase !== "ready" || this.conversation.isArchived || (!typing && !this.#typedAt)) return;
      if (typing) this.#typing = setTimeout(() => this.signalTyping(false), TYPING_ENDS);
      if (typing && Date.now() - this.#typedAt < TYPING_EVERY) return;
      this.#typedAt = typing ? Date.now() : 0;
      this.#api.ask("POST", "/typing", { typing }).catch(() => {});
    }

    async leaveQueue() {
      this.#tell({ leaving: true });
      try {
        await this.#api.ask("DELETE", "/queue");
        this.hasLeft = true;
        await this.sync();
      } catch {
        // the button is there again
      }
      this.#tell({ leaving: false });
    }

    /** Fetch what was said before the oldest message that is known. */
    async loadOlder() {
      const { info, firstSeq } = this.conversation;
      if (this.loadingOlder || this.phase !== "ready" || firstSeq <= 1) return;
      this.#tell({ loadingOlder: true });
      try {
        const { items } = await this.#api.ask("GET", `/messages?before_seq=${firstSeq}&limit=${PAGE_SIZE}`);
        if (info.id === this.conversation.info.id) items.forEach((message) => this.conversation.add(message));
      } catch {
        // scrolling asks again
      }
      this.#tell({ loadingOlder: false });
    }

    /** The visitor went to another page of the site. */
    showPage(page) {
      if (this.phase !== "ready") return;
      const referrer = this.#url ?? page.referrer;
      this.#url = page.url;
      if (page.url === this.tab.get("visiting")) return;
      this.tab.set("visiting", page.url);
      this.#api.ask("POST", "/pages", { ...page, referrer }).catch(() => {});
    }

    /** Fetch what is missing, whatever that is. */
    sync() {
      this.#syncAgain = true;
      const work = async () => {
        while (this.#syncAgain && !this.#ended && this.phase === "ready") {
          this.#syncAgain = false;
          await this.#persist(() => this.#fetchMissing());
        }
      };
      this.#syncing ??= work().finally(() => {
        this.#syncing = null;
        this.#listenIfNeeded();
        this.#on.change();
      });
      return this.#syncing;
    }

    #tell(changes) {
      if (this.#ended) return;
      Object.assign(this, changes);
      this.#on.change();
    }

    #start(work) {
      this.#starting ??= (async () => {
        this.#tell({ phase: "connecting", trouble: null });
        try {
          await work();
        } finally {
          this.#starting = null;
        }
        this.#on.change();
        if (!this.#ended && this.phase === "ready") this.flush();
      })();
      return this.#starting;
    }

    /** With a token of an earlier page. The first page of a visit is told by a session, the others one by one. */
    async #pickUp(token) {
      this.#api.token = token;
      const info = await this.#persist(() => this.#api.ask("GET", "/conversation"));
      if (!info || this.#ended) return;
      if (info.status === "open" && !this.tab.get("visiting")) {
        await this.#openSession();
        return;
      }
      const page = await this.#persist(() => this.#api.ask("GET", `/messages?limit=${PAGE_SIZE}`));
      if (page && !this.#ended) this.#enter(info, page.items);
      this.showPage(this.#settings.page());
    }

    async #openSession() {
      const { user, stores } = this;
      const page = this.#settings.page();
      if (this.#kept.get("key") === null) this.#kept.set("key", randomId());
      const visit = {
        ...page,
        locale: navigator.language?.slice(0, 100) || null,
        time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? null,
        visitor_token: this.#kept.get("token") ?? stores.anonymous.get("token"),
        ...(user && { user }),
      };
      const key = { "Idempotency-Key": this.#kept.get("key") };
      const session = await this.#persist(() => this.#api.ask("POST", `/${this.#settings.channel}/session`, visit, key));
      if (!session || this.#ended) return;
      this.#kept.set("token", session.visitor_token);
      this.#kept.set("key", null);
      this.tab.set("visiting", page.url);
      if (user) {
        stores.anonymous.set(`met:${stores.mark(user)}`, "1");
        stores.anonymous.set("token", null);
        stores.anonymous.set("key", null);
        new Outbox(stores.anonymous).moveTo(this.outbox);
      }
      if (this.#contactId && this.#contactId !== session.contact.id) {
        this.conversation = new Conversation();
        this.#stream.stop();
      }
      this.#contactId = session.contact.id;
      this.#api.token = session.visitor_token;
      this.#url = page.url;
      this.#enter(session.conversation, session.messages);
    }

    #enter(info, messages) {
      this.conversation.open(info, messages);
      this.#forgetConfirmed();
      this.#tell({ phase: "ready", trouble: null });
      if (this.conversation.isBroken) this.sync();
      this.#listenIfNeeded();
    }

    /** A bot says nothing by itself: while nobody looks, a stream is kept only for whom a person answers, or who has yet to be heard. */
    #listenIfNeeded() {
      if (this.#ended || this.phase !== "ready") return;
      const { status, handler } = this.conversation.info;
      const isWithPerson = status === "open" && handler !== "bot";
      if (isWithPerson || this.outbox.first || this.#settings.isOpen()) this.#stream.start();
    }

    /** The token is good no more: another tab may have a newer one, else whoever wants to talk begins anew. */
    #renew({ code }) {
      const token = this.#kept.get("token");
      this.#stream.stop();
      if (token && token !== this.#api.token) return this.#start(() => this.#pickUp(token));
      this.conversation = new Conversation();
      if (code === "TOKEN_INVALID" && !this.user) {
        // The contact is a signed-in user's by now. What was meant for that conversation is sent to no other without being asked.
        this.#kept.set("token", null);
        this.outbox.items.forEach((item) => this.outbox.fail(item, ""));
      }
      if (this.#settings.isOpen() || this.outbox.first) return this.#start(() => this.#openSession());
      this.#kept.set("token", null);
      this.#api.token = null;
      return this.#tell({ phase: "idle" });
    }

    /** The work's result, after as many attempts as it takes; nothing when it is refused for good or the visit has ended. */
    async #persist(work) {
      for (let attempt = 0, refusals = 0; !this.#ended; attempt++) {
        try {
          const result = await work();
          this.#tell({ trouble: null });
          return result;
        } catch (problem) {
          if (!(problem instanceof Problem)) throw problem;
          if (this.#ended) return undefined;
          if (problem.isOfToken && this.#api.token) {
            (this.#starting ?? Promise.resolve()).then(() => this.#renew(problem)); // when a start under way has ended
            return undefined;
          }
          if (!problem.mayPass) {
            this.#refuse(problem);
            return undefined;
          }
          refusals = problem.status === 0 && (await this.#api.isThere()) ? refusals + 1 : 0;
          if (refusals >= REFUSALS && this.phase !== "ready") {
            this.fault(`the channel doesn't allow pages of ${location.origin}`);
            return undefined;
          }
          this.#tell({ trouble: problem.status === 429 ? "busy" : "unreachable" });
          await backOff(attempt, problem);
        }
      }
      return undefined;
    }

    #refuse(problem) {
      if (problem.code === "CONTACT_BLOCKED") this.#block();
      else this.fault(`${problem.code || problem.status}: ${problem.message}`);
    }

    #block() {
      this.#stream.stop();
      this.#tell({ phase: "blocked" });
    }

    /** The page is set up wrongly. */
    fault(reason) {
      if (this.#ended || this.phase === "fault") return;
      this.#stream.stop();
      this.#tell({ phase: "fault" });
      this.#on.fault(reason);
    }

    async #post(item) {
      this.outbox.read();
      if (!this.outbox.has(item) || this.#ended) return;
      const { id, text, choice } = item;
      const content = choice === undefined ? { text } : { choice };
      const message = await this.#api.ask("POST", "/messages", { ...content, client_message_id: id });
      if (this.#ended) return;
      // It may have begun another conversation, whose beginning is to be fetched before it is shown there.
      if (message.conversation_id !== this.conversation.info.id) await this.sync();
      this.#take(message);
      this.outbox.remove(id);
    }

    async #handleRefusal(item, problem, attempt) {
      if (problem.isOfToken) await this.#renew(problem);
      else if (problem.mayPass && !(problem.status === 500 && attempt >= 3)) await backOff(attempt, problem);
      else {
        if (this.outbox.has(item)) this.outbox.fail(item, problem.reason, problem.code);
        if (problem.code === "CONTACT_BLOCKED") this.#block();
      }
    }

    async #fetchMissing() {
      const info = await this.#api.ask("GET", "/conversation");
      const same = info.id === this.conversation.info?.id;
      let lacks = !same || this.conversation.wholeUpTo < info.last_seq;
      while (lacks && !this.#ended) {
        const from = same ? `after_seq=${this.conversation.wholeUpTo}&limit=200` : `limit=${PAGE_SIZE}`;
        const { items } = await this.#api.ask("GET", `/messages?${from}`);
        if (this.#ended) return;
        if (items.some((message) => message.conversation_id !== info.id)) {
          this.#syncAgain = true; // another one has begun in between
          return;
        }
        if (same) items.forEach((message) => this.#take(message));
        else this.conversation.open(info, items);
        lacks = same && items.length === 200;
      }
      this.conversation.update(info);
      this.#forgetConfirmed();
    }

    #hear(name, data) {
      const { info } = this.conversation;
      if (name === "reset") this.sync();
      else if (name === "conversation.typing") {
        if (data.conversation_id === info?.id) this.#showTyping(data);
      } else if (name.startsWith("conversation.")) {
        if (data.id === info?.id) this.conversation.update(data);
        else if (!info || data.created_at > info.created_at) this.sync();
      } else if (name.startsWith("message.")) this.#take(data);
      this.#on.change();
    }

    #take(message) {
      const { info } = this.conversation;
      if (message.conversation_id !== info?.id) {
        if (!info || message.created_at > info.created_at) this.sync();
        return;
      }
      const isNew = this.conversation.add(message);
      if (message.author.kind === "visitor") this.outbox.remove(message.client_message_id);
      else if (isNew) this.#on.message(message);
      if (this.conversation.isBroken && !this.#syncing) this.sync();
    }

    #forgetConfirmed() {
      this.outbox.items.filter(({ id }) => this.conversation.holds(id)).forEach(({ id }) => this.outbox.remove(id));
    }

    #showTyping({ author, typing }) {
      const { typists } = this.conversation;
      if (!typing) {
        typists.delete(author.kind);
        return;
      }
      const typist = { ...author };
      typists.set(author.kind, typist);
      setTimeout(() => {
        if (typists.get(author.kind) !== typist) return;
        typists.delete(author.kind);
        this.#on.change();
      }, TYPING_SHOWN);
    }
  }

  // ---- What is seen

  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif';

  // In pixels alone: the size of the page's root is the page's affair. The host's rules are !important, because of two such rules
  // the one inside wins (CSS Cascading 5, 6.1).
  const STYLES = `
:host {
  all: initial !important; position: fixed !important; inset: auto 0 0 auto !important; z-index: 2147483647 !important;
  direction: ltr !important; unicode-bidi: isolate !important;
}
@media print { :host { display: none !important; } }
*, ::before, ::after { box-sizing: border-box; margin: 0; padding: 0; border: 0; font: inherit; color: inherit; letter-spacing: inherit; }
[hidden] { display: none !important; }
.root {
  color-scheme: light; --canvas: #f4f5f8; --surface: #fff; --line: #dfe3ea; --edge: #8791a3; --text: #1b2330; --soft: #5a6475;
  --accent: #3b5bdb; --on-accent: #fff; --accent-soft: #e7ecff; --link: #3b5bdb; --bad: #c92a2a; --hover: #eef0f5;
  --shadow: 0 1px 3px rgb(16 24 40 / 12%), 0 12px 40px rgb(16 24 40 / 20%);
  font: 400 14px/1.45 ${FONT}; color: var(--text); text-align: start; -webkit-text-size-adjust: 100%;
}
@media (prefers-color-scheme: dark) {
  .root {
    color-scheme: dark; --canvas: #12151b; --surface: #1a1e26; --line: #343b48; --edge: #7c8698; --text: #e7eaf0; --soft: #a3adbd;
    --accent: #91a7ff; --on-accent: #10131a; --accent-soft: #27315a; --link: #91a7ff; --bad: #ff8787; --hover: #232833;
    --shadow: 0 0 0 1px #343b48, 0 12px 40px rgb(0 0 0 / 55%);
  }
}
button { background: none; cursor: pointer; -webkit-tap-highlight-color: transparent; }
button:disabled { cursor: default; }
svg { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.hush { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.launcher {
  position: fixed; bottom: max(20px, env(safe-area-inset-bottom)); right: 20px; width: 56px; height: 56px; border-radius: 999px;
  display: grid; place-items: center; background: var(--accent); color: var(--on-accent); box-shadow: 0 4px 16px rgb(16 24 40 / 28%);
  border: 1px solid transparent; transition: transform .12s ease-out;
}
@media (hover: hover) { .launcher:hover { transform: scale(1.05); } }
.launcher svg { width: 26px; height: 26px; }
.left .launcher { right: auto; left: 20px; }
.badge {
  position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 999px; background: #c92a2a;
  color: #fff; font-size: 12px; font-weight: 600; line-height: 20px; text-align: center; border: 1px solid transparent;
}

.panel {
  position: fixed; bottom: 92px; right: 20px; width: 384px; height: min(640px, 100vh - 112px); height: min(640px, 100dvh - 112px);
  display: flex; flex-direction: column; overflow: hidden; border-radius: 16px; background: var(--surface); box-shadow: var(--shadow);
  outline: none; animation: rise .14s ease-out;
}
.left .panel { right: auto; left: 20px; }
@keyframes rise { from { opacity: 0; transform: translateY(8px); } }
.head { display: flex; align-items: center; gap: 12px; padding: 12px 12px 12px 16px; border-bottom: 1px solid var(--line); }
.names { flex: 1; min-width: 0; }
.title { font-size: 16px; font-weight: 600; overflow-wrap: anywhere; }
.with { font-size: 13px; color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.icon { flex: none; width: 36px; height: 36px; display: grid; place-items: center; border-radius: 10px; color: var(--soft); }
.icon:hover { background: var(--hover); color: var(--text); }

.middle { position: relative; flex: 1; min-height: 0; display: flex; }
.log { flex: 1; min-width: 0; overflow-y: auto; overscroll-behavior: contain; overflow-anchor: none; padding: 16px; scrollbar-width: thin; outline-offset: -2px; }
.note { margin: 16px 0; text-align: center; font-size: 13px; color: var(--soft); white-space: pre-line; overflow-wrap: anywhere; }
.note:first-child { margin-top: 0; }
.day { font-size: 12px; font-weight: 500; }
.note button { margin-top: 8px; }
.msg { position: relative; display: flex; flex-direction: column; align-items: flex-start; margin-top: 4px; padding-inline: 36px 24px; }
.msg.first { margin-top: 16px; }
.msg:first-child { margin-top: 0; }
.who { max-width: 100%; margin-bottom: 2px; font-size: 12px; font-weight: 500; color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.face {
  position: absolute; inset-inline-start: 0; top: 20px; width: 28px; height: 28px; display: grid; place-items: center; border-radius: 999px; overflow: hidden;
  font-size: 13px; font-weight: 600; background: var(--canvas); color: var(--soft); border: 1px solid var(--line);
}
.face svg { width: 16px; height: 16px; }
.agent .face { background: var(--accent-soft); color: var(--text); border-color: transparent; }
.text {
  max-width: 100%; padding: 8px 12px; border-radius: 16px; border: 1px solid transparent; white-space: pre-wrap; overflow-wrap: anywhere;
  overflow: hidden; background: var(--canvas);
}
.agent .text { background: var(--accent-soft); }
.in.first .text { border-start-start-radius: 6px; }
.visitor { align-items: flex-end; padding-inline: 48px 0; }
.visitor .text { background: var(--accent); color: var(--on-accent); border-end-end-radius: 6px; }
.system { align-items: center; padding-inline: 24px; }
.system .text { background: none; font-size: 13px; color: var(--soft); text-align: center; }
.waiting .meta { animation: appear .2s .6s backwards; }
@keyframes appear { from { opacity: 0; } }
.failed .text { background: var(--surface); color: var(--text); border-color: var(--bad); }
.text a { color: var(--link); text-decoration: underline; text-underline-offset: 2px; }
.visitor .text a { color: inherit; }
.meta { margin-top: 2px; font-size: 12px; color: var(--soft); }
.msg:not(.last, .waiting) > .meta, .failed > .meta { display: none; }
.fault { display: flex; flex-wrap: wrap; justify-content: flex-end; align-items: baseline; gap: 0 12px; margin-top: 2px; font-size: 12px; color: var(--bad); text-align: end; }
.link { color: var(--link); font-weight: 500; text-decoration: underline; text-underline-offset: 2px; }
.choices { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 12px; padding-inline-start: 36px; }
.choice {
  max-width: 100%; padding: 7px 14px; border: 1px solid var(--link); border-radius: 999px; color: var(--link); font-weight: 500; text-align: start;
  overflow-wrap: anywhere; transition: background-color .12s ease-out;
}
.choice:hover { background: var(--accent-soft); }
.more {
  position: absolute; bottom: 8px; left: 50%; transform: translateX(-50%); padding: 6px 14px; border-radius: 999px; background: var(--surface);
  color: var(--link); font-size: 13px; font-weight: 500; box-shadow: 0 2px 12px rgb(16 24 40 / 24%); border: 1px solid var(--line); white-space: nowrap;
}

.strip { display: flex; align-items: center; gap: 4px 12px; flex-wrap: wrap; padding: 8px 16px; font-size: 13px; color: var(--soft); }
.typing bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 100%; }
.dots { display: inline-flex; gap: 3px; }
.dots i { width: 5px; height: 5px; border-radius: 999px; background: currentColor; animation: beat 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .15s; }
.dots i:nth-child(3) { animation-delay: .3s; }
@keyframes beat { 0%, 60%, 100% { opacity: .35; } 30% { opacity: 1; } }
.queue { border-top: 1px solid var(--line); background: var(--accent-soft); color: var(--text); }
.queue span { flex: 1; min-width: 160px; }
.status { border-top: 1px solid var(--line); background: var(--canvas); color: var(--text); }
.bare .middle { display: none; }
.bare .status { flex: 1; justify-content: center; border: 0; background: none; color: var(--soft); font-size: 14px; animation: appear .2s .3s backwards; }

.write { display: flex; align-items: flex-end; gap: 8px; padding: 12px; border-top: 1px solid var(--line); }
.write textarea {
  flex: 1; min-width: 0; height: 40px; max-height: 132px; padding: 9px 12px; resize: none; border: 1px solid var(--edge); border-radius: 10px;
  background: var(--surface); color: var(--text); overflow-y: auto; scrollbar-width: thin;
}
.write textarea::placeholder { color: var(--soft); opacity: 1; }
.write textarea:focus { outline: 2px solid var(--link); outline-offset: -1px; border-color: transparent; }
.send { flex: none; width: 40px; height: 40px; display: grid; place-items: center; border-radius: 10px; background: var(--accent); color: var(--on-accent); border: 1px solid transparent; }
.send:disabled { background: var(--hover); color: var(--soft); }
.rtl .send svg, .rtl .launcher svg { transform: scaleX(-1); }
.count { padding: 0 16px 8px; font-size: 12px; color: var(--soft); text-align: end; }
.count.over { color: var(--bad); }

@media (max-height: 600px) {
  .panel { bottom: 8px; height: calc(100vh - 16px); height: calc(100dvh - 16px); }
  .opened .launcher { display: none; }
}
@media ${FULLSCREEN} {
  .panel, .left .panel { inset: 0; width: 100%; height: 100%; height: 100dvh; border-radius: 0; padding-bottom: env(safe-area-inset-bottom); }
  .opened .launcher { display: none; }
  .write textarea { font-size: 16px; padding: 8px 12px; }
}
@media (pointer: coarse) { .icon { width: 44px; height: 44px; } .send, .write textarea { min-height: 44px; } .send { width: 44px; } .choice { padding: 11px 16px; } }
@media (prefers-reduced-motion: reduce) { *, ::before, ::after { animation: none !important; transition: none !important; } }
`;

  const ICONS = {
    chat: ["M21 12a8.5 8.5 0 0 1-12.4 7.6L3 21l1.4-5.1A8.5 8.5 0 1 1 21 12z"],
    down: ["M6 9l6 6 6-6"],
    close: ["M6 6l12 12M18 6L6 18"],
    send: ["M4 12h15M13 6l6 6-6 6"],
    bot: ["M5 9h14v10H5zM12 9V5M9.5 13.5v1M14.5 13.5v1", "M12 4h.01"],
  };

  /** An element; every child that isn't one becomes text. */
  const h = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(key, value);
      else if (value !== false && value !== null) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  };

  const icon = (name) => {
    const create = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
    const svg = create("svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    for (const line of ICONS[name]) {
      const path = create("path");
      path.setAttribute("d", line);
      svg.append(path);
    }
    return svg;
  };

  /** An address without the marks of the sentence that it stands in; a parenthesis that it opened itself is its own. */
  const withoutEnd = (address) => {
    let unopened = address.split(")").length - address.split("(").length;
    let end = address.length;
    for (; end > 0; end--) {
      const last = address[end - 1];
      if (last === ")" ? unopened-- <= 0 : !".,;:!?*_]}".includes(last)) break;
    }
    return address.slice(0, end);
  };

  const isAddress = (text) => {
    try {
      return Boolean(new URL(text));
    } catch {
      return false;
    }
  };

  /** What somebody wrote: text, in which http(s) addresses are links. */
  const written = (text) => {
    const parts = [];
    let end = 0;
    // Without the marks that turn the direction of writing: an address must look like what it is.
    for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu)) {
      const address = withoutEnd(match[0]);
      if (!isAddress(address)) continue;
      parts.push(text.slice(end, match.index));
      parts.push(h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address));
      end = match.index + address.length;
    }
    return [...parts, text.slice(end)];
  };

  /** A page's own accent, with text that can be read on it, and as text only where it can be read itself. */
  const accentStyles = (color) => {
    const long = /^#[\da-f]{3}$/i.test(color) ? color.replace(/[\da-f]/gi, "$&$&") : color;
    if (!/^#[\da-f]{6}$/i.test(long)) return "";
    // WCAG 2.2, relative luminance and contrast ratio.
    const luminance = (hex) => {
      const [r, g, b] = [1, 3, 5].map((at) => {
        const part = parseInt(hex.slice(at, at + 2), 16) / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
      const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    };
    const onAccent = contrast(long, "#ffffff") >= 4.5 ? "#ffffff" : "#10131a";
    const rule = (...surfaces) => {
      const link = surfaces.every((surface) => contrast(long, surface) >= 4.5) ? long : "var(--text)";
      return `.root { --accent: ${long}; --on-accent: ${onAccent}; --accent-soft: var(--canvas); --link: ${link}; }`;
    };
    return `${rule("#ffffff", "#f4f5f8")} @media (prefers-color-scheme: dark) { ${rule("#1a1e26", "#12151b")} }`;
  };

  /** The launcher and the panel; `render` shows a state, `act` is told what the visitor does. */
  class View {
    #texts;
    #act;
    #rows = new Map();
    #state = null;
    #cameFrom = null;
    #sticks = true; // to the newest message, until the visitor scrolls up
    #coarse = matchMedia("(pointer: coarse)");
    #small = matchMedia(FULLSCREEN);
    #time;
    #day;
    #dayOfYear;

    constructor(texts, { color, left }, act, signal) {
      this.#texts = texts;
      this.#act = act;
      const locale = texts.locale || navigator.language || undefined;
      this.#time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
      this.#day = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
      this.#dayOfYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
      this.#build(left);
      this.#listen(signal);
      this.host = document.createElement("foyer-widget");
      const shadow = this.host.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLES + accentStyles(color));
      shadow.adoptedStyleSheets = [sheet];
      shadow.append(this.root);
    }

    /** Whether the visitor would see a message that came now. */
    get isAtEnd() {
      return this.#sticks;
    }

    get isFullscreen() {
      return this.#small.matches;
    }

    get draft() {
      return this.input.value;
    }

    set draft(text) {
      if (this.input.value !== text) this.input.value = text;
      this.#measure();
    }

    focus() {
      this.#cameFrom = document.activeElement;
      // On a phone the keyboard would cover what there is to read.
      if (this.#coarse.matches || this.input.disabled) this.panel.focus();
      else this.input.focus();
    }

    /** Somebody wrote while the panel is closed: for whom can't see the badge. */
    tell({ author, text }) {
      setText(this.news, `${author.name || this.#texts[author.kind] || ""}: ${text}`);
    }

    scrollToEnd() {
      this.#sticks = true;
      this.log.scrollTop = this.log.scrollHeight;
    }

    /** Show the state: what the visit knows, whether it is open, and how many messages are unread. */
    render(state) {
      const { visit, open, unread } = state;
      const wasOpen = this.#state?.open ?? false;
      const hadFocus = document.activeElement === this.host;
      this.#state = state;
      this.#renderLauncher(state);
      this.panel.hidden = !open;
      if (wasOpen && !open && hadFocus) this.#giveFocusBack();
      if (!open) return;
      setText(this.news, "");
      this.panel.setAttribute("aria-modal", this.isFullscreen);
      this.#renderHead(visit);
      this.#renderLog(visit);
      this.#renderStrips(visit);
      this.#measure();
      if (!wasOpen || this.#sticks) this.scrollToEnd();
      this.more.hidden = this.#sticks || !unread;
    }

    #build(left) {
      const texts = this.#texts;
      const act = this.#act;
      const button = (className, action, ...children) =>
        h("button", { type: "button", class: className, click: action }, ...children);
      this.launcherIcon = h("span", {}, icon("chat"));
      this.badge = h("span", { class: "badge", hidden: true, "aria-hidden": "true" });
      this.launcher = button("launcher", () => act.toggle(), this.launcherIcon, this.badge);
      this.launcher.setAttribute("aria-haspopup", "dialog");

      this.subtitle = h("p", { class: "with" });
      const names = h(
        "div",
        { class: "names" },
        h("h2", { class: "title", id: "title", dir: "auto" }, texts.title),
        this.subtitle,
      );
      const close = button("icon", () => act.close(), icon("close"));
      close.setAttribute("aria-label", texts.close);

      this.log = h("div", {
        class: "log",
        role: "log",
        "aria-live": "polite",
        "aria-relevant": "additions",
        "aria-label": texts.log,
        tabindex: "0",
      });
      this.more = button("more", () => this.scrollToEnd(), texts.newer);
      this.typing = h("div", { class: "strip typing", hidden: true });
      this.place = h("span", { role: "status" });
      this.leave = button("link", () => act.leaveQueue(), texts.leave);
      this.queue = h("div", { class: "strip queue", hidden: true }, this.place, this.leave);
      this.status = h("div", { class: "strip status", role: "status", hidden: true });

      this.input = h("textarea", {
        rows: "1",
        dir: "auto",
        autocomplete: "off",
        enterkeyhint: "send",
        placeholder: texts.placeholder,
        "aria-label": texts.placeholder,
      });
      this.count = h("p", { class: "count", role: "status", hidden: true });
      this.submit = h("button", { class: "send", type: "submit", "aria-label": texts.send }, icon("send"));
      this.form = h("form", { class: "write" }, this.input, this.submit);

      this.panel = h(
        "div",
        { class: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: true },
        h("div", { class: "head" }, names, close),
        h("div", { class: "middle" }, this.log, this.more),
        this.typing,
        this.queue,
        this.status,
        this.form,
        this.count,
      );
      this.news = h("div", { class: "hush", role: "status", dir: "auto" });
      this.root = h("div", { class: "root", dir: texts.dir }, this.panel, this.launcher, this.news);
      this.root.classList.toggle("left", left);
      this.root.classList.toggle("rtl", texts.dir === "rtl");
    }

    #giveFocusBack() {
      const isElsewhere = this.#cameFrom?.isConnected && ![document.body, this.host].includes(this.#cameFrom);
      (isElsewhere ? this.#cameFrom : this.launcher).focus();
    }

    #listen(signal) {
      const on = (target, name, listener) => target.addEventListener(name, listener, { signal });
      on(this.form, "submit", (event) => {
        event.preventDefault();
        this.#send();
      });
      on(this.input, "input", () => {
        this.#measure();
        this.#act.type(this.input.value);
      });
      on(this.input, "keydown", (event) => {
        // 229: Safari ends a composition before the key that ended it.
        if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
        event.preventDefault();
        this.#send();
      });
      on(this.panel, "keydown", (event) => {
        if (event.key === "Escape" && !event.isComposing) this.#act.close();
        if (event.key === "Tab" && this.isFullscreen) this.#keepFocus(event);
      });
      // The page's shortcuts are not meant for whom writes here: to the page the target is no text field.
      for (const name of ["keydown", "keyup", "keypress"]) on(this.root, name, (event) => event.stopPropagation());
      on(this.log, "scroll", () => {
        this.#sticks = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
        if (this.log.scrollTop < 80) this.#act.loadOlder();
        this.#act.look();
      });
      const observer = new ResizeObserver(() => this.#sticks && this.scrollToEnd());
      observer.observe(this.log);
      const fit = () => this.#fit();
      on(this.#small, "change", () => this.#act.look());
      if (isA(window.visualViewport, "VisualViewport")) ["resize", "scroll"].forEach((name) => on(visualViewport, name, fit));
    }

    /** Above a phone's keyboard, which some browsers lay over the page without telling its height. */
    #fit() {
      const { height, offsetTop, scale } = visualViewport;
      const covered = this.isFullscreen && scale === 1 && this.#coarse.matches;
      this.panel.style.height = covered ? `${height}px` : "";
      this.panel.style.top = covered ? `${offsetTop}px` : "";
    }

    #keepFocus(event) {
      const stops = [...this.panel.querySelectorAll("button, textarea, a, [tabindex='0']")].filter(
        (node) => !node.disabled && node.getClientRects().length,
      );
      const active = this.root.getRootNode().activeElement;
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (active !== edge && active !== this.panel) return;
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0]).focus();
    }

    #send() {
      const text = this.#text;
      if (!text || this.#length(text) > MAX_TEXT || this.input.disabled) return;
      this.draft = "";
      this.scrollToEnd();
      this.#act.send({ text });
    }

    get #text() {
      const text = this.input.value.replaceAll("\0", "").trim();
      return text.toWellFormed?.() ?? text;
    }

    #length(text) {
      return [...text].length;
    }

    #measure() {
      const length = this.#length(this.#text);
      this.submit.disabled = !length || length > MAX_TEXT || this.input.disabled;
      this.count.hidden = length < COUNTER_FROM;
      this.count.classList.toggle("over", length > MAX_TEXT);
      const [text, count] = length > MAX_TEXT ? [this.#texts.tooLong, length - MAX_TEXT] : [this.#texts.room, MAX_TEXT - length];
      this.count.textContent = this.count.hidden ? "" : fill(text, { count });
      this.input.style.height = "";
      const wanted = this.input.scrollHeight + 2;
      if (wanted > 44) this.input.style.height = `${wanted}px`;
    }

    #renderLauncher({ open, unread, hidden }) {
      const { close, launcher, unread: unreadText } = this.#texts;
      this.root.classList.toggle("opened", open);
      this.launcher.hidden = hidden;
      this.launcher.setAttribute("aria-expanded", open);
      const label = unread ? fill(unreadText, { count: unread }) : launcher;
      this.launcher.setAttribute("aria-label", open ? close : label);
      this.launcherIcon.replaceChildren(icon(open ? "down" : "chat"));
      this.badge.hidden = open || !unread;
      this.badge.textContent = unread > 9 ? "9+" : unread;
    }

    #renderHead({ phase, conversation: { info, isArchived, messages } }) {
      const texts = this.#texts;
      let subtitle = "";
      if (info && !isArchived && phase !== "blocked" && phase !== "fault") {
        if (info.assignee) subtitle = fill(texts.withAgent, { name: info.assignee.name || texts.agent });
        else if (info.handler === "queue") subtitle = texts.withQueue;
        else if (messages.some(({ author }) => author.kind === "bot")) subtitle = texts.withBot;
      }
      setText(this.subtitle, subtitle);
      this.subtitle.hidden = !subtitle;
    }

    #renderTyping(typist) {
      const texts = this.#texts;
      this.typing.hidden = !typist;
      if (!typist) return;
      const said = typist.kind === "bot" ? texts.botTyping : fill(texts.typing, { name: typist.name || texts.agent });
      if (this.typing.textContent === said) return;
      this.typing.replaceChildren(h("bdi", {}, said), h("span", { class: "dots" }, h("i"), h("i"), h("i")));
    }

    #renderStrips({ phase, trouble, lost, leaving, conversation: { info, isArchived, typists } }) {
      const texts = this.#texts;
      const talks = phase === "ready" && !isArchived;
      this.#renderTyping(talks ? [...typists.values()][0] : null);
      const waits = talks && info.handler === "queue";
      this.queue.hidden = !waits;
      if (waits) setText(this.place, this.#describePlace(info.queue));
      this.leave.disabled = leaving;
      const final = { blocked: texts.blocked, fault: texts.unavailable }[phase];
      const passing = (trouble && texts[trouble]) || (phase === "ready" ? lost && texts.reconnecting : texts.connecting);
      setText(this.status, final || passing || "");
      this.status.hidden = !this.status.textContent;
      this.panel.classList.toggle("bare", !this.status.hidden && !this.log.hasChildNodes());
      this.input.disabled = Boolean(final);
      this.form.hidden = Boolean(final);
    }

    #describePlace(queue) {
      const texts = this.#texts;
      if (!queue) return texts.withQueue;
      const place = fill(queue.position === 1 ? texts.next : texts.position, queue);
      const seconds = queue.estimated_wait_seconds;
      if (seconds === null) return place;
      const minutes = Math.round(seconds / 60);
      if (minutes > 60) return fill(texts.hours, { place });
      return fill(minutes > 1 ? texts.minutes : texts.minute, { place, minutes });
    }

    // The rows of the log are kept and moved, not made anew: what is read out is what was added.
    #renderLog(visit) {
      const { greeting, earlier } = this.#texts;
      const before = [greeting && this.#note("greeting", greeting), visit.loadingOlder && this.#note("earlier", earlier)];
      const rows = [...before, ...this.#said(visit)].filter(Boolean);
      this.#place([...rows, ...this.#next(visit, !rows.length)]);
    }

    /** All messages, with days and ends between them. */
    #said({ conversation: { past, messages }, waiting }) {
      const rows = [];
      let previous = null;
      let lastDay = null;
      const pause = () => {
        previous?.row.node.classList.add("last");
        previous = null;
      };
      const say = (message, state) => {
        const day = new Date(message.created_at).toDateString();
        if (day !== lastDay) {
          pause();
          rows.push(this.#note(`day ${message.conversation_id} ${day}`, this.#nameDay(message.created_at), "day"));
          lastDay = day;
        }
        const isSoon = previous && new Date(message.created_at) - new Date(previous.message.created_at) < PAUSE;
        previous?.row.node.classList.toggle("last", !isSoon);
        const row = this.#message(message, state, !isSoon || !isSameAuthor(previous.message.author, message.author));
        rows.push(row);
        previous = { message, row };
      };
      for (const ended of past) {
        ended.forEach((message) => say(message, ""));
        pause();
        rows.push(this.#note(`end ${ended[0].conversation_id}`, this.#texts.archived));
      }
      const newest = waiting.length ? null : messages.findLast(({ author }) => author.kind === "visitor");
      messages.forEach((message) => say(message, message === newest ? "sent" : ""));
      waiting.forEach((message) => say(message, message.failed === null ? "sending" : "failed"));
      pause();
      return rows;
    }

    /** What the visitor can do next, below the messages. */
    #next({ conversation, waiting, phase, hasLeft }, isEmpty) {
      const { info, isArchived, messages } = conversation;
      if (phase !== "ready") return [];
      if (isArchived) return [this.#ending(info.id, !waiting.length)];
      const newest = messages.at(-1);
      const isAnswered = waiting.some(({ failed }) => failed === null);
      if (newest?.choices?.length && !isAnswered) return [this.#choices(newest)];
      if (hasLeft && info.handler === "bot") return [this.#note("left", this.#texts.left)];
      return isEmpty ? [this.#note("empty", this.#texts.empty)] : [];
    }

    #place(rows) {
      const { scrollHeight, scrollTop } = this.log;
      const oldest = this.log.querySelector(".msg");
      let at = this.log.firstChild;
      for (const { node } of rows) {
        if (node === at) at = at.nextSibling;
        else this.log.insertBefore(node, at);
      }
      while (at) {
        const gone = at;
        at = at.nextSibling;
        gone.remove();
      }
      this.#rows = new Map(rows.map((row) => [row.key, row]));
      const isPrepended = oldest?.isConnected && oldest !== this.log.querySelector(".msg");
      if (isPrepended && !this.#sticks) this.log.scrollTop = scrollTop + this.log.scrollHeight - scrollHeight;
    }

    #row(key, make) {
      return this.#rows.get(key) ?? { key, ...make() };
    }

    #note(key, text, className = "") {
      return this.#row(key, () => ({ node: h("p", { class: `note ${className}`, dir: "auto" }, text) }));
    }

    #ending(id, offersAnother) {
      return this.#row(`ending ${id} ${offersAnother}`, () => {
        const node = h("div", { class: "note" }, this.#texts.archived);
        const again = h("button", { class: "choice", type: "button", click: () => this.#act.startOver() }, this.#texts.again);
        if (offersAnother) node.append(h("div", {}, again));
        return { node };
      });
    }

    #choices({ id, choices }) {
      return this.#row(`choices ${id}`, () => {
        const buttons = choices.map(({ label, value }) =>
          h("button", { class: "choice", type: "button", dir: "auto", click: () => this.#choose(label, value) }, label),
        );
        return { node: h("div", { class: "choices", role: "group", "aria-label": this.#texts.choices }, ...buttons) };
      });
    }

    #choose(label, value) {
      this.#act.send({ text: label, choice: value });
      this.scrollToEnd();
      this.focus();
    }

    #message(message, state, isFirst) {
      const { author, client_message_id: clientId } = message;
      const isMine = author.kind === "visitor";
      // One that was sent stays the same row when the server has it; a new attempt after another's id is another row.
      const key = isMine && clientId ? `mine ${clientId}` : `message ${message.id}`;
      const row = this.#row(key, () => this.#makeMessage(message, isMine));
      row.node.classList.toggle("first", isFirst);
      row.node.classList.toggle("waiting", state === "sending");
      row.node.classList.toggle("failed", state === "failed");
      row.who.classList.toggle("hush", isMine || !isFirst || author.kind === "system");
      row.face?.toggleAttribute("hidden", !isFirst);
      const time = this.#time.format(new Date(message.created_at));
      const told = { sending: this.#texts.sending, sent: `${time} · ${this.#texts.sent}`, failed: "" }[state] ?? time;
      if (row.meta.data !== told) row.meta.data = told;
      row.bubble.title = time;
      this.#showFault(row, state === "failed" ? message : null);
      return row;
    }

    #makeMessage({ author, text }, isMine) {
      const texts = this.#texts;
      const name = isMine ? texts.you : author.name || texts[author.kind] || "";
      const who = h("span", { class: "who" }, h("bdi", {}, name), author.kind === "bot" && author.name ? ` · ${texts.bot}` : "");
      const meta = document.createTextNode("");
      const hasFace = author.kind === "bot" || author.kind === "agent";
      const face = hasFace ? h("span", { class: "face", "aria-hidden": "true" }) : null;
      face?.append(author.kind === "bot" ? icon("bot") : ([...name.trim()][0]?.toUpperCase() ?? ""));
      const node = h("div", { class: `msg ${author.kind} ${hasFace ? "in" : ""}` }, ...(face ? [face] : []), who);
      const bubble = h("p", { class: "text", dir: "auto" }, ...written(text));
      node.append(bubble, h("span", { class: "meta" }, meta));
      return { node, who, face, bubble, meta };
    }

    #showFault(row, message) {
      if (row.reason === (message?.failed ?? undefined)) return;
      row.fault?.remove();
      row.reason = message?.failed;
      if (!message) return;
      const id = message.client_message_id;
      const link = (label, action) => h("button", { class: "link", type: "button", click: action }, label);
      row.fault = h(
        "div",
        { class: "fault" },
        h("span", { dir: "auto" }, `${this.#texts.failed} ${message.failed}`.trim()),
        link(this.#texts.retry, () => this.#act.retry(id)),
        link(this.#texts.discard, () => this.#act.discard(id)),
      );
      row.node.append(row.fault);
    }

    #nameDay(moment) {
      const day = new Date(moment);
      const today = new Date();
      const yesterday = new Date(today);
      yesterday.setDate(today.getDate() - 1);
      if (day.toDateString() === today.toDateString()) return this.#texts.today;
      if (day.toDateString() === yesterday.toDateString()) return this.#texts.yesterday;
      return (day.getFullYear() === today.getFullYear() ? this.#day : this.#dayOfYear).format(day);
    }
  }

  /** Whether it is the browser's own, and not a global of the page or an element's name. */
  const isA = (thing, name) => typeof window[name] === "function" && thing instanceof window[name];

  const isSameAuthor = (one, other) => one.kind === other.kind && one.name === other.name;

  /** Say it once: a status that is written again is read out again. */
  const setText = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };

  // ---- The page

  /** The widget on its page: whose visit it is, what of it is open, and what pages can do with it. */
  class Widget {
    isOpen = false;
    #settings;
    #stores;
    #visit;
    #view;
    #leaving = new AbortController();
    #unread = 0;
    #updating = false;
    #faulty = false;

    constructor(settings, texts, user) {
      this.#settings = { ...settings, page: describePage, isOpen: () => this.isOpen };
      this.#stores = makeStores(settings.prefix);
      this.#visit = this.#begin(user);
      const act = {
        toggle: () => this.toggle(),
        close: () => this.close(),
        look: () => this.#change(),
        send: (content) => this.#send(content),
        type: (text) => this.#type(text),
        retry: (id) => this.#visit.retry(id),
        discard: (id) => this.#visit.discard(id),
        startOver: () => this.#visit.startOver(),
        leaveQueue: () => this.#visit.leaveQueue(),
        loadOlder: () => this.#visit.loadOlder(),
      };
      this.#view = new View(texts, settings, act, this.#leaving.signal);
      this.#attach();
      this.#stay();
      this.#listen();
      this.#greet();
      if (this.#stores.tab.get("open") && !this.#view.isFullscreen) this.#show();
      this.#change();
    }

    open() {
      this.#attach();
      if (this.isOpen || this.#faulty) return;
      this.#show();
      this.#view.focus();
    }

    close() {
      if (!this.isOpen) return;
      this.#hide();
      this.#visit.signalTyping(false);
      this.#update();
    }

    toggle() {
      if (this.isOpen) this.close();
      else this.open();
    }

    /** The visitor is somebody whom the page knows: `{id, hash, name, email, phone}`. */
    identify(user) {
      const known = checkUser(user);
      if (!known || JSON.stringify(known) === JSON.stringify(this.#visit.user)) return;
      if (!this.#visit.user && this.#view.draft) {
        this.#visit.tab.set("draft", null);
        this.#stores.of(known).set("draft", this.#view.draft);
      }
      this.#replace(known);
    }

    /** Forget the visitor, here, in this site's storage and in its other tabs. */
    reset() {
      const { anonymous } = this.#stores;
      anonymous.clear();
      this.#forget();
      anonymous.set("reset", randomId()); // they hear it, it needn't stay
      anonymous.set("reset", null);
    }

    destroy() {
      this.#leaving.abort();
      this.#visit.end();
      this.#view.host.remove();
      delete window.Foyer;
      delete window[LOADED];
    }

    #attach() {
      // Beside the body: pages replace, transform and hide that.
      if (!this.#view.host.isConnected) document.documentElement.append(this.#view.host);
    }

    /** Frameworks that hydrate a whole document take away what they don't know. */
    #stay() {
      let returns = 0;
      const observer = new MutationObserver(() => {
        if (this.#view.host.isConnected) return;
        if (++returns >= RETURNS) observer.disconnect();
        this.#attach();
        this.#change();
      });
      observer.observe(document.documentElement, { childList: true });
      this.#leaving.signal.addEventListener("abort", () => observer.disconnect());
    }

    #forget() {
      this.#stores.tab.clear();
      this.#hide();
      this.#stores = makeStores(this.#settings.prefix);
      this.#replace(null);
    }

    /** The page is shown again as it was left. Meanwhile the visitor may have signed out: it goes on as a new page would. */
    #comeBack() {
      const { user, isKnown } = this.#visit;
      this.#stores = makeStores(this.#settings.prefix);
      const { tab, anonymous, mark } = this.#stores;
      const isStill = user && tab.get("user") === mark(user) && (!isKnown || anonymous.get(`met:${mark(user)}`));
      this.isOpen &&= tab.get("open") !== null;
      this.#replace(isStill ? user : null);
    }

    #begin(user) {
      this.#stores.tab.set("user", user && this.#stores.mark(user));
      const visit = new Visit(this.#settings, this.#stores, user, {
        change: () => visit === this.#visit && this.#change(),
        message: (message) => {
          this.#announce("message", { message });
          if (!this.isOpen) this.#view.tell(message);
        },
        fault: (reason) => warn(`no chat on this page: ${reason} (channel ${this.#settings.channel})`),
      });
      return visit;
    }

    #greet() {
      this.#view.draft = this.#visit.tab.get("draft") ?? "";
      this.#visit.resume();
      this.#visit.flush();
    }

    #replace(user) {
      this.#visit.end();
      this.#faulty = false;
      this.#visit = this.#begin(user);
      this.#greet();
      if (this.isOpen) this.#visit.open();
      this.#change();
    }

    #show() {
      this.isOpen = true;
      this.#stores.tab.set("open", "1");
      this.#visit.open();
      this.#update();
    }

    #hide() {
      this.isOpen = false;
      this.#stores.tab.set("open", null);
    }

    #send(content) {
      this.#visit.tab.set("draft", null);
      this.#visit.send(content);
    }

    #type(text) {
      this.#visit.tab.set("draft", text || null);
      this.#visit.signalTyping(text.trim() !== "");
    }

    #announce(name, detail) {
      window.dispatchEvent(new CustomEvent(`foyer:${name}`, { detail }));
    }

    /** Something is different: show it, together with all else that changes in this turn. */
    #change() {
      if (this.#updating) return;
      this.#updating = true;
      queueMicrotask(() => {
        this.#updating = false;
        if (!this.#leaving.signal.aborted) this.#update();
      });
    }

    #update() {
      const visit = this.#visit;
      if (visit.phase === "fault") this.#stores.tab.set("open", null); // on the next page it would be in the way
      this.#faulty ||= visit.phase === "fault" && !this.isOpen;
      this.#view.render({ visit, open: this.isOpen, unread: visit.unread, hidden: this.#faulty });
      if (this.isOpen && document.visibilityState === "visible" && this.#view.isAtEnd) visit.markRead();
      if (visit.unread === this.#unread) return;
      this.#unread = visit.unread;
      this.#announce("unread", { count: this.#unread });
    }

    #listen() {
      const on = (target, name, listener) => target.addEventListener(name, listener, { signal: this.#leaving.signal });
      const look = () => {
        if (document.visibilityState !== "visible") return;
        this.#visit.check();
        this.#change();
      };
      on(document, "visibilitychange", look);
      on(window, "online", () => this.#visit.check());
      on(window, "offline", () => this.#visit.hangUp());
      on(window, "pagehide", () => this.#visit.freeze());
      on(window, "pageshow", ({ persisted }) => persisted && this.#comeBack());
      on(window, "storage", (event) => this.#hearOtherTab(event));
      on(document, "securitypolicyviolation", ({ disposition, effectiveDirective, blockedURI }) => {
        if (disposition === "enforce" && effectiveDirective === "connect-src" && blockedURI.startsWith(this.#settings.server)) {
          this.#visit.fault(`its Content-Security-Policy lacks connect-src ${this.#settings.server}`);
        }
      });
      let shown;
      const navigated = () => {
        clearTimeout(shown);
        // Single-page applications set the title after the address.
        shown = setTimeout(() => this.#visit.showPage(describePage()), SETTLED_AFTER);
      };
      if (isA(window.navigation, "Navigation")) on(window.navigation, "currententrychange", navigated);
      else ["popstate", "hashchange"].forEach((name) => on(window, name, navigated));
    }

    #hearOtherTab({ key, newValue, storageArea }) {
      const { prefix } = this.#settings;
      if (storageArea !== localStorage || (key !== null && !key.startsWith(prefix))) return;
      const name = key?.slice(prefix.length);
      const isGone = newValue === null;
      if (key === null || (name === "reset" && !isGone)) this.#forget();
      else if (this.#visit.user) return;
      else if (name.startsWith("out:")) this.#visit.rereadOutbox(name, isGone);
      else if (name !== "token") return;
      else if (isGone && this.#visit.isKnown) {
        this.#hide();
        this.#replace(null);
      } else if (!isGone && !this.#visit.isKnown) this.#visit.resume();
    }
  }

  const LOADED = Symbol.for("foyer.widget");

  /** The address without a fragment that is no place: it may hold what is nobody's business. */
  const describePage = () => {
    const address = new URL(location.href);
    if (!/^#[/!]/.test(address.hash)) address.hash = "";
    return {
      url: address.href.slice(0, 10_000),
      title: document.title.slice(0, 2_000),
      referrer: document.referrer.slice(0, 10_000) || null,
    };
  };

  /** Anonymous visitors are kept on the device; somebody whom the page knows by a name of their own, and for as long as the tab lives. */
  const makeStores = (prefix) => {
    const known = new Map();
    const mark = ({ hash }) => hash.slice(0, 16).toLowerCase();
    return {
      anonymous: new Store("localStorage", prefix),
      tab: new Store("sessionStorage", prefix),
      mark,
      of(user) {
        const name = mark(user);
        if (!known.has(name)) known.set(name, new Store("sessionStorage", `${prefix}user:${name}:`));
        return known.get(name);
      },
    };
  };

  /** What the API takes of a user; null, and a warning, for one that it can't take. */
  const checkUser = (user) => {
    const { id, hash, name, email, phone } = user ?? {};
    if (id && /^[\da-f]{64}$/i.test(hash)) {
      return Object.fromEntries(Object.entries({ id: String(id), hash, name, email, phone }).filter(([, value]) => value));
    }
    warn("a user needs an id and a hash of 64 hexadecimal digits");
    return null;
  };

  const load = (script) => {
    const { channel, userId, userHash, userName, userEmail, userPhone, color = "", position, title, greeting } = script.dataset;
    if (!/^[\w-]{1,64}$/.test(channel ?? "")) {
      warn("the script needs data-channel, the id of a channel");
      return;
    }
    const told = userId || userHash ? { id: userId, hash: userHash, name: userName, email: userEmail, phone: userPhone } : null;
    const user = told && checkUser(told);
    if (told && !user) return; // as somebody else nobody should talk
    window[LOADED] = true;
    const server = new URL(script.src).origin;
    const settings = { server, channel, prefix: `foyer:${server}:${channel}:`, color, left: position === "left" };
    const start = () => {
      const texts = { ...TEXTS, ...(title && { title }), ...(greeting && { greeting }), ...window.FoyerTexts };
      const widget = new Widget(settings, texts, user);
      const names = ["open", "close", "toggle", "identify", "reset", "destroy"];
      window.Foyer = Object.freeze(Object.fromEntries(names.map((name) => [name, (...given) => widget[name](...given)])));
      window.dispatchEvent(new CustomEvent("foyer:ready"));
    };
    const startWhenParsed = () => {
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
      else start();
    };
    // A page that is rendered ahead may never be seen.
    if (document.prerendering) document.addEventListener("prerenderingchange", startWhenParsed, { once: true });
    else startWhenParsed();
  };

  if (window[LOADED] || !("adoptedStyleSheets" in document)) return;
  const script = Reflect.get(Document.prototype, "currentScript", document); // an element of the page may be named so
  if (!isA(script, "HTMLScriptElement") || !script.src) {
    warn("it is loaded by a classic script element with src");
    return;
  }
  load(script);
})();
