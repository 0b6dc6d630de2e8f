import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { chooseBackend } from "../../../plugins/provisioner/choose-backend.js";
import { diskUsage, ImageGc, readGcConfig } from "../../../plugins/provisioner/image-gc.js";
import { ImageProvisioner } from "../../../plugins/provisioner/image-provisioner.js";
import { ProvisionerRecords } from "../../../plugins/provisioner/records.js";
import { type Image, Image_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ImageStore, RootfsBackend, StoredImage } from "../../../sdk/contracts/image.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

const docker = (name: string): Image => ({ type: Image_Type.DOCKER, docker: { name } });
const never = new AbortController().signal;

/** Images of two layers each: `name/0` and `name/1`. */
class Store implements ImageStore {
  readonly prunes: { keep: string[]; layersInUse: string[] }[] = [];
  recovered = 0;
  /** Resolves when `get` may go on. */
  gate: Promise<void> = Promise.resolve();

  async get(image: Image, { signal }: { readonly signal: AbortSignal }): Promise<StoredImage> {
    const aborted = new Promise<never>((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason)),
    );
    await Promise.race([this.gate, aborted]);
    const name = image.docker!.name!;
    const config = {
      environment: {},
      entrypoint: [],
      command: [name],
      workingDirectory: undefined,
      user: undefined,
      labels: {},
      stopSignal: undefined,
    };
    return { name, layers: [`${name}/0`, `${name}/1`], config };
  }

  async recover(): Promise<void> {
    this.recovered++;
  }

  async prune({ keep, layersInUse }: Parameters<ImageStore["prune"]>[0]): Promise<void> {
    this.prunes.push({
      keep: keep.map((image) => image.docker!.name!),
      layersInUse: [...layersInUse].sort(),
    });
  }
}

class Backend implements RootfsBackend {
  problem: string | undefined;
  failure: Error | undefined;
  removeFailure: Error | undefined;
  readonly removed: string[] = [];

  async unusable(): Promise<string | undefined> {
    return this.problem;
  }

  async create({ layers, directory }: Parameters<RootfsBackend["create"]>[0]) {
    if (this.failure !== undefined) throw this.failure;
    await writeFile(join(directory, "layers"), layers.join());
    return { path: join(directory, "rootfs"), mounts: [] };
  }

  async remove(directory: string): Promise<void> {
    if (this.removeFailure !== undefined) throw this.removeFailure;
    this.removed.push(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

describe("the provisioner", () => {
  let directory: string;
  let store: Store;
  let backend: Backend;
  let metrics: MetricsRegistry;
  let logger: MemoryLogger;
  let provisioner: ImageProvisioner;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-provisioner-"));
    store = new Store();
    backend = new Backend();
    metrics = new MetricsRegistry(new VirtualClock());
    logger = new MemoryLogger();
    provisioner = await open();
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function open(known: readonly string[] = []): Promise<ImageProvisioner> {
    const opened = new ImageProvisioner(
      {
        stores: new Map([["docker", store]]),
        backends: new Map([["plain", backend]]),
        records: new ProvisionerRecords(join(directory, "provisioner")),
        excludedImages: [docker("excluded")],
        removeErrors: metrics.counter("errors"),
        random: new SeededRandom(7),
        logger,
      },
      () => "plain",
    );
    await opened.recover(new Set(known));
    return opened;
  }

  const containers = (): Promise<string[]> =>
    readdir(join(directory, "provisioner/containers")).catch(() => []);
  const text = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => "done",
      (error: Error) => error.message,
    );
  const inUse = async (): Promise<string[]> => {
    await provisioner.prune([]);
    return store.prunes.at(-1)!.layersInUse;
  };

  it("makes root file systems where Mesos has them, several for one container, and removes them all", async () => {
    const one = await provisioner.provision("c1", docker("a"), { signal: never });
    const two = await provisioner.provision("c1", docker("b"), { signal: never });
    expect(one.config.command).to.deep.equal(["a"]);
    expect(one.rootfs.path).to.match(
      /\/provisioner\/containers\/c1\/backends\/plain\/rootfses\/[0-9a-f-]{36}\/rootfs$/,
    );
    expect(one.rootfs.path).not.to.equal(two.rootfs.path);
    expect(await inUse()).to.deep.equal(["a/0", "a/1", "b/0", "b/1"]);
    await provisioner.destroy("c1");
    expect(backend.removed.length).to.equal(2);
    expect(await containers()).to.deep.equal([]);
    expect(await inUse()).to.deep.equal([]);
    await provisioner.destroy("c1");
    await provisioner.destroy("never seen");
  });

  it("keeps what it has from other users of the host", async () => {
    expect((await stat(join(directory, "provisioner"))).mode & 0o777).to.equal(0o700);
  });

  it("waits with the end of a container for what is being made for it", async () => {
    const abort = new AbortController();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const making = text(provisioner.provision("c1", docker("a"), { signal: abort.signal }));
    const other = text(provisioner.provision("c1", docker("b"), { signal: never }));
    const destroying = provisioner.destroy("c1");
    expect(await text(provisioner.provision("c1", docker("c"), { signal: never }))).to.match(
      /is being destroyed/,
    );
    abort.abort(new Error("the end"));
    expect(await making).to.equal("the end");
    open();
    await destroying;
    expect(await other).to.equal("done");
    expect(await containers()).to.deep.equal([]);
  });

  it("says what went wrong, with the image and the backend", async () => {
    backend.failure = new Error("no room");
    expect(await text(provisioner.provision("c1", docker("a"), { signal: never }))).to.match(
      /image 'a' cannot be made a root file system \(plain\): no room/,
    );
    await provisioner.destroy("c1");
    expect(await containers()).to.deep.equal([]);
    const appc: Image = { type: Image_Type.APPC, appc: { name: "a" } };
    expect(await text(provisioner.provision("c2", appc, { signal: never }))).to.match(
      /no images of the type APPC/,
    );
    expect(await text(provisioner.provision("c2", {}, { signal: never }))).to.match(
      /no images of the type UNKNOWN/,
    );
  });

  it("takes up the containers that are known, removes the others, and then opens the stores", async () => {
    await provisioner.provision("known", docker("a"), { signal: never });
    await provisioner.provision("unknown", docker("b"), { signal: never });
    provisioner = await open(["known"]);
    expect(await containers()).to.deep.equal(["known"]);
    expect(store.recovered).to.equal(2);
    expect(await inUse()).to.deep.equal(["a/0", "a/1"]);
    await provisioner.destroy("known");
    expect(await containers()).to.deep.equal([]);
  });

  it("counts what could not be removed, and tries again", async () => {
    await provisioner.provision("c1", docker("a"), { signal: never });
    backend.removeFailure = new Error("busy");
    expect(await text(provisioner.destroy("c1"))).to.equal("busy");
    expect(metrics.counter("errors").value).to.equal(1);
    expect(await inUse()).to.deep.equal(["a/0", "a/1"]);
    provisioner = await open();
    expect(logger.messages("warn").join()).to.match(/next start tries again/);
    backend.removeFailure = undefined;
    await provisioner.destroy("c1");
    expect(await containers()).to.deep.equal([]);
  });

  it("does not remove what was made by a backend that is not there", async () => {
    await mkdir(join(directory, "provisioner/containers/c9/backends/aufs/rootfses/x"), { recursive: true });
    provisioner = await open();
    expect(await containers()).to.deep.equal(["c9"]);
    expect(logger.lines.some(({ fields }) => String(fields.err).includes("backend 'aufs'"))).to.equal(true);
  });

  it("removes no image before it knows what containers of an earlier run use", async () => {
    const records = new ProvisionerRecords(join(directory, "provisioner"));
    const early = new ImageProvisioner(
      {
        stores: new Map([["docker", store]]),
        backends: new Map([["plain", backend]]),
        records,
        excludedImages: [],
        removeErrors: metrics.counter("errors"),
        random: new SeededRandom(7),
        logger,
      },
      () => "plain",
    );
    await early.prune([]);
    expect(store.prunes).to.deep.equal([]);
    await early.recover(new Set());
    await early.prune([]);
    expect(store.prunes.length).to.equal(1);
  });

  it("removes no image while it does not know what a container uses", async () => {
    await provisioner.provision("c1", docker("a"), { signal: never });
    await writeFile(join(directory, "provisioner/containers/c1/layers.json"), "{");
    provisioner = await open(["c1"]);
    expect(await text(provisioner.prune([]))).to.match(/while container 'c1' exists/);
    await provisioner.destroy("c1");
    expect(await text(provisioner.prune([]))).to.equal("done");
  });

  it("keeps the images that are excluded, whoever prunes", async () => {
    await provisioner.prune([docker("named"), { type: Image_Type.APPC, appc: { name: "x" } }]);
    expect(store.prunes).to.deep.equal([{ keep: ["named", "excluded"], layersInUse: [] }]);
  });

  describe("chooses a backend", () => {
    const choose = (wanted: string | undefined, problems: Readonly<Record<string, string | undefined>>) => {
      const backends = Object.entries(problems).map(([name, problem]): [string, Backend] => {
        const made = new Backend();
        made.problem = problem;
        return [name, made];
      });
      return chooseBackend({ wanted, backends: new Map(backends), directory, logger }).catch(
        (error: Error) => error.message,
      );
    };

    it("that can be used: overlay, then copy", async () => {
      expect(await choose(undefined, { bind: undefined, copy: undefined, overlay: undefined })).to.equal(
        "overlay",
      );
      expect(await choose(undefined, { copy: undefined, overlay: "no kernel" })).to.equal("copy");
      expect(await choose(undefined, { bind: undefined, overlay: "no kernel", copy: "no cp" })).to.match(
        /no backend .* overlay: no kernel; copy: no cp/,
      );
    });

    it("that is named, or says why it cannot be", async () => {
      expect(await choose("bind", { bind: undefined, overlay: undefined })).to.equal("bind");
      expect(await choose("bind", { bind: "no root", overlay: undefined })).to.match(/backend=bind: no root/);
      expect(await choose("aufs", { overlay: undefined })).to.match(
        /backend=aufs: there is no such backend; there are overlay/,
      );
    });
  });

  describe("removes images when their disk is full", () => {
    const CONFIG = {
      image_disk_headroom: 0.2,
      image_disk_watch_interval: { nanoseconds: 3_600_000_000_000 },
      excluded_images: [{ type: "DOCKER", docker: { name: "kept" } }],
    };

    it("as the message says", () => {
      const settings = readGcConfig(CONFIG);
      expect([settings.headroom, settings.interval]).to.deep.equal([0.2, 3_600_000]);
      expect(settings.excludedImages[0]!.docker!.name).to.equal("kept");
      for (const [change, reason] of [
        [{ image_disk_headroom: 1.5 }, /between 0 and 1/],
        [{ image_disk_headroom: undefined }, /image_disk_headroom/],
        [{ image_disk_watch_interval: { nanoseconds: 0 } }, /more than zero/],
        [{ image_disk_watch_interval: undefined }, /image_disk_watch_interval/],
      ] as const) {
        expect(() => readGcConfig({ ...CONFIG, ...change })).to.throw(reason);
      }
    });

    it("at every interval, and only then", async () => {
      const clock = new VirtualClock();
      let used: number | Error = 0.79;
      let prunes = 0;
      const gc = new ImageGc({
        settings: readGcConfig(CONFIG),
        usage: async () => {
          if (used instanceof Error) throw used;
          return used;
        },
        prune: async () => {
          prunes++;
        },
        clock,
        logger,
      });
      gc.start();
      await clock.advance(3_600_000);
      expect(prunes).to.equal(0);
      used = 0.81;
      await clock.advance(3_599_999);
      expect(prunes).to.equal(0);
      await clock.advance(1);
      expect(prunes).to.equal(1);
      used = new Error("no disk");
      await clock.advance(3_600_000);
      expect(logger.messages("error").join()).to.match(/could not be removed; trying again/);
      used = 0.9;
      await clock.advance(3_600_000);
      expect(prunes).to.equal(2);
      await gc.stop();
      await clock.advance(36_000_000);
      expect([prunes, clock.pendingTimers]).to.deep.equal([2, 0]);
    });

    it("measures the disk of a directory that may not be there yet", async () => {
      expect(await diskUsage(join(directory, "not/yet"))).to.be.within(0, 1);
    });
  });
});
