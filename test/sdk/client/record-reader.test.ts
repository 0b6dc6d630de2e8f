import { expect } from "chai";
import fc from "fast-check";
import { ProtocolError } from "../../../sdk/client/errors.js";
import { RecordReader } from "../../../sdk/client/record-reader.js";

const framed = (records: readonly Uint8Array[]): Buffer =>
  Buffer.concat(records.flatMap((record) => [Buffer.from(`${record.length}\n`), record]));

describe("RecordReader", () => {
  it("finds the same records wherever the stream is cut", () => {
    const records = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 });
    fc.assert(
      fc.property(records, fc.array(fc.nat(40)), (expected, cuts) => {
        const reader = new RecordReader();
        const found: Uint8Array[] = [];
        let rest = framed(expected);
        for (const cut of cuts) {
          found.push(...reader.push(rest.subarray(0, cut)));
          rest = rest.subarray(cut);
        }
        found.push(...reader.push(rest));
        expect(found.map((record) => Buffer.from(record).toString("hex"))).to.deep.equal(
          expected.map((record) => Buffer.from(record).toString("hex")),
        );
        expect(reader.atBoundary).to.equal(true);
      }),
    );
  });

  it("knows that the stream ended within a record", () => {
    const reader = new RecordReader();
    expect(reader.push(Buffer.from("5\nabc"))).to.deep.equal([]);
    expect(reader.atBoundary).to.equal(false);
    const header = new RecordReader();
    header.push(Buffer.from("12"));
    expect(header.atBoundary).to.equal(false);
  });

  for (const [what, text] of [
    ["letters", "<html>"],
    ["a sign", "-1\n"],
    ["an empty length", "\n"],
    ["a length without end", "1".repeat(40)],
    ["a record over the limit", "1001\n"],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => new RecordReader(1000).push(Buffer.from(text))).to.throw(ProtocolError);
    });
  }
});
