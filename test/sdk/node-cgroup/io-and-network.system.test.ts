import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { openCgroups } from "../../../sdk/node-cgroup/index.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { canMakeGroups, TestGroups } from "./test-groups.js";

const run = promisify(execFile);
const host = await openCgroups();

const MIB = 2 ** 20;

describe("I/O and network of a control group", () => {
  let directory: string;
  const undo: (() => Promise<unknown>)[] = [];

  before(function () {
    requireThat(this, canMakeGroups(host), "control groups need root");
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-io-"));
  });

  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    await rm(directory, { recursive: true });
  });

  it("count what was read from a device", async function () {
    requireThat(this, host.version("io") !== undefined, host.lack("io") ?? "");
    const losetup = requirePart(this, "losetup", "mount");
    const file = join(directory, "disk");
    await writeFile(file, "");
    await truncate(file, 4 * MIB);
    const device = (await run(losetup, ["--find", "--show", file])).stdout.trim();
    undo.push(() => run(losetup, ["--detach", device]));
    const groups = await TestGroups.open();
    undo.push(() => groups.close());
    const group = groups.make("io");
    const minor = (await stat(device)).rdev & 0xff;
    // Since Linux 6.10 v1 counts for devices that have a limit.
    const limits = join(host.mountPoint("io")!, group.path, "blkio.throttle.read_bps_device");
    if (host.version("io") === 1) await writeFile(limits, `7:${minor} ${1024 * MIB}`);
    expect(await groups.run(group, "cp", device, "/dev/null").ended).to.equal(0);
    const counted = group.io
      .stat()
      .throttling.find((each) => each.device?.major === 7 && each.device.minor === minor);
    const bytes = counted?.serviceBytes.find(({ operation }) => operation === "Read")?.value;
    // Some pages may have been read before, by those who look for partitions.
    expect(bytes).to.be.within(3 * MIB, 4 * MIB);
    expect(counted?.serviced.find(({ operation }) => operation === "Total")?.value).to.be.greaterThan(0);
  });

  if (host.version("memory") === 1)
    it("carry the class and the priority of network traffic, once mounted (v1)", async () => {
      const controllers = ["net_cls", "net_prio"] as const;
      for (const name of controllers) undo.push(() => run("umount", [join(directory, name)]));
      const own = await openCgroups({ hierarchy: directory, mount: controllers });
      expect(own.controllers).to.deep.equal(controllers);
      const root = `node-cgroup-test-${process.pid}`;
      undo.push(() => own.group(root, controllers).destroy());
      const group = own.group(`${root}/net`, controllers);
      group.create();
      group.netCls.setClassId(0x0010_0002);
      expect(group.netCls.classId()).to.equal(0x0010_0002);
      group.netPrio.setPriority("lo", 7);
      expect(group.netPrio.priorities()).to.include({ lo: 7 });
      expect(() => group.netPrio.setPriority("none", 7)).to.throw("cannot write");
    });
});
