import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { DockerContainerizer } from "../../../plugins/docker-containerizer/containerizer.js";
import { TaskStatus_Reason as Reason } from "../../../proto/gen/mesos/v1/mesos.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { eventually } from "../../support/eventually.js";
import { Reading } from "../launchers/switchboard-support.js";
import { DockerBench, parameters, refusal, resourcesOf } from "./support.js";

describe("life of a Docker container", function () {
  this.timeout(60_000);
  let bench: DockerBench;
  let docker: DockerContainerizer;
  before(async function () {
    bench = await DockerBench.start(this);
    docker = await bench.containerizer();
  });
  after(() => bench?.stop());

  it("leaves containers of other types to others", async () => {
    const request = await bench.request();
    expect(await docker.launch({ ...request, container: undefined })).to.equal(false);
  });

  it("runs a task's script in its image, with its sandbox and its variables, and tells its exit code", async () => {
    const script =
      'echo "$GREETING $FROM_IMAGE $MESOS_SANDBOX $MESOS_CONTAINER_NAME"; pwd > /mnt/mesos/sandbox/where; echo oops >&2; exit 3';
    const variables = [{ name: "GREETING", value: "hi" }];
    const { end, stdout, stderr, request } = await bench.run(docker, {
      script,
      command: { environment: { variables } },
    });
    expect(end).to.deep.equal({ exit: { code: 3, signal: undefined } });
    expect(stdout).to.equal(`hi yes /mnt/mesos/sandbox mesos-${request.containerId.value}\n`);
    expect(stderr).to.equal("oops\n");
    expect(await readFile(join(request.directory, "where"), "utf8")).to.equal("/\n");
    expect(Object.keys(await bench.listed())).to.not.include(`mesos-${request.containerId.value}`);
  });

  it("runs what the image runs, or its arguments, or a program, as the command says", async () => {
    expect((await bench.run(docker, {})).stdout).to.equal("of the image\n");
    const words = { shell: false, value: "echo", arguments: ["a", "b  c"] };
    expect((await bench.run(docker, { command: words })).stdout).to.equal("a b  c\n");
    const entry = { parameters: parameters(["entrypoint", "/bin/echo"]) };
    const only = { shell: false, arguments: ["x", "y"] };
    expect((await bench.run(docker, { command: only, docker: entry })).stdout).to.equal("x y\n");
  });

  it("gives an executor the agent's variables, and a task none of them", async () => {
    const script = 'echo "[$MESOS_FRAMEWORK_ID]"';
    expect((await bench.run(docker, { script })).stdout).to.equal("[]\n");
    expect((await bench.run(docker, { script, executor: true })).stdout).to.equal("[f]\n");
  });

  it("tells where it runs and what it uses, with the kernel's own figures", async () => {
    const request = await bench.request({
      script: "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exec sleep 1000",
    });
    await docker.launch(request);
    const { executor_pid: pid, network_infos } = await docker.status(request.containerId);
    expect(isAlive(readProcessStat(pid!))).to.equal(true);
    expect(network_infos).to.deep.equal([]);
    const usage = await eventually(async () => {
      const found = await docker.usage(request.containerId);
      return found.cpus_user_time_secs! > 0 ? found : undefined;
    });
    expect(usage.mem_limit_bytes).to.equal(64n << 20n);
    expect(usage.cpus_soft_limit).to.equal(0.5);
    expect(Number(usage.mem_total_bytes)).to.be.greaterThan(0);
    await docker.destroy(request.containerId);
    expect(isAlive(readProcessStat(pid!))).to.equal(false);
    expect(docker.containers()).to.deep.equal([]);
    expect(await docker.wait(request.containerId)).to.equal(undefined);
    expect(await docker.signal(request.containerId, 9)).to.equal(false);
  });

  it("asks a container to end, by the signal that its image names, and then makes it end", async () => {
    const trap =
      "trap 'echo polite; exit 7' TERM; trap 'echo quit; exit 8' QUIT; echo up; while :; do sleep 0.05; done";
    const up = async (request: Awaited<ReturnType<typeof bench.request>>) => {
      await docker.launch(request);
      await eventually(async () => ((await bench.output(request)).stdout.includes("up") ? true : undefined));
    };
    const plain = await bench.request({ script: trap });
    await up(plain);
    expect(await docker.signal(plain.containerId, 15)).to.equal(true);
    expect((await docker.wait(plain.containerId))!.exit!.code).to.equal(7);

    const quits = await bench.request({
      script: trap,
      docker: { parameters: parameters(["stop-signal", "SIGQUIT"]) },
    });
    await up(quits);
    await docker.signal(quits.containerId, 15);
    expect((await docker.wait(quits.containerId))!.exit!.code).to.equal(8);
    expect((await bench.output(quits)).stdout).to.equal("up\nquit\n");

    const deaf = await bench.request({ script: "trap '' TERM; echo up; while :; do sleep 0.05; done" });
    await up(deaf);
    await docker.signal(deaf.containerId, 15);
    await docker.signal(deaf.containerId, 9);
    expect((await docker.wait(deaf.containerId))!.exit!.code).to.equal(137);
    for (const { containerId } of [plain, quits, deaf]) await docker.destroy(containerId);
  });

  it("ends a container in order when that has its time", async () => {
    const patient = await bench.containerizer({ agent: "patient", stopTimeout: 20_000 });
    const request = await bench.request({
      script: "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done",
    });
    await patient.launch(request);
    await eventually(async () => ((await bench.output(request)).stdout.includes("up") ? true : undefined));
    await patient.destroy(request.containerId);
    expect((await bench.output(request)).stdout).to.equal("up\nbye\n");
  });

  it("says that memory ran out, and how much there was", async () => {
    const { end } = await bench.run(docker, {
      script: "sleep 0.5; exec tail -c 100000000 /dev/zero",
      resources: "cpus:1;mem:32",
      docker: { parameters: parameters(["memory-swap", "32m"]) },
    });
    expect(end.reason).to.equal(Reason.REASON_CONTAINER_LIMITATION_MEMORY);
    expect(end.message).to.equal("Memory limit exceeded: Requested: 32MB Limit: 32MB");
    expect(end.limitation!.resources.map(({ name, scalar }) => [name, scalar!.value])).to.deep.equal([
      ["mem", 32],
    ]);
  });

  it("changes what a running container may use", async () => {
    const request = await bench.request({
      script: "exec sleep 1000",
      executor: true,
      resources: "cpus:0.5;mem:64",
    });
    await docker.launch(request);
    const pid = (await docker.status(request.containerId)).executor_pid!;
    const group = (await readFile(`/proc/${pid}/cgroup`, "utf8"))
      .split("\n")
      .find((line) => /:memory:/.test(line))!;
    const read = async (controller: string, file: string) =>
      (await readFile(join("/sys/fs/cgroup", controller, group.split(":")[2]!, file), "utf8")).trim();
    expect([await read("cpu", "cpu.shares"), await read("memory", "memory.limit_in_bytes")]).to.deep.equal([
      "512",
      String(64 << 20),
    ]);
    await docker.update(request.containerId, resourcesOf("cpus:2;mem:128"), {});
    expect([await read("cpu", "cpu.shares"), await read("memory", "memory.limit_in_bytes")]).to.deep.equal([
      "2048",
      String(128 << 20),
    ]);
    await docker.update(request.containerId, resourcesOf("cpus:1;mem:64"), { cpus: 1.5, mem: 256 });
    expect(await read("cpu", "cpu.cfs_quota_us")).to.equal("150000");
    expect(await read("memory", "memory.limit_in_bytes")).to.equal(String(256 << 20));
    expect(await read("memory", "memory.soft_limit_in_bytes")).to.equal(String(64 << 20));
    await docker.destroy(request.containerId);
  });

  it("refuses clearly what cannot run, and leaves nothing of it", async () => {
    const before = await bench.listed();
    const launch = async (ask: Parameters<typeof bench.request>[0]) =>
      refusal(docker.launch(await bench.request(ask)));
    const parameter = (key: string, value: string) => ({ docker: { parameters: parameters([key, value]) } });
    expect(await launch({ script: "true", ...parameter("color", "blue") })).to.equal(
      "Failed to launch container: Failed to create docker run options: Unknown Docker parameter 'color'",
    );
    expect(await launch({ script: "true", ...parameter("memory", "much") })).to.equal(
      "Failed to launch container: Failed to create docker run options: Docker parameter 'memory' with the value 'much' must be a size such as 64m",
    );
    expect(await launch({ command: { shell: false, value: "/no/such" } })).to.match(
      /^Failed to launch container: .*exec: "\/no\/such".*no such file or directory/,
    );
    expect(await launch({ script: "true", ...parameter("network", "elsewhere") })).to.match(
      /network elsewhere not found/,
    );
    expect(await launch({ script: "true", docker: { image: "127.0.0.1:9/none" } })).to.match(
      /^Failed to launch container: image '127.0.0.1:9\/none:latest' cannot be pulled: .*127.0.0.1:9.*connection refused/,
    );
    expect(await bench.listed()).to.deep.equal(before);
    expect(docker.containers()).to.deep.equal([]);
  });

  it("keeps a container that is over for a while, and removes it then", async () => {
    const clock = new VirtualClock();
    const keeping = await bench.containerizer({ agent: "keeping", removeDelay: 2000, clock });
    const request = await bench.request({ script: "true" });
    await keeping.launch(request);
    await keeping.wait(request.containerId);
    await keeping.destroy(request.containerId);
    const name = `mesos-${request.containerId.value}`;
    await clock.advance(1999);
    await eventually(async () => ((await bench.listed())[name] === "exited" ? true : undefined));
    await clock.advance(1);
    await eventually(async () => ((await bench.listed())[name] === undefined ? true : undefined));
  });

  it("gives its output to the programs of the agent's logger", async () => {
    const file = join(bench.daemon.directory, "logged");
    const piped = await bench.containerizer({
      agent: "piped",
      containerLogger: {
        prepare: async ({ directory }) => ({
          stdout: { command: ["sh", "-c", 'sed "s/^/said: /" >> "$0"', file] },
          stderr: join(directory, "stderr"),
        }),
      },
    });
    await bench.run(piped, { script: "echo one; echo two; echo bad >&2" });
    await eventually(async () =>
      (await readFile(file, "utf8")) === "said: one\nsaid: two\n" ? true : undefined,
    );
  });

  it("copies each byte once, from its first moment over the change to its log until its end", async () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");
    const talks = "i=0; while [ $i -lt 150 ]; do i=$((i+1)); echo $i; echo $i >&2; sleep 0.01; done";
    const bursts = "head -c 3000000 /dev/zero | tr '\\0' x; sleep 0.2; echo; echo the end";
    const terminal = { parameters: parameters(["tty", "true"]) };
    const [slow, fast, tty] = await Promise.all([
      bench.run(docker, { script: talks }),
      bench.run(docker, { script: bursts }),
      bench.run(docker, { script: talks, docker: terminal }),
    ]);
    expect([slow.stdout, slow.stderr]).to.deep.equal([numbers(150), numbers(150)]);
    expect(fast.stdout === `${"x".repeat(3_000_000)}\nthe end\n`).to.equal(true);
    expect(tty.stdout.replaceAll("\r", "")).to.equal(numbers(150).replace(/.+\n/g, "$&$&"));
  });

  it("lets its output be followed, and takes no input", async () => {
    const script = "until [ -e /mnt/mesos/sandbox/go ]; do sleep 0.1; done; echo out; echo err >&2";
    const request = await bench.request({ script });
    await docker.launch(request);
    const streams = docker.attach(request.containerId)!;
    const output = new Reading(streams);
    const problem = await streams.input().catch((error: unknown) => error);
    expect(problem).to.have.property("code", "TEPUI_CONTAINER_REQUEST_INVALID");
    await writeFile(join(request.directory, "go"), "");
    expect(await output.end()).to.deep.equal({ stdout: "out\n", stderr: "err\n" });
    await docker.destroy(request.containerId);
    expect(docker.attach(request.containerId)).to.equal(undefined);
  });

  it("copies nothing through a link that was planted in the sandbox", async () => {
    const request = await bench.request({ script: "echo secret" });
    const victim = join(bench.daemon.directory, "victim");
    await writeFile(victim, "");
    await symlink(victim, join(request.directory, "stdout"));
    expect(await refusal(docker.launch(request))).to.match(/ELOOP/);
    expect(await readFile(victim, "utf8")).to.equal("");
  });

  it("runs many at once, and knows the end of each", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => bench.run(docker, { script: `echo ${i}; exit ${i}` })),
    );
    expect(outcomes.map(({ end, stdout }) => [end.exit!.code, stdout])).to.deep.equal(
      outcomes.map((_, i) => [i, `${i}\n`]),
    );
  });
});
