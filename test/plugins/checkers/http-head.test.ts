import { expect } from "chai";
import fc from "fast-check";
import { readHead } from "../../../plugins/checkers/http-head.js";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

describe("The head of an answer", () => {
  it("is known with its first line, and of a redirection when it is whole", () => {
    expect(readHead("HTTP/1.1 204 No Content\r\n")).to.deep.include({ status: 204, location: undefined });
    expect(readHead("HTTP/1.1 302 Found\r\nLocation: /a\r\n")).to.equal(undefined);
    const found = readHead("HTTP/1.1 302 Found\r\nserver: s\r\nLOCATION:  /a \r\n\r\nlocation: /b");
    expect(found).to.deep.include({ status: 302, location: "/a" });
    expect(readHead("HTTP/1.1 301 Gone\n\nlocation: /b")).to.deep.include({
      status: 301,
      location: undefined,
    });
  });

  it("comes after any number of others that are none yet, within what an answer may take", () => {
    expect(readHead(`${CONTINUE.repeat(2000)}HTTP/1.0 503 No\r\n`)).to.deep.include({ status: 503 });
    expect(readHead(CONTINUE.repeat(100))).to.equal(undefined);
    const slow = `HTTP/1.1 103 Early Hints\r\nx: ${"y".repeat(30_000)}\r\n\r\n`;
    for (const endless of [CONTINUE.repeat(100_000), slow.repeat(3), `HTTP/1.1 100 ${"x".repeat(70_000)}`])
      expect(() => readHead(endless)).to.throw("the answer is not HTTP");
  });

  it("is none of HTTP where it begins with anything else", () => {
    for (const other of [
      "SSH-2.0-x\r\n",
      "hello",
      "\n",
      "HTTP/1.1 99\n",
      "HTTP/1.1 000 x\n",
      "http/1.1 200 ok\n",
      "<html>\n",
    ])
      expect(() => readHead(other), other).to.throw("the answer is not HTTP");
    expect(readHead("HTT")).to.equal(undefined);
  });

  it("is read or refused, whatever comes, and no sooner refused in parts", () => {
    const part = fc.constantFrom(
      "HTTP/1.1 ",
      "100",
      "200",
      "302",
      " x",
      "\r\n",
      "\n",
      "location: /a",
      "é",
      "\0",
      "a",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), fc.nat(), (parts, cut) => {
        const text = parts.join("");
        const outcome = (of: string): unknown => {
          try {
            return readHead(of);
          } catch (error) {
            return (error as Error).message;
          }
        };
        const early = outcome(text.slice(0, cut % (text.length + 1)));
        if (early !== undefined) expect(outcome(text)).to.deep.equal(early);
      }),
    );
  });
});
