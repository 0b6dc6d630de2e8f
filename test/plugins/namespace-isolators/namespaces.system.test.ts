import { execFileSync } from "node:child_process";
import { readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { IpcNamespace } from "../../../plugins/namespace-isolators/ipc.js";
import { PidNamespace } from "../../../plugins/namespace-isolators/pid.js";
import { LinuxInfo_IpcMode as IpcMode, type LinuxInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { eventually } from "../../support/eventually.js";
import { container, IsolatedContainers } from "../../support/isolated-containers.js";

const MB = 1024 * 1024;

describe("namespaces/ipc and namespaces/pid", () => {
  let bench: IsolatedContainers;

  before(async function () {
    bench = await IsolatedContainers.open(this, {
      isolation: "filesystem/linux,namespaces/ipc,namespaces/pid",
      settings: { default_container_shm_size: "16MB" },
    });
  });

  after(() => bench?.close());

  const both = [false, true];
  const own = (linux?: LinuxInfo, image = false) => ({
    container: container({ image, ...(linux && { linux }) }),
  });
  /** Bytes of /dev/shm. */
  const shmSize = async (linux: LinuxInfo | undefined, image: boolean): Promise<number> =>
    Number(await bench.output("df -k /dev/shm | tail -n 1 | awk '{ print $2 }'", own(linux, image))) * 1024;

  it("hide message queues, semaphores and shared memory of the host", async () => {
    const queue = execFileSync("ipcmk", ["-Q"], { encoding: "utf8" }).match(/\d+/)![0];
    try {
      const listed = (text: string): boolean =>
        text.split("\n").some((line) => line.trim().split(/\s+/)[1] === queue);
      const shared = { ipc_mode: IpcMode.SHARE_PARENT };
      for (const image of both) {
        expect(listed(await bench.output("cat /proc/sysvipc/msg", own(undefined, image)))).to.equal(false);
        expect(
          listed(await bench.output("cat /proc/sysvipc/msg", own({ ipc_mode: IpcMode.PRIVATE }, image))),
        ).to.equal(false);
        expect(listed(await bench.output("cat /proc/sysvipc/msg", own(shared, image)))).to.equal(true);
      }
    } finally {
      execFileSync("ipcrm", ["-q", queue]);
    }
  });

  it("give private containers a /dev/shm of the size asked for, or of the default", async () => {
    for (const image of both) {
      expect(await shmSize({ ipc_mode: IpcMode.PRIVATE, shm_size: 8 }, image)).to.equal(8 * MB);
      expect(await shmSize({ ipc_mode: IpcMode.PRIVATE }, image)).to.equal(16 * MB);
      const full = await bench.output(
        "dd if=/dev/zero of=/dev/shm/file bs=1048576 count=9 2>/dev/null; wc -c < /dev/shm/file; rm /dev/shm/file",
        own({ ipc_mode: IpcMode.PRIVATE, shm_size: 8 }, image),
      );
      expect(Number(full)).to.equal(8 * MB);
    }
  });

  it("give the agent's /dev/shm to those that share it, and to those of the host's files that ask for nothing", async () => {
    const name = `tepui-test-${process.pid}`;
    await writeFile(join("/dev/shm", name), "");
    try {
      const sees = async (linux: LinuxInfo | undefined, image: boolean): Promise<boolean> =>
        (await bench.output("ls /dev/shm", own(linux, image))).split("\n").includes(name);
      expect(await sees({ ipc_mode: IpcMode.SHARE_PARENT }, false)).to.equal(true);
      expect(await sees({ ipc_mode: IpcMode.SHARE_PARENT }, true)).to.equal(true);
      expect(await sees(undefined, false)).to.equal(true);
      expect(await sees(undefined, true)).to.equal(false);
      expect(await sees({ ipc_mode: IpcMode.PRIVATE }, false)).to.equal(false);
    } finally {
      await rm(join("/dev/shm", name));
    }
  });

  it("show a container no processes but its own", async () => {
    for (const image of both) {
      const script = "ls /proc | grep -E '^[0-9]+$' | sort -n; echo $$";
      const pids = (await bench.output(script, own(undefined, image))).trim().split("\n").map(Number);
      expect(pids.length, String(image)).to.be.lessThan(10);
      expect(pids[0]).to.equal(1);
      expect(Math.max(...pids)).to.be.lessThan(20);
    }
  });

  it("keep a container from signalling what is outside, and from reading it", async () => {
    const script = `kill -0 ${process.pid} 2>/dev/null && echo reached; cat /proc/${process.pid}/environ 2>/dev/null | wc -c`;
    expect(await bench.output(script, own())).to.equal("0\n");
  });

  it("share processes with those that ask for it", async () => {
    for (const image of both) {
      const text = await bench.output("ls /proc", own({ share_pid_namespace: true }, image));
      expect(text.split("\n")).to.include(String(process.pid));
    }
  });

  it("are others for each container", async () => {
    const kinds = ["ipc", "pid", "mnt"];
    const seen = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const request = await bench.request("echo up; sleep 1000", own());
      await bench.containerizer.launch(request);
      await eventually(async () => (await readFile(join(request.directory, "stdout"), "utf8")) || undefined);
      const { executor_pid: pid } = await bench.containerizer.status(request.containerId);
      for (const kind of kinds) {
        // The first process is in the namespace of the processes that it makes.
        const name = kind === "pid" ? "pid_for_children" : kind;
        seen.add(await readlink(`/proc/${pid}/ns/${name}`));
        seen.add(await readlink(`/proc/self/ns/${kind}`));
      }
    }
    expect(seen.size).to.equal(kinds.length * 3);
  });
});

describe("what the namespace isolators refuse", () => {
  const request = async (isolator: IpcNamespace | PidNamespace, linux: LinuxInfo): Promise<string> =>
    isolator
      .prepare({ container: container({ linux }) } as Parameters<typeof isolator.prepare>[0])
      .then((given) => JSON.stringify(given) ?? "nothing", String);

  it("is to share with the agent where the operator disallows it", async () => {
    for (const disallowSharingAgent of [false, true]) {
      const ipc = new IpcNamespace({ defaultShmSize: undefined, disallowSharingAgent });
      const pid = new PidNamespace({ disallowSharingAgent });
      const shared = await request(ipc, { ipc_mode: IpcMode.SHARE_PARENT });
      const processes = await request(pid, { share_pid_namespace: true });
      if (!disallowSharingAgent) expect([shared, processes]).to.deep.equal(["nothing", "nothing"]);
      else {
        expect(shared).to.match(/Sharing agent IPC namespace with top-level container is not allowed/);
        expect(processes).to.match(/Sharing agent pid namespace with top-level container is not allowed/);
      }
    }
  });

  it("is a size of what is not the container's own, and an unknown mode", async () => {
    const ipc = new IpcNamespace({ defaultShmSize: undefined, disallowSharingAgent: false });
    const text = /Only support specifying the size of \/dev\/shm when the IPC mode is `PRIVATE`/;
    expect(await request(ipc, { shm_size: 5 })).to.match(text);
    expect(await request(ipc, { shm_size: 5, ipc_mode: IpcMode.SHARE_PARENT })).to.match(text);
    expect(await request(ipc, { ipc_mode: IpcMode.UNKNOWN })).to.match(/Unknown IPC mode/);
  });
});
