import { expect } from "chai";
import { describeEtcdUrl, isEtcdUrl, parseEtcdUrl } from "../../../sdk/etcd/index.js";

describe("etcd URL", () => {
  it("names servers, credentials, path and TLS", () => {
    expect(parseEtcdUrl("etcd://user:p@ss@h1,h2:1234,[::1]/mesos/a/")).to.deep.equal({
      secure: false,
      credentials: "user:p@ss",
      path: "/mesos/a",
      servers: [
        { host: "h1", port: 2379 },
        { host: "h2", port: 1234 },
        { host: "::1", port: 2379 },
      ],
    });
    expect(parseEtcdUrl("etcds://h/x").secure).to.equal(true);
  });

  it("is shown without its credentials", () => {
    expect(describeEtcdUrl(parseEtcdUrl("etcds://user:secret@h1/x"))).to.equal("etcds://h1:2379/x");
  });

  it("is told from others", () => {
    expect(["etcd://h/x", "etcds://h/x", "zk://h/x", "replicated_log"].map(isEtcdUrl)).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });

  for (const [text, problem] of [
    ["http://h/x", "must begin with etcd://"],
    ["etcd:///x", "names no server"],
    ["etcd://h", "needs a path"],
    ["etcd://h/", "needs a path"],
    ["etcd://h:0/x", "no valid port"],
    ["etcd://user@h/x", "user:password"],
    ["etcd://h//x", "segment ''"],
  ] as const) {
    it(`refuses ${text}`, () => expect(() => parseEtcdUrl(text)).to.throw(problem));
  }
});
