import { expect } from "chai";
import { answerOf, type CapturedAnswer, captured } from "../plugins/http-server/captures.js";
import { compare, type Mismatch } from "./compare.js";
import { DIFFERENCES } from "./differences.js";
import { type JsonTree, parseTree } from "./json-tree.js";
import { CAPTURED_PORTS, likeness, likenessOfText, type Ports } from "./likeness.js";

export type Daemon = "master" | "agent";

export interface Exchange {
  readonly daemon: Daemon;
  /** As asked, with query. */
  readonly path: string;
  /** Name of the fixture. */
  readonly fixture: string;
  /** The daemon really runs: what no two runs share is left out of account. */
  readonly live?: Live;
}

export interface Live {
  readonly ports: Ports;
  /** The values are figures that nothing but the run decides; only fields and types are held. */
  readonly measured?: boolean;
}

/** Mesos's answer. */
export function fixture(daemon: Daemon, name: string): CapturedAnswer {
  return captured(`conformance/fixtures/${daemon}/${name}.http`);
}

/** Asks our server and holds the answer against the captured one: status, headers, and for JSON every field. */
export async function hold(base: string, exchange: Exchange): Promise<void> {
  const { daemon, path, fixture: name, live } = exchange;
  const theirs = fixture(daemon, name);
  // The captures were taken by a client that does not know compression.
  const headers = { "accept-encoding": "identity" };
  const ours = await answerOf(await fetch(base + path, { redirect: "manual", headers }));
  const meant = DIFFERENCES.filter(({ endpoints }) =>
    endpoints.includes(`${live ? "live " : ""}${daemon} ${path}`),
  );
  expect({ status: ours.status, headers: headersOf(ours) }).to.deep.equal({
    status: theirs.status,
    headers: headersOf(theirs),
  });
  if (ours.headers["content-type"] !== "application/json") {
    expect(ours.body).to.equal(theirs.body);
    return;
  }
  const left = meant.map(({ path: place, finding }) => `${finding} ${place}`);
  const found = live
    ? compareRuns(theirs.body, ours.body, live)
    : compare(parseTree(theirs.body), parseTree(ours.body));
  const unexpected = found.filter((mismatch) => !left.includes(keyOf(mismatch)));
  expect(unexpected.map(({ path: place, finding, text }) => `${finding} ${place}: ${text}`)).to.deep.equal(
    [],
  );
  const occurred = new Set(found.map(keyOf));
  expect(
    left.filter((key) => !occurred.has(key)),
    "differences that do not occur",
  ).to.deep.equal([]);
}

function compareRuns(theirs: string, ours: string, { ports, measured = false }: Live): Mismatch[] {
  const tree = (text: string, at: Ports): JsonTree => likeness(parseTree(likenessOfText(text, at)));
  const found = compare(tree(theirs, CAPTURED_PORTS), tree(ours, ports));
  return measured ? found.filter(({ finding }) => finding !== "value") : found;
}

/** Holds that we serve what Mesos does not, and that the list of differences says so. */
export async function holdServed(base: string, { daemon, path, fixture: name }: Exchange): Promise<unknown> {
  expect(fixture(daemon, name).status).to.equal(404);
  const listed = DIFFERENCES.some(
    ({ endpoints, path: place }) => place === "(answer)" && endpoints.includes(`${daemon} ${path}`),
  );
  expect(listed, `${path} in the list of differences`).to.equal(true);
  const response = await fetch(base + path);
  expect(response.status).to.equal(200);
  expect(response.headers.get("content-type")).to.equal("application/json");
  return response.json();
}

const keyOf = ({ path, finding }: Mismatch): string => `${finding} ${path}`;

/** The length of a body is held against by its content; where the connection goes next is the client's affair. */
function headersOf({ headers }: CapturedAnswer): Record<string, string> {
  const { "content-length": _length, connection: _connection, ...rest } = headers;
  return rest;
}
