import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { DockerContainerizer } from "../../../plugins/docker-containerizer/containerizer.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";
import { DockerBench, parameters } from "./support.js";

/** Says a line each time that somebody adds to `say` in its sandbox, and ends with the code in `end`. */
const TALKER = [
  "n=0; cd /mnt/mesos/sandbox; touch say",
  "tell() { while [ $n -lt $(wc -l < say) ]; do n=$((n+1)); echo out $n; echo err $n >&2; done; }",
  "while [ ! -e end ]; do tell; sleep 0.05; done",
  "tell; echo last; exit $(cat end)",
].join("\n");

describe("Docker containers after the death of their agent", function () {
  this.timeout(60_000);
  let bench: DockerBench;
  before(async function () {
    bench = await DockerBench.start(this);
  });
  after(() => bench?.stop());

  const say = (request: ContainerRequest) => appendFile(join(request.directory, "say"), "x\n");
  const end = (request: ContainerRequest, code: number) =>
    writeFile(join(request.directory, "end"), String(code));
  const lines = (word: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${word} ${i + 1}\n`).join("");
  const heard = (request: ContainerRequest, count: number) =>
    eventually(async () => {
      const { stdout, stderr } = await bench.output(request);
      return stdout === lines("out", count) && stderr === lines("err", count) ? true : undefined;
    });
  const launch = async (docker: DockerContainerizer, script = TALKER, docker_ = {}) => {
    const request = await bench.request({ script, docker: docker_ });
    await docker.launch(request);
    return request;
  };

  it("go on; what they wrote and how they ended meanwhile is had, once", async () => {
    const first = await bench.containerizer({ agent: "r1" });
    const [stays, ends] = [await launch(first), await launch(first)];
    await Promise.all([stays, ends].flatMap((request) => [say(request), say(request)]));
    await heard(stays, 2);
    await heard(ends, 2);
    await bench.die(first);

    for (const request of [stays, ends]) await say(request);
    await end(ends, 5);
    await eventually(async () =>
      (await bench.listed())[`mesos-${ends.containerId.value}`] === "exited" ? true : undefined,
    );
    const second = await bench.containerizer({ agent: "r1" });
    await second.recover([{ request: stays }, { request: ends }]);
    expect(second.containers().map(({ value }) => value)).to.have.members([
      stays.containerId.value,
      ends.containerId.value,
    ]);
    expect((await second.wait(ends.containerId))!.exit).to.deep.equal({ code: 5, signal: undefined });
    expect(await bench.output(ends)).to.deep.equal({
      stdout: `${lines("out", 3)}last\n`,
      stderr: lines("err", 3),
    });
    await heard(stays, 3);
    await say(stays);
    await heard(stays, 4);
    expect(isAlive(readProcessStat((await second.status(stays.containerId)).executor_pid!))).to.equal(true);
    await end(stays, 0);
    expect((await second.wait(stays.containerId))!.exit!.code).to.equal(0);
    expect((await bench.output(stays)).stdout).to.equal(`${lines("out", 4)}last\n`);
    for (const { containerId } of [stays, ends]) await second.destroy(containerId);
  });

  it("lose and repeat no byte of a long log, whenever the agent dies", async () => {
    const agent = { agent: "r2" };
    const total = 40_000;
    // Long lines come in parts; the last one has no end.
    const script = [
      "cd /mnt/mesos/sandbox",
      `i=0; while [ $i -lt ${total} ]; do i=$((i+1)); echo line $i; [ $((i % 5000)) = 0 ] && echo mark $i >&2; done`,
      "head -c 100000 /dev/zero | tr '\\0' x; echo; head -c 50000 /dev/zero | tr '\\0' y",
    ].join("\n");
    let docker = await bench.containerizer(agent);
    const request = await launch(docker, script);
    let lives = 1;
    for (let size = 20_000; size < 300_000; size += 60_000) {
      await eventually(async () => ((await bench.output(request)).stdout.length >= size ? true : undefined));
      await bench.die(docker);
      docker = await bench.containerizer(agent);
      await docker.recover([{ request }]);
      lives++;
    }
    expect((await docker.wait(request.containerId))!.exit!.code).to.equal(0);
    expect(lives).to.be.greaterThan(4);
    const { stdout, stderr } = await bench.output(request);
    expect(stdout === `${lines("line", total)}${"x".repeat(100_000)}\n${"y".repeat(50_000)}`).to.equal(true);
    expect(stderr).to.equal(
      Array.from({ length: total / 5000 }, (_, i) => `mark ${(i + 1) * 5000}\n`).join(""),
    );
    await docker.destroy(request.containerId);
  });

  it("pass over what the agent wrote after it last noted where it was", async () => {
    const first = await bench.containerizer({ agent: "r3" });
    const request = await launch(first);
    // As it was before a word came: the agent was killed before it noted anything.
    const record = join(bench.daemon.directory, "records", "r3", request.containerId.value!);
    const noted = await readFile(record, "utf8");
    await say(request);
    await heard(request, 1);
    expect(JSON.parse(noted).progress.stdout).to.deep.equal({ count: 0, size: 0 });
    await bench.die(first);
    await writeFile(record, noted);
    await say(request);
    const second = await bench.containerizer({ agent: "r3" });
    await second.recover([{ request }]);
    await heard(request, 2);
    await second.destroy(request.containerId);
  });

  it("keep their terminal's output whole, too", async () => {
    const first = await bench.containerizer({ agent: "r4" });
    const request = await launch(first, TALKER.replace("echo err $n >&2;", ""), {
      parameters: parameters(["tty", "true"]),
    });
    await say(request);
    const told = (count: number) =>
      eventually(async () =>
        (await bench.output(request)).stdout === lines("out", count).replaceAll("\n", "\r\n")
          ? true
          : undefined,
      );
    await told(1);
    await bench.die(first);
    await say(request);
    const second = await bench.containerizer({ agent: "r4" });
    await second.recover([{ request }]);
    await told(2);
    await second.destroy(request.containerId);
  });

  it("are heard without a log that could be read", async () => {
    const docker = await bench.containerizer({ agent: "r5" });
    const outcome = await bench.run(docker, {
      script: "echo heard; echo too >&2",
      docker: { parameters: parameters(["log-driver", "none"]) },
    });
    expect([outcome.stdout, outcome.stderr]).to.deep.equal(["heard\n", "too\n"]);
  });

  it("are ended when nobody knows them, or only named, and those of other agents are left alone", async () => {
    const script = "exec sleep 1000";
    const mine = await bench.containerizer({ agent: "r6" });
    const other = await bench.containerizer({ agent: "r7" });
    const orphan = await launch(mine, script);
    const foreign = await launch(other, script);
    const over = await launch(mine, "true");
    const passing = await launch(mine, "true", { parameters: parameters(["rm", "true"]) });
    const name = ({ containerId }: ContainerRequest) => `mesos-${containerId.value}`;
    for (const ended of [over, passing]) {
      await mine.wait(ended.containerId);
      // The end of a container is told a moment before the list has it.
      await eventually(async () => ((await bench.listed())[name(ended)] === "exited" ? true : undefined));
    }
    await bench.die(mine);

    const dry = await bench.containerizer({ agent: "r6", killOrphans: false, removeDelay: 3_600_000 });
    await dry.recover([]);
    expect(dry.log.lines.find(({ message }) => message.includes("docker_kill_orphans"))!.fields).to.include({
      container: name(orphan),
    });
    expect((await bench.listed())[name(orphan)]).to.equal("running");
    expect((await bench.listed())[name(over)]).to.equal("exited");
    expect((await bench.listed())[name(passing)]).to.equal(undefined);
    await bench.die(dry);

    const sweeper = await bench.containerizer({ agent: "r6" });
    await sweeper.recover([]);
    expect(Object.keys(await bench.listed())).to.not.include(name(orphan));
    await eventually(async () => ((await bench.listed())[name(over)] === undefined ? true : undefined));
    expect((await bench.listed())[name(foreign)]).to.equal("running");
    await other.destroy(foreign.containerId);
  });

  it("are taken up by another name, too", async () => {
    const first = await bench.containerizer({ agent: "r9" });
    const request = await launch(first);
    await bench.die(first);
    await bench.daemon.api("POST", `/containers/mesos-${request.containerId.value}/rename?name=other`);
    const second = await bench.containerizer({ agent: "r9" });
    await second.recover([{ request }]);
    await say(request);
    await heard(request, 1);
    await second.destroy(request.containerId);
    expect(Object.keys(await bench.listed())).to.not.include("other");
  });

  it("are not taken up when they never ran", async () => {
    const docker = await bench.containerizer({ agent: "r8" });
    const request = await launch(docker, "true");
    await docker.wait(request.containerId);
    await bench.die(docker);
    const name = `mesos-${request.containerId.value}`;
    await bench.daemon.api("DELETE", `/containers/${name}`);
    const again = await bench.containerizer({ agent: "r8" });
    await again.recover([{ request }]);
    expect(again.containers()).to.deep.equal([]);
  });
});

describe("Docker containers when their daemon goes away", function () {
  this.timeout(90_000);
  let bench: DockerBench;
  afterEach(() => bench?.stop());

  it("live on where the daemon lets them, and are heard again", async function () {
    bench = await DockerBench.start(this, { liveRestore: true });
    const docker = await bench.containerizer();
    const request = await bench.request({ script: TALKER });
    await docker.launch(request);
    await appendFile(join(request.directory, "say"), "x\n");
    await eventually(async () => ((await bench.output(request)).stdout === "out 1\n" ? true : undefined));
    await bench.daemon.end("SIGTERM");
    await eventually(() =>
      docker.log.messages("warn").some((message) => message.startsWith("the Docker daemon went away"))
        ? true
        : undefined,
    );
    await appendFile(join(request.directory, "say"), "x\n");
    const other = await bench.request({ script: "true" });
    const refused = await docker.launch(other).then(String, (error: Error) => error.message);
    expect(refused).to.match(
      /^Failed to launch container: the Docker daemon cannot be reached at .*d\.sock: (there is no such socket|nobody listens there)$/,
    );
    await bench.daemon.restart();
    await eventually(async () =>
      (await bench.output(request)).stdout === "out 1\nout 2\n" ? true : undefined,
    );
    await writeFile(join(request.directory, "end"), "6");
    expect((await docker.wait(request.containerId))!.exit!.code).to.equal(6);
    expect((await bench.output(request)).stdout).to.equal("out 1\nout 2\nlast\n");
    await docker.destroy(request.containerId);
  });

  it("end with it otherwise, and that is known when it is back", async function () {
    bench = await DockerBench.start(this);
    const docker = await bench.containerizer();
    const requests = await Promise.all(
      [1, 2].map(() => bench.request({ script: "echo up; exec sleep 1000" })),
    );
    await Promise.all(requests.map((request) => docker.launch(request)));
    const [first, second] = requests as [ContainerRequest, ContainerRequest];
    await bench.daemon.end("SIGKILL");
    // Asked for while nobody is there to do it.
    const destroyed = docker.destroy(second.containerId);
    await bench.daemon.restart();
    expect((await docker.wait(first.containerId))!.exit).to.not.equal(undefined);
    await destroyed;
    await docker.destroy(first.containerId);
    expect(docker.containers()).to.deep.equal([]);
    await eventually(async () => (Object.keys(await bench.listed()).length === 0 ? true : undefined), 30_000);
  });

  it("fail to start an agent with one line", async function () {
    bench = await DockerBench.start(this);
    const failure = await bench
      .containerizer({ socket: "/no/such.sock" })
      .then(String, (error: Error) => error.message);
    expect(failure).to.equal("the Docker daemon cannot be reached at /no/such.sock: there is no such socket");
  });
});
