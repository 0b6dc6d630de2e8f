import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  type ContainerInfo,
  ContainerInfo_Type,
  Image_Type,
  type TaskInfo,
  TaskState,
  Volume_Mode,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { type Cluster, getJson, startCluster, until } from "../../support/cluster.js";
import type { Daemon } from "../../support/daemons.js";
import { DockerRegistry } from "../../support/docker-registry.js";
import { endCgroups } from "../../support/end-cgroups.js";
import { eventually } from "../../support/eventually.js";
import { hostMounts } from "../../support/host-mounts.js";
import {
  type BuiltLayer,
  buildImage,
  buildLayer,
  busyboxEntries,
  pushImage,
} from "../../support/image-builder.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { Runner } from "../../support/runner.js";

for (const backend of ["overlay", "copy"]) {
  describe(`tasks of images on a real agent (${backend})`, function () {
    const CGROUPS = `tepui-images-${backend}-${process.pid}`;
    this.timeout(90_000);
    let registry: DockerRegistry;
    let cluster: Cluster;
    let agent: Daemon;
    let runner: Runner;
    let directory: string;
    let base!: BuiltLayer;
    let top!: BuiltLayer;

    before(async function () {
      requireThat(this, process.geteuid?.() === 0, "containers of their own need root");
      const busybox = requirePart(this, "busybox", "busybox-static");
      registry = await DockerRegistry.start(requirePart(this, "docker-registry", "docker-registry"));
      directory = await mkdtemp(join(tmpdir(), "tepui-images-"));
      base = buildLayer([...(await busyboxEntries(busybox)), { name: "etc/motd", content: "from below\n" }]);
      top = buildLayer([
        { name: "srv/", type: "5" },
        { name: "srv/hello", content: "hello from the image\n" },
        { name: "etc/.wh.motd" },
      ]);
      const push = (tag: string, run: Parameters<typeof buildImage>[1]): Promise<void> =>
        pushImage(registry.origin, { repository: "box", tag, image: buildImage([base, top], run) });
      await push("plain", {});
      const extra = buildImage([base, top, buildLayer([{ name: "extra", content: "extra" }])]);
      await pushImage(registry.origin, { repository: "box", tag: "extra", image: extra });
      await push("entry", {
        Env: ["FROM_IMAGE=yes", "BOTH=image", "PATH=/own:/bin"],
        Entrypoint: ["/bin/sh", "-c"],
        Cmd: ["echo ran in $(pwd); echo FROM_IMAGE=$FROM_IMAGE BOTH=$BOTH PATH=$PATH; cat hello"],
        WorkingDir: "/srv",
        User: "nobody",
      });
      cluster = await startCluster({
        agentFlags: [
          "--launcher=linux",
          "--isolation=filesystem/linux,docker/runtime,volume/image,namespaces/pid",
          "--image_providers=docker",
          `--image_provisioner_backend=${backend}`,
          `--docker_registry=${registry.origin}`,
          `--docker_store_dir=${join(directory, "store")}`,
          `--cgroups_root=${CGROUPS}`,
          // Always too full: whatever is not in use goes at once.
          '--image_gc_config={"image_disk_headroom": 1.0, "image_disk_watch_interval": {"nanoseconds": 200000000}}',
        ],
      });
      agent = cluster.agents[0]!;
      runner = new Runner(cluster);
      await runner.start();
    });

    after(async () => {
      await runner?.stop();
      // Tasks of a failed test end with their framework.
      if (agent !== undefined)
        await eventually(async () => ((await provisioned()).length === 0 ? true : undefined)).catch(
          () => undefined,
        );
      await agent?.stop();
      await cluster?.stop();
      await registry?.stop();
      await endCgroups(CGROUPS);
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    });

    const container = (name: string, more: Partial<ContainerInfo> = {}): Partial<TaskInfo> => ({
      container: {
        type: ContainerInfo_Type.MESOS,
        mesos: { image: { type: Image_Type.DOCKER, docker: { name } } },
        volumes: [],
        network_infos: [],
        ...more,
      },
    });

    async function workDirectory(): Promise<string> {
      const { flags } = (await getJson(agent, "/flags")) as { flags: { work_dir: string } };
      return flags.work_dir;
    }

    async function sandbox(task: string): Promise<string> {
      const agents = join(await workDirectory(), "slaves");
      const [id] = (await readdir(agents)).filter((name) => name !== "latest");
      const frameworks = join(agents, id!, "frameworks");
      const [framework] = await readdir(frameworks);
      return join(frameworks, framework!, "executors", task, "runs/latest");
    }

    const output = async (task: string): Promise<string> =>
      readFileSync(join(await sandbox(task), "stdout"), "utf8");

    async function layers(): Promise<string[]> {
      const [own] = await readdir(join(directory, "store"));
      return readdir(join(directory, "store", own!, "layers"));
    }

    /** Directories of root file systems that are there now. */
    async function provisioned(): Promise<string[]> {
      const containers = join(await workDirectory(), "provisioner/containers");
      return existsSync(containers) ? readdir(containers) : [];
    }

    it("see the image, and write to a layer of their own", async () => {
      const mounts = hostMounts(directory);
      runner.run(
        "look",
        { value: "cat /srv/hello; ls /etc; echo mine > /srv/hello; cat /srv/hello; pwd" },
        container("box:plain"),
      );
      await runner.reaches("look", TaskState.TASK_FINISHED);
      const seen = await output("look");
      expect(seen)
        .to.match(/^hello from the image\n/)
        .and.to.match(/\nmine\n\/mnt\/mesos\/sandbox\n$/);
      expect(seen)
        .to.match(/passwd/)
        .and.not.match(/motd/);
      runner.run("again", { value: "cat /srv/hello" }, container("box:plain"));
      await runner.reaches("again", TaskState.TASK_FINISHED);
      expect(await output("again")).to.equal("hello from the image\n");
      await until(async () => (await provisioned()).length === 0);
      expect(hostMounts(directory)).to.deep.equal(mounts);
    });

    it("run as the image says where their framework says nothing", async () => {
      const variables = [{ name: "BOTH", value: "framework" }];
      runner.run("entry", { shell: false, environment: { variables } }, container("box:entry"));
      await runner.reaches("entry", TaskState.TASK_FINISHED);
      expect(await output("entry")).to.equal(
        "ran in /srv\nFROM_IMAGE=yes BOTH=framework PATH=/own:/bin\nhello from the image\n",
      );
      runner.run("words", { shell: false, arguments: ["id -u"] }, container("box:entry"));
      await runner.reaches("words", TaskState.TASK_FINISHED);
      expect(await output("words")).to.equal("0\n");
    });

    it("fail with the reason when there is nothing to run, or no such image", async () => {
      runner.run("nothing", { shell: false }, container("box:plain"));
      await runner.reaches("nothing", TaskState.TASK_FAILED);
      expect(runner.last("nothing")!.message).to.match(
        /'docker\/runtime' failed to prepare .*No executable is found/,
      );
      runner.run("missing", { value: "true" }, container("box:none"));
      await runner.reaches("missing", TaskState.TASK_FAILED);
      expect(runner.last("missing")!.message).to.match(/image does not exist: .*\/box:none/);
      runner.run("odd", { value: "true" }, container("Not:A:Name"));
      await runner.reaches("odd", TaskState.TASK_FAILED);
      expect(runner.last("odd")!.message).to.match(/'Not:A:Name' is not the name of an image/);
      await until(async () => (await provisioned()).length === 0);
    });

    it("may have another image as a volume", async () => {
      const volume = {
        mode: Volume_Mode.RO,
        container_path: "/mnt/other",
        image: { type: Image_Type.DOCKER, docker: { name: "box:entry" } },
      };
      runner.run(
        "volume",
        { value: "cat /mnt/other/srv/hello; touch /mnt/other/x || echo no" },
        container("box:plain", { volumes: [volume] }),
      );
      await runner.reaches("volume", TaskState.TASK_FINISHED);
      expect(await output("volume")).to.equal("hello from the image\nno\n");
      await until(async () => (await provisioned()).length === 0);
    });

    it("outlive an agent that is killed, which then knows what they use", async () => {
      runner.run(
        "long",
        { value: "echo up; while [ ! -e stop ]; do sleep 0.1; done; cat /srv/hello" },
        container("box:plain"),
      );
      await runner.reaches("long", TaskState.TASK_RUNNING);
      await agent.kill();
      agent = await agent.restart();
      await until(async () => (await getJson(agent, "/state").catch(() => undefined)) !== undefined);
      expect((await provisioned()).length).to.equal(1);
      // What the task uses stays, through several rounds of removals: an image that comes and goes meanwhile shows one.
      runner.run("other", { value: "true" }, container("box:extra"));
      await runner.reaches("other", TaskState.TASK_FINISHED);
      const used = [base, top].map(({ diffId }) => diffId.slice(7));
      await until(async () => !(await layers()).some((layer) => !used.includes(layer)));
      expect(await layers()).to.have.members(used);
      writeFileSync(join(await sandbox("long"), "stop"), "");
      await runner.reaches("long", TaskState.TASK_FINISHED);
      expect(await output("long")).to.equal("up\nhello from the image\n");
      await until(async () => (await provisioned()).length === 0 && (await layers()).length === 0);
      runner.run("after", { value: "cat /srv/hello" }, container("box:plain"));
      await runner.reaches("after", TaskState.TASK_FINISHED);
    });

    it("are measured", async () => {
      const metrics = (await getJson(agent, "/metrics/snapshot")) as Record<string, number>;
      expect(metrics).to.include.keys(
        "containerizer/mesos/provisioner/remove_container_errors",
        "containerizer/mesos/provisioner/bind/remove_rootfs_errors",
      );
      expect(metrics["containerizer/mesos/provisioner/remove_container_errors"]).to.equal(0);
      runner.run("pull", { value: "true" }, container(`${registry.host}/box:plain`));
      await runner.reaches("pull", TaskState.TASK_FINISHED);
      const after = (await getJson(agent, "/metrics/snapshot")) as Record<string, number>;
      expect(after["containerizer/mesos/provisioner/docker_store/image_pull_ms"]).to.be.greaterThan(0);
    });
  });
}
