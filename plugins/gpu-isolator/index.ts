import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { ResourceDetector } from "../../sdk/contracts/resource-detector.js";
import { isolationNames, unavailableIsolation, unmetNeed } from "../../sdk/isolation/index.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { parseResourceList, parseResources } from "../../sdk/resources/index.js";
import { findDriverFiles } from "./driver-files.js";
import { GpuIsolator } from "./gpu-isolator.js";
import { findNvidia, type Gpu, unavailable } from "./nvidia-host.js";
import { parseIndices, selectGpus } from "./selection.js";

const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  launcher: z.string().default("linux"),
  nvidia_gpu_devices: z.coerce.string().optional(),
  resources: z.string().optional(),
  work_dir: z.string().min(1),
  runtime_dir: z.string().default("/var/run/mesos"),
  /** Where `/dev`, `/proc/driver/nvidia` and the driver's files are looked for. */
  root: z.string().default("/"),
});

export default definePlugin({
  name: "gpu-isolator",
  version: "1.0.0",
  description: "gpu/nvidia: finds the host's NVIDIA GPUs and gives them to containers, each whole",
  targets: ["agent"],
  provides: [Isolator, ResourceDetector],
  config,
  setup(ctx) {
    const { isolation, nvidia_gpu_devices, launcher, root, resources, work_dir, runtime_dir } = ctx.config;
    const named = isolationNames(isolation);
    if (!named.has("gpu/nvidia")) {
      if (nvidia_gpu_devices !== undefined) {
        throw unavailable(
          "'--nvidia_gpu_devices' can only be specified if '--isolation' contains 'gpu/nvidia'",
        );
      }
      ctx.skip("isolation does not name gpu/nvidia");
    }
    const agent = createHash("sha256").update(resolve(work_dir)).digest("hex").slice(0, 16);
    const isolator = new GpuIsolator(join(runtime_dir, "isolators", "gpu", agent));
    let gpus: readonly Gpu[] = [];
    ctx.bind(Isolator, isolator);
    ctx.bind(ResourceDetector, {
      detect: async ({ given }) =>
        given.has("gpus") || gpus.length === 0
          ? []
          : [{ name: "gpus", type: Value_Type.SCALAR, scalar: { value: gpus.length }, reservations: [] }],
    });
    return {
      start: async () => {
        const need =
          unmetNeed({ root: true, linuxLauncher: launcher, filesystemLinux: named }) ??
          (named.has("cgroups/devices") || named.has("cgroups/all")
            ? undefined
            : "the isolator 'cgroups/devices': add it to --isolation");
        if (need !== undefined) throw unavailableIsolation(isolator.name, need);
        const host = await findNvidia(root);
        const indices = parseIndices(nvidia_gpu_devices);
        gpus = selectGpus(host, { given: givenGpus(resources), indices });
        isolator.use({
          gpus,
          controls: host?.controls ?? [],
          driverFiles: host === undefined ? { binaries: [], libraries: [] } : await findDriverFiles(root),
        });
        for (const { index, path, model, uuid } of gpus)
          ctx.logger.info({ index, path, model, uuid }, "offers a GPU");
      },
    };
  },
});

/** The amount in --resources; what is wrong in there the agent says itself. */
function givenGpus(resources: string | undefined): number | undefined {
  const list = parseResourceList(resources ?? "");
  const parsed = parseResources(resources ?? "");
  if (!list.ok || !parsed.ok || !list.value.some(({ name }) => name === "gpus")) return undefined;
  return parsed.value.gpus;
}
