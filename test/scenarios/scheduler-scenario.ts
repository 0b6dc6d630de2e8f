import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  FrameworkInfo_Capability_Type,
  type Offer,
  TaskState,
  TaskStatus_Reason,
  TaskStatus_Source,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { FrameworkInput, SchedulerClient, SchedulerEvent } from "../../sdk/scheduler/index.js";

/**
 * Scenarios of the scheduler API as text, read by people and run against every edge:
 *
 *     # A comment.
 *     > launch hello echo hello
 *     update hello TASK_RUNNING
 *     update hello TASK_FINISHED message="Command exited with status 0"
 *
 * A line with `>` is a call; the lines below it are the events that must follow, in order. An expected event names the facts that matter:
 * what it does not mention may be anything. Offers and heartbeats are taken without being named, since their number depends on time.
 */
export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

interface Step {
  readonly line: number;
  /** The call and its arguments. */
  readonly words: readonly string[];
  readonly expected: readonly { readonly line: number; readonly text: string }[];
}

/** What the scenarios take for granted of the framework that plays them. */
export const SCENARIO_FRAMEWORK: FrameworkInput = {
  name: "scenario",
  capabilities: [{ type: FrameworkInfo_Capability_Type.PARTITION_AWARE }],
};

/** Every scenario of the folder, by file name. */
export function schedulerScenarios(): Scenario[] {
  const source = sourceFolder();
  return readdirSync(source)
    .filter((name) => name.endsWith(".txt"))
    .sort()
    .map((name) => parseScenario(name.replace(/\.txt$/, ""), readFileSync(`${source}/${name}`, "utf8")));
}

function parseScenario(name: string, text: string): Scenario {
  const steps: { line: number; words: string[]; expected: { line: number; text: string }[] }[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith(">"))
      steps.push({ line: index + 1, words: line.slice(1).trim().split(/\s+/), expected: [] });
    else if (steps.length === 0) throw new Error(`${name}:${index + 1}: an event before the first call`);
    else steps.at(-1)!.expected.push({ line: index + 1, text: line });
  }
  return { name, steps };
}

export interface ScenarioOptions {
  /** Milliseconds to wait for one event. */
  readonly limit?: number;
  /** Put before task ids, so that scenarios may share a framework. */
  readonly prefix?: string;
}

/**
 * Plays a scenario with a client, which must not have been started, and throws at the first event that is not the expected one. Returns the
 * transcript, every update with all its facts but those that differ from run to run: over any two edges it is to be the same.
 */
export async function runScenario(
  client: SchedulerClient,
  scenario: Scenario,
  options: ScenarioOptions = {},
): Promise<string[]> {
  const player = new Player(client, options);
  const transcript: string[] = [];
  try {
    for (const step of scenario.steps) {
      await player.play(step.words);
      transcript.push(`> ${step.words.join(" ")}`);
      for (const { line, text } of step.expected) {
        const facts = await player.next(`${scenario.name}:${line}: ${text}`);
        const problem = mismatch(text, facts);
        if (problem !== undefined)
          throw new Error(`${scenario.name}:${line}: expected '${text}', got '${shown(facts)}' (${problem})`);
        transcript.push(shown(facts));
      }
    }
    return transcript;
  } finally {
    await client.close();
  }
}

/** An event as words and facts: `update hello TASK_RUNNING` and `source`, `reason`, `message`, ... */
interface Facts {
  readonly words: readonly string[];
  readonly named: ReadonlyMap<string, string>;
}

class Player {
  private readonly events: AsyncIterator<SchedulerEvent>;
  private readonly offers: Offer[] = [];
  private readonly agents = new Map<string, string>();
  private pending: Promise<IteratorResult<SchedulerEvent>> | undefined;

  constructor(
    private readonly client: SchedulerClient,
    private readonly options: ScenarioOptions,
  ) {
    this.events = client.events();
  }

  async play([name, ...rest]: readonly string[]): Promise<void> {
    const { client } = this;
    const [first = "", ...more] = rest;
    switch (name) {
      case "subscribe":
        return;
      case "launch":
        return this.launch(first, more.join(" "));
      case "kill":
        return client.kill(this.id(first), { agentId: this.agents.get(first) ?? "" });
      case "reconcile":
        return client.reconcile(rest.map((task) => ({ taskId: this.id(task) })));
      case "decline":
        return client.decline(await this.offer(), { refuse_seconds: 0 });
      case "suppress":
        return client.suppress();
      case "revive":
        return client.revive();
      case "teardown":
        return client.teardown();
      case "refused":
        return this.refused(rest);
      default:
        throw new Error(`unknown call '${name}'`);
    }
  }

  /** The next event that scenarios speak of. */
  async next(waitedFor: string): Promise<Facts> {
    for (;;) {
      const event = await this.take(waitedFor);
      const facts = this.facts(event);
      if (facts !== undefined) return facts;
    }
  }

  private async launch(task: string, command: string): Promise<void> {
    const offer = await this.offer();
    this.agents.set(task, offer.agent_id?.value ?? "");
    const scalar = (resource: string, value: number) => ({
      name: resource,
      type: Value_Type.SCALAR,
      scalar: { value },
      ...(offer.allocation_info && { allocation_info: offer.allocation_info }),
    });
    const info = {
      name: task,
      task_id: { value: this.id(task) },
      resources: [scalar("cpus", 0.1), scalar("mem", 32)],
      command: { value: command, shell: true },
    };
    await this.client.launch(offer, [info], { refuse_seconds: 0 });
  }

  /** `refused kill` and so on: the same call without what it needs is refused, and the subscription goes on. */
  private async refused([name]: readonly string[]): Promise<void> {
    const call = name === "kill" ? this.client.send({ type: 6, kill: {} }) : this.client.send({ type: 0 });
    const answer = await call.then(
      () => "accepted",
      (error: { code?: string }) => error.code,
    );
    if (answer !== "TEPUI_CLIENT_REFUSED")
      throw new Error(`'${name}' should have been refused, but: ${answer}`);
  }

  private async offer(): Promise<Offer> {
    while (this.offers.length === 0) {
      const event = await this.take("an offer");
      const facts = this.facts(event);
      if (facts !== undefined && facts.words[0] !== "subscribed")
        throw new Error(`while waiting for an offer: unexpected '${shown(facts)}'`);
    }
    return this.offers.shift()!;
  }

  private async take(waitedFor: string): Promise<SchedulerEvent> {
    this.pending ??= this.events.next();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no event in time: ${waitedFor}`)),
        this.options.limit ?? 10_000,
      );
    });
    try {
      const { value, done } = await Promise.race([this.pending, limit]);
      this.pending = undefined;
      if (done === true) throw new Error(`the events ended: ${waitedFor}`);
      return value;
    } finally {
      clearTimeout(timer);
    }
  }

  private facts(event: SchedulerEvent): Facts | undefined {
    switch (event.type) {
      case "offers":
        this.offers.push(...event.offers);
        return undefined;
      case "rescind": {
        const at = this.offers.findIndex(({ id }) => id?.value === event.offer_id.value);
        if (at >= 0) this.offers.splice(at, 1);
        return undefined;
      }
      case "heartbeat":
      case "failure":
        return undefined;
      case "update": {
        const { task_id, state, source, reason, message, uuid } = event.status;
        const task = (task_id?.value ?? "").slice(this.options.prefix?.length ?? 0);
        const named = new Map<string, string>();
        if (source !== undefined) named.set("source", TaskStatus_Source[source]!);
        if (reason !== undefined) named.set("reason", TaskStatus_Reason[reason]!);
        if (message !== undefined) named.set("message", message);
        named.set("uuid", uuid === undefined ? "no" : "yes");
        return { words: ["update", task, TaskState[state!]!], named };
      }
      default:
        return { words: [event.type], named: new Map() };
    }
  }

  private id(task: string): string {
    return `${this.options.prefix ?? ""}${task}`;
  }
}

/** What is wrong with an event, held against its line; undefined when it fits. */
function mismatch(line: string, { words, named }: Facts): string | undefined {
  const tokens = [...line.matchAll(/(\w+)="([^"]*)"|(\w+)=(\S+)|(\S+)/g)];
  const expected = tokens.filter((token) => token[5] !== undefined).map((token) => token[5]!);
  for (const [index, word] of expected.entries()) {
    if (!word.split("|").includes(words[index] ?? "")) return `'${words[index]}' is not '${word}'`;
  }
  for (const token of tokens) {
    const name = token[1] ?? token[3];
    if (name === undefined) continue;
    const value = token[2] ?? token[4];
    if (named.get(name) !== value) return `${name} is '${named.get(name)}'`;
  }
  return undefined;
}

function shown({ words, named }: Facts): string {
  return [...words, ...[...named].map(([name, value]) => `${name}="${value}"`)].join(" ");
}

/** Scenario files are not compiled: they stay in the source tree, wherever the compiled tests are. */
function sourceFolder(): string {
  let at = new URL(".", import.meta.url);
  for (let depth = 0; depth < 8; depth++) {
    try {
      const candidate = fileURLToPath(new URL("test/scenarios/scheduler/", at));
      readdirSync(candidate);
      return candidate;
    } catch {
      at = new URL("..", at);
    }
  }
  throw new Error("the scenario files are not found above the compiled tests");
}
