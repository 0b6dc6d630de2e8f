import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type ExecuteContext, runExecute } from "../../../bin/commands/execute.js";
import { Call_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { FakeSchedulerService } from "../../sdk/scheduler/fake-service.js";
import { HttpEdge } from "../../sdk/scheduler/http-edge.js";

class Sink {
  private readonly chunks: Buffer[] = [];
  private readonly waiting: { text: string; resolve: () => void }[] = [];

  write(chunk: string | Uint8Array): void {
    this.chunks.push(Buffer.from(chunk as string));
    for (const { text, resolve } of this.waiting) if (this.text.includes(text)) resolve();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }

  /** Resolves when the text has been written. */
  contains(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.text.includes(text)) resolve();
      else this.waiting.push({ text, resolve });
    });
  }
}

/** An agent's `/files/read` over what tasks have written so far. */
class FakeAgent {
  readonly files = new Map<string, Buffer>();
  readonly asked = new Set<string>();
  private readonly server: Server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://x");
    const path = searchParams.get("path") ?? "";
    this.asked.add(path);
    const content = this.files.get(path);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const offset = Number(searchParams.get("offset"));
    const data = content.subarray(offset, offset + 5).toString("latin1");
    response.end(Buffer.from(JSON.stringify({ data, offset }), "latin1"));
  });

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe("execute", () => {
  let service: FakeSchedulerService;
  let edge: HttpEdge;
  let agent: FakeAgent;
  let master: string;
  let folder: string;
  let stdout: Sink;
  let stderr: Sink;
  let interrupt: AbortController;

  beforeEach(async () => {
    service = new FakeSchedulerService();
    edge = new HttpEdge(service);
    agent = new FakeAgent();
    master = await edge.start();
    service.agentPort = await agent.start();
    folder = mkdtempSync(join(tmpdir(), "tepui-execute-"));
    stdout = new Sink();
    stderr = new Sink();
    interrupt = new AbortController();
  });

  afterEach(async () => {
    await edge.stop();
    agent.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const context = (style: "tepui" | "mesos"): ExecuteContext => ({
    stdout,
    stderr,
    style,
    signal: interrupt.signal,
    environment: {},
  });
  const mesos = (...flags: string[]): Promise<number> =>
    runExecute([`--master=${master}`, ...flags], context("mesos"));
  const tepui = (...flags: string[]): Promise<number> =>
    runExecute([`--master=${master}`, ...flags], context("tepui"));

  const launchedTasks = () =>
    service.calls
      .filter((call) => call.type === Call_Type.ACCEPT)
      .flatMap((call) => call.accept!.operations)
      .flatMap(
        (operation) => operation.launch?.task_infos ?? operation.launch_group?.task_group?.tasks ?? [],
      );

  describe("as mesos-execute", () => {
    it("prints what Mesos's tool prints and ends with 0", async () => {
      expect(await mesos("--name=hello", "--command=echo hello")).to.equal(0);
      expect(stdout.text).to.equal(
        [
          "Subscribed with ID fw-0",
          "Submitted task 'hello' to agent 'agent-1'",
          "Received status update TASK_STARTING for task 'hello'",
          "  source: SOURCE_EXECUTOR",
          "Received status update TASK_RUNNING for task 'hello'",
          "  source: SOURCE_EXECUTOR",
          "Received status update TASK_FINISHED for task 'hello'",
          "  message: 'Command exited with status 0'",
          "  source: SOURCE_EXECUTOR",
          "",
        ].join("\n"),
      );
      expect(stderr.text).to.equal("");
    });

    it("ends with 1 when the task fails", async () => {
      expect(await mesos("--name=x", "--command=exit 3")).to.equal(1);
      expect(stdout.text).to.contain("  message: 'Command exited with status 3'\n");
    });

    it("prints the reason of an update that has one", async () => {
      expect(await mesos("--name=x", "--command=vanish")).to.equal(1);
      expect(stdout.text).to.contain("  reason: REASON_EXECUTOR_TERMINATED\n");
    });

    it("acknowledges every update before it leaves", async () => {
      await mesos("--name=x", "--command=true");
      expect(service.calls.filter((call) => call.type === Call_Type.ACKNOWLEDGE)).to.have.length(3);
    });

    it("describes itself and the task as Mesos's tool does", async () => {
      const env = join(folder, "env.json");
      writeFileSync(env, '{"A": "1"}');
      const flags = ["--resources=cpus:0.5;mem:64", `--env=file://${env}`, "--checkpoint", "--role=dev"];
      await mesos("--name=x", "--command=true", ...flags, "--no-partition_aware", "--principal=p");
      const info = service.calls[0]!.subscribe!.framework_info!;
      expect(info).to.include({
        name: "mesos-execute instance",
        role: "dev",
        checkpoint: true,
        principal: "p",
      });
      expect(info.capabilities.map(({ type }) => type)).to.have.members([7, 2, 1]);
      const [task] = launchedTasks();
      expect(task?.name).to.equal("x");
      expect(task?.task_id?.value).to.equal("x");
      expect(task?.command).to.deep.include({ shell: true, value: "true" });
      expect(
        task?.command?.environment?.variables.map(({ name, value }) => `${name}=${value}`),
      ).to.deep.equal(["A=1"]);
      expect(task?.resources.map(({ name, scalar }) => `${name}:${scalar?.value}`)).to.deep.equal([
        "cpus:0.5",
        "mem:64",
      ]);
      expect(task?.container).to.equal(undefined);
    });

    it("speaks JSON when told to", async () => {
      expect(await mesos("--name=x", "--command=true", "--content_type=json")).to.equal(0);
      expect(edge.requests[0]?.["content-type"]).to.equal("application/json");
    });

    it("kills the task after the given time of running", async () => {
      expect(await mesos("--name=x", "--command=sleep 1000", "--kill_after=1ms")).to.equal(1);
      expect(stdout.text).to.contain("Asked to kill task 'x' on agent 'agent-1'\n");
      expect(stdout.text).to.contain("Received status update TASK_KILLED for task 'x'\n");
    });

    it("kills the task when interrupted and waits for its end", async () => {
      const ended = mesos("--name=x", "--command=sleep 1000");
      await stdout.contains("TASK_RUNNING");
      interrupt.abort();
      expect(await ended).to.equal(1);
      expect(stdout.text).to.contain("TASK_KILLED");
      expect(service.calls.filter((call) => call.type === Call_Type.KILL)).to.have.length(1);
    });

    it("takes a whole task, inline or from a file, without an agent", async () => {
      const json = JSON.stringify({
        name: "n",
        task_id: { value: "id-1" },
        resources: [{ name: "cpus", type: "SCALAR", scalar: { value: 0.1 } }],
        command: { value: "exit 0" },
      });
      const file = join(folder, "task.json");
      writeFileSync(file, json);
      expect(await mesos(`--task=${json}`)).to.equal(0);
      expect(await mesos(`--task=${file}`)).to.equal(0);
      expect(await mesos(`--task=file://${file}`)).to.equal(0);
      expect(launchedTasks().map((task) => `${task.task_id?.value}@${task.agent_id?.value}`)).to.deep.equal(
        Array(3).fill("id-1@agent-1"),
      );
    });

    it("runs a group and waits for all of it", async () => {
      const tasks = ["a", "b"].map((id) => ({
        name: id,
        task_id: { value: id },
        resources: [{ name: "cpus", type: "SCALAR", scalar: { value: 0.1 } }],
        command: { value: id === "a" ? "exit 0" : "exit 2" },
      }));
      expect(await mesos(`--task_group=${JSON.stringify({ tasks })}`)).to.equal(1);
      expect(stdout.text).to.contain("Submitted task group with tasks [ a, b ] to agent 'agent-1'\n");
      expect(stdout.text).to.contain("TASK_FINISHED for task 'a'").and.contain("TASK_FAILED for task 'b'");
      const { executor } = service.calls
        .flatMap((call) => call.accept?.operations ?? [])
        .find((operation) => operation.launch_group !== undefined)!.launch_group!;
      expect(executor?.executor_id?.value).to.equal("default-executor");
      expect(executor?.framework_id?.value).to.equal("fw-0");
      expect(executor?.resources.map(({ name }) => name)).to.deep.equal(["cpus", "mem", "disk"]);
    });

    it("asks for images, networks and limits in the task's container", async () => {
      const rlimits = '{"rlimits":[{"type":"RLMT_CPU","soft":1,"hard":2}]}';
      await mesos(
        "--name=x",
        "--command=true",
        "--docker_image=busybox",
        "--networks=n1,n2",
        `--rlimits=${rlimits}`,
      );
      const container = launchedTasks()[0]!.container!;
      expect(container.mesos?.image?.docker?.name).to.equal("busybox");
      expect(container.network_infos.map(({ name }) => name)).to.deep.equal(["n1", "n2"]);
      expect(container.rlimit_info?.rlimits[0]).to.include({ soft: 1n, hard: 2n });
    });
  });

  describe("as tepui execute", () => {
    it("shows states on stderr and the task's own output on stdout, byte for byte", async () => {
      const bytes = Buffer.from("f0 9f 8c 84 0a ff 00 22 5c 0a".replaceAll(" ", ""), "hex");
      agent.files.set("/frameworks/fw-0/executors/x/runs/latest/stdout", bytes);
      agent.files.set("/frameworks/fw-0/executors/x/runs/latest/stderr", Buffer.from("oops\n"));
      expect(await tepui("--name=x", "--command=true")).to.equal(0);
      expect(stdout.bytes.toString("hex")).to.equal(bytes.toString("hex"));
      expect(stderr.text).to.contain("x TASK_RUNNING on 127.0.0.1");
      expect(stderr.text).to.contain("x TASK_FINISHED: Command exited with status 0");
      expect(stderr.text).to.contain("oops\n");
    });

    it("shows what a task prints while it runs", async () => {
      const path = "/frameworks/fw-0/executors/x/runs/latest/stdout";
      agent.files.set(path, Buffer.from("one\n"));
      agent.files.set(path.replace("stdout", "stderr"), Buffer.alloc(0));
      const ended = tepui("--name=x", "--command=sleep 1000");
      await stdout.contains("one\n");
      agent.files.set(path, Buffer.from("one\ntwo and more\n"));
      await stdout.contains("two and more\n");
      interrupt.abort();
      expect(await ended).to.equal(1);
      expect(stdout.text).to.equal("one\ntwo and more\n");
    });

    it("runs a program with arguments, under a name of its own", async () => {
      expect(await tepui("--no-output", "--", "exit", "0")).to.equal(0);
      const [task] = launchedTasks();
      expect(task?.name).to.match(/^execute-[0-9a-f]{8}$/);
      expect(task?.command).to.deep.include({ shell: false, value: "exit", arguments: ["exit", "0"] });
      expect(agent.asked.size).to.equal(0);
    });

    it("says once that the output cannot be read", async () => {
      expect(await tepui("--name=x", "--command=true")).to.equal(0);
      expect(stderr.text.match(/cannot read the task's/g)).to.have.length(1);
    });
  });

  describe("refuses, in one line", () => {
    const refused = async (...flags: string[]): Promise<string[]> => {
      expect(await mesos(...flags)).to.equal(1);
      expect(service.calls).to.deep.equal([]);
      return stderr.text.trimEnd().split("\n");
    };

    const cases: [string, string[], string][] = [
      ["an unknown flag", ["--bogus=1"], "mesos-execute: unknown flag '--bogus'"],
      ["a flag given twice", ["--name=a", "--name=b"], "mesos-execute: --name is given twice"],
      ["a missing value", ["--name"], "mesos-execute: --name needs a value"],
      ["a wrong boolean", ["--shell=maybe"], "mesos-execute: --shell: expected true or false, not 'maybe'"],
      ["a wrong duration", ["--kill_after=5 secs"], "mesos-execute: --kill_after: "],
      ["copying into HDFS", ["--package=x"], "mesos-execute: --package is not supported: "],
      ["a missing name", ["--command=x"], "mesos-execute: Missing required option --name"],
      ["a missing command", ["--name=x"], "mesos-execute: Missing required option --command"],
      [
        "a wrong content type",
        ["--name=x", "--command=x", "--content_type=xml"],
        "mesos-execute: Invalid content type 'xml'",
      ],
      [
        "an unknown capability",
        ["--name=x", "--command=x", "--framework_capabilities=FLYING"],
        "mesos-execute: Flags '--framework_capabilities' specifies an unknown capability 'FLYING'",
      ],
      [
        "JSON that is none, with the position",
        ["--task={\n x"],
        "mesos-execute: --task: invalid JSON: syntax error at line 2 near: x",
      ],
      [
        "a task that is none",
        ['--task={"name": "x"}'],
        "mesos-execute: --task: no valid TaskInfo: Missing required fields: task_id",
      ],
      [
        "a file that is not there",
        ["--task=/no/such/file"],
        "mesos-execute: --task: cannot read '/no/such/file': ",
      ],
      ["wrong resources", ["--name=x", "--command=x", "--resources=cpus"], "mesos-execute: --resources: "],
      ["a task and a name", ["--task={}", "--name=x"], "mesos-execute: '--name, --command"],
      [
        "a Docker container without image",
        ["--name=x", "--command=x", "--containerizer=docker"],
        "mesos-execute: 'Docker' containerizer requires docker image name",
      ],
    ];
    for (const [what, flags, line] of cases) {
      it(what, async () => {
        const lines = await refused(...flags);
        expect(
          lines.some((each) => each.startsWith(line)),
          lines.join("\n"),
        ).to.equal(true);
      });
    }

    it("everything that is wrong at once", async () => {
      const lines = await refused("--bogus", "--package=x", "--name");
      expect(lines).to.have.length(3);
    });

    it("a master that cannot be", async () => {
      expect(
        await runExecute(["--master=zk://h/mesos", "--name=x", "--command=x"], context("mesos")),
      ).to.equal(1);
      expect(stderr.text).to.match(/^mesos-execute: The address cannot be used: .*\n$/);
    });
  });

  it("says so where it is sent to an agent, whose API at that path is another", async () => {
    const words = [
      "Failed to validate agent::Call: Expecting 'type' to be present",
      "Failed to parse body into Call protobuf: Missing required fields: set_logging_level.level",
    ];
    for (const text of words) {
      const other = createServer((_request, response) => response.writeHead(400).end(text));
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const where = `127.0.0.1:${(other.address() as AddressInfo).port}`;
      try {
        expect(await runExecute([`--master=${where}`, "--command=true"], context("tepui"))).to.equal(1);
      } finally {
        other.closeAllConnections();
        other.close();
      }
      expect(stderr.text).to.contain(`${where} cannot read SUBSCRIBE; is it a master? It said: ${text}\n`);
    }
  });

  it("passes on what the master says of the subscription", async () => {
    service.calls.length = 0;
    const subscribe = service.subscribe.bind(service);
    service.subscribe = (subscription) => {
      const session = subscribe({
        ...subscription,
        connection: { send: () => true, close: () => undefined },
      });
      subscription.connection.send({
        type: 7,
        error: { message: "Role 'x' is not present in the master's --roles" },
      });
      return session;
    };
    expect(await mesos("--name=x", "--command=x", "--role=x")).to.equal(1);
    expect(stderr.text).to.equal(
      "mesos-execute: The subscription was refused: Role 'x' is not present in the master's --roles\n",
    );
  });

  it("does not launch anything when interrupted before", async () => {
    interrupt.abort();
    expect(await mesos("--name=x", "--command=true")).to.equal(1);
    expect(service.calls).to.deep.equal([]);
  });

  it("explains itself", async () => {
    expect(await runExecute(["--help"], context("mesos"))).to.equal(0);
    expect(stdout.text).to.contain("--kill_after").and.not.contain("--transport");
    expect(await runExecute(["--help"], context("tepui"))).to.equal(0);
    expect(stdout.text).to.contain("--transport");
  });
});
