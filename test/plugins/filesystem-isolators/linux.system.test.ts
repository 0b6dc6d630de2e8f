import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Resource, Value_Type, Volume_Mode } from "../../../proto/gen/mesos/v1/mesos.js";
import { Metrics } from "../../../sdk/contracts/metrics.js";
import { accountOf, processTree } from "../../../sdk/proc/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import { eventually } from "../../support/eventually.js";
import { hostMounts } from "../../support/host-mounts.js";
import { container, IsolatedContainers } from "../../support/isolated-containers.js";

const volume = (id: string, path: string, more: { mode?: Volume_Mode; shared?: true } = {}): Resource => ({
  name: "disk",
  type: Value_Type.SCALAR,
  scalar: { value: 10 },
  reservations: [{ role: "dev/db", type: 1 }],
  disk: {
    persistence: { id, principal: "p" },
    volume: { container_path: path, mode: more.mode ?? Volume_Mode.RW },
  },
  ...(more.shared && { shared: {} }),
});

const IMAGE = container({ image: true });

describe("filesystem/linux", () => {
  let bench: IsolatedContainers;

  before(async function () {
    bench = await IsolatedContainers.open(this, { isolation: "filesystem/linux,namespaces/pid" });
  });

  after(() => bench?.close());

  const dataOf = (id: string): string => bench.work("volumes/roles/dev db", id);

  it("gives a container a root of its own, and leaves the host as it was", async () => {
    const mounts = hostMounts(bench.directory);
    const request = await bench.request(
      "echo own > /etc/marker; mkdir /opt-own; rm /bin/yes; ls /; echo $MESOS_SANDBOX; pwd; echo here > file",
      { container: IMAGE },
    );
    const { stdout } = await bench.run(request);
    const lines = stdout.trim().split("\n");
    expect(lines).to.include("opt-own").and.not.include("boot");
    expect(lines.slice(-2)).to.deep.equal(["/mnt/mesos/sandbox", "/mnt/mesos/sandbox"]);
    expect(await readFile(join(request.directory, "file"), "utf8")).to.equal("here\n");
    expect(existsSync("/etc/marker")).to.equal(false);
    expect(await bench.output("ls /etc /bin", { container: IMAGE }))
      .to.match(/\byes\b/)
      .and.not.match(/marker/);
    expect(hostMounts(bench.directory)).to.deep.equal(mounts);
  });

  it("has the devices, links and kernel files of Mesos, and no others", async () => {
    const devices = await bench.output(
      "cd /dev; for f in *; do stat -c '%n %F %t:%T %a' $f; done; for f in fd stdin stdout stderr ptmx; do readlink $f; done; stat -f -c %T . shm",
      { container: IMAGE },
    );
    expect(devices.trim().split("\n")).to.deep.equal([
      "fd symbolic link 0:0 777",
      "full character special file 1:7 666",
      "null character special file 1:3 666",
      "ptmx symbolic link 0:0 777",
      "pts directory 0:0 755",
      "random character special file 1:8 666",
      "shm directory 0:0 1777",
      "stderr symbolic link 0:0 777",
      "stdin symbolic link 0:0 777",
      "stdout symbolic link 0:0 777",
      "tty character special file 5:0 666",
      "urandom character special file 1:9 666",
      "zero character special file 1:5 666",
      "/proc/self/fd",
      "/proc/self/fd/0",
      "/proc/self/fd/1",
      "/proc/self/fd/2",
      "pts/ptmx",
      "tmpfs",
      "tmpfs",
    ]);
    const table = await bench.output("cat /proc/self/mounts", { container: IMAGE });
    expect(table).to.match(/^proc \/proc proc rw,nosuid,nodev,noexec/m);
    expect(table).to.match(/^sysfs \/sys sysfs ro,nosuid,nodev,noexec/m);
    expect(table).to.match(/^tmpfs \/sys\/fs\/cgroup tmpfs rw,nosuid,nodev,noexec.*mode=755/m);
    expect(table).to.match(/^devpts \/dev\/pts devpts rw,nosuid,noexec.*gid=5,mode=620,ptmxmode=666/m);
    for (const path of ["bus", "fs", "irq", "sys", "sysrq-trigger"].filter((name) =>
      existsSync(`/proc/${name}`),
    ))
      expect(table, path).to.match(new RegExp(`^proc /proc/${path} proc ro,`, "m"));
  });

  it("withstands attacks on what it hides and protects", async () => {
    const attempt = (script: string): Promise<string> =>
      bench.output(`(${script}) 2>/dev/null && echo done || echo refused`, { container: IMAGE });
    expect(await attempt("echo h > /proc/sysrq-trigger")).to.equal("refused\n");
    expect(await attempt("echo 1 > /proc/sys/kernel/panic")).to.equal("refused\n");
    expect(await attempt("mkdir /sys/fs/cgroup/../own")).to.equal("refused\n");
    for (const path of ["acpi", "keys", "key-users", "timer_list"]) {
      if (!existsSync(`/proc/${path}`)) continue;
      const script = `cd /proc; if [ -d ${path} ]; then ls ${path}; else cat ${path}; fi`;
      expect(await bench.output(script, { container: IMAGE }), path).to.equal("");
    }
    // The old root is not just hidden: there is no way up to it.
    expect(await bench.output("cd /; cd ..; cd ../../..; ls", { container: IMAGE })).to.not.match(/boot/);
    expect(await attempt(`ls ${bench.directory}`)).to.equal("refused\n");
    const host = readFileSync("/etc/passwd", "utf8");
    expect(await bench.output("cat /proc/1/root/etc/passwd", { container: IMAGE })).to.not.equal(host);
  });

  it("shows all of /proc to those who share the host's processes", async () => {
    const shared = container({ image: true, linux: { share_pid_namespace: true } });
    const table = await bench.output("cat /proc/self/mounts; ls /proc", { container: shared });
    expect(table).to.not.match(/\/proc\/kcore/);
    expect(table.split("\n")).to.include(String(process.pid));
  });

  it("keeps the data of persistent volumes, and only that, from one container to the next", async () => {
    for (const image of [undefined, IMAGE]) {
      const id = image === undefined ? "plain" : "image";
      const with_ = { resources: Resources.of([volume(id, "data")]), container: image };
      const first = await bench.request('echo kept > data/file; echo "$(ls)"', with_);
      expect((await bench.run(first)).stdout.split("\n")).to.include("data");
      expect(await readFile(join(dataOf(id), "file"), "utf8")).to.equal("kept\n");
      // Seen by the container alone: whoever removes its sandbox removes nothing of the volume.
      expect(await readdir(join(first.directory, "data"))).to.deep.equal([]);
      expect(await bench.output("cat data/file", with_)).to.equal("kept\n");
    }
  });

  it("keeps a read-only volume from being written", async () => {
    await mkdir(dataOf("ro"), { recursive: true });
    await writeFile(join(dataOf("ro"), "file"), "old");
    await chmod(join(dataOf("ro"), "file"), 0o666);
    for (const image of [undefined, IMAGE]) {
      const resources = Resources.of([volume("ro", "data", { mode: Volume_Mode.RO })]);
      // Whoever may mount may make it writable again, in its own view: a matter of capabilities.
      const script = "cat data/file && (mount -o remount,rw,bind data || true) && echo new > data/file";
      const { end } = await bench.run(
        await bench.request(script, { resources, container: image, user: "nobody" }),
      );
      expect(end.exit!.code).to.not.equal(0);
      expect(await readFile(join(dataOf("ro"), "file"), "utf8")).to.equal("old");
    }
  });

  it("gives a volume to the user of its container, unless others use it too", async () => {
    const { uid } = (await accountOf("daemon"))!;
    const as = (user: string, script: string, resources: Resource[]) =>
      bench.request(script, { user, resources: Resources.of(resources) });
    const alone = await as("daemon", "touch data/mine", [volume("owned", "data")]);
    expect((await bench.run(alone)).end.exit!.code).to.equal(0);
    expect((await stat(dataOf("owned"))).uid).to.equal(uid);
    const first = await as("daemon", "sleep 1000", [volume("both", "data", { shared: true })]);
    await bench.containerizer.launch(first);
    const second = await as("nobody", "true", [volume("both", "data", { shared: true })]);
    await bench.run(second);
    expect((await stat(dataOf("both"))).uid).to.equal(uid);
    await bench.containerizer.destroy(first.containerId);
    await bench.run(await as("nobody", "true", [volume("both", "data", { shared: true })]));
    expect((await stat(dataOf("both"))).uid).to.equal((await accountOf("nobody"))!.uid);
  });

  it("refuses volumes that would lie outside of the sandbox, also by a link that was fetched", async () => {
    for (const path of ["/data", "../data", "a/../.."]) {
      const resources = Resources.of([volume("out", path)]);
      expect(await bench.refusal({ resources }), path).to.match(/only paths inside the sandbox can be used/);
    }
  });

  it("adds and takes away volumes of a container that runs", async () => {
    for (const image of [undefined, IMAGE]) {
      const request = await bench.request(
        "while ! [ -e data/deep/go ]; do sleep 0.02; done; cat data/deep/go; echo written > data/deep/mine; while [ -e data/deep/go ]; do sleep 0.02; done; echo gone; sleep 1000",
        { container: image },
      );
      const id = image === undefined ? "live" : "live-image";
      await mkdir(dataOf(id), { recursive: true });
      await writeFile(join(dataOf(id), "go"), "hello\n");
      await bench.containerizer.launch(request);
      const resources = Resources.of([volume(id, "data/deep")]);
      await bench.containerizer.update(request.containerId, resources, {});
      const mine = await eventually(
        async () => (await readFile(join(dataOf(id), "mine"), "utf8")) || undefined,
      );
      expect(mine).to.equal("written\n");
      const seen = await readdir(join(request.directory, "data/deep"));
      expect(seen).to.deep.equal([]);
      await bench.containerizer.update(request.containerId, Resources.empty, {});
      const output = await eventually(async () => {
        const text = await readFile(join(request.directory, "stdout"), "utf8");
        return text.includes("gone") ? text : undefined;
      });
      expect(output).to.equal("hello\ngone\n");
      expect(await readFile(join(dataOf(id), "go"), "utf8")).to.equal("hello\n");
      await bench.containerizer.destroy(request.containerId);
    }
  });

  it("adds a read-only volume to a container that runs as what it is", async () => {
    const request = await bench.request(
      "while ! [ -e data/go ]; do sleep 0.02; done; echo new > data/go; echo $?; sleep 1000",
    );
    await mkdir(dataOf("live-ro"), { recursive: true });
    await writeFile(join(dataOf("live-ro"), "go"), "old");
    await bench.containerizer.launch(request);
    const resources = Resources.of([volume("live-ro", "data", { mode: Volume_Mode.RO })]);
    await bench.containerizer.update(request.containerId, resources, {});
    const status = await eventually(
      async () => (await readFile(join(request.directory, "stdout"), "utf8")) || undefined,
    );
    expect(status.trim()).to.not.equal("0");
    expect(await readFile(join(dataOf("live-ro"), "go"), "utf8")).to.equal("old");
  });

  it("does not follow a link that the container puts in a volume's place", async () => {
    const request = await bench.request("ln -s /etc data; echo ready; sleep 1000");
    await bench.containerizer.launch(request);
    await eventually(async () => (await readFile(join(request.directory, "stdout"), "utf8")) || undefined);
    const resources = Resources.of([volume("evil", "data/deep")]);
    const text = await bench.containerizer
      .update(request.containerId, resources, {})
      .then(() => "updated", String);
    expect(text).to.match(/cannot enter data\/deep/);
    expect(existsSync("/etc/deep")).to.equal(false);
  });

  it("counts containers that have a root of their own", async () => {
    const name = "containerizer/mesos/filesystem/containers_new_rootfs";
    const value = (): number | undefined => bench.kernel.kernel.get(Metrics).snapshot().get(name);
    const before = value()!;
    const request = await bench.request("sleep 1000", { container: IMAGE });
    await bench.containerizer.launch(request);
    expect(value()).to.equal(before + 1);
    await bench.containerizer.destroy(request.containerId);
    expect(value()).to.equal(before);
  });

  it("leaves no process and no mount behind", async () => {
    const before = hostMounts(bench.directory);
    const resources = Resources.of([volume("left", "data")]);
    const request = await bench.request("setsid sleep 1000 & sleep 1000", { resources, container: IMAGE });
    await bench.containerizer.launch(request);
    const { executor_pid: pid } = await bench.containerizer.status(request.containerId);
    await bench.containerizer.destroy(request.containerId);
    expect(await processTree(pid!)).to.deep.equal([]);
    expect(hostMounts(bench.directory)).to.deep.equal(before);
    expect(existsSync(dataOf("left"))).to.equal(true);
  });
});
