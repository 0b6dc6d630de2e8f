import { expect } from "chai";
import fc from "fast-check";
import { encodeRecord, RecordDecoder, RecordError } from "../../../sdk/recordio/index.js";

describe("RecordIO", () => {
  it("writes the length in decimal, a newline, the bytes", () => {
    expect(encodeRecord(Buffer.from('{"type":"HEARTBEAT"}')).toString()).to.equal('20\n{"type":"HEARTBEAT"}');
    expect(encodeRecord(new Uint8Array()).toString()).to.equal("0\n");
  });

  it("gives back the records wherever the stream is cut", () => {
    const records = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 });
    fc.assert(
      fc.property(records, fc.array(fc.nat(300), { maxLength: 10 }), (all, places) => {
        const stream = Buffer.concat(all.map(encodeRecord));
        const cuts = [
          ...places.filter((place) => place < stream.length).sort((a, b) => a - b),
          stream.length,
        ];
        const decoder = new RecordDecoder();
        let at = 0;
        const seen = cuts.flatMap((cut) => {
          const part = decoder.push(stream.subarray(at, cut));
          at = cut;
          return part;
        });
        expect(decoder.atBoundary).to.equal(true);
        expect(seen.map((record) => [...record])).to.deep.equal(all.map((record) => [...record]));
      }),
    );
  });

  it("knows when the stream was cut off", () => {
    for (const begun of ["1", "12", "3\n", "3\nab"]) {
      const decoder = new RecordDecoder();
      expect(decoder.push(Buffer.from(begun))).to.deep.equal([]);
      expect(decoder.atBoundary, JSON.stringify(begun)).to.equal(false);
    }
  });

  it("refuses what is no length and what is over the limit", () => {
    for (const bad of ["x", "\n", "-1\n", "1 \n", "1\r\n", "101\n", "9".repeat(30)]) {
      expect(() => new RecordDecoder(100).push(Buffer.from(bad)), JSON.stringify(bad)).to.throw(RecordError);
    }
    expect(new RecordDecoder(100).push(Buffer.from(`100\n${"x".repeat(100)}`)).length).to.equal(1);
  });
});
