import { expect } from "chai";
import fc from "fast-check";
import { splitTarget } from "../../../plugins/http-server/request.js";
import { Router } from "../../../plugins/http-server/router.js";

function router(processId = "master"): Router {
  const made = new Router(processId);
  for (const path of ["/state", "/api/v1", "/api/v1/scheduler", "/files/read"])
    made.add({ path, handle: () => undefined });
  made.add({ path: "/redirect", exact: true, handle: () => undefined });
  return made;
}

/** `route|path|rest` of what answers, or undefined. */
function found(made: Router, path: string): string | undefined {
  const hit = made.find(path);
  return hit && `${hit.route.path}|${hit.path}|${hit.rest}`;
}

describe("router", () => {
  it("lets the longest prefix on segment borders answer", () => {
    const cases: [string, string | undefined][] = [
      ["/state", "/state|/state|"],
      ["/state/", "/state|/state|"],
      ["//state//", "/state|/state|"],
      ["/master/state", "/state|/state|"],
      ["/master//state", "/state|/state|"],
      ["/api/v1/scheduler", "/api/v1/scheduler|/api/v1/scheduler|"],
      ["/api/v1/anything/else", "/api/v1|/api/v1/anything/else|anything/else"],
      ["/api/v1x", undefined],
      ["/api", undefined],
      ["/api//v1", undefined],
      ["/state/a%20b", "/state|/state/a b|a b"],
      ["/state/%zz", undefined],
      ["/state/../state", undefined],
      ["/redirect", "/redirect|/redirect|"],
      ["/redirect/more", undefined],
      ["/master/master/state", undefined],
      ["/slave(1)/state", undefined],
      ["/master", undefined],
      ["/", undefined],
      ["", undefined],
    ];
    for (const [path, expected] of cases) expect(found(router(), path), path).to.equal(expected);
  });

  it("takes an agent's process id also percent-encoded", () => {
    for (const path of ["/slave(1)/state", "/slave%281%29/state", "/slave%281)/state/", "/state"]) {
      expect(found(router("slave(1)"), path), path).to.equal("/state|/state|");
    }
  });

  it("answers at the root where something is registered there", () => {
    const made = router();
    made.add({ path: "/", exact: true, handle: () => undefined });
    expect(found(made, "/")).to.equal("/|/|");
    expect(found(made, "/master/")).to.equal("/|/|");
    expect(found(made, "/other")).to.equal(undefined);
  });

  it("has one route for a path", () => {
    expect(() => router().add({ path: "/state/", handle: () => undefined })).to.throw(
      "two routes for the path /state",
    );
  });

  it("never throws, whatever the path", () => {
    fc.assert(fc.property(fc.string({ unit: "binary-ascii" }), (path) => void router().find(`/${path}`)));
  });

  it("cuts request targets into path and query", () => {
    expect(splitTarget("/a?b=c?d")).to.deep.equal({ path: "/a", query: "b=c?d" });
    expect(splitTarget("http://host:1/a?b#c")).to.deep.equal({ path: "/a", query: "b" });
    expect(splitTarget("http://host")).to.deep.equal({ path: "/", query: "" });
    expect(splitTarget("*")).to.equal(undefined);
    expect(splitTarget("")).to.equal(undefined);
  });
});
