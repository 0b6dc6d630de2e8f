import { expect } from "chai";
import fc from "fast-check";
import { encodeFrame } from "../../../plugins/embedded-registry/frame.js";
import { newSegment, readSegment } from "../../../plugins/embedded-registry/segment.js";
import { Registry } from "../../../proto/gen/mesos/internal/registry.js";
import type { RegistryOperation } from "../../../sdk/contracts/registry.js";
import {
  applyOperation,
  decodeRecords,
  emptyFacts,
  encodeRecords,
  type LogRecord,
  type RegistryFacts,
  stateOf,
} from "../../../sdk/registry/index.js";
import { anyOperation } from "../../sdk/registry/any-operation.js";

const text = (facts: RegistryFacts): string =>
  Buffer.from(Registry.encode(stateOf(facts)).finish()).toString("hex");

/** A segment with one frame for each commit, and for each frame: where it ends and the state after it. */
function write(commits: readonly (readonly RegistryOperation[])[]) {
  const facts = emptyFacts();
  let sequence = 41n;
  const parts = [newSegment(sequence, facts)];
  const states = [{ end: parts[0]!.length, state: text(facts) }];
  for (const operations of commits) {
    const frame = encodeFrame(++sequence, encodeRecords(operations));
    for (const operation of operations) applyOperation(facts, operation);
    parts.push(frame);
    states.push({ end: states.at(-1)!.end + frame.length, state: text(facts) });
  }
  return { file: Buffer.concat(parts), states };
}

const FORMAT_1 = "VEVQVUlSRUcBAAAADgAAAKRiiLoBAAAAAAAAAAEBAAAAABYAAAA8uM2UAgAAAAAAAAABAwgAAAAKAWgyAwoBYQ==";

const anyCommits = fc.array(fc.array(anyOperation, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 4,
});

describe("registry segment", () => {
  it("returns every commit", () => {
    fc.assert(
      fc.property(anyCommits, (commits) => {
        const { file, states } = write(commits);
        const read = readSegment(file);
        expect(text(read.facts)).to.equal(states.at(-1)!.state);
        expect(read.sequence).to.equal(41n + BigInt(commits.length));
        expect(read.tornBytes).to.equal(0);
      }),
    );
  });

  it("cut off at any byte, gives back exactly the whole commits before it", () => {
    fc.assert(
      fc.property(anyCommits, (commits) => {
        const { file, states } = write(commits);
        for (let cut = states[0]!.end; cut <= file.length; cut++) {
          const whole = states.findLast(({ end }) => end <= cut)!;
          const read = readSegment(file.subarray(0, cut));
          expect(text(read.facts)).to.equal(whole.state);
          expect(read.tornBytes).to.equal(cut - whole.end);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("whose last commit reached the disk only in part, with zeroes for the rest, gives back those before it", () => {
    fc.assert(
      fc.property(anyCommits, (commits) => {
        const { file, states } = write(commits);
        const before = states.at(-2)!;
        for (let kept = before.end; kept < file.length; kept = 512 * Math.floor(kept / 512 + 1)) {
          const torn = Buffer.alloc(file.length);
          file.copy(torn, 0, 0, kept);
          expect(text(readSegment(torn).facts)).to.equal(before.state);
        }
      }),
    );
  });

  it("with any byte changed before the last commit, is refused", () => {
    const agent = { id: { value: "a" }, resources: [], attributes: [] };
    const commits: RegistryOperation[][] = [
      [{ kind: "admit-agent", agent }],
      [{ kind: "mark-agent-unreachable", agentId: { value: "a" }, time: { nanoseconds: 1n } }],
      [{ kind: "mark-agent-reachable", agent }],
    ];
    const { file, states } = write(commits);
    for (let offset = 0; offset < states.at(-2)!.end; offset++) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(offset) ^ 0x41, offset);
      expect(() => readSegment(damaged), `byte ${offset}`).to.throw(/damaged|begin|format/);
    }
  });

  it("with any byte changed in the last commit, to zero too, is refused: no crash does that", () => {
    const agent = { id: { value: "a" }, resources: [], attributes: [] };
    const { file, states } = write([[{ kind: "admit-agent", agent }], [{ kind: "admit-agent", agent }]]);
    for (let offset = states.at(-2)!.end; offset < file.length; offset++) {
      for (let change = 1; change < 256; change++) {
        const damaged = Buffer.from(file);
        damaged.writeUInt8(damaged.readUInt8(offset) ^ change, offset);
        expect(() => readSegment(damaged), `byte ${offset} xor ${change}`).to.throw("the last commit");
      }
    }
  });

  it("whose last commit lacks any of its sectors, gives back those before it", () => {
    const long = { id: { value: "a" }, hostname: "h".repeat(3000), resources: [], attributes: [] };
    const { file, states } = write([[], [{ kind: "admit-agent", agent: long }]]);
    const before = states.at(-2)!;
    for (let sector = 0; sector * 512 < file.length; sector++) {
      const [start, end] = [Math.max(before.end, sector * 512), Math.min(file.length, sector * 512 + 512)];
      if (start >= end) continue;
      const torn = Buffer.from(file).fill(0, start, end);
      const read = readSegment(torn);
      expect(text(read.facts)).to.equal(before.state);
      expect(read.tornBytes).to.equal(file.length - before.end);
    }
  });

  it("of the format before is read", () => {
    // What the program before this one wrote: a snapshot and the admission of the agent 'a'.
    const old = Buffer.from(FORMAT_1, "base64");
    const { facts, sequence, tornBytes } = readSegment(old);
    expect([...facts.admitted.keys()]).to.deep.equal(["a"]);
    expect(sequence).to.equal(2n);
    expect(tornBytes).to.equal(0);
    expect(readSegment(old.subarray(0, -1)).facts.admitted.size).to.equal(0);
  });

  it("of a later format is refused", () => {
    const file = newSegment(1n, emptyFacts());
    file.writeUInt32LE(3, 8);
    expect(() => readSegment(file)).to.throw("it has format 3, this program reads formats 1 and 2");
  });

  it("names the missing commit", () => {
    const { file, states } = write([[], [], []]);
    const gap = Buffer.concat([file.subarray(0, states[1]!.end), file.subarray(states[2]!.end)]);
    expect(() => readSegment(gap)).to.throw("commit 43 is missing");
  });

  it("of a newer version is refused, not misread", () => {
    const [header, body] = encodeRecords([{ kind: "remove-agent", agentId: { value: "a" } }]);
    const newer = Buffer.from(header!);
    newer.writeUInt8(2, 0);
    const file = Buffer.concat([newSegment(1n, emptyFacts()), encodeFrame(2n, [newer, body!])]);
    expect(() => readSegment(file)).to.throw("version 2");
  });
});

describe("registry record", () => {
  it("survives writing and reading, of every kind", () => {
    const master: LogRecord = { kind: "master", master: { id: "m", capabilities: [] } };
    const snapshot: LogRecord = { kind: "snapshot", state: stateOf(emptyFacts()) };
    fc.assert(
      fc.property(fc.array(fc.oneof(anyOperation, fc.constant(master), fc.constant(snapshot))), (records) => {
        const payload = Buffer.concat(encodeRecords(records));
        const read = decodeRecords(payload);
        expect(read.map(({ kind }) => kind)).to.deep.equal(records.map(({ kind }) => kind));
        expect(Buffer.concat(encodeRecords(read)).equals(payload)).to.equal(true);
      }),
    );
  });
});
