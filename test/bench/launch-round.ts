import type { Offer } from "../../proto/gen/mesos/v1/mesos.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { Call_Type, type Event, Event_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { BareScheduler } from "./bare-scheduler.js";
import { TaskShape } from "./task-shape.js";

const SHAPE = new TaskShape(0.01, 1);

export interface Outcome {
  readonly perSecond: number;
  /** Milliseconds from ACCEPT to TASK_RUNNING. */
  readonly running: number[];
  /** Milliseconds from ACCEPT to TASK_FINISHED. */
  readonly finished: number[];
}

/** Launches `tasks` tasks, at most `inFlight` at a time, and resolves when all have finished. */
export async function launchRound(
  port: number,
  options: { tasks: number; inFlight: number },
): Promise<Outcome> {
  const accepted = new Map<string, number>();
  const running: number[] = [];
  const finished: number[] = [];
  let launched = 0;
  let began = 0;
  const free: Offer[] = [];

  return new Promise((resolve, reject) => {
    const scheduler = new BareScheduler({ host: "127.0.0.1", port }, onEvent, reject);

    /** Fills what is free of the window, one ACCEPT an offer. Offers that are not needed yet are kept. */
    function launch(): void {
      for (;;) {
        const room = Math.min(options.inFlight - (launched - finished.length), options.tasks - launched);
        const offer = room > 0 ? free.shift() : undefined;
        if (offer === undefined) return;
        const count = Math.min(room, SHAPE.capacity(offer));
        if (began === 0) began = performance.now();
        const tasks = Array.from({ length: count }, () => SHAPE.task(offer, launched++));
        for (const each of tasks) accepted.set(each.task_id.value, performance.now());
        scheduler.call({
          type: Call_Type.ACCEPT,
          accept: {
            offer_ids: [offer.id!],
            operations: count === 0 ? [] : [{ type: 1, launch: { task_infos: tasks } }],
            filters: { refuse_seconds: 0 },
          },
        });
      }
    }

    function onEvent(event: Event): void {
      if (event.type === Event_Type.OFFERS) {
        free.push(...(event.offers?.offers ?? []));
        launch();
      }
      if (event.type === Event_Type.ERROR) reject(new Error(event.error?.message));
      const status = event.update?.status;
      if (status === undefined) return;
      const taskId = status.task_id?.value ?? "";
      const latency = performance.now() - (accepted.get(taskId) ?? 0);
      if (status.state === TaskState.TASK_RUNNING) running.push(latency);
      if (status.uuid !== undefined) {
        scheduler.call({
          type: Call_Type.ACKNOWLEDGE,
          acknowledge: { agent_id: status.agent_id!, task_id: status.task_id!, uuid: status.uuid },
        });
      }
      if (status.state === TaskState.TASK_FINISHED) {
        finished.push(latency);
        if (finished.length === options.tasks) {
          const perSecond = options.tasks / ((performance.now() - began) / 1000);
          scheduler.call({ type: Call_Type.TEARDOWN });
          setImmediate(() => {
            scheduler.close();
            resolve({ perSecond, running, finished });
          });
        } else launch();
      } else if (status.state !== TaskState.TASK_RUNNING && status.state !== TaskState.TASK_STARTING) {
        reject(new Error(`${taskId}: ${TaskState[status.state ?? 0]} ${status.message}`));
      }
    }

    scheduler
      .subscribe({
        user: process.env.USER ?? "root",
        name: "bench",
        roles: ["*"],
        capabilities: [{ type: 6 }],
      })
      .catch(reject);
  });
}
