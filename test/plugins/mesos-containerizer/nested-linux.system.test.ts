import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import {
  LinuxInfo_IpcMode,
  TaskStatus_Reason,
  type Volume,
  Volume_Mode,
  Volume_Source_SandboxPath_Type,
  Volume_Source_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { containerCgroup, containerName } from "../../../sdk/ids/index.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";
import { eventually } from "../../support/eventually.js";
import { container, IsolatedContainers } from "../../support/isolated-containers.js";

const ISOLATION = [
  "filesystem/linux",
  "namespaces/pid",
  "namespaces/ipc",
  "cgroups/cpu",
  "cgroups/mem",
  "cgroups/pids",
].join(",");

describe("containers within containers, isolated in full", () => {
  let containers: IsolatedContainers;
  let parent: ContainerRequest;

  before(async function () {
    containers = await IsolatedContainers.open(this, { isolation: ISOLATION });
  });

  after(() => containers?.close());

  afterEach(() => containers.containerizer.destroy(parent.containerId));

  const resources = (text: string): ContainerRequest["resources"] => {
    const parsed = parseResources(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.value;
  };

  const start = async (
    script = "exec sleep 1000",
    more: Partial<ContainerRequest> = {},
  ): Promise<ContainerRequest> => {
    parent = await containers.request(script, { resources: resources("cpus:1;mem:256"), ...more });
    await containers.containerizer.launch(parent);
    return parent;
  };

  const within = async (
    outer: ContainerRequest,
    script: string,
    more: Partial<ContainerRequest> = {},
  ): Promise<ContainerRequest> => {
    const made = await containers.request(script, more);
    const value = made.containerId.value!;
    const directory = join(outer.directory, "containers", value);
    await mkdir(directory, { recursive: true });
    return { ...made, directory, containerId: { value, parent: outer.containerId } };
  };

  /** What it printed, when it has ended well. */
  const output = async (request: ContainerRequest): Promise<string> => {
    await containers.containerizer.launch(request);
    const end = await containers.containerizer.wait(request.containerId);
    const text = async (name: string): Promise<string> =>
      readFile(join(request.directory, name), "utf8").catch(() => "");
    if (end?.exit?.code !== 0)
      throw new Error(`ended with ${JSON.stringify(end)}: ${await text("stdout")}${await text("stderr")}`);
    return text("stdout");
  };

  const debug = (script: string, outer = parent): Promise<string> =>
    within(outer, script, { class: "debug", checkpoint: false }).then(output);

  const groupOf = (request: ContainerRequest, controller: string): string =>
    join(
      "/sys/fs/cgroup",
      controller,
      containers.cgroupRoot,
      containerCgroup(containerName(request.containerId)),
    );

  const pidsOf = async (group: string): Promise<string[]> =>
    (await readFile(join(group, "cgroup.procs"), "utf8")).split("\n").filter(Boolean);

  it("share the cgroups of their parent, and are held together by a freezer group of their own below that one's", async () => {
    await start();
    const child = await within(parent, "exec sleep 1000");
    await containers.containerizer.launch(child);
    expect(existsSync(groupOf(child, "memory"))).to.equal(false);
    expect(await pidsOf(groupOf(parent, "memory"))).to.have.length.greaterThan(2);
    expect(await pidsOf(groupOf(child, "freezer"))).to.have.length.greaterThan(0);
    const usage = await containers.containerizer.usage(child.containerId);
    const outer = await containers.containerizer.usage(parent.containerId);
    expect(usage.mem_total_bytes).to.not.equal(undefined);
    expect(Number(usage.mem_total_bytes)).to.be.closeTo(Number(outer.mem_total_bytes), 2 ** 22);
    // What is meant for one does not reach the other.
    await containers.containerizer.signal(child.containerId, 9);
    expect((await containers.containerizer.wait(child.containerId))!.exit!.signal).to.equal(9);
    const { executor_pid: pid } = await containers.containerizer.status(parent.containerId);
    expect(existsSync(`/proc/${pid}/ns`)).to.equal(true);
    await eventually(() => !existsSync(groupOf(child, "freezer")) || undefined);
  });

  it("have cgroups of their own below those of their parent where they want to: who runs out of memory there ends alone", async () => {
    await start();
    const bystander = await within(parent, "exec sleep 1000");
    await containers.containerizer.launch(bystander);
    const child = await within(parent, "exec tail /dev/zero", {
      container: container({ linux: { share_cgroups: false } }),
      resources: resources("cpus:0.1;mem:32"),
    });
    await containers.containerizer.launch(child);
    const end = await containers.containerizer.wait(child.containerId);
    expect(end!.reason).to.equal(TaskStatus_Reason.REASON_CONTAINER_LIMITATION_MEMORY);
    const limit = join(groupOf(parent, "memory"), "memory.limit_in_bytes");
    expect(await readFile(limit, "utf8")).to.equal(`${256 * 1024 * 1024}\n`);
    for (const { containerId } of [parent, bystander])
      expect((await containers.containerizer.status(containerId)).executor_pid).to.be.greaterThan(0);
    await containers.containerizer.destroy(child.containerId);
    for (const controller of ["memory", "cpu", "pids", "freezer"])
      expect(existsSync(groupOf(child, controller)), controller).to.equal(false);
  });

  it("have processes of their own, or share those of their parent", async () => {
    await start("sleep 4242 & wait");
    const own = await within(parent, 'echo "$$"; ps -o args; exec sleep 4246');
    await containers.containerizer.launch(own);
    const seen = (): Promise<string> => debug("ps -o args");
    const listed = await eventually(async () => {
      const all = (await seen()).match(/^sleep 424[26]$/gm);
      return all?.length === 2 ? all : undefined;
    });
    expect(listed).to.have.members(["sleep 4242", "sleep 4246"]);
    const printed = await readFile(join(own.directory, "stdout"), "utf8");
    expect(printed).to.match(/^2\n/);
    expect(printed).to.not.contain("sleep 4242");
    await containers.containerizer.signal(own.containerId, 15);
    expect((await containers.containerizer.wait(own.containerId))!.exit!.signal).to.equal(15);
    expect(await seen()).to.contain("sleep 4242");
    const shared = await within(parent, "ps -o args", {
      container: container({ linux: { share_pid_namespace: true } }),
    });
    expect(await output(shared)).to.contain("sleep 4242");
  });

  it("share the memory segments of their parent, or have their own", async () => {
    await start();
    const script = "readlink /proc/self/ns/ipc";
    const theirs = await debug(script);
    expect(await output(await within(parent, script))).to.equal(theirs);
    const own = container({ linux: { ipc_mode: LinuxInfo_IpcMode.PRIVATE, shm_size: 8 } });
    const lines = await output(
      await within(parent, `${script}; df -k /dev/shm | tail -1`, { container: own }),
    );
    expect(lines).to.not.contain(theirs.trim());
    expect(lines).to.match(/\s8192\s/);
  });

  it("share the /dev/shm of their parent, whosever that is and whatever files they have", async () => {
    const own = { ipc_mode: LinuxInfo_IpcMode.PRIVATE, shm_size: 8 };
    await start("exec sleep 1000", { container: container({ linux: own, image: true }) });
    const shared = { ipc_mode: LinuxInfo_IpcMode.SHARE_PARENT };
    const script =
      "cat /dev/shm/* 2>/dev/null; df -k /dev/shm | tail -1; echo $MESOS_SANDBOX > /dev/shm/seen";
    const first = await within(parent, `${script}; exec sleep 1000`, {
      container: container({ linux: shared }),
    });
    await containers.containerizer.launch(first);
    await eventually(async () => (await debug("cat /dev/shm/seen")).includes(first.directory) || undefined);
    const second = await within(first, script, { container: container({ linux: shared, image: true }) });
    const printed = await output(second);
    expect(printed).to.contain(first.directory);
    expect(printed).to.match(/\s8192\s/);
    expect(existsSync("/dev/shm/seen")).to.equal(false);
  });

  const fromParent = (path: string, containerPath: string, mode = Volume_Mode.RW): Volume => ({
    mode,
    container_path: containerPath,
    source: {
      type: Volume_Source_Type.SANDBOX_PATH,
      sandbox_path: { type: Volume_Source_SandboxPath_Type.PARENT, path },
    },
  });

  it("find directories of their parent's sandbox in their own", async () => {
    await start();
    const first = await within(parent, "echo hello > shared/file", {
      container: container({ volumes: [fromParent("data", "shared")] }),
    });
    await output(first);
    expect(await readFile(join(parent.directory, "data", "file"), "utf8")).to.equal("hello\n");
    const second = await within(parent, "cat /deep/file; echo more >> /deep/file || echo refused", {
      container: container({ image: true, volumes: [fromParent("data", "/deep", Volume_Mode.RO)] }),
    });
    expect(await output(second)).to.equal("hello\nrefused\n");
  });

  it("find persistent volumes of the outermost container through its sandbox, however deep they are", async () => {
    const volume = containers.work("volumes", "roles", "r", "v1");
    await mkdir(volume, { recursive: true });
    await writeFile(join(volume, "file"), "kept\n");
    const disk = resources("cpus:1;mem:256;disk(r):16").toMessages();
    for (const each of disk) {
      if (each.name !== "disk") continue;
      each.disk = {
        persistence: { id: "v1", principal: "p" },
        volume: { container_path: "store", mode: Volume_Mode.RW },
      };
    }
    await start("exec sleep 1000", { resources: Resources.of(disk) });
    const child = await within(parent, "cat mine/file; exec sleep 1000", {
      container: container({ volumes: [fromParent("store", "mine")] }),
    });
    await containers.containerizer.launch(child);
    const grandchild = await within(child, "cat theirs/file; echo new > theirs/other", {
      container: container({ volumes: [fromParent("mine", "theirs")] }),
    });
    expect(await output(grandchild)).to.equal("kept\n");
    expect(await readFile(join(volume, "other"), "utf8")).to.equal("new\n");
  });

  it("have an image of their own, whatever their parent has", async () => {
    await start();
    const child = await within(parent, "pwd; test ! -e /etc/debian_version && ls /bin/busybox", {
      container: container({ image: true }),
    });
    expect(await output(child)).to.equal("/mnt/mesos/sandbox\n/bin/busybox\n");
  });

  it("look in: the processes, files, memory, cgroups, directory and environment are those of the container", async () => {
    await start("touch /made-inside; sleep 4243 & wait", {
      container: container({ image: true }),
      environment: { COLOR: "green" },
    });
    await eventually(async () => (await debug("ls /made-inside || true")) !== "" || undefined);
    await eventually(async () => (await debug("ps -o args")).includes("\nsleep 4243") || undefined);
    expect(
      await debug("pwd; ls /made-inside /bin/busybox; echo $COLOR $MESOS_SANDBOX; cat /proc/1/comm"),
    ).to.equal("/mnt/mesos/sandbox\n/bin/busybox\n/made-inside\ngreen /mnt/mesos/sandbox\ntepui-init\n");
    const groups = await debug("cat /proc/self/cgroup");
    expect(groups).to.match(new RegExp(`memory:/${containers.cgroupRoot}/${parent.containerId.value}\n`));
    expect(groups).to.match(
      new RegExp(`freezer:/${containers.cgroupRoot}/${parent.containerId.value}/mesos/`),
    );
  });

  it("look into containers within containers too", async () => {
    await start();
    const child = await within(parent, "sleep 4244 & wait", { container: container({ image: true }) });
    await containers.containerizer.launch(child);
    await eventually(async () => (await debug("ps -o args", child)).includes("sleep 4244") || undefined);
    expect(await debug("ls /bin/busybox", child)).to.equal("/bin/busybox\n");
  });

  it("leave nothing, 50 times of 50, when they are killed or what they are in is", async () => {
    for (let round = 0; round < 50; round++) {
      await start();
      const busy = "sleep 1000 & while :; do sleep 0.002; done";
      const all = [
        await within(parent, busy),
        await within(parent, busy, {
          container: container({ linux: { share_cgroups: false } }),
          resources: resources("cpus:0.1;mem:32"),
        }),
        await within(parent, busy, { class: "debug", checkpoint: false }),
      ];
      await Promise.all(all.map((request) => containers.containerizer.launch(request)));
      const one = all[round % all.length]!;
      if (round % 2 === 0) {
        await containers.containerizer.signal(one.containerId, 9);
        await containers.containerizer.wait(one.containerId);
      }
      await containers.containerizer.destroy(parent.containerId);
      for (const controller of ["freezer", "memory", "cpu", "pids"])
        expect(existsSync(groupOf(parent, controller)), `round ${round}`).to.equal(false);
      expect(await runningIn(parent.directory), `round ${round}`).to.deep.equal([]);
    }
    expect(containers.containerizer.containers()).to.deep.equal([]);
  }).timeout(180_000);
});

/** Processes whose directory is in the sandbox. */
async function runningIn(sandbox: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const directory = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (directory.startsWith(sandbox)) found.push(pid);
  }
  return found;
}
