import { expect } from "chai";
import fc from "fast-check";
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from "../../../sdk/container-streams/frames.js";

describe("frames of a switchboard", () => {
  const frames = fc.array(
    fc.record({
      type: fc.constantFrom(..."OIAB12ESCdew"),
      content: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    }),
    { maxLength: 20 },
  );

  it("come out as they went in, wherever the stream is cut", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Buffer.concat(sent.map(({ type, content }) => encodeFrame(type, content)));
        const decoder = new FrameDecoder();
        const received = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!;
          received.push(...decoder.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(received).to.deep.equal(sent);
      }),
    );
  });

  it("are a letter, the length with the most significant byte first, and the content", () => {
    expect(encodeFrame("d", Buffer.from("ab")).toString("latin1")).to.equal("d\0\0\0\u0002ab");
    expect(encodeFrame("E")).to.deep.equal(Buffer.from("E\0\0\0\0"));
  });

  it("longer than any is end the stream", () => {
    const decoder = new FrameDecoder();
    const header = Buffer.from([0x64, 0, 1, 0, 1]);
    expect(header.readUInt32BE(1)).to.equal(MAX_FRAME_BYTES + 1);
    expect(() => decoder.push(header)).to.throw("a frame of 65537 bytes");
  });
});
