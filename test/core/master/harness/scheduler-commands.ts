import { FrameworkInfo_Capability_Type as Capability } from "../../../../proto/gen/mesos/v1/mesos.js";
import { Event_Type } from "../../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { describeEvent } from "./describe.js";
import type { TestStream } from "./master-harness.js";
import { operationJson, volumes } from "./operation-text.js";
import { resourceJson } from "./resource-text.js";
import { agentId, type Json, type Stage } from "./stage.js";
import type { Words } from "./words.js";

type Command = (stage: Stage, words: Words) => void | Promise<void>;

/**
 * What schedulers do. The first word after the command is the scheduler's name, under which its events are shown.
 *
 *     subscribe F roles=dev caps=PARTITION_AWARE failover=60 suppressed=dev id=M-0000 {more of FrameworkInfo}
 *     subscribe F roles=dev + constraints {OfferConstraints}
 *     call F KILL {the part of the call}
 *     launch F M-O0 refuse=5 + t1 cpus:1;mem:32 {more of TaskInfo} + t2 cpus:1
 *     launch-group F M-O0 + executor cpus:0.1;mem:32;disk:1 {more of ExecutorInfo} + t1 cpus:1
 *     accept F M-O0 refuse=5 + RESERVE disk:1024 id=op1 + CREATE data disk:1024 + launch t1 cpus:1    (operation-text.ts)
 *     ack-operation F op1 agent=A
 *     ack F t1            the latest update of the task
 *     reconcile F t1@A
 */
export const SCHEDULER_COMMANDS: Readonly<Record<string, Command>> = {
  subscribe,
  disconnect: (stage, words) => streamOf(stage, words.at(1)).session?.disconnected(),
  call: (stage, words) => call(stage, words, { type: words.at(2), part: words.json ?? {} }),
  "update-framework": (stage, words) => {
    const id = { value: stage.frameworks.get(words.at(1)) };
    const part = {
      framework_info: { ...infoOf(words), id },
      suppressed_roles: words.list("suppressed"),
      ...constraintsOf(words),
    };
    return call(stage, words, { type: "UPDATE_FRAMEWORK", part });
  },
  launch: (stage, words) => {
    const task_infos = words.parts.map((part) => task(stage, part, words.at(2)));
    return accept(stage, words, { type: "LAUNCH", launch: { task_infos } });
  },
  accept: (stage, words) => {
    const operations = words.parts.map((part) =>
      part.first === "launch"
        ? { type: "LAUNCH", launch: { task_infos: [volumeTask(stage, part, words.at(2))] } }
        : operationJson(part),
    );
    const offer_ids = words
      .at(2)
      .split(",")
      .map((value) => ({ value }));
    return call(stage, words, { type: "ACCEPT", part: { offer_ids, operations, ...filters(words) } });
  },
  "ack-operation": (stage, words) => {
    const part = {
      agent_id: { value: agentId(stage, words.options.agent ?? "A") },
      operation_id: { value: words.at(2) },
      uuid: (stage.uuids.get(words.at(2)) ?? Buffer.alloc(16)).toString("base64"),
    };
    return call(stage, words, { type: "ACKNOWLEDGE_OPERATION_STATUS", part });
  },
  "reconcile-operations": (stage, words) => {
    const operations = words.from(2).map((text) => {
      const [id, agent] = text.split("@");
      const agent_id = agent === undefined ? undefined : { value: agentId(stage, agent) };
      return { operation_id: { value: id }, agent_id };
    });
    return call(stage, words, { type: "RECONCILE_OPERATIONS", part: { operations } });
  },
  "launch-group": launchGroup,
  decline: (stage, words) => {
    const offer_ids = words.from(2).map((value) => ({ value }));
    return call(stage, words, { type: "DECLINE", part: { offer_ids, ...filters(words) } });
  },
  kill: (stage, words) => {
    const { agent } = words.options;
    const agent_id = agent === undefined ? undefined : { value: agentId(stage, agent) };
    return call(stage, words, { type: "KILL", part: { task_id: { value: words.at(2) }, agent_id } });
  },
  ack: acknowledge,
  reconcile: (stage, words) => {
    const tasks = words.from(2).map((text) => {
      const [id, agent] = text.split("@");
      const agent_id = agent === undefined ? undefined : { value: agentId(stage, agent) };
      return { task_id: { value: id }, agent_id };
    });
    return call(stage, words, { type: "RECONCILE", part: { tasks } });
  },
};

function infoOf(words: Words): Json {
  const { roles, role, user = "alice", name = words.at(1), failover, checkpoint, principal } = words.options;
  const capabilities = words.list("caps");
  if (roles !== undefined) capabilities.push("MULTI_ROLE");
  const unknown = capabilities.find((one) => !(one in Capability));
  if (unknown !== undefined) throw new Error(`no capability ${unknown}`);
  return {
    user,
    name,
    role,
    principal,
    roles: words.list("roles"),
    failover_timeout: failover === undefined ? undefined : Number(failover),
    checkpoint: checkpoint === undefined ? undefined : checkpoint === "true",
    capabilities: capabilities.map((type) => ({ type })),
    ...words.json,
  };
}

function constraintsOf(words: Words): Json {
  const part = words.parts.find(({ first }) => first === "constraints");
  return part === undefined ? {} : { offer_constraints: part.json };
}

function subscribe(stage: Stage, words: Words): void {
  const name = words.at(1);
  const { id } = words.options;
  const frameworkId = id === undefined ? undefined : { value: id };
  const json = JSON.stringify({
    type: "SUBSCRIBE",
    framework_id: frameworkId,
    subscribe: {
      framework_info: { ...infoOf(words), id: frameworkId },
      suppressed_roles: words.list("suppressed"),
      ...constraintsOf(words),
    },
  });
  const stream = stage.master.subscribe(json, (event) => {
    if (event === "closed") stage.say(`${name}: closed`);
    else if (event.type !== Event_Type.HEARTBEAT) stage.say(`${name} <- ${describeEvent(event)}`);
    const subscribed = event === "closed" ? undefined : event.subscribed?.framework_id?.value;
    if (subscribed !== undefined) stage.frameworks.set(name, subscribed);
  });
  stage.streams.set(name, stream);
}

function streamOf({ streams }: Stage, name: string): TestStream {
  const stream = streams.get(name);
  if (stream === undefined) throw new Error(`no scheduler ${name}`);
  return stream;
}

function call(
  stage: Stage,
  words: Words,
  { type, part }: { type: string; part: Json },
): void | Promise<void> {
  const name = words.at(1);
  const framework_id = { value: stage.frameworks.get(name) ?? name };
  const json = JSON.stringify({ type, framework_id, [type.toLowerCase()]: part });
  return stage.master.call(json, stage.streams.get(name)?.streamId);
}

function accept(stage: Stage, words: Words, operation: Json): void | Promise<void> {
  const offer_ids = [{ value: words.at(2) }];
  return call(stage, words, {
    type: "ACCEPT",
    part: { offer_ids, operations: [operation], ...filters(words) },
  });
}

function launchGroup(stage: Stage, words: Words): void | Promise<void> {
  const [executor, ...tasks] = words.parts;
  const launch_group = {
    executor: {
      type: "DEFAULT",
      executor_id: { value: executor?.at(0) },
      framework_id: { value: stage.frameworks.get(words.at(1)) },
      resources: resourceJson(executor?.at(1) ?? ""),
      ...executor?.json,
    },
    task_group: { tasks: tasks.map((part) => task(stage, part, words.at(2))) },
  };
  return accept(stage, words, { type: "LAUNCH_GROUP", launch_group });
}

/** `launch t1 cpus:1 volume=data,disk:1024,shared`: the task also has the volume. */
function volumeTask(stage: Stage, part: Words, offerId: string): Json {
  const [first = ""] = offerId.split(",");
  const plain = task(stage, { ...part, at: (index) => part.at(index + 1) }, first);
  const [id, size = "", shared = ""] = part.list("volume");
  if (id === undefined) return plain;
  const names = ["", id, size, shared];
  const has = volumes({ ...part, at: (index) => names[index] ?? "" });
  return { ...plain, resources: [...(plain.resources as Json[]), ...has] };
}

/** On the agent of the offer, with a command unless it has an executor. */
function task({ master }: Stage, part: Words, offerId: string): Json {
  const offers = [...master.master.view.frameworks()].flatMap((framework) => [...framework.offers]);
  const offer = offers.find(({ id }) => id?.value === offerId);
  const more = part.json ?? {};
  return {
    name: part.at(0),
    task_id: { value: part.at(0) },
    agent_id: { value: offer?.agent_id?.value ?? "unknown-agent" },
    resources: resourceJson(part.at(1)),
    command: "executor" in more ? undefined : { value: "true" },
    ...more,
  };
}

function acknowledge(stage: Stage, words: Words): void | Promise<void> {
  const taskId = words.at(2);
  const agent =
    words.options.agent ?? [...stage.agents].find(([, { tasks }]) => tasks.has(taskId))?.[0] ?? "";
  const part = {
    agent_id: { value: agentId(stage, agent) },
    task_id: { value: taskId },
    uuid: (stage.uuids.get(taskId) ?? Buffer.alloc(16)).toString("base64"),
  };
  return call(stage, words, { type: "ACKNOWLEDGE", part });
}

function filters({ options: { refuse } }: Words): Json {
  return refuse === undefined ? {} : { filters: { refuse_seconds: Number(refuse) } };
}
