import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import {
  Secret_Type,
  TaskState,
  Environment_Variable_Type as VariableType,
  Volume_Mode,
  Volume_Source_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { until } from "../support/cluster.js";
import { boxed, ContainerHost } from "../support/container-host.js";
import { hostMounts } from "../support/host-mounts.js";
import { requireThat } from "../support/require-part.js";

const run = promisify(execFile);

describe("secrets of containers", function () {
  this.timeout(60_000);
  const secret = `s3cret-${process.pid}-${"x".repeat(20)}`;
  const digest = createHash("sha256").update(secret).digest("hex");
  const reference = { type: Secret_Type.REFERENCE, reference: { name: "token" } };
  let directory: string;
  let host: ContainerHost;

  before(async function () {
    requireThat(this, process.geteuid?.() === 0, "containers of their own need root");
    directory = await mkdtemp(join(tmpdir(), "tepui-secrets-"));
    await writeFile(join(directory, "token"), secret, { mode: 0o600 });
    host = await ContainerHost.open(this, {
      plugins: [{ use: "secret-resolver", config: { directory } }],
    });
  });
  after(async () => {
    await host?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const variables = [{ name: "TOKEN", type: VariableType.SECRET, secret: reference }];
  const volumes = [
    {
      mode: Volume_Mode.RO,
      container_path: "/etc/token",
      source: { type: Volume_Source_Type.SECRET, secret: reference },
    },
  ];
  const SUMS =
    'printf %s "$TOKEN" | busybox sha256sum; busybox sha256sum < /etc/token; touch /etc/token || echo kept; ';

  /** Files of the agent, its containers' sandboxes included, with the text in them. */
  async function filesWith(text: string): Promise<string[]> {
    // The runtime directory is in there, too.
    const { stdout } = await run("grep", [
      "-rFls",
      "--devices=skip",
      "--",
      text,
      await host.workDirectory(),
    ]).catch((error: { stdout?: string; code?: number }) => {
      // 1: nowhere; 2: the agent has removed a file meanwhile.
      if (error.code !== 1 && error.code !== 2) throw error;
      return { stdout: error.stdout ?? "" };
    });
    return stdout.split("\n").filter(Boolean);
  }

  it("are in its environment and its files, and nowhere else", async () => {
    const name = "holder";
    host.runner.run(
      name,
      { value: `${SUMS} echo plain-words; sleep 1000`, environment: { variables } },
      boxed({ volumes }),
    );
    await host.runner.reaches(name, TaskState.TASK_RUNNING);
    // What is searched for is found where it is.
    await until(async () => (await filesWith("plain-words")).length > 0);
    await until(async () => (await filesWith(`${digest}  -`)).length > 0);
    expect(await filesWith(secret), "while it runs").to.deep.equal([]);
    expect(await filesWith(Buffer.from(secret).toString("base64").slice(0, 24)), "in base64").to.deep.equal(
      [],
    );
    for (const daemon of [host.agent, host.cluster.master])
      for (const path of ["/state", "/flags", "/containers", "/frameworks", "/tasks"]) {
        const answer = await fetch(`http://127.0.0.1:${daemon.port}${path}`);
        expect(await answer.text(), path).not.to.contain(secret);
      }
    await host.kill();
    await host.runner.kill(name);
    const { stdout } = await host.outcome(name);
    expect(stdout).to.equal(`${digest}  -\n${digest}  -\nkept\nplain-words\n`);
    expect(await filesWith(secret), "after it ended").to.deep.equal([]);
    const work = await host.workDirectory();
    const mounts = hostMounts(work).filter((line) => line.includes(work));
    expect(mounts.filter((line) => line.includes("secret"))).to.deep.equal([]);
  });

  it("that cannot be resolved fail the task, by name and without a word of others", async () => {
    const missing = { type: Secret_Type.REFERENCE, reference: { name: "nothing" } };
    host.runner.run(
      "unresolved",
      {
        value: "true",
        environment: { variables: [{ name: "TOKEN", type: VariableType.SECRET, secret: missing }] },
      },
      boxed(),
    );
    await host.runner.reaches("unresolved", TaskState.TASK_FAILED);
    const { message } = host.runner.last("unresolved")!;
    expect(message).to.match(/environment_secret.*'TOKEN'.*'nothing' cannot be read/);
    const outside = { type: Secret_Type.REFERENCE, reference: { name: "../../etc/passwd" } };
    const escaping = { ...volumes[0]!, source: { type: Volume_Source_Type.SECRET, secret: outside } };
    host.runner.run("escaping", { value: "true" }, boxed({ volumes: [escaping] }));
    await host.runner.reaches("escaping", TaskState.TASK_FAILED);
    expect(host.runner.last("escaping")!.message).to.match(
      /volume\/secret.*(leaves the directory|cannot be read)/,
    );
  });
});
