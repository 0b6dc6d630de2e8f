import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { CgroupError, openCgroups } from "../../../sdk/node-cgroup/index.js";
import { eventually, PATIENCE } from "../../support/eventually.js";
import { requireThat } from "../../support/require-part.js";
import { canMakeGroups, TestGroups } from "./test-groups.js";

const host = await openCgroups();

/** Forks for ever, each child in a session of its own, up to the group's limit. */
const FORK_BOMB = [
  "perl",
  "-MPOSIX=setsid",
  "-e",
  "while (1) { my $pid = fork; setsid() if defined $pid && !$pid; select(undef, undef, undef, 0.01) unless defined $pid }",
];

describe("the life of a control group", function () {
  this.timeout(60_000 * PATIENCE);
  let groups: TestGroups;

  before(function () {
    requireThat(this, canMakeGroups(host), "control groups need root");
  });

  beforeEach(async () => {
    groups = await TestGroups.open();
  });

  afterEach(() => groups.close());

  it("begins and ends with all its directories, and may do so twice", async () => {
    const group = host.group(`${groups.root}/a/b`, host.controllers);
    expect(group.exists()).to.equal(false);
    expect(group.processes()).to.deep.equal([]);
    for (const _ of [1, 2]) {
      group.create();
      group.create();
      expect(group.exists()).to.equal(true);
      const process = groups.run(group, "sleep", "1000");
      expect(group.processes()).to.deep.equal([process.pid]);
      await group.kill();
      await group.destroy();
      await group.destroy();
      expect(group.exists()).to.equal(false);
      await host.group(`${groups.root}/a`, host.controllers).destroy();
    }
  });

  it("is listed with those below, for those who look for what was left", async () => {
    for (const path of ["a", "a/mesos/b", "c"])
      host.group(`${groups.root}/${path}`, path === "c" ? ["memory"] : ["cpu", "freezer"]).create();
    const named = (names: readonly string[]): string[] => names.map((name) => `${groups.root}/${name}`);
    expect(host.list(groups.root)).to.deep.equal(named(["a", "a/mesos", "a/mesos/b", "c"]));
    expect(host.list(groups.root, { depth: 1 })).to.deep.equal(named(["a", "c"]));
    expect(host.list(`${groups.root}/none`)).to.deep.equal([]);
  });

  it("stands still while it is frozen", async () => {
    const group = groups.make("cpuacct");
    groups.run(group, "sh", "-c", "while :; do :; done");
    const used = (): number => group.cpuacct.usage().userSeconds + group.cpuacct.usage().systemSeconds;
    await eventually(() => used() > 0 || undefined);
    await group.freeze();
    const before = used();
    await sleep(100);
    expect(used()).to.equal(before);
    await group.thaw();
    await eventually(() => used() > before || undefined);
  });

  it("leaves no process of a fork bomb", async () => {
    for (let round = 1; round <= 3; round += 1) {
      const group = groups.make("pids");
      group.pids.setLimit(300);
      groups.run(group, ...FORK_BOMB);
      await eventually(() => group.pids.refusals() > 0 || undefined, 30_000);
      await group.kill();
      expect(group.processes({ below: true })).to.deep.equal([]);
      await group.destroy();
      expect(group.exists()).to.equal(false);
    }
  });

  it("leaves no process of groups below, frozen or not", async () => {
    const group = groups.make();
    const below = host.group(`${group.path}/x/y`, ["freezer"]);
    below.create();
    const pids = [group, below].map((each) => groups.run(each, "sleep", "1000").pid);
    expect(group.processes()).to.deep.equal(pids.slice(0, 1));
    expect(group.processes({ below: true })).to.have.members(pids);
    await below.freeze();
    await group.kill();
    expect(group.processes({ below: true })).to.deep.equal([]);
    await group.destroy();
    expect(below.exists()).to.equal(false);
  });

  it("is not ended while processes are in it", async () => {
    const group = groups.make();
    const { pid } = groups.run(group, "sleep", "1000");
    const error = await group.destroy({ timeoutMs: 20 }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(CgroupError).with.property("errno", "EBUSY");
    expect(String(error)).to.contain(`(${pid})`);
    await group.kill();
    await group.destroy();
  });

  it("is waited for until its processes have ended", async () => {
    const group = groups.make("cpu", "memory");
    const process = groups.run(group, "cat");
    const destroyed = group.destroy();
    await process.end();
    await destroyed;
    expect(group.exists()).to.equal(false);
  });

  it("asks nothing of a group that is gone", async () => {
    const group = host.group(`${groups.root}/none`, host.controllers);
    await group.kill();
    await group.thaw();
    await group.destroy();
    expect(() => group.add(process.pid))
      .to.throw(CgroupError)
      .with.property("errno", "ENOENT");
    expect(await group.freeze().catch((reason: unknown) => reason)).to.be.instanceOf(CgroupError);
  });

  it("is neither stopped nor ended by a process in it", async () => {
    const group = groups.make();
    const script = `
      const { openCgroups } = await import(process.argv[1]);
      const group = (await openCgroups()).group(process.argv[2], ["freezer"]);
      for (const attempt of ["freeze", "kill"]) await group[attempt]().catch((error) => console.log(error.errno));`;
    const module = new URL("../../../sdk/node-cgroup/index.js", import.meta.url).href;
    const inside = groups.run(
      group,
      process.execPath,
      "--input-type=module",
      "-e",
      script,
      module,
      group.path,
    );
    expect([await inside.line(), await inside.line()]).to.deep.equal(["EDEADLK", "EDEADLK"]);
    expect(await inside.ended).to.equal(0);
  });

  it("begins anew where somebody removed what was above it", async () => {
    const group = host.group(`${groups.root}/p/q`, host.controllers);
    group.create();
    await host.group(`${groups.root}/p`, host.controllers).destroy();
    group.create();
    const process = groups.run(group, "sleep", "1000");
    expect(group.processes()).to.deep.equal([process.pid]);
  });

  if (host.version("memory") === 2)
    it("says what is in the way of limits below: processes in a group that is to have groups (v2)", () => {
      const above = groups.make("memory");
      const process = groups.gate(above, "cat");
      host.group(`${above.path}/leaf`, ["freezer"]);
      const below = host.group(`${above.path}/leaf/below`, ["memory"]);
      expect(process.pid).to.be.greaterThan(0);
      expect(() => below.create())
        .to.throw(CgroupError, `processes of ${above.path}/leaf are in the way`)
        .with.property("errno", "EBUSY");
    });
});
