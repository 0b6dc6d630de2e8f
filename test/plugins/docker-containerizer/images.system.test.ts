import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { DockerContainerizer } from "../../../plugins/docker-containerizer/containerizer.js";
import { output } from "../../support/docker-daemon.js";
import { eventually } from "../../support/eventually.js";
import { requirePart } from "../../support/require-part.js";
import { type Ask, DockerBench, IMAGE, refusal } from "./support.js";

const HOST = "127.0.0.1:5000";
const USER = "user";
const PASSWORD = "secret";
/** bcrypt of the password. */
const HTPASSWD = `${USER}:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n`;

describe("images of Docker containers", function () {
  this.timeout(60_000);
  let bench: DockerBench;
  let docker: DockerContainerizer;
  let registry: ChildProcess;
  before(async function () {
    const program = requirePart(this, "docker-registry", "docker-registry");
    bench = await DockerBench.start(this);
    docker = await bench.containerizer();
    registry = await startRegistry(program);
    await push("app:1");
    await push("app:moving");
    await push("app:shared");
  });
  after(async () => {
    registry?.kill("SIGKILL");
    await bench?.stop();
  });

  /** In the daemon's own network, where it trusts the loopback address. */
  async function startRegistry(program: string): Promise<ChildProcess> {
    const directory = join(bench.daemon.directory, "registry");
    await mkdir(directory);
    await writeFile(join(directory, "htpasswd"), HTPASSWD);
    const config = {
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(directory, "data") } },
      http: { addr: HOST },
      auth: { htpasswd: { realm: "test", path: join(directory, "htpasswd") } },
    };
    // JSON is YAML.
    await writeFile(join(directory, "config.yml"), JSON.stringify(config));
    const [first, ...rest] = bench.daemon.inNetwork([program, "serve", join(directory, "config.yml")]);
    const child = spawn(first, rest, { stdio: "ignore" });
    await eventually(() => output(bench.daemon.inNetwork(["curl", "-sS", `http://${HOST}/v2/`])));
    return child;
  }

  /** An image that says its own name, in the registry and not in the daemon. */
  async function push(name: string, text = name): Promise<void> {
    const rootfs = join(bench.daemon.directory, "rootfs");
    await bench.daemon.importImage(`${HOST}/${name}`, rootfs, [`CMD ["echo", "${text}"]`]);
    const [repo, tag] = name.split(":");
    const auth = Buffer.from(JSON.stringify({ username: USER, password: PASSWORD })).toString("base64url");
    const answer = await bench.daemon.api("POST", `/images/${HOST}/${repo}/push?tag=${tag}`, undefined, {
      "x-registry-auth": auth,
    });
    if (answer.includes('"error"')) throw new Error(answer);
    await bench.daemon.api("DELETE", `/images/${HOST}/${name}?force=1`);
  }

  const CONFIG = { auths: { [HOST]: { auth: Buffer.from(`${USER}:${PASSWORD}`).toString("base64") } } };
  const of = (name: string, more = {}): Ask => ({ docker: { image: `${HOST}/${name}`, ...more } });
  const refusalOf = async (containerizer: DockerContainerizer, ask: Ask) =>
    refusal(containerizer.launch(await bench.request(ask)));

  it("are refused to those who have no credentials, with the registry's reason", async () => {
    expect(await refusalOf(docker, of("app:1"))).to.match(
      /^Failed to launch container: image '127\.0\.0\.1:5000\/app:1' cannot be pulled: .*no basic auth credentials/,
    );
    const wrong = { [HOST]: { username: USER, password: "guess" } };
    const guessing = await bench.containerizer({ agent: "wrong", registryConfig: wrong });
    expect(await refusalOf(guessing, of("app:1"))).to.match(/unauthorized|authentication required/);
  });

  it("are pulled when they are missing, with the operator's credentials", async () => {
    const trusted = await bench.containerizer({ agent: "trusted", registryConfig: CONFIG });
    expect((await bench.run(trusted, of("app:1"))).stdout).to.equal("app:1\n");
    // Now the daemon has it, and nobody is asked.
    expect((await bench.run(docker, of("app:1"))).stdout).to.equal("app:1\n");
  });

  it("are pulled with the credentials that a task brings", async () => {
    for (const [file, config] of [
      [".docker/config.json", CONFIG],
      [".dockercfg", CONFIG.auths],
    ] as const) {
      const fetching = await bench.containerizer({
        agent: file.replaceAll("/", "-"),
        sandboxFetch: {
          fetch: async ({ request: { directory } }) => {
            await mkdir(join(directory, ".docker"), { recursive: true });
            await writeFile(join(directory, file), JSON.stringify(config));
          },
        },
      });
      await bench.daemon.api("DELETE", `/images/${HOST}/app:1?force=1`);
      const uris = [{ value: "http://example/config" }];
      const { stdout } = await bench.run(fetching, { ...of("app:1"), command: { shell: false, uris } });
      expect(stdout).to.equal("app:1\n");
    }
  });

  it("are looked up again where that is forced, and not otherwise", async () => {
    const trusted = await bench.containerizer({ agent: "forced", registryConfig: CONFIG });
    expect((await bench.run(trusted, of("app:moving"))).stdout).to.equal("app:moving\n");
    await bench.daemon.api("POST", `/images/${HOST}/app:moving/tag?repo=old&tag=1`);
    await push("app:moving", "moved");
    await bench.daemon.api("POST", `/images/old:1/tag?repo=${HOST}/app&tag=moving`);
    expect((await bench.run(trusted, of("app:moving"))).stdout).to.equal("app:moving\n");
    expect((await bench.run(trusted, of("app:moving", { force_pull_image: true }))).stdout).to.equal(
      "moved\n",
    );
  });

  it("are known by their digest, too", async () => {
    const trusted = await bench.containerizer({ agent: "digest", registryConfig: CONFIG });
    await bench.run(trusted, of("app:shared"));
    const { RepoDigests } = JSON.parse(await bench.daemon.api("GET", `/images/${HOST}/app:shared/json`)) as {
      RepoDigests: string[];
    };
    const [reference] = RepoDigests.filter((name) => name.startsWith(HOST));
    await bench.daemon.api("DELETE", `/images/${HOST}/app:shared?force=1`);
    expect((await bench.run(trusted, { docker: { image: reference! } })).stdout).to.equal("app:shared\n");
  });

  it("that do not exist are named, with what the registry says", async () => {
    const trusted = await bench.containerizer({ agent: "missing", registryConfig: CONFIG });
    expect(await refusalOf(trusted, of("app:none"))).to.match(
      /^Failed to launch container: image '127\.0\.0\.1:5000\/app:none' cannot be pulled: .*manifest unknown/,
    );
    expect(await refusalOf(trusted, { docker: { image: "UPPER/Case" } })).to.match(
      /^Failed to launch container: .*invalid reference format/,
    );
    expect((await bench.run(trusted, { script: "echo still", docker: { image: IMAGE } })).stdout).to.equal(
      "still\n",
    );
  });

  it("are pulled for nobody when the container is destroyed meanwhile", async () => {
    const trusted = await bench.containerizer({ agent: "cut", registryConfig: CONFIG });
    await bench.daemon.api("DELETE", `/images/${HOST}/app:1?force=1`).catch(() => undefined);
    registry.kill("SIGSTOP");
    try {
      const request = await bench.request(of("app:1"));
      const launched = refusal(trusted.launch(request));
      await eventually(() => (trusted.log.messages("info").includes("pulling an image") ? true : undefined));
      await trusted.destroy(request.containerId);
      expect(await launched).to.match(/the container was destroyed/);
    } finally {
      registry.kill("SIGCONT");
    }
    expect((await bench.run(trusted, of("app:1"))).stdout).to.equal("app:1\n");
  });
});
