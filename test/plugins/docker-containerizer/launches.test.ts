import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { DockerContainer } from "../../../plugins/docker-containerizer/container.js";
import { DockerContainerizer } from "../../../plugins/docker-containerizer/containerizer.js";
import type { Engine } from "../../../plugins/docker-containerizer/engine.js";
import { EngineError } from "../../../plugins/docker-containerizer/engine-error.js";
import { Launches } from "../../../plugins/docker-containerizer/launches.js";
import { amountsOf } from "../../../plugins/docker-containerizer/resource-settings.js";
import { ContainerInfo, ContainerInfo_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { messageOf } from "../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { requestFor } from "../../support/container-request.js";

describe("launches of Docker containers", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-launches-"));
  });

  afterEach(() => rm(directory, { recursive: true }));

  function given() {
    const clock = new VirtualClock();
    const io = { stdout: join(directory, "stdout"), stderr: join(directory, "stderr") };
    const options = {
      agent: "a1",
      workDir: directory,
      recordsDirectory: directory,
      containerLogger: { prepare: async () => io },
      sandboxFetch: { fetch: async () => undefined },
      registryConfig: undefined,
      sandboxDirectory: "/mnt/mesos/sandbox",
      cfs: false,
      dns: undefined,
      imagePull: new MetricsRegistry(clock).timer("pull"),
      clock,
      logger: new MemoryLogger(),
    };
    const container = ContainerInfo.fromPartial({
      type: ContainerInfo_Type.DOCKER,
      docker: { image: "app" },
    });
    const request = { ...requestFor("c1", { container }), directory };
    return { options, request };
  }

  /** Why one fails where the engine answers so when it is to make the container, and cannot pull. */
  async function failure(answer: string): Promise<string> {
    const engine = {
      create: async () => {
        throw new EngineError("missing", answer);
      },
      pull: async () => {
        throw new EngineError("refused", "no network");
      },
    } as unknown as Engine;
    const { options, request } = given();
    const made = new DockerContainer(request, amountsOf(request));
    try {
      await new Launches(options, engine).start(made);
      return "started";
    } catch (error) {
      return messageOf(error);
    } finally {
      await made.logs?.close();
    }
  }

  /** Launches one that does not start. Resolves when it was refused; never, where the agent ends meanwhile. */
  function refused({ removed, end }: { removed: string[]; end?: () => void }): Promise<void> {
    const { options, request } = given();
    const engine = {
      create: async () => "c1",
      attach: async () => new PassThrough(),
      start: async () => {
        if (end !== undefined) await docker.close().then(end);
        throw new EngineError("unreachable", "nobody answers");
      },
      remove: async (name: string) => void removed.push(name),
    } as unknown as Engine;
    const policy = { removeDelay: 0, stopTimeout: 0, killOrphans: true };
    const docker = new DockerContainerizer({ ...options, ...policy }, engine);
    return docker.launch(request).then(
      () => expect.fail("it was launched"),
      () => undefined,
    );
  }

  it("leave nothing where they fail, and what there is to the next run where the agent ends", async () => {
    const left: string[] = [];
    let told = false;
    await new Promise<void>((end) => {
      void refused({ removed: left, end }).then(() => {
        told = true;
      });
    });
    const removed: string[] = [];
    // Comes behind the other one, which had less before it than this.
    await refused({ removed });
    expect(removed).to.deep.equal(["c1"]);
    expect([told, left]).to.deep.equal([false, []]);
  });

  it("tell of the image where that is what the engine lacks, and of anything else where it is not", async () => {
    expect(await failure("No such image: app:latest")).to.match(
      /image 'app:latest' cannot be pulled: .*no network/,
    );
    const driver = 'create x: error looking up volume plugin gone: plugin "gone" not found';
    expect(await failure(driver)).to.equal(driver);
  });
});
