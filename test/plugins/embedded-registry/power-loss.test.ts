import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readSegment } from "../../../plugins/embedded-registry/segment.js";
import { Registry } from "../../../proto/gen/mesos/internal/registry.js";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { stateOf } from "../../../sdk/registry/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { openRegistry } from "./open-registry.js";

const MASTER = { id: "m", capabilities: [] };

const open = (directory: string) =>
  openRegistry(directory, { clock: new VirtualClock(), compactionBytes: 400 });

const text = (state: Registry): string => Buffer.from(Registry.encode(state).finish()).toString("hex");

const agent = (i: number): AgentInfo =>
  AgentInfo.fromPartial({ id: { value: `agent-${i}` }, hostname: "h".repeat(i % 3) });

/** A registry as a crash would leave it, and where in its newest file each commit ends, with the state it made durable. */
async function write(directory: string, commits: number) {
  const registry = open(directory);
  await registry.recover(MASTER);
  for (let i = 0; i < commits; i++) await registry.apply({ kind: "admit-agent", agent: agent(i) });
  const name = (await readdir(directory))
    .filter((each) => each.endsWith(".segment"))
    .sort()
    .at(-1)!;
  const file = await readFile(join(directory, name));
  await registry.close();
  const states: { end: number; state: string }[] = [];
  for (let end = 0; end <= file.length; end++) {
    try {
      const read = readSegment(file.subarray(0, end));
      if (read.tornBytes === 0) states.push({ end, state: text(stateOf(read.facts)) });
    } catch {
      // Not even the snapshot is whole.
    }
  }
  return { name, file, states };
}

describe("embedded registry after a loss of power", function () {
  this.timeout(60_000);
  let root: string;
  let source: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "registry-power-"));
    source = join(root, "source");
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  let copies = 0;

  /** The state that a registry recovers from a copy whose newest file is this; undefined: it refuses, and leaves the files. */
  async function recovered(name: string, content: Buffer): Promise<string | undefined> {
    const directory = join(root, `copy-${++copies}`);
    await cp(source, directory, { recursive: true });
    await writeFile(join(directory, name), content);
    const registry = open(directory);
    try {
      return text(await registry.recover(MASTER));
    } catch (error) {
      expect(isTepuiError(error) && error.code, String(error)).to.equal("TEPUI_REGISTRY_UNREADABLE");
      expect(String(error)).to.contain(name);
      expect((await readFile(join(directory, name))).equals(content)).to.equal(true);
      return undefined;
    } finally {
      await registry.close();
      await rm(directory, { recursive: true });
    }
  }

  it("recovers what was durable wherever the file is cut off, or refuses", async () => {
    const { name, file, states } = await write(source, 7);
    expect(states.length).to.be.greaterThan(2);
    for (let cut = 0; cut < file.length; cut++) {
      const durable = states.findLast(({ end }) => end <= cut);
      expect(await recovered(name, file.subarray(0, cut)), `cut at ${cut}`).to.equal(durable?.state);
    }
  });

  it("refuses a file with any byte changed: snapshot, middle or end", async () => {
    const { name, file } = await write(source, 7);
    for (let offset = 0; offset < file.length; offset++) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(offset) ^ 0x10, offset);
      expect(await recovered(name, damaged), `byte ${offset}`).to.equal(undefined);
    }
  });

  it("does so in a large file, at random offsets", async () => {
    // A snapshot of many agents lets the file grow long.
    const { name, file, states } = await write(source, 400);
    expect(file.length).to.be.greaterThan(4096);
    const random = new SeededRandom(11);
    for (let i = 0; i < 60; i++) {
      const offset = Math.floor(random.next() * file.length);
      const durable = states.findLast(({ end }) => end <= offset);
      expect(await recovered(name, file.subarray(0, offset)), `cut at ${offset}`).to.equal(durable?.state);
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(offset) ^ (1 << (i % 8)), offset);
      expect(await recovered(name, damaged), `byte ${offset}`).to.equal(undefined);
    }
  });

  it("does not take an unfinished file for the newest", async () => {
    const { name, file, states } = await write(source, 7);
    const last = states.at(-1)!.state;
    // Written aside, and lost its power there: it does not count.
    await writeFile(join(source, "00000000000000009999.segment.tmp"), file.subarray(0, 50));
    expect(await recovered(name, file)).to.equal(last);
    // Under the name of a whole one, with the content that never reached the disk: a file system that does not keep the order.
    for (const content of [Buffer.alloc(0), Buffer.alloc(file.length), file.subarray(0, 50), file]) {
      expect(await recovered("00000000000000009999.segment", content)).to.equal(undefined);
    }
  });

  it("survives a file-by-file copy made while a writer appended and started new files", async () => {
    const registry = open(source);
    await registry.recover(MASTER);
    let admitted = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        await registry.apply({ kind: "admit-agent", agent: agent(admitted) });
        admitted++;
      }
    })();
    let sound = 0;
    for (let round = 0; round < 30 || sound === 0; round++) {
      const before = admitted;
      const copy = join(root, `tar-${round}`);
      // A copy that broke off, because a file had gone when its turn came, is none.
      const copied = await cp(source, copy, { recursive: true }).then(
        () => true,
        () => false,
      );
      const state = copied ? await recoveredCopy(copy) : undefined;
      if (state !== undefined) {
        sound++;
        const ids = new Set((state.slaves?.slaves ?? []).map(({ info }) => info?.id?.value));
        for (let i = 0; i < before; i++)
          expect(ids.has(`agent-${i}`), `agent-${i} of ${before}`).to.equal(true);
      }
    }
    writing = false;
    await writer;
    await registry.close();
  });

  async function recoveredCopy(directory: string): Promise<Registry | undefined> {
    const registry = open(directory);
    try {
      return await registry.recover(MASTER);
    } catch (error) {
      expect(isTepuiError(error) && error.code).to.equal("TEPUI_REGISTRY_UNREADABLE");
      return undefined;
    } finally {
      await registry.close();
    }
  }
});
