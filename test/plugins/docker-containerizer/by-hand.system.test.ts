import { expect } from "chai";
import type { DockerContainerizer } from "../../../plugins/docker-containerizer/containerizer.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";
import { DockerBench } from "./support.js";

const SLEEP = "trap 'exit 7' TERM; while :; do sleep 0.05; done";

describe("Docker containers that somebody handles behind the agent's back", function () {
  this.timeout(60_000);
  let bench: DockerBench;
  let docker: DockerContainerizer;

  before(async function () {
    bench = await DockerBench.start(this);
    // Removed late: what is over stays, and must not run.
    docker = await bench.containerizer({ removeDelay: 3_600_000 });
  });

  after(() => bench?.stop());

  async function launched(): Promise<{ request: ContainerRequest; name: string; path: string }> {
    const request = await bench.request({ script: SLEEP });
    await docker.launch(request);
    const name = `mesos-${request.containerId.value}`;
    return { request, name, path: `/containers/${name}` };
  }

  it("are over when they are started again, and do not go on", async () => {
    const { request, name, path } = await launched();
    await bench.daemon.api("POST", `${path}/restart?t=5`);
    expect(await docker.wait(request.containerId)).to.deep.equal({ exit: { code: 7, signal: undefined } });
    await docker.destroy(request.containerId);
    await eventually(async () => ((await bench.listed())[name] === "running" ? undefined : true));
  });

  it("are removed at once when they are started again after their end", async () => {
    const { request, name, path } = await launched();
    await docker.destroy(request.containerId);
    await eventually(async () => ((await bench.listed())[name] === "exited" ? true : undefined));
    await bench.daemon.api("POST", `${path}/start`);
    await eventually(async () => ((await bench.listed())[name] === undefined ? true : undefined));
  });

  it("are known by another name, too", async () => {
    const { request, path } = await launched();
    await bench.daemon.api("POST", `${path}/rename?name=other`);
    const { executor_pid: pid } = await docker.status(request.containerId);
    expect(await docker.signal(request.containerId, 15)).to.equal(true);
    expect(await docker.wait(request.containerId)).to.deep.equal({ exit: { code: 7, signal: undefined } });
    await docker.destroy(request.containerId);
    expect(isAlive(readProcessStat(pid!))).to.equal(false);
  });

  it("end when they are paused", async () => {
    const { request, path } = await launched();
    await bench.daemon.api("POST", `${path}/pause`);
    const { executor_pid: pid } = await docker.status(request.containerId);
    await docker.destroy(request.containerId);
    expect(isAlive(readProcessStat(pid!))).to.equal(false);
  });

  it("hear a signal when they are paused", async () => {
    const { request, path } = await launched();
    await bench.daemon.api("POST", `${path}/pause`);
    expect(await docker.signal(request.containerId, 15)).to.equal(true);
    expect(await docker.wait(request.containerId)).to.deep.equal({ exit: { code: 7, signal: undefined } });
    await docker.destroy(request.containerId);
  });

  it("are lost when they are removed", async () => {
    const { request, path } = await launched();
    await bench.daemon.api("DELETE", `${path}?force=1`);
    const end = await docker.wait(request.containerId);
    expect(end?.exit?.code ?? end?.message).to.be.oneOf([
      137,
      "the Docker container was removed by somebody",
    ]);
    await docker.destroy(request.containerId);
  });
});
