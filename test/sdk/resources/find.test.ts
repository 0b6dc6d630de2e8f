import { expect } from "chai";
import { findResources } from "../../../sdk/resources/index.js";
import { of, resources, scalar } from "./build.js";

describe("findResources", () => {
  const cases: [total: string, targets: string, found: string][] = [
    ["cpus(r1):2;mem(r1):10;cpus:4;mem:20", "cpus(r1):3;mem(r1):15", "cpus(r1):2;mem(r1):10;cpus:1;mem:5"],
    [
      "cpus(r1):1;mem(r1):5;cpus(r2):2;mem(r2):8;cpus:1;mem:7",
      "cpus(r1):3;mem(r1):15",
      "cpus(r1):1;mem(r1):5;cpus:1;mem:7;cpus(r2):1;mem(r2):3",
    ],
    ["cpus(r1):5;mem(r1):5;cpus:5;mem:5", "cpus:6;mem:6", "cpus:5;mem:5;cpus(r1):1;mem(r1):1"],
    ["cpus:2;ports:[1-10]", "ports:[3-4]", "ports:[3-4]"],
  ];
  for (const [total, targets, found] of cases) {
    it(`finds ${targets} in ${total}`, () => {
      expect(findResources(resources(total), resources(targets))?.equals(resources(found))).to.equal(true);
    });
  }

  it("finds nothing when there is too little", () => {
    expect(findResources(resources("cpus(r1):1;mem(r1):1"), resources("cpus(r1):2;mem(r1):2"))).to.equal(
      undefined,
    );
    expect(findResources(resources("cpus:1"), of(scalar("cpus", 1, { revocable: {} })))).to.equal(undefined);
  });
});
