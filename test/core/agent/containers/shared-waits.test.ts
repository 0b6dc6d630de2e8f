import { setMaxListeners } from "node:events";
import { expect } from "chai";
import { SharedWaits } from "../../../../core/agent/containers/shared-waits.js";

describe("waits for one thing", () => {
  it("begin once, end together, and begin anew after", async () => {
    const waits = new SharedWaits<number>();
    let begun = 0;
    let end = (_: number): void => undefined;
    const begin = (): Promise<number> => {
      begun++;
      return new Promise((resolve) => (end = resolve));
    };
    const all = [waits.join("c", begin), waits.join("c", begin)];
    end(7);
    expect(await Promise.all(all)).to.deep.equal([7, 7]);
    const next = waits.join("c", begin);
    end(8);
    expect([await next, begun]).to.deep.equal([8, 2]);
  });

  it("keep nothing of those who left", async () => {
    const waits = new SharedWaits<number>();
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    const never = (): Promise<number> => new Promise(() => undefined);
    const stays = waits.join("c", never);
    const leaves = Array.from({ length: 1000 }, () => waits.join("c", never, leaving.signal));
    const codes = Promise.all(leaves.map((one) => one.catch((error: { code: string }) => error.code)));
    expect(waits.count("c")).to.equal(1001);
    leaving.abort();
    expect(new Set(await codes)).to.deep.equal(new Set(["TEPUI_CLIENT_GONE"]));
    expect(waits.count("c")).to.equal(1);
    const late = await waits.join("c", never, leaving.signal).catch((error: { code: string }) => error.code);
    expect(late).to.equal("TEPUI_CLIENT_GONE");
    void stays;
  });

  it("fail together", async () => {
    const waits = new SharedWaits<number>();
    const failed = waits
      .join("c", () => Promise.reject(new Error("lost")))
      .catch(({ message }: Error) => message);
    expect(await failed).to.equal("lost");
    expect(await waits.join("c", () => undefined)).to.equal(undefined);
  });
});
