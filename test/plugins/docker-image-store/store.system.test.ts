import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { DockerImageStore } from "../../../plugins/docker-image-store/store/docker-image-store.js";
import { eventually } from "../../support/eventually.js";
import { type BuiltLayer, buildImage, buildLayer } from "../../support/image-builder.js";
import { requireThat } from "../../support/require-part.js";
import { ScriptedRegistry } from "../../support/scripted-registry.js";
import { docker, get, outcome, StoreBench } from "./store-bench.js";

const layer = (name: string): BuiltLayer => buildLayer([{ name, content: name }]);
const [base, left, right] = [layer("base"), layer("left"), layer("right")];
const NONE: ReadonlySet<string> = new Set();

describe("the store of Docker images", function () {
  this.timeout(180_000);
  let bench: StoreBench;
  let registry: ScriptedRegistry;
  let store: DockerImageStore;

  before(function () {
    requireThat(this, process.geteuid?.() === 0, "unpacking for all owners takes root");
  });

  beforeEach(async () => {
    bench = await StoreBench.create();
    registry = new ScriptedRegistry();
    await registry.start();
    registry.add("left", "latest", buildImage([base, left], { Cmd: ["/left"] }));
    registry.add("right", "latest", buildImage([base, right]));
    store = await open();
  });

  afterEach(async () => {
    await registry.stop();
    await bench.close();
  });

  const open = (): Promise<DockerImageStore> => bench.open({ registry: `http://${registry.host}` });
  const path = ({ diffId }: BuiltLayer): string => bench.paths().layer(diffId);
  const layersOnDisk = async (): Promise<string[]> => (await readdir(bench.paths().layers())).sort();
  const hexes = (...layers: readonly BuiltLayer[]): string[] =>
    layers.map(({ diffId }) => diffId.slice(7)).sort();
  /** In the next turn: until then, who has just been given an image holds it. */
  const prune = async (options: Parameters<DockerImageStore["prune"]>[0]): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    await store.prune(options);
  };
  const leftovers = async (): Promise<string[]> => [
    ...(await readdir(bench.paths().staging())),
    ...(await readdir(bench.paths().rubbish())),
  ];

  it("asks for an image once, and for a layer once", async () => {
    const first = await get(store, "left");
    expect(first).to.deep.include({ name: "left:latest", layers: [path(base), path(left)] });
    const asked = registry.seen.length;
    expect(await get(store, "left:latest")).to.deep.equal(first);
    expect(registry.seen.length).to.equal(asked);
    await get(store, "right");
    expect(registry.asked(base.digest).length).to.equal(1);
    expect(await leftovers()).to.deep.equal([]);
    expect(bench.metrics.snapshot().get("pull_ms/count")).to.equal(2);
  });

  it("shares what is on its way", async () => {
    const all = ["left", "right", "left", "right", "left"].map((name) => get(store, name));
    const found = await Promise.all(all);
    expect(found[0]).to.deep.equal(found[4]);
    expect(registry.asked(base.digest).length).to.equal(1);
    expect(registry.asked("left/manifests").length).to.equal(1);
    expect(await layersOnDisk()).to.deep.equal(hexes(base, left, right));
  });

  it("looks again where the image may not come from the store", async () => {
    await get(store, "left");
    registry.add("left", "latest", buildImage([base, right]));
    expect((await get(store, "left")).layers).to.deep.equal([path(base), path(left)]);
    expect((await get(store, "left", { cached: false })).layers).to.deep.equal([path(base), path(right)]);
    expect((await get(store, "left")).layers).to.deep.equal([path(base), path(right)]);
    expect(registry.asked(base.digest).length).to.equal(1);
  });

  it("gives up a pull when nobody waits any more, and not before", async () => {
    let release = (): void => undefined;
    registry.misbehave = (request, response) => {
      if (!request.url!.includes(base.digest)) return false;
      release = () => response.end(base.blob);
      return true;
    };
    const [one, two] = [new AbortController(), new AbortController()];
    const ended = (signal: AbortSignal): Promise<string> =>
      store.get(docker("left"), { signal }).then(
        () => "pulled",
        (error: Error) => error.message,
      );
    const first = ended(one.signal);
    const second = ended(two.signal);
    await eventually(() => registry.asked(base.digest).length || undefined);
    one.abort(new Error("one left"));
    expect(await first).to.equal("one left");
    release();
    expect(await second).to.equal("pulled");

    await prune({ keep: [], layersInUse: NONE });
    const third = new AbortController();
    const lonely = ended(third.signal);
    await eventually(() => (registry.asked(base.digest).length === 2 ? true : undefined));
    third.abort(new Error("all left"));
    expect(await lonely).to.equal("all left");
    await eventually(async () => ((await leftovers()).length === 0 ? true : undefined));
    registry.misbehave = () => false;
    expect((await get(store, "left")).layers.length).to.equal(2);
  });

  it("does not let one image's bad registry spoil another's layer", async () => {
    let release = (): void => undefined;
    registry.misbehave = (request, response) => {
      if (!request.url!.startsWith("/v2/left/blobs/") || !request.url!.includes(base.digest)) return false;
      release = () => response.writeHead(404).end();
      return true;
    };
    const failing = outcome(store, docker("left"));
    await eventually(() => registry.asked(base.digest).length || undefined);
    const good = outcome(store, docker("right"));
    await eventually(() => registry.asked(right.digest).length || undefined);
    release();
    expect(await failing).to.match(/TEPUI_IMAGE_NOT_FOUND/);
    expect(await good).to.have.property("name", "right:latest");
  });

  it("keeps nothing of a pull that fails, and can try again", async () => {
    registry.misbehave = (request, response) => {
      if (!request.url!.includes(left.digest)) return false;
      response.end(Buffer.alloc(left.blob.length, "x"));
      return true;
    };
    expect(await outcome(store, docker("left"))).to.match(/TEPUI_IMAGE_INVALID: .*damaged/);
    await eventually(async () => ((await leftovers()).length === 0 ? true : undefined));
    registry.misbehave = () => false;
    expect((await get(store, "left")).layers.length).to.equal(2);
  });

  it("refuses what is too large, packed or unpacked", async () => {
    const small = await bench.open({ registry: `http://${registry.host}`, maxLayerBytes: 1000 });
    expect(await outcome(small, docker("left"))).to.match(/larger than 1000 bytes when unpacked/);
    const smaller = await bench.open({ registry: `http://${registry.host}`, maxLayerBytes: 10 });
    expect(await outcome(smaller, docker("left"))).to.match(/bytes, more than 10/);
  });

  it("refuses images of other types, without a name, without layers", async () => {
    expect(await outcome(store, { type: 1, appc: { name: "a" } })).to.match(/TEPUI_IMAGE_INVALID/);
    expect(await outcome(store, { type: 2, docker: {} })).to.match(/must have a name/);
    registry.add("empty", "latest", buildImage([]));
    expect(await outcome(store, docker("empty"))).to.match(/has no layers/);
  });

  describe("when it is pruned", () => {
    it("keeps images that are named and layers that are in use, and no others", async () => {
      await get(store, "left");
      await get(store, "right");
      await prune({ keep: [docker("right")], layersInUse: NONE });
      expect(await layersOnDisk()).to.deep.equal(hexes(base, right));
      const asked = registry.seen.length;
      await get(store, "right");
      expect(registry.seen.length).to.equal(asked);
      await get(store, "left");
      expect(registry.asked(base.digest).length).to.equal(1);
      expect(registry.asked(left.digest).length).to.equal(2);
      await prune({ keep: [], layersInUse: new Set([path(base), path(left)]) });
      expect(await layersOnDisk()).to.deep.equal(hexes(base, left));
      await prune({ keep: [], layersInUse: new Set([path(left)]) });
      expect(await layersOnDisk()).to.deep.equal(hexes(left));
      await prune({ keep: [], layersInUse: NONE });
      expect(await layersOnDisk()).to.deep.equal([]);
      expect(await readdir(bench.paths().configs())).to.deep.equal([]);
      expect(await leftovers()).to.deep.equal([]);
    });

    it("leaves images alone that are on their way", async () => {
      let release = (): void => undefined;
      registry.misbehave = (request, response) => {
        if (!request.url!.includes(left.digest)) return false;
        release = () => response.end(left.blob);
        return true;
      };
      const pull = get(store, "left");
      await eventually(async () => ((await layersOnDisk()).length === 1 ? true : undefined));
      await eventually(() => registry.asked(left.digest).length || undefined);
      await prune({ keep: [], layersInUse: NONE });
      release();
      for (const directory of (await pull).layers) expect(existsSync(directory), directory).to.equal(true);
    });

    it("never takes layers away from who has just been given them", async () => {
      let done = false;
      const pruning = (async () => {
        while (!done) await store.prune({ keep: [], layersInUse: NONE });
      })();
      /** In the moment in which the image is there: later it may go, since nobody says that it is in use. */
      const whole = (name: string, cached: boolean): Promise<boolean> =>
        get(store, name, { cached }).then(({ layers }) => layers.every((directory) => existsSync(directory)));
      try {
        for (let round = 0; round < 12; round++) {
          const all = [whole("left", true), whole("right", false), whole("left", round % 2 === 0)];
          expect(await Promise.all(all)).to.deep.equal([true, true, true]);
        }
      } finally {
        done = true;
        await pruning;
      }
    });
  });

  it("gives nothing out that it cannot write down", async () => {
    await get(store, "left");
    const inTheWay = `${bench.paths().catalogue()}.next`;
    await mkdir(inTheWay);
    for (const _attempt of ["first", "second"])
      expect(await outcome(store, docker("right"))).to.match(/TEPUI_IMAGE_PULL_FAILED: .*EISDIR/);
    await rm(inTheWay, { recursive: true });
    store = await open();
    expect(await layersOnDisk()).to.deep.equal(hexes(base, left));
    expect(await get(store, "right")).to.have.property("name", "right:latest");
  });

  it("is opened on a full disk, and makes room there", async () => {
    const { root } = bench.paths();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", root]);
    try {
      store = await open();
      const { config } = await get(store, "left");
      const filler = join(root, "filler");
      for (let size = 65_536; size >= 1; size /= 2) {
        const more = (): Promise<boolean> =>
          appendFile(filler, Buffer.alloc(size)).then(
            () => true,
            () => false,
          );
        while (await more());
      }
      expect(await outcome(store, docker("right"))).to.match(/TEPUI_IMAGE_PULL_FAILED: .*space/i);
      const asked = registry.seen.length;
      store = await open();
      expect(await get(store, "left")).to.have.deep.property("config", config);
      expect(registry.seen.length).to.equal(asked);
      await prune({ keep: [], layersInUse: NONE });
      expect(await layersOnDisk()).to.deep.equal([]);
      expect(await leftovers()).to.deep.equal([]);
      await rm(filler);
      expect(await get(store, "right")).to.have.property("name", "right:latest");
    } finally {
      execFileSync("umount", ["--lazy", root]);
    }
  });

  describe("when it is opened again", () => {
    it("has what it had", async () => {
      const before = await get(store, "left");
      const asked = registry.seen.length;
      store = await open();
      expect(await get(store, "left")).to.deep.equal(before);
      expect(registry.seen.length).to.equal(asked);
    });

    it("keeps layers that only containers still have", async () => {
      await get(store, "left");
      await prune({ keep: [], layersInUse: new Set([path(left)]) });
      store = await open();
      expect(await layersOnDisk()).to.deep.equal(hexes(left));
      await prune({ keep: [], layersInUse: NONE });
      expect(await layersOnDisk()).to.deep.equal([]);
    });

    it("removes what an earlier run left half done", async () => {
      await get(store, "left");
      const { staging, rubbish, layers, configs } = bench.paths();
      await mkdir(join(staging(), "layer-x/rootfs/deep"), { recursive: true });
      await mkdir(join(rubbish(), "y/deep"), { recursive: true });
      await mkdir(join(layers(), "0".repeat(64), "deep"), { recursive: true });
      await writeFile(join(configs(), `${"1".repeat(64)}.next`), "half");
      store = await open();
      expect(await leftovers()).to.deep.equal([]);
      expect(await layersOnDisk()).to.deep.equal(hexes(base, left));
      expect((await readdir(configs())).length).to.equal(1);
    });

    it("pulls an image anew whose layers or configuration are gone", async () => {
      await get(store, "left");
      await rm(path(left), { recursive: true });
      store = await open();
      expect((await get(store, "left")).layers.every(existsSync)).to.equal(true);
      expect(registry.asked(base.digest).length).to.equal(1);
      for (const name of await readdir(bench.paths().configs()))
        await rm(join(bench.paths().configs(), name));
      store = await open();
      expect((await get(store, "left")).config.command).to.deep.equal(["/left"]);
    });

    it("loses nothing to who comes before it has looked", async () => {
      const before = await get(store, "left");
      const early = bench.make({ registry: `http://${registry.host}` });
      const outcome = await early.prune({ keep: [], layersInUse: NONE }).then(
        () => "pruned",
        (error: Error) => error.message,
      );
      expect(outcome).to.match(/has not been recovered/);
      await early.recover();
      expect(await get(early, "left")).to.deep.equal(before);
    });

    it("puts everything aside when its list is damaged", async () => {
      await get(store, "left");
      await writeFile(bench.paths().catalogue(), '{"version":1,"images":[{"name":7}]');
      store = await open();
      expect(bench.logger.messages("error").join()).to.match(/list of stored images cannot be read/);
      const aside = (await readdir(bench.paths().root)).find((name) => name.startsWith("damaged-"))!;
      expect(await readdir(join(bench.paths().root, aside, "layers"))).to.have.members(hexes(base, left));
      expect((await get(store, "left")).layers.every(existsSync)).to.equal(true);
    });

    it("is for nobody but its agent", async () => {
      expect((await stat(bench.paths().root)).mode & 0o777).to.equal(0o700);
    });
  });

  it("is sound after any moment in which its agent was killed", async () => {
    const content = "x".repeat(200_000);
    const many = Array.from({ length: 12 }, (_, at) =>
      buildLayer([...Array.from({ length: 40 }, (__, file) => ({ name: `d${at}/f${file}`, content }))]),
    );
    registry.add("many", "latest", buildImage(many));
    let child: ChildProcess | undefined;
    try {
      for (let round = 0; round < 4; round++) {
        child = spawn(process.execPath, [PULLER, bench.directory, `http://${registry.host}`, "many"], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        const ended = new Promise((resolve) => child!.once("close", resolve));
        const before = registry.asked("many/blobs").length;
        // In a different moment each time: when so many more blobs have been asked for, or shortly after.
        await eventually(
          () =>
            child!.exitCode !== null || registry.asked("many/blobs").length >= before + 3 * round + 1
              ? true
              : undefined,
          15_000,
        );
        child.kill("SIGKILL");
        await ended;
        store = await open();
        expect(await leftovers()).to.deep.equal([]);
        const listed = JSON.parse(await readFile(bench.paths().catalogue(), "utf8")) as { layers: string[] };
        expect(await layersOnDisk()).to.deep.equal(listed.layers.map((id) => id.slice(7)).sort());
      }
    } finally {
      child?.kill("SIGKILL");
    }
    const { layers } = await get(store, "many");
    for (const [at, directory] of layers.entries()) {
      for (let file = 0; file < 40; file++) {
        expect(await readFile(join(directory, `d${at}/f${file}`), "utf8")).to.equal(content);
      }
    }
  });
});

/** Opens the store of a directory and pulls one image. */
const PULLER = new URL("./pull-once.js", import.meta.url).pathname;
