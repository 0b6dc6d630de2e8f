import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { EmbeddedRegistry } from "../../../plugins/embedded-registry/embedded-registry.js";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { RegistryMetrics } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { type RegistrySubject, registrySuite } from "../../../sdk/testing/registry-suite.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

const MASTER = { id: "m", capabilities: [] };
const agent = (id: string): AgentInfo => AgentInfo.fromPartial({ id: { value: id }, hostname: "h" });

function open(directory: string, compactionBytes?: number) {
  const clock = new VirtualClock();
  const metrics = new MetricsRegistry(clock);
  const logger = new MemoryLogger();
  const registry = new EmbeddedRegistry({
    directory,
    clock,
    logger,
    metrics: new RegistryMetrics(metrics),
    fetchTimeout: 60_000,
    storeTimeout: 20_000,
    ...(compactionBytes === undefined ? {} : { compactionBytes }),
  });
  return { registry, logger, metrics, clock };
}

async function newest(directory: string): Promise<string> {
  const segments = (await readdir(directory)).filter((name) => name.endsWith(".segment"));
  return segments.sort().at(-1)!;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return isTepuiError(error) ? error.code : String(error);
  }
}

describe("embedded registry", () => {
  let root: string;
  let directory: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "registry-test-"));
    directory = join(root, "registry");
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("acknowledges no write to a file that somebody has deleted", async () => {
    const { registry } = open(directory);
    await registry.recover(MASTER);
    expect(await registry.apply({ kind: "admit-agent", agent: agent("a") })).to.equal(true);
    await rm(directory, { recursive: true });
    const lost = registry.apply({ kind: "admit-agent", agent: agent("b") });
    expect(await codeOf(lost)).to.equal("TEPUI_REGISTRY_WRITE_FAILED");
    await registry.close();
  });

  it("warns that it does not read Mesos's replicated log when it starts next to one", async () => {
    await mkdir(join(root, "replicated_log"));
    for (const said of [1, 0]) {
      const { registry, logger } = open(directory);
      await registry.recover(MASTER);
      await registry.close();
      expect(
        logger.messages("warn").filter((text) => /replicated log is not read/.test(text)),
      ).to.have.length(said);
    }
  });

  it("that cannot be written is not reported as damaged, so that nobody moves it away", async () => {
    const { registry: first } = open(directory);
    await first.recover(MASTER);
    await first.close();
    // In the place of the file that it is about to write.
    await mkdir(join(directory, "00000000000000000002.segment.tmp"));
    const { registry } = open(directory);
    expect(await codeOf(registry.recover(MASTER))).to.equal("TEPUI_REGISTRY_WRITE_FAILED");
    await rm(join(directory, "00000000000000000002.segment.tmp"), { recursive: true });
    const { registry: again } = open(directory);
    await again.recover(MASTER);
    await again.close();
  });

  function subject(): RegistrySubject {
    const { registry } = open(directory);
    const close = () => registry.close();
    return {
      registry,
      close,
      reopen: async () => {
        await close();
        return subject();
      },
    };
  }

  for (const { name, run } of registrySuite(async () => subject())) it(name, run);

  it("writes all changes of one turn in one commit", async () => {
    const { registry, metrics } = open(directory);
    await registry.recover(MASTER);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => registry.apply({ kind: "admit-agent", agent: agent(`${i}`) })),
    );
    await registry.apply({ kind: "remove-agent", agentId: { value: "7" } });
    // The recovery stores who leads now; then come two commits.
    expect(metrics.snapshot().get("registrar/state_store_ms/count")).to.equal(3);
    expect(metrics.snapshot().get("registrar/queued_operations")).to.equal(0);
    await registry.close();
  });

  it("replaces a segment that has grown, and loses nothing by it", async () => {
    const { registry } = open(directory, 200);
    await registry.recover(MASTER);
    const ids = Array.from({ length: 40 }, (_, i) => `agent-${i}`);
    for (const id of ids) await registry.apply({ kind: "admit-agent", agent: agent(id) });
    const files = await readdir(directory);
    await registry.close();
    // The one that counts and the one before.
    expect(files.filter((name) => name.endsWith(".segment"))).to.have.length(2);
    expect(files[0]).to.not.match(/^0+1\.segment$/);
    const again = open(directory).registry;
    const state = await again.recover(MASTER);
    await again.close();
    expect(state.slaves?.slaves.map(({ info }) => info?.id?.value)).to.deep.equal(ids);
  });

  it("drops the torn end that a crash left, says so, and continues", async () => {
    const first = open(directory).registry;
    await first.recover(MASTER);
    await first.apply({ kind: "admit-agent", agent: agent("a") });
    await first.close();
    await appendFile(join(directory, await newest(directory)), Buffer.from([200, 0, 0, 0, 1, 2, 3]));
    await writeFile(join(directory, "00000000000000000099.segment.tmp"), "unfinished");

    const { registry, logger } = open(directory);
    await registry.recover(MASTER);
    await registry.apply({ kind: "admit-agent", agent: agent("b") });
    await registry.close();
    expect(logger.messages("warn")).to.have.length(1);
    expect(logger.lines[0]!.fields).to.include({ bytes: 7 });

    const last = open(directory).registry;
    const state = await last.recover(MASTER);
    await last.close();
    expect(state.slaves?.slaves.map(({ info }) => info?.id?.value)).to.deep.equal(["a", "b"]);
    expect(await readdir(directory)).to.not.include("00000000000000000099.segment.tmp");
  });

  it("refuses damage in the middle, naming file and offset, and leaves the file as it is", async () => {
    const first = open(directory).registry;
    await first.recover(MASTER);
    await first.apply({ kind: "admit-agent", agent: agent("a") });
    await first.apply({ kind: "admit-agent", agent: agent("b") });
    await first.close();
    const path = join(directory, await newest(directory));
    const bytes = await readFile(path);
    const place = bytes.indexOf("a", bytes.indexOf("TEPUIREG") + 40);
    bytes.writeUInt8(0xff, place);
    await writeFile(path, bytes);

    const { registry } = open(directory);
    let message = "";
    await registry.recover(MASTER).catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.contain(path).and.to.contain("damaged");
    expect((await readFile(path)).equals(bytes)).to.equal(true);
  });

  it("refuses a directory whose segments are missing, or a segment under the wrong name", async () => {
    const first = open(directory).registry;
    await first.recover(MASTER);
    await first.close();
    const segment = await newest(directory);
    const errorOf = () =>
      open(directory)
        .registry.recover(MASTER)
        .then(String, (error: Error) => error.message);
    await rename(join(directory, segment), join(directory, "00000000000000000007.segment"));
    expect(await errorOf()).to.contain(`it is the segment ${segment} under another name`);
    await rm(join(directory, "00000000000000000007.segment"));
    expect(await errorOf()).to.contain(`its newest file, ${segment} or a later one, is missing`);
  });

  it("does not begin where a restore did not come to its end", async () => {
    const restoring = `${directory}.restoring`;
    await mkdir(restoring);
    const refused = await open(directory).registry.recover(MASTER).catch(String);
    expect(refused).to.contain(`remove ${restoring} to begin with an empty registry`);
    await rm(restoring, { recursive: true });
    const { registry } = open(directory);
    await registry.recover(MASTER);
    await registry.close();
    // What has begun is not held up by it.
    await mkdir(restoring);
    const { registry: again } = open(directory);
    await again.recover(MASTER);
    await again.close();
  });

  it("keeps a second process, or a second registry, out of its directory", async () => {
    const first = open(directory).registry;
    await first.recover(MASTER);
    const second = open(directory).registry;
    expect(await codeOf(second.recover(MASTER))).to.equal("TEPUI_REGISTRY_UNREADABLE");
    await first.close();
    await second.recover(MASTER);
    await second.close();
  });

  it("accepts nothing before recovery or after close", async () => {
    const { registry } = open(directory);
    const operation = { kind: "admit-agent", agent: agent("a") } as const;
    expect(await codeOf(registry.apply(operation))).to.equal("TEPUI_REGISTRY_CLOSED");
    await registry.recover(MASTER);
    await registry.close();
    expect(await codeOf(registry.apply(operation))).to.equal("TEPUI_REGISTRY_CLOSED");
  });

  it("says why a directory cannot be used", async () => {
    await writeFile(directory, "a file");
    expect(await codeOf(open(directory).registry.recover(MASTER))).to.equal("TEPUI_REGISTRY_UNREADABLE");
  });

  it("gives up on a disk that does not answer in time", async () => {
    const { registry, clock } = open(directory);
    await mkdir(directory);
    // Reading it lasts until somebody writes.
    const silent = join(directory, "00000000000000000001.segment");
    execFileSync("mkfifo", [silent]);
    const outcome = registry.recover(MASTER).then(String, (error: Error) => error.message);
    // The timer is set at once; what opens the file is Node's own.
    await clock.advance(60_000);
    expect(await outcome).to.contain("no answer from the disk within 60000 ms");
    // Lets go who reads, if anybody came to it; open for both, it does not wait itself.
    closeSync(openSync(silent, "r+"));
  });

  it("acknowledges nothing after a failed write", async () => {
    const { registry, logger } = open(directory, 0);
    await registry.recover(MASTER);
    await rm(directory, { recursive: true });
    // Appending to a removed file works; replacing the segment, once it has grown, does not.
    const outcomes: string[] = [];
    for (let i = 0; i < 20; i++) {
      outcomes.push(await codeOf(registry.apply({ kind: "admit-agent", agent: agent(`${i}`) })));
    }
    const failure = outcomes.indexOf("TEPUI_REGISTRY_WRITE_FAILED");
    expect(failure).to.be.greaterThan(-1);
    expect(new Set(outcomes.slice(failure))).to.have.property("size", 1);
    expect(logger.messages("error")).to.have.length(1);
    await registry.close();
  });
});
