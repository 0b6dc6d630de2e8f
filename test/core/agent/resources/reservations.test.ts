import { expect } from "chai";
import {
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { persistentVolumes } from "../../../../sdk/volumes/index.js";
import { AGENT_ID, AgentBench, scalar } from "../support/agent-bench.js";

const reserved = (resource: Resource): Resource => ({
  ...resource,
  reservations: [{ type: ReservationType.DYNAMIC, role: "dev/db", principal: "p" }],
});

const volume = (container_path: string): Resource => ({
  ...reserved(scalar("disk", 10)),
  disk: { persistence: { id: "v1", principal: "p" }, volume: { container_path, mode: 1 } },
});

const allocated = (resource: Resource): Resource => ({ ...resource, allocation_info: { role: "dev/db" } });

const PATH = "/srv/volumes/roles/dev db/v1";

async function bench(resources: readonly Resource[]): Promise<AgentBench> {
  const made = await AgentBench.registered();
  made.agent.state.info.resources.push(scalar("disk", 1000));
  made.master.say("CheckpointResourcesMessage", { resources: [...resources] });
  await made.settle();
  return made;
}

describe("reservations and volumes", () => {
  it("are remembered before they count, and made", async () => {
    const made = await bench([reserved(scalar("cpus", 1)), volume("data")]);
    const resources = "/srv/meta/resources/resources";
    const steps = made.disk.operations.filter(({ path }) => path.startsWith(resources) || path === PATH);
    expect(steps.map(({ op, path }) => [op, path])).to.deep.equal([
      ["write", `${resources}_and_operations.target`],
      ["write", `${resources}.target`],
      ["mkdir", PATH],
      ["rename", `${resources}.info`],
      ["rename", `${resources}_and_operations.state`],
    ]);
    expect(made.agent.state.total.reserved("dev/db").cpus).to.equal(1);
    expect(made.agent.state.total.unreserved().cpus).to.equal(3);
  });

  it("go when the master no longer names them, volumes with their content", async () => {
    const made = await bench([volume("data")]);
    made.master.say("CheckpointResourcesMessage", { resources: [] });
    await made.settle();
    const [moved] = made.disk.operations.filter((step) => step.op === "move-aside");
    expect(moved).to.deep.include({ from: PATH });
    expect(made.disk.paths("remove")).to.deep.equal([moved!.path]);
    expect(made.agent.state.total.reserved().isEmpty).to.equal(true);
  });

  it("are told when the agent registers again", async () => {
    const made = await bench([reserved(scalar("cpus", 1))]);
    made.master.say("PingSlaveMessage", { connected: false });
    await made.clock.advance(1000);
    const [message] = made.master.heard("ReregisterSlaveMessage");
    expect(message!.checkpointed_resources.map(({ name, role }) => [name, role])).to.deep.equal([
      ["cpus", "dev/db"],
    ]);
  });

  it("that do not fit the host are not taken", async () => {
    const made = await bench([reserved(scalar("cpus", 100))]);
    expect(made.agent.state.checkpointed.isEmpty).to.equal(true);
    expect(made.logger.messages("error").join()).to.match(/do not fit this agent/);
  });

  it("go to the container of the task that uses them", async () => {
    const made = await bench([volume("data")]);
    made.run(made.task("t1", { resources: [scalar("cpus", 1, "dev/db"), allocated(volume("data"))] }));
    await made.settle();
    const { directory, resources } = made.containerizer.of("t1").request;
    expect(persistentVolumes(resources, "/srv").map(({ path }) => path)).to.deep.equal([PATH]);
    expect(directory).to.match(new RegExp(`^/srv/slaves/${AGENT_ID}/`));
    // Putting them there is not the agent's part.
    const links = made.disk.operations.filter((step) => step.op === "symlink" && step.target === PATH);
    expect(links).to.deep.equal([]);
  });
});
