import { expect } from "chai";
import { OomSweep } from "../../../plugins/cgroups-isolators/oom-sweep.js";
import type { Cgroup } from "../../../sdk/node-cgroup/index.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

describe("the sweep over groups without events", () => {
  const clock = () => new VirtualClock();
  const group = () => {
    const state = { kills: 0, looked: 0, gone: false };
    const memory = {
      oomKills: () => {
        state.looked++;
        if (state.gone) throw new Error("gone");
        return state.kills;
      },
    };
    return Object.assign(state, { memory } as unknown as Pick<Cgroup, "memory">);
  };

  it("finds what was killed, within a second, with one timer for all", async () => {
    const time = clock();
    const sweep = new OomSweep(time);
    const [calm, unlucky] = [group(), group()];
    const ending = new AbortController();
    const waits = [calm, unlucky].map((each) => sweep.wait(each, ending.signal));
    unlucky.kills = 1;
    await time.advance(1000);
    await waits[1];
    expect(calm.looked).to.equal(1);
    const reason = new Error("ended");
    ending.abort(reason);
    expect(await waits[0]!.catch((error) => error)).to.equal(reason);
    await time.advance(10_000);
    expect(calm.looked, "nobody waits any more").to.equal(1);
  });

  it("gives up on a group that is gone", async () => {
    const time = clock();
    const sweep = new OomSweep(time);
    const lost = group();
    lost.gone = true;
    const wait = sweep.wait(lost, new AbortController().signal).catch((error) => error.message);
    await time.advance(1000);
    expect(await wait).to.equal("gone");
  });
});
