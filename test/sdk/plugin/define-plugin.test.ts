import { expect } from "chai";
import {
  type Dependencies,
  definePlugin,
  type ExtensionPoint,
  extensionPoint,
  isOptional,
  optional,
  type PluginContext,
  pointOf,
  z,
} from "../../../sdk/plugin/index.js";

interface Greeter {
  greet(name: string): string;
}
const Greeter = extensionPoint<Greeter, "one">("test.greeter", { version: "1.2", cardinality: "one" });
const Listener = extensionPoint<() => void>("test.listener", { version: "1.0", cardinality: "many" });
const Step = extensionPoint<number>("test.step", { version: "1.0", cardinality: "ordered" });
const Scheme = extensionPoint<Greeter>("test.scheme", { version: "1.0", cardinality: "keyed" });

/** Compiles only when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T => true as T;

describe("extensionPoint", () => {
  it("gives equal tokens for equal names", () => {
    const again = extensionPoint<Greeter>("test.greeter", { version: "2.0", cardinality: "one" });
    expect(again.token).to.equal(Greeter.token);
    expect(Listener.token).to.not.equal(Greeter.token);
  });

  it("infers the cardinality where only the type is given", () => {
    holds<Same<typeof Step, ExtensionPoint<number, "ordered">>>();
    expect(Step.cardinality).to.equal("ordered");
  });

  it("refuses malformed names and versions", () => {
    expect(() => extensionPoint<Greeter>("Greeter", { version: "1.0", cardinality: "one" })).to.throw(
      /lower-case/,
    );
    expect(() => extensionPoint<Greeter>("greeter", { version: "1", cardinality: "one" })).to.throw(
      /major\.minor/,
    );
  });
});

describe("definePlugin", () => {
  it("types the dependencies by cardinality", () => {
    holds<
      Same<
        Dependencies<{
          a: typeof Greeter;
          b: ReturnType<typeof optional<typeof Greeter>>;
          c: typeof Listener;
          d: typeof Step;
          e: typeof Scheme;
          f: ReturnType<typeof optional<typeof Listener>>;
        }>,
        {
          readonly a: Greeter;
          readonly b: Greeter | undefined;
          readonly c: readonly (() => void)[];
          readonly d: readonly number[];
          readonly e: ReadonlyMap<string, Greeter>;
          readonly f: readonly (() => void)[];
        }
      >
    >();
    expect(isOptional(optional(Greeter))).to.equal(true);
    expect(isOptional(Greeter)).to.equal(false);
    expect(pointOf(optional(Greeter))).to.equal(Greeter);
  });

  it("keeps the readable part and fills in what was left out", () => {
    const plugin = definePlugin({ name: "small", version: "1.0.0", setup: () => {} });
    expect(plugin).to.include({ kind: "tepui-plugin", name: "small", description: "", failure: "abort" });
    expect(plugin.targets).to.deep.equal(["master", "agent"]);
    expect(plugin.provides).to.deep.equal([]);
    expect(plugin.requires).to.deep.equal({});
  });

  it("types config and deps in setup, and what bind takes", () => {
    const seen: string[] = [];
    const plugin = definePlugin({
      name: "typed",
      version: "1.0.0",
      provides: [Greeter, Scheme],
      requires: { steps: Step, scheme: optional(Greeter) },
      config: z.strictObject({ salutation: z.string().default("Hello") }),
      setup(ctx, deps) {
        const greeter: Greeter = { greet: (name) => `${ctx.config.salutation} ${name}` };
        ctx.bind(Greeter, greeter);
        ctx.bind(Scheme, greeter, { key: "file" });
        // @ts-expect-error a keyed point needs a key
        ctx.bind(Scheme, greeter);
        // @ts-expect-error not a Greeter
        ctx.bind(Greeter, { hello: 1 });
        seen.push(deps.steps.map((step) => step.toFixed(1)).join(), deps.scheme?.greet("you") ?? "nobody");
        return { start: () => {}, stop: async () => {} };
      },
    });
    const bound: unknown[] = [];
    const ctx = { config: { salutation: "Hi" }, bind: (...args: unknown[]) => bound.push(args[0]) };
    plugin.setup(ctx as unknown as PluginContext, { steps: [1, 2], scheme: undefined });
    expect(seen).to.deep.equal(["1.0,2.0", "nobody"]);
    expect(bound).to.deep.equal([Greeter, Scheme, Scheme, Greeter]);
  });
});
