import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Deferred } from "../../../plugins/launchers/shim/deferred.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import { containerName } from "../../../sdk/ids/index.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import { eventually } from "../../support/eventually.js";
import { ContainerizerBench } from "./support.js";

describe("containers within containers, of plain processes", () => {
  let bench: ContainerizerBench;

  afterEach(() => bench.close());

  const open = async (isolators: readonly Isolator[] = []): Promise<ContainerizerBench> => {
    bench = await ContainerizerBench.open({ isolators });
    return bench;
  };

  const within = async (
    parent: ContainerRequest,
    script: string,
    more: Partial<ContainerRequest> = {},
  ): Promise<ContainerRequest> => {
    const request = await bench.request(script, more);
    return { ...request, containerId: { ...request.containerId, parent: parent.containerId } };
  };

  const running = async (script = "exec sleep 1000"): Promise<ContainerRequest> => {
    const request = await bench.request(script);
    await bench.containerizer.launch(request);
    return request;
  };

  const nothingIn = (directory: string): Promise<unknown> =>
    eventually(async () => (await readdir(directory)).length === 0 || undefined);
  const refusal = (launch: Promise<unknown>): Promise<string> => launch.then(() => "launched", String);
  const output = (request: ContainerRequest): Promise<string> =>
    readFile(join(request.directory, "stdout"), "utf8");

  it("run in a sandbox of their own, and are told apart by all of their id", async () => {
    const { containerizer } = await open();
    const parent = await running();
    const child = await within(parent, 'echo "$GREETING $MESOS_SANDBOX"; exit 4', {
      environment: { GREETING: "hi" },
    });
    await containerizer.launch(child);
    expect((await containerizer.wait(child.containerId))!.exit).to.deep.equal({ code: 4, signal: undefined });
    expect(await output(child)).to.equal(`hi ${child.directory}\n`);
    // The same name without its parent is nobody's.
    expect(await containerizer.wait({ value: child.containerId.value })).to.equal(undefined);
    expect(containerizer.containers().map(containerName)).to.have.members([
      containerName(parent.containerId),
      containerName(child.containerId),
    ]);
    await containerizer.destroy(parent.containerId);
    expect(containerizer.containers()).to.deep.equal([]);
    expect(await containerizer.wait(child.containerId)).to.equal(undefined);
  });

  it("need a parent that runs", async () => {
    const { containerizer } = await open();
    const stranger = await bench.request("true");
    expect(await refusal(containerizer.launch(await within(stranger, "true")))).to.contain(
      `Parent container ${stranger.containerId.value} does not exist`,
    );
    const ended = await running("exit 0");
    await containerizer.wait(ended.containerId);
    expect(await refusal(containerizer.launch(await within(ended, "true")))).to.contain(
      "is in 'DESTROYING' state",
    );
    await containerizer.destroy(ended.containerId);
  });

  it("end before the container that they are in, the innermost first, and how they ended is known until that is forgotten", async () => {
    const order: string[] = [];
    const { containerizer } = await open([
      {
        name: "watching",
        nesting: true,
        cleanup: async (id) => {
          order.push(id);
        },
      },
    ]);
    const parent = await running("exec sleep 1000");
    const child = await within(parent, "exec sleep 1000");
    await containerizer.launch(child);
    const grandchild = await within(child, "exec sleep 1000");
    await containerizer.launch(grandchild);
    await containerizer.destroy(child.containerId);
    expect(order).to.deep.equal([containerName(grandchild.containerId), containerName(child.containerId)]);
    expect(await containerizer.wait(grandchild.containerId)).to.equal(undefined);
    await containerizer.destroy(parent.containerId);
  });

  it("are told the limit that ended what they are in as the reason", async () => {
    let cross = (): void => undefined;
    const { containerizer } = await open([
      {
        name: "limit",
        watch: () =>
          new Promise((resolve) => {
            // REASON_CONTAINER_LIMITATION_DISK
            cross = () => resolve({ message: "too much", reason: 20 });
          }),
      },
    ]);
    const parent = await running();
    const child = await within(parent, "exec sleep 1000");
    await containerizer.launch(child);
    cross();
    expect(await containerizer.wait(child.containerId)).to.deep.include({ reason: 20, message: "too much" });
    await containerizer.destroy(parent.containerId);
  });

  it("leave no file with their environment when they end", async () => {
    const { containerizer } = await open();
    const request = await bench.request("exit 0", { environment: { SECRET: "s" } });
    await containerizer.launch(request);
    await containerizer.wait(request.containerId);
    await nothingIn(join(bench.directory, "records.surroundings"));
    await containerizer.destroy(request.containerId);
  });

  it("end when the main process of their parent does", async () => {
    const { containerizer } = await open();
    const parent = await running("while [ ! -e go ]; do sleep 0.05; done");
    const child = await within(parent, "exec sleep 1000");
    await containerizer.launch(child);
    const { executor_pid: pid } = await containerizer.status(child.containerId);
    await writeFile(join(parent.directory, "go"), "");
    expect((await containerizer.wait(parent.containerId))!.exit).to.deep.equal({
      code: 0,
      signal: undefined,
    });
    expect((await containerizer.wait(child.containerId))!.exit).to.deep.equal({ code: undefined, signal: 9 });
    expect(isAlive(readProcessStat(pid!))).to.equal(false);
    await containerizer.destroy(parent.containerId);
    await nothingIn(join(bench.directory, "records"));
  });

  it("never come to be when what they are in ends meanwhile", async () => {
    let go: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const prepared: string[] = [];
    const { containerizer } = await open([
      {
        name: "slow",
        nesting: true,
        prepare: async ({ containerId }) => {
          prepared.push(containerName(containerId));
          if (containerId.parent !== undefined) await gate;
          return undefined;
        },
      },
    ]);
    const parent = await running();
    const child = await within(parent, "touch ran");
    const launched = refusal(containerizer.launch(child));
    await eventually(() => prepared.length === 2 || undefined);
    const late = await within(parent, "true");
    const destroyed = containerizer.destroy(parent.containerId);
    expect(await refusal(containerizer.launch(late))).to.contain("is in 'DESTROYING' state");
    await destroyed;
    go?.();
    expect(await launched).to.contain("the container was destroyed");
    expect(containerizer.containers()).to.deep.equal([]);
    expect(await readdir(child.directory)).to.deep.equal([]);
    await nothingIn(join(bench.directory, "records"));
    await nothingIn(join(bench.directory, "records.surroundings"));
  });

  it("have a part only of isolators that know of nesting; those that look in of none", async () => {
    const asked: string[] = [];
    const isolator = (name: string, nesting: boolean): Isolator => ({
      name,
      nesting,
      prepare: async ({ containerId }) => {
        asked.push(`${name} ${containerName(containerId)}`);
        return undefined;
      },
    });
    const { containerizer } = await open([isolator("flat", false), isolator("deep", true)]);
    const parent = await running();
    const child = await within(parent, "true");
    await containerizer.launch(child);
    await containerizer.launch(await within(parent, "true", { class: "debug" }));
    const [outer, inner] = [containerName(parent.containerId), containerName(child.containerId)];
    expect(asked).to.deep.equal([`flat ${outer}`, `deep ${outer}`, `deep ${inner}`]);
    await containerizer.destroy(parent.containerId);
  });

  it("that have ended are gone before what they are in is made smaller", async () => {
    const order: string[] = [];
    const begun = new Deferred<void>();
    const held = new Deferred<void>();
    const { containerizer } = await open([
      {
        name: "order",
        nesting: true,
        prepare: async () => undefined,
        update: async (id) => void order.push(`update ${id}`),
        cleanup: async (id) => {
          if (id.includes(".")) {
            begun.resolve();
            await held.promise;
          }
          order.push(`cleanup ${id}`);
        },
      },
    ]);
    const parent = await running();
    const child = await within(parent, "true");
    await containerizer.launch(child);
    await containerizer.wait(child.containerId);
    await begun.promise;
    const [outer, inner] = [containerName(parent.containerId), containerName(child.containerId)];
    // The one at the launch came before.
    order.length = 0;
    const updated = containerizer.update(parent.containerId, Resources.empty, {});
    await new Promise((resolve) => setImmediate(resolve));
    held.resolve();
    await updated;
    expect(order).to.deep.equal([`cleanup ${inner}`, `update ${outer}`]);
    await containerizer.destroy(parent.containerId);
  });

  it("look in with the environment and in the directory of the container", async () => {
    const { containerizer } = await open([
      { name: "env", prepare: async () => ({ environment: { FROM: "isolator" } }) },
    ]);
    const parent = await bench.request("exec sleep 1000", { environment: { OWN: "parent", BOTH: "parent" } });
    await containerizer.launch(parent);
    const debug = await within(parent, 'pwd; echo "$OWN $BOTH $FROM $MESOS_SANDBOX"', {
      class: "debug",
      environment: { BOTH: "debug" },
    });
    await containerizer.launch(debug);
    await containerizer.wait(debug.containerId);
    expect(await output(debug)).to.equal(`${parent.directory}\nparent debug isolator ${parent.directory}\n`);
    await containerizer.destroy(parent.containerId);
  });

  it("are found again by a later agent, running or ended; those that look in end", async () => {
    const { containerizer } = await open();
    const parent = await running();
    const child = await within(parent, "while [ ! -e go ]; do sleep 0.05; done; exit 5");
    const ended = await within(parent, "exit 6");
    const debug = await within(parent, "exec sleep 1000", { class: "debug", checkpoint: false });
    for (const each of [child, ended, debug]) await containerizer.launch(each);
    await containerizer.wait(ended.containerId);
    const { executor_pid: looking } = await containerizer.status(debug.containerId);
    await bench.launcher.stop();

    const later = await ContainerizerBench.open({ directory: bench.directory });
    bench = later;
    // In any order.
    await later.containerizer.recover([child, parent, ended].map((request) => ({ request })));
    expect((await later.containerizer.wait(ended.containerId))!.exit).to.deep.equal({
      code: 6,
      signal: undefined,
    });
    await eventually(() => !isAlive(readProcessStat(looking!)) || undefined);
    await writeFile(join(child.directory, "go"), "");
    expect((await later.containerizer.wait(child.containerId))!.exit).to.deep.equal({
      code: 5,
      signal: undefined,
    });
    const again = await within(parent, "echo $MESOS_SANDBOX", { class: "debug" });
    await later.containerizer.launch(again);
    await later.containerizer.wait(again.containerId);
    expect(await output(again)).to.equal(`${parent.directory}\n`);
    await later.containerizer.destroy(parent.containerId);
    await nothingIn(join(later.directory, "records"));
    expect(await readdir(join(later.directory, "records.surroundings"))).to.deep.equal([]);
  });
});
