import type { ResourceLimit } from "../../../sdk/contracts/contribution.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import type { NumberedLimit } from "./protocol.js";

/** Numbers of Linux, on all machines but MIPS, SPARC and Alpha. */
const NUMBERS = new Map(
  // biome-ignore format: in order of their numbers
  [
    "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
    "memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
  ].map((name, number) => [name, number]),
);

/** @throws TepuiError for a limit that there is not. */
export function numberedLimits(limits: Readonly<Record<string, ResourceLimit>>): NumberedLimit[] {
  return Object.entries(limits).map(([name, { soft, hard }]) => {
    const number = NUMBERS.get(name);
    if (number === undefined) {
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: `there is no limit '${name}'` });
    }
    return { name, number, soft, hard };
  });
}
