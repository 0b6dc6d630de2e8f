import { type ChildProcess, spawn } from "node:child_process";
import { userInfo } from "node:os";
import { expect } from "chai";
import { accountOf, isAlive, isOwnUser, processTree, readProcessStat } from "../../../sdk/proc/index.js";
import { parseProcessStat } from "../../../sdk/proc/process-stat.js";
import { eventually } from "../../support/eventually.js";

describe("/proc", () => {
  let child: ChildProcess | undefined;

  afterEach(() => {
    if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    child = undefined;
  });

  it("tells of this process", () => {
    const stat = readProcessStat(process.pid)!;
    expect(stat).to.deep.include({ pid: process.pid, parent: process.ppid });
    expect(stat.residentPages).to.be.greaterThan(0);
  });

  it("is read right whatever a process calls itself", () => {
    const fields = Array.from({ length: 50 }, (_, i) => i + 2);
    const stat = parseProcessStat(`7 (a) Z 1 (b ) R ${fields.join(" ")}`)!;
    expect(stat).to.deep.include({ pid: 7, state: "R", parent: 2, group: 3, session: 4, startTicks: 20 });
    expect(parseProcessStat("")).to.equal(undefined);
    expect(parseProcessStat("7 (short) R 1")).to.equal(undefined);
  });

  it("knows nothing of a process that is gone", () => {
    expect(readProcessStat(2 ** 22 + 1)).to.equal(undefined);
    expect(isAlive(undefined)).to.equal(false);
  });

  it("gives a tree, parents first, and with groups and sessions also what left it", async () => {
    // The inner shell ends, so its child is nobody's descendant any more, but still of the group.
    child = spawn("sh", ["-c", "sh -c 'sleep 1000 & echo' & sleep 1000"], {
      detached: true,
      stdio: "ignore",
    });
    const pid = child.pid!;
    const tree = await eventually(async () => {
      const whole = await processTree(pid, { groupsAndSessions: true });
      return whole.length === 3 && (await processTree(pid)).length === 2 ? whole : undefined;
    });
    expect(tree[0]!.pid).to.equal(pid);
    expect(tree.every(({ group }) => group === pid)).to.equal(true);
  });

  it("is not needed to know who one is", async () => {
    const own = userInfo();
    expect(isOwnUser(own.username) && isOwnUser(String(own.uid))).to.equal(true);
    expect(await accountOf(own.username)).to.deep.equal({ uid: own.uid, gid: own.gid });
    for (const nobody of ["no-such-user", "", "--help"])
      expect(await accountOf(nobody), nobody).to.equal(undefined);
  });
});
