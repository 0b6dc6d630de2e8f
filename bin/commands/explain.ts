import { addressText, type DaemonAddress, parseAddresses, reasonOf } from "../../sdk/client/index.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { Streams } from "./execute-report.js";
import { type Explanation, explanationSchema, explanationText } from "./explain-text.js";

export interface ExplainOptions {
  /** Id, unique end of an id, or name. */
  readonly framework: string;
  readonly role?: string | undefined;
  /** `host:port`, or several with commas: the first that answers is asked, and leads on to the leader. */
  readonly master: string;
  readonly json?: boolean | undefined;
}

/** Milliseconds for one master to answer. */
const PATIENCE_MS = 10_000;
const DEFAULT_PORT = 5050;

/** `tepui explain`: says why a framework gets no offers. The exit code is 0 when there is an answer, 1 otherwise. */
export async function runExplain(options: ExplainOptions, { stdout, stderr }: Streams): Promise<number> {
  try {
    const body = await ask(options);
    if (options.json === true) stdout.write(`${JSON.stringify(body, null, 2)}\n`);
    else stdout.write(explanationText(body));
    return 0;
  } catch (error) {
    stderr.write(`tepui explain: ${messageOf(error)}\n`);
    return 1;
  }
}

async function ask({ framework, role, master }: ExplainOptions): Promise<Explanation> {
  const query = new URLSearchParams({ framework, ...(role !== undefined && { role }) });
  const problems: string[] = [];
  for (const address of parseAddresses(master, DEFAULT_PORT)) {
    const answer = await answerOf(address, query).catch((error: unknown) => {
      problems.push(`the master at ${addressText(address)} does not answer: ${causeOf(error)}`);
    });
    if (answer === undefined) continue;
    const text = await answer.text();
    if (answer.ok) return read(text);
    // The next one may lead, or know who does.
    if (answer.status === 503) problems.push(`the master at ${addressText(address)} cannot say: ${text}`);
    else throw new Error(refusal(answer.status, text));
  }
  throw new Error(problems.join("; "));
}

/** A master that does not lead sends on to the one that does. */
function answerOf(
  { protocol, prefix, ...address }: DaemonAddress,
  query: URLSearchParams,
): Promise<Response> {
  const url = `${protocol}//${addressText({ protocol, prefix, ...address })}${prefix}/allocator/explain?${query}`;
  return fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
}

function read(text: string): Explanation {
  const read = explanationSchema.safeParse(parsed(text));
  if (read.success) return read.data;
  throw new Error("the answer is not that of a Tepui master");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Masters say what is wrong in words; what else is below the path has none. */
function refusal(status: number, text: string): string {
  if (status === 404 && !text.includes("framework"))
    return "there is no /allocator/explain: is it a Tepui master, with the plugin explain-endpoint?";
  return text.trim() === "" ? `the master answered ${status}` : text.trim();
}

/** `fetch` hides why it failed in its error's cause. */
function causeOf(error: unknown): string {
  return reasonOf(error instanceof Error ? (error.cause ?? error) : error);
}
