import { expect } from "chai";
import { parseMasterAddress } from "../../../plugins/standalone-detector/master-address.js";
import {
  type Resolve,
  StandaloneDetector,
} from "../../../plugins/standalone-detector/standalone-detector.js";
import type { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

function detector(resolve: Resolve, host = "m1.example") {
  const clock = new VirtualClock();
  const logger = new MemoryLogger();
  const made = new StandaloneDetector({
    address: { host, port: 5050 },
    resolve,
    clock,
    random: new SeededRandom(1),
    logger,
  });
  return { clock, logger, detector: made };
}

describe("standalone detector", () => {
  it("reports the resolved master with the fields that Mesos fills in", async () => {
    const { detector: followed } = detector(async () => ["127.0.0.1"]);
    const seen: (MasterInfo | undefined)[] = [];
    followed.watch((leader) => seen.push(leader));
    await followed.start();
    expect(seen).to.have.length(2);
    expect(seen[0]).to.equal(undefined);
    expect(seen[1]).to.deep.include({
      pid: "master@127.0.0.1:5050",
      ip: 16777343,
      port: 5050,
      hostname: "m1.example",
      address: { hostname: "m1.example", ip: "127.0.0.1", port: 5050 },
    });
    expect(seen[1]!.id).to.match(/^master@127\.0\.0\.1:5050-[0-9a-f-]{36}$/);
  });

  it("tries again, ever more slowly, while the name cannot be resolved", async () => {
    let attempts = 0;
    const {
      detector: followed,
      clock,
      logger,
    } = detector(async () => {
      if (++attempts < 4) throw new Error("ENOTFOUND");
      return ["10.0.0.9"];
    });
    await followed.start();
    await clock.advance(1000);
    expect(attempts).to.equal(2);
    await clock.advance(2000);
    expect(attempts).to.equal(3);
    await clock.advance(4000);
    const pids: (string | undefined)[] = [];
    followed.watch((leader) => pids.push(leader?.pid));
    expect(pids).to.deep.equal(["master@10.0.0.9:5050"]);
    expect(logger.messages("warn")).to.have.length(3);
  });

  it("follows a master that is moved, once its name says so and not before", async () => {
    const answers: (string[] | undefined)[] = [
      ["10.0.0.1", "10.0.0.2"],
      ["10.0.0.2", "10.0.0.1"],
      undefined,
      undefined,
      ["10.0.0.3"],
    ];
    const made = detector(async () => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error("ENOTFOUND");
      return answer;
    });
    const pids: (string | undefined)[] = [];
    await made.detector.start();
    made.detector.watch((leader) => pids.push(leader?.pid));
    await made.clock.advance(62_999);
    expect(pids).to.deep.equal(["master@10.0.0.1:5050"]);
    expect(made.logger.messages("warn")).to.have.length(1);
    await made.clock.advance(1);
    expect(pids).to.deep.equal(["master@10.0.0.1:5050", "master@10.0.0.3:5050"]);
    made.detector.stop();
    expect(made.clock.pendingTimers).to.equal(0);
  });

  it("looks an address up only once", async () => {
    const { clock, detector: fixed } = detector(async (host) => [host], "10.0.0.1");
    await fixed.start();
    expect(clock.pendingTimers).to.equal(0);
  });

  it("gives up when stopped", async () => {
    const { detector: followed, clock } = detector(async () => {
      throw new Error("ENOTFOUND");
    });
    await followed.start();
    followed.stop();
    expect(clock.pendingTimers).to.equal(0);
  });

  it("takes no candidates", () => {
    const { detector: followed } = detector(async () => ["127.0.0.1"]);
    expect(() => followed.contend({ capabilities: [] }, { elected() {}, lost() {} }))
      .to.throw(TepuiError)
      .with.property("code", "TEPUI_ELECTION_DETECT_ONLY");
  });
});

describe("the text of --master", () => {
  for (const text of ["localhost:5050", "master@localhost:5050", " localhost:5050\n"]) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(parseMasterAddress(text)).to.deep.equal({ ok: true, value: { host: "localhost", port: 5050 } });
    });
  }

  const refused: [string, string][] = [
    ["zk://user:secret@z1:2181/mesos", "ZooKeeper"],
    ["http://localhost:5050", "URL"],
    ["localhost", "expected host:port"],
    ["localhost:0", "port"],
    ["localhost:99999", "port"],
    ["slave@localhost:5050", "expected host:port"],
    ["", "expected host:port"],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const parsed = parseMasterAddress(text);
      expect(parsed.ok).to.equal(false);
      expect(parsed.ok ? "" : parsed.error)
        .to.contain(why)
        .and.not.contain("secret");
    });
  }
});
