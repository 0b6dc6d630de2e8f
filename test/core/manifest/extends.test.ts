// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in manifests look like templates.
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { loadDaemonFlags } from "../../../core/flags/index.js";
import {
  explain,
  loadManifest,
  ManifestSource,
  originText,
  type ShippedPlugins,
} from "../../../core/manifest/index.js";
import { definePlugin, type Target, z } from "../../../sdk/plugin/index.js";
import { plainPlugin, TestFolder } from "./folder.js";

const shipped: ShippedPlugins = Object.fromEntries(
  ["one", "two", "three", "four"].map((name) => [
    name,
    async () => ({
      default: definePlugin({
        name,
        version: "1.0.0",
        config: z.strictObject({
          size: z.number().default(1),
          port: z.number().optional(),
          list: z.array(z.number()).optional(),
        }),
        setup: () => {},
      }),
    }),
  ]),
);

const BASE = `target: master
plugins:
  - one
  - use: two
    config: { size: 2, list: [1, 2] }
    failure: degrade
  - three
settings:
  cluster: base
  port: 5060
`;

describe("a manifest that extends another", () => {
  let folder: TestFolder;
  beforeEach(() => {
    folder = new TestFolder();
    folder.write("base.yaml", BASE);
  });
  afterEach(() => folder.remove());

  async function load(
    text: string,
    { target = "master" as Target, name = "m.yaml", args = [] as string[] } = {},
  ) {
    const path = folder.write(name, text);
    const flags = loadDaemonFlags(target, { args: ["--work_dir=/w", ...args] });
    const source = new ManifestSource(path, name, text);
    const manifest = await loadManifest({
      source,
      target,
      shipped,
      flags: flags.given,
      environment: { HOME_PORT: "7" },
    });
    return {
      ...manifest,
      manifest,
      names: manifest.plugins.map(({ entry }) => entry.name),
      configs: Object.fromEntries(manifest.plugins.map(({ entry }) => [entry.name, entry.config])),
    };
  }

  const changed = (...items: string[]): string =>
    ["target: master", "extends: ./base.yaml", "plugins:", ...items.map((item) => `  - ${item}`)].join("\n");

  it("has its plugins and settings, and adds its own at the end", async () => {
    const { names, settings, problems } = await load(`${changed("four")}\nsettings: { cluster: own }`);
    expect(problems).to.deep.equal([]);
    expect(names).to.deep.equal(["one", "two", "three", "four"]);
    expect(settings.get("cluster")).to.deep.include({
      value: "own",
      origin: { kind: "manifest", where: "m.yaml:5" },
    });
    expect(settings.get("port")).to.deep.include({
      value: 5060,
      origin: { kind: "manifest", where: "base.yaml:10" },
    });
  });

  it("needs no plugins of its own, and loses to flags as any other", async () => {
    const { names, settings, problems } = await load(
      "target: master\nextends: ./base.yaml\nsettings: { port: 5061 }",
      { args: ["--cluster=flag"] },
    );
    expect(problems).to.deep.equal([]);
    expect(names).to.deep.equal(["one", "two", "three"]);
    expect(settings.get("port")?.value).to.equal(5061);
    expect(settings.get("cluster")?.value).to.equal("flag");
  });

  it("changes a plugin in its place, field by field", async () => {
    const { plugins, problems, configs, names } = await load(
      changed("use: two", "  config: { size: 20 }", "  startTimeout: 1mins").replace(/- {3}/g, "  "),
    );
    expect(problems).to.deep.equal([]);
    expect(names).to.deep.equal(["one", "two", "three"]);
    expect(configs.two).to.deep.equal({ size: 20, list: [1, 2], port: 5060 });
    const { entry, origins } = plugins[1]!;
    expect(entry).to.include({ failure: "degrade", startTimeout: 60_000, where: "base.yaml:4" });
    expect(entry.locate?.(["size"])).to.equal("m.yaml:5");
    expect(entry.locate?.(["list", 1])).to.equal("base.yaml:5");
    expect(Object.fromEntries(origins)).to.deep.equal({
      '["size"]': { kind: "manifest", where: "m.yaml:5" },
      '["list",0]': { kind: "manifest", where: "base.yaml:5" },
      '["list",1]': { kind: "manifest", where: "base.yaml:5" },
      '["port"]': { kind: "manifest", where: "base.yaml:10" },
    });
  });

  it("replaces the values of a list as a whole", async () => {
    const { configs, manifest } = await load(changed("{ use: two, config: { list: [9] } }"));
    expect(configs.two).to.deep.include({ size: 2, list: [9] });
    const origins = explain(manifest)
      .filter(({ path }) => path[1] === "two")
      .map(({ path, origin }) => [path.slice(3).join("."), originText(origin)]);
    expect(origins).to.deep.equal([
      ["size", "base.yaml:5"],
      ["port", "base.yaml:10"],
      ["list.0", "m.yaml:4"],
    ]);
  });

  it("takes plugins out, and back in", async () => {
    const middle = folder.write(
      "middle.yaml",
      changed("{ use: two, disabled: true }", "{ use: one, disabled: true }"),
    );
    const { names, omitted } = await load(
      `target: master\nextends: ${middle}\nplugins: [{ use: one, disabled: false }]`,
    );
    expect(names).to.deep.equal(["one", "three"]);
    expect(omitted).to.deep.equal([{ name: "two", where: `${middle}:4`, why: "disabled" }]);
  });

  it("puts another plugin in the place of one, with a config of its own", async () => {
    folder.write("sub/other.mjs", plainPlugin("other"));
    const { plugins, configs, problems } = await load(
      "target: master\nextends: ../base.yaml\nplugins:\n  - { use: ./other.mjs, as: two }",
      { name: "sub/m.yaml" },
    );
    expect(problems).to.deep.equal([]);
    expect(plugins.map(({ entry }) => [entry.name, entry.source.kind, entry.where])).to.deep.equal([
      ["one", "shipped", "base.yaml:3"],
      ["two", "path", "sub/m.yaml:4"],
      ["three", "shipped", "base.yaml:7"],
    ]);
    expect(configs.two).to.deep.equal({});
  });

  it("knows plugins by their file, wherever it is named from", async () => {
    folder.write("mine.mjs", plainPlugin("mine"));
    folder.write("base.yaml", "target: master\nplugins: [./mine.mjs, one]");
    const { names, problems } = await load(
      "target: master\nextends: ../base.yaml\nplugins: [{ use: ../mine.mjs, disabled: true }, { use: two, before: one }]",
      { name: "sub/m.yaml" },
    );
    expect(problems).to.deep.equal([]);
    expect(names).to.deep.equal(["two", "one"]);
  });

  it("puts plugins where they are wanted, also those of the base", async () => {
    const order = async (...items: string[]) => (await load(changed(...items))).names;
    expect(await order("{ use: four, before: one }")).to.deep.equal(["four", "one", "two", "three"]);
    expect(await order("{ use: four, after: one }")).to.deep.equal(["one", "four", "two", "three"]);
    expect(await order("{ use: three, before: one }")).to.deep.equal(["three", "one", "two"]);
    expect(
      await order("{ use: four, after: one }", "{ use: four, as: five, after: one }"),
      "those that follow the same one keep their order",
    ).to.deep.equal(["one", "four", "five", "two", "three"]);
    expect(
      await order("{ use: four, after: five }", "{ use: four, as: five, before: two }"),
      "a plugin may be placed by one that comes later in the file",
    ).to.deep.equal(["one", "five", "four", "two", "three"]);
  });

  it("goes through any number of files, each with references of its own", async () => {
    folder.write("middle.yaml", changed("{ use: two, config: { port: '${HOME_PORT}', size: 5 } }"));
    const { configs, problems, plugins } = await load(
      "target: master\nextends: ./middle.yaml\nplugins:\n  - use: two\n    config:\n      port: ${HOME_PORT}",
    );
    expect(problems).to.deep.equal([]);
    expect(configs.two).to.deep.equal({ size: 5, list: [1, 2], port: 7 });
    expect(plugins[1]!.origins.get('["port"]')).to.deep.equal({
      kind: "environment",
      where: "HOME_PORT (m.yaml:6)",
    });
  });

  it("reports what is wrong in any of the files, with its line", async () => {
    folder.write(
      "base.yaml",
      "target: master\nplugins: [one, { use: two, confg: {} }, 5]\nsettings: { prot: 1 }",
    );
    const { problems, incomplete } = await load(
      changed(
        "{ use: four, after: onee }",
        "{ use: four, as: x, before: x }",
        "{ use: thre, disabled: true }",
        "{ use: onne, disabled: true }",
        "{ use: one, when: { clustr: a } }",
      ),
    );
    expect(incomplete).to.equal(true);
    expect(problems).to.deep.equal([
      "base.yaml:3: settings.prot: unknown; did you mean 'port'?",
      "m.yaml:8: when: there is no setting 'clustr'; did you mean 'cluster'?",
      "base.yaml:2: plugins[1].confg: unknown field; did you mean 'config'?",
      "base.yaml:2: plugins[2]: invalid input: expected object, received number",
      "m.yaml:6: disabled: there is no plugin 'thre' to leave out",
      "m.yaml:7: disabled: there is no plugin 'onne' to leave out; did you mean 'one'?",
      "m.yaml:4: after: there is no plugin 'onee' to stand after; did you mean 'one'?",
      "m.yaml:5: before: there is no plugin 'x' to stand before",
    ]);
  });

  it("must find its base, of the same daemon, and end somewhere", async () => {
    const problemsOf = async (text: string) =>
      (await load(`target: master\n${text}`)).problems.map((problem) =>
        problem.replaceAll(folder.path, "DIR"),
      );
    expect(await problemsOf("extends: agnt")).to.deep.equal([
      "m.yaml:2: extends: 'agnt' is no manifest that ships (agent, master); the path of a file begins with ./, ../ or /",
    ]);
    expect((await problemsOf("extends: ./none.yaml")).join()).to.match(
      /^m\.yaml:2: extends: .*none\.yaml: ENOENT/,
    );
    folder.write("agent.yaml", "target: agent\nplugins: []");
    expect(await problemsOf("extends: ./agent.yaml")).to.deep.equal([
      "m.yaml:2: extends: agent.yaml is for the agent, not for the master",
    ]);
    folder.write("circle.yaml", "target: master\nplugins: []\nextends: ./linked/m.yaml");
    symlinkSync(".", join(folder.path, "linked"));
    expect(await problemsOf("extends: ./circle.yaml")).to.deep.equal([
      "circle.yaml:3: extends: m.yaml extends circle.yaml extends linked/m.yaml, in a circle",
    ]);
    expect(await problemsOf("extends: ./m.yaml")).to.deep.equal([
      "m.yaml:2: extends: m.yaml extends m.yaml, in a circle",
    ]);
    expect(await problemsOf("extends: 5")).to.have.length(1);
    expect(await problemsOf("settings: {}")).to.deep.equal([
      "m.yaml:1: plugins: a manifest lists its plugins, unless it extends another one",
    ]);
  });

  it("may extend what ships, by name", async () => {
    const { problems } = await load("target: agent\nextends: agent", { target: "agent" });
    // These tests ship other plugins; where they are missed says which file was read.
    expect(problems[0]).to.match(/manifests\/agent\.yaml:\d+: plugin 'http-server'/);
  });
});
