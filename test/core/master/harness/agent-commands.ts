import type { AgentInfo, FrameworkInfo } from "../../../../proto/gen/mesos/v1/mesos.js";
import { OperationState, TaskState } from "../../../../proto/gen/mesos/v1/mesos.js";
import { isMessageName, jsonOf, wire } from "../../../../proto/json/index.js";
import { TestAgent } from "./agent.js";
import type { Stage } from "./stage.js";
import type { Words } from "./words.js";

type Command = (agent: TestAgent, words: Words, stage: Stage) => void;

/**
 * What agents do: `agent A <command>`.
 *
 *     register cpus:4;mem:1024 without=MULTI_ROLE version=1.4.0 {more of AgentInfo}
 *     reregister pid=slave(1)@10.0.0.9:5051    reports the tasks that it was told to run
 *     reregister before=t1,e1                  a report from before it had these
 *     reregister idle=F                        with a framework that has no task there
 *     is cpus:2;mem:512 {more of AgentInfo}     has been reconfigured
 *     forget t1                                a task or an executor
 *     update t1 TASK_RUNNING latest=TASK_FINISHED {more of TaskStatus}
 *     applied op1 OPERATION_FAILED             an operation; OPERATION_FINISHED unless it says so
 *     repeats op1                              how it ended, as long as that is not acknowledged
 *     operations op1 #1                        reports these, as after a registration
 *     checkpointed {"resources":[...]}         has these reservations and volumes from now on
 *     silent, answers                          no pings are answered, or all
 *     break                                    the link from the master breaks
 *     says ExitedExecutorMessage {its fields}
 *     garbage StatusUpdateMessage              a body that cannot be read
 */
const COMMANDS: Readonly<Record<string, Command>> = {
  register: (agent, words) =>
    agent.register((message) => ({
      ...message,
      slave: { ...message.slave!, ...(words.json as Partial<AgentInfo>) },
    })),
  reregister: (agent, words, stage) => {
    agent.pid = words.options.pid ?? agent.pid;
    const idle = words.list("idle").map((name) => idleFramework(stage.frameworks.get(name) ?? ""));
    agent.reregister(idle, words.list("before"));
  },
  is: (agent, words) => agent.reconfigure(words.at(3), words.json as Partial<AgentInfo>),
  forget: (agent, words) => {
    agent.tasks.delete(words.at(3));
    agent.executors.delete(words.at(3));
  },
  update: (agent, words, stage) => {
    const latest = words.options.latest as keyof typeof TaskState | undefined;
    const state = TaskState[words.at(4) as keyof typeof TaskState];
    const more = latest === undefined ? words.json : { ...words.json, latest: TaskState[latest] };
    stage.uuids.set(words.at(3), agent.update(words.at(3), state, more));
  },
  applied: (agent, words, stage) => {
    const state = words.at(4) === "" ? "OPERATION_FINISHED" : words.at(4);
    const known = OperationState[state as keyof typeof OperationState];
    stage.uuids.set(words.at(3), agent.applied(words.at(3), known));
  },
  repeats: (agent, words) => agent.repeat(words.at(3)),
  operations: (agent, words) => agent.reportOperations(words.from(3)),
  checkpointed: (agent, words) => {
    const { fromValue } = jsonOf("mesos.internal.ResourceState");
    agent.checkpointed = fromValue(words.json).resources;
  },
  silent: (agent) => {
    agent.answers = false;
  },
  answers: (agent) => {
    agent.answers = true;
  },
  break: (agent, _words, { master }) => master.transport.breakLink(agent.pid),
  says: (agent, words) => {
    const name = `mesos.internal.${words.at(3)}`;
    if (!isMessageName(name)) throw new Error(`no message ${name}`);
    const { fromValue } = jsonOf(name) as { fromValue(value: unknown): unknown };
    const { encode } = wire(name) as { encode(message: unknown): Uint8Array };
    agent.say(words.at(3), encode(fromValue({ slave_id: { value: agent.id }, ...words.json })));
  },
  garbage: (agent, words) => agent.say(words.at(3), Buffer.from([0xff, 0xff, 0xff])),
};

export function runAgentCommand(stage: Stage, words: Words): void {
  const [name, verb, argument] = [words.at(1), words.at(2), words.at(3)];
  if (verb === "register" && (!stage.agents.has(name) || argument !== "")) {
    const pid = words.options.pid ?? `slave(1)@10.0.0.${stage.agents.size + 1}:5051`;
    const { version } = words.options;
    const options = { name, pid, resources: argument, version, without: words.list("without") };
    stage.agents.set(name, new TestAgent(options, stage.master.transport));
  }
  const agent = stage.agents.get(name);
  const command = COMMANDS[verb];
  if (agent === undefined || command === undefined) throw new Error(`not a command: agent ${name} ${verb}`);
  command(agent, words, stage);
}

const idleFramework = (id: string): FrameworkInfo => ({
  id: { value: id },
  user: "nobody",
  name: "idle",
  roles: [],
  capabilities: [],
  offer_filters: {},
});
