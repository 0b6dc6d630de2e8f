import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { FrameworkInfo_Capability_Type as Capability, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceList } from "../../sdk/index.js";
import { openCgroups } from "../../sdk/node-cgroup/index.js";
import { sharedExecutor } from "../examples/run-example.js";
import { CONTROL_MAJOR, MAJOR, makeUpNvidia } from "../plugins/gpu-isolator/made-up-nvidia.js";
import { until } from "../support/cluster.js";
import { boxed, ContainerHost, FULL_ISOLATION } from "../support/container-host.js";
import { requireThat } from "../support/require-part.js";

const run = promisify(execFile);

/** Of no device there is: who may open the node is told that, and who may not is told so. */
const ALLOWED = "No such device or address";
const DENIED = "Operation not permitted";

const DEVICES = [0, 1, 2]
  .map((minor) => `${MAJOR}:${minor}`)
  .concat(`${CONTROL_MAJOR}:255`, `${CONTROL_MAJOR}:0`);

/** Prints `MAJOR:MINOR REASON` for each, opened by nodes of its own making. */
const probe = (directory: string): string =>
  DEVICES.map((device) => {
    const node = `${directory}/probe-${device.replace(":", "-")}`;
    return `mknod ${node} c ${device.replace(":", " ")}; perl -e 'open(my $file, "<", $ARGV[0]); print "${device} $!\\n"' ${node}; rm ${node}`;
  }).join("; ");

const results = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    [...stdout.matchAll(/^(\d+:\d+) (.+)$/gm)].map(([, device, result]) => [device!, result!]),
  );

const allowing = (...minors: number[]): Record<string, string> =>
  Object.fromEntries(
    DEVICES.map((device) => {
      const [major, minor] = device.split(":").map(Number);
      const allowed = minors.length > 0 && (major === CONTROL_MAJOR || minors.includes(minor!));
      return [device, allowed ? ALLOWED : DENIED];
    }),
  );

describe("GPUs of containers", function () {
  this.timeout(60_000);
  let directory: string;
  let host: ContainerHost;

  before(async function () {
    requireThat(this, process.geteuid?.() === 0, "device nodes need root");
    directory = await mkdtemp(join(tmpdir(), "tepui-gpus-"));
    makeUpNvidia(directory, { gpus: 3 });
    host = await ContainerHost.open(this, {
      isolation: [...FULL_ISOLATION, "gpu/nvidia"],
      plugins: [{ use: "gpu-isolator", config: { root: directory } }],
      framework: { capabilities: [{ type: Capability.GPU_RESOURCES }] },
      labels: { "com.nvidia.volumes.needed": "nvidia_driver" },
      entries: [{ name: "bin/mknod", type: "2", target: "busybox" }],
    });
  });
  after(async () => {
    await host?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const gpus = (count: number) => ({ resources: resourceList(`cpus:0.1;mem:64;gpus:${count}`) });

  /** From a process that joins the container's group: what the container itself may open. */
  async function probeFrom(executor: string): Promise<Record<string, string>> {
    const cgroups = await openCgroups();
    const path = join(host.cgroupRoot, await host.containerId(executor));
    const { directories } = cgroups.group(path, ["devices"]);
    await cgroups.close();
    const script = `echo $$ > ${directories[0]}/cgroup.procs && { ${probe(directory)}; }`;
    const { stdout } = await run("sh", ["-c", script]);
    return results(stdout);
  }

  it("are opened to it whole, and no others", async () => {
    const one = await host.run(`echo visible=$NVIDIA_VISIBLE_DEVICES; ls /dev; ${probe("/dev")}`, {
      ...boxed(),
      ...gpus(1),
    });
    expect(one.status.state, one.status.message).to.equal(TaskState.TASK_FINISHED);
    expect(one.stdout).to.match(/^visible=0$/m);
    // The first by PCI address.
    expect(one.stdout.match(/^nvidia.*$/gm)).to.deep.equal(["nvidia-uvm", "nvidia2", "nvidiactl"]);
    expect(results(one.stdout)).to.deep.equal(allowing(2));
    const none = await host.run(`echo visible=$NVIDIA_VISIBLE_DEVICES; ls /dev; ${probe("/dev")}`, boxed());
    expect(none.stdout).to.match(/^visible=$/m);
    expect(none.stdout).not.to.match(/^nvidia/m);
    expect(results(none.stdout)).to.deep.equal(allowing());
  });

  it("come with the driver's files for images that ask for them", async () => {
    const { stdout } = await host.run(
      "/usr/local/nvidia/bin/nvidia-smi; cat /usr/local/nvidia/lib64/libcuda.so.1; echo; echo $PATH $LD_LIBRARY_PATH; touch /usr/local/nvidia/bin/nvidia-smi || echo kept",
      { ...boxed(), ...gpus(1) },
    );
    expect(stdout).to.match(/^made up\ncuda\n/);
    expect(stdout).to.match(/:\/usr\/local\/nvidia\/bin .*\/usr\/local\/nvidia\/lib64\nkept\n$/);
  });

  it("are opened and closed to an executor as its tasks come and go", async () => {
    const executor = sharedExecutor("shared");
    const start = async (name: string): Promise<void> => {
      host.runner.run(name, {}, { executor, data: Buffer.from("1000000"), ...gpus(1) });
      await host.runner.reaches(name, TaskState.TASK_RUNNING);
    };
    const opens = (...minors: number[]): Promise<void> =>
      until(async () => {
        const found = await probeFrom("shared");
        return JSON.stringify(found) === JSON.stringify(allowing(...minors));
      });
    await start("first");
    await opens(2);
    await start("second");
    await opens(2, 1);
    await host.runner.kill("second");
    await opens(2);
    await host.runner.kill("first");
  });

  it("stay with it when the agent is killed", async () => {
    const hold = "echo visible=$NVIDIA_VISIBLE_DEVICES; sleep 1000";
    host.runner.run("keeps", { value: hold }, { ...boxed(), ...gpus(2) });
    await host.runner.reaches("keeps", TaskState.TASK_RUNNING);
    expect(await probeFrom("keeps")).to.deep.equal(allowing(2, 1));
    await host.kill();
    const other = await host.run(`echo visible=$NVIDIA_VISIBLE_DEVICES; ${probe("/dev")}`, {
      ...boxed(),
      ...gpus(1),
    });
    expect(other.stdout).to.match(/^visible=2$/m);
    expect(results(other.stdout)).to.deep.equal(allowing(0));
    expect(await probeFrom("keeps")).to.deep.equal(allowing(2, 1));
    await host.runner.kill("keeps");
    const all = await host.run("echo visible=$NVIDIA_VISIBLE_DEVICES", { ...boxed(), ...gpus(3) });
    expect(all.stdout).to.equal("visible=0,1,2\n");
  });
});
