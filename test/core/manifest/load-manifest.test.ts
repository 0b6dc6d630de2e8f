// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in manifests look like templates.
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { expect } from "chai";
import { loadDaemonFlags } from "../../../core/flags/index.js";
import { packageRoot } from "../../../core/flags/package-root.js";
import { loadManifest, ManifestSource, type ShippedPlugins } from "../../../core/manifest/index.js";
import { loadDefinition } from "../../../core/manifest/resolve-plugin.js";
import {
  definePlugin,
  durationText,
  type PluginDefinition,
  type Target,
  z,
} from "../../../sdk/plugin/index.js";
import { plainPlugin, TestFolder } from "./folder.js";

const shippedAs = (definition: PluginDefinition): ShippedPlugins => ({
  [definition.name]: async () => ({ default: definition }),
});

const server = definePlugin({
  name: "server",
  version: "1.0.0",
  config: z.strictObject({
    ip: z.string().optional(),
    port: z.coerce.number().default(1),
    keep_alive: durationText("10secs"),
    list: z.array(z.unknown()).optional(),
    text: z.string().optional(),
  }),
  setup: () => {},
});
const shipped: ShippedPlugins = {
  ...shippedAs(server),
  ...shippedAs(definePlugin({ name: "store", version: "1.0.0", setup: () => {} })),
  ...shippedAs(definePlugin({ name: "memory", version: "1.0.0", setup: () => {} })),
};

describe("loading a manifest", () => {
  let folder: TestFolder;
  beforeEach(() => {
    folder = new TestFolder();
  });
  afterEach(() => folder.remove());

  async function load(
    text: string,
    { target = "master" as Target, args = [] as string[], environment = {} as Record<string, string> } = {},
  ) {
    const path = folder.write("m.yaml", text);
    const flags = loadDaemonFlags(target, { args: ["--work_dir=/w", ...args] });
    expect(flags.problems).to.deep.equal([]);
    const source = new ManifestSource(path, "m.yaml", text);
    const manifest = await loadManifest({ source, target, shipped, flags: flags.given, environment });
    const configs = Object.fromEntries(manifest.plugins.map(({ entry }) => [entry.name, entry.config]));
    return { ...manifest, configs };
  }

  it("gives up a module that waits for ever at its top level", async () => {
    const file = folder.write("waits.mjs", `await new Promise(() => {});\n${plainPlugin("waits")}`);
    expect(await loadDefinition(file, { shipped, folder: folder.path, limit: 50 })).to.deep.equal({
      ok: false,
      problem: "it cannot be loaded: it waits for something at its top level, for more than 50ms",
    });
  });

  it("takes plugins by short name, by path and by package, in order", async () => {
    folder.write("plugins/one.mjs", plainPlugin("one"));
    folder.write("plugins/two/index.mjs", plainPlugin("two"));
    folder.write(
      "node_modules/three/package.json",
      '{"name":"three","exports":{".":{"types":"./x.d.ts","import":"./lib/main.mjs"}}}',
    );
    folder.write("node_modules/three/lib/main.mjs", plainPlugin("three"));
    folder.write(
      "node_modules/@acme/four/package.json",
      '{"name":"@acme/four","type":"module","main":"main.js"}',
    );
    folder.write("node_modules/@acme/four/main.js", plainPlugin("four"));
    const { plugins, problems } = await load(
      [
        "target: master",
        "plugins:",
        "  - store",
        "  - ./plugins/one.mjs",
        "  - use: ./plugins/two",
        "    as: second",
        "    startTimeout: 1mins",
        "    stopTimeout: 500",
        "    failure: skip",
        "  - three",
        '  - "@acme/four"',
      ].join("\n"),
    );
    expect(problems).to.deep.equal([]);
    expect(
      plugins.map(({ entry: { name, source, where } }) => [
        name,
        source.kind,
        basename(source.location),
        where,
      ]),
    ).to.deep.equal([
      ["store", "shipped", "store", "m.yaml:3"],
      ["one", "path", "one.mjs", "m.yaml:4"],
      ["second", "path", "index.mjs", "m.yaml:5"],
      ["three", "package", "three", "m.yaml:10"],
      ["four", "package", "four", "m.yaml:11"],
    ]);
    expect(plugins[2]!.entry).to.include({ startTimeout: 60_000, stopTimeout: 500, failure: "skip" });
  });

  it("reads JSON too", async () => {
    const { problems, configs } = await load(
      '{\n "target": "master",\n "plugins": [\n {"use": "server", "config": {"port": 7}}]}',
    );
    expect(problems).to.deep.equal([]);
    expect(configs).to.deep.equal({ server: { port: 7 } });
  });

  it("reports everything that is wrong, each with its line", async () => {
    folder.write("broken.mjs", "throw new Error('boom')");
    folder.write("not-a-plugin.mjs", "export default 5;");
    folder.write("node_modules/odd/package.json", '{"name":"odd","exports":{"./sub":"./sub.js"}}');
    const { problems, incomplete } = await load(`
target: agent
plugin: []
plugins:
  - stroe
  - ./missing.mjs
  - ./broken.mjs
  - ./not-a-plugin.mjs
  - odd
  - use: server
    as: Server
    confg: {}
  - 5
  - use: store
    when: { registri: x }
  - use: server
    config:
      port: \${NO_SUCH}
      text: a \${flag:cluster} b \${flag:nope} \${what is this}
settings:
  prot: 1
  port: \${flag:port}
  cluster: \${NO_SUCH}
  master_contender: x
`);
    expect(incomplete).to.equal(true);
    expect(problems.map((problem) => problem.replaceAll(folder.path, "DIR"))).to.deep.equal([
      "m.yaml:3: plugin: unknown field; did you mean 'plugins'?",
      "m.yaml:2: target: the manifest is for the agent, not for the master",
      "m.yaml:22: '${flag:port}' cannot stand in a setting, which the flag of its name replaces anyway",
      "m.yaml:23: the variable NO_SUCH is not set; set it, or write ${NO_SUCH:-default}",
      "m.yaml:21: settings.prot: unknown; did you mean 'port'?",
      "m.yaml:24: settings.master_contender: is refused: Mesos modules are C++ libraries and cannot be loaded; list a plugin in the manifest instead (leave it out)",
      "m.yaml:5: plugin 'stroe': it is neither a shipped plugin nor a package installed above DIR; did you mean 'store'?",
      "m.yaml:6: plugin './missing.mjs': there is no file DIR/missing.mjs",
      "m.yaml:7: plugin './broken.mjs': it cannot be loaded: boom",
      "m.yaml:8: plugin './not-a-plugin.mjs': its default export is not a plugin made by definePlugin",
      "m.yaml:9: plugin 'odd': the package in DIR/node_modules/odd exports no such module",
      "m.yaml:11: plugins[5].as: lower-case letters, digits and dashes only",
      "m.yaml:12: plugins[5].confg: unknown field; did you mean 'config'?",
      "m.yaml:13: plugins[6]: invalid input: expected object, received number",
      "m.yaml:15: when: there is no setting 'registri'; did you mean 'registry'?",
      "m.yaml:18: the variable NO_SUCH is not set; set it, or write ${NO_SUCH:-default}",
      "m.yaml:19: --cluster is not set; set it, or write ${flag:cluster:-default}",
      "m.yaml:19: there is no flag 'nope'",
      "m.yaml:19: '${what is this}' is neither ${NAME}, ${NAME:-default} nor ${flag:name}",
    ]);
  });

  it("names the line of a field, not the one on which its content begins", async () => {
    const { problems } = await load("target: master\nplugin:\n  - server\n");
    expect(problems).to.include("m.yaml:2: plugin: unknown field; did you mean 'plugins'?");
  });

  it("says where YAML itself is broken", async () => {
    const { problems } = await load("target: master\nplugins: [a\nsettings: {}\n");
    expect(problems).to.not.be.empty;
    expect(problems[0]).to.match(/^m\.yaml:[23]: /);
    expect((await load("target: master\ntarget: agent\nplugins: []")).problems[0]).to.match(
      /^m\.yaml:2: .*unique/,
    );
    expect((await load("just text")).problems).to.deep.equal([
      "m.yaml:1: a manifest has the fields target and plugins",
    ]);
    expect((await load("plugins: 5")).problems).to.have.length(2);
  });

  describe("references", () => {
    it("put in variables and flags; unquoted ones take the type of what they hold", async () => {
      const { configs, problems, plugins } = await load(
        `
target: master
plugins:
  - use: server
    config:
      ip: \${HOST_IP:-127.0.0.1}
      port: \${PORT}
      text: "\${PORT}"
      list:
        - pre-\${PORT}-\${NAME:-none}
        - \${ON}
        - \${flag:cluster}
        - \${flag:allocation_interval}
        - \${flag:ip}
        - $\${literal}
`,
        { environment: { PORT: "5060", ON: "true" }, args: ["--cluster=c", "--allocation_interval=2secs"] },
      );
      expect(problems).to.deep.equal([]);
      expect(configs.server).to.deep.equal({
        ip: "127.0.0.1",
        port: 5060,
        text: "5060",
        list: ["pre-5060-none", true, "c", 2000, "${literal}"],
      });
      const origins = Object.fromEntries(plugins[0]!.origins);
      expect(origins['["port"]']).to.deep.equal({ kind: "environment", where: "PORT (m.yaml:7)" });
      expect(origins['["ip"]']).to.deep.equal({ kind: "manifest", where: "m.yaml:6" });
      expect(origins['["list",2]']).to.deep.equal({ kind: "flag", where: "--cluster" });
    });

    it("work in settings, and in what is loaded", async () => {
      const { settings, plugins, problems } = await load(
        "target: master\nplugins: ['${WHICH}']\nsettings: { port: '${PORT}' }",
        {
          environment: { PORT: "5060", WHICH: "store" },
        },
      );
      expect(problems).to.deep.equal([]);
      expect(settings.get("port")).to.deep.equal({
        value: 5060,
        text: "5060",
        origin: { kind: "environment", where: "PORT (m.yaml:3)" },
      });
      expect(plugins[0]!.entry.name).to.equal("store");
    });
  });

  describe("flags", () => {
    it("fill the fields of the same name, of every plugin that has them", async () => {
      const text =
        "target: master\nplugins: [server, { use: server, as: other, config: { port: 9 } }]\nsettings: { ip: 127.0.0.1 }";
      const { configs, warnings, plugins } = await load(text, { args: ["--port=5070"] });
      expect(configs).to.deep.equal({
        server: { port: 5070, ip: "127.0.0.1" },
        other: { port: 9, ip: "127.0.0.1" },
      });
      expect(plugins[0]!.origins.get('["port"]')).to.deep.equal({ kind: "flag", where: "--port" });
      expect(warnings).to.deep.equal([
        "m.yaml:2: plugin 'other': config.port keeps the value of the manifest, not the one of --port",
      ]);
      expect((await load(text)).warnings).to.deep.equal([]);
    });

    it("choose plugins where the manifest says so, and are refused where it does not", async () => {
      const text = `
target: master
plugins:
  - { use: store, when: { registry: replicated_log } }
  - { use: memory, when: { registry: [in_memory, other] } }
  - { use: server, disabled: true }
`;
      const names = async (args: string[]) =>
        (await load(text, { args })).plugins.map(({ entry }) => entry.name);
      expect(await names([])).to.deep.equal(["store"]);
      expect(await names(["--registry=in_memory"])).to.deep.equal(["memory"]);
      expect((await load(text)).omitted).to.deep.equal([
        {
          name: "memory",
          where: "m.yaml:5",
          why: "registry is 'replicated_log', not 'in_memory' or 'other'",
        },
        { name: "server", where: "m.yaml:6", why: "disabled" },
      ]);
      const without = await load("target: master\nplugins: [store]", { args: ["--registry=in_memory"] });
      expect(without.problems).to.deep.equal([
        "--registry: registry: has no effect, because no plugin of the manifest is chosen by it (when)",
      ]);
    });
  });

  it("lends its own sdk to a plugin in a folder without one", async function () {
    // The package finds itself only once it is built in its usual place.
    if (!existsSync(join(packageRoot, "dist/sdk/index.js"))) this.skip();
    folder.write(
      "stamp.mjs",
      'import { definePlugin, z } from "tepui/sdk";\nexport default definePlugin({ name: "stamp", version: "1.0.0", config: z.strictObject({ size: z.number() }), setup: () => {} });',
    );
    const { plugins, problems } = await load(
      "target: master\nplugins: [{ use: ./stamp.mjs, config: { size: 1 } }]",
    );
    expect(problems).to.deep.equal([]);
    expect(plugins[0]!.entry.name).to.equal("stamp");
  });
});
