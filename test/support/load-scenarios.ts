import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import {
  FrameworkRegisteredMessage,
  RegisterFrameworkMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import { FrameworkInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { agentsPerHost, startAgents } from "../bench/agent-crowd.js";
import { TaskRunner } from "../bench/task-runner.js";
import { TaskShape } from "../bench/task-shape.js";
import { FrameReader, frame } from "../bench/wire-frame.js";
import { getJson } from "./cluster.js";
import type { Daemon } from "./daemons.js";
import { eventually } from "./eventually.js";
import { EventsOf, FloodingFramework, PipelinedCalls } from "./pipelined-calls.js";

/** Something that asks more of a master than it can do at once. Rejects where the master does not behave as it should. */
export interface LoadScenario {
  readonly name: string;
  /** What the master's log says of it. */
  readonly logged?: RegExp;
  run(master: Daemon): Promise<void>;
}

const AGENTS = 3000;
/** A real Mesos ends with a stack overflow at some 11,000. */
const CALLS_DEEP = 11_000;
const MESSAGES = 60_000;
const SILENT = 3000;
const SLOW = 300;
const DEAF = 5;
/** Of bodies that never end: together twice what a master should ever hold. */
const UNFINISHED = 30;
const MEGABYTE = 1024 * 1024;

const LONG = 60_000;

async function metric(master: Daemon, name: string): Promise<number> {
  return ((await getJson(master, "/metrics/snapshot")) as Record<string, number>)[name] ?? Number.NaN;
}

/** Resolves with the sockets when all are connected. They are cut by the caller. */
async function connections(master: Daemon, count: number, first: (i: number) => string): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const socket = connect(master.port, "127.0.0.1");
      socket.on("error", () => undefined);
      await once(socket, "connect");
      const bytes = first(i);
      if (bytes !== "") socket.write(bytes);
      return socket;
    }),
  );
}

const endAll = (sockets: readonly Socket[]): void => {
  for (const socket of sockets) socket.destroy();
};

/** While something is asked of the master: other frameworks launch tasks as ever. */
async function whileTasksFinish(master: Daemon, flood: () => Promise<void>): Promise<void> {
  const agents = await startAgents({ port: master.port, count: 5, each: 1 });
  const runner = await TaskRunner.subscribe(master.port);
  try {
    await agents.register();
    const finished = runner.finish(new TaskShape(0.1, 32), { tasks: 100, inFlight: 4 });
    await Promise.all([flood(), finished]);
  } finally {
    runner.close();
    await agents.end();
  }
}

async function stampede(master: Daemon): Promise<void> {
  const agents = await startAgents({ port: master.port, count: AGENTS, each: agentsPerHost(AGENTS) });
  try {
    await agents.register();
  } finally {
    await agents.end();
  }
}

/** What a framework may send at any time, of things that are not there. */
function callsOf(framework: FloodingFramework): string[] {
  const value = { value: "none" };
  const task = { task_id: value };
  return [
    framework.body("REVIVE"),
    framework.body("SUPPRESS"),
    framework.body("RECONCILE", { tasks: Array.from({ length: 5 }, () => task) }),
    framework.body("RECONCILE", { tasks: [] }),
    framework.body("DECLINE", { offer_ids: [value], filters: { refuse_seconds: 1 } }),
    framework.body("ACCEPT", {
      offer_ids: [value],
      operations: [
        {
          type: "LAUNCH",
          launch: { task_infos: [{ name: "n", ...task, agent_id: value, resources: [], command: {} }] },
        },
      ],
    }),
    framework.body("KILL", task),
    framework.body("MESSAGE", { agent_id: value, executor_id: value, data: "aGk=" }),
    framework.body("ACKNOWLEDGE", { agent_id: value, ...task, uuid: "AAAAAAAAAAAAAAAAAAAAAA==" }),
    framework.body("REQUEST", { requests: [] }),
  ];
}

async function callFlood(master: Daemon): Promise<void> {
  await whileTasksFinish(master, async () => {
    const framework = await FloodingFramework.subscribe(master);
    const calls = callsOf(framework);
    const connections = await Promise.all(Array.from({ length: 4 }, () => framework.calls()));
    try {
      await Promise.all(
        connections.map(async (connection, i) => {
          await connection.send(Array.from({ length: CALLS_DEEP }, (_, j) => calls[(i + j) % calls.length]!));
          const answers = await connection.answers();
          if (answers.get(202) !== CALLS_DEEP)
            throw new Error(`of ${CALLS_DEEP} calls: ${JSON.stringify([...answers])}`);
        }),
      );
      if (framework.stream.over) throw new Error("a framework that reads its events was cut off");
    } finally {
      for (const connection of connections) connection.close();
      framework.stream.close();
    }
  });
}

async function deafOperators(master: Daemon): Promise<void> {
  const name = "master/operator_event_stream_subscribers";
  let seen = 0;
  const reading = await EventsOf.open(master, "/api/v1", { body: { type: "SUBSCRIBE" }, seen: () => seen++ });
  const body = '{"type":"SUBSCRIBE"}';
  const head =
    "POST /api/v1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAccept: application/json\r\n";
  const deaf = await connections(master, DEAF, () => `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  for (const socket of deaf) socket.pause();
  try {
    await eventually(async () => ((await metric(master, name)) === DEAF + 1 ? true : undefined));
    const framework = await FloodingFramework.subscribe(master);
    const calls = await framework.calls();
    const before = seen;
    let updates = 0;
    // Each tells all who watch of a framework with much to say of itself.
    while ((await metric(master, name)) > 1) {
      const labels = [{ key: `update-${updates++}`, value: "x".repeat(1_000_000) }];
      const info = { user: "root", name: "flooding", id: { value: framework.id }, labels: { labels } };
      await calls.send([framework.body("UPDATE_FRAMEWORK", { framework_info: info })]);
      const answers = await calls.answers();
      if (answers.get(200) !== updates) throw new Error(JSON.stringify([...answers]));
      if (updates > 5000) throw new Error("nobody was cut off");
    }
    await eventually(() => (seen - before >= updates ? true : undefined), LONG);
    calls.close();
    framework.stream.close();
  } finally {
    endAll(deaf);
    reading.close();
  }
}

/** A scheduler of the v0 driver: a port of its own for what the master says. */
class DriverPeer {
  id = "";
  heard = 0;
  private readonly heldSockets: Socket[] = [];

  private constructor(
    private readonly server: Server,
    readonly socket: Socket,
    private readonly master: Daemon,
  ) {}

  static async register(master: Daemon): Promise<DriverPeer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect(master.port, "127.0.0.1");
    socket.on("error", () => undefined).resume();
    const peer = new DriverPeer(server, socket, master);
    server.on("connection", (inbound: Socket) => peer.hear(inbound));
    const framework = FrameworkInfo.fromPartial({ user: "root", name: "driver" });
    peer.send(
      "mesos.internal.RegisterFrameworkMessage",
      RegisterFrameworkMessage.encode({ framework }).finish(),
    );
    await eventually(() => (peer.id === "" ? undefined : true));
    return peer;
  }

  /** False: there is no room. */
  send(name: string, body: Uint8Array): boolean {
    const { port } = this.server.address() as { port: number };
    const from = `scheduler@127.0.0.1:${port}`;
    return this.socket.write(frame({ from, to: `master@127.0.0.1:${this.master.port}`, name, body }));
  }

  call(call: object): boolean {
    const message = Call.fromPartial({ framework_id: { value: this.id }, ...call });
    return this.send("mesos.scheduler.Call", Call.encode(message).finish());
  }

  /** Reads nothing more of what the master says. */
  turnDeaf(): void {
    for (const socket of this.heldSockets) socket.removeAllListeners("data").pause();
  }

  close(): void {
    this.socket.destroy();
    for (const socket of this.heldSockets) socket.destroy();
    this.server.close();
  }

  private hear(socket: Socket): void {
    this.heldSockets.push(socket);
    const reader = new FrameReader();
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      reader.push(chunk, ({ name, body }) => {
        this.heard++;
        if (name === "mesos.internal.FrameworkRegisteredMessage")
          this.id = FrameworkRegisteredMessage.decode(body).framework_id?.value ?? "";
      });
    });
  }
}

async function messageFlood(master: Daemon): Promise<void> {
  await whileTasksFinish(master, async () => {
    const peer = await DriverPeer.register(master);
    try {
      const task = { task_id: { value: "none" } };
      const calls = [
        { type: Call_Type.REVIVE },
        { type: Call_Type.SUPPRESS },
        { type: Call_Type.RECONCILE, reconcile: { tasks: [task, task] } },
        { type: Call_Type.DECLINE, decline: { offer_ids: [{ value: "none" }] } },
        { type: Call_Type.KILL, kill: task },
      ];
      for (let i = 0; i < MESSAGES; i++) {
        if (!peer.call(calls[i % calls.length]!)) await once(peer.socket, "drain");
      }
      const answers = (MESSAGES / calls.length) * 2;
      await eventually(() => (peer.heard >= answers ? true : undefined), LONG);
    } finally {
      peer.close();
    }
  });
}

async function deafDriver(master: Daemon): Promise<void> {
  const peer = await DriverPeer.register(master);
  try {
    peer.turnDeaf();
    const tasks = Array.from({ length: 500 }, (_, i) => ({ task_id: { value: `none-${i}` } }));
    const active = () => metric(master, "master/frameworks_active");
    for (let i = 0; (await active()) > 0; i++) {
      if (i > 20_000) throw new Error("it was never given up");
      for (let j = 0; j < 10; j++)
        if (!peer.call({ type: Call_Type.RECONCILE, reconcile: { tasks } })) await once(peer.socket, "drain");
    }
  } finally {
    peer.close();
  }
}

async function idle(master: Daemon): Promise<void> {
  const opened = await connections(master, SILENT, (i) =>
    i % 3 === 0 ? "GET /state HTTP/1.1\r\nHost: a\r\nX: " : "",
  );
  try {
    await whileTasksFinish(master, async () => undefined);
  } finally {
    endAll(opened);
  }
}

async function slowBodies(master: Daemon): Promise<void> {
  const head =
    "POST /api/v1/scheduler HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n";
  const opened = await connections(master, SLOW, () => head);
  let over = false;
  const drip = async (): Promise<void> => {
    while (!over) {
      for (const socket of opened) socket.write("{");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const dripping = drip();
  try {
    await whileTasksFinish(master, async () => undefined);
  } finally {
    over = true;
    await dripping;
    endAll(opened);
  }
}

async function unfinishedBodies(master: Daemon): Promise<void> {
  const head =
    "POST /api/v1/scheduler HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n";
  const opened = await connections(master, UNFINISHED, () => head);
  const chunk = Buffer.alloc(MEGABYTE, " ");
  const fill = async (socket: Socket): Promise<void> => {
    socket.resume();
    for (let i = 0; i < 50 && !socket.destroyed; i++) {
      if (socket.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          socket.off("drain", go).off("close", go);
          resolve();
        };
        socket.on("drain", go).on("close", go);
      });
    }
  };
  try {
    await Promise.all(opened.map(fill));
    const call = '{"type":"GET_HEALTH"}';
    const api = await PipelinedCalls.open(master, "/api/v1", { Accept: "application/json" });
    await api.send([call]);
    if ((await api.answers()).get(200) !== 1) throw new Error("calls are not answered any more");
    api.close();
  } finally {
    endAll(opened);
  }
}

export const LOAD_SCENARIOS: readonly LoadScenario[] = [
  { name: "thousands of agents that register at once", run: stampede },
  { name: "a framework that sends calls without waiting", run: callFlood },
  {
    name: "operators that do not read their events",
    logged: /Cut off a subscriber of the operator API that does not read its events/,
    run: deafOperators,
  },
  { name: "a driver that sends messages without waiting", run: messageFlood },
  { name: "a driver that does not read what it asked for", run: deafDriver },
  { name: "thousands of idle connections", run: idle },
  { name: "bodies that come a byte at a time", run: slowBodies },
  {
    name: "large bodies that never end",
    logged: /Cut off the largest of the requests that are coming in/,
    run: unfinishedBodies,
  },
];
