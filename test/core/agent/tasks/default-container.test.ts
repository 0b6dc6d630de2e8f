import { expect } from "chai";
import { type ContainerInfo, ContainerInfo_Type, Volume_Mode } from "../../../../proto/gen/mesos/v1/mesos.js";
import { AgentBench } from "../support/agent-bench.js";

const container = (path: string): ContainerInfo => ({
  type: ContainerInfo_Type.MESOS,
  volumes: [{ container_path: path, host_path: "tmp", mode: Volume_Mode.RW }],
  network_infos: [],
});

describe("--default_container_info", () => {
  it("is what a container is whose framework says nothing of it", async () => {
    const bench = await AgentBench.registered({ defaultContainerInfo: container("/tmp") });
    bench.run(bench.task("plain"));
    bench.run(bench.task("own", { container: container("/var/tmp") }));
    await bench.settle();
    const pathsOf = (id: string) =>
      bench.containerizer.of(id).request.container?.volumes.map(({ container_path }) => container_path);
    expect(pathsOf("plain")).to.deep.equal(["/tmp"]);
    expect(pathsOf("own")).to.deep.equal(["/var/tmp"]);
  });
});
