import { expect } from "chai";
import type { ContainerID } from "../../../../proto/gen/mesos/v1/mesos.js";
import { ContainerInfo_Type } from "../../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../../sdk/contracts/agent-containers.js";
import { containerName } from "../../../../sdk/ids/index.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID, scalar } from "../support/agent-bench.js";
import { asked, refusal } from "../support/container-launches.js";
import type { ScriptedContainer } from "../support/scripted-containerizer.js";

describe("nested and standalone containers", () => {
  const within = (parent: ContainerID, value: string): ContainerID => ({ value, parent });

  /** An agent with one custom executor that runs. */
  const withExecutor = async (
    checkpoint = true,
  ): Promise<{ bench: AgentBench; executor: ScriptedContainer; id: ContainerID }> => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t", { executor: bench.custom("e") }), bench.framework({ checkpoint }));
    await bench.settle();
    const executor = bench.containerizer.of("e");
    return { bench, executor, id: executor.request.containerId };
  };

  const last = (bench: AgentBench): ScriptedContainer => bench.containerizer.launched.at(-1)!;

  it("have a sandbox in that of their parent, its user and its executor", async () => {
    const { bench, executor, id } = await withExecutor();
    const { containers } = bench.agent;
    const command = {
      value: "true",
      uris: [],
      arguments: [],
      environment: { variables: [{ name: "A", value: "b" }] },
    };
    expect(await containers.launch(asked(within(id, "c"), { command }))).to.equal("launched");
    const { request } = last(bench);
    const { directory, user, executorId, frameworkId, environment, checkpoint } = request;
    expect({ directory, user, executorId, frameworkId, checkpoint }).to.deep.equal({
      directory: `${executor.request.directory}/containers/c`,
      user: "nobody",
      executorId: "e",
      frameworkId: FRAMEWORK_ID,
      checkpoint: true,
    });
    expect(environment).to.deep.equal({ A: "b", MESOS_CONTAINER_IP: "10.0.0.2" });
    await containers.launch(asked(within(within(id, "c"), "d")));
    expect(last(bench).request.directory).to.equal(`${directory}/containers/d`);
    expect(bench.disk.operations).to.deep.include({
      op: "mkdir-inside",
      path: `${directory}/containers/d`,
      boundary: executor.request.directory,
      owner: "nobody",
    });
  });

  it("are written down before they run, where their framework checkpoints", async () => {
    const { bench, id } = await withExecutor();
    const path = `/srv/meta/containers/${id.value}.c`;
    let written: string[] = [];
    bench.containerizer.beforeLaunch = async () => {
      written = bench.disk.paths("write");
      return true;
    };
    await bench.agent.containers.launch(asked(within(id, "c")));
    expect(written).to.include(path);
    await bench.agent.containers.launch(asked(within(id, "look"), { class: "debug" }));
    expect(bench.disk.paths("write")).to.not.include(`/srv/meta/containers/${id.value}.look`);
    const other = await withExecutor(false);
    await other.bench.agent.containers.launch(asked(within(other.id, "c")));
    expect(other.bench.disk.paths("write").filter((each) => each.includes("meta/containers"))).to.deep.equal(
      [],
    );
  });

  it("may be of nobody: they have resources and a sandbox of their own", async () => {
    const bench = await AgentBench.registered();
    const resources = [scalar("cpus", 1), scalar("mem", 32)];
    expect(await bench.agent.containers.launch(asked({ value: "alone" }, { resources }))).to.equal(
      "launched",
    );
    const { directory, frameworkId, executorId, checkpoint, user } = last(bench).request;
    expect({ directory, frameworkId, executorId, checkpoint, user }).to.deep.equal({
      directory: "/srv/containers/alone",
      frameworkId: "",
      executorId: "",
      checkpoint: true,
      user: undefined,
    });
    expect(bench.disk.paths("write")).to.include("/srv/meta/containers/alone");
  });

  it("of one id there is one; one that ended makes room", async () => {
    const { bench, id } = await withExecutor();
    const { containers } = bench.agent;
    const launch = asked(within(id, "c"));
    const [first, second] = await Promise.all([containers.launch(launch), containers.launch(launch)]);
    expect([first, second]).to.deep.equal(["launched", "exists"]);
    last(bench).exit(0);
    await bench.settle();
    expect(await containers.launch(launch)).to.equal("launched");
    expect(await containers.launch(asked(id))).to.equal("exists");
  });

  it("are refused in Mesos's words", async () => {
    const { bench, id } = await withExecutor();
    const answer = (launch: ContainerLaunch) => refusal(bench.agent.containers.launch(launch));
    const invalid = (text: string): string => `TEPUI_CONTAINER_REQUEST_INVALID: ${text}`;
    expect(await answer(asked({ value: "a.b" }))).to.equal(
      invalid("'container_id' is invalid: 'ContainerID.value' 'a.b' contains invalid characters"),
    );
    expect(await answer(asked(within({ value: "nobody" }, "c")))).to.equal(
      invalid("Parent container nobody does not exist"),
    );
    expect(await answer(asked({ value: "x" }, { container: docker() }))).to.equal(
      invalid("The provided ContainerInfo is not supported"),
    );
    const reserved = {
      ...scalar("cpus", 1),
      reservations: [{ role: "r", type: 1 }],
    };
    expect(await answer(asked({ value: "x" }, { resources: [reserved] }))).to.equal(
      invalid("'resources' must be unreserved"),
    );
    const deep = within(within(id, "c"), "d");
    expect(await answer(asked(deep, { resources: [scalar("cpus", 1)] }))).to.equal(
      invalid("containers nested at the second level or greater cannot specify resources"),
    );
    expect(await answer(asked(deep, { limits: { cpus: 1 } }))).to.equal(
      invalid("containers nested at the second level or greater cannot specify resource limits"),
    );
    expect(await answer(asked(deep, { container: sharing(false) }))).to.equal(
      invalid("containers nested at the second level or greater cannot set 'share_cgroups' to 'false'"),
    );
    expect(await answer(asked({ value: "x" }, { container: sharing(true) }))).to.equal(
      invalid("containers without a parent cannot set 'share_cgroups' to 'true'"),
    );
    expect(await answer(asked(within(id, "c"), { class: "debug", container: sharing(false) }))).to.contain(
      "'share_cgroups' cannot be set to 'false' for nested container sessions",
    );
    expect(bench.containerizer.launched).to.have.length(1);
  });

  it("that fail to start leave nothing behind, and their id is free", async () => {
    const { bench, id } = await withExecutor();
    bench.containerizer.beforeLaunch = () => Promise.reject(new Error("no room"));
    expect(await bench.agent.containers.launch(asked(within(id, "c"))).catch(String)).to.contain("no room");
    expect(bench.disk.paths("remove")).to.include(`/srv/meta/containers/${id.value}.c`);
    bench.containerizer.beforeLaunch = async () => true;
    expect(await bench.agent.containers.launch(asked(within(id, "c")))).to.equal("launched");
  });

  it("tell how they ended until they are removed, and are not removed before", async () => {
    const { bench, executor, id } = await withExecutor();
    const { containers } = bench.agent;
    const child = within(id, "c");
    await containers.launch(asked(child));
    expect(await refusal(containers.remove(child))).to.equal(
      "TEPUI_CONTAINER_REQUEST_INVALID: Nested container has not terminated yet",
    );
    const waiting = containers.wait(child);
    await containers.kill(child, 15);
    expect(last(bench).signals).to.deep.equal([15]);
    last(bench).exit(3);
    expect((await waiting).exit).to.deep.equal({ code: 3, signal: undefined });
    await bench.settle();
    expect((await containers.wait(child)).exit?.code).to.equal(3);
    await containers.remove(child);
    expect(bench.disk.paths("remove")).to.include.members([
      `/srv/meta/containers/${id.value}.c`,
      `${executor.request.directory}/containers/c`,
    ]);
    expect(await refusal(containers.wait(child))).to.equal(
      `TEPUI_CONTAINER_UNKNOWN: Container ${containerName(child)} cannot be found`,
    );
    expect(await refusal(containers.kill(child, 9))).to.contain("TEPUI_CONTAINER_UNKNOWN");
    // What is known no more is removed all the same, as long as what it was in is there.
    await containers.remove(child);
    expect(await refusal(containers.remove(within({ value: "nobody" }, "c")))).to.contain("UNKNOWN");
  });

  it("are forgotten with the executor that they are in", async () => {
    const { bench, executor, id } = await withExecutor();
    const child = within(id, "c");
    await bench.agent.containers.launch(asked(child));
    const nested = last(bench);
    executor.exit(1);
    await bench.drain("t");
    expect(nested.destroyed).to.equal(true);
    expect(await refusal(bench.agent.containers.wait(child))).to.contain("UNKNOWN");
    expect(bench.disk.paths("remove")).to.include(`/srv/meta/containers/${id.value}.c`);
  });

  it("are listed as asked for, with those of executors", async () => {
    const { bench, id } = await withExecutor();
    const { containers } = bench.agent;
    await containers.launch(asked(within(id, "c")));
    await containers.launch(asked({ value: "alone" }));
    await containers.launch(asked(within({ value: "alone" }, "d")));
    const names = async (nested: boolean, standalone: boolean): Promise<string[]> =>
      (await containers.list({ nested, standalone })).map(({ containerId }) =>
        containerName(containerId).replace(id.value!, "executor"),
      );
    expect(await names(false, false)).to.deep.equal(["executor"]);
    expect(await names(true, false)).to.have.members(["executor", "executor.c", "alone.d"]);
    expect(await names(false, true)).to.have.members(["executor", "alone"]);
    const [, nested] = await containers.list({ nested: true, standalone: false });
    expect([nested!.frameworkId, nested!.executorId]).to.deep.equal([FRAMEWORK_ID, "e"]);
  });

  it("have their sandboxes collected as those of executors, where that is asked for", async () => {
    const bench = new AgentBench({ gcNonExecutorContainerSandboxes: true, gcDelay: 10_000 });
    bench.agent.start();
    await bench.agent.containers.launch(asked({ value: "alone" }));
    last(bench).exit(0);
    await bench.clock.advance(10_000);
    expect(bench.disk.paths("remove")).to.deep.equal(["/srv/containers/alone"]);
  });

  it("are taken up again by a later run; what was in a container that is gone goes", async () => {
    const bench = new AgentBench();
    const info = { ...bench.agent.state.info, id: { value: AGENT_ID } };
    const launches = [
      asked(within(within({ value: "alone" }, "c"), "d")),
      asked({ value: "alone" }),
      asked(within({ value: "alone" }, "c")),
      asked(within({ value: "gone" }, "c")),
    ];
    const saved = {
      info,
      bootId: "b",
      resources: { committed: [], operations: [], target: undefined },
      frameworks: [],
      leftovers: [],
      problems: [],
    };
    await bench.agent.recover(saved, "b", launches);
    expect(
      bench.containerizer.recovered.map(({ request }) => containerName(request.containerId)),
    ).to.deep.equal(["alone", "alone.c", "alone.c.d"]);
    expect(bench.containerizer.recovered[2]!.request.directory).to.equal(
      "/srv/containers/alone/containers/c/containers/d",
    );
    expect(bench.disk.paths("remove")).to.deep.equal(["/srv/meta/containers/gone.c"]);
    last(bench).exit(7);
    expect((await bench.agent.containers.wait(launches[0]!.containerId)).exit?.code).to.equal(7);
  });
});

const sharing = (share: boolean): NonNullable<ContainerLaunch["container"]> => ({
  type: ContainerInfo_Type.MESOS,
  volumes: [],
  network_infos: [],
  linux_info: { share_cgroups: share },
});

const docker = (): NonNullable<ContainerLaunch["container"]> => ({
  type: ContainerInfo_Type.DOCKER,
  volumes: [],
  network_infos: [],
  docker: { image: "x", port_mappings: [], parameters: [] },
});
