import { rmSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import type { SavedAgent } from "../../../../core/agent/recovery/saved-state.js";
import { REAL_FILES, type StateFiles } from "../../../../core/agent/recovery/state-files.js";
import { isTepuiError } from "../../../../sdk/errors/index.js";
import { AgentBench } from "../support/agent-bench.js";
import { BOOT, NEXT_BOOT, RecordedState } from "../support/recorded-state.js";

/** Every byte of every file where this is set, which takes minutes; else a sample. */
const EVERY_BYTE = process.env.TORN_EVERY_BYTE !== undefined;
const RUNS = 60;

/** On disk for good before anything that they tell of happens, so that no death leaves them cut off. */
const DURABLE = /slave\.info$|resources_and_operations\.(state|target)$|resources\.info$/;
/** Of an executor that is over. */
const OVER = /executors\/over\//;
/** They carry a checksum. */
const SEALED = /\.info$|\.updates$|\.state$|\.target$|\.definition$|\.config$|\.kill$|\/task_groups\/[^/]+$/;

describe("an agent's files that were damaged", function () {
  this.timeout(EVERY_BYTE ? 3_600_000 : 60_000);
  let state: RecordedState;
  let whole: string;

  before(async () => {
    state = await RecordedState.record();
    whole = textOf(await state.read());
  });
  after(() => state.remove());

  it("are of every kind that an agent writes", () => {
    const kindOf = (file: string): string =>
      /(?:^|\/)(task_groups|containers)\/[^/]+$/.exec(file)?.[1] ?? file.slice(file.lastIndexOf("/") + 1);
    const kinds = new Set(state.files().map(kindOf));
    expect([...kinds]).to.have.members([
      "boot_id",
      "slave.info",
      "framework.info",
      "framework.pid",
      "executor.info",
      "executor_generated_for_command_task",
      "executor.sentinel",
      "http.marker",
      "forked.pid",
      "task.info",
      "task.definition",
      "task.updates",
      "task.kill",
      "task_groups",
      "containers",
      "drain.config",
      "libprocess.pid",
      "resources.info",
      "resources_and_operations.state",
      "resources_and_operations.target",
    ]);
  });

  /** What is read while the file has this content, or is missing. */
  async function readWith(
    file: string,
    content: Buffer | undefined,
    options: { boot?: string; strict?: boolean },
  ) {
    const path = state.path(file);
    const before = state.content(file);
    try {
      if (content === undefined) rmSync(path);
      else writeFileSync(path, content);
      return await state.read(options).then(
        (saved) => ({ saved, text: textOf(saved), refusal: undefined }),
        (error: unknown) => ({ saved: undefined, text: undefined, refusal: error }),
      );
    } finally {
      writeFileSync(path, before);
    }
  }

  function expectRefusal(refusal: unknown, file: string): void {
    expect(isTepuiError(refusal) && refusal.code, String(refusal)).to.equal("TEPUI_AGENT_RECOVERY_FAILED");
    // Also one that only another file contradicts names a file in the same directory.
    const directory = state.path(file).slice(0, state.path(file).lastIndexOf("/"));
    expect(String(refusal)).to.include(directory);
    expect(String(refusal)).to.match(/put the file back/);
  }

  /** What the state may be when the writing of a file was cut off: as if the last records, or the file, had not been written. */
  const earlier = new Map<string, readonly string[]>();
  async function earlierStates(file: string, boot: string): Promise<readonly string[]> {
    const known = earlier.get(file + boot);
    if (known !== undefined) return known;
    const content = state.content(file);
    const texts: string[] = [textOf(await state.read({ boot }))];
    earlier.set(file + boot, texts);
    const ends = file.endsWith(".updates") ? recordEnds(content) : [];
    for (const end of [...ends, 0]) {
      const { text } = await readWith(file, end === 0 ? undefined : content.subarray(0, end), { boot });
      if (text !== undefined) texts.push(text);
    }
    return texts;
  }

  async function checkCut(file: string, size: number, boot: string): Promise<void> {
    const content = state.content(file).subarray(0, size);
    const { text, refusal } = await readWith(file, content, { boot });
    if (refusal !== undefined) {
      expectRefusal(refusal, file);
      // The host's death is what these exist for.
      if (boot === NEXT_BOOT && !file.endsWith("boot_id")) expect(file).to.match(DURABLE);
      return;
    }
    // What is left of a record of a kill says that there was one, which is all that counts.
    if (SEALED.test(file) && !file.endsWith(".kill")) {
      expect(await earlierStates(file, boot), `${file} cut at ${size}`).to.include(text);
    }
  }

  for (const [when, boot] of [
    ["cut off by the host's death", NEXT_BOOT],
    ["cut off while the host went on", BOOT],
  ] as const) {
    it(`count as they were before or are refused by name: ${when}`, async () => {
      const cuts = state
        .files()
        .flatMap((file) => Array.from(state.content(file), (_, size) => ({ file, size })));
      if (EVERY_BYTE) for (const { file, size } of cuts) await checkCut(file, size, boot);
      else {
        const cut = fc.constantFrom(...cuts);
        const property = fc.asyncProperty(cut, ({ file, size }) => checkCut(file, size, boot));
        await fc.assert(property, { numRuns: RUNS });
      }
    });
  }

  async function checkFlip(file: string, at: number, bit: number): Promise<void> {
    const content = Buffer.from(state.content(file));
    content[at]! ^= 1 << bit;
    const { saved, text, refusal } = await readWith(file, content, {});
    if (refusal !== undefined) expectRefusal(refusal, file);
    else if (OVER.test(file) && text !== whole) expect(saved!.problems.join()).to.include(state.path(file));
    // What is not refused was no part of what the file says.
    else expect(text, `${file} byte ${at} bit ${bit}`).to.equal(whole);
  }

  it("are refused by name when a bit of them changed", async () => {
    const sealed = state.files().filter((file) => SEALED.test(file));
    const flips = sealed.flatMap((file) => Array.from(state.content(file), (_, at) => ({ file, at })));
    if (EVERY_BYTE) {
      for (const { file, at } of flips) for (let bit = 0; bit < 8; bit++) await checkFlip(file, at, bit);
    } else {
      const property = fc.asyncProperty(fc.constantFrom(...flips), fc.nat(7), ({ file, at }, bit) =>
        checkFlip(file, at, bit),
      );
      await fc.assert(property, { numRuns: 2 * RUNS });
    }
  });

  it("without a checksum are refused, or told of, where they make no sense", async () => {
    const broken = (pattern: RegExp, text: string) =>
      readWith(state.files().find((file) => pattern.test(file))!, Buffer.from(text), {});
    expect(String((await broken(/boot_id$/, "0b0e2ff8-6a3")).refusal)).to.match(/boot_id' is damaged/);
    const generated = await broken(/running\/executor_generated/, "0");
    expect(String(generated.refusal)).to.match(/its task says otherwise/);
    const { saved } = await broken(/framework\.pid$/, "scheduler-1@10.0");
    expect(saved!.frameworks[0]!.pid).to.equal(undefined);
    expect(saved!.problems.join()).to.match(/framework\.pid' holds no address/);
  });

  it("that are missing are refused where something was built on them", async () => {
    const without = async (pattern: RegExp) =>
      (await readWith(state.files().find((file) => pattern.test(file))!, undefined, {})).refusal;
    for (const name of [
      /slave\.info$/,
      /framework\.info$/,
      /running\/executor\.info$/,
      /running\/task\.info$/,
    ]) {
      expect(String(await without(name)), String(name)).to.match(/is missing or not whole/);
    }
  });

  it("are passed over and counted where the agent is not strict, and the rest is taken up", async () => {
    const sealed = state.files().filter((file) => SEALED.test(file));
    const flips = sealed.flatMap((file) => Array.from(state.content(file), (_, at) => ({ file, at })));
    const property = fc.asyncProperty(fc.constantFrom(...flips), fc.nat(7), async ({ file, at }, bit) => {
      const content = Buffer.from(state.content(file));
      content[at]! ^= 1 << bit;
      const { saved, text } = await readWith(file, content, { strict: false });
      if (text !== whole) expect(saved!.problems).not.to.have.length(0);
      await recovers(saved!);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  for (const strict of [true, false]) {
    it(`that cannot be read are never taken for missing ones, ${strict ? "" : "not even "}where the agent is ${strict ? "" : "not "}strict`, async () => {
      const outcomes = { refused: 0, told: 0 };
      for (let nth = 0; ; nth++) {
        const { files, failed } = failingAt(nth);
        const result = await state.read({ strict, files }).then(
          (saved) => ({ saved, refusal: undefined }),
          (error: unknown) => ({ saved: undefined, refusal: error }),
        );
        if (failed() === undefined) break;
        if (result.saved === undefined) {
          expect(isTepuiError(result.refusal), String(result.refusal)).to.equal(true);
          expect(String(result.refusal)).to.include(`'${failed()}' cannot be read: EIO`);
          outcomes.refused++;
        } else {
          expect(textOf({ ...result.saved, leftovers: [], problems: [] }), failed()).to.equal(
            textOf({ ...(await state.read()), leftovers: [], problems: [] }),
          );
          expect(result.saved.problems.join()).to.include("cannot be read: EIO");
          outcomes.told++;
        }
      }
      expect(outcomes.refused).to.be.greaterThan(20);
      expect(outcomes.told, "of what is not used any more").to.be.greaterThan(0);
    });
  }

  it("do not keep an agent from its recovery when its files are cut off with the host", async () => {
    const cuts = state
      .files()
      .flatMap((file) => Array.from(state.content(file), (_, size) => ({ file, size })));
    const property = fc.asyncProperty(fc.constantFrom(...cuts), async ({ file, size }) => {
      const { saved } = await readWith(file, state.content(file).subarray(0, size), { boot: NEXT_BOOT });
      if (saved !== undefined) await recovers(saved, NEXT_BOOT);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it("that were being replaced leave nothing behind that is taken for another thing", async () => {
    const { latestAgent, latestRun, agentInfo, resourceState } = state.paths.meta;
    const ids = (await state.read()).frameworks[0]!.executors[0]!;
    const run = latestRun({ agentId: "m-S0", frameworkId: "m-0000", executorId: ids.id });
    const temporary = [latestAgent(), run, agentInfo("m-S0"), resourceState()].map((path) => `${path}.tmp`);
    for (const path of temporary) writeFileSync(path, "half");
    expect(textOf(await state.read())).to.equal(whole);
    for (const path of temporary) rmSync(path);
  });

  /** An agent takes this up without a fault; its custom executors do not come back. */
  async function recovers(saved: SavedAgent, boot = BOOT): Promise<void> {
    const bench = new AgentBench({ strict: false });
    const recovered = bench.agent.recover(saved, boot).then(
      () => undefined,
      (error: unknown) => error,
    );
    await bench.clock.advance(2000);
    const error = await recovered;
    if (error !== undefined) expect(isTepuiError(error), String(error)).to.equal(true);
  }
});

/** All that an agent takes up. */
const textOf = ({ info, resources, bootId, frameworks, drainConfig }: SavedAgent): string =>
  JSON.stringify({ info, resources, bootId, frameworks, drainConfig }, (key, value: unknown) => {
    // Where the next record goes says nothing of those before it.
    if (key === "cutAt") return undefined;
    if (value instanceof Set) return [...value];
    return typeof value === "bigint" ? String(value) : value;
  });

function recordEnds(content: Buffer): number[] {
  const ends: number[] = [];
  for (let at = 0; at < content.length; ) {
    at += 4 + content.readUInt32LE(at);
    ends.push(at);
  }
  return ends;
}

/** The host's files, of which one attempt to read something fails. */
function failingAt(nth: number): { files: StateFiles; failed: () => string | undefined } {
  let count = 0;
  let failed: string | undefined;
  const look = <T>(path: string, read: () => Promise<T>): Promise<T> => {
    if (count++ !== nth) return read();
    failed = path;
    return Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
  };
  const files: StateFiles = {
    readFile: (path) => look(path, () => REAL_FILES.readFile(path)),
    readlink: (path) => look(path, () => REAL_FILES.readlink(path)),
    readdir: (path) => look(path, () => REAL_FILES.readdir(path)),
    lstat: (path) => look(path, () => REAL_FILES.lstat(path)),
  };
  return { files, failed: () => failed };
}
