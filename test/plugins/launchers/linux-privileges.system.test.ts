import { chmod } from "node:fs/promises";
import { expect } from "chai";
import type { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import type { Contribution } from "../../../sdk/contracts/contribution.js";
import { failure, finish, LinuxBench } from "./support.js";

/** `sock_filter`s: code, jumps, operand. */
const filter = (...instructions: readonly (readonly [number, number, number, number])[]): string => {
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, yes, no, operand], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(operand, index * 8 + 4);
  });
  return bytes.toString("base64");
};

/** `mkdir`, on either kind of machine as the C library calls it. */
const MKDIR = process.arch === "arm64" ? 34 : 83;
/** Everything is allowed but that, which fails with EXDEV, as nothing else would make it fail. */
const NO_MKDIR = filter(
  [0x20, 0, 0, 0],
  [0x15, 0, 1, MKDIR],
  [0x06, 0, 0, 0x0005_0000 | 18],
  [0x06, 0, 0, 0x7fff_0000],
);

const CHOWN = 1n << 0n;
const NET_BIND_SERVICE = 1n << 10n;
const NET_RAW = 1n << 13n;

describe("privileges of a container, linux launcher", () => {
  let bench: LinuxBench;
  let launcher: LinuxLauncher;

  before(async function () {
    bench = await LinuxBench.open(this);
    await chmod(bench.directory, 0o777);
    launcher = await bench.launcher();
  });

  after(() => bench?.close());

  /** What the kernel says of the command. */
  async function status(contribution: Contribution, user?: string) {
    const plan = bench.plan(["cat", "/proc/self/status"], { contribution, user });
    const { stdout } = await finish(launcher, plan);
    const field = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(stdout)?.[1] ?? "";
    const mask = (name: string): bigint => BigInt(`0x${field(name)}`);
    return { field, mask };
  }

  for (const namespaces of [[], ["pid"]] as const) {
    const where = namespaces.length > 0 ? "below process 1" : "without a pid namespace";

    it(`gives root the capabilities asked for, and no others, ${where}`, async () => {
      const capabilities = { effective: ["CHOWN", "NET_RAW"] };
      const { mask } = await status({ namespaces, capabilities });
      for (const set of ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"]) {
        expect(mask(set), set).to.equal(CHOWN | NET_RAW);
      }
    });

    it(`gives them to another user too, ${where}`, async () => {
      const capabilities = { effective: ["NET_RAW"], bounding: ["NET_RAW", "NET_BIND_SERVICE"] };
      const { mask, field } = await status({ namespaces, capabilities }, "nobody");
      expect(field("Uid")).to.equal("65534\t65534\t65534\t65534");
      expect(mask("CapEff")).to.equal(NET_RAW);
      expect(mask("CapPrm")).to.equal(NET_RAW);
      expect(mask("CapAmb")).to.equal(NET_RAW);
      expect(mask("CapBnd")).to.equal(NET_RAW | NET_BIND_SERVICE);
    });

    it(`sets no_new_privs and a filter of system calls, ${where}`, async () => {
      const { field } = await status(
        { namespaces, noNewPrivileges: true, seccompFilter: NO_MKDIR },
        "nobody",
      );
      expect(field("NoNewPrivs")).to.equal("1");
      expect(field("Seccomp")).to.equal("2");
    });
  }

  it("leaves all as it is when nothing is asked for", async () => {
    const { mask, field } = await status({});
    expect(mask("CapEff")).to.equal(mask("CapBnd"));
    expect(mask("CapAmb")).to.equal(0n);
    expect([field("NoNewPrivs"), field("Seccomp")]).to.deep.equal(["0", "0"]);
    const other = await status({}, "nobody");
    expect(other.mask("CapEff")).to.equal(0n);
    expect(other.mask("CapPrm")).to.equal(0n);
  });

  it("bounds root without changing anything else", async () => {
    const { mask } = await status({ capabilities: { bounding: ["CHOWN"] } });
    expect(mask("CapEff")).to.equal(CHOWN);
    expect(mask("CapBnd")).to.equal(CHOWN);
  });

  it("bounds nobody to nothing", async () => {
    const { mask } = await status({ capabilities: { effective: [], bounding: [] } });
    for (const set of ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"]) expect(mask(set), set).to.equal(0n);
  });

  it("filters system calls of a user without no_new_privs, who has no capability left", async () => {
    const { field, mask } = await status({ seccompFilter: NO_MKDIR }, "nobody");
    expect([field("NoNewPrivs"), field("Seccomp")]).to.deep.equal(["0", "2"]);
    expect(mask("CapPrm")).to.equal(0n);
    const some = await status({ seccompFilter: NO_MKDIR, capabilities: { effective: ["CHOWN"] } }, "nobody");
    expect(some.mask("CapEff")).to.equal(CHOWN);
    expect(some.mask("CapAmb")).to.equal(CHOWN);
  });

  it("makes what is filtered fail", async () => {
    const contribution = bench.inRootfs({ noNewPrivileges: true, seccompFilter: NO_MKDIR });
    const { stderr } = await finish(launcher, bench.plan(["mkdir", "/tmp/x"], { contribution }));
    expect(stderr).to.match(
      /can't create directory '\/tmp\/x': (Invalid cross-device link|Cross-device link)/,
    );
  });

  it("says so when the filter is none", async () => {
    const odd = await failure(launcher, bench.plan(["true"], { contribution: { seccompFilter: "AAAA" } }));
    expect(odd).to.contain("not a list of instructions");
    const wrong = filter([0xff, 0, 0, 0]);
    expect(
      await failure(launcher, bench.plan(["true"], { contribution: { seccompFilter: wrong } })),
    ).to.match(/Failed to install the seccomp filter: Invalid argument/);
  });

  it("holds when attacked from inside", async () => {
    const script = [
      "mknod /tmp/disk b 8 0 || echo no mknod",
      "mount -t tmpfs tmpfs /tmp || echo no mount",
      "chroot /tmp true || echo no chroot",
      "hostname evil || echo no hostname",
      "kill -0 1 && echo signals process 1",
      "cat /proc/1/environ || echo no environ",
      "ls /proc/1/root/ || echo no root",
      "readlink /proc/1/fd/1 || echo no fd",
    ].join("\n");
    const contribution = bench.inRootfs({
      namespaces: ["uts"],
      capabilities: { effective: ["CHOWN"] },
      noNewPrivileges: true,
    });
    const { stdout } = await finish(launcher, bench.plan(["sh", "-c", script], { contribution }));
    expect(stdout).to.equal(
      "no mknod\nno mount\nno chroot\nno hostname\nsignals process 1\nno environ\nno root\nno fd\n",
    );
  });

  it("limits what processes may use", async () => {
    const rlimits = {
      nofile: { soft: 100, hard: 200 },
      core: { soft: 0, hard: undefined },
      cpu: { soft: undefined, hard: undefined },
    };
    const plan = bench.plan(["cat", "/proc/self/limits"], { contribution: { rlimits }, user: "nobody" });
    const { stdout } = await finish(launcher, plan);
    expect(stdout).to.match(/^Max open files +100 +200 /m);
    expect(stdout).to.match(/^Max core file size +0 +unlimited /m);
    expect(stdout).to.match(/^Max cpu time +unlimited +unlimited /m);
  });

  it("says how soon the kernel may kill it", async () => {
    const plan = bench.plan(["cat", "/proc/self/oom_score_adj"], { contribution: { oomScoreAdjust: 321 } });
    expect((await finish(launcher, plan)).stdout).to.equal("321\n");
  });

  it("becomes the user with the groups that it has on the host", async () => {
    const contribution = bench.inRootfs();
    const { stdout } = await finish(launcher, bench.plan(["id"], { contribution, user: "nobody" }));
    expect(stdout).to.equal("uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)\n");
  });

  it("runs what prepares the container inside it, as its user", async () => {
    const contribution = bench.inRootfs({
      preExec: ["id -un >/tmp/who", "cat /proc/self/mountinfo | wc -l >>/tmp/who"],
    });
    const plan = bench.plan(["cat", "/tmp/who"], { contribution, user: "nobody" });
    expect((await finish(launcher, plan)).stdout).to.equal("nobody\n2\n");
    const bad = bench.plan(["echo", "never"], { contribution: bench.inRootfs({ preExec: ["exit 3"] }) });
    expect(await failure(launcher, bad)).to.match(/command 'exit 3', which prepares the container, failed/);
  });

  it("puts words in front of the command, and prefers a program of the working directory", async () => {
    const contribution = bench.inRootfs({ wrap: ["env", "WRAPPED=yes"] });
    const plan = bench.plan(["sh", "-c", "echo $WRAPPED"], { contribution });
    expect((await finish(launcher, plan)).stdout).to.equal("yes\n");
    const own = bench.plan(["env", "true"], {
      workingDirectory: "/bin",
      environment: {},
      contribution: bench.inRootfs(),
    });
    expect((await finish(launcher, own)).exit).to.deep.equal({ code: 0, signal: undefined });
  });
});
