// Bytes from strangers: each either a message or a WireError, never anything else.
import { expect } from "chai";
import fc from "fast-check";
import { messageNames, WireError, wire } from "../../proto/json/index.js";

const call = wire("mesos.v1.scheduler.Call");

function refusal(hex: string): string {
  try {
    call.decode(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  } catch (error) {
    expect(error).to.be.instanceOf(WireError);
    return (error as WireError).message;
  }
  throw new Error("it was accepted");
}

describe("malformed bytes", () => {
  it("are refused: a field number of zero", () => {
    expect(refusal("00")).to.equal("Failed to parse mesos.v1.scheduler.Call: invalid tag 0");
    expect(refusal("10 06 05")).to.contain("invalid tag 5");
  });

  it("are refused: an end of a group that never began", () => {
    expect(refusal("10 06 0c")).to.contain("invalid tag 12");
  });

  it("are refused: a length beyond the end", () => {
    expect(refusal("0a 05 01")).to.contain("Failed to parse mesos.v1.scheduler.Call");
    expect(refusal("0a ff ff ff ff 0f")).to.contain("Failed to parse mesos.v1.scheduler.Call");
  });

  it("are refused: a varint without an end", () => {
    expect(refusal("10 80")).to.contain("premature EOF");
    expect(refusal("10 ffffffffffffffffffffff")).to.contain("Failed to parse");
  });

  it("are refused: a nested message whose fields pass its length", () => {
    // framework_id of two bytes, whose value claims three
    expect(refusal("0a 02 0a 03 616263")).to.contain("a nested message ends past its length");
  });

  it("are refused: required fields missing, each named", () => {
    expect(refusal("1a 02 0a 00")).to.equal(
      "Failed to parse mesos.v1.scheduler.Call: Missing required fields: subscribe.framework_info.user, subscribe.framework_info.name",
    );
  });

  it("are refused: nesting without end", () => {
    let bytes = Buffer.from("0a0163", "hex");
    for (let depth = 0; depth < 200; depth++) {
      const length = [];
      for (let rest = bytes.length; ; rest >>= 7) {
        length.push(rest > 127 ? (rest & 127) | 128 : rest);
        if (rest <= 127) break;
      }
      bytes = Buffer.concat([Buffer.from("0a0163", "hex"), Buffer.from([0x12, ...length]), bytes]);
    }
    expect(() => wire("mesos.v1.ContainerID").decode(bytes)).to.throw(WireError, "recursion limit");
  });

  it("may hold fields we do not know, which are skipped", () => {
    // number 1000: a varint, a string, a fixed 64, a fixed 32
    const unknown = "c03e 07 c23e 02 6869 c13e 0102030405060708 c53e 01020304";
    expect(call.decode(Buffer.from(`1006${unknown}`.replaceAll(" ", ""), "hex")).type).to.equal(6);
  });

  it("may hold a port range beyond what a number can hold: refused with a reason", () => {
    const ranges = wire("mesos.v1.Value.Range");
    expect(() => ranges.decode(Buffer.from("08ffffffffffffffffff011001", "hex"))).to.throw(
      WireError,
      "MAX_SAFE_INTEGER",
    );
  });

  it("of any kind give a message or a WireError", () => {
    const tried = fc.tuple(fc.constantFrom(...messageNames), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(tried, ([name, bytes]) => {
        try {
          wire(name).decode(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(WireError);
        }
      }),
      { numRuns: 3000, seed: 20_261_122 },
    );
  });
});
