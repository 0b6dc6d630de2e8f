// Our reader and writer against those of @bufbuild/protobuf, which know nothing of each other.
import { BinaryReader as OtherReader, BinaryWriter as OtherWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect } from "chai";
import fc from "fast-check";
import { BinaryReader, BinaryWriter } from "../../proto/wire/index.js";

type Value =
  | { readonly kind: "uint32" | "int32"; readonly value: number }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "uint64"; readonly value: bigint }
  | { readonly kind: "int64"; readonly value: bigint }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  | { readonly kind: "fork"; readonly values: readonly Value[] };

const bits64 = { min: 0n, max: 2n ** 64n - 1n };

const { values } = fc.letrec<{ value: Value; values: Value[] }>((tie) => ({
  values: fc.array(tie("value"), { maxLength: 12 }),
  value: fc.oneof(
    { depthSize: "small" },
    fc.nat({ max: 2 ** 32 - 1 }).map((value) => ({ kind: "uint32" as const, value })),
    fc.integer().map((value) => ({ kind: "int32" as const, value })),
    fc.double({ noNaN: true }).map((value) => ({ kind: "double" as const, value })),
    fc.bigInt(bits64).map((value) => ({ kind: "uint64" as const, value })),
    fc.bigInt(bits64).map((value) => ({ kind: "int64" as const, value: BigInt.asIntN(64, value) })),
    fc.constantFrom(0n, 1n, -1n, 127n, 128n, 2n ** 28n, 2n ** 32n, 2n ** 56n, -(2n ** 63n)).map((value) => ({
      kind: "int64" as const,
      value,
    })),
    fc.boolean().map((value) => ({ kind: "bool" as const, value })),
    fc.string({ unit: "grapheme", maxLength: 300 }).map((value) => ({ kind: "string" as const, value })),
    fc.string({ maxLength: 40 }).map((value) => ({ kind: "string" as const, value })),
    fc.uint8Array({ maxLength: 200 }).map((value) => ({ kind: "bytes" as const, value })),
    tie("values").map((inner) => ({ kind: "fork" as const, values: inner })),
  ),
}));

function write(writer: BinaryWriter | OtherWriter, list: readonly Value[]): void {
  for (const item of list) {
    if (item.kind === "fork") {
      writer.fork();
      write(writer, item.values);
      writer.join();
    } else if (item.kind === "uint64") writer.uint64(item.value);
    else if (item.kind === "int64") writer.int64(item.value);
    else if (item.kind === "bool") writer.bool(item.value);
    else if (item.kind === "string") writer.string(item.value);
    else if (item.kind === "bytes") writer.bytes(item.value);
    else if (item.kind === "double") writer.double(item.value);
    else writer[item.kind](item.value);
  }
}

function read(reader: BinaryReader | OtherReader, list: readonly Value[]): void {
  for (const item of list) {
    if (item.kind === "fork") {
      const end = reader.uint32() + reader.pos;
      read(reader, item.values);
      expect(reader.pos).to.equal(end);
    } else if (item.kind === "bytes") {
      expect(Buffer.from(reader.bytes()).equals(item.value)).to.equal(true);
    } else expect(reader[item.kind]()).to.equal(item.value);
  }
}

describe("wire format", () => {
  it("is written as others write it, and read back", () => {
    fc.assert(
      fc.property(values, (list) => {
        const ours = new BinaryWriter();
        const others = new OtherWriter();
        write(ours, list);
        write(others, list);
        const bytes = ours.finish();
        expect(bytes.equals(others.finish())).to.equal(true);
        read(new BinaryReader(bytes), list);
        read(new OtherReader(bytes), list);
      }),
    );
  });

  it("is read as others read it, or refused, whatever the bytes", () => {
    const kinds = ["uint32", "int32", "uint64", "int64", "bool", "double", "string", "bytes"] as const;
    const byte = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 24 }), fc.constantFrom(...kinds), (list, kind) => {
        const attempt = (reader: BinaryReader | OtherReader): unknown => {
          try {
            const value = reader[kind]();
            return [value instanceof Uint8Array ? [...value] : value, reader.pos];
          } catch {
            return "refused";
          }
        };
        const bytes = Uint8Array.from(list);
        const ours = attempt(new BinaryReader(bytes));
        const others = attempt(new OtherReader(bytes));
        expect(ours).to.deep.equal(others);
      }),
      { numRuns: 2000 },
    );
  });

  it("skips every wire type, and groups to their end", () => {
    const writer = new OtherWriter();
    writer.tag(1, WireType.Varint).int32(-1);
    writer.tag(2, WireType.Bit64).double(1);
    writer.tag(3, WireType.LengthDelimited).string("three");
    writer.tag(4, WireType.StartGroup).tag(1, WireType.Bit32).float(1).tag(4, WireType.EndGroup);
    const bytes = writer.finish();
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      reader.skip(tag & 7, tag >>> 3);
    }
    expect(reader.pos).to.equal(bytes.length);
    expect(() => new BinaryReader(Uint8Array.of(0x0c)).skip(3, 2)).to.throw("invalid tag");
    expect(() => new BinaryReader(new Uint8Array(300).fill(0x0b)).skip(3, 1)).to.throw("recursion limit");
    expect(() => new BinaryReader(Uint8Array.of(1)).skip(6, 1)).to.throw("wire type");
    expect(() => new BinaryReader(Uint8Array.of(1)).skip(1, 1)).to.throw("premature EOF");
  });

  it("keeps what was read apart from where it was read", () => {
    const source = Buffer.from([3, 1, 2, 3, 100, ...new Array<number>(100).fill(7)]);
    const reader = new BinaryReader(source);
    const few = reader.bytes();
    const many = reader.bytes();
    source.fill(0);
    expect([...few]).to.deep.equal([1, 2, 3]);
    expect(many.every((byte) => byte === 7)).to.equal(true);
  });

  it("writes several messages at a time, large ones, and again after one that failed", () => {
    const writers = [new BinaryWriter(), new BinaryWriter(), new BinaryWriter()];
    for (let i = 0; i < 3000; i++)
      for (const [index, writer] of writers.entries()) writer.string(`${index}-${i}`);
    for (const [index, writer] of writers.entries()) {
      const reader = new BinaryReader(writer.finish());
      for (let i = 0; i < 3000; i++) expect(reader.string()).to.equal(`${index}-${i}`);
      expect(reader.pos).to.equal(reader.len);
    }
    const failing = new BinaryWriter();
    expect(() => failing.fork().uint32(-1)).to.throw(RangeError);
    expect(() => failing.int32(2 ** 40)).to.throw(RangeError);
    expect(() => failing.uint64(-1n)).to.throw(RangeError);
    expect(() => failing.int64(2n ** 63n)).to.throw(RangeError);
    const large = new BinaryWriter().bytes(Buffer.alloc(3_000_000, "a")).finish();
    expect(new BinaryReader(large).bytes().length).to.equal(3_000_000);
    expect([...new BinaryWriter().uint32(300).finish()]).to.deep.equal([0xac, 0x02]);
  });
});
