import {
  FrameworkInfo_Capability_Type as Capability,
  type Resource,
  TaskState,
  Value_Type,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { isMessageName, jsonOf, wire } from "../../../../proto/json/index.js";
import { isTepuiError, messageOf } from "../../../../sdk/errors/index.js";
import { parseResourceList, Resources } from "../../../../sdk/resources/index.js";
import { parseDuration } from "../../../../sdk/values/index.js";
import { TestAgent } from "./agent.js";
import { describeEvent, describeMessage } from "./describe.js";
import { MasterHarness, type TestStream } from "./master-harness.js";
import { parseWords, type Words } from "./words.js";

type Json = Record<string, unknown>;

/** Plays a scenario: schedulers and agents by name, and everything that the master does as lines of text. */
export class Player {
  private harness: MasterHarness | undefined;
  private flags: Readonly<Record<string, unknown>> = {};
  private readonly streams = new Map<string, TestStream>();
  private readonly agents = new Map<string, TestAgent>();
  /** Framework name -> id; a successor of a scheduler has the same. */
  private readonly frameworks = new Map<string, string>();
  private readonly masters: string[] = [];
  private readonly lastUuid = new Map<string, Buffer>();
  private lines: string[] = [];

  /** Runs one command and gives what came of it. */
  async run(command: string): Promise<readonly string[]> {
    this.lines = [];
    const words = parseWords(this.expand(command));
    if (words.first === "flags") {
      this.flags = Object.fromEntries(
        Object.entries(words.options).map(([key, value]) => [key, natural(value)]),
      );
      return [];
    }
    const master = await this.master();
    try {
      await this.perform(words, master);
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      this.lines.push(`${words.at(1)}: ${error.http} ${messageOf(error)}`);
    }
    await master.settle();
    return this.lines.map((line) => this.abbreviate(line));
  }

  private async master(): Promise<MasterHarness> {
    if (this.harness !== undefined) return this.harness;
    const harness = new MasterHarness({ flags: this.flags });
    this.harness = harness;
    harness.allocator.told = (line) => this.lines.push(`allocator: ${line}`);
    harness.transport.sent = (to, message) => {
      const [name, agent] = [...this.agents].find(([, { pid }]) => pid === to) ?? [to, undefined];
      if (message.name !== "mesos.internal.PingSlaveMessage") {
        this.lines.push(`${name} <- ${describeMessage(message)}`);
      }
      agent?.take(message);
    };
    await harness.start();
    this.masters.push(harness.master.id);
    return harness;
  }

  private perform(words: Words, master: MasterHarness): void | Promise<void> {
    const name = words.at(1);
    switch (words.first) {
      case "subscribe":
        return this.subscribe(name, words, master);
      case "disconnect":
        return this.stream(name).session?.disconnected();
      case "call":
        return this.call(name, words.at(2), words.json ?? {});
      case "update-framework":
        return this.call(name, "UPDATE_FRAMEWORK", {
          framework_info: { ...this.info(name, words), id: { value: this.frameworks.get(name) } },
          suppressed_roles: words.list("suppressed"),
        });
      case "launch":
        return this.launch(name, words);
      case "launch-group":
        return this.launchGroup(name, words);
      case "decline":
        return this.call(name, "DECLINE", {
          offer_ids: words.from(2).map((value) => ({ value })),
          ...this.filters(words),
        });
      case "kill":
        return this.call(name, "KILL", { task_id: { value: words.at(2) }, ...this.agentOption(words) });
      case "ack":
        return this.acknowledge(name, words);
      case "reconcile":
        return this.call(name, "RECONCILE", {
          tasks: words.from(2).map((task) => {
            const [id, agent] = task.split("@");
            return {
              task_id: { value: id },
              ...(agent === undefined ? {} : { agent_id: { value: this.agentId(agent) } }),
            };
          }),
        });
      case "offer":
        return master.allocator.offer({
          frameworkId: this.frameworks.get(name) ?? "",
          agentId: this.agentId(words.at(2)),
          role: words.options.role ?? "dev",
          resources: words.at(3) === "" ? undefined : resources(words.at(3)),
        });
      case "agent":
        return this.agentCommand(name, words, master);
      case "advance":
        return master.clock.advance(parseDuration(name));
      case "restart":
        return this.restart(master);
      case "show":
        return this.show(words, master);
      default:
        throw new Error(`unknown command: ${words.first}`);
    }
  }

  // Schedulers.

  private info(name: string, words: Words): Json {
    const { roles, role, user = "alice", failover, checkpoint, principal } = words.options;
    const capabilities = words.list("caps");
    if (roles !== undefined) capabilities.push("MULTI_ROLE");
    const unknown = capabilities.find((one) => !(one in Capability));
    if (unknown !== undefined) throw new Error(`no capability ${unknown}`);
    return {
      user,
      name: words.options.name ?? name,
      ...(roles === undefined ? {} : { roles: words.list("roles") }),
      ...(role === undefined ? {} : { role }),
      ...(failover === undefined ? {} : { failover_timeout: Number(failover) }),
      ...(checkpoint === undefined ? {} : { checkpoint: checkpoint === "true" }),
      ...(principal === undefined ? {} : { principal }),
      capabilities: capabilities.map((type) => ({ type })),
      ...words.json,
    };
  }

  private subscribe(name: string, words: Words, master: MasterHarness): void {
    const info = this.info(name, words);
    const { id } = words.options;
    if (id !== undefined) info.id = { value: id };
    const json = JSON.stringify({
      type: "SUBSCRIBE",
      ...(id === undefined ? {} : { framework_id: { value: id } }),
      subscribe: { framework_info: info, suppressed_roles: words.list("suppressed") },
    });
    const stream = master.subscribe(json, (event) => {
      if (event === "closed") this.lines.push(`${name}: closed`);
      else if (event.type !== 8) this.lines.push(`${name} <- ${describeEvent(event)}`);
      const frameworkId = event === "closed" ? undefined : event.subscribed?.framework_id?.value;
      if (frameworkId !== undefined) this.frameworks.set(name, frameworkId);
    });
    this.streams.set(name, stream);
  }

  private stream(name: string): TestStream {
    const stream = this.streams.get(name);
    if (stream === undefined) throw new Error(`no scheduler ${name}`);
    return stream;
  }

  private call(name: string, type: string, part: Json): void | Promise<void> {
    const json = JSON.stringify({
      type,
      framework_id: { value: this.frameworks.get(name) ?? name },
      [type.toLowerCase()]: part,
    });
    return this.harness!.call(json, this.streams.get(name)?.streamId);
  }

  private launch(name: string, words: Words): void | Promise<void> {
    const task_infos = words.parts.map((part) => this.task(part, words.at(2), { value: "true" }));
    return this.call(name, "ACCEPT", {
      offer_ids: [{ value: words.at(2) }],
      operations: [{ type: "LAUNCH", launch: { task_infos } }],
      ...this.filters(words),
    });
  }

  /** The first part is the executor, the others are tasks. */
  private launchGroup(name: string, words: Words): void | Promise<void> {
    const [executor, ...tasks] = words.parts;
    const group = {
      executor: {
        type: "DEFAULT",
        executor_id: { value: executor?.at(0) },
        framework_id: { value: this.frameworks.get(name) },
        resources: resourceList(executor?.at(1) ?? ""),
        ...executor?.json,
      },
      task_group: { tasks: tasks.map((part) => this.task(part, words.at(2), { value: "true" })) },
    };
    return this.call(name, "ACCEPT", {
      offer_ids: [{ value: words.at(2) }],
      operations: [{ type: "LAUNCH_GROUP", launch_group: group }],
      ...this.filters(words),
    });
  }

  /** `id cpus:1;mem:32 {...}`: on the agent of the offer, with a command unless the JSON has an executor. */
  private task(part: Words, offerId: string, command: Json): Json {
    const view = this.harness!.master.view;
    const offers = [...view.frameworks()].flatMap((framework) => [...framework.offers]);
    const agentId = offers.find(({ id }) => id?.value === offerId)?.agent_id?.value ?? "unknown-agent";
    const more = part.json ?? {};
    return {
      name: part.at(0),
      task_id: { value: part.at(0) },
      agent_id: { value: agentId },
      resources: resourceList(part.at(1)),
      ...("executor" in more ? {} : { command }),
      ...more,
    };
  }

  private acknowledge(name: string, words: Words): void | Promise<void> {
    const task = words.at(2);
    const agent = words.options.agent ?? [...this.agents].find(([, { tasks }]) => tasks.has(task))?.[0] ?? "";
    return this.call(name, "ACKNOWLEDGE", {
      agent_id: { value: this.agentId(agent) },
      task_id: { value: task },
      uuid: (this.lastUuid.get(task) ?? Buffer.alloc(16)).toString("base64"),
    });
  }

  private filters({ options }: Words): Json {
    return options.refuse === undefined ? {} : { filters: { refuse_seconds: Number(options.refuse) } };
  }

  private agentOption({ options }: Words): Json {
    return options.agent === undefined ? {} : { agent_id: { value: this.agentId(options.agent) } };
  }

  // Agents.

  private agentId(name: string): string {
    return this.agents.get(name)?.id ?? name;
  }

  private agentCommand(name: string, words: Words, master: MasterHarness): void {
    const [command, argument] = [words.at(2), words.at(3)];
    if (command === "register" && (!this.agents.has(name) || argument !== "")) {
      const pid = words.options.pid ?? `slave(1)@10.0.0.${this.agents.size + 1}:5051`;
      const { version } = words.options;
      const options = { name, pid, resources: argument, version, without: words.list("without") };
      this.agents.set(name, new TestAgent(options, master.transport));
    }
    const agent = this.agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    switch (command) {
      case "register":
        return agent.register((message) => ({
          ...message,
          slave: { ...message.slave!, ...(words.json as Partial<typeof message.slave>) },
        }));
      case "reregister":
        agent.pid = words.options.pid ?? agent.pid;
        return agent.reregister();
      case "update": {
        const latest = words.options.latest as keyof typeof TaskState | undefined;
        const more = latest === undefined ? {} : { latest: TaskState[latest] };
        const state = TaskState[words.at(4) as keyof typeof TaskState];
        this.lastUuid.set(argument, agent.update(argument, state, { ...more, ...words.json }));
        return;
      }
      case "forget":
        agent.tasks.delete(argument);
        agent.executors.delete(argument);
        return;
      case "silent":
        agent.answers = false;
        return;
      case "answers":
        agent.answers = true;
        return;
      case "break":
        return master.transport.breakLink(agent.pid);
      case "says": {
        const full = `mesos.internal.${argument}`;
        if (!isMessageName(full)) throw new Error(`no message ${argument}`);
        const codec = jsonOf(full) as { fromValue(value: unknown): unknown };
        const message = codec.fromValue({ slave_id: { value: agent.id }, ...words.json });
        return agent.say(argument, (wire(full) as { encode(message: unknown): Uint8Array }).encode(message));
      }
      case "garbage":
        return agent.say(argument, Buffer.from([0xff, 0xff, 0xff]));
      default:
        throw new Error(`unknown command of an agent: ${command}`);
    }
  }

  // The master.

  private async restart(master: MasterHarness): Promise<void> {
    await master.restart();
    this.masters.push(master.master.id);
  }

  private show(words: Words, master: MasterHarness): void {
    const { view } = master.master;
    switch (words.at(1)) {
      case "tasks": {
        const framework = [...view.frameworks(), ...view.completedFrameworks()].find(
          ({ id }) => id === this.frameworks.get(words.at(2)),
        );
        const list = (
          label: string,
          tasks: Iterable<{
            task_id?: { value?: string | undefined } | undefined;
            state?: TaskState | undefined;
          }>,
        ) => {
          const texts = [...tasks].map(({ task_id, state }) => `${task_id?.value}=${TaskState[state ?? 0]}`);
          if (texts.length > 0) this.lines.push(`${label}: ${texts.join(" ")}`);
        };
        list("active", framework?.tasks.values() ?? []);
        list("unreachable", framework?.unreachableTasks ?? []);
        list("completed", framework?.completedTasks ?? []);
        return;
      }
      case "frameworks":
        for (const one of view.frameworks()) {
          const state = one.recovered ? "recovered" : one.connected ? "connected" : "disconnected";
          this.lines.push(
            `${one.id} ${state} active=${one.active} roles=${one.roles.join(",")} used=${one.used} offered=${one.offered}`,
          );
        }
        for (const one of view.completedFrameworks()) this.lines.push(`${one.id} completed`);
        return;
      case "agents":
        for (const one of view.agents()) {
          this.lines.push(
            `${one.id} connected=${one.connected} active=${one.active} used=${one.used} offered=${one.offered} executors=${[...one.executors()].length}`,
          );
        }
        for (const { id } of view.recoveredAgents()) this.lines.push(`${id?.value} recovered`);
        if (view.unreachableAgents() > 0) this.lines.push(`unreachable: ${view.unreachableAgents()}`);
        return;
      case "metrics": {
        const snapshot = master.metrics.snapshot();
        for (const name of words.from(2)) this.lines.push(`${name} ${snapshot.get(`master/${name}`)}`);
        return;
      }
      default:
        throw new Error(`cannot show ${words.at(1)}`);
    }
  }

  /** `M-S0` in a command is the id that it stands for. */
  private expand(text: string): string {
    return text.replace(/\b([MN])-(?=\d{4}|[SO]\d)/g, (all, letter: string) => {
      const master = this.masters[letter === "M" ? 0 : 1];
      return master === undefined ? all : `${master}-`;
    });
  }

  private abbreviate(text: string): string {
    const roles = text.replaceAll(/\(allocated: ([^)]*)\)/g, "($1)");
    return this.masters.reduce((line, id, index) => line.replaceAll(id, "MN"[index] ?? `M${index}`), roles);
  }
}

/** A flag in its natural form, as the daemon reads it. */
function natural(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^\d+$/.test(text) ? Number(text) : text;
}

function parsed(text: string): readonly Resource[] {
  const list = parseResourceList(text);
  if (!list.ok) throw new Error(list.error);
  return list.value;
}

/** In the form of JSON, where enums are names. */
const resourceList = (text: string) =>
  parsed(text).map((one) => ({ ...one, type: Value_Type[one.type ?? 0] }));

const resources = (text: string): Resources => Resources.of(parsed(text));
