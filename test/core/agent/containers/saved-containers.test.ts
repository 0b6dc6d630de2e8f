import { basename } from "node:path";
import { expect } from "chai";
import { SavedContainers } from "../../../../core/agent/containers/saved-containers.js";
import { REAL_FILES } from "../../../../core/agent/recovery/state-files.js";
import type { ContainerLaunch } from "../../../../sdk/contracts/agent-containers.js";
import { scalar } from "../support/agent-bench.js";

const LAUNCH: ContainerLaunch = {
  containerId: { value: "c1" },
  command: { value: "sleep 1000", uris: [], arguments: [] },
  container: undefined,
  resources: [scalar("cpus", 0.5)],
  limits: { mem: 64 },
  interactive: true,
};

const containers = new SavedContainers("/meta/containers");

/** What is read where the file has this content. */
const read = (content: Buffer) =>
  containers.read({
    ...REAL_FILES,
    readdir: async () => ["c1"],
    readFile: async () => content,
  });

describe("the records of containers", () => {
  const { path, data } = containers.save(LAUNCH) as { path: string; data: Uint8Array };
  const whole = Buffer.from(data);

  it("give back what was asked for", async () => {
    expect(basename(path)).to.equal("c1");
    const { launches, problems } = await read(whole);
    expect(problems).to.deep.equal([]);
    expect(launches[0]).to.deep.include({ limits: { mem: 64 }, interactive: true });
    expect(launches[0]!.command?.value).to.equal("sleep 1000");
  });

  it("are passed over and named with any byte changed, or cut off anywhere", async () => {
    const { launches } = await read(whole);
    let passedOver = 0;
    for (let at = 0; at < whole.length; at++) {
      const damaged = [1, 2, 4, 8, 16, 32, 64, 128, 255].map((change) => {
        const content = Buffer.from(whole);
        content[at]! ^= change;
        return content;
      });
      for (const content of [...damaged, whole.subarray(0, at)]) {
        const found = await read(content);
        passedOver += found.problems.length;
        if (found.problems.length > 0) expect(found.problems[0]).to.contain(path);
        // The name of the checksum may be another one.
        else expect(found.launches, `byte ${at}`).to.deep.equal(launches);
      }
    }
    expect(passedOver).to.be.greaterThan(10 * (whole.length - 10));
  });

  it("of earlier versions have no checksum", async () => {
    const { check: _, ...old } = JSON.parse(String(whole)) as Record<string, unknown>;
    expect((await read(Buffer.from(JSON.stringify(old)))).launches).to.have.length(1);
  });
});
