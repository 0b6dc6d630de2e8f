import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { getJson, until } from "../support/cluster.js";
import { freePort } from "../support/daemons.js";

const root = new URL("../../..", import.meta.url).pathname;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [join(root, "bin", program), ...args], {
    env: { ...process.env, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(program: string, ...args: readonly string[]): Promise<Outcome> {
  const child = start(program, args);
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (text) => (stdout += text));
  child.stderr!.on("data", (text) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("the programs", function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "tepui-programs-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("list every problem with their flags at once, and start nothing", async () => {
    const { code, stderr } = await run("mesos-master", "--port=x", "--prt=1", "--zk=zk://u:secret@a:x/m");
    expect(code).to.equal(1);
    for (const part of [
      "--port: must be an integer",
      "did you mean --port?",
      "the ZooKeeper URL cannot be used: 'a:x' is not host:port",
    ])
      expect(stderr).to.contain(part);
    expect(stderr).not.to.contain("secret@");
    const alone = await run("mesos-master", "--port=x", "--quorum=3");
    expect(alone.code).to.equal(1);
    for (const part of ["--port: must be an integer", "--quorum", "--work_dir"])
      expect(alone.stderr).to.contain(part);
    const agent = await run(
      "mesos-agent",
      "--isolation=network/port_mapping,nonsense",
      `--work_dir=${folder}`,
    );
    expect(agent.code).to.equal(1);
    expect(agent.stderr).to.contain("--master");
    expect(agent.stderr).to.match(/isolation/);
    const host = await run(
      "mesos-agent",
      "--master=127.0.0.1:1",
      `--work_dir=${folder}`,
      "--resources=cpus:x",
      "--attributes=::",
    );
    expect(host.code).to.equal(1);
    expect(host.stderr).to.match(/--resources.*bad type for resource cpus value x/);
    expect(host.stderr).to.match(/--attributes.*invalid attribute key:value pair '::'/);
    expect(host.stderr).to.not.contain("Listening");
  });

  it("say where a work directory cannot be", async () => {
    const flags = ["--ip=127.0.0.1", "--port=0", "--grpc_port=0", "--work_dir=/proc/tepui"];
    const { code, stderr } = await run("mesos-master", ...flags);
    expect(code).to.equal(1);
    expect(stderr).to.match(
      /mesos-master: .*--work_dir: cannot make '\/proc\/tepui\/registry': .*; name a directory/,
    );
    expect(stderr).to.not.contain("Elected");
  });

  it("end when they are told to, also while they wait for an ensemble that nobody serves", async () => {
    for (const place of ["--zk=zk://127.0.0.1:1/mesos", "--registry=etcd://127.0.0.1:1/mesos"]) {
      const child = start("mesos-master", [
        "--port=0",
        "--grpc_port=0",
        "--ip=127.0.0.1",
        place,
        `--work_dir=${folder}`,
      ]);
      let stderr = "";
      child.stderr!.on("data", (text) => (stderr += text));
      await until(() => stderr.includes("Listening on"));
      child.kill("SIGTERM");
      const [code] = (await once(child, "close")) as [number | null];
      expect({ place, code }).to.deep.equal({ place, code: 0 });
    }
  });

  it("say their versions and their usage", async () => {
    expect((await run("mesos-agent", "--version")).stdout).to.match(/^mesos \d+\.\d+\.\d+\n$/);
    expect((await run("tepui", "version")).stdout).to.match(/^tepui \S+ \(mesos \S+\)\n$/);
    expect((await run("tepui")).stdout).to.contain("execute");
    expect((await run("mesos-master", "--help")).stdout).to.contain("--work_dir");
    const typo = await run("tepui", "plugns");
    expect(typo.code).to.equal(2);
    expect(typo.stderr).to.contain("plugins");
  });

  it("say what is wrong with a word that they do not know", async () => {
    // As tools do it; what takes Mesos's flags does as Mesos's programs.
    const wrong: [string[], number, RegExp][] = [
      [["manifest", "explain", "mastr"], 2, /'mastr' is invalid.*master and agent/],
      [["plugins", "ls", "--of", "agnt"], 2, /'agnt' is invalid.*master and agent/],
      [["plugins", "lst"], 2, /'lst' is neither a command nor a flag/],
      [["task", "exec"], 2, /missing required argument 'task'/],
      [["agent", "conatiners"], 2, /unknown command 'conatiners'\s+\(Did you mean containers/],
      [["master", "start"], 2, /too many arguments for 'master'[\s\S]*see 'tepui master --help'/],
      [["plugins", "inspect", "drf-alocator"], 1, /did you mean 'drf-allocator'\?/],
      [["help", "mastr"], 2, /unknown command 'mastr'\s+\(Did you mean master/],
      [["execute", "--mster=x"], 1, /'--mster'; did you mean --master\?/],
    ];
    for (const [args, expected, text] of wrong) {
      const { code, stderr } = await run("tepui", ...args);
      expect(code, args.join(" ")).to.equal(expected);
      expect(stderr).to.match(text);
    }
    const help = (await run("tepui", "help")).stdout;
    for (const part of ["Commands:", "2 the command line is wrong"]) expect(help).to.contain(part);
    expect((await run("tepui", "help", "agent")).stdout).to.contain("--work_dir");
  });

  it("take the lines of the pages that only look, as they stand there", async () => {
    const pages = ["README.md", "docs/guide.md"].map((page) => readFileSync(join(root, page), "utf8"));
    const lines = pages.flatMap((text) =>
      [...text.matchAll(/^bin\/tepui (version|plugins.*?|manifest explain.*?)(?: +#.*)?$/gm)].map(
        ([, line]) => line!,
      ),
    );
    expect(lines.length).to.be.greaterThan(3);
    for (const line of lines) {
      const { code, stderr } = await run("tepui", ...line.trim().split(/ +/));
      expect({ line, code, stderr }).to.deep.equal({ line, code: 0, stderr: "" });
    }
  });

  it("say in one line that their output cannot be written, and end quietly where nobody reads on", async () => {
    const bin = join(root, "bin/tepui");
    const shell = async (line: string): Promise<Outcome> => {
      const child = spawn("bash", ["-c", line], { env: { ...process.env, NO_COLOR: "1", BIN: bin } });
      let stderr = "";
      child.stderr.on("data", (text) => (stderr += text));
      child.stdout.resume();
      const [code] = (await once(child, "close")) as [number | null];
      return { code, stdout: "", stderr };
    };
    expect(await shell('"$BIN" plugins ls --json > /dev/full')).to.deep.include({
      code: 1,
      stderr: "tepui: the output cannot be written: ENOSPC: no space left on device, write\n",
    });
    expect(await shell('"$BIN" execute --help > /dev/full')).to.deep.include({
      code: 1,
      stderr: "tepui execute: the output cannot be written: ENOSPC: no space left on device, write\n",
    });
    // A pipe whose reader has gone.
    const pipe = join(folder, "pipe");
    const gone = `mkfifo ${pipe}; exec 3<>${pipe} 4>${pipe} 3<&-; "$BIN" plugins ls --json >&4`;
    expect(await shell(gone)).to.deep.include({ code: 141, stderr: "" });
  });

  it("take flags from the environment, and tell where each value comes from", async () => {
    const child = start("tepui", ["manifest", "explain", "master", "--registry=in_memory"], {
      MESOS_PORT: "6060",
    });
    let stdout = "";
    child.stdout!.on("data", (text) => (stdout += text));
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).to.equal(0);
    expect(stdout).to.match(/port: 6060 # MESOS_PORT/);
    expect(stdout).to.match(/registry: in_memory # --registry/);
    // Where it stands makes no difference to a person.
    const json = await run("tepui", "manifest", "explain", "master", "--registry=in_memory", "--json");
    expect({ code: json.code, stderr: json.stderr }).to.deep.equal({ code: 0, stderr: "" });
    expect(JSON.parse(json.stdout)).to.be.an("array");
  });

  it("check a manifest by itself: every problem, with its line", async () => {
    const file = join(folder, "bad.yaml");
    await writeFile(
      file,
      "target: master\nplugins:\n  - http-server\n  - use: drf-alocator\n  - use: scheduler-http\n    config: { colour: red }\n",
    );
    const { code, stderr } = await run("tepui", "manifest", "validate", file);
    expect(code).to.equal(1);
    expect(stderr).to.match(/bad\.yaml:4.*drf-allocator/);
    expect(stderr).to.match(/bad\.yaml:6.*colour/);
    const good = await run("tepui", "manifest", "validate", join(root, "manifests/agent.yaml"));
    expect(good).to.deep.include({ code: 0, stderr: "" });
  });

  it("show what a daemon is made of", async () => {
    const list = await run("tepui", "plugins", "ls", "--of", "agent");
    expect(list.code).to.equal(0);
    expect(list.stdout).to.match(/mesos-containerizer +\d/);
    const one = await run("tepui", "plugins", "inspect", "drf-allocator");
    expect(one.stdout).to.contain("tepui.allocator 1.0 (one)");
    const graph = JSON.parse((await run("tepui", "plugins", "graph", "--json")).stdout) as {
      layers: string[][];
    };
    expect(graph.layers.flat()).to.include("master");
    expect((await run("tepui", "plugins", "inspect", "nobody")).code).to.equal(1);
  });

  it("run a local cluster until they are told to end it", async () => {
    const port = await freePort();
    const child = start("tepui", ["local", `--port=${port}`, "--num_slaves=2", `--work_dir=${folder}/local`]);
    child.stderr!.resume();
    const [line] = (await once(child.stdout!, "data")) as [Buffer];
    expect(line.toString()).to.contain("2 agent(s)");
    await until(async () => {
      const summary = (await getJson({ port }, "/state-summary")) as { slaves: unknown[] };
      return summary.slaves.length === 2;
    });
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).to.equal(0);
    // Nothing listens any more: the daemons went with it.
    expect(await listens(port)).to.equal(false);
  });

  it("leave no daemon of a local cluster behind, however it ends", async () => {
    const port = await freePort();
    const child = start("tepui", ["local", `--port=${port}`, `--work_dir=${folder}/killed`]);
    child.stderr!.resume();
    await once(child.stdout!, "data");
    const daemons = () => processesWith(`${folder}/killed`).filter((pid) => pid !== child.pid);
    expect(daemons()).to.have.length(2);
    child.kill("SIGKILL");
    await until(() => daemons().length === 0);
  });
});

const listens = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health`).then(
    () => true,
    () => false,
  );

/** Ids of the processes that have the text in their arguments. */
function processesWith(text: string): number[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}
