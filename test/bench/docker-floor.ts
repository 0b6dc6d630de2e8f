import Docker from "dockerode";
import type { Context } from "mocha";
import { AGENT_LABEL } from "../../plugins/docker-containerizer/container.js";
import { ContainerInfo, ContainerInfo_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { busyboxRootfs } from "../support/busybox-rootfs.js";
import { startDockerDaemon } from "../support/docker-daemon.js";

/** A bench skips nothing: what a test would skip for is missing, and was named. */
const BENCH = {
  skip: () => {
    throw new Error("a part of the system is missing");
  },
} as unknown as Context;
const IMAGE = "bench/busybox:latest";

export interface Lifetime {
  readonly ended: number;
  readonly removed: number;
}

export interface BenchDocker {
  readonly socket: string;
  /** Of tasks that run in the bench's image. */
  readonly container: ContainerInfo;
  /** Milliseconds of one container of `true` straight through the engine's API: create, wait and start until its end, then its removal. */
  floor(): Promise<Lifetime>;
  /** When the next container of an agent is gone, as `performance.now()` tells it. */
  removal(): Promise<number>;
  stop(): Promise<void>;
}

/** An engine of the bench's own, with one image of busybox. */
export async function startDocker(): Promise<BenchDocker> {
  const daemon = await startDockerDaemon(BENCH);
  const rootfs = await busyboxRootfs(BENCH);
  await daemon.importImage(IMAGE, rootfs.path);
  await rootfs.remove();
  const docker = new Docker({ socketPath: daemon.socket });
  const filters = JSON.stringify({ type: ["container"], event: ["destroy"], label: [AGENT_LABEL] });
  const events = await docker.getEvents({ filters } as Docker.GetEventsOptions);
  events.resume();
  return {
    socket: daemon.socket,
    container: ContainerInfo.fromPartial({
      type: ContainerInfo_Type.DOCKER,
      docker: { image: IMAGE, network: 1 },
    }),
    async floor() {
      const began = performance.now();
      const container = await docker.createContainer({
        Image: IMAGE,
        Cmd: ["sh", "-c", "true"],
        HostConfig: { NetworkMode: "host" },
      });
      const end = container.wait({ condition: "next-exit" });
      await container.start();
      await end;
      const ended = performance.now() - began;
      await container.remove();
      return { ended, removed: performance.now() - began };
    },
    removal: () => new Promise((resolve) => events.once("data", () => resolve(performance.now()))),
    stop: () => daemon.stop(),
  };
}
