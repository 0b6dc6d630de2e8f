import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { WhitelistFile } from "../../../plugins/drf-allocator/whitelist-file.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

describe("the file of the whitelist", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tepui-whitelist-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is read at the start, and again when it has changed; a missing file changes nothing", async () => {
    const path = join(folder, "hosts");
    const clock = new VirtualClock();
    const seen: string[][] = [];
    let told: (() => void) | undefined;
    const file = new WhitelistFile({
      path: `file://${path}`,
      clock,
      logger: new MemoryLogger(),
      changed: (hostnames) => {
        seen.push([...hostnames]);
        told?.();
      },
    });
    writeFileSync(path, "a.example\n\n b.example \n");
    await file.start();
    expect(seen).to.deep.equal([["a.example", "b.example"]]);
    const again = new Promise<void>((resolve) => {
      told = resolve;
    });
    rmSync(path);
    await clock.advance(5000);
    writeFileSync(path, "");
    await clock.advance(5000);
    await again;
    file.stop();
    expect(seen).to.deep.equal([["a.example", "b.example"], []]);
    expect(clock.pendingTimers).to.equal(0);
  });
});
