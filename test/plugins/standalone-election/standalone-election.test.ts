import { expect } from "chai";
import { StandaloneElection } from "../../../plugins/standalone-election/standalone-election.js";
import { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";

const master = (id: string): MasterInfo => MasterInfo.fromPartial({ id, pid: `master@127.0.0.1:${id}` });

/** A candidate that writes down what it is told. */
function candidate(log: string[], name: string) {
  return {
    elected: () => log.push(`${name} elected`),
    lost: (why: string) => log.push(`${name} lost: ${why}`),
  };
}

describe("standalone election", () => {
  it("elects the only candidate at once, after contend has returned", async () => {
    const log: string[] = [];
    const election = new StandaloneElection();
    election.watch((leader) => log.push(`leader ${leader?.id ?? "none"}`));
    election.contend(master("5050"), candidate(log, "a"));
    expect(log).to.deep.equal(["leader none"]);
    await Promise.resolve();
    expect(log).to.deep.equal(["leader none", "leader 5050", "a elected"]);
  });

  it("reports no leader after the withdrawal, and withdraws only once", async () => {
    const log: string[] = [];
    const election = new StandaloneElection();
    const withdraw = election.contend(master("5050"), candidate(log, "a"));
    await Promise.resolve();
    election.watch((leader) => log.push(`leader ${leader?.id ?? "none"}`));
    await withdraw();
    await withdraw();
    expect(log).to.deep.equal(["a elected", "leader 5050", "leader none"]);
  });

  it("never elects a candidate that withdrew first", async () => {
    const log: string[] = [];
    const election = new StandaloneElection();
    await election.contend(master("5050"), candidate(log, "a"))();
    await Promise.resolve();
    expect(log).to.deep.equal([]);
  });

  it("tells a replaced leader that it lost; its late withdrawal changes nothing", async () => {
    const log: string[] = [];
    const election = new StandaloneElection();
    const withdraw = election.contend(master("1"), candidate(log, "a"));
    await Promise.resolve();
    election.contend(master("2"), candidate(log, "b"));
    await Promise.resolve();
    await withdraw();
    election.watch((leader) => log.push(`leader ${leader?.id ?? "none"}`));
    expect(log).to.deep.equal(["a elected", "a lost: another candidate took over", "b elected", "leader 2"]);
  });

  it("stops notifying a watcher that has left", async () => {
    const seen: (string | undefined)[] = [];
    const election = new StandaloneElection();
    const leave = election.watch((leader) => seen.push(leader?.id));
    leave();
    election.contend(master("5050"), candidate([], "a"));
    await Promise.resolve();
    expect(seen).to.deep.equal([undefined]);
  });
});
