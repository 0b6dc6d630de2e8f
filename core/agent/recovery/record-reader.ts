import { basename } from "node:path";
import { errnoOf, messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { splitDelimited } from "../updates/update-record.js";
import { REAL_FILES, type StateFiles } from "./state-files.js";

export interface Codec<T> {
  decode(bytes: Uint8Array): T;
}

export interface Records<T> {
  readonly records: readonly T[];
  /** Bytes of the complete records, if the file continues after them; undefined: it does not. */
  readonly cutAt: number | undefined;
}

export interface Expected<T> {
  /** Says what is wrong with a record that can be decoded. */
  readonly check?: (record: T) => string | undefined;
  /**
   * Whether what the record is for has started. The record was complete then, so a truncated or missing one has been damaged; otherwise it
   * counts as not written.
   */
  readonly begun?: boolean;
}

export interface RecordReaderOptions {
  /** Whether a damaged file is an error or is skipped. */
  readonly strict: boolean;
  /** What to do about a damaged file. */
  readonly advice: string;
  /** Default: those of the host. */
  readonly files?: StateFiles | undefined;
  /** Collects what is skipped. */
  readonly problems?: string[];
}

/**
 * Reads files that the agent wrote.
 *
 * Whatever the death of the writer leaves behind is no fault and counts as not written. Anything else is a fault: the disk or a person
 * changed the file. `strict` readers then throw TEPUI_AGENT_RECOVERY_FAILED, which names the file; others skip it.
 */
export class RecordReader {
  /** What was skipped. */
  readonly problems: string[];
  readonly files: StateFiles;

  constructor(private readonly options: RecordReaderOptions) {
    this.problems = options.problems ?? [];
    this.files = options.files ?? REAL_FILES;
  }

  /** A reader for files that nothing depends on any more: it skips damaged ones. */
  get forHistory(): RecordReader {
    return new RecordReader({ ...this.options, problems: this.problems, strict: false });
  }

  /** The message in a file that holds one. */
  async record<T>(codec: Codec<T>, path: string, expected: Expected<T> = {}): Promise<T | undefined> {
    const found = await this.records(codec, path, expected);
    const [record] = found.records;
    if (record === undefined) {
      if (expected.begun === true && !this.blamed(path)) this.fault(path, "it is missing or not whole");
      return undefined;
    }
    if (found.records.length > 1 || found.cutAt !== undefined) {
      this.fault(path, "there is more in it than one record");
      return undefined;
    }
    return record;
  }

  /** The messages in a file that holds several; none if there is no file. */
  async records<T>(codec: Codec<T>, path: string, { check }: Expected<T> = {}): Promise<Records<T>> {
    const bytes = await this.bytes(path);
    if (bytes === undefined) return { records: [], cutAt: undefined };
    const { messages, rest, damage } = splitDelimited(bytes);
    const records: T[] = [];
    let end = 0;
    for (const message of messages) {
      const record = this.decoded(codec, path, message);
      const problem = record === undefined ? undefined : check?.(record);
      if (problem !== undefined) this.fault(path, problem);
      if (record === undefined || problem !== undefined) return { records, cutAt: end };
      records.push(record);
      end += 4 + message.length;
    }
    if (damage !== undefined) this.fault(path, damage);
    else if (rest > 0) this.problems.push(`'${path}' was cut off; its last ${rest} bytes do not count`);
    return { records, cutAt: rest > 0 ? end : undefined };
  }

  private decoded<T>(codec: Codec<T>, path: string, message: Uint8Array): T | undefined {
    try {
      return codec.decode(message);
    } catch (error) {
      this.fault(path, messageOf(error));
      return undefined;
    }
  }

  async text(path: string): Promise<string | undefined> {
    return (await this.bytes(path))?.toString("utf8").trim();
  }

  async exists(path: string): Promise<boolean> {
    return (await this.bytes(path)) !== undefined;
  }

  /** The name that a `latest` link points to. */
  latest(path: string): Promise<string | undefined> {
    return this.attempt(path, async () => basename(await this.files.readlink(path)));
  }

  async list(path: string): Promise<string[]> {
    return (await this.attempt(path, () => this.files.readdir(path))) ?? [];
  }

  /** Reports something that no agent can have left behind. */
  fault(path: string, what: string): void {
    const problem = `'${path}' is damaged: ${what}`;
    if (this.options.strict) {
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", { problems: [problem, this.options.advice] });
    }
    this.problems.push(`${problem}; passing it over`);
  }

  private blamed(path: string): boolean {
    return this.problems.some((problem) => problem.startsWith(`'${path}' is damaged`));
  }

  private bytes(path: string): Promise<Buffer | undefined> {
    return this.attempt(path, () => this.files.readFile(path));
  }

  /** Undefined if there is nothing. A disk that cannot be read is an error, strict or not. */
  private async attempt<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", {
        problems: [`'${path}' cannot be read: ${messageOf(error)}`, UNREADABLE],
        cause: error,
      });
    }
  }
}

const UNREADABLE =
  "make it readable again: what is in it is not known, so that it is not passed over either with --strict=false";

const isMissing = (error: unknown): boolean => errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR";
