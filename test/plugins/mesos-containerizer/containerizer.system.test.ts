import { spawn } from "node:child_process";
import { chmod, chown, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { ContainerInfo_Type, ExecutorInfo_Type, Volume_Mode } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import { accountOf, isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { parseResources } from "../../../sdk/resources/index.js";
import { eventually } from "../../support/eventually.js";
import { ContainerizerBench } from "./support.js";

describe("mesos containerizer", () => {
  let bench: ContainerizerBench;

  const open = async (isolators: readonly Isolator[] = []): Promise<ContainerizerBench> => {
    bench = await ContainerizerBench.open({ isolators });
    return bench;
  };

  afterEach(() => bench.close());

  const refusal = (launch: Promise<unknown>): Promise<string> => launch.then(() => "launched", String);

  it("runs a command in its sandbox and tells how it ended", async () => {
    const { containerizer } = await open();
    const environment = { GREETING: "hi" };
    const request = await bench.request('echo "$GREETING $MESOS_SANDBOX"; echo oops >&2; exit 3', {
      environment,
    });
    expect(await containerizer.launch(request)).to.equal(true);
    const end = await containerizer.wait(request.containerId);
    expect(end!.exit).to.deep.equal({ code: 3, signal: undefined });
    expect(await readFile(join(request.directory, "stdout"), "utf8")).to.equal(`hi ${request.directory}\n`);
    expect(await readFile(join(request.directory, "stderr"), "utf8")).to.equal("oops\n");
  });

  it("runs a program without a shell, under the name that the arguments start with", async () => {
    const { containerizer } = await open();
    const command = {
      shell: false,
      value: "sh",
      arguments: ["other", "-c", 'echo "$0 $1"', "a", "b c"],
      uris: [],
    };
    const request = await bench.request("", { command });
    await containerizer.launch(request);
    await containerizer.wait(request.containerId);
    expect(await readFile(join(request.directory, "stdout"), "utf8")).to.equal("a b c\n");
  });

  it("asks isolators in their order, and lets the process go only when all have dealt with it", async () => {
    const seen: string[] = [];
    const isolator = (name: string): Isolator => ({
      name,
      prepare: async () => {
        seen.push(`prepare ${name}`);
        return { environment: { LAST: name, [`FROM_${name}`]: "1" } };
      },
      isolate: async (_id, pid) => {
        const ran = await stat(join(bench.directory, "sandboxes", "c0", "ran")).catch(() => undefined);
        seen.push(
          `isolate ${name} ${isAlive(readProcessStat(pid))} ${ran === undefined ? "before" : "after"} the command`,
        );
      },
      cleanup: async () => {
        seen.push(`cleanup ${name}`);
      },
    });
    const { containerizer } = await open([isolator("A"), isolator("B")]);
    const request = await bench.request('touch ran; echo "$LAST $FROM_A"');
    await containerizer.launch(request);
    await containerizer.wait(request.containerId);
    await containerizer.destroy(request.containerId);
    expect(await readFile(join(request.directory, "stdout"), "utf8")).to.equal("B 1\n");
    expect(seen).to.deep.equal([
      "prepare A",
      "prepare B",
      "isolate A true before the command",
      "isolate B true before the command",
      "cleanup B",
      "cleanup A",
    ]);
  });

  it("does not run what an isolator refuses, and leaves nothing of it", async () => {
    const isolator: Isolator = {
      name: "strict",
      isolate: async () => {
        throw new Error("no room in the cgroup");
      },
    };
    const { containerizer } = await open([isolator]);
    const request = await bench.request("touch ran");
    expect(await refusal(containerizer.launch(request))).to.match(/no room in the cgroup/);
    expect(await readdir(request.directory)).to.not.include("ran");
    expect(containerizer.containers()).to.deep.equal([]);
    expect(await containerizer.wait(request.containerId)).to.equal(undefined);
  });

  it("goes on when an isolator cannot clean up, and counts the container", async () => {
    const cleaned: string[] = [];
    const bench = await open([
      { name: "first", cleanup: async () => void cleaned.push("first") },
      { name: "second", cleanup: () => Promise.reject(new Error("busy")) },
    ]);
    const request = await bench.request("true");
    await bench.containerizer.launch(request);
    await bench.containerizer.destroy(request.containerId);
    expect(cleaned).to.deep.equal(["first"]);
    expect(bench.containerizer.containers()).to.deep.equal([]);
    expect(bench.metrics.counter("destroyErrors").value).to.equal(1);
  });

  it("tries again to end what it could not end before", async () => {
    const { containerizer, launcher } = await open([]);
    const request = await bench.request("sleep 1000");
    await containerizer.launch(request);
    const destroy = launcher.destroy.bind(launcher);
    launcher.destroy = () => Promise.reject(new Error("frozen for now"));
    expect(await refusal(containerizer.destroy(request.containerId))).to.match(/frozen for now/);
    expect(containerizer.containers()).to.have.length(1);
    launcher.destroy = destroy;
    await containerizer.destroy(request.containerId);
    expect(containerizer.containers()).to.deep.equal([]);
  });

  it("ends a container whose limit was crossed, with the isolator's reason", async () => {
    let cross = (): void => undefined;
    const isolator: Isolator = {
      name: "limit",
      watch: () =>
        new Promise((resolve) => {
          // REASON_CONTAINER_LIMITATION_DISK
          cross = () => resolve({ message: "too much", reason: 20 });
        }),
    };
    const { containerizer } = await open([isolator]);
    const request = await bench.request("sleep 1000");
    await containerizer.launch(request);
    cross();
    const end = await containerizer.wait(request.containerId);
    expect(end).to.deep.include({ reason: 20, message: "too much" });
    expect(end!.exit!.signal).to.equal(9);
  });

  it("measures what its isolators measure, beside what was promised", async () => {
    const isolator: Isolator = { name: "meter", usage: async () => ({ mem_rss_bytes: 5n }) };
    const { containerizer } = await open([isolator]);
    const resources = parseResources("cpus:0.5;mem:64");
    if (!resources.ok) throw new Error(resources.error);
    const request = await bench.request("sleep 1000", { resources: resources.value });
    await containerizer.launch(request);
    expect(await containerizer.usage(request.containerId)).to.deep.include({
      cpus_soft_limit: 0.5,
      mem_limit_bytes: 67108864n,
      mem_soft_limit_bytes: 67108864n,
      mem_rss_bytes: 5n,
    });
    const { executor_pid } = await containerizer.status(request.containerId);
    expect(isAlive(readProcessStat(executor_pid!))).to.equal(true);
    await containerizer.destroy(request.containerId);
    expect(await refusal(containerizer.usage(request.containerId))).to.match(/Container cannot be found/);
  });

  it("leaves containers of another kind to another containerizer", async () => {
    const { containerizer } = await open();
    const container = { type: ContainerInfo_Type.DOCKER, volumes: [], network_infos: [] };
    expect(await containerizer.launch(await bench.request("true", { container }))).to.equal(false);
  });

  it("refuses what no isolator gives, rather than run a command without it", async () => {
    const { containerizer } = await open();
    const container = {
      type: ContainerInfo_Type.MESOS,
      mesos: { image: { type: 2, docker: { name: "alpine" } } },
      volumes: [{ container_path: "/data", host_path: "/srv", mode: Volume_Mode.RW }],
      network_infos: [{ name: "net", ip_addresses: [], groups: [], port_mappings: [] }],
    };
    const text = await refusal(containerizer.launch(await bench.request("true", { container })));
    expect(text).to.match(/container images.*volumes.*container networks/);
  });

  it("refuses what belongs to a network of a container's own, also where the network has no name", async () => {
    const { containerizer } = await open();
    const container = { type: ContainerInfo_Type.MESOS, volumes: [], network_infos: [] };
    const network = { ip_addresses: [], groups: [], port_mappings: [] };
    const asked = [
      { hostname: "h" },
      { network_infos: [{ ...network, port_mappings: [{ host_port: 80, container_port: 80 }] }] },
      { network_infos: [{ ...network, ip_addresses: [{ ip_address: "10.0.0.9" }] }] },
    ];
    for (const more of asked) {
      const request = await bench.request("true", { container: { ...container, ...more } });
      expect(await refusal(containerizer.launch(request))).to.match(
        /this agent has no (host names|container net)/,
      );
    }
    const plain = await bench.request("true", { container: { ...container, network_infos: [network] } });
    expect(await containerizer.launch(plain)).to.equal(true);
  });

  it("says which program is missing", async () => {
    const { containerizer } = await open();
    const command = { shell: false, value: "/no/such/program", arguments: [], uris: [] };
    const text = await refusal(containerizer.launch(await bench.request("", { command })));
    expect(text).to.match(
      /Failed to launch container: Failed to execute '\/no\/such\/program': No such file or directory/,
    );
  });

  it("destroys a container while its files are fetched", async () => {
    const isolator: Isolator = {
      name: "slow",
      prepare: (request) => containerizer.destroy(request.containerId).then(() => undefined),
    };
    const { containerizer } = await open([isolator]);
    const request = await bench.request("touch ran");
    expect(await refusal(containerizer.launch(request))).to.match(/the container was destroyed/);
    expect(await readdir(request.directory)).to.deep.equal([]);
  });

  it("takes back what survived, tells its end, and ends what nobody asks for", async () => {
    const { containerizer } = await open();
    const kept = await bench.request("while [ ! -e release ]; do sleep 0.05; done; exit 9");
    const unknown = await bench.request("sleep 1000");
    await containerizer.launch(kept);
    await containerizer.launch(unknown);
    const { executor_pid } = await containerizer.status(unknown.containerId);
    await bench.launcher.stop();

    const next = await ContainerizerBench.open({ directory: bench.directory });
    await next.containerizer.recover([{ request: kept }]);
    expect(isAlive(readProcessStat(executor_pid!))).to.equal(false);
    expect(next.containerizer.containers()).to.deep.equal([kept.containerId]);
    const end = next.containerizer.wait(kept.containerId);
    await writeFile(join(kept.directory, "release"), "");
    expect((await end)!.exit).to.deep.equal({ code: 9, signal: undefined });
    await next.containerizer.destroy(kept.containerId);
    await eventually(async () =>
      (await readdir(join(bench.directory, "records"))).length === 0 ? true : undefined,
    );
    await next.launcher.stop();
  });

  it("takes over the executor of another agent, also once more, and ends all of it", async () => {
    const { containerizer } = await open();
    const request = await bench.request("true");
    const task = { name: "t", task_id: { value: "t" }, agent_id: { value: "a" }, resources: [], limits: {} };
    // As Mesos's agents leave one: the first process of a session, and nobody beside it.
    const child = spawn("sh", ["-c", "sleep 1000 & echo $! > inner; while :; do sleep 0.1; done"], {
      cwd: request.directory,
      detached: true,
      stdio: "ignore",
    });
    const pid = child.pid!;
    const inner = await eventually(async () => {
      const text = await readFile(join(request.directory, "inner"), "utf8").catch(() => "");
      return text.endsWith("\n") ? Number(text) : undefined;
    });
    try {
      const pod = { ...request.executor, type: ExecutorInfo_Type.DEFAULT };
      await containerizer.recover([
        { request: { ...request, containerId: { value: "pod" }, executor: pod }, process: pid },
        { request: { ...request, containerId: { value: "task" }, task }, process: pid },
        { request, process: pid },
      ]);
      expect(containerizer.containers()).to.deep.equal([request.containerId]);
      expect((await containerizer.status(request.containerId)).executor_pid).to.equal(pid);
      await bench.launcher.stop();

      const next = await ContainerizerBench.open({ directory: bench.directory });
      await next.containerizer.recover([{ request, process: pid }]);
      const end = next.containerizer.wait(request.containerId);
      await next.containerizer.destroy(request.containerId);
      expect((await end)!.exit, "nobody could see how").to.equal(undefined);
      for (const one of [pid, inner])
        await eventually(() => (isAlive(readProcessStat(one)) ? undefined : true));
      await next.launcher.stop();
    } finally {
      child.kill("SIGKILL");
    }
  });

  if (process.geteuid?.() === 0) {
    it("runs as another user, with that user's rights alone", async () => {
      const { containerizer } = await open();
      const request = await bench.request("id -un; id -Gn; cat /etc/shadow", { user: "nobody" });
      const account = await accountOf("nobody");
      await chown(request.directory, account!.uid, account!.gid);
      await chmod(bench.directory, 0o755);
      await containerizer.launch(request);
      const end = await containerizer.wait(request.containerId);
      expect(end!.exit!.code).to.equal(1);
      expect(await readFile(join(request.directory, "stdout"), "utf8")).to.match(/^nobody\n(?!.*root)/);
      expect((await stat(join(request.directory, "stdout"))).uid).to.equal(account!.uid);
    });

    it("says that a user does not exist", async () => {
      const { containerizer } = await open();
      const text = await refusal(containerizer.launch(await bench.request("true", { user: "no-such-user" })));
      expect(text).to.match(/The user 'no-such-user' does not exist on this host/);
    });
  } else {
    it("says that it takes root to run as another user", async () => {
      const { containerizer } = await open();
      const text = await refusal(containerizer.launch(await bench.request("true", { user: "root" })));
      expect(text).to.match(/the agent does not run as root and cannot run commands as user 'root'/);
    });
  }
});
