import { commandExecutorInfo } from "../../../../core/agent/executors/command-executor-info.js";
import type { AgentOptions } from "../../../../core/agent/options.js";
import type { SavedAgent, SavedExecutor, SavedTask } from "../../../../core/agent/recovery/saved-state.js";
import { makeUpdate } from "../../../../core/agent/tasks/status.js";
import { makeTask } from "../../../../core/agent/tasks/task.js";
import { uuidKey } from "../../../../core/agent/updates/update-stream.js";
import {
  type FrameworkInfo,
  type TaskState,
  TaskStatus_Source,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID } from "./agent-bench.js";

export const BOOT = "boot-1";

let uuids = 0;

/** A bench whose agent is to take up what a case of the test left. */
export class Restarted {
  readonly bench: AgentBench;
  readonly framework: FrameworkInfo;

  constructor(options: Partial<AgentOptions> = {}) {
    this.bench = new AgentBench(options);
    this.framework = this.bench.framework({ checkpoint: true });
  }

  /** A task that told these states, of which the scheduler acknowledged the first ones. */
  task(id: string, states: readonly TaskState[], acknowledged = states.length): SavedTask {
    const info = this.bench.task(id);
    const updates = states.map((state) =>
      makeUpdate(
        {
          frameworkId: FRAMEWORK_ID,
          taskId: id,
          executorId: id,
          state,
          source: TaskStatus_Source.SOURCE_EXECUTOR,
        },
        {
          agentId: AGENT_ID,
          timestamp: this.bench.clock.now() / 1000,
          uuid: Buffer.from(String(uuids++).padStart(16, "0")),
        },
      ),
    );
    return {
      task: makeTask(info, FRAMEWORK_ID),
      definition: undefined,
      updates,
      acknowledged: new Set(updates.slice(0, acknowledged).map(({ uuid }) => uuidKey(uuid))),
      cutAt: undefined,
    };
  }

  command(id: string, task: SavedTask, more: Partial<SavedExecutor> = {}): SavedExecutor {
    const info = commandExecutorInfo(this.framework, this.bench.task(id));
    const containerId = `c-${id}`;
    return { id, info, generated: true, groups: [], containerId, completed: false, tasks: [task], ...more };
  }

  custom(id: string, task: SavedTask): SavedExecutor {
    return { ...this.command(id, task), info: this.bench.custom(id)!, generated: false };
  }

  saved(executors: readonly SavedExecutor[], more: Partial<SavedAgent> = {}): SavedAgent {
    return {
      info: { ...this.bench.agent.state.info, id: { value: AGENT_ID } },
      resources: { committed: [], operations: [], target: undefined },
      bootId: BOOT,
      frameworks: [{ id: FRAMEWORK_ID, info: this.framework, pid: undefined, executors }],
      leftovers: [],
      problems: [],
      ...more,
    };
  }

  async recover(saved: SavedAgent, bootId = BOOT): Promise<AgentBench> {
    const recovered = this.bench.agent.recover(saved, bootId);
    // Custom executors have two seconds to come back.
    await this.bench.clock.advance(2000);
    await recovered;
    this.bench.agent.start();
    return this.bench;
  }

  async register(): Promise<void> {
    this.bench.master.lead();
    await this.bench.clock.advance(1000);
    this.bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
  }
}
