import type { Offer } from "../../proto/gen/mesos/v1/mesos.js";
import { type AgentID, TaskState, type TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import { Call_Type, type Event, Event_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { isTerminal } from "../../sdk/task-states.js";
import { BareScheduler } from "./bare-scheduler.js";
import type { TaskShape } from "./task-shape.js";

export interface Outcome {
  readonly perSecond: number;
  /** Milliseconds from ACCEPT to TASK_RUNNING. */
  readonly running: number[];
  /** Milliseconds from ACCEPT to TASK_FINISHED. */
  readonly finished: number[];
}

interface Round {
  readonly shape: TaskShape;
  readonly tasks: number;
  readonly inFlight: number;
  /** The state that makes a task count. */
  readonly until: TaskState;
  readonly running: number[];
  readonly finished: number[];
  readonly resolve: (outcome: Outcome) => void;
  launched: number;
  done: number;
  began: number;
}

/** Tasks that are asked to end. */
interface Release {
  readonly waiting: string[];
  readonly asked: Set<string>;
  readonly resolve: () => void;
}

/** A framework that launches tasks in rounds, one round at a time. */
export class TaskRunner {
  private readonly scheduler: BareScheduler;
  private readonly accepted = new Map<string, number>();
  private readonly free: Offer[] = [];
  /** Tasks that stay, and where they run. */
  private readonly held = new Map<string, AgentID>();
  private releasing: Release | undefined;
  private round: Round | undefined;
  private count = 0;
  private failed: (error: Error) => void = () => undefined;

  private constructor(port: number) {
    const fail = (error: Error): void => this.failed(error);
    this.scheduler = new BareScheduler({ host: "127.0.0.1", port }, (event) => this.handle(event), fail);
  }

  static async subscribe(port: number): Promise<TaskRunner> {
    const runner = new TaskRunner(port);
    await runner.scheduler.subscribe({
      user: process.env.USER ?? "root",
      name: "bench",
      roles: ["*"],
      capabilities: [{ type: 6 }],
    });
    return runner;
  }

  /** Launches `tasks` tasks, at most `inFlight` at a time, and resolves when all have finished. */
  finish(shape: TaskShape, options: { tasks: number; inFlight: number }): Promise<Outcome> {
    return this.run(shape, { ...options, until: TaskState.TASK_FINISHED });
  }

  /** Launches tasks that stay, and resolves when all run. */
  hold(shape: TaskShape, options: { tasks: number; inFlight: number }): Promise<Outcome> {
    return this.run(shape, { ...options, until: TaskState.TASK_RUNNING });
  }

  /** Ends the tasks that stay, at most `inFlight` at a time, and resolves when all have ended. */
  release(inFlight: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.held.size === 0) return resolve();
      this.failed = reject;
      this.releasing = { waiting: [...this.held.keys()], asked: new Set(), resolve };
      for (let index = 0; index < inFlight; index++) this.releaseNext(this.releasing);
    });
  }

  /** Ends the framework and all its tasks. */
  close(): void {
    this.scheduler.call({ type: Call_Type.TEARDOWN });
    setImmediate(() => this.scheduler.close());
  }

  private run(
    shape: TaskShape,
    options: { tasks: number; inFlight: number; until: TaskState },
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.failed = reject;
      const round = { running: [], finished: [], launched: 0, done: 0, began: 0 };
      if (options.tasks === 0) return resolve({ perSecond: 0, running: [], finished: [] });
      this.round = { shape, ...options, ...round, resolve };
      this.launch(this.round);
    });
  }

  /** Fills what is free of the window, one ACCEPT an offer. Offers that are not needed yet are kept. */
  private launch(round: Round): void {
    for (;;) {
      const room = Math.min(round.inFlight - (round.launched - round.done), round.tasks - round.launched);
      const offer = room > 0 ? this.free.shift() : undefined;
      if (offer === undefined) return;
      const fitting = Math.min(room, round.shape.capacity(offer));
      if (round.began === 0) round.began = performance.now();
      const tasks = Array.from({ length: fitting }, () => round.shape.task(offer, this.count++));
      round.launched += fitting;
      for (const each of tasks) this.accepted.set(each.task_id!.value!, performance.now());
      this.scheduler.call({
        type: Call_Type.ACCEPT,
        accept: {
          offer_ids: [offer.id!],
          operations: round.shape.operations(offer, tasks),
          filters: { refuse_seconds: 0 },
        },
      });
    }
  }

  private releaseNext({ waiting, asked }: Release): void {
    const taskId = waiting.pop();
    if (taskId === undefined) return;
    asked.add(taskId);
    this.scheduler.call({
      type: Call_Type.KILL,
      kill: { task_id: { value: taskId }, agent_id: this.held.get(taskId)! },
    });
  }

  private released(taskId: string): void {
    const { releasing } = this;
    this.held.delete(taskId);
    if (releasing?.asked.delete(taskId) !== true) return;
    if (this.held.size > 0) {
      this.releaseNext(releasing);
      return;
    }
    this.releasing = undefined;
    releasing.resolve();
  }

  private handle(event: Event): void {
    if (event.type === Event_Type.OFFERS) {
      this.free.push(...(event.offers?.offers ?? []));
      if (this.round !== undefined) this.launch(this.round);
    }
    if (event.type === Event_Type.RESCIND) {
      const id = event.rescind?.offer_id?.value;
      const index = this.free.findIndex((offer) => offer.id?.value === id);
      if (index >= 0) this.free.splice(index, 1);
    }
    if (event.type === Event_Type.ERROR) this.failed(new Error(event.error?.message));
    const status = event.update?.status;
    if (status !== undefined) this.update(status);
  }

  private update(status: TaskStatus): void {
    const taskId = status.task_id?.value ?? "";
    const state = status.state ?? TaskState.TASK_STAGING;
    if (status.uuid !== undefined) {
      this.scheduler.call({
        type: Call_Type.ACKNOWLEDGE,
        acknowledge: { agent_id: status.agent_id!, task_id: status.task_id!, uuid: status.uuid },
      });
    }
    if (this.held.has(taskId)) {
      if (isTerminal(state)) this.released(taskId);
      return;
    }
    const { round } = this;
    const began = this.accepted.get(taskId);
    if (round === undefined || began === undefined) return;
    const latency = performance.now() - began;
    if (state === TaskState.TASK_RUNNING) round.running.push(latency);
    else if (state === TaskState.TASK_FINISHED) round.finished.push(latency);
    else if (state !== TaskState.TASK_STARTING) {
      this.failed(new Error(`${taskId}: ${TaskState[state]} ${status.message}`));
      return;
    }
    if (state !== round.until) return;
    this.accepted.delete(taskId);
    if (state === TaskState.TASK_RUNNING) this.held.set(taskId, status.agent_id!);
    round.done += 1;
    if (round.done < round.tasks) {
      this.launch(round);
      return;
    }
    this.round = undefined;
    const perSecond = round.tasks / ((performance.now() - round.began) / 1000);
    round.resolve({ perSecond, running: round.running, finished: round.finished });
  }
}
