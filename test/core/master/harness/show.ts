import { InverseOfferStatus_Status } from "../../../../proto/gen/mesos/v1/allocator/allocator.js";
import {
  DrainState,
  Offer_Operation_Type,
  type Operation,
  OperationState,
  type Task,
  TaskState,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord, MasterView } from "../../../../sdk/contracts/master-view.js";
import type { Stage } from "./stage.js";
import type { Words } from "./words.js";

/** `show tasks F`, `show frameworks`, `show agents`, `show metrics tasks_lost`: what readers see of the master. */
export function show(stage: Stage, words: Words): void {
  const { view } = stage.master.master;
  for (const line of linesOf(stage, words, view)) stage.say(line);
}

function linesOf(stage: Stage, words: Words, view: MasterView): string[] {
  switch (words.at(1)) {
    case "tasks":
      return tasks(view, stage.frameworks.get(words.at(2)));
    case "frameworks":
      return frameworks(view);
    case "agents":
      return agents(view);
    case "maintenance":
      return maintenance(stage);
    case "operations":
      return [...view.agents()].flatMap((agent) => Array.from(agent.operations(), operationText));
    case "roles":
      return view
        .roles()
        .map(
          ({ name, weight, quota }) =>
            `${name} weight=${weight}${quota === undefined ? "" : ` quota=${JSON.stringify(quota)}`}`,
        );
    case "totals":
      return Array.from(view.agents(), ({ id, total }) => `${id} ${total}`);
    case "metrics": {
      const snapshot = stage.master.metrics.snapshot();
      return words.from(2).map((name) => `${name} ${snapshot.get(`master/${name}`)}`);
    }
    default:
      throw new Error(`cannot show ${words.at(1)}`);
  }
}

function tasks(view: MasterView, id: string | undefined): string[] {
  const framework = [...view.frameworks(), ...view.completedFrameworks()].find((one) => one.id === id);
  const list = (label: string, some: Iterable<Task>): string[] => {
    const texts = [...some].map(({ task_id, state }) => `${task_id?.value}=${TaskState[state ?? 0]}`);
    return texts.length > 0 ? [`${label}: ${texts.join(" ")}`] : [];
  };
  return [
    ...list("active", framework?.tasks.values() ?? []),
    ...list("unreachable", framework?.unreachableTasks ?? []),
    ...list("completed", framework?.completedTasks ?? []),
  ];
}

function operationText({ info, latest_status: status, framework_id: framework }: Operation): string {
  const words = [info?.id?.value ?? "(no id)", Offer_Operation_Type[info?.type ?? 0]];
  return [...words, framework?.value ?? "operator", OperationState[status?.state ?? 0]].join(" ");
}

function frameworks(view: MasterView): string[] {
  const lines = [...view.frameworks()].map((one) => {
    const state = one.recovered ? "recovered" : one.connected ? "connected" : "disconnected";
    return `${one.id} ${state} active=${one.active} roles=${one.roles.join(",")} used=${one.used} offered=${one.offered}`;
  });
  return [...lines, ...Array.from(view.completedFrameworks(), ({ id }) => `${id} completed`)];
}

function drainText({ deactivated, drainInfo }: AgentRecord): string {
  const drain = drainInfo === undefined ? "" : ` ${DrainState[drainInfo.state ?? 0]}`;
  return `${deactivated ? " deactivated" : ""}${drain}`;
}

function maintenance({ master }: Stage): string[] {
  const { draining_machines: draining, down_machines: down } = master.master.maintenanceStatus();
  const windows = master.master
    .maintenanceSchedule()
    .windows.map(
      ({ machine_ids, unavailability }) =>
        `from ${unavailability?.start?.nanoseconds}: ${machine_ids.map(({ hostname }) => hostname).join(",")}`,
    );
  const answers = draining.map(({ id, statuses }) => {
    const said = statuses.map(
      ({ framework_id, status }) => ` ${framework_id?.value}=${InverseOfferStatus_Status[status ?? 0]}`,
    );
    return `${id?.hostname} draining${said.join("")}`;
  });
  return [...windows, ...answers, ...down.map(({ hostname }) => `${hostname} down`)];
}

function agents(view: MasterView): string[] {
  const lines = [...view.agents()].map(
    (one) =>
      `${one.id} connected=${one.connected} active=${one.active} used=${one.used} offered=${one.offered} executors=${[...one.executors()].length}${drainText(one)}`,
  );
  for (const { id } of view.recoveredAgents()) lines.push(`${id?.value} recovered`);
  if (view.unreachableAgents() > 0) lines.push(`unreachable: ${view.unreachableAgents()}`);
  return lines;
}
