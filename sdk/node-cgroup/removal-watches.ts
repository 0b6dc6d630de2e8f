import { CgroupError } from "./cgroup-error.js";

export type RemovalCallback = (error: CgroupError) => void;

/** Who wants to know that a group's directory was removed: older kernels do not tell watchers of its files. */
export class RemovalWatches {
  readonly #callbacks = new Map<string, Set<RemovalCallback>>();

  add(directory: string, callback: RemovalCallback): Disposable {
    const callbacks = this.#callbacks.get(directory) ?? new Set();
    this.#callbacks.set(directory, callbacks.add(callback));
    return {
      [Symbol.dispose]: () => {
        if (callbacks.delete(callback) && callbacks.size === 0) this.#callbacks.delete(directory);
      },
    };
  }

  tell(directory: string): void {
    const callbacks = [...(this.#callbacks.get(directory) ?? [])];
    for (const callback of callbacks)
      callback(new CgroupError(`${directory} was removed`, { file: directory, errno: "ENOENT" }));
  }
}
