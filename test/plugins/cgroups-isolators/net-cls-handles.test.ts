import { expect } from "chai";
import fc from "fast-check";
import {
  NetClsHandles,
  parseHandle,
  parseHandleRange,
} from "../../../plugins/cgroups-isolators/net-cls-handles.js";

describe("handles of net_cls", () => {
  it("are the lowest free ones of the range, below the primary handle", () => {
    const handles = new NetClsHandles(0x12, { lower: 3, upper: 4 });
    expect([handles.allocate(), handles.allocate(), handles.allocate()]).to.deep.equal([
      0x12_0003,
      0x12_0004,
      undefined,
    ]);
    handles.free(0x12_0003);
    expect(handles.allocate()).to.equal(0x12_0003);
  });

  it("fit into 32 bits, and never end in 0", () => {
    expect(new NetClsHandles(0xffff).allocate()).to.equal(0xffff_0001);
    const last = new NetClsHandles(0xffff, { lower: 0xffff, upper: 0xffff });
    expect([last.allocate(), last.allocate()]).to.deep.equal([0xffff_ffff, undefined]);
  });

  it("are reserved once, and only their own", () => {
    const handles = new NetClsHandles(1, { lower: 1, upper: 2 });
    expect(handles.reserve(0x1_0001)).to.equal(true);
    expect(handles.reserve(0x1_0001)).to.equal(false);
    expect(handles.reserve(0x2_0002), "another primary").to.equal(false);
    expect(handles.reserve(0x1_0003), "outside of the range").to.equal(false);
    handles.free(0x2_0002);
    expect([handles.allocate(), handles.allocate()]).to.deep.equal([0x1_0002, undefined]);
  });

  it("are never given to two", () => {
    const step = fc.oneof(fc.constant("allocate" as const), fc.nat(9));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const handles = new NetClsHandles(7, { lower: 1, upper: 6 });
        const held: number[] = [];
        for (const each of steps) {
          if (each !== "allocate") {
            const [freed] = held.splice(each % Math.max(held.length, 1), 1);
            if (freed !== undefined) handles.free(freed);
            continue;
          }
          const got = handles.allocate();
          expect(got === undefined, "none is left exactly when all are held").to.equal(held.length === 6);
          if (got === undefined) continue;
          expect(held).to.not.include(got);
          held.push(got);
        }
      }),
    );
  });

  it("are read in decimal and hexadecimal", () => {
    expect(parseHandle("0x0012")).to.equal(18);
    expect(parseHandle("65535")).to.equal(65_535);
    for (const text of ["65536", "0x12345", "x", "", "-1", "1.5"])
      expect(parseHandle(text), text).to.equal(undefined);
    expect(parseHandleRange("0x1,0xffff")).to.deep.equal({ lower: 1, upper: 65_535 });
    for (const text of ["0,1", "2,1", "1", "1,2,3", "a,b"])
      expect(parseHandleRange(text), text).to.equal(undefined);
  });
});
