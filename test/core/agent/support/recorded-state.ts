import { copyFileSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskPerformer } from "../../../../core/agent/disk/perform.js";
import { AgentPaths, LATEST } from "../../../../core/agent/paths.js";
import { SavedStateReader } from "../../../../core/agent/recovery/read-saved-state.js";
import type { SavedAgent } from "../../../../core/agent/recovery/saved-state.js";
import { REAL_FILES, type StateFiles } from "../../../../core/agent/recovery/state-files.js";
import {
  ExecutorInfo_Type,
  Offer_Operation_Type as OperationType,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, executorCall, FRAMEWORK_ID, scalar } from "./agent-bench.js";

export const BOOT = "0b0e2ff8-6a3e-4c3a-9b7e-111111111111";
export const NEXT_BOOT = "0b0e2ff8-6a3e-4c3a-9b7e-222222222222";

/** What an agent on virtual time leaves on a real disk in the middle of its work: each kind of file that it writes. */
export class RecordedState {
  readonly directory = mkdtempSync(join(tmpdir(), "tepui-recorded-"));
  readonly paths = new AgentPaths(this.directory);

  static async record(): Promise<RecordedState> {
    const state = new RecordedState();
    await state.work();
    return state;
  }

  /** Paths of the files, below `meta`. */
  files(): string[] {
    const names = readdirSync(join(this.directory, "meta"), { recursive: true, encoding: "utf8" });
    return names
      .filter((name) => !name.split("/").includes(LATEST) && lstatSync(this.path(name)).isFile())
      .sort();
  }

  path(file: string): string {
    return join(this.directory, "meta", file);
  }

  content(file: string): Buffer {
    return readFileSync(this.path(file));
  }

  read(options: { boot?: string; strict?: boolean; files?: StateFiles } = {}): Promise<SavedAgent> {
    const { strict = true, files = REAL_FILES } = options;
    const reader = new SavedStateReader(this.paths, { now: 0, strict, files });
    return reader.read(options.boot ?? BOOT);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  /** An agent on this disk, which has not recovered yet. */
  agent(): AgentBench {
    const performer = new DiskPerformer();
    const bench = new AgentBench({ workDir: this.directory, switchUser: false });
    bench.disk.apply = async (operations) => {
      for (const operation of operations) performer.perform(operation);
    };
    return bench;
  }

  private async work(): Promise<void> {
    const bench = this.agent();
    await bench.agent.recover(await this.read(), BOOT);
    bench.agent.start();
    bench.master.lead();
    await bench.clock.advance(1000);
    bench.master.say("SlaveRegisteredMessage", { slave_id: { value: AGENT_ID } });
    const framework = bench.framework({ checkpoint: true });
    const run = (task: ReturnType<AgentBench["task"]>, launch_executor?: boolean) =>
      bench.master.say("RunTaskMessage", {
        framework,
        task,
        pid: "scheduler-1@10.0.0.3:1234",
        resource_version_uuids: [],
        ...(launch_executor !== undefined && { launch_executor }),
      });
    run(bench.task("limited", { max_completion_time: { nanoseconds: 60_000_000_000n } }));
    run(bench.task("over"));
    run(bench.task("of-e1", { executor: bench.custom("e1") }), true);
    await bench.settle();
    bench.subscribe("e1");
    await bench.settle();
    void bench.agent.calls.call(
      executorCall("e1", {
        type: 3,
        update: {
          status: {
            task_id: { value: "of-e1" },
            state: 1,
            uuid: Buffer.alloc(16, 5),
            source: 1,
          },
        },
      }),
    );
    bench.containerizer.of("over").exit(0);
    for (const id of ["limited", "over", "of-e1"]) await bench.drain(id);
    // The first of its updates is acknowledged, the second is in flight.
    run(bench.task("running"));
    await bench.settle();
    bench.acknowledge(bench.updates.findLast(({ status }) => status!.task_id!.value === "running")!);
    await bench.settle();
    this.reserve(bench);
    await bench.settle();
    run(bench.task("of-e2", { executor: bench.custom("e2") }), true);
    await bench.settle();
    const ids = { framework_id: { value: FRAMEWORK_ID }, executor_id: { value: "e2" } };
    bench.master.say("RegisterExecutorMessage", ids, "executor(1)@10.0.0.2:4001");
    bench.master.say("RunTaskGroupMessage", {
      framework,
      executor: {
        executor_id: { value: "pod" },
        type: ExecutorInfo_Type.DEFAULT,
        resources: [scalar("cpus", 0.1)],
      },
      task_group: { tasks: [bench.task("first"), bench.task("second")] },
      resource_version_uuids: [],
      launch_executor: true,
    });
    await bench.settle();
    const config = { mark_gone: false, max_grace_period: { nanoseconds: 90_000_000_000n } };
    bench.master.say("DrainSlaveMessage", { config });
    await bench.settle();
    // As if the agent had died before the end of the next one.
    copyFileSync(this.paths.meta.resourceState(), this.paths.meta.resourceStateTarget());
    await bench.agent.stop();
  }

  private reserve(bench: AgentBench): void {
    const reserved = {
      ...scalar("cpus", 1),
      reservations: [{ type: 2, role: "dev", principal: "p" }],
    };
    const version = bench.master.heard("RegisterSlaveMessage")[0]!.resource_version_uuid;
    bench.master.say("ApplyOperationMessage", {
      framework_id: { value: FRAMEWORK_ID },
      operation_info: { type: OperationType.RESERVE, reserve: { resources: [reserved], source: [] } },
      operation_uuid: { value: Buffer.alloc(16, 9) },
      resource_version_uuid: { uuid: version },
    });
  }
}
