import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { Provisioner } from "../../sdk/contracts/image.js";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { Launcher } from "../../sdk/contracts/launcher.js";
import { SecretResolver } from "../../sdk/contracts/secret-resolver.js";
import { isolationNames, unavailableIsolation, unmetNeed } from "../../sdk/isolation/index.js";
import { definePlugin, optional, reading, z } from "../../sdk/plugin/index.js";
import { VolumeCheckpoints } from "./docker/checkpoints.js";
import { DockerVolumes } from "./docker/docker-volumes.js";
import { DvdcliDriver } from "./docker/driver.js";
import { HostPathVolumes, parseForceCreation } from "./host-path.js";
import { ImageVolumes } from "./image.js";
import { SandboxPathVolumes } from "./sandbox-path.js";
import { SecretVolumes } from "./secret.js";
import { SecretStore } from "./secret-store.js";

const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  work_dir: z.string().min(1),
  runtime_dir: z.string().default("/var/run/mesos"),
  sandbox_directory: z.string().startsWith("/").default("/mnt/mesos/sandbox"),
  host_path_volume_force_creation: z.string().transform(reading(parseForceCreation)).optional(),
  docker_volume_checkpoint_dir: z.string().default("/var/run/mesos/isolators/docker/volume"),
  docker_volume_chown: z.union([z.boolean(), z.stringbool()]).default(false),
});

/** Finds or makes what an isolator has to have before the first container; resolves to what is missing, and how to get it. */
type Open = () => Promise<string | undefined>;

/** Those that `--isolation` names; with `filesystem/linux` the first three are always there, as in Mesos. */
export default definePlugin({
  name: "volume-isolators",
  version: "1.0.0",
  description:
    "volume/sandbox_path, volume/host_path, volume/image, volume/secret and docker/volume: what containers see of files elsewhere",
  targets: ["agent"],
  provides: [Isolator],
  requires: {
    launcher: Launcher,
    provisioner: optional(Provisioner),
    resolver: optional(SecretResolver),
  },
  config,
  setup(ctx, { launcher, provisioner, resolver }) {
    const isolation = isolationNames(ctx.config.isolation);
    const linux = isolation.has("filesystem/linux");
    const needs = { root: true, linuxLauncher: launcher.name, filesystemLinux: isolation };
    const sandboxDirectory = ctx.config.sandbox_directory;
    const agent = createHash("sha256").update(resolve(ctx.config.work_dir)).digest("hex").slice(0, 16);
    let close = async (): Promise<void> => undefined;
    const opened: { readonly name: string; readonly open: Open }[] = [];
    const use = (isolator: Isolator, open: Open | string = async () => undefined): void => {
      ctx.bind(Isolator, isolator);
      opened.push({ name: isolator.name, open: typeof open === "string" ? async () => open : open });
    };
    if (linux || isolation.has("volume/sandbox_path"))
      use(new SandboxPathVolumes({ workDir: resolve(ctx.config.work_dir), sandboxDirectory, mounts: linux }));
    if (linux || isolation.has("volume/host_path")) {
      const forceCreation = ctx.config.host_path_volume_force_creation ?? [];
      use(new HostPathVolumes({ sandboxDirectory, forceCreation }));
    }
    if (provisioner !== undefined) {
      if (linux || isolation.has("volume/image")) use(new ImageVolumes({ sandboxDirectory, provisioner }));
    } else if (isolation.has("volume/image")) {
      use({ name: "volume/image" }, "images: add --image_providers=docker");
    }
    if (isolation.has("docker/volume")) {
      const driver = new DvdcliDriver();
      const checkpoints = new VolumeCheckpoints(join(ctx.config.docker_volume_checkpoint_dir, agent));
      const { logger } = ctx;
      const chown = ctx.config.docker_volume_chown;
      use(new DockerVolumes({ driver, checkpoints, sandboxDirectory, chown, logger }), async () => {
        if (!driver.find()) return "the program 'dvdcli': put it into the agent's PATH";
        await checkpoints.open();
        return undefined;
      });
    }
    if (resolver === undefined && isolation.has("volume/secret")) {
      use({ name: "volume/secret" }, "a secret resolver: load the plugin secret-resolver");
    } else if (resolver !== undefined && isolation.has("volume/secret")) {
      const places = [
        join(ctx.config.runtime_dir, "secrets", agent),
        join("/dev/shm", `tepui-secrets-${agent}`),
      ];
      const store = new SecretStore(places);
      close = () => store.close();
      use(new SecretVolumes({ sandboxDirectory, resolver, store }), async () =>
        (await store.open())
          ? undefined
          : "a file system in memory: mount a tmpfs at --runtime_dir or at /dev/shm",
      );
    }
    if (opened.length === 0) ctx.skip("isolation names no isolator of volumes");
    return {
      async start() {
        for (const { name, open } of opened) {
          // Without mounts of the containers' own it says no to each volume, as in Mesos.
          const alone = name === "volume/sandbox_path" && !linux;
          const lack = (alone ? undefined : unmetNeed(needs)) ?? (await open());
          if (lack !== undefined) throw unavailableIsolation(name, lack);
        }
      },
      stop: () => close(),
    };
  },
});
