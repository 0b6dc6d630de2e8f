import { type Gpu, type NvidiaHost, unavailable } from "./nvidia-host.js";

/** Indices of `--nvidia_gpu_devices`; undefined when it is not set. Throws TEPUI_ISOLATION_UNAVAILABLE for anything but a list of numbers. */
export function parseIndices(flag: string | undefined): readonly number[] | undefined {
  if (flag === undefined) return undefined;
  const indices = flag
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      if (!/^\d+$/.test(text)) throw unavailable(`'--nvidia_gpu_devices' has '${text}', which is no index`);
      return Number(text);
    });
  if (new Set(indices).size < indices.length) throw unavailable("'--nvidia_gpu_devices' contains duplicates");
  return indices;
}

/**
 * The GPUs that this agent offers. Throws TEPUI_ISOLATION_UNAVAILABLE where flags and host do not agree.
 *
 * @param given the amount of `gpus` in --resources; undefined: what the host has
 */
export function selectGpus(
  host: NvidiaHost | undefined,
  { given, indices }: { given: number | undefined; indices: readonly number[] | undefined },
): readonly Gpu[] {
  if (given === 0) {
    if (indices !== undefined) {
      throw unavailable("'--nvidia_gpu_devices' cannot be specified when '--resources' specifies 0 GPUs");
    }
    return [];
  }
  if (given !== undefined && !Number.isInteger(given)) {
    throw unavailable("the 'gpus' resource must be a non-negative integer");
  }
  if (host === undefined) {
    if (given === undefined && indices === undefined) return [];
    throw unavailable(
      "this host has no NVIDIA driver: install it and load its kernel module, so that /proc/driver/nvidia and /dev/nvidia0 are there",
    );
  }
  // Mesos wants both flags or none; one of them says enough.
  const wanted = indices ?? host.gpus.map(({ index }) => index).slice(0, given);
  if (given !== undefined && wanted.length < given) {
    if (indices === undefined) {
      throw unavailable(
        `the number of GPUs requested (${given}) is greater than the number available (${host.gpus.length})`,
      );
    }
    throw unavailable("'--resources' and '--nvidia_gpu_devices' specify different numbers of GPU devices");
  }
  if (given !== undefined && wanted.length > given) {
    throw unavailable("'--resources' and '--nvidia_gpu_devices' specify different numbers of GPU devices");
  }
  return wanted.map((index) => {
    const gpu = host.gpus[index];
    if (gpu === undefined) throw unavailable(`there is no GPU ${index}; this host has ${host.gpus.length}`);
    return gpu;
  });
}
