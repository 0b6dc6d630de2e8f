import { readFileSync } from "node:fs";
import { release } from "node:os";
import { Isolator } from "../../sdk/contracts/isolator.js";
import {
  allowedDevices,
  devicesOf,
  isolationNames,
  unavailableIsolation,
  unmetNeed,
} from "../../sdk/isolation/index.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import {
  ALL_CAPABILITIES,
  CapabilitiesIsolator,
  type CapabilityPolicy,
  type CapabilitySet,
  grantedCapabilities,
} from "./capabilities.js";
import { DevicesIsolator } from "./devices.js";
import { RlimitsIsolator } from "./rlimits.js";
import { SeccompIsolator } from "./seccomp/seccomp-isolator.js";
import { architecturesOf } from "./seccomp/system-calls.js";

const capabilities = z.object({
  capabilities: z.array(
    z.string().refine((name) => ALL_CAPABILITIES.has(name), {
      error: ({ input }) =>
        `there is no capability '${input}'; they are ${[...ALL_CAPABILITIES].slice(0, 3).join(", ")}, ... as in capabilities(7), without CAP_`,
    }),
  ),
});

const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  launcher: z.string().default("linux"),
  effective_capabilities: capabilities.optional(),
  bounding_capabilities: capabilities.optional(),
  seccomp_config_dir: z.string().optional(),
  seccomp_profile_name: z.string().optional(),
  allowed_devices: allowedDevices.optional(),
});

/** Isolators that do their work once, at the start of a container: the launcher applies what they say. */
export default definePlugin({
  name: "linux-isolators",
  version: "1.0.0",
  description: "linux/capabilities, linux/nnp, linux/seccomp, linux/devices and posix/rlimits",
  targets: ["agent"],
  provides: [Isolator],
  config,
  setup(ctx) {
    const { isolation, launcher, effective_capabilities, bounding_capabilities } = ctx.config;
    const named = isolationNames(isolation);
    const policy: CapabilityPolicy = {
      effective: effective_capabilities && new Set(effective_capabilities.capabilities),
      bounding: bounding_capabilities && new Set(bounding_capabilities.capabilities),
    };
    const starts: (() => Promise<void>)[] = [];
    let bound = 0;
    const use = (
      isolator: Isolator & { start?(): Promise<void> },
      needs: readonly (() => void)[] = [],
    ): void => {
      if (!named.has(isolator.name)) return;
      ctx.bind(Isolator, isolator);
      bound += 1;
      starts.push(async () => {
        for (const check of needs) check();
        await isolator.start?.();
      });
    };
    const unavailable = (name: string, need: string): never => {
      throw unavailableIsolation(name, need);
    };
    const withLinux = (name: string, filesystemLinux = false) => [
      (): void => {
        const need = unmetNeed({
          root: true,
          linuxLauncher: launcher,
          ...(filesystemLinux && { filesystemLinux: named }),
        });
        if (need !== undefined) unavailable(name, need);
      },
    ];

    use(new CapabilitiesIsolator(policy), [...withLinux("linux/capabilities"), () => checkPolicy(policy)]);
    use({ name: "linux/nnp", nesting: true, prepare: async () => ({ noNewPrivileges: true }) });
    use(new DevicesIsolator(devicesOf(ctx.config.allowed_devices)), withLinux("linux/devices", true));
    use(new RlimitsIsolator());
    if (named.has("linux/seccomp")) {
      const name = "linux/seccomp";
      const architectures = architecturesOf(process.arch);
      const seccomp = new SeccompIsolator({
        configDir: ctx.config.seccomp_config_dir ?? "",
        defaultProfile: ctx.config.seccomp_profile_name,
        architectures: architectures ?? [],
        kernel: release(),
        capabilities: (request): CapabilitySet =>
          (named.has("linux/capabilities") ? grantedCapabilities(request, policy)?.bounding : undefined) ??
          ALL_CAPABILITIES,
      });
      use(seccomp, [
        ...withLinux(name),
        () =>
          architectures ?? unavailable(name, `the numbers of system calls, and has none for ${process.arch}`),
        () => kernelFilters() || unavailable(name, "a kernel with CONFIG_SECCOMP_FILTER"),
        () =>
          ctx.config.seccomp_config_dir ??
          unavailable(name, "a directory of profiles: give it with --seccomp_config_dir"),
      ]);
    }
    if (bound === 0) ctx.skip("isolation names none of its isolators");
    return {
      start: async () => {
        for (const start of starts) await start();
      },
    };
  },
});

function checkPolicy({ effective, bounding }: CapabilityPolicy): void {
  if (effective === undefined || bounding === undefined) return;
  const outside = [...effective].filter((name) => !bounding.has(name));
  if (outside.length === 0) return;
  throw unavailableIsolation(
    "linux/capabilities",
    `--effective_capabilities within --bounding_capabilities: take out ${outside.join(", ")}`,
  );
}

/** `Seccomp:` is there when the kernel has it; `Seccomp_filters:` since 5.9. */
function kernelFilters(): boolean {
  return /^Seccomp:/m.test(readFileSync("/proc/self/status", "latin1"));
}
