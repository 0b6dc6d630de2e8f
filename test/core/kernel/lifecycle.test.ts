import { access, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { graphToDot } from "../../../core/kernel/index.js";
import { createTestKernel, override, TestKernel } from "../../../core/testing/index.js";
import { Deferred } from "../../../sdk/client/deferred.js";
import { Clock } from "../../../sdk/contracts/clock.js";
import { PluginDirectory } from "../../../sdk/contracts/plugin-directory.js";
import { Settings } from "../../../sdk/contracts/settings.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { definePlugin, optional, type PluginContext, z } from "../../../sdk/plugin/index.js";
import { A, B, C, Keyed, Many, Ordered, probe, rejection } from "./fixtures.js";

describe("the life of a kernel", () => {
  it("sets up in the order of requirements, starts in layers, stops in reverse", async () => {
    const journal: string[] = [];
    const test = await createTestKernel({
      plugins: [
        probe("top", journal, { requires: { b: B } }),
        probe("middle", journal, { provides: [B], requires: { a: A } }),
        probe("base", journal, { provides: [A] }),
      ],
    });
    expect(await test.stop()).to.deep.equal([]);
    expect(journal).to.deep.equal([
      "setup base",
      "setup middle",
      "setup top",
      "start base",
      "start middle",
      "start top",
      "stop top",
      "stop middle",
      "stop base",
    ]);
    expect(test.kernel.describe().map(({ state }) => state)).to.deep.equal([
      "stopped",
      "stopped",
      "stopped",
      "stopped",
    ]);
  });

  it("starts a layer side by side, and the next only after it", async () => {
    const journal: string[] = [];
    const gate = new Deferred();
    const test = new TestKernel({
      plugins: [
        probe("slow", journal, { provides: [A], start: () => gate.promise }),
        probe("quick", journal),
        probe("after", journal, { requires: { a: A } }),
      ],
    });
    const started = test.kernel.start();
    await test.clock.advance(0);
    expect(journal.filter((line) => line.startsWith("start"))).to.deep.equal(["start slow", "start quick"]);
    gate.resolve();
    await started;
    expect(journal.at(-1)).to.equal("start after");
    await test.stop();
  });

  it("delivers by cardinality, in manifest order", async () => {
    let seen: unknown;
    const consumer = definePlugin({
      name: "consumer",
      version: "1.0.0",
      requires: { a: A, b: optional(B), many: Many, ordered: Ordered, keyed: Keyed, clock: Clock },
      setup(_ctx, deps) {
        seen = { ...deps, ordered: [...deps.ordered], keyed: [...deps.keyed], clock: deps.clock.now() };
      },
    });
    const late = probe("late", [], { provides: [Ordered], requires: { c: C } });
    const test = await createTestKernel({
      plugins: [
        consumer,
        late,
        probe("one", [], { provides: [A, Ordered, Keyed] }),
        probe("two", [], { provides: [C, Ordered, Keyed] }),
      ],
    });
    expect(seen).to.deep.equal({
      a: "one",
      b: undefined,
      many: [],
      ordered: ["late", "one", "two"],
      keyed: [
        ["one", "one"],
        ["two", "two"],
      ],
      clock: test.clock.now(),
    });
    expect(test.kernel.get(A)).to.equal("one");
    expect(test.kernel.getAll(Ordered)).to.deep.equal(["late", "one", "two"]);
    expect(test.kernel.getKeyed(Keyed).get("two")).to.equal("two");
    expect(() => test.kernel.get(B)).to.throw(/nothing is bound to 'test.b'/);
    await test.stop();
  });

  it("keeps a second daemon of the same kind out of its work directory, before a plugin of that one starts", async () => {
    const workDir = await mkdtemp(join(tmpdir(), "kernel-test-"));
    try {
      const journal: string[] = [];
      const kernel = (target: "master" | "agent") =>
        new TestKernel({ plugins: [probe(target, journal, { targets: [target] })], workDir, target });
      const first = kernel("agent");
      await first.kernel.start();
      const second = kernel("agent");
      const error = await rejection(second.kernel.start());
      expect(error).to.be.instanceOf(TepuiError).with.property("code", "TEPUI_WORK_DIR_IN_USE");
      expect(journal).to.deep.equal(["setup agent", "start agent", "setup agent"]);
      const master = kernel("master");
      await master.kernel.start();
      await master.stop();
      await first.stop();
      const third = kernel("agent");
      await third.kernel.start();
      await third.stop();
    } finally {
      await rm(workDir, { recursive: true });
    }
  });

  it("gives each plugin its own context", async () => {
    let ctx: PluginContext<{ size: number }> | undefined;
    const plugin = definePlugin({
      name: "mine",
      version: "1.0.0",
      config: z.strictObject({ size: z.number().default(3) }),
      setup(context) {
        ctx = context;
      },
    });
    const test = await createTestKernel({ plugins: [plugin], target: "agent", settings: { port: 5051 } });
    expect(ctx?.config).to.deep.equal({ size: 3 });
    expect(ctx?.host).to.deep.equal({ target: "agent", version: "0.0.0-test" });
    expect(ctx?.settings.number("port")).to.equal(5051);
    expect(() => ctx?.settings.string("port")).to.throw(/'port' is not a text/);
    expect(test.kernel.get(Settings).flags.get("port")).to.equal("5051");
    ctx?.metrics.counter("calls").inc();
    expect(test.metrics.snapshot().get("mine/calls")).to.equal(1);
    ctx?.logger.info("hello");
    expect(test.logger.lines.at(-1)).to.deep.equal({
      level: "info",
      message: "hello",
      fields: { plugin: "mine" },
    });
    const temporary = await ctx!.stateDir();
    expect((await stat(temporary)).isDirectory()).to.equal(true);
    expect(await ctx!.stateDir()).to.equal(temporary);
    expect(ctx?.signal.aborted).to.equal(false);
    expect(() => ctx?.bind(A, "late")).to.throw(/after setup had ended/);
    await test.stop();
    expect(ctx?.signal.aborted).to.equal(true);
    await rejection(access(temporary));
  });

  it("keeps state folders below the work directory", async () => {
    const workDir = await mkdtemp(join(tmpdir(), "kernel-test-"));
    try {
      let dir = "";
      const plugin = definePlugin({
        name: "keeper",
        version: "1.0.0",
        setup: (ctx) => ({
          start: async () => {
            dir = await ctx.stateDir();
          },
        }),
      });
      const test = await createTestKernel({ plugins: [plugin], workDir });
      await test.stop();
      expect(dir).to.equal(join(workDir, "plugins", "keeper"));
      expect(await readdir(join(workDir, "plugins"))).to.deep.equal(["keeper"]);
    } finally {
      await rm(workDir, { recursive: true });
    }
  });

  it("describes what is loaded, with secrets masked, and draws the graph", async () => {
    const plugin = definePlugin({
      name: "secretive",
      version: "2.1.0",
      description: "Has secrets",
      provides: [A],
      requires: { directory: PluginDirectory, b: optional(B) },
      config: z.strictObject({
        password: z.string(),
        hidden: z.string().meta({ secret: true }).optional(),
        list: z.array(z.strictObject({ apiToken: z.string(), plain: z.number() })),
        url: z.string(),
      }),
      setup: (ctx) => ctx.bind(A, "a"),
    });
    await using test = await createTestKernel({
      plugins: [plugin],
      config: {
        secretive: {
          password: "x",
          hidden: "y",
          list: [{ apiToken: "z", plain: 1 }],
          url: "zk://user:pw@host:2181/mesos",
        },
      },
    });
    const { startMs, setupMs, ...description } = test.kernel.get(PluginDirectory).describe()[1]!;
    expect([startMs, setupMs]).to.deep.equal([0, 0]);
    expect(description).to.deep.equal({
      name: "secretive",
      version: "2.1.0",
      description: "Has secrets",
      source: { kind: "builtin", location: "secretive" },
      targets: ["master", "agent"],
      provides: [{ name: "test.a", version: "1.3", cardinality: "one" }],
      requires: [
        {
          as: "directory",
          optional: false,
          name: "tepui.plugin-directory",
          version: "1.0",
          cardinality: "one",
        },
        { as: "b", optional: true, name: "test.b", version: "1.0", cardinality: "one" },
      ],
      config: {
        password: "********",
        hidden: "********",
        list: [{ apiToken: "********", plain: 1 }],
        url: "zk://user:********@host:2181/mesos",
      },
      failure: "abort",
      state: "ready",
      reason: undefined,
      stopMs: undefined,
    });
    const dot = graphToDot(test.kernel.graph(), test.kernel.describe());
    expect(dot).to.include('"secretive" -> "kernel" [label="tepui.plugin-directory"];');
    expect(dot).to.match(/^digraph plugins \{[\s\S]*\}\n$/);
  });

  it("is started once", async () => {
    await using test = await createTestKernel({ plugins: [] });
    expect(String(await rejection(test.kernel.start()))).to.match(/start of a kernel that is running/);
  });

  it("replaces what plugins bind with overrides, for tests", async () => {
    const journal: string[] = [];
    let seen = "";
    const user = definePlugin({
      name: "user",
      version: "1.0.0",
      requires: { a: A, b: B },
      setup(_ctx, deps) {
        seen = `${deps.a} ${deps.b}`;
      },
    });
    await using test = await createTestKernel({
      plugins: [user, probe("real", journal, { provides: [A, B] })],
      overrides: [override(A, "fake")],
    });
    expect(seen).to.equal("fake real");
    expect(test.kernel.describe().map(({ name }) => name)).to.include("test-overrides");
  });
});
