import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FileStreams, SwitchboardStreams } from "../../sdk/container-streams/index.js";
import type { ContainerRequest, ContainerStreams } from "../../sdk/contracts/containerizer.js";
import type { PlannedSwitchboard } from "../../sdk/contracts/launcher.js";

/** How the streams of this agent's containers are reached. Containers are named as the launcher knows them. */
export class Attachments {
  /** @param directory for the sockets of switchboards; of this agent alone */
  constructor(private readonly directory: string) {}

  /** Makes the directory, which is nobody else's: who can connect can type into any container. */
  async prepare(): Promise<void> {
    await mkdir(dirname(this.directory), { recursive: true });
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
  }

  /** What the launcher is to put between the container and its logs, if anything; for its plan. */
  planned(name: string, request: ContainerRequest): { readonly switchboard?: PlannedSwitchboard } {
    if (!hasSwitchboard(request)) return {};
    const tty = request.container?.tty_info;
    const size = { rows: tty?.window_size?.rows ?? 0, columns: tty?.window_size?.columns ?? 0 };
    return {
      switchboard: {
        socket: this.socket(name),
        ...(tty && { terminal: size }),
        ...(request.class === "debug" && { session: true }),
      },
    };
  }

  /** Undefined where the streams of the container are no more. */
  streams(name: string, request: ContainerRequest, ended: Promise<unknown>): ContainerStreams | undefined {
    if (!hasSwitchboard(request)) {
      return new FileStreams({ directory: request.directory, boundary: boundaryOf(request), ended });
    }
    const socket = this.socket(name);
    return existsSync(socket) ? new SwitchboardStreams(socket) : undefined;
  }

  /** Nobody attaches to it any more. Those that are attached read the rest. */
  async forget(name: string, request: ContainerRequest): Promise<void> {
    if (hasSwitchboard(request)) await rm(this.socket(name), { force: true });
  }

  /** Takes away what is left of all others. */
  async keepOnly(names: Iterable<string>): Promise<void> {
    const kept = new Set([...names].map(socketName));
    for (const found of await readdir(this.directory)) {
      if (!kept.has(found)) await rm(join(this.directory, found), { force: true });
    }
  }

  private socket(name: string): string {
    return join(this.directory, socketName(name));
  }
}

/** The sandbox that is within no other: below it, those whose sandboxes they are may have put anything in the way. */
function boundaryOf({ directory, containerId }: ContainerRequest): string {
  let boundary = directory;
  // A nested one has its own below `containers/ID` of that of its parent.
  for (let id = containerId; id.parent !== undefined; id = id.parent) boundary = dirname(dirname(boundary));
  return boundary;
}

/** Of one length, however long and nested the container's name is: the addresses of sockets are short. */
const socketName = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 16);

const hasSwitchboard = ({ interactive, container }: ContainerRequest): boolean =>
  interactive === true || container?.tty_info !== undefined;
