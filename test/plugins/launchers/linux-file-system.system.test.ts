import { existsSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import { PERL_HELPER } from "../../../plugins/launchers/perl/program.js";
import type { ContainerMount, Contribution } from "../../../sdk/contracts/contribution.js";
import { eventually } from "../../support/eventually.js";
import { hostMounts } from "../../support/host-mounts.js";
import { failure, finish, LinuxBench, text } from "./support.js";

const TMPFS: ContainerMount = {
  source: "tmpfs",
  target: "/dev",
  type: "tmpfs",
  options: ["nosuid", "mode=755"],
};

describe("files of a container, linux launcher", () => {
  let bench: LinuxBench;
  let launcher: LinuxLauncher;
  let mountsBefore: string[];

  before(async function () {
    bench = await LinuxBench.open(this);
    launcher = await bench.launcher();
  });

  after(() => bench?.close());

  // Nothing is ever mounted on the host.
  beforeEach(async () => {
    mountsBefore = hostMounts(bench.directory);
  });

  afterEach(async () => {
    expect(hostMounts(bench.directory)).to.deep.equal(mountsBefore);
  });

  const run = (script: string, contribution: Contribution, more: object = {}) =>
    finish(
      launcher,
      bench.plan(["sh", "-c", script], { contribution: bench.inRootfs(contribution), ...more }),
    );

  it("sees its own root, and nothing of the host's", async () => {
    const { stdout } = await run("ls /; cat /proc/self/mountinfo | wc -l; ls /.. | wc -l", {});
    expect(stdout).to.equal("bin\ndev\netc\nproc\nroot\nsys\ntmp\nusr\nvar\n2\n9\n");
  });

  it("puts together a root from its mounts, such as layers", async () => {
    const dir = (name: string): string => join(bench.directory, "layers", name);
    for (const name of ["upper", "work", "root", "top"]) await mkdir(dir(name), { recursive: true });
    await writeFile(join(dir("top"), "layer"), "from the top layer");
    const { path } = bench.rootfs;
    const rootfs = {
      path: dir("root"),
      mounts: [
        {
          source: "overlay",
          target: dir("root"),
          type: "overlay",
          options: [`lowerdir=${dir("top")}:${path}`, `upperdir=${dir("upper")}`, `workdir=${dir("work")}`],
        },
        { source: dir("top"), target: join(dir("root"), "usr/top"), create: "directory" as const },
      ],
    };
    const { stdout } = await run("cat /layer /usr/top/layer; echo written >/layer; rm /etc/group", {
      rootfs,
    });
    expect(stdout).to.equal("from the top layerfrom the top layer");
    expect(await text(join(dir("upper"), "layer"))).to.equal("written\n");
    expect(await readdir(dir("root"))).to.deep.equal([]);
    expect(existsSync(join(path, "etc/group"))).to.equal(true);
  });

  it("mounts in order, makes what is missing, and takes relative targets from the sandbox", async () => {
    const volume = join(bench.directory, "volume");
    await mkdir(volume, { recursive: true });
    await writeFile(join(volume, "f"), "of the volume\n");
    const mounts: ContainerMount[] = [
      { source: bench.directory, target: "/mnt/sandbox", create: "directory" },
      { source: volume, target: "data/deep", create: "directory" },
      { source: join(volume, "f"), target: "/etc/made/file", create: "file" },
      { source: "tmpfs", target: "/tmp", type: "tmpfs", options: ["size=64k", "nosuid", "nodev", "noexec"] },
    ];
    const script =
      "cat /mnt/sandbox/data/deep/f /etc/made/file; grep ' /tmp ' /proc/self/mountinfo; df -k /tmp | tail -1";
    const { stdout } = await run(script, { mounts });
    expect(stdout).to.match(
      /^of the volume\nof the volume\n.* rw,nosuid,nodev,noexec,relatime .*\ntmpfs +64 /s,
    );
    const plain = bench.plan(["cat", "data/deep/f"], {
      contribution: { namespaces: ["mount"], mounts: [mounts[1]!] },
    });
    expect((await finish(launcher, plain)).stdout).to.equal("of the volume\n");
    expect(await readdir(join(bench.directory, "data/deep"))).to.deep.equal([]);
  });

  it("keeps what is mounted read-only from being written, below it too", async () => {
    const volume = join(bench.directory, "outer");
    await mkdir(join(volume, "inner"), { recursive: true });
    // A mount below the volume, which the container's copy of it brings along.
    const nested: ContainerMount = { source: "tmpfs", target: join(volume, "inner"), type: "tmpfs" };
    const script = [
      "touch /v/x || echo no",
      "touch /v/inner/x || echo no",
      "touch /w/x && echo yes",
      "touch /p/x || echo no",
      "mount -o remount,bind,rw /v 2>/dev/null; grep -c ' /v ro,nosuid,nodev' /proc/self/mountinfo",
    ].join("\n");
    const contribution: Contribution = {
      mounts: [
        { source: volume, target: "/v", options: ["rbind", "ro", "nosuid", "nodev"], create: "directory" },
        { source: volume, target: "/w", options: ["bind"], create: "directory" },
        { source: volume, target: "/p", create: "directory" },
      ],
      readonlyPaths: ["/p", "/no/such/path"],
      rootfs: { path: bench.rootfs.path, mounts: [nested] },
      capabilities: { effective: ["CHOWN"] },
    };
    const { stdout } = await run(script, contribution);
    expect(stdout).to.equal("no\nno\nyes\nno\n1\n");
  });

  it("makes read-only mounts on kernels that cannot set attributes of mounts", async () => {
    const old = await bench.launcher(
      PERL_HELPER.replaceAll("mount_setattr => 442", "mount_setattr => 99999"),
    );
    const plan = bench.plan(
      ["sh", "-c", "touch /v/x || grep -o ' /v ro,nosuid,nodev[^ ]*' /proc/self/mountinfo"],
      {
        contribution: bench.inRootfs({
          mounts: [
            {
              source: "tmpfs",
              target: "/v",
              type: "tmpfs",
              options: ["nosuid", "nodev"],
              create: "directory",
            },
            { source: bench.directory, target: "/w", options: ["ro"], create: "directory" },
          ],
          readonlyPaths: ["/v"],
        }),
      },
    );
    expect((await finish(old, plan)).stdout).to.equal(" /v ro,nosuid,nodev,relatime\n");
  });

  it("makes device nodes and links", async () => {
    const contribution: Contribution = {
      mounts: [TMPFS],
      deviceNodes: [
        { path: "/dev/null", type: "c", major: 1, minor: 3, mode: 0o666 },
        { path: "/dev/deep/zero", type: "c", major: 1, minor: 5, mode: 0o640 },
      ],
      symlinks: { "/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0" },
    };
    const script =
      "echo x >/dev/null; head -c 3 /dev/deep/zero | wc -c; stat -c '%a %t %T' /dev/null /dev/deep/zero; ls /dev/fd | head -1; readlink /dev/stdin";
    const { stdout, stderr } = await run(script, contribution);
    expect(`${stdout}${stderr}`).to.equal("3\n666 1 3\n640 1 5\n0\n/proc/self/fd/0\n");
  });

  it("takes the host's device where it may not make one", async () => {
    const denied = await bench.launcher(
      PERL_HELPER.replace('sys("mknodat", -100', '($! = 1, -1)[1] == 0 && sys("mknodat", -100'),
    );
    const plan = bench.plan(["sh", "-c", "stat -c '%t %T' /dev/zero"], {
      contribution: bench.inRootfs({
        mounts: [TMPFS],
        deviceNodes: [{ path: "/dev/zero", type: "c", major: 1, minor: 5, mode: 0o666 }],
      }),
    });
    expect((await finish(denied, plan)).stdout).to.equal("1 5\n");
  });

  it("hides masked paths", async () => {
    await writeFile(join(bench.rootfs.path, "etc/secret"), "secret");
    const script =
      "cat /etc/secret | wc -c; ls /proc/sys | wc -l; touch /proc/sys/x 2>/dev/null || echo no; echo x >/etc/secret";
    const { stdout } = await run(script, {
      maskedPaths: ["/etc/secret", "/proc/sys", "/proc/none", "/etc/secret/x"],
    });
    expect(stdout).to.equal("0\n0\nno\n");
    expect(await text(join(bench.rootfs.path, "etc/secret"))).to.equal("secret");
  });

  it("never follows a link of an image out of it", async () => {
    const outside = join(bench.directory, "outside");
    await mkdir(outside, { recursive: true });
    await writeFile(join(outside, "file"), "of the host");
    const { path } = bench.rootfs;
    const hostile = join(bench.directory, "hostile");
    await mkdir(hostile, { recursive: true });
    const links = {
      absolute: outside,
      climbing: `../../../../../../../..${outside}`,
      magic: `/proc/${process.pid}/root`,
      self: "/proc/self/root",
      dangling: join(outside, "missing"),
      loop: "loop",
      run: "/var/run",
    };
    for (const [name, to] of Object.entries(links)) await symlink(to, join(path, name));
    const put = (target: string, create?: "file" | "directory"): ContainerMount => ({
      source: hostile,
      target,
      create,
    });
    const contribution = bench.inRootfs({
      mounts: [
        put("/absolute/made", "directory"),
        put("/climbing/made", "directory"),
        put("/dangling/deep", "directory"),
        put("/run/made", "directory"),
      ],
      deviceNodes: [{ path: "/absolute/null", type: "c", major: 1, minor: 3, mode: 0o666 }],
      symlinks: { "/climbing/link": "/x" },
      maskedPaths: ["/absolute/file"],
      readonlyPaths: ["/climbing"],
    });
    const { stdout, stderr } = await finish(
      launcher,
      bench.plan(["sh", "-c", `ls ${outside} && ls -d /var/run/made`], { contribution }),
    );
    expect(stderr).to.equal("");
    expect(stdout).to.equal("link\nmade\nmissing\nnull\n/var/run/made\n");
    // All of that lies in the image; outside, nothing has been made, and nothing changed.
    expect(await readdir(outside)).to.deep.equal(["file"]);
    expect(await text(join(outside, "file"))).to.equal("of the host");
    expect((await lstat(join(path, outside, "null"))).isCharacterDevice()).to.equal(true);
    for (const name of ["magic", "self"]) {
      const problem = await failure(
        launcher,
        bench.plan(["true"], {
          contribution: {
            namespaces: ["mount"],
            rootfs: { path, mounts: [] },
            mounts: [
              { source: "/proc", target: "/proc", options: ["rbind"] },
              put(`/${name}${outside}/made`, "directory"),
            ],
          },
        }),
      );
      expect(problem, name).to.match(/Failed to mount .*: Too many levels of symbolic links/);
    }
    expect(
      await failure(
        launcher,
        bench.plan(["true"], { contribution: bench.inRootfs({ mounts: [put("/loop/x", "directory")] }) }),
      ),
    ).to.match(/Too many levels of symbolic links/);
    expect(await readdir(outside)).to.deep.equal(["file"]);
    for (const name of Object.keys(links)) await rm(join(path, name));
  });

  it("never follows a link of a sandbox out of it", async () => {
    const outside = join(bench.directory, "beyond");
    const sandbox = join(bench.directory, "sandbox");
    await mkdir(outside, { recursive: true });
    await mkdir(sandbox, { recursive: true });
    await symlink(outside, join(sandbox, "link"));
    await symlink("../beyond", join(sandbox, "up"));
    const contribution: Contribution = {
      namespaces: ["mount"],
      mounts: ["link/a", "up/b"].map((target) => ({
        source: "tmpfs",
        target,
        type: "tmpfs",
        create: "directory",
      })),
    };
    const plan = bench.plan(["true"], { contribution, sandbox });
    expect((await finish(launcher, plan)).exit).to.deep.equal({ code: 0, signal: undefined });
    expect(await readdir(outside)).to.deep.equal([]);
  });

  it("opens the output as the user, before the root changes", async () => {
    const secret = join(bench.directory, "of-root");
    await writeFile(secret, "");
    await chmod(secret, 0o600);
    await chmod(bench.directory, 0o777);
    const contribution = bench.inRootfs();
    const good = await finish(launcher, bench.plan(["id", "-un"], { contribution, user: "nobody" }));
    expect(good.stdout).to.equal("nobody\n");
    expect((await stat(good.plan.stdout)).uid).to.equal(65_534);
    const bad = await failure(launcher, bench.plan(["id"], { contribution, user: "nobody", stdout: secret }));
    expect(bad).to.match(/Failed to open '.*of-root' for the output: Permission denied/);
  });

  it("makes a working directory that an image lacks", async () => {
    const { stdout } = await run("pwd", {}, { workingDirectory: "/srv/app/here" });
    expect(stdout).to.equal("/srv/app/here\n");
  });

  it("sees later mounts of the host in what it shares one way, and shows its own where it shares both ways", async () => {
    const shared = join(bench.directory, "shared");
    await mkdir(shared, { recursive: true });
    // The host's side of it, in a mount namespace that plays the host.
    const host = bench.plan(
      [
        "sh",
        "-c",
        `mount -t tmpfs tmpfs ${shared} && mount --make-shared ${shared} && mkdir ${shared}/both && echo up && exec sleep 1000`,
      ],
      { contribution: { namespaces: ["mount"] } },
    );
    const { pid, go } = await launcher.launch(host);
    await go();
    await eventually(async () => ((await text(host.stdout)) === "up\n" ? true : undefined));
    const entered = await bench.launcher();
    const inside = bench.plan(
      [
        "sh",
        "-c",
        "mkdir -p /v/both/m && mount -t tmpfs tmpfs /v/both/m && touch /v/both/m/seen && echo up && exec sleep 1000",
      ],
      {
        contribution: {
          ...bench.inRootfs({
            mounts: [{ source: shared, target: "/v", options: ["rbind", "rshared"], create: "directory" }],
          }),
          enter: { mount: `/proc/${pid}/ns/mnt` },
        },
      },
    );
    const container = await entered.launch(inside);
    await container.go();
    await eventually(async () => ((await text(inside.stdout)) === "up\n" ? true : undefined));
    const view = `/proc/${pid}/root${shared}/both`;
    expect(await readdir(join(view, "m"))).to.deep.equal(["seen"]);
    // Where nothing is shared back, nothing shows.
    const apart = bench.plan(["sh", "-c", "mount -t tmpfs tmpfs /v/both && touch /v/both/unseen"], {
      contribution: {
        ...bench.inRootfs({
          mounts: [{ source: shared, target: "/v", options: ["rbind"], create: "directory" }],
        }),
        enter: { mount: `/proc/${pid}/ns/mnt` },
      },
    });
    expect((await finish(launcher, apart)).exit).to.deep.equal({ code: 0, signal: undefined });
    expect(await readdir(view)).to.deep.equal(["m"]);
    await launcher.destroy(inside.containerId);
    await entered.destroy(inside.containerId);
    await launcher.destroy(host.containerId);
  });
});
