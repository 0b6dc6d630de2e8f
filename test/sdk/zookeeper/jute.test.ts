import { expect } from "chai";
import fc from "fast-check";
import { FrameReader } from "../../../sdk/zookeeper/frames.js";
import { JuteError, JuteReader, JuteWriter } from "../../../sdk/zookeeper/jute.js";
import {
  readConnectResponse,
  readMulti,
  readReplyHeader,
  readStat,
  readWatchEvent,
} from "../../../sdk/zookeeper/records.js";

const text = fc.string({ unit: "grapheme" });

describe("jute", () => {
  it("reads what it writes", () => {
    const record = fc.record({
      int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      bool: fc.boolean(),
      text,
      bytes: fc.option(fc.uint8Array(), { nil: undefined }),
      list: fc.array(text),
    });
    fc.assert(
      fc.property(record, (value) => {
        const writer = new JuteWriter().int(value.int).long(value.long).bool(value.bool).text(value.text);
        writer.buffer(value.bytes).list(value.list, (out, item) => out.text(item));
        const reader = new JuteReader(writer.bytes());
        expect([reader.int(), reader.long(), reader.bool(), reader.text()]).to.deep.equal([
          value.int,
          value.long,
          value.bool,
          value.text,
        ]);
        expect(reader.buffer()).to.deep.equal(value.bytes && Buffer.from(value.bytes));
        expect(reader.list((item) => item.text())).to.deep.equal(value.list);
        expect(reader.remaining).to.equal(0);
      }),
    );
  });

  it("throws a JuteError for any truncated or random record", () => {
    const readers = [readConnectResponse, readReplyHeader, readStat, readWatchEvent, readMulti] as const;
    const list = (reader: JuteReader) => reader.list((item) => item.text());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...readers, list), (bytes, read) => {
        try {
          read(new JuteReader(Buffer.from(bytes)));
        } catch (error) {
          expect(error).to.be.instanceOf(JuteError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("allocates no memory for an impossible list", () => {
    const wild = new JuteWriter().int(0x7fffffff).bytes();
    expect(() => new JuteReader(wild).list((item) => item.int())).to.throw(JuteError, "a list of 2147483647");
    expect(() => new JuteReader(Buffer.from([0, 0, 0, 1, 0xff])).text()).to.throw("not UTF-8");
  });
});

describe("frames", () => {
  it("are the same for any chunking of the bytes", () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 60 })), (sent, cuts) => {
        let rest = Buffer.concat(sent.map((body) => new JuteWriter().buffer(body).bytes()));
        const reader = new FrameReader();
        const received: Buffer[] = [];
        for (const cut of [...cuts, rest.length]) {
          if (rest.length > 0) received.push(...reader.push(rest.subarray(0, cut)));
          rest = rest.subarray(cut);
        }
        expect(received).to.deep.equal(sent.map((body) => Buffer.from(body)));
      }),
    );
  });

  it("of an impossible length are refused at once", () => {
    for (const length of [-1, 4 * 1024 * 1024 + 1, 0x48545450]) {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(length);
      expect(() => new FrameReader().push(bytes)).to.throw(JuteError, `a frame of ${length} bytes`);
    }
  });
});
