import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { DAEMON_SETTINGS } from "../../../core/flags/index.js";
import {
  type DaemonOptions,
  explain,
  explainYaml,
  type PreparedDaemon,
  prepareDaemon,
  publishedSchema,
  type ShippedPlugins,
  shippedManifest,
} from "../../../core/manifest/index.js";
import { TimedVerbosity } from "../../../sdk/contracts/log-verbosity.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import {
  definePlugin,
  durationText,
  extensionPoint,
  type PluginDefinition,
  z,
} from "../../../sdk/plugin/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { TestFolder } from "./folder.js";

const Port = extensionPoint<number>("test.port", { version: "1.0", cardinality: "one" });
const seen: number[] = [];
const plugins: readonly PluginDefinition[] = [
  definePlugin({
    name: "server",
    version: "1.0.0",
    provides: [Port],
    config: z.strictObject({
      port: z.number(),
      idle: durationText("10secs"),
      nested: z.strictObject({ list: z.array(z.strictObject({ a: z.number() })) }).optional(),
      password: z.string().optional(),
    }),
    setup: (ctx) => ctx.bind(Port, ctx.config.port),
  }),
  definePlugin({
    name: "user",
    version: "1.0.0",
    requires: { port: Port },
    setup: (_ctx, { port }) => {
      seen.push(port);
    },
  }),
];
const shipped: ShippedPlugins = Object.fromEntries(
  plugins.map((plugin) => [plugin.name, async () => ({ default: plugin })]),
);

describe("preparing a daemon", () => {
  let folder: TestFolder;
  beforeEach(() => {
    folder = new TestFolder();
  });
  afterEach(() => folder.remove());

  const prepare = (args: readonly string[], more: Partial<DaemonOptions> = {}): Promise<PreparedDaemon> => {
    const clock = new VirtualClock();
    return prepareDaemon({
      target: "master",
      program: "mesos-master",
      version: "1.2.3",
      shipped,
      args,
      services: () => ({
        clock,
        random: new SeededRandom(),
        logger: new MemoryLogger(),
        verbosity: new TimedVerbosity(clock),
        metrics: new MetricsRegistry(clock),
      }),
      ...more,
    });
  };
  const prepareWith = async (
    text: string,
    args: readonly string[] = [],
    more: Partial<DaemonOptions> = {},
  ) => {
    const prepared = await prepare(
      [`--manifest=${folder.write("m.yaml", text)}`, "--work_dir=/w", ...args],
      more,
    );
    if (prepared.kind !== "daemon") throw new Error(prepared.kind);
    return prepared;
  };

  it("answers --help and --version before anything else is looked at", async () => {
    const help = await prepare(["--help", "--nonsense", "--manifest=/nowhere"]);
    expect(help.kind === "help" && help.text).to.match(/^Usage: mesos-master /);
    expect(await prepare(["--version", "--port=x"])).to.deep.equal({ kind: "version" });
  });

  it("leads to a kernel that runs", async () => {
    seen.length = 0;
    const prepared = await prepareWith("target: master\nplugins: [user, server]", ["--port=5070"]);
    expect(prepared.problems).to.deep.equal([]);
    expect(seen).to.deep.equal([]);
    await prepared.kernel.start();
    expect(seen).to.deep.equal([5070]);
    expect(prepared.settings.flags.get("port")).to.equal("5070");
    await prepared.kernel.stop();
  });

  it("warns of a plugin from elsewhere that provides only what nothing asks for", async () => {
    const sdk = new URL("../../../sdk/index.js", import.meta.url).href;
    for (const point of ["isolator", "port"])
      folder.write(
        `${point}.mjs`,
        `import { definePlugin, extensionPoint } from "${sdk}";
         const point = extensionPoint("test.${point}", { version: "1.0", cardinality: "one" });
         export default definePlugin({ name: "my-${point}", version: "1.0.0", provides: [point], setup() {} });`,
      );
    const { problems, warnings } = await prepareWith(
      "target: master\nplugins: [./port.mjs, user, ./isolator.mjs]",
    );
    expect(problems).to.deep.equal([]);
    expect(warnings).to.deep.equal([
      `${join(folder.path, "m.yaml")}:2: plugin 'my-isolator' provides 'test.isolator', which nothing in the master asks for`,
    ]);
  });

  it("collects what is wrong with flags, manifest and plugins in one list", async () => {
    const { problems, warnings } = await prepareWith(
      "target: master\nplugins: [user, { use: server, config: { idle: soon } }, { use: user }]\nsettings: { quorum: 0 }",
      ["--master_contender=x", "word", "--slave_ping_timeout=20secs"],
    );
    const where = join(folder.path, "m.yaml");
    expect(problems).to.deep.equal([
      "--master_contender: is refused: Mesos modules are C++ libraries and cannot be loaded; list a plugin in the manifest instead (leave it out)",
      `${where}:3: settings.quorum: must be at least 1, found '0'`,
      `${where}:2: plugin 'server': config.idle: a value has the wrong form: 'soon' is not a duration; expected a number and a unit, such as 500ms, 10secs or 1.5hrs, found "soon"`,
      `${where}:2: plugin 'user' is listed twice (${where}:2); remove one, or give it another name with 'as'`,
    ]);
    expect(warnings).to.deep.equal([
      "'word' is not a flag and has no effect",
      "--slave_ping_timeout is deprecated; use --agent_ping_timeout",
    ]);
  });

  it("suggests shipped plugins for what is missing, but not when a plugin could not be loaded", async () => {
    const missing = (await prepareWith("target: master\nplugins: [user]")).problems;
    expect(missing).to.have.length(1);
    expect(missing[0]).to.match(
      /requires 'test.port' 1.0, which no loaded plugin provides; shipped plugins that do: 'server'$/,
    );
    const typo = (await prepareWith("target: master\nplugins: [user, servr]")).problems;
    expect(typo).to.have.length(1);
    expect(typo[0]).to.match(/did you mean 'server'\?$/);
  });

  it("names the flag that a plugin lacks, unless the manifest is checked by itself", async () => {
    const keeper = definePlugin({
      name: "keeper",
      version: "1.0.0",
      config: z.strictObject({ work_dir: z.string(), hostname: z.string().optional(), other: z.string() }),
      setup: () => {},
    });
    const options = { shipped: { keeper: async () => ({ default: keeper }) } };
    const args = [`--manifest=${folder.write("m.yaml", "target: master\nplugins: [keeper]")}`];
    const problemsOf = async (alone: boolean) => {
      const prepared = await prepare(args, { ...options, alone });
      return prepared.kind === "daemon"
        ? prepared.problems.map((problem) => problem.replace(folder.path, "DIR"))
        : [];
    };
    const other = "DIR/m.yaml:2: plugin 'keeper': config.other: expected string, found nothing";
    expect(await problemsOf(false)).to.deep.equal([
      "--work_dir: is required by plugin 'keeper' (DIR/m.yaml:2)",
      other,
    ]);
    expect(await problemsOf(true)).to.deep.equal([other]);

    const twice = "target: master\nplugins: [keeper, { use: keeper, as: another }]";
    const prepared = await prepare([`--manifest=${folder.write("n.yaml", twice)}`], options);
    expect(
      prepared.kind === "daemon" && prepared.problems.filter((line) => line.startsWith("--")),
    ).to.deep.equal([`--work_dir: is required by plugin 'keeper' (${folder.path}/n.yaml:2), and by 1 more`]);
  });

  it("lets a program give config that no file can hold", async () => {
    const prepared = await prepareWith("target: master\nplugins: [server]", ["--port=1"], {
      config: { server: { port: 2 } },
    });
    await prepared.kernel.start();
    expect(prepared.kernel.get(Port)).to.equal(2);
    await prepared.kernel.stop();
  });

  it("says when the manifest cannot be read", async () => {
    let thrown: unknown;
    await prepare(["--manifest=/nowhere/m.yaml"]).catch((error: unknown) => {
      thrown = error;
    });
    expect(thrown).to.include({ code: "TEPUI_MANIFEST_UNREADABLE" });
    expect(String(thrown)).to.match(/\/nowhere\/m\.yaml: ENOENT/);
  });

  describe("explaining", () => {
    const text = `
target: master
plugins:
  - use: server
    as: front
    startTimeout: 1mins
    config:
      nested:
        list: [{ a: 1 }, { a: 2 }]
      password: "\${PASSWORD}"
  - { use: user, disabled: true }
settings:
  cluster: mine
`;
    const environment = { PASSWORD: "hunter2", MESOS_ALLOCATION_INTERVAL: "3secs" };

    it("gives each value with its origin", async () => {
      const { manifest, problems } = await prepareWith(text, ["--port=5070"], { environment });
      expect(problems).to.deep.equal([]);
      const where = join(folder.path, "m.yaml");
      const values = explain(manifest);
      const find = (...path: PropertyKey[]) =>
        values.find((value) => JSON.stringify(value.path) === JSON.stringify(path));
      expect(find("settings", "port")).to.deep.include({
        value: "5070",
        origin: { kind: "flag", where: "--port" },
      });
      expect(find("settings", "allocation_interval")?.origin).to.deep.equal({
        kind: "environment",
        where: "MESOS_ALLOCATION_INTERVAL",
      });
      expect(find("settings", "cluster")?.origin).to.deep.equal({ kind: "manifest", where: `${where}:13` });
      expect(find("settings", "registry")?.origin.kind).to.equal("default");
      expect(values.filter(({ path }) => path[0] === "plugins")).to.deep.equal([
        {
          path: ["plugins", "front", "config", "port"],
          value: 5070,
          origin: { kind: "flag", where: "--port" },
        },
        {
          path: ["plugins", "front", "config", "idle"],
          value: 10_000,
          origin: { kind: "default", where: "" },
        },
        {
          path: ["plugins", "front", "config", "nested", "list", 0, "a"],
          value: 1,
          origin: { kind: "manifest", where: `${where}:9` },
        },
        {
          path: ["plugins", "front", "config", "nested", "list", 1, "a"],
          value: 2,
          origin: { kind: "manifest", where: `${where}:9` },
        },
        {
          path: ["plugins", "front", "config", "password"],
          value: "********",
          origin: { kind: "environment", where: `PASSWORD (${where}:10)` },
        },
      ]);
    });

    it("prints a manifest that says where each value came from", async () => {
      const { manifest } = await prepareWith(text, ["--port=5070"], { environment });
      const yaml = explainYaml(manifest).replaceAll(folder.path, "DIR");
      expect(yaml).to.equal(`target: master
plugins:
  - use: server # shipped, DIR/m.yaml:4
    as: front
    config:
      port: 5070 # --port
      idle: 10000 # default
      nested:
        list:
          - a: 1 # DIR/m.yaml:9
          - a: 2 # DIR/m.yaml:9
      password: "********" # PASSWORD (DIR/m.yaml:10)
    startTimeout: 60000
settings:
  work_dir: /w # --work_dir
  allocation_interval: 3secs # MESOS_ALLOCATION_INTERVAL
  cluster: mine # DIR/m.yaml:13
  port: "5070" # --port

# left out: user (DIR/m.yaml:11): disabled
`);
      expect(parse(explainYaml(manifest, { all: true }))).to.have.nested.property(
        "settings.registry",
        "replicated_log",
      );
    });
  });
});

describe("what ships", () => {
  for (const target of ["master", "agent"] as const) {
    it(`has a manifest for the ${target} that names each plugin once`, () => {
      const manifest = parse(readFileSync(shippedManifest(target), "utf8")) as {
        target: string;
        plugins: (string | { use: string })[];
      };
      expect(manifest.target).to.equal(target);
      const names = manifest.plugins.map((plugin) => (typeof plugin === "string" ? plugin : plugin.use));
      expect(new Set(names).size).to.equal(names.length);
    });
  }

  it("has a JSON Schema of manifests that knows every setting", () => {
    const text = JSON.stringify(publishedSchema());
    for (const { name, support } of [...DAEMON_SETTINGS.master, ...DAEMON_SETTINGS.agent]) {
      if (name === "help" || name === "version") continue;
      if (support.kind !== "refused") expect(text).to.include(`"${name}":`);
    }
  });
});
