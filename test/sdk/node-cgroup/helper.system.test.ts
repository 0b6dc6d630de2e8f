import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Helper } from "../../../sdk/node-cgroup/helper/helper.js";
import { CgroupError } from "../../../sdk/node-cgroup/index.js";
import { requirePart } from "../../support/require-part.js";

const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

describe("the helper of cgroups", () => {
  it("says what it lacks", async () => {
    const error = await failureOf(new Helper("/no/such/perl").setDevices("/", new Uint8Array()));
    expect(error).to.be.instanceOf(CgroupError).with.property("errno", "ENOENT");
    expect(String(error)).to.contain("apt-get install perl-base");
  });

  it("tells those who wait when it is gone, and is started anew when needed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tepui-helper-"));
    const program = join(directory, "helper");
    await writeFile(
      program,
      "#!/bin/sh\nread line; echo \"$line\" | cut -f1 | tr '\\n' '\\t'; echo ok; read line; echo oh dear >&2; exit 3\n",
    );
    await chmod(program, 0o755);
    try {
      const helper = new Helper(program);
      for (const _ of ["once", "twice"]) {
        const lost = new Promise<CgroupError>((resolve) => {
          const watch = helper.watch(
            { control: "a", eventControl: "b" },
            { happened: () => undefined, lost: resolve },
          );
          watch.ready.catch(resolve);
        });
        const error = await failureOf(helper.setDevices("/x", new Uint8Array()));
        expect(String(error)).to.contain("the helper process for cgroups is gone: oh dear");
        expect(await lost).to.equal(error);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("refuses by the kernel's reason, stays for the next, and ends when closed", async function () {
    requirePart(this, "perl", "perl-base");
    const helper = new Helper();
    const watch = helper.watch(
      { control: "/none", eventControl: "/none" },
      { happened: () => undefined, lost: () => undefined },
    );
    const refusal = await failureOf(watch.ready);
    expect(refusal).to.be.instanceOf(CgroupError).with.property("errno", "ENOENT");
    expect(String(refusal)).to.contain("cannot open /none (ENOENT)");
    expect(await failureOf(helper.setDevices("/none", new Uint8Array(8)))).to.be.instanceOf(CgroupError);
    watch[Symbol.dispose]();
    await helper.close();
    await helper.close();
  });
});
