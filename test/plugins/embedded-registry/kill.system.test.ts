import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { openRegistry } from "./open-registry.js";

const WRITER = fileURLToPath(new URL("./registry-writer.js", import.meta.url));

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

describe("embedded registry under kill -9", function () {
  this.timeout(60_000);
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "registry-kill-"));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("forgets nothing that it acknowledged, kill after kill", async () => {
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
