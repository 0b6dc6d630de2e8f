import type { FrameworkInfo, Task, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord, FrameworkRecord, MasterWatcher } from "../../sdk/contracts/master-view.js";

/** Tells everybody who watches the master of its changes. Watchers belong to the process: a term ends for all of them at once. */
export class Watchers implements MasterWatcher {
  private readonly all = new Set<MasterWatcher>();

  add(watcher: MasterWatcher): () => void {
    this.all.add(watcher);
    return () => void this.all.delete(watcher);
  }

  taskAdded(task: Task): void {
    for (const watcher of this.all) watcher.taskAdded(task);
  }

  taskUpdated(task: Task, status: TaskStatus): void {
    for (const watcher of this.all) watcher.taskUpdated(task, status);
  }

  frameworkAdded(framework: FrameworkRecord): void {
    for (const watcher of this.all) watcher.frameworkAdded(framework);
  }

  frameworkUpdated(framework: FrameworkRecord): void {
    for (const watcher of this.all) watcher.frameworkUpdated(framework);
  }

  frameworkRemoved(info: FrameworkInfo): void {
    for (const watcher of this.all) watcher.frameworkRemoved(info);
  }

  agentAdded(agent: AgentRecord): void {
    for (const watcher of this.all) watcher.agentAdded(agent);
  }

  agentRemoved(agentId: string): void {
    for (const watcher of this.all) watcher.agentRemoved(agentId);
  }

  deposed(): void {
    for (const watcher of [...this.all]) watcher.deposed();
  }
}
