import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createTestKernel, type TestKernel } from "../../../core/testing/index.js";
import dockerImageStore from "../../../plugins/docker-image-store/index.js";
import dockerRuntime from "../../../plugins/docker-runtime/index.js";
import provisioner from "../../../plugins/provisioner/index.js";
import rootfsBackends from "../../../plugins/rootfs-backends/index.js";
import { ImageStore, Provisioner, RootfsBackend } from "../../../sdk/contracts/image.js";
import { Isolator } from "../../../sdk/contracts/isolator.js";
import { isolatorSuite } from "../../../sdk/testing/isolator-suite.js";
import { eventually } from "../../support/eventually.js";
import { requireThat } from "../../support/require-part.js";

const PLUGINS = [dockerImageStore, rootfsBackends, provisioner, dockerRuntime];

describe("the plugins of images", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-image-plugins-"));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  const boot = (settings: Readonly<Record<string, unknown>>): Promise<TestKernel> =>
    createTestKernel({
      plugins: PLUGINS,
      target: "agent",
      settings: { work_dir: directory, docker_store_dir: join(directory, "store"), ...settings },
    });

  const failure = (settings: Readonly<Record<string, unknown>>): Promise<string> =>
    boot(settings).then(
      async (test) => {
        await test.stop();
        return "started";
      },
      (error: Error) => `${error.message} ${error.cause ?? ""}`,
    );

  it("are left out where no flag asks for them", async () => {
    const test = await boot({});
    expect(test.kernel.getAll(Isolator)).to.deep.equal([]);
    await test.stop();
    expect(await readdir(directory)).to.deep.equal([]);
  });

  it("refuse values that make no sense, each with its reason", async () => {
    const images = { image_providers: "docker" };
    for (const [settings, reason] of [
      [{ image_providers: "APPC" }, /App Container/],
      [{ image_providers: "docker,rkt" }, /'rkt', which is no type of image/],
      [{ ...images, image_provisioner_backend: "aufs" }, /AUFS was never part of Linux/],
      [{ ...images, docker_registry: "hdfs://name/dir" }, /Hadoop file system/],
      [{ ...images, docker_registry: "registry.lan" }, /no URL and no absolute path/],
      [{ ...images, docker_config: { auths: { "a.io": "x" } } }, /--docker_config: the entry of 'a.io'/],
      [{ ...images, image_gc_config: { image_disk_headroom: 2 } }, /image_/],
    ] as const) {
      expect(await failure(settings), JSON.stringify(settings)).to.match(reason);
    }
  });

  it("need root, and say so", async function () {
    requireThat(this, process.seteuid !== undefined, "a user to become");
    if (process.geteuid?.() !== 0) {
      expect(await failure({ image_providers: "docker" })).to.match(/takes root/);
      return;
    }
    process.seteuid!(65_534);
    try {
      expect(await failure({ image_providers: "docker" })).to.match(/takes root: run the agent as root/);
    } finally {
      process.seteuid!(0);
    }
  });

  describe("as root", () => {
    before(function () {
      requireThat(this, process.geteuid?.() === 0, "root");
    });

    it("keep images of the type docker, and make root file systems by overlay", async () => {
      const test = await boot({ image_providers: "DOCKER", isolation: "docker/runtime" });
      expect([...test.kernel.getAll(Isolator)].map(({ name }) => name)).to.deep.equal(["docker/runtime"]);
      expect(test.kernel.get(Provisioner)).to.have.property("provision");
      expect(test.logger.lines.find(({ fields }) => fields.backend !== undefined)!.fields.backend).to.equal(
        "overlay",
      );
      await test.stop();
    });

    it("give each agent a store of its own in the same directory", async () => {
      for (const agent of ["one", "two"]) {
        const test = await createTestKernel({
          plugins: PLUGINS,
          target: "agent",
          settings: {
            work_dir: join(directory, agent),
            docker_store_dir: join(directory, "store"),
            image_providers: "docker",
          },
        });
        await test.kernel.get(Provisioner).recover(new Set());
        await test.stop();
      }
      expect((await readdir(join(directory, "store"))).length).to.equal(2);
    });

    it("remove images by the clock when their disk is fuller than asked for", async () => {
      const test = await boot({
        image_providers: "docker",
        image_gc_config: {
          image_disk_headroom: 1,
          image_disk_watch_interval: { nanoseconds: 60_000_000_000 },
          excluded_images: [],
        },
      });
      await test.kernel.get(Provisioner).recover(new Set());
      await test.clock.advance(60_000);
      await eventually(() =>
        test.logger.messages("info").find((line) => /disk of the images is too full/.test(line)),
      );
      await test.stop();
      expect(test.clock.pendingTimers).to.equal(0);
    });

    it("end where the work directory cannot be used", async () => {
      await writeFile(join(directory, "file"), "");
      expect(await failure({ image_providers: "docker", work_dir: join(directory, "file") })).to.match(
        /ENOTDIR|EEXIST/,
      );
    });
  });

  it("bring stores and backends by their keys", () => {
    expect(dockerImageStore.provides).to.include(ImageStore);
    expect(rootfsBackends.provides).to.include(RootfsBackend);
  });

  describe("docker/runtime", () => {
    const suite = isolatorSuite(async () => {
      const sandbox = await mkdtemp(join(tmpdir(), "tepui-isolator-"));
      const test = await createTestKernel({
        plugins: [dockerRuntime],
        target: "agent",
        settings: { isolation: "docker/runtime" },
      });
      return {
        isolator: test.kernel.getAll(Isolator)[0]!,
        directory: sandbox,
        pid: process.pid,
        close: async () => {
          await test.stop();
          await rm(sandbox, { recursive: true });
        },
      };
    });
    for (const { name, run } of suite) it(name, run);

    it("contributes nothing where images' settings are ignored, and is there by name", async () => {
      const test = await createTestKernel({
        plugins: [dockerRuntime],
        target: "agent",
        settings: { isolation: "docker/runtime", docker_ignore_runtime: true },
      });
      expect(test.kernel.getAll(Isolator)).to.deep.equal([{ name: "docker/runtime" }]);
      await test.stop();
    });
  });
});
