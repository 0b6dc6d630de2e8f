import { expect } from "chai";
import fc from "fast-check";
import { findCycles } from "../../../core/kernel/cycles.js";
import type { PluginEntry } from "../../../core/kernel/index.js";
import { TestKernel } from "../../../core/testing/index.js";
import type { TepuiError } from "../../../sdk/errors/index.js";
import {
  definePlugin,
  extensionPoint,
  optional,
  type PluginDefinition,
  type Target,
  z,
} from "../../../sdk/plugin/index.js";
import { A, B, C, Keyed, Many, probe, rejection } from "./fixtures.js";

const entry = (definition: PluginDefinition, more: Partial<PluginEntry> = {}): PluginEntry => ({
  name: definition.name,
  definition,
  source: { kind: "path", location: `./${definition.name}.js` },
  ...more,
});

async function problemsOf(plugins: readonly (PluginDefinition | PluginEntry)[], target: Target = "master") {
  return new TestKernel({ plugins, target }).kernel.problems();
}

describe("the graph of plugins", () => {
  const none: string[] = [];

  it("is fine without plugins", async () => {
    expect(await problemsOf([])).to.deep.equal([]);
  });

  it("reports every problem at once, each with its place", async () => {
    const old = extensionPoint<string, "one">("test.b", { version: "2.0", cardinality: "one" });
    const newer = extensionPoint<string, "one">("test.c", { version: "1.4", cardinality: "one" });
    const plugins = [
      entry(probe("first", none, { provides: [A] }), { where: "m.yaml:3" }),
      entry(probe("second", none, { provides: [A, B, C] }), { where: "m.yaml:4" }),
      entry(probe("third", none, { requires: { b: old, c: newer } }), { where: "m.yaml:5" }),
      entry(probe("third", none), { where: "m.yaml:6" }),
      entry(definePlugin({ name: "agent-only", version: "1.0.0", targets: ["agent"], setup: () => {} }), {
        where: "m.yaml:7",
      }),
    ];
    expect(await problemsOf(plugins)).to.deep.equal([
      "m.yaml:6: plugin 'third' is listed twice (m.yaml:5); remove one, or give it another name with 'as'",
      "m.yaml:7: plugin 'agent-only' is made for agent, not for the master",
      "'test.a' can have one provider only, found 2: 'first' (m.yaml:3), 'second' (m.yaml:4); remove all but one",
      "m.yaml:5: plugin 'third' requires 'test.b' 2.0, but an incompatible version 1.0 is provided by 'second' (m.yaml:4)",
      "m.yaml:5: plugin 'third' requires 'test.c' 1.4, but only version 1.0 is provided by 'second' (m.yaml:4)",
    ]);
  });

  it("throws them as one error, and runs no plugin", async () => {
    const journal: string[] = [];
    const test = new TestKernel({
      plugins: [probe("x", journal, { requires: { a: A, b: B } }), probe("y", journal)],
    });
    const error = (await rejection(test.kernel.start())) as TepuiError;
    expect(error.code).to.equal("TEPUI_BOOT_FAILED");
    expect(error.problems).to.have.length(2);
    expect(error.message).to.equal(
      "The plugins do not fit together" +
        "\n  - plugin 'x' requires 'test.a' 1.3, which no loaded plugin provides; no shipped plugin does either" +
        "\n  - plugin 'x' requires 'test.b' 1.0, which no loaded plugin provides; no shipped plugin does either",
    );
    expect(journal).to.deep.equal([]);
  });

  it("names the shipped plugins that provide what is missing, for this daemon", async () => {
    const available = async () => [
      probe("a-one", none, { provides: [A] }),
      probe("a-two", none, { provides: [A] }),
      probe("b", none, { provides: [B] }),
      definePlugin({ name: "a-agent", version: "1.0.0", targets: ["agent"], provides: [A], setup: () => {} }),
    ];
    const { kernel: needy } = new TestKernel({
      plugins: [probe("x", none, { requires: { a: A } })],
      available,
    });
    expect(await needy.problems()).to.deep.equal([
      "plugin 'x' requires 'test.a' 1.3, which no loaded plugin provides; shipped plugins that do: 'a-one', 'a-two'",
    ]);
  });

  it("shows a circle with the points on its way", async () => {
    const plugins = [
      probe("outside", none, { requires: { a: A } }),
      probe("x", none, { provides: [A], requires: { b: B } }),
      probe("y", none, { provides: [B], requires: { c: C } }),
      probe("z", none, { provides: [C], requires: { a: optional(A) } }),
      probe("self", none, { provides: [Many], requires: { many: Many } }),
    ];
    expect(await problemsOf(plugins)).to.deep.equal([
      "plugins require each other in a circle: x -(test.b)-> y -(test.c)-> z -(test.a)-> x",
      "plugins require each other in a circle: self -(test.many)-> self",
    ]);
  });

  it("refuses one point with two cardinalities", async () => {
    const other = extensionPoint<string, "keyed">("test.many", { version: "1.0", cardinality: "keyed" });
    const problems = await problemsOf([
      probe("x", none, { provides: [Many] }),
      probe("y", none, { provides: [other] }),
      probe("z", none, { requires: { many: Many } }),
    ]);
    expect(problems).to.deep.equal([
      "plugin 'y' provides 'test.many' as 'keyed', but 'x' as 'many'",
      "plugin 'z' requires 'test.many' as 'many', but it is provided as 'keyed' by 'y'",
    ]);
  });

  it("needs no provider for many, ordered, keyed and optional points", async () => {
    const plugins = [probe("x", none, { requires: { many: Many, keyed: Keyed, a: optional(A) } })];
    expect(await problemsOf(plugins)).to.deep.equal([]);
  });

  it("takes a newer minor version than asked for", async () => {
    const older = extensionPoint<string, "one">("test.a", { version: "1.1", cardinality: "one" });
    const plugins = [probe("x", none, { provides: [A] }), probe("y", none, { requires: { a: older } })];
    expect(await problemsOf(plugins)).to.deep.equal([]);
  });

  it("finds what is wrong with plugins that no compiler checked", async () => {
    const broken = {
      ...probe("ok", none),
      name: "Bad Name",
      version: "one",
      targets: ["moon"],
      provides: [{ name: "x" }],
      requires: { y: "clock" },
      config: {},
      failure: "maybe",
      setup: 1,
    } as unknown as PluginDefinition;
    const problems = await problemsOf([entry(broken, { name: "broken" })]);
    expect(problems).to.have.length(8);
    for (const problem of problems) expect(problem).to.match(/^plugin 'broken': it/);
  });

  it("gives layers in which every plugin comes after what it requires", async () => {
    const { kernel } = new TestKernel({
      plugins: [
        probe("top", none, { requires: { b: B, a: A } }),
        probe("middle", none, { provides: [B], requires: { a: A } }),
        probe("free", none),
        probe("base", none, { provides: [A] }),
      ],
    });
    expect(kernel.graph().layers).to.deep.equal([["kernel", "free", "base"], ["middle"], ["top"]]);
    expect(kernel.graph().edges).to.deep.include({
      from: "middle",
      to: "base",
      point: "test.a",
      optional: false,
    });
  });
});

describe("config of plugins", () => {
  const schema = z.strictObject({
    interval: z.number().min(1),
    mode: z.enum(["fast", "slow"]).default("fast"),
    password: z.string().min(20).optional(),
    key: z.string().min(20).meta({ secret: true }).optional(),
    nested: z.strictObject({ list: z.array(z.strictObject({ size: z.number() })) }).optional(),
    either: z.union([z.number(), z.boolean()]).optional(),
  });
  const plugin = definePlugin({ name: "p", version: "1.0.0", config: schema, setup: () => {} });
  const check = (config: unknown) =>
    problemsOf([entry(plugin, { config, where: "m.yaml:2", locate: (path) => `m.yaml:${2 + path.length}` })]);

  it("names file, line, plugin, field, what was expected and what was found", async () => {
    expect(await check({ interval: "often", mode: "medium" })).to.deep.equal([
      `m.yaml:3: plugin 'p': config.interval: expected number, found "often"`,
      `m.yaml:3: plugin 'p': config.mode: expected one of "fast", "slow", found "medium"`,
    ]);
    expect(await check(undefined)).to.deep.equal([
      `m.yaml:3: plugin 'p': config.interval: expected number, found nothing`,
    ]);
    expect(await check({ interval: 0, nested: { list: [{ size: 1 }, { size: null }] } })).to.deep.equal([
      "m.yaml:3: plugin 'p': config.interval: too small: expected number to be >=1, found 0",
      "m.yaml:6: plugin 'p': config.nested.list[1].size: expected number, found null",
    ]);
    expect(await check({ interval: 1, either: "x" })).to.deep.equal([
      `m.yaml:3: plugin 'p': config.either: expected number, or expected boolean, found "x"`,
    ]);
    expect(await check([])).to.deep.equal(["m.yaml:2: plugin 'p': config: expected object, found []"]);
  });

  it("names unknown fields, with a guess", async () => {
    expect(
      await check({ interval: 1, intervall: 2, foo: 1, nested: { list: [{ size: 1, sise: 2 }] } }),
    ).to.deep.equal([
      "m.yaml:6: plugin 'p': config.nested.list[0].sise: unknown field; did you mean 'size'?",
      "m.yaml:3: plugin 'p': config.intervall: unknown field; did you mean 'interval'?",
      "m.yaml:3: plugin 'p': config.foo: unknown field; known fields: interval, mode, password, key, nested, either",
    ]);
  });

  it("never repeats a secret", async () => {
    const problems = await check({ interval: 1, password: "hunter2", key: "hunter2" });
    expect(problems).to.have.length(2);
    for (const problem of problems)
      expect(problem)
        .to.match(/config\.(password|key): [^,]*$/)
        .and.to.not.contain("hunter2");
  });

  it("refuses config for a plugin that takes none", async () => {
    expect(await problemsOf([entry(probe("x", []), { config: { a: 1 }, where: "m.yaml:9" })])).to.deep.equal([
      "m.yaml:9: plugin 'x' takes no configuration, found a",
    ]);
    expect(await problemsOf([entry(probe("x", []), { config: {} })])).to.deep.equal([]);
  });
});

describe("findCycles", () => {
  it("finds a circle exactly where repeated removal of leaves leaves something over", () => {
    const graphs = fc
      .integer({ min: 1, max: 8 })
      .chain((size) =>
        fc
          .array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 16 })
          .map((edges) => ({ nodes: Array.from({ length: size }, (_, node) => node), edges })),
      );
    fc.assert(
      fc.property(graphs, ({ nodes, edges }) => {
        const next = (node: number): number[] => edges.filter(([from]) => from === node).map(([, to]) => to);
        const cycles = findCycles(nodes, next);
        for (const cycle of cycles) {
          cycle.forEach((node, index) => {
            expect(next(node)).to.include(cycle[(index + 1) % cycle.length]);
          });
        }
        let rest = nodes;
        for (;;) {
          const kept = rest.filter((node) => next(node).some((other) => rest.includes(other)));
          if (kept.length === rest.length) break;
          rest = kept;
        }
        expect(cycles.length > 0).to.equal(rest.length > 0);
      }),
    );
  });
});
