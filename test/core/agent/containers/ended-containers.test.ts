import { expect } from "chai";
import { MAX_ENDED, SESSION_KEPT_MS } from "../../../../core/agent/containers/ended-containers.js";
import type { ContainerID } from "../../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../../sdk/contracts/agent-containers.js";
import { containerName } from "../../../../sdk/ids/index.js";
import { AgentBench } from "../support/agent-bench.js";
import { asked, refusal } from "../support/container-launches.js";

describe("containers that ended", () => {
  const root: ContainerID = { value: "alone" };

  const ended = async (bench: AgentBench, launch: ContainerLaunch): Promise<ContainerID> => {
    await bench.agent.containers.launch(launch);
    bench.containerizer.launched.at(-1)!.exit(0);
    await bench.settle();
    return launch.containerId;
  };

  it("are listed no more, as what is known of them is how they ended", async () => {
    const bench = await AgentBench.registered();
    const { containers } = bench.agent;
    await containers.launch(asked(root));
    const child = await ended(bench, asked({ value: "c", parent: root }));
    const listed = await containers.list({ nested: true, standalone: true });
    expect(listed.map(({ containerId }) => containerName(containerId))).to.deep.equal(["alone"]);
    expect((await containers.wait(child)).exit?.code).to.equal(0);
  });

  it("and were sessions go with the next one that ends a while later; others stay until their parent goes", async () => {
    const bench = await AgentBench.registered();
    const { containers } = bench.agent;
    await containers.launch(asked(root));
    const session = (value: string): ContainerLaunch => asked({ value, parent: root }, { class: "debug" });
    const child = await ended(bench, asked({ value: "child", parent: root }));
    const first = await ended(bench, session("first"));
    await bench.clock.advance(SESSION_KEPT_MS);
    expect((await containers.wait(first)).exit?.code).to.equal(0);
    const second = await ended(bench, session("second"));
    expect(await refusal(containers.wait(first))).to.equal(
      "TEPUI_CONTAINER_UNKNOWN: Container alone.first cannot be found",
    );
    expect((await containers.wait(second)).exit?.code).to.equal(0);
    expect((await containers.wait(child)).exit?.code).to.equal(0);
  });

  it("and were within none are bounded in number, the oldest going first", async () => {
    const bench = await AgentBench.registered();
    const { containers } = bench.agent;
    for (let i = 0; i <= MAX_ENDED; i++) await ended(bench, asked({ value: `c${i}` }));
    expect(await refusal(containers.wait({ value: "c0" }))).to.contain("TEPUI_CONTAINER_UNKNOWN");
    expect((await containers.wait({ value: "c1" })).exit?.code).to.equal(0);
    expect(bench.disk.paths("remove")).to.deep.equal(["/srv/meta/containers/c0"]);
  });

  it("and run again keep their sandbox, whatever it was to be removed for", async () => {
    const bench = new AgentBench({ gcNonExecutorContainerSandboxes: true, gcDelay: 10_000 });
    bench.agent.start();
    await ended(bench, asked(root));
    await bench.agent.containers.launch(asked(root));
    await bench.clock.advance(10_000);
    expect(bench.disk.paths("remove")).to.not.include("/srv/containers/alone");
  });

  it("before they began never begin", async () => {
    const bench = await AgentBench.registered();
    const { containers } = bench.agent;
    const launching = containers.launch(asked(root));
    await containers.kill(root, 9);
    expect(await refusal(launching)).to.equal("TEPUI_CONTAINER_LAUNCH_FAILED: the container was destroyed");
    expect(bench.containerizer.launched).to.deep.equal([]);
    expect(bench.disk.paths("remove")).to.deep.equal(["/srv/meta/containers/alone"]);
    expect(await containers.launch(asked(root))).to.equal("launched");
  });

  it("are not sent what is no signal", async () => {
    const bench = await AgentBench.registered();
    const { containers } = bench.agent;
    await containers.launch(asked(root));
    for (const signal of [-1, 65, 1.5, Number.NaN])
      expect(await refusal(containers.kill(root, signal))).to.equal(
        `TEPUI_CONTAINER_REQUEST_INVALID: 'signal' is invalid: there is no signal ${signal}`,
      );
    expect(bench.containerizer.launched.at(-1)!.signals).to.deep.equal([]);
  });

  it("have no limits that are no amounts", async () => {
    const bench = await AgentBench.registered();
    for (const cpus of [-1, 0, Number.NaN])
      expect(await refusal(bench.agent.containers.launch(asked(root, { limits: { cpus } })))).to.equal(
        "TEPUI_CONTAINER_REQUEST_INVALID: Invalid resource limits: 'cpus' must be greater than zero",
      );
    const limits = { mem: Number.POSITIVE_INFINITY };
    expect(await bench.agent.containers.launch(asked(root, { limits }))).to.equal("launched");
  });
});
