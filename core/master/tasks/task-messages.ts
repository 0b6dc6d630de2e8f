import type { Task } from "../../../proto/gen/mesos/v1/mesos.js";
import type { TaskEntry } from "./task.js";

/** A view of a framework's tasks as messages, without copying the map. */
export class TaskMessages implements ReadonlyMap<string, Task> {
  constructor(private readonly entriesById: ReadonlyMap<string, TaskEntry>) {}

  get size(): number {
    return this.entriesById.size;
  }

  get(id: string): Task | undefined {
    return this.entriesById.get(id)?.message;
  }

  has(id: string): boolean {
    return this.entriesById.has(id);
  }

  forEach(visit: (task: Task, id: string, map: ReadonlyMap<string, Task>) => void): void {
    for (const [id, entry] of this.entriesById) visit(entry.message, id, this);
  }

  keys(): MapIterator<string> {
    return this.entriesById.keys();
  }

  *values(): MapIterator<Task> {
    for (const entry of this.entriesById.values()) yield entry.message;
  }

  *entries(): MapIterator<[string, Task]> {
    for (const [id, entry] of this.entriesById) yield [id, entry.message];
  }

  [Symbol.iterator](): MapIterator<[string, Task]> {
    return this.entries();
  }
}
