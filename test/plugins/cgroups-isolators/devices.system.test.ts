import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import { CgroupsBench, requireCgroups } from "./support.js";

describe("cgroups/devices", () => {
  let bench: CgroupsBench;

  before(async function () {
    await requireCgroups(this, ["devices", "freezer"]);
  });

  afterEach(() => bench.close());

  const open = async (flags: Record<string, unknown> = {}, others: readonly Isolator[] = []) => {
    bench = await CgroupsBench.open({ isolation: "cgroups/devices", ...flags }, { others });
  };

  /** Whether a container can do it; otherwise what it says. */
  const can = async (script: string): Promise<true | string> => {
    const request = await bench.request(`exec 2> error; ${script}`);
    await bench.containerizer.launch(request);
    const end = await bench.containerizer.wait(request.containerId);
    await bench.end(request.containerId.value!);
    return end?.exit?.code === 0 || readFile(join(request.directory, "error"), "utf8");
  };

  it("lets containers use the harmless devices, and no other", async () => {
    await open();
    for (const path of ["null", "zero", "full", "random", "urandom"])
      expect(await can(`head -c 1 /dev/${path} > /dev/null`), path).to.equal(true);
    expect(await can("echo x > /dev/null")).to.equal(true);
    // 1:1 is the memory of the host, 1:11 the log of its kernel: whoever may make the node still cannot open it.
    expect(await can("mknod memory c 1 1")).to.equal(true);
    expect(await can("mknod memory c 1 1 && head -c 1 memory")).to.match(/not permitted/);
    expect(await can("mknod kmsg c 1 11 && : < kmsg")).to.match(/not permitted/);
  });

  it("lets them use what the operator allows", async () => {
    const device = { device: { path: "/dev/kmsg" }, access: { read: true } };
    await open({ allowed_devices: { allowed_devices: [device] } });
    expect(await can("mknod kmsg c 1 11 && : < kmsg")).to.equal(true);
    expect(await can("mknod kmsg c 1 11 && : > kmsg"), "reading was allowed, not writing").to.match(
      /not permitted/,
    );
  });

  it("lets a container use what other isolators contribute, from its first instruction", async () => {
    const gpu: Isolator = {
      name: "gpu/test",
      prepare: async ({ executorId }) =>
        executorId === "c0" ? { devices: [{ type: "c", major: 1, minor: 11, access: "rw" }] } : undefined,
    };
    await open({}, [gpu]);
    expect(await can("mknod kmsg c 1 11 && : < kmsg")).to.equal(true);
    expect(await can("mknod kmsg c 1 11 && : < kmsg"), "of another container").to.match(/not permitted/);
  });

  it("refuses to start with a device that is not there", async () => {
    await open();
    const allowed = (path: string) => ({
      allowed_devices: { allowed_devices: [{ device: { path }, access: { read: true } }] },
    });
    for (const path of ["/dev/no-such-device", "/etc/hosts"]) {
      const error = await CgroupsBench.open({ isolation: "cgroups/devices", ...allowed(path) }).catch(
        (e) => e,
      );
      expect(String(error), path).to.contain(
        `'cgroups/devices' needs the device '${path}' of --allowed_devices`,
      );
    }
  });
});
