import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { openRegistry } from "./open-registry.js";

const WRITER = fileURLToPath(new URL("./registry-writer.js", import.meta.url));

/** Lets a process admit agents, and hands over what it has acknowledged so far. Ends it when the work is done. */
async function whileWriting(
  directory: string,
  work: (acknowledged: readonly number[]) => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, [WRITER, directory, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const acknowledged: number[] = [];
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout })) acknowledged.push(Number(line));
  })();
  try {
    await work(acknowledged);
  } finally {
    child.kill("SIGKILL");
    await reading;
  }
}

/** Lets a process admit agents as fast as it can, and kills it after `count` acknowledgements. Returns what it acknowledged. */
async function writeAndKill(directory: string, options: { first: number; count: number }): Promise<number[]> {
  const child = spawn(process.execPath, [WRITER, directory, String(options.first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === options.count) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  expect(child.signalCode).to.equal("SIGKILL");
  return acknowledged;
}

describe("embedded registry in a plain copy", function () {
  this.timeout(60_000);
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "registry-tar-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("that tar made while another process wrote, has all that was acknowledged before, or is refused", async () => {
    const directory = join(root, "work", "registry");
    let sound = 0;
    await whileWriting(directory, async (acknowledged) => {
      for (let round = 0; round < 12 || sound === 0; round++) {
        const before = acknowledged.length;
        while (acknowledged.length < before + 20) await new Promise((resolve) => setImmediate(resolve));
        const expected = acknowledged.map((number) => `agent-${number}`);
        const copy = join(root, `copy-${round}`);
        await mkdir(copy);
        // It complains of files that change or go while it reads, and copies the others.
        spawnSync("sh", ["-c", `tar -C "${root}/work" -cf - registry | tar -C "${copy}" -xf -`], {
          stdio: "ignore",
        });
        const registry = openRegistry(join(copy, "registry"));
        try {
          const state = await registry.recover({ id: "m", capabilities: [] });
          const found = new Set(state.slaves?.slaves.map(({ info }) => info?.id?.value));
          expect(expected.filter((id) => !found.has(id))).to.deep.equal([]);
          sound++;
        } catch (error) {
          if (!isTepuiError(error)) throw error;
          expect(error.code).to.equal("TEPUI_REGISTRY_UNREADABLE");
        } finally {
          await registry.close();
        }
      }
    });
  });
});

describe("embedded registry under kill -9", function () {
  this.timeout(60_000);
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "registry-kill-"));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("loses nothing that it acknowledged, kill after kill", async () => {
    const random = new SeededRandom(7);
    const expected = new Set<string>();
    for (let round = 0; round < 8; round++) {
      const count = 1 + Math.floor(random.next() * 400);
      const acknowledged = await writeAndKill(directory, { first: round * 1_000_000, count });
      expect(acknowledged.length).to.be.at.least(count);
      for (const number of acknowledged) expected.add(`agent-${number}`);

      const registry = openRegistry(directory);
      const state = await registry.recover({ id: "m", capabilities: [] });
      await registry.close();
      const found = new Set(state.slaves?.slaves.map(({ info }) => info?.id?.value));
      expect([...expected].filter((id) => !found.has(id))).to.deep.equal([]);
    }
  });
});
