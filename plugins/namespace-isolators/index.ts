import { Isolator } from "../../sdk/contracts/isolator.js";
import { Launcher } from "../../sdk/contracts/launcher.js";
import { isolationNames, unavailableIsolation, unmetNeed } from "../../sdk/isolation/index.js";
import { definePlugin, reading, z } from "../../sdk/plugin/index.js";
import { parseBytes } from "../../sdk/values/index.js";
import { IpcNamespace } from "./ipc.js";
import { PidNamespace } from "./pid.js";

const flag = z.union([z.boolean(), z.stringbool()]).default(false);

const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  default_container_shm_size: z.union([z.string(), z.number()]).transform(reading(parseBytes)).optional(),
  disallow_sharing_agent_ipc_namespace: flag,
  disallow_sharing_agent_pid_namespace: flag,
});

const KINDS = { "namespaces/ipc": "ipc", "namespaces/pid": "pid" } as const;

export default definePlugin({
  name: "namespace-isolators",
  version: "1.0.0",
  description: "namespaces/ipc and namespaces/pid: containers that see no memory and no processes of others",
  targets: ["agent"],
  provides: [Isolator],
  requires: { launcher: Launcher },
  config,
  setup(ctx, { launcher }) {
    const isolation = isolationNames(ctx.config.isolation);
    const built = [
      new IpcNamespace({
        defaultShmSize: ctx.config.default_container_shm_size,
        disallowSharingAgent: ctx.config.disallow_sharing_agent_ipc_namespace,
      }),
      new PidNamespace({ disallowSharingAgent: ctx.config.disallow_sharing_agent_pid_namespace }),
    ];
    const active = built.filter(({ name }) => isolation.has(name));
    if (active.length === 0) ctx.skip("isolation names neither namespaces/ipc nor namespaces/pid");
    for (const isolator of active) ctx.bind(Isolator, isolator);
    return {
      async start() {
        for (const { name } of active) {
          const namespace = KINDS[name];
          const lack = unmetNeed({
            root: true,
            linuxLauncher: launcher.name,
            filesystemLinux: isolation,
            namespace,
          });
          if (lack !== undefined) throw unavailableIsolation(name, lack);
        }
      },
    };
  },
});
