import { userInfo } from "node:os";
import { expect } from "chai";
import { RecordDecoder } from "../../sdk/recordio/index.js";
import { captureText } from "../plugins/http-server/captures.js";
import { until } from "../support/cluster.js";
import { compare } from "./compare.js";
import { type JsonTree, parseTree } from "./json-tree.js";
import { CAPTURED_PORTS, likeness, likenessOfText, type Ports } from "./likeness.js";
import { type EmptyCluster, startEmptyCluster } from "./live-cluster.js";

/** As far as this test reads into one. */
interface Event {
  readonly type: string;
  readonly subscribed?: { readonly framework_id: { readonly value: string } };
  readonly offers?: {
    readonly offers: readonly {
      readonly id: object;
      readonly agent_id: object;
      readonly allocation_info: { readonly role: string };
    }[];
  };
  readonly update?: {
    readonly status: {
      readonly task_id: { readonly value: string };
      readonly agent_id: object;
      readonly uuid?: string;
      readonly state: string;
    };
  };
}

/** One event with its text, in which numbers are as they were written. */
interface Told {
  readonly event: Event;
  readonly text: string;
}

const told = (text: string): Told => ({ event: JSON.parse(text) as Event, text });
const CAPTURED = captureText("conformance/fixtures/scheduler-events.jsonl").trim().split("\n").map(told);

/** The captured scheduler again, without the library that hides the bytes. */
class RawScheduler {
  readonly events: Told[] = [];
  private readonly stop = new AbortController();
  private stream = "";

  constructor(private readonly port: number) {}

  async subscribe(framework: object): Promise<void> {
    const response = await this.post({ type: "SUBSCRIBE", subscribe: { framework_info: framework } });
    this.stream = response.headers.get("mesos-stream-id") ?? "";
    void this.read(response.body!).catch(() => undefined);
    await until(() => this.frameworkId !== undefined);
  }

  get frameworkId(): { readonly value: string } | undefined {
    return this.events.find(({ event }) => event.type === "SUBSCRIBED")?.event.subscribed?.framework_id;
  }

  async call(call: object): Promise<void> {
    const response = await this.post({ framework_id: this.frameworkId, ...call });
    expect([response.status, await response.text()]).to.deep.equal([202, ""]);
  }

  close(): void {
    this.stop.abort();
  }

  private post(call: object): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}/api/v1/scheduler`, {
      method: "POST",
      signal: this.stop.signal,
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(this.stream !== "" && { "mesos-stream-id": this.stream }),
      },
      body: JSON.stringify(call),
    });
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new RecordDecoder();
    for await (const chunk of body) {
      for (const record of decoder.push(chunk)) {
        const one = told(Buffer.from(record).toString());
        const status = one.event.update?.status;
        // One whose acknowledgement is late comes again.
        const known = (uuid: string): boolean =>
          this.events.some(({ event }) => event.update?.status.uuid === uuid);
        if (status?.uuid === undefined || !known(status.uuid)) this.events.push(one);
        if (status?.uuid === undefined) continue;
        const { agent_id, task_id, uuid } = status;
        await this.call({ type: "ACKNOWLEDGE", acknowledge: { agent_id, task_id, uuid } });
      }
    }
  }
}

describe("events of a real master against captured ones", function () {
  this.timeout(60_000);
  let cluster: EmptyCluster;
  let scheduler: RawScheduler;

  before(async () => {
    cluster = await startEmptyCluster();
    scheduler = new RawScheduler(cluster.master.port);
    await scheduler.subscribe({
      user: userInfo().username,
      name: "fixture",
      roles: ["dev", "prod/web"],
      principal: "fix",
      checkpoint: true,
      failover_timeout: 60,
      capabilities: ["MULTI_ROLE", "PARTITION_AWARE", "RESERVATION_REFINEMENT"].map((type) => ({ type })),
    });
    const first = () =>
      scheduler.events.find(({ event }) => event.type === "OFFERS")?.event.offers?.offers[0];
    await until(() => first() !== undefined);
    const offer = first()!;
    const task = (id: string, value: string) => ({
      name: id,
      task_id: { value: id },
      agent_id: offer.agent_id,
      command: { value },
      resources: Object.entries({ cpus: 0.1, mem: 32 }).map(([name, amount]) => ({
        name,
        type: "SCALAR",
        scalar: { value: amount },
        allocation_info: offer.allocation_info,
      })),
    });
    const tasks = [task("fail-1", "exit 3"), task("done-1", "exit 0"), task("killed-1", "sleep 900")];
    const launch = { type: "LAUNCH", launch: { task_infos: tasks } };
    await scheduler.call({ type: "ACCEPT", accept: { offer_ids: [offer.id], operations: [launch] } });
    await until(() => updates(scheduler.events, "killed-1").length === 2);
    await scheduler.call({ type: "KILL", kill: { task_id: { value: "killed-1" } } });
    await until(() => tasks.every(({ name }) => updates(scheduler.events, name).length === 3));
  });

  after(async () => {
    await scheduler.call({ type: "TEARDOWN" });
    scheduler.close();
    await cluster.stop();
  });

  for (const type of ["SUBSCRIBED", "HEARTBEAT", "OFFERS"]) {
    it(`the first ${type}`, () => {
      const one = (events: readonly Told[]) => events.find(({ event }) => event.type === type)!;
      expectAlike(one(CAPTURED), one(scheduler.events), cluster.ports);
    });
  }

  for (const id of ["fail-1", "done-1", "killed-1"]) {
    it(`every UPDATE of ${id}`, () => {
      const ours = updates(scheduler.events, id);
      for (const [index, captured] of updates(CAPTURED, id).entries()) {
        expectAlike(captured, ours[index]!, cluster.ports);
      }
    });
  }
});

function updates(events: readonly Told[], taskId: string): Told[] {
  return events.filter(({ event }) => event.update?.status.task_id.value === taskId);
}

function expectAlike(captured: Told, ours: Told, ports: Ports): void {
  const tree = ({ text }: Told, at: Ports): JsonTree => byName(likeness(parseTree(likenessOfText(text, at))));
  const found = compare(tree(captured, CAPTURED_PORTS), tree(ours, ports));
  expect(found.map(({ path, finding, text }) => `${finding} ${path}: ${text}`)).to.deep.equal([]);
}

/** The order of an offer's resources means nothing. */
function byName(tree: JsonTree): JsonTree {
  if (tree.kind === "object") {
    return {
      kind: "object",
      fields: new Map([...tree.fields].map(([name, value]) => [name, byName(value)])),
    };
  }
  if (tree.kind !== "array") return tree;
  const items = tree.items.map(byName);
  const name = (item: JsonTree): string => {
    const value = item.kind === "object" ? item.fields.get("name") : undefined;
    return value?.kind === "string" ? value.value : "";
  };
  return { kind: "array", items: items.sort((one, other) => name(one).localeCompare(name(other))) };
}
