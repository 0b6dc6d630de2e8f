import type { MetricTimer } from "../../sdk/contracts/metrics.js";
import type { Engine, RegistryAuth } from "./engine.js";
import { EngineError, engineError } from "./engine-error.js";
import type { ImageName } from "./image-name.js";
import { lines } from "./lines.js";

interface Pull {
  readonly done: Promise<void>;
  readonly abort: AbortController;
  waiting: number;
}

/** Has the engine fetch images: one at a time of each, however many containers wait for it. */
export class ImagePuller {
  private readonly pulls = new Map<string, Pull>();

  constructor(
    private readonly engine: Engine,
    private readonly timer: MetricTimer,
  ) {}

  /**
   * Resolves when the engine has the image, at its newest. Rejects with an EngineError that names image and cause, or with the reason of
   * the signal; when nobody waits any more the pull is given up.
   */
  async pull(image: ImageName, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // What one may fetch with its credentials must not come to another for nothing.
    const key = JSON.stringify([image.name, image.tag, auth]);
    const pull = this.pulls.get(key) ?? this.begin(key, image, auth);
    pull.waiting++;
    try {
      await untilAborted(pull.done, signal);
    } finally {
      pull.waiting--;
      if (pull.waiting === 0) pull.abort.abort();
    }
  }

  private begin(key: string, image: ImageName, auth: RegistryAuth | undefined): Pull {
    const abort = new AbortController();
    const stop = this.timer.start();
    const done = this.run(image, auth, abort.signal).then(() => {
      stop();
    });
    const pull: Pull = { done, abort, waiting: 0 };
    this.pulls.set(key, pull);
    const forget = (): void => {
      if (this.pulls.get(key) === pull) this.pulls.delete(key);
    };
    abort.signal.addEventListener("abort", forget, { once: true });
    done.then(forget, forget);
    return pull;
  }

  private async run(image: ImageName, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<void> {
    const shown = `${image.name}${image.tag.includes(":") ? "@" : ":"}${image.tag}`;
    try {
      await this.follow(await this.engine.pull(image, { auth, signal }));
    } catch (thrown) {
      const error = engineError(thrown, this.engine.socket);
      if (error.failure === "unreachable") throw error;
      throw new EngineError(error.failure, `image '${shown}' cannot be pulled: ${error.message}`, thrown);
    }
  }

  /** The status is sent before the end is known: failures come as lines. */
  private async follow(stream: NodeJS.ReadableStream): Promise<void> {
    let failure: string | undefined;
    for await (const line of lines(stream)) {
      const { error } = JSON.parse(line) as { error?: unknown };
      if (typeof error === "string") failure = error;
    }
    if (failure !== undefined) throw new EngineError("refused", failure);
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
