import Docker from "dockerode";
import type { Context } from "mocha";
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

export interface BenchDocker {
  readonly socket: string;
  /** Of tasks that run in the bench's image. */
  readonly container: ContainerInfo;
  /** Milliseconds of containers of `true`, one after the other, straight through the engine's API: create, wait, start. */
  floor(count: number): Promise<number[]>;
  stop(): Promise<void>;
}

/** An engine of the bench's own, with one image of busybox. */
export async function startDocker(): Promise<BenchDocker> {
  const daemon = await startDockerDaemon(BENCH);
  const rootfs = await busyboxRootfs(BENCH);
  await daemon.importImage(IMAGE, rootfs.path);
  await rootfs.remove();
  const docker = new Docker({ socketPath: daemon.socket });
  return {
    socket: daemon.socket,
    container: ContainerInfo.fromPartial({
      type: ContainerInfo_Type.DOCKER,
      docker: { image: IMAGE, network: 1 },
    }),
    async floor(count) {
      const times: number[] = [];
      for (let index = 0; index < count; index++) {
        const began = performance.now();
        const container = await docker.createContainer({
          Image: IMAGE,
          Cmd: ["sh", "-c", "true"],
          HostConfig: { NetworkMode: "host" },
        });
        const ended = container.wait({ condition: "next-exit" });
        await container.start();
        await ended;
        times.push(performance.now() - began);
        await container.remove();
      }
      return times;
    },
    stop: () => daemon.stop(),
  };
}
