import type { ContainerID, Image } from "../../../proto/gen/mesos/v1/mesos.js";
import type {
  AgentContainer,
  AgentContainers,
  ContainerLaunch,
} from "../../../sdk/contracts/agent-containers.js";
import type {
  ContainerInput,
  ContainerStreams,
  ContainerTermination,
  OutputChunk,
} from "../../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { containerName } from "../../../sdk/ids/index.js";

/** Containers that do what a test says, and remember what was asked of them. */
export class ScriptedContainers implements AgentContainers {
  readonly calls: string[] = [];
  readonly launches: ContainerLaunch[] = [];
  readonly streams = new ScriptedStreams();
  all: AgentContainer[] = [];
  launched: "launched" | "exists" | TepuiError = "launched";
  /** Where they never end: of those who wait, by what they are told to have left. */
  endless: AbortSignal[] | undefined;
  termination: ContainerTermination = { exit: { code: 3, signal: undefined } };

  async launch(launch: ContainerLaunch): Promise<"launched" | "exists"> {
    this.launches.push(launch);
    this.note("launch", launch.containerId);
    if (typeof this.launched === "object") throw this.launched;
    return this.launched;
  }

  async wait(containerId: ContainerID, left?: AbortSignal): Promise<ContainerTermination> {
    this.note("wait", containerId);
    if (this.endless === undefined) return this.termination;
    this.endless.push(left!);
    return new Promise((_, reject) =>
      left!.addEventListener("abort", () => reject(new TepuiError("TEPUI_CLIENT_GONE"))),
    );
  }

  async kill(containerId: ContainerID, signal: number): Promise<void> {
    this.note(`kill ${signal}`, containerId);
  }

  async remove(containerId: ContainerID): Promise<void> {
    this.note("remove", containerId);
  }

  async destroy(containerId: ContainerID): Promise<void> {
    this.note("destroy", containerId);
  }

  async attach(containerId: ContainerID): Promise<ContainerStreams> {
    this.note("attach", containerId);
    return this.streams;
  }

  async list(of: { nested: boolean; standalone: boolean }): Promise<readonly AgentContainer[]> {
    this.calls.push(`list ${JSON.stringify(of)}`);
    return this.all;
  }

  async pruneImages(excluded: readonly Image[]): Promise<void> {
    this.calls.push(`prune ${excluded.map(({ docker }) => docker?.name).join(",")}`.trimEnd());
  }

  private note(what: string, containerId: ContainerID): void {
    const id = containerName(containerId);
    if (id.endsWith("unknown")) {
      throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: `Container ${id} cannot be found` });
    }
    this.calls.push(`${what} ${id}`);
  }
}

/** Output that comes when the test says, input that is written down. */
class ScriptedStreams implements ContainerStreams {
  readonly typed: string[] = [];
  /** How many chunks were asked for. */
  asked = 0;
  /** Takes the place of what `write` gives, endlessly. */
  flood: OutputChunk | undefined;
  failure: TepuiError | undefined;
  readers = 0;
  private taken = false;
  private readonly chunks: OutputChunk[] = [];
  private ended = false;
  private wake: () => void = () => undefined;
  private overWriter: () => void = () => undefined;

  write(stream: "stdout" | "stderr", text: string): void {
    this.chunks.push({ stream, data: Buffer.from(text) });
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
    this.overWriter();
  }

  async *output(signal: AbortSignal): AsyncGenerator<OutputChunk, void> {
    this.readers++;
    try {
      for (;;) {
        this.asked++;
        if (signal.aborted) return;
        if (this.failure !== undefined) throw this.failure;
        const chunk = this.flood ?? this.chunks.shift();
        if (chunk !== undefined) yield chunk;
        else if (this.ended) return;
        else {
          await new Promise<void>((resolve) => {
            this.wake = resolve;
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
        }
      }
    } finally {
      this.readers--;
    }
  }

  async input(): Promise<ContainerInput> {
    if (this.taken) throw new TepuiError("TEPUI_CONTAINER_INPUT_TAKEN");
    this.taken = true;
    const note = async (text: string): Promise<void> => void this.typed.push(text);
    return {
      over: new Promise((resolve) => {
        this.overWriter = resolve;
      }),
      write: (data) => note(`data ${data.toString()}`),
      end: () => note("end"),
      resize: ({ rows, columns }) => note(`size ${rows}x${columns}`),
      close: () => {
        this.taken = false;
        this.typed.push("close");
      },
    };
  }
}
