import { expect } from "chai";
import { createTestKernel, TestKernel } from "../../../core/testing/index.js";
import { Deferred } from "../../../sdk/client/deferred.js";
import type { TepuiError } from "../../../sdk/errors/index.js";
import { definePlugin, optional, type PluginContext } from "../../../sdk/plugin/index.js";
import { A, B, Keyed, Many, probe, rejection } from "./fixtures.js";

/** How each plugin but the kernel's own fared. */
const outcomes = ({ kernel }: TestKernel) =>
  kernel
    .describe()
    .slice(1)
    .map(({ state, reason }) => [state, reason]);

describe("plugins that fail", () => {
  it("are told with the place where they threw, when they come from elsewhere", async () => {
    const fail = () => {
      throw new TypeError("no such method");
    };
    const definition = probe("mine", [], { start: fail });
    const entry = { name: "mine", definition, source: { kind: "path", location: "./mine.js" } } as const;
    const test = new TestKernel({ plugins: [entry] });
    const { problems } = (await rejection(test.kernel.start())) as TepuiError;
    expect(problems[0]).to.match(
      /^plugin 'mine': no such method \(\/.*failing-plugins\.test\.[jt]s:\d+:\d+\)$/,
    );
  });

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
    expect(outcomes(test)).to.deep.equal([
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
    expect(outcomes(test)).to.deep.equal([
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
    expect(outcomes(test)).to.deep.equal([
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
    expect(outcomes(test)).to.deep.equal([
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
    const gate = new Deferred();
    const test = new TestKernel({
      plugins: [
        probe("base", journal, { provides: [A], start: () => gate.promise }),
        probe("never", journal, { requires: { a: A } }),
      ],
    });
    const started = rejection(test.kernel.start());
    await test.clock.advance(0);
    const stopped = test.stop();
    gate.resolve();
    expect(await stopped).to.deep.equal([]);
    expect(String(await started)).to.match(/stopped while it started/);
    expect(journal.slice(2)).to.deep.equal(["start base", "stop base"]);
  });
});
