import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PERL_HELPER } from "../../../plugins/launchers/perl/program.js";
import { posixCommand } from "../../../plugins/launchers/posix/posix-command.js";
import { ShimLauncher } from "../../../plugins/launchers/shim/shim-launcher.js";
import { SwitchboardStreams } from "../../../sdk/container-streams/index.js";
import type { ContainerInput } from "../../../sdk/contracts/containerizer.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { eventually } from "../../support/eventually.js";
import { requirePart } from "../../support/require-part.js";
import { switchboards } from "./switchboard-support.js";

/** A thousand, for a soak: `TEPUI_ATTACH_CYCLES=1000 npm test -- --grep "leave nothing"`. */
const CYCLES = Number(process.env.TEPUI_ATTACH_CYCLES ?? 100);
const SESSIONS = Math.ceil(CYCLES / 10);

describe("attaching and letting go", function () {
  this.timeout(CYCLES * 1000);
  const random = new SeededRandom(7);
  let directory: string;
  let launcher: ShimLauncher;
  let helper: number;

  before(async function () {
    requirePart(this, "perl", "perl-base");
    directory = await mkdtemp(join(tmpdir(), "tepui-leaks-"));
    launcher = new ShimLauncher({
      name: "posix",
      helpers: [["perl", "-e", PERL_HELPER]],
      logger: new MemoryLogger(),
      command: posixCommand,
    });
    const others = new Set(children(process.pid));
    await launcher.start();
    helper = children(process.pid).find(
      (pid) => !others.has(pid) && title(pid).startsWith("tepui-launcher"),
    )!;
  });

  after(async () => {
    await launcher?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function run(id: string, script: string, session: boolean) {
    const socket = join(directory, `${id}.sock`);
    const container = await launcher.launch({
      containerId: id,
      argv: ["sh", "-c", script],
      environment: { PATH: "/bin:/usr/bin" },
      workingDirectory: directory,
      sandbox: directory,
      user: undefined,
      stdout: join(directory, `${id}.out`),
      stderr: join(directory, `${id}.err`),
      record: join(directory, `${id}.record`),
      outlivesAgent: true,
      contribution: {},
      switchboard: { socket, terminal: { rows: 24, columns: 80 }, session },
    });
    await container.go();
    return { container, streams: new SwitchboardStreams(socket) };
  }

  it(`leave nothing, ${CYCLES} times, half of them cut off at random`, async () => {
    const id = `leaks-${process.pid}`;
    const { streams } = await run(id, "stty -echo; while read line; do echo got $line; done", false);
    const [switchboard] = switchboards(id);
    const before = { helper: files(helper), switchboard: files(switchboard!), own: files(process.pid) };
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const abort = new AbortController();
      const output = streams.output(abort.signal)[Symbol.asyncIterator]();
      const input = await streams.input();
      if (random.next() < 0.5) await cut(input, abort);
      else await talk(input, output, `${cycle}`);
      abort.abort();
      input.close();
    }
    await eventually(() => expect(files(switchboard!)).to.equal(before.switchboard));
    await eventually(() => expect(files(helper)).to.equal(before.helper));
    await eventually(() => expect(files(process.pid)).to.be.at.most(before.own));
    expect(switchboards(id)).to.deep.equal([switchboard]);
    await launcher.destroy(id);
    await eventually(() => (switchboards(id).length === 0 ? true : undefined));
  });

  /** At any moment: nobody waits for what was sent. */
  async function cut(input: ContainerInput, abort: AbortController): Promise<void> {
    const steps = [
      () => input.write(Buffer.from("x\n")),
      () => input.resize({ rows: 10, columns: 20 }),
      async () => abort.abort(),
      () => new Promise((resolve) => setTimeout(resolve, random.next() * 3)),
    ];
    for (const step of steps.slice(0, Math.floor(random.next() * (steps.length + 1)))) {
      // A session may have read its line, and be over.
      if (await step().then(() => false, refused)) return;
    }
  }

  async function talk(
    input: ContainerInput,
    output: AsyncIterator<{ data: Buffer }>,
    word: string,
  ): Promise<void> {
    await input.write(Buffer.from(`${word}\n`));
    for (let text = ""; !text.includes(`got ${word}\r\n`); ) {
      const { value, done } = await output.next();
      if (done === true) throw new Error(`the output ended before '${word}'`);
      text += value.data.toString();
    }
  }

  it(`leave nothing of sessions, ${SESSIONS} times, half of them cut off at random`, async () => {
    const before = { helper: files(helper), own: files(process.pid) };
    for (let cycle = 0; cycle < SESSIONS; cycle++) {
      const id = `leaks-${process.pid}-${cycle}`;
      const { container, streams } = await run(id, "echo begin; read line; echo $line", true);
      const abort = new AbortController();
      const output = streams.output(abort.signal)[Symbol.asyncIterator]();
      const input = await streams.input();
      if (random.next() < 0.5) await cut(input, abort);
      else {
        await output.next();
        await input.write(Buffer.from("end\n"));
        while ((await output.next()).done !== true);
        expect((await container.exited)?.code).to.equal(0);
      }
      abort.abort();
      input.close();
      await launcher.destroy(id);
    }
    const left = (): number => switchboards(`leaks-${process.pid}`).length;
    await eventually(() => (left() === 0 ? true : undefined), 45_000);
    await eventually(() => expect(files(helper)).to.equal(before.helper));
    await eventually(() => expect(files(process.pid)).to.be.at.most(before.own));
    expect(readdirSync(directory).filter((name) => name.endsWith(".sock"))).to.deep.equal([]);
  });

  it("costs little memory", async () => {
    const id = `leaks-memory-${process.pid}`;
    await run(id, "cat", false);
    const [switchboard] = switchboards(id);
    const rollup = await readFile(`/proc/${switchboard}/smaps_rollup`, "utf8");
    const kilobytes = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(rollup)![1]);
    expect(kilobytes("Private_Dirty")).to.be.lessThan(2000);
    if (process.env.TEPUI_ATTACH_CYCLES !== undefined) {
      console.log(
        `      own ${kilobytes("Private_Dirty")} kB, with its share of the rest ${kilobytes("Pss")} kB`,
      );
    }
    await launcher.destroy(id);
  });
});

function refused(error: unknown): true {
  if (!isTepuiError(error)) throw error;
  return true;
}

const files = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Empty once it is gone. */
function title(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

const children = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
