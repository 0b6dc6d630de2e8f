import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CgroupVersion } from "./cgroup.js";
import { failure, readLimit, readNumber, writeControl } from "./control-file.js";
import type { HugetlbControl } from "./controls.js";

const NAMES = {
  1: { limit: "limit_in_bytes", usage: "usage_in_bytes", none: "-1" },
  2: { limit: "max", usage: "current", none: "max" },
} as const;

export class Hugetlb implements HugetlbControl {
  constructor(
    readonly directory: string,
    readonly version: CgroupVersion,
  ) {}

  get pageSizes(): readonly string[] {
    try {
      const end = `.${NAMES[this.version].limit}`;
      return readdirSync(this.directory)
        .filter(
          (file) => /^hugetlb\.\d+[KMG]B\./.test(file) && file.endsWith(end) && !file.includes(".rsvd."),
        )
        .map((file) => file.split(".")[1]!);
    } catch (cause) {
      throw failure("cannot list", { file: this.directory, cause });
    }
  }

  setLimit(pageSize: string, bytes: number | undefined): void {
    const { limit, none } = NAMES[this.version];
    writeControl(this.#file(pageSize, limit), bytes ?? none);
  }

  limit(pageSize: string): number | undefined {
    return readLimit(this.#file(pageSize, NAMES[this.version].limit));
  }

  usage(pageSize: string): number {
    return readNumber(this.#file(pageSize, NAMES[this.version].usage));
  }

  #file(pageSize: string, name: string): string {
    return join(this.directory, `hugetlb.${pageSize}.${name}`);
  }
}
