import { expect } from "chai";
import {
  CapabilityInfo_Capability as Capability,
  type ContainerInfo,
  RLimitInfo_RLimit_Type as RLimit,
  TaskState,
} from "../../proto/gen/mesos/v1/mesos.js";
import { boxed, ContainerHost } from "../support/container-host.js";

describe("privileges of containers", function () {
  this.timeout(60_000);
  let host: ContainerHost;

  before(async function () {
    host = await ContainerHost.open(this);
  });
  after(() => host?.close());

  /** What the kernel says of the container's own process. */
  async function status(more: Partial<ContainerInfo>): Promise<Record<string, string>> {
    const { stdout, status: end } = await host.run("cat /proc/self/status", boxed(more));
    expect(end.state, end.message).to.equal(TaskState.TASK_FINISHED);
    return Object.fromEntries(
      [...stdout.matchAll(/^(\w+):\s+(.*)$/gm)].map(([, field, value]) => [field!, value!]),
    );
  }
  const refusal = async (more: Partial<ContainerInfo>): Promise<string> => {
    const { status: end } = await host.run("true", boxed(more));
    expect(end.state).to.equal(TaskState.TASK_FAILED);
    return end.message!;
  };
  const bits = (...names: (keyof typeof Capability)[]): string =>
    names
      // In the framework's numbers they begin at 1000.
      .reduce((mask, name) => mask | (1n << BigInt((Capability[name] as number) - 1000)), 0n)
      .toString(16)
      .padStart(16, "0");
  const set = (...names: (keyof typeof Capability)[]) => ({
    capabilities: names.map((name) => Capability[name] as Capability),
  });

  it("are what the operator leaves to all", async () => {
    const found = await status({});
    // Those of Docker's containers.
    expect([found.CapEff, found.CapBnd]).to.deep.equal(["00000000a80425fb", "00000000a80425fb"]);
    expect([found.NoNewPrivs, found.Seccomp]).to.deep.equal(["1", "2"]);
  });

  it("are less where the framework asks for less", async () => {
    const found = await status({
      linux_info: { effective_capabilities: set("CHOWN"), bounding_capabilities: set("CHOWN", "KILL") },
    });
    expect([found.CapEff, found.CapPrm]).to.deep.equal([bits("CHOWN"), bits("CHOWN")]);
    expect(found.CapBnd).to.equal(bits("CHOWN", "KILL"));
  });

  it("are never more than the operator allows", async () => {
    expect(await refusal({ linux_info: { effective_capabilities: set("SYS_ADMIN") } })).to.match(
      /'linux\/capabilities'.*Requested capabilities '\{ SYS_ADMIN \}', but only '\{ CHOWN, /,
    );
    expect(await refusal({ linux_info: { bounding_capabilities: set("SYS_ADMIN") } })).to.match(
      /Bounding capabilities '\{ SYS_ADMIN \}'/,
    );
  });

  it("have the profile that is asked for, which must be there", async () => {
    expect((await status({ linux_info: { seccomp: { profile_name: "default.json" } } })).Seccomp).to.equal(
      "2",
    );
    expect((await status({ linux_info: { seccomp: { unconfined: true } } })).Seccomp).to.equal("0");
    for (const name of ["none.json", "../agent.json"])
      expect(await refusal({ linux_info: { seccomp: { profile_name: name } } }), name).to.match(
        /'linux\/seccomp'/,
      );
  });

  it("have resource limits, which must make sense", async () => {
    const limit = (soft: bigint, hard: bigint) => ({
      rlimit_info: { rlimits: [{ type: RLimit.RLMT_NOFILE, soft, hard }] },
    });
    const { stdout } = await host.run("ulimit -Sn; ulimit -Hn", boxed(limit(100n, 200n)));
    expect(stdout).to.equal("100\n200\n");
    expect(await refusal(limit(200n, 100n))).to.match(/'posix\/rlimits'.*RLMT_NOFILE.*above the hard limit/);
  });
});
