import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PERL_HELPER } from "../../../../plugins/launchers/perl/program.js";
import { posixCommand } from "../../../../plugins/launchers/posix/posix-command.js";
import { ShimLauncher } from "../../../../plugins/launchers/shim/shim-launcher.js";
import { SwitchboardStreams } from "../../../../sdk/container-streams/index.js";
import type { ContainerExit, ContainerInput } from "../../../../sdk/contracts/containerizer.js";
import { MemoryLogger } from "../../../../sdk/testing/memory-logger.js";
import { eventually } from "../../../support/eventually.js";

const root = new URL("../../../../../", import.meta.url).pathname;
let count = 0;

/** A terminal with a `tepui` in it, as a person has one. */
export class Pane {
  text = "";
  private readonly abort = new AbortController();
  private reading: Promise<void> = Promise.resolve();

  private constructor(
    private readonly launcher: ShimLauncher,
    private readonly directory: string,
    readonly id: string,
    readonly exited: Promise<ContainerExit | undefined>,
    private readonly input: ContainerInput,
  ) {}

  /** @param more programs and arguments that run it, e.g. a shell that says something afterwards */
  static async open(args: readonly string[], size = { rows: 24, columns: 80 }): Promise<Pane> {
    const directory = await mkdtemp(join(tmpdir(), "tepui-pane-"));
    const launcher = new ShimLauncher({
      name: "posix",
      helpers: [["perl", "-e", PERL_HELPER]],
      logger: new MemoryLogger(),
      command: posixCommand,
    });
    const id = `pane-${process.pid}-${count++}`;
    const socket = join(directory, "socket");
    const launched = await launcher.launch({
      containerId: id,
      argv: args,
      environment: {
        PATH: process.env.PATH ?? "/bin:/usr/bin",
        TERM: "xterm",
        NODE: process.execPath,
        TEPUI: join(root, "bin", "tepui"),
      },
      workingDirectory: directory,
      sandbox: directory,
      user: undefined,
      stdout: join(directory, "stdout"),
      stderr: join(directory, "stderr"),
      record: join(directory, "record"),
      outlivesAgent: false,
      contribution: {},
      switchboard: { socket, terminal: size, session: true },
    });
    await launched.go();
    const streams = new SwitchboardStreams(socket);
    const pane = new Pane(launcher, directory, id, launched.exited, await streams.input());
    pane.reading = pane.read(streams);
    pane.reading.catch(() => undefined);
    return pane;
  }

  /** `tepui task <args>`, with what the shell says after it. */
  static task(args: readonly string[], size?: { rows: number; columns: number }): Promise<Pane> {
    const script =
      '"$NODE" "$TEPUI" task "$@"; echo "code=$?"; stty -a | grep -o -E -- "-?(icanon|echo|isig)\\b" | tr "\\n" " "; echo';
    return Pane.open(["sh", "-c", script, "sh", ...args], size);
  }

  async type(text: string): Promise<void> {
    await this.input.write(Buffer.from(text));
  }

  async resize(rows: number, columns: number): Promise<void> {
    await this.input.resize({ rows, columns });
  }

  /** Resolves when the text is on the screen, after what was waited for before. */
  async has(text: string | RegExp): Promise<string> {
    try {
      return await eventually(() => {
        const match = typeof text === "string" ? undefined : text.exec(this.text);
        const at = typeof text === "string" ? this.text.indexOf(text) : (match?.index ?? -1);
        if (at < 0) return undefined;
        const found = match?.[0] ?? String(text);
        this.text = this.text.slice(at + found.length);
        return found;
      }, 15_000);
    } catch (error) {
      throw new Error(`not ${String(text)} but ${JSON.stringify(this.text)}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.abort.abort();
    this.input.close();
    await this.launcher.destroy(this.id);
    await this.launcher.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  private async read(streams: SwitchboardStreams): Promise<void> {
    for await (const { data } of streams.output(this.abort.signal)) this.text += data.toString();
  }
}
