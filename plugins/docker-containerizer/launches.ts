import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { MetricTimer } from "../../sdk/contracts/metrics.js";
import type { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { CreateBody } from "./api-types.js";
import { AGENT_LABEL, type DockerContainer, ID_LABEL, REMOVE_LABEL, refused } from "./container.js";
import { describeRun, type RunSettings } from "./describe-run.js";
import type { ContainerDescription, Engine } from "./engine.js";
import { isEngineError } from "./engine-error.js";
import { type ImageName, imageName } from "./image-name.js";
import { ImagePuller } from "./image-puller.js";
import { LogCopy } from "./log-copy.js";
import { logRecordPath } from "./log-record.js";
import { credentials, type DockerConfig } from "./registry-auth.js";
import { createBody, type RunDraft } from "./run-draft.js";

export interface LaunchOptions extends RunSettings {
  /** Tells this agent from any other that uses the engine. */
  readonly agent: string;
  /** Of this agent alone, for the progress of logs. */
  readonly recordsDirectory: string;
  readonly containerLogger: ContainerLogger;
  readonly sandboxFetch: SandboxFetch;
  /** For tasks that bring no credentials of their own. */
  readonly registryConfig: DockerConfig | undefined;
  readonly imagePull: MetricTimer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long after `start` the engine is asked what became of it, in milliseconds. */
const LOOK_DELAY = 10;
/** In the words of engines: `No such image: busybox:latest`. */
const NO_IMAGE = /no such image|image .*not (found|known)/i;
/** Bytes. Statuses are written down, sent, kept and sent again until they are acknowledged. */
const MAX_TASK_DATA = 256 * 1024;

/** From a request to a container that runs, by as few questions to the engine as that takes: create, start, inspect. */
export class Launches {
  private readonly puller: ImagePuller;

  constructor(
    private readonly options: LaunchOptions,
    private readonly engine: Engine,
  ) {
    this.puller = new ImagePuller(engine, options.imagePull);
  }

  /** Resolves when it runs. What was made of one that does not is told by `created`. */
  async start(container: DockerContainer): Promise<void> {
    const { request, abort } = container;
    const { sandboxFetch, containerLogger } = this.options;
    const draft = await this.describe(container);
    if (request.command.uris.length > 0) {
      await sandboxFetch.fetch({ request, user: request.user, signal: abort.signal });
    }
    const io = await containerLogger.prepare(request);
    const image = imageName(draft.config.Image);
    if (request.container?.docker?.force_pull_image === true) await this.pull(container, image);
    abort.signal.throwIfAborted();
    const readable = draft.host.LogConfig?.Type !== "none";
    const kind = { tty: draft.config.Tty === true, readable };
    const logs = LogCopy.begin(this.logOptions(container, kind), io).then((begun) => {
      container.logs = begun;
    });
    await bothOf(logs, this.create(container, image, createBody(draft)));
    abort.signal.throwIfAborted();
    await container.logs!.listen();
    const { handle } = container;
    const look = this.lookAhead(handle);
    await this.engine.start(handle).finally(() => look.timer.cancel());
    container.running = true;
    const seen = await look.seen;
    const { facts, json } =
      seen === undefined || seen.facts.created ? await this.engine.describe(handle) : seen;
    container.facts = facts;
    container.logs!.started(facts.logDriver);
    container.description = this.taskData(container, json);
  }

  /** What `docker inspect` prints: service discovery reads it in the task's status. */
  private taskData({ name, request }: DockerContainer, json: string): Buffer | undefined {
    if (request.task === undefined) return undefined;
    const data = Buffer.from(`[${json}]`);
    if (data.length <= MAX_TASK_DATA) return data;
    this.options.logger.warn(
      { container: name, bytes: data.length },
      "what the Docker daemon says of a container is too long for its task's status",
    );
    return undefined;
  }

  /**
   * Asks for a container while it starts: the engine answers as soon as that is done. Asked after that, of a container that ends soon, it
   * answers only when it has cleared the container away. `seen` is undefined when there was nothing to see; it is never rejected.
   */
  private lookAhead(handle: string): {
    timer: Timer;
    seen: Promise<ContainerDescription | undefined> | undefined;
  } {
    const look: ReturnType<Launches["lookAhead"]> = {
      timer: this.options.clock.setTimeout(() => {
        look.seen = this.engine.describe(handle).catch(() => undefined);
      }, LOOK_DELAY),
      seen: undefined,
    };
    return look;
  }

  private async describe(container: DockerContainer): Promise<RunDraft> {
    const { request, name, id } = container;
    const draft = await describeRun(request, name, this.options).catch((error: unknown) => {
      throw refused(`Failed to create docker run options: ${messageOf(error)}`, error);
    });
    Object.assign(draft.config.Labels, {
      [AGENT_LABEL]: this.options.agent,
      [ID_LABEL]: id,
      ...(draft.removeAtOnce && { [REMOVE_LABEL]: "" }),
    });
    container.removeAtOnce = draft.removeAtOnce;
    container.settings = draft.host;
    return draft;
  }

  private logOptions(container: DockerContainer, kind: { tty: boolean; readable: boolean }) {
    const { clock, logger, recordsDirectory } = this.options;
    const { id, name } = container;
    const handle = (): string => container.handle;
    const record = logRecordPath(recordsDirectory, id);
    return { engine: this.engine, name, handle, ...kind, record, clock, logger };
  }

  /** The image is asked for only when the engine says that it lacks it. */
  private async create(container: DockerContainer, image: ImageName, body: CreateBody): Promise<void> {
    const { name, abort } = container;
    container.created = true;
    try {
      container.handle = await this.engine.create(name, body);
    } catch (error) {
      if (!isEngineError(error, "missing")) throw error;
      await this.pull(container, image).catch((failure: unknown) => {
        // What it lacks may be something else, a volume's driver for one; then the image is not what is to be told of.
        throw NO_IMAGE.test(messageOf(error)) ? failure : error;
      });
      abort.signal.throwIfAborted();
      container.handle = await this.engine.create(name, body);
    }
  }

  private async pull({ request, abort, name }: DockerContainer, image: ImageName): Promise<void> {
    const auth = await credentials({
      registry: image.registry,
      sandbox: request.directory,
      fallback: this.options.registryConfig,
    });
    this.options.logger.info({ container: name, image: image.name, tag: image.tag }, "pulling an image");
    await this.puller.pull(image, auth, abort.signal);
  }
}

/** Rejects only when neither is under way any more. */
async function bothOf(...promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}
