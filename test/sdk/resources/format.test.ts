import { expect } from "chai";
import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  convertResource,
  hasRefinedReservations,
  type ResourceFormat,
  toPostRefinement,
} from "../../../sdk/resources/index.js";
import { dynamic, fixed, scalar } from "./build.js";

const labels = { labels: [{ key: "k", value: "v" }] };

describe("resource formats", () => {
  const rows: [string, Record<ResourceFormat, Resource>][] = [
    [
      "unreserved",
      {
        "post-refinement": scalar("cpus", 1),
        "pre-refinement": scalar("cpus", 1, { role: "*" }),
        endpoint: scalar("cpus", 1, { role: "*" }),
      },
    ],
    [
      "statically reserved",
      {
        "post-refinement": scalar("cpus", 1, { reservations: [fixed("ads")] }),
        "pre-refinement": scalar("cpus", 1, { role: "ads" }),
        endpoint: scalar("cpus", 1, { role: "ads", reservations: [fixed("ads")] }),
      },
    ],
    [
      "dynamically reserved",
      {
        "post-refinement": scalar("cpus", 1, {
          reservations: [dynamic("ads", { principal: "bob", labels })],
        }),
        "pre-refinement": scalar("cpus", 1, { role: "ads", reservation: { principal: "bob", labels } }),
        endpoint: scalar("cpus", 1, {
          role: "ads",
          reservation: { principal: "bob", labels },
          reservations: [dynamic("ads", { principal: "bob", labels })],
        }),
      },
    ],
    [
      "refined",
      {
        "post-refinement": scalar("cpus", 1, { reservations: [fixed("ads"), dynamic("ads/web")] }),
        "pre-refinement": scalar("cpus", 1, { reservations: [fixed("ads"), dynamic("ads/web")] }),
        endpoint: scalar("cpus", 1, { reservations: [fixed("ads"), dynamic("ads/web")] }),
      },
    ],
  ];
  const formats: ResourceFormat[] = ["post-refinement", "pre-refinement", "endpoint"];
  for (const [what, forms] of rows) {
    for (const from of formats) {
      for (const to of formats) {
        it(`${what}: ${from} to ${to}`, () => {
          const before = structuredClone(forms[from]);
          expect(convertResource(forms[from], to)).to.deep.equal(forms[to]);
          expect(forms[from]).to.deep.equal(before);
        });
      }
    }
    it(`${what}: kept as it is where it has the format`, () => {
      const [refined, older] = [[forms["post-refinement"]], [forms["post-refinement"], forms.endpoint]];
      expect(toPostRefinement(refined)).to.equal(refined);
      expect(toPostRefinement(older)).to.deep.equal([refined[0], refined[0]]);
    });
    it(`${what}: refined or not`, () => {
      expect(hasRefinedReservations(forms["post-refinement"])).to.equal(what === "refined");
    });
  }
});
