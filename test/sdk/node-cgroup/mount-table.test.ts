import { expect } from "chai";
import { parseCgroupMounts, parseKernelControllers } from "../../../sdk/node-cgroup/mount-table.js";

const lines = (...text: string[]): string => `${text.join("\n")}\n`;

describe("cgroup mounts in mountinfo", () => {
  it("are v1, alone or joined, with their controllers", () => {
    const text = lines(
      "25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
      "31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755",
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct",
      "33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset,noprefix,clone_children",
      "34 31 0:31 /docker/7f /sys/fs/cgroup/memory rw,relatime shared:10 master:3 - cgroup cgroup rw,memory",
      "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/systemd/agent,name=systemd",
    );
    expect(parseCgroupMounts(text)).to.deep.equal([
      { version: 1, mountPoint: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu", "cpuacct"] },
      { version: 1, mountPoint: "/sys/fs/cgroup/cpuset", controllers: ["cpuset"] },
      { version: 1, mountPoint: "/sys/fs/cgroup/memory", controllers: ["memory"] },
      { version: 1, mountPoint: "/sys/fs/cgroup/systemd", controllers: [] },
    ]);
  });

  it("are v2, which says elsewhere what it has", () => {
    const text = lines(
      "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot",
    );
    expect(parseCgroupMounts(text)).to.deep.equal([
      { version: 2, mountPoint: "/sys/fs/cgroup", controllers: [] },
    ]);
  });

  it("have spaces where the table has escapes", () => {
    const text = lines("29 23 0:26 / /mnt/my\\040groups\\134x rw - cgroup2 none rw");
    expect(parseCgroupMounts(text)[0]?.mountPoint).to.equal("/mnt/my groups\\x");
  });

  it("do not count when a later mount hides them", () => {
    const text = lines(
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
      "33 31 0:30 / /sys/fs/cgrouped rw - cgroup cgroup rw,pids",
      "34 31 0:31 / /sys/fs/cgroup rw - tmpfs tmpfs rw",
      "35 34 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
    );
    expect(parseCgroupMounts(text).map(({ controllers }) => controllers)).to.deep.equal([
      ["pids"],
      ["memory"],
    ]);
  });

  it("are none in text of another form", () => {
    expect(parseCgroupMounts("")).to.deep.equal([]);
    expect(parseCgroupMounts("what is this\n - \n1 2 3 - cgroup\n")).to.deep.equal([]);
  });
});

describe("controllers of the kernel", () => {
  it("are on or off", () => {
    const text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t0\t1\t0\n";
    expect([...parseKernelControllers(text)]).to.deep.equal([
      ["cpu", true],
      ["memory", false],
    ]);
  });
});
