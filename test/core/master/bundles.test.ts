import { expect } from "chai";
import { Bundles } from "../../../core/master/offers/bundles.js";
import { type Resource, Resource as ResourceMessage, Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";

const scalar = (name: string, value: number, more: Partial<Resource> = {}): Resource =>
  ResourceMessage.fromPartial({ name, type: Value_Type.SCALAR, scalar: { value }, ...more });

describe("bundles of resources", () => {
  const read = (bundles: Bundles, messages: Resource[], role = "r") => {
    const result = bundles.read(messages, role);
    if (!result.ok) throw new Error(result.error);
    return result.value;
  };

  it("are allocated to the role unless they say to which, and equal what is read without a memory", () => {
    const bundles = new Bundles();
    const lists = [
      [scalar("cpus", 1), scalar("mem", 32)],
      [scalar("cpus", 1), scalar("mem", 64)],
      [scalar("cpus", 1, { allocation_info: { role: "q" } })],
      [scalar("cpus", 1, { revocable: {} })],
      [scalar("disk", 1, { role: "r" })],
      [
        ResourceMessage.fromPartial({
          name: "ports",
          type: Value_Type.RANGES,
          ranges: { range: [{ begin: 1, end: 2 }] },
        }),
      ],
    ];
    for (let round = 0; round < 3; round++) {
      for (const role of ["r", "*"]) {
        for (const messages of lists) {
          const { messages: allocated, resources } = read(bundles, messages, role);
          const fresh = read(new Bundles(), messages, role);
          expect(allocated).to.deep.equal(fresh.messages);
          expect(resources.equals(fresh.resources)).to.equal(true);
          expect(resources.equals(Resources.of(allocated))).to.equal(true);
          expect(allocated[0]?.allocation_info?.role).to.equal(messages[0]?.allocation_info?.role ?? role);
        }
      }
    }
  });

  it("are shared by those who ask for the same, and told apart however they are named", () => {
    const bundles = new Bundles();
    const one = [scalar("a 1:b", 1)];
    expect(read(bundles, one)).to.equal(read(bundles, [scalar("a 1:b", 1)]));
    expect(read(bundles, [scalar("a", 1), scalar("b", 1)])).to.not.equal(read(bundles, one));
    expect(read(bundles, one, "s")).to.not.equal(read(bundles, one));
  });

  it("are refused every time when they are wrong", () => {
    const bundles = new Bundles();
    for (let round = 0; round < 2; round++)
      expect(bundles.read([scalar("cpus", -1)], "r").ok).to.equal(false);
  });
});
