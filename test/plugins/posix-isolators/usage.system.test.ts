import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { cpuUsage, kernelUnits, memoryUsage } from "../../../plugins/posix-isolators/usage.js";
import { processTree } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";

describe("usage of a process tree", () => {
  const units = kernelUnits();
  let child: ChildProcess | undefined;

  afterEach(() => {
    if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    child = undefined;
  });

  it("counts time and memory of all of it, ended children included", async () => {
    // A child that works, then ends and is waited for; then another that stays.
    const work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
    child = spawn("sh", ["-c", `sh -c '${work}'; sleep 1000 & wait`], { detached: true, stdio: "ignore" });
    const pid = child.pid!;
    const sleeping = async (): Promise<boolean> => {
      const [, inner] = await processTree(pid);
      return inner !== undefined && (await readFile(`/proc/${inner.pid}/comm`, "utf8")) === "sleep\n";
    };
    await eventually(async () => ((await sleeping()) ? true : undefined));
    const { cpus_user_time_secs, cpus_system_time_secs } = await cpuUsage(pid, units);
    expect(cpus_user_time_secs! + cpus_system_time_secs!, "of the child that worked").to.be.greaterThan(0);
    const [whole, shell] = [await memoryUsage(pid, units), (await processTree(pid))[0]!];
    expect(Number(whole.mem_rss_bytes)).to.be.greaterThan(shell.residentPages * units.pageBytes);
  });

  it("of a process that is gone is nothing", async () => {
    expect(await memoryUsage(2 ** 22 + 1, units)).to.deep.equal({ mem_rss_bytes: 0n });
    expect(await cpuUsage(2 ** 22 + 1, units)).to.deep.equal({
      cpus_user_time_secs: 0,
      cpus_system_time_secs: 0,
    });
  });
});
