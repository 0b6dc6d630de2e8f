import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { parseValue } from "../../../sdk/resources/index.js";

const HIGHEST = 2 ** 32 - 1;

interface Range {
  readonly first: number;
  readonly last: number;
}

/** The ids that this agent may give to directories: `--xfs_project_range`, less those in use. */
export class ProjectIds {
  private readonly used = new Set<number>();

  private constructor(private readonly ranges: readonly Range[]) {}

  /** Reads `[5000-10000]`, `[1-9,20-29]`. Throws TEPUI_VALUE_INVALID. */
  static parse(text: string): ProjectIds {
    const invalid = (why: string): TepuiError =>
      new TepuiError("TEPUI_VALUE_INVALID", {
        detail: `--xfs_project_range '${text}': ${why}, such as [5000-10000]`,
      });
    const parsed = parseValue(text);
    if (!parsed.ok) throw invalid(`${parsed.error}; give ranges`);
    if (parsed.value.type !== Value_Type.RANGES) throw invalid("it is no list of ranges");
    const ranges = (parsed.value.ranges?.range ?? []).map(({ begin = 0n, end = 0n }) => ({
      first: Number(begin),
      last: Number(end),
    }));
    if (ranges.some(({ first }) => first === 0))
      throw invalid("0 is the id of all that has none; give others");
    if (ranges.some(({ last }) => last > HIGHEST)) throw invalid(`ids end at ${HIGHEST}; give lower ones`);
    if (ranges.some(({ first, last }) => first > last))
      throw invalid("a range goes backwards; give its low end first");
    if (ranges.length === 0) throw invalid("it has no ids; give some");
    return new ProjectIds(ranges);
  }

  get total(): number {
    return this.ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  get free(): number {
    let used = 0;
    for (const id of this.used) if (this.has(id)) used += 1;
    return this.total - used;
  }

  /** The lowest that is free; undefined: none is. */
  next(): number | undefined {
    for (const { first, last } of this.ranges) {
      for (let id = first; id <= last; id++) {
        if (this.used.has(id)) continue;
        this.used.add(id);
        return id;
      }
    }
    return undefined;
  }

  /** One found in use. It may be of a range that the operator has given up since. */
  occupy(id: number): void {
    this.used.add(id);
  }

  release(id: number): void {
    this.used.delete(id);
  }

  private has(id: number): boolean {
    return this.ranges.some(({ first, last }) => first <= id && id <= last);
  }
}
