import { expect } from "chai";
import plugin from "../../../plugins/drf-allocator/index.js";

interface Parsed {
  readonly allocation_interval: number;
  readonly min_allocatable_resources: readonly ReadonlyMap<string, number>[];
  readonly fair_sharing_excluded_resource_names: ReadonlySet<string>;
}

const parse = (config: unknown) => plugin.config!.safeParse(config);

describe("configuration of the drf allocator", () => {
  it("has Mesos's defaults", () => {
    const { allocation_interval, min_allocatable_resources, fair_sharing_excluded_resource_names } = parse({})
      .data as Parsed;
    expect(allocation_interval).to.equal(1000);
    expect(min_allocatable_resources.map((one) => [...one])).to.deep.equal([
      [["cpus", 10]],
      [["mem", 32_000]],
    ]);
    expect([...fair_sharing_excluded_resource_names]).to.deep.equal([]);
  });

  it("reads flags in Mesos's text form", () => {
    const parsed = parse({
      allocation_interval: "50ms",
      min_allocatable_resources: "cpus:1;mem:5|gpus:1",
      fair_sharing_excluded_resource_names: "gpus, disk",
      role_sorter: "random",
    }).data as Parsed;
    expect(parsed.allocation_interval).to.equal(50);
    expect(parsed.min_allocatable_resources).to.have.length(2);
    expect([...parsed.fair_sharing_excluded_resource_names]).to.deep.equal(["gpus", "disk"]);
  });

  it("offers anything where no least offer is asked for", () => {
    expect((parse({ min_allocatable_resources: "" }).data as Parsed).min_allocatable_resources).to.deep.equal(
      [],
    );
  });

  const wrong: [Record<string, unknown>, string][] = [
    [{ min_allocatable_resources: "cpus" }, "min_allocatable_resources"],
    [{ allocation_interval: "soon" }, "allocation_interval"],
    [{ role_sorter: "fair" }, "role_sorter"],
    [{ domain: { fault_domain: {} } }, "domain"],
  ];
  for (const [config, field] of wrong) {
    it(`refuses ${JSON.stringify(config)}`, () => {
      expect(parse(config).error?.issues[0]?.path[0]).to.equal(field);
    });
  }
});
