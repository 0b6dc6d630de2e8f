import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LogrotateLogger } from "../../../plugins/logrotate-logger/logrotate-logger.js";
import type { Rotations } from "../../../plugins/logrotate-logger/rotation.js";
import { requestFor } from "../../support/container-request.js";
import { eventually } from "../../support/eventually.js";
import { findProgram, requirePart, requireThat } from "../../support/require-part.js";

const MAX = 8192;

describe("the logrotate logger", () => {
  let directory: string;
  const children: ChildProcess[] = [];

  before(function () {
    requirePart(this, "perl", "perl-base");
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-logger-"));
    await chmod(directory, 0o755);
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await rm(directory, { recursive: true });
  });

  /** The program for the container's stdout. */
  async function start(
    general: Rotations,
    { user, logrotate = "logrotate" }: { user?: string; logrotate?: string } = {},
  ) {
    const sandbox = join(directory, "sandbox");
    await mkdir(sandbox, { recursive: true });
    if (user !== undefined) spawnSync("chown", [user, sandbox]);
    const logger = new LogrotateLogger({
      general: { max_stdout_size: MAX, ...general },
      environmentVariablePrefix: "CONTAINER_LOGGER_",
      logrotate,
    });
    await logger.start();
    const { stdout } = await logger.prepare(requestFor("c", { user, directory: sandbox }));
    const [program, ...args] = (stdout as { command: readonly string[] }).command;
    const child = spawn(program!, args, { cwd: "/", stdio: ["pipe", "ignore", "inherit"] });
    children.push(child);
    const file = join(sandbox, "stdout");
    return {
      sandbox,
      file,
      child,
      write: (text: string) => new Promise<void>((done) => child.stdin!.write(text, () => done())),
      end: async (): Promise<void> => {
        const exited = once(child, "exit");
        child.stdin!.end();
        expect((await exited)[0]).to.equal(0);
      },
    };
  }

  /** Numbered lines of 64 bytes. */
  const lines = (from: number, count: number): string =>
    Array.from({ length: count }, (_, i) => `${String(from + i).padStart(63, ".")}\n`).join("");

  it("keeps the newest output, in a file and as many older ones as it is to", async () => {
    const logger = await start({ logrotate_stdout_options: "rotate 2" });
    await logger.write(lines(0, 1000));
    await logger.end();
    expect((await readdir(logger.sandbox)).sort()).to.deep.equal(["stdout", "stdout.1", "stdout.2"]);
    const parts = await Promise.all(
      ["stdout.2", "stdout.1", "stdout"].map((name) => readFile(join(logger.sandbox, name), "utf8")),
    );
    for (const part of parts) expect(part.length).to.be.within(1, MAX);
    const kept = parts.join("");
    expect(kept.length).to.be.greaterThan(2 * MAX);
    expect(lines(0, 1000).endsWith(kept), "a gap, or another order").to.equal(true);
  });

  it("keeps one file where nothing is said", async () => {
    const logger = await start({});
    await logger.write(lines(0, 1000));
    await logger.end();
    expect(await readdir(logger.sandbox)).to.deep.equal(["stdout"]);
    const text = await readFile(logger.file, "utf8");
    expect(text.length).to.be.at.most(MAX);
    expect(lines(0, 1000).endsWith(text)).to.equal(true);
  });

  it("has logrotate do what only that can", async function () {
    requirePart(this, "logrotate", "logrotate");
    const logger = await start({ logrotate_stdout_options: "rotate 3\ncompress" });
    await logger.write(lines(0, 1000));
    await logger.end();
    const names = (await readdir(logger.sandbox)).sort();
    expect(names).to.include.members(["stdout", "stdout.1.gz", "stdout.2.gz", "stdout.3.gz"]);
    expect(names).not.to.include("stdout.4.gz");
    const { stdout } = spawnSync("gzip", ["-dc", join(logger.sandbox, "stdout.1.gz")], { encoding: "utf8" });
    expect(lines(0, 1000)).to.include(stdout + (await readFile(logger.file, "utf8")));
  });

  it("goes on after what was there before, and writes at once", async () => {
    await mkdir(join(directory, "sandbox"));
    await writeFile(join(directory, "sandbox", "stdout"), "before\n");
    const logger = await start({});
    await logger.write("after\n");
    await eventually(async () =>
      (await readFile(logger.file, "utf8")) === "before\nafter\n" ? true : undefined,
    );
    await logger.end();
  });

  it("makes the file before there is output", async () => {
    const logger = await start({});
    await eventually(async () => ((await stat(logger.file)).size === 0 ? true : undefined));
    await logger.end();
  });

  it("reads on when it cannot write, and when logrotate fails", async function () {
    requirePart(this, "logrotate", "logrotate");
    const logger = await start(
      { logrotate_stdout_options: "compress" },
      { logrotate: findProgram("false") ?? "/bin/false" },
    );
    await logger.write(lines(0, 500));
    await rm(logger.sandbox, { recursive: true });
    await logger.write(lines(0, 5000));
    await logger.end();
  });

  it("writes nowhere but into the sandbox, whatever the container puts there", async () => {
    const victim = join(directory, "victim");
    await writeFile(victim, "");
    const logger = await start({ logrotate_stdout_options: "rotate 1" });
    await eventually(() => stat(logger.file));
    await rm(logger.file);
    await symlink(victim, logger.file);
    // What is to be rotated cannot be put there, and stays.
    await mkdir(join(logger.sandbox, "stdout.1", "full"), { recursive: true });
    await logger.write(lines(0, 500));
    await logger.end();
    expect(await readFile(victim, "utf8")).to.equal("");
  });

  it("believes no settings that the container writes, and leaves none anywhere", async function () {
    requirePart(this, "logrotate", "logrotate");
    const settings = async (): Promise<string[]> =>
      (await readdir("/tmp")).filter((name) => name.startsWith(`.tepui-logger-${logger.child.pid}-`));
    const logger = await start({ logrotate_stdout_options: "compress" });
    await eventually(() => stat(logger.file));
    expect(await readdir(logger.sandbox)).to.deep.equal(["stdout"]);
    expect(await settings()).to.have.length(1);
    const made = join(directory, "made");
    const evil = `"${logger.file}" {\nsize 1\nprerotate\ntouch "${made}"\nendscript\n}\n`;
    await writeFile(`${logger.file}.logrotate.conf`, evil);
    await logger.write(lines(0, 500));
    await logger.end();
    expect(existsSync(made)).to.equal(false);
    expect(await settings()).to.deep.equal([]);
  });

  it("is not ended by the signals that end an agent's session", async () => {
    const logger = await start({});
    await eventually(async () => ((await stat(logger.file)).size === 0 ? true : undefined));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) logger.child.kill(signal);
    await logger.write("still there\n");
    await logger.end();
    expect(await readFile(logger.file, "utf8")).to.equal("still there\n");
  });

  it("writes as the container's user", async function () {
    requireThat(this, process.getuid?.() === 0, "other users need root");
    const logger = await start({ logrotate_stdout_options: "rotate 1" }, { user: "nobody" });
    await logger.write(lines(0, 300));
    await logger.end();
    const owner = (await stat(logger.sandbox)).uid;
    expect(owner).not.to.equal(0);
    for (const name of await readdir(logger.sandbox)) {
      expect((await stat(join(logger.sandbox, name))).uid, name).to.equal(owner);
    }
  });

  it("says at the start what it lacks", async () => {
    const refused = await start(
      { logrotate_stdout_options: "compress" },
      { logrotate: "/nowhere/logrotate" },
    ).then(() => "started", String);
    expect(refused).to.match(/'\/nowhere\/logrotate' is missing.*apt-get install logrotate/);
    const logger = await start({ logrotate_stdout_options: "rotate 1" }, { logrotate: "/nowhere/logrotate" });
    await logger.end();
  });
});
