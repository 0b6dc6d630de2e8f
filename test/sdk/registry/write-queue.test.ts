import { expect } from "chai";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { type LogRecord, RegistryMetrics, WriteQueue } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

const record = (id: string): LogRecord => ({ kind: "remove-agent", agentId: { value: id } });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A queue whose writes end when the test says so. */
function setUp() {
  const clock = new VirtualClock();
  const logger = new MemoryLogger();
  const metrics = new MetricsRegistry(clock);
  const batches: (readonly LogRecord[])[] = [];
  const ends: ((error?: Error) => void)[] = [];
  let broken = 0;
  const queue = new WriteQueue({
    clock,
    logger,
    metrics: new RegistryMetrics(metrics),
    timeout: 20_000,
    by: "the store",
    place: "there",
    write: (records) =>
      new Promise((resolve, reject) => {
        batches.push(records);
        ends.push((error) => (error === undefined ? resolve() : reject(error)));
      }),
    broke: () => {
      broken++;
    },
  });
  const order: string[] = [];
  const add = (id: string | undefined): Promise<void> =>
    queue.add(id === undefined ? undefined : record(id)).then(
      () => void order.push(`${id} done`),
      (error: unknown) => void order.push(`${id} ${isTepuiError(error) ? error.code : String(error)}`),
    );
  const queued = () => metrics.snapshot().get("registrar/queued_operations");
  return { clock, logger, queue, batches, ends, order, add, queued, broken: () => broken };
}

describe("write queue", () => {
  it("combines what arrives in one turn into one write, and what arrives during it into the next", async () => {
    const { add, batches, ends, order, queue, queued } = setUp();
    void add("a");
    void add("b");
    await turn();
    expect(batches).to.deep.equal([[record("a"), record("b")]]);
    void add("c");
    void add(undefined);
    expect(queued()).to.equal(2);
    expect(order).to.deep.equal([]);
    ends[0]!();
    await turn();
    expect(order).to.deep.equal(["a done", "b done"]);
    expect(batches[1]).to.deep.equal([record("c")]);
    ends[1]!();
    await queue.settled();
    expect(order).to.deep.equal(["a done", "b done", "c done", "undefined done"]);
    expect(queue.idle).to.equal(true);
  });

  it("rejects all waiting and later changes after a failed write, until it is reset", async () => {
    const { add, batches, ends, order, queue, logger, broken } = setUp();
    void add("a");
    await turn();
    void add("b");
    ends[0]!(new Error("full"));
    await queue.settled();
    await add("c");
    const code = "TEPUI_REGISTRY_WRITE_FAILED";
    expect(order).to.deep.equal([`a ${code}`, `b ${code}`, `c ${code}`]);
    expect(queue.failure?.message).to.contain("there: full");
    expect(batches).to.have.length(1);
    expect(logger.messages("error")).to.have.length(1);
    expect(broken()).to.equal(1);
    queue.reset();
    void add("d");
    await turn();
    ends[1]!();
    await queue.settled();
    expect(order.at(-1)).to.equal("d done");
  });

  it("gives up on a write that exceeds its timeout", async () => {
    const { add, clock, order, queue, ends, broken } = setUp();
    void add("a");
    await turn();
    await clock.advance(19_999);
    expect(order).to.deep.equal([]);
    await clock.advance(1);
    await queue.settled();
    expect(order).to.deep.equal(["a TEPUI_REGISTRY_WRITE_FAILED"]);
    expect(queue.failure?.message).to.contain("no answer from the store within 20000 ms");
    expect(broken()).to.equal(1);
    // Its late end changes nothing.
    ends[0]!();
    await turn();
    expect(queue.failure).to.not.equal(undefined);
  });
});
