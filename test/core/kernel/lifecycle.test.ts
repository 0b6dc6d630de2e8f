import { access, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { graphToDot } from "../../../core/kernel/index.js";
import { createTestKernel, override, TestKernel } from "../../../core/testing/index.js";
import { Clock } from "../../../sdk/contracts/clock.js";
import { PluginDirectory } from "../../../sdk/contracts/plugin-directory.js";
import { Settings } from "../../../sdk/contracts/settings.js";
import type { TepuiError } from "../../../sdk/errors/index.js";
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
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const test = new TestKernel({
      plugins: [
        probe("slow", journal, { provides: [A], start: () => gate }),
        probe("quick", journal),
        probe("after", journal, { requires: { a: A } }),
      ],
    });
    const started = test.kernel.start();
    await test.clock.advance(0);
    expect(journal.filter((line) => line.startsWith("start"))).to.deep.equal(["start slow", "start quick"]);
    release();
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

describe("plugins that fail", () => {
  it("end the boot by default; all that fail in setup are named, their dependants are not", async () => {
    const journal: string[] = [];
    const fail = (message: string) => () => {
      throw new Error(message);
    };
    const test = new TestKernel({
      plugins: [
        probe("x", journal, { provides: [A], setup: fail("no disk") }),
        probe("needs-x", journal, { provides: [B], requires: { a: A } }),
        probe("needs-needs-x", journal, { requires: { b: B } }),
        probe("y", journal, { setup: fail("no net") }),
      ],
    });
    const error = (await rejection(test.kernel.start())) as TepuiError;
    expect(error.code).to.equal("TEPUI_PLUGIN_SETUP_FAILED");
    expect(error.problems).to.deep.equal(["plugin 'x': no disk", "plugin 'y': no net"]);
    expect((error.cause as Error).message).to.equal("no disk");
    expect(journal).to.deep.equal(["setup x", "setup y"]);
    expect(
      test.kernel
        .describe()
        .slice(1)
        .map(({ state }) => state),
    ).to.deep.equal(["failed", "failed", "failed", "failed"]);
  });

  it("undo what was started when a start fails, with the failed one itself", async () => {
    const journal: string[] = [];
    const test = new TestKernel({
      plugins: [
        probe("base", journal, { provides: [A] }),
        probe("bad", journal, {
          requires: { a: A },
          start: () => {
            throw new Error("port taken");
          },
        }),
        probe("peer", journal, { provides: [B], requires: { a: A } }),
        probe("later", journal, { requires: { b: B } }),
      ],
    });
    const error = (await rejection(test.kernel.start())) as TepuiError;
    expect(error.code).to.equal("TEPUI_PLUGIN_START_FAILED");
    expect(error.problems).to.deep.equal(["plugin 'bad': port taken"]);
    expect(journal.slice(4)).to.deep.equal([
      "start base",
      "start bad",
      "start peer",
      "stop bad",
      "stop peer",
      "stop base",
    ]);
    expect(await test.stop()).to.deep.equal([]);
  });

  it("are left out under degrade and skip, and nothing of them stays bound", async () => {
    const journal: string[] = [];
    const fail = () => {
      throw new Error("broken");
    };
    await using test = await createTestKernel({
      plugins: [
        probe("setup-degraded", journal, { provides: [Many], failure: "degrade", setup: fail }),
        probe("start-degraded", journal, { provides: [Many], failure: "degrade", start: fail }),
        probe("start-skipped", journal, { provides: [Many], failure: "skip", start: fail }),
        probe("fine", journal, { provides: [Many] }),
      ],
    });
    expect(test.kernel.getAll(Many)).to.deep.equal(["fine"]);
    expect(
      test.kernel
        .describe()
        .slice(1)
        .map(({ state, reason }) => [state, reason]),
    ).to.deep.equal([
      ["degraded", "broken"],
      ["degraded", "broken"],
      ["skipped", "broken"],
      ["ready", undefined],
    ]);
    expect(journal).to.include("stop start-degraded");
    expect(test.logger.messages("warn")).to.deep.equal(
      Array(3).fill("the daemon runs without this plugin: broken"),
    );
  });

  it("can say that they do not apply to this host, in setup and in start", async () => {
    const skipper = (phase: "setup" | "start") =>
      definePlugin({
        name: `skips-in-${phase}`,
        version: "1.0.0",
        provides: [Many],
        setup(ctx) {
          if (phase === "setup") ctx.skip("no cgroups here");
          ctx.bind(Many, "x");
          return { start: () => ctx.skip("no cgroups here") };
        },
      });
    await using test = await createTestKernel({ plugins: [skipper("setup"), skipper("start")] });
    expect(test.kernel.getAll(Many)).to.deep.equal([]);
    expect(
      test.kernel
        .describe()
        .slice(1)
        .map(({ state, reason }) => [state, reason]),
    ).to.deep.equal([
      ["skipped", "no cgroups here"],
      ["skipped", "no cgroups here"],
    ]);
    expect(test.logger.messages("warn")).to.deep.equal([]);
  });

  it("take down what cannot do without them, by that plugin's own policy", async () => {
    const journal: string[] = [];
    const options = {
      provides: [A],
      failure: "degrade" as const,
      start: () => Promise.reject(new Error("broken")),
    };
    await using test = await createTestKernel({
      plugins: [
        probe("base", journal, options),
        probe("user", journal, { requires: { a: A }, failure: "degrade" }),
        probe("lenient", journal, { requires: { a: optional(A) } }),
      ],
    });
    expect(
      test.kernel
        .describe()
        .slice(1)
        .map(({ state, reason }) => [state, reason]),
    ).to.deep.equal([
      ["degraded", "broken"],
      ["degraded", "it requires 'test.a', whose provider dropped out"],
      ["ready", undefined],
    ]);

    const strict = new TestKernel({
      plugins: [probe("base", [], options), probe("user", [], { requires: { a: A } })],
    });
    const error = (await rejection(strict.kernel.start())) as TepuiError;
    expect(error.problems).to.deep.equal(["plugin 'user': it requires 'test.a', whose provider dropped out"]);
  });

  it("are cut off when they start too slowly; the manifest's limit and policy win", async () => {
    const journal: string[] = [];
    const never = () => new Promise<void>(() => {});
    const definition = probe("slow", journal, { start: never });
    const entry = { name: "slow", definition, source: { kind: "path", location: "./slow.js" } } as const;
    const test = new TestKernel({
      plugins: [
        { ...entry, startTimeout: 500, failure: "degrade" },
        { ...entry, name: "slower", failure: "skip" },
      ],
    });
    const started = test.kernel.start();
    await test.clock.advance(10_000);
    await started;
    expect(
      test.kernel
        .describe()
        .slice(1)
        .map(({ state, reason }) => [state, reason]),
    ).to.deep.equal([
      ["degraded", "A plugin did not start in time: limit 500ms"],
      ["skipped", "A plugin did not start in time: limit 10secs"],
    ]);
    expect(journal.filter((line) => line.startsWith("stop"))).to.have.length(2);
    await test.stop();
  });

  it("do not hold up the shutdown: one that hangs is cut off and named, one that throws is reported", async () => {
    const journal: string[] = [];
    const test = await createTestKernel({
      plugins: [
        probe("base", journal, { provides: [A] }),
        probe("hangs", journal, { requires: { a: A }, stop: () => new Promise<void>(() => {}) }),
        probe("throws", journal, { requires: { a: A }, stop: () => Promise.reject(new Error("no")) }),
      ],
    });
    const stopped = test.stop();
    await test.clock.advance(9_999);
    expect(journal).to.not.include("stop base");
    await test.clock.advance(1);
    const errors = await stopped;
    expect(errors.map(({ code }) => code).sort()).to.deep.equal([
      "TEPUI_PLUGIN_STOP_FAILED",
      "TEPUI_PLUGIN_STOP_TIMEOUT",
    ]);
    expect(errors.map(({ message }) => message).join())
      .to.match(/'hangs', limit 10secs/)
      .and.match(/'throws': no/);
    expect(journal.at(-1)).to.equal("stop base");
    expect(await test.stop()).to.equal(errors);
  });

  it("share the limit of the whole shutdown", async () => {
    const hang = () => new Promise<void>(() => {});
    const test = await createTestKernel({
      plugins: [
        probe("one", [], { provides: [A], stop: hang }),
        probe("two", [], { provides: [B], requires: { a: A }, stop: hang }),
        probe("three", [], { requires: { b: B }, stop: hang }),
      ],
      shutdownLimit: 15_000,
    });
    const stopped = test.stop();
    await test.clock.advance(15_000);
    expect(await stopped).to.have.length(3);
    expect(test.clock.monotonic()).to.equal(15_000);
  });

  it("bind only what they declared, once, and all of it", async () => {
    const twice = (act: () => void): void => {
      act();
      act();
    };
    const attempts: [string, (ctx: PluginContext) => void][] = [
      ["'test.b' is not listed in provides", (ctx) => ctx.bind(B, "x")],
      ["'test.a' was bound to nothing", (ctx) => ctx.bind(A, undefined as unknown as string)],
      ["'test.a' is bound by 'p' already", (ctx) => twice(() => ctx.bind(A, "x"))],
      [
        "the key 'k' of 'test.keyed' is bound by 'p' already",
        (ctx) => twice(() => ctx.bind(Keyed, "x", { key: "k" })),
      ],
      ["'test.keyed' needs a key", (ctx) => ctx.bind(Keyed, "x", { key: "" })],
      ["setup bound nothing to 'test.a'", () => {}],
    ];
    for (const [message, setup] of attempts) {
      const plugin = definePlugin({ name: "p", version: "1.0.0", provides: [A, Keyed], setup });
      const error = (await rejection(createTestKernel({ plugins: [plugin] }))) as TepuiError;
      expect(error.problems[0]).to.equal(
        `plugin 'p': A plugin bound something that it may not bind: ${message}`,
      );
    }
  });

  it("must set up synchronously and return what the kernel can call", async () => {
    const asynchronous = definePlugin({
      name: "p",
      version: "1.0.0",
      setup: (async () => Promise.reject(new Error("late"))) as unknown as () => void,
    });
    expect(String(await rejection(createTestKernel({ plugins: [asynchronous] })))).to.match(
      /setup is asynchronous/,
    );
    const odd = definePlugin({
      name: "p",
      version: "1.0.0",
      setup: (() => ({ start: 5 })) as unknown as () => void,
    });
    expect(String(await rejection(createTestKernel({ plugins: [odd] })))).to.match(
      /a start that is not a function/,
    );
  });

  it("stop in order when the kernel is stopped while it starts", async () => {
    const journal: string[] = [];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const test = new TestKernel({
      plugins: [
        probe("base", journal, { provides: [A], start: () => gate }),
        probe("never", journal, { requires: { a: A } }),
      ],
    });
    const started = rejection(test.kernel.start());
    await test.clock.advance(0);
    const stopped = test.stop();
    release();
    expect(await stopped).to.deep.equal([]);
    expect(String(await started)).to.match(/stopped while it started/);
    expect(journal.slice(2)).to.deep.equal(["start base", "stop base"]);
  });
});
