import { expect } from "chai";
import fc from "fast-check";
import { jsonOf } from "../../../proto/json/index.js";
import {
  quantitiesJson,
  Resources,
  reservedResourceListsJson,
  reservedResourcesJson,
  resourceListJson,
  resourcesJson,
} from "../../../sdk/resources/index.js";
import { bundle } from "./arbitraries.js";
import { of, resources, scalar, volume } from "./build.js";

describe("resources on the endpoints", () => {
  const agent = resources("cpus:2;mem:23081;disk:252899;ports:[31000-32000]");

  it("show the four known scalars always", () => {
    expect(resourcesJson(agent)).to.equal(
      '{"disk":252899.0,"mem":23081.0,"gpus":0.0,"cpus":2.0,"ports":"[31000-32000]"}',
    );
    expect(resourcesJson(Resources.empty)).to.equal('{"disk":0.0,"mem":0.0,"gpus":0.0,"cpus":0.0}');
  });

  it("show other scalars, revocable ones, ranges and sets by name", () => {
    const all = resources(
      'we"ird:1.5;zones:{a,b};ports:[1-2];ports(ads):[5-6];cpus(ads):0.5;vlans:[1-9]',
    ).add(of(scalar("cpus", 3, { revocable: {} })));
    expect(resourcesJson(all)).to.equal(
      '{"disk":0.0,"mem":0.0,"gpus":0.0,"cpus":0.5,"we\\"ird":1.5,"cpus_revocable":3.0,' +
        '"ports":"[1-2, 5-6]","vlans":"[1-9]","zones":"{a, b}"}',
    );
    expect(resourcesJson(resources("zones:{a}"))).to.match(/"cpus":0.0,"zones":"{a}"}$/);
  });

  it("show reservations by role", () => {
    const total = agent.add(resources("cpus(ads):1;mem(dev):5"));
    expect(reservedResourcesJson(total)).to.equal(
      '{"ads":{"disk":0.0,"mem":0.0,"gpus":0.0,"cpus":1.0},"dev":{"disk":0.0,"mem":5.0,"gpus":0.0,"cpus":0.0}}',
    );
    expect(reservedResourcesJson(total, (role) => role === "ads")).to.not.include("dev");
    expect(reservedResourcesJson(agent)).to.equal("{}");
    expect(reservedResourceListsJson(total, (role) => role === "ads")).to.equal(
      '{"ads":[{"name":"cpus","type":"SCALAR","scalar":{"value":1.0},"role":"ads","reservations":[{"type":"STATIC","role":"ads"}]}]}',
    );
  });

  it("show full lists in the endpoint format", () => {
    expect(resourceListJson(resources("cpus:0.5;ports:[1-2]").allocate("dev"))).to.equal(
      '[{"name":"cpus","type":"SCALAR","scalar":{"value":0.5},"role":"*","allocation_info":{"role":"dev"}},' +
        '{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":2}]},"role":"*","allocation_info":{"role":"dev"}}]',
    );
    expect(resourceListJson(Resources.empty)).to.equal("[]");
    expect(JSON.parse(resourceListJson(of(volume({ size: 1 }))))[0]).to.include({ role: "ads" });
  });

  it("show in full what the codec writes", () => {
    fc.assert(
      fc.property(bundle, (all) => {
        const json = all.toMessages("endpoint").map(jsonOf("mesos.v1.Resource").write);
        expect(resourceListJson(all)).to.equal(`[${json.join(",")}]`);
      }),
    );
  });

  it("are JSON whatever the resources", () => {
    fc.assert(
      fc.property(bundle, (all) => {
        expect(JSON.parse(resourcesJson(all))).to.include({ gpus: all.nonRevocable().gpus });
        expect(Object.keys(JSON.parse(reservedResourcesJson(all)))).to.have.members([
          ...all.reservations().keys(),
        ]);
      }),
    );
  });

  it("show quantities sorted and without zeros", () => {
    expect(quantitiesJson(resources("mem:160;cpus:0.5;disk:10;ports:[1-2]").quantities())).to.equal(
      '{"cpus":0.5,"disk":10.0,"mem":160.0}',
    );
    expect(quantitiesJson(new Map())).to.equal("{}");
  });
});
