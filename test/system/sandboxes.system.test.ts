import { access, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import { requirePart } from "../support/require-part.js";
import { Runner, sandboxOf } from "../support/runner.js";

describe("sandboxes on a real agent", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let agent: Daemon;
  let runner: Runner;
  let server: Server | undefined;

  async function start(...agentFlags: string[]): Promise<void> {
    cluster = await startCluster({ agentFlags });
    agent = cluster.agents[0]!;
    runner = new Runner(cluster);
    await runner.start();
  }

  afterEach(async () => {
    server?.close();
    server = undefined;
    await runner?.stop();
    await agent?.stop();
    await cluster?.stop();
  });

  it("keep output within its size, also while the agent is away", async function () {
    requirePart(this, "perl", "perl-base");
    const parameters = [
      { key: "max_stdout_size", value: "8KB" },
      { key: "logrotate_stdout_options", value: "rotate 3" },
    ];
    const name = "org_apache_mesos_LogrotateContainerLogger";
    const modules = { libraries: [{ file: "liblogrotate.so", modules: [{ name, parameters }] }] };
    await start(`--container_logger=${name}`, `--modules=${JSON.stringify(modules)}`);
    // A line a time, as fast as the test says.
    const value =
      'i=0; while :; do [ -e "go$((i / 1000))" ] && { printf "%063d\\n" $i; i=$((i + 1)); } || sleep 0.02; done';
    runner.run("talker", { value });
    await runner.reaches("talker", TaskState.TASK_RUNNING);
    const directory = await sandboxOf(agent, "talker");
    const files = () =>
      readdir(directory).then((names) => names.filter((one) => one.startsWith("stdout")).sort());
    // Between two files there is none for a moment.
    const text = () => readFile(join(directory, "stdout"), "utf8").catch(() => "");
    const saidUpTo = async (line: number) => (await text()).endsWith(`${String(line).padStart(63, "0")}\n`);

    await writeFile(join(directory, "go0"), "");
    await until(() => saidUpTo(999));
    expect(await files()).to.deep.equal(["stdout", "stdout.1", "stdout.2", "stdout.3"]);

    await agent.kill();
    await writeFile(join(directory, "go1"), "");
    await until(() => saidUpTo(1999));
    agent = await agent.restart();
    await writeFile(join(directory, "go2"), "");
    await until(() => saidUpTo(2999));

    const kept = (
      await Promise.all(
        ["stdout.3", "stdout.2", "stdout.1", "stdout"].map((one) => readFile(join(directory, one), "utf8")),
      )
    ).join("");
    const lines = kept.trimEnd().split("\n").map(Number);
    expect(lines.length).to.be.greaterThan(300);
    // The oldest may be the end of a line.
    expect(lines.slice(1)).to.deep.equal(
      Array.from({ length: lines.length - 1 }, (_, i) => 3001 - lines.length + i),
    );
    for (const one of await files()) expect((await stat(join(directory, one))).size).to.be.at.most(8192);
    await runner.kill("talker");
  });

  it("share the download of a cached URI, and get it again from the cache", async () => {
    let downloads = 0;
    const content = "x".repeat(100_000);
    server = createServer((request, response) => {
      if (request.method === "GET") downloads++;
      response.writeHead(200, { "content-length": content.length });
      response.end(request.method === "GET" ? content : undefined);
    });
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    await start("--fetcher_cache_size=1MB");
    const uris = [{ value: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`, cache: true }];
    const command = { value: '[ "$(wc -c < data)" = 100000 ]', uris };
    const names = ["a", "b", "c", "d"];
    for (const name of names) runner.run(name, command);
    for (const name of names) await runner.reaches(name, TaskState.TASK_FINISHED);
    runner.run("later", command);
    await runner.reaches("later", TaskState.TASK_FINISHED);
    expect(downloads).to.equal(1);
    const metrics = (await getJson(agent, "/metrics/snapshot")) as Record<string, number>;
    expect(metrics["containerizer/fetcher/cache_size_total_bytes"]).to.equal(1024 * 1024);
    expect(metrics["containerizer/fetcher/cache_size_used_bytes"]).to.equal(100_000);
    expect(metrics["containerizer/fetcher/task_fetches_succeeded"]).to.equal(5);
  });

  it("go when their time is over, and what they link to stays", async () => {
    await start("--gc_delay=1secs", "--disk_watch_interval=1secs");
    runner.run("ends", { value: "until [ -e go ]; do sleep 0.05; done" });
    await runner.reaches("ends", TaskState.TASK_RUNNING);
    const directory = await sandboxOf(agent, "ends");
    const outside = join(directory, "..", "..", "..", "..", "..", "..", "..", "outside");
    await mkdir(outside);
    await writeFile(join(outside, "precious"), "gold");
    await symlink(outside, join(directory, "link"));
    await writeFile(join(directory, "go"), "");
    await runner.reaches("ends", TaskState.TASK_FINISHED);
    await until(() =>
      access(directory).then(
        () => false,
        () => true,
      ),
    );
    expect(await readFile(join(outside, "precious"), "utf8")).to.equal("gold");
    await until(
      async () =>
        ((await getJson(agent, "/metrics/snapshot")) as Record<string, number>)[
          "gc/path_removals_succeeded"
        ]! > 0,
    );
  });
});
