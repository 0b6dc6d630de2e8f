import assert from "node:assert/strict";
import type { MessageTransport } from "../contracts/message-transport.js";
import { casesOf, type SuiteCase } from "./suite-case.js";

/** Two transports that reach each other, as two daemons would. */
export interface TransportPair {
  readonly a: MessageTransport;
  readonly b: MessageTransport;
  /** An address of nobody: connections to it cannot be made. */
  readonly nobody: string;
  /** Lets messages go on their way: a turn of the event loop, or a little virtual time. */
  turn(): Promise<void>;
  /** Ends `b` as the end of its process would. */
  endB(): Promise<void>;
  close(): Promise<void>;
}

interface Seen {
  readonly from: string;
  readonly name: string;
  readonly body: string;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Collects what an actor receives; bodies are copied, because they are valid only during the call. */
function listen(transport: MessageTransport, actor: string): Seen[] {
  const seen: Seen[] = [];
  transport.receive(actor, ({ from, name, body }) => {
    seen.push({ from, name, body: Buffer.from(body).toString("latin1") });
  });
  return seen;
}

/** What any MessageTransport must do. */
export function messageTransportSuite(make: () => Promise<TransportPair>): SuiteCase[] {
  const cases: SuiteCase[] = [];
  const caseOf = casesOf(make);

  const test = (
    name: string,
    body: (pair: TransportPair, until: (condition: () => boolean) => Promise<void>) => Promise<void>,
  ): void => {
    cases.push(
      caseOf(name, (pair) =>
        body(pair, async (condition) => {
          while (!condition()) await pair.turn();
        }),
      ),
    );
  };

  test("gives actors an address of the form id@ip:port", async ({ a, b }) => {
    assert.match(a.address("master"), /^master@[\d.]+:\d+$/);
    assert.notEqual(a.address("master"), b.address("master"));
  });

  test("delivers sender, name and body, also an empty one", async ({ a, b }, until) => {
    const seen = listen(b, "slave(1)");
    a.send(b.address("slave(1)"), {
      from: "master",
      name: "mesos.internal.Ping",
      body: bytes("\u0000\u00ff\r\n\r\n"),
    });
    a.send(b.address("slave(1)"), { from: "master", name: "mesos.internal.Empty", body: bytes("") });
    await until(() => seen.length === 2);
    const from = a.address("master");
    assert.deepEqual(seen, [
      { from, name: "mesos.internal.Ping", body: "\u0000\u00c3\u00bf\r\n\r\n" },
      { from, name: "mesos.internal.Empty", body: "" },
    ]);
  });

  test("keeps the order of messages of any size", async ({ a, b }, until) => {
    const seen = listen(b, "sink");
    const sizes = Array.from({ length: 500 }, (_, i) => (i % 50 === 0 ? 200_000 : i));
    for (const [i, size] of sizes.entries()) {
      a.send(b.address("sink"), { from: "source", name: `m${i}`, body: bytes("x".repeat(size)) });
      if (i % 100 === 0) await Promise.resolve();
    }
    await until(() => seen.length === sizes.length);
    assert.deepEqual(
      seen.map(({ name, body }) => [name, body.length]),
      sizes.map((size, i) => [`m${i}`, size]),
    );
  });

  test("carries answers back to the sender's address", async ({ a, b }, until) => {
    const answers = listen(a, "asker");
    b.receive("answerer", ({ from, name }) =>
      b.send(from, { from: "answerer", name: `re.${name}`, body: bytes("") }),
    );
    a.send(b.address("answerer"), { from: "asker", name: "question", body: bytes("?") });
    await until(() => answers.length === 1);
    assert.deepEqual(answers[0], { from: b.address("answerer"), name: "re.question", body: "" });
  });

  test("delivers to actors of its own, in order and not from within send", async ({ a }, until) => {
    const seen = listen(a, "self");
    a.send(a.address("self"), { from: "other", name: "one", body: bytes("1") });
    a.send(a.address("self"), { from: "other", name: "two", body: bytes("2") });
    assert.equal(seen.length, 0);
    await until(() => seen.length === 2);
    assert.deepEqual(
      seen.map(({ name }) => name),
      ["one", "two"],
    );
    assert.equal(seen[0]!.from, a.address("other"));
  });

  test("drops messages for unknown actors and goes on", async ({ a, b }, until) => {
    const seen = listen(b, "known");
    a.send(b.address("unknown"), { from: "x", name: "lost", body: bytes("") });
    a.send("nonsense", { from: "x", name: "lost", body: bytes("") });
    a.send("id@host:99999999", { from: "x", name: "lost", body: bytes("") });
    a.send(b.address("known"), { from: "x", name: "found", body: bytes("") });
    await until(() => seen.length === 1);
    assert.equal(seen[0]!.name, "found");
  });

  test("stops delivering to an actor that is taken back", async ({ a, b }, until) => {
    const seen: string[] = [];
    const undo = b.receive("gone", ({ name }) => void seen.push(name));
    const marks = listen(b, "mark");
    undo();
    a.send(b.address("gone"), { from: "x", name: "late", body: bytes("") });
    a.send(b.address("mark"), { from: "x", name: "mark", body: bytes("") });
    await until(() => marks.length === 1);
    assert.deepEqual(seen, []);
    const again = listen(b, "gone");
    a.send(b.address("gone"), { from: "x", name: "again", body: bytes("") });
    await until(() => again.length === 1);
  });

  test("has one receiver for an actor", async ({ a }) => {
    a.receive("one", () => undefined);
    assert.throws(() => a.receive("one", () => undefined));
  });

  test("goes on after a receiver that throws", async ({ a, b }, until) => {
    const seen: string[] = [];
    b.receive("clumsy", ({ name }) => {
      seen.push(name);
      if (name === "bad") throw new Error("cannot");
    });
    for (const name of ["bad", "good"]) a.send(b.address("clumsy"), { from: "x", name, body: bytes("") });
    await until(() => seen.length === 2);
    assert.deepEqual(seen, ["bad", "good"]);
  });

  test("carries a large body whole", async ({ a, b }, until) => {
    const body = Buffer.alloc(5 * 1024 * 1024, "0123456789abcdef\r\n");
    let same: boolean | undefined;
    b.receive("large", (message) => {
      same = body.equals(message.body);
    });
    a.send(b.address("large"), { from: "x", name: "large", body });
    await until(() => same !== undefined);
    assert.equal(same, true);
  });

  test("tells every link once when the peer ends, unless undone", async ({ a, b, endB }, until) => {
    const seen = listen(b, "peer");
    const exits: string[] = [];
    a.link(b.address("peer"), () => exits.push("first"));
    a.link(b.address("peer"), () => exits.push("second"));
    a.link(b.address("peer"), () => exits.push("undone"))();
    a.send(b.address("peer"), { from: "x", name: "hello", body: bytes("") });
    await until(() => seen.length === 1);
    assert.deepEqual(exits, []);
    await endB();
    await until(() => exits.length === 2);
    assert.deepEqual(exits, ["first", "second"]);
    // The end of a link is the end of it: another send and its failure call nobody.
    a.send(b.address("peer"), { from: "x", name: "late", body: bytes("") });
    let again = 0;
    a.link(b.address("peer"), () => again++);
    await until(() => again === 1);
    assert.equal(exits.length, 2);
  });

  test("tells a link to whom no connection can be made", async ({ a, nobody }, until) => {
    let exits = 0;
    a.link(`nobody@${nobody}`, () => exits++);
    a.link("nonsense", () => exits++);
    assert.equal(exits, 0);
    await until(() => exits === 2);
  });

  test("tells links to its own actors when they are missing or taken back", async ({ a }, until) => {
    let exits = 0;
    a.link(a.address("missing"), () => exits++);
    await until(() => exits === 1);
    const undo = a.receive("brief", () => undefined);
    a.link(a.address("brief"), () => exits++);
    undo();
    await until(() => exits === 2);
  });

  return cases;
}
