import { expect } from "chai";
import fc from "fast-check";
import { describeUrl, parseZooKeeperUrl } from "../../../sdk/zookeeper/index.js";

describe("ZooKeeper URLs", () => {
  it("consist of servers, a path and optional credentials", () => {
    expect(parseZooKeeperUrl("zk://a:1,b:2/mesos")).to.deep.equal({
      credentials: undefined,
      servers: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
      path: "/mesos",
    });
    expect(parseZooKeeperUrl(" zk://u:p@ss:w@h.example:2181/a/b/ \n")).to.deep.equal({
      credentials: "u:p@ss:w",
      servers: [{ host: "h.example", port: 2181 }],
      path: "/a/b",
    });
    expect(parseZooKeeperUrl("zk://[::1]:3,[fe80::2],10.0.0.1/m").servers).to.deep.equal([
      { host: "::1", port: 3 },
      { host: "fe80::2", port: 2181 },
      { host: "10.0.0.1", port: 2181 },
    ]);
    expect(parseZooKeeperUrl("zk://a:1,a:1/m").servers).to.have.length(1);
  });

  for (const [url, why] of [
    ["http://a:1/m", "it must begin with zk://"],
    ["a:1/m", "it must begin with zk://"],
    ["zk://a:1", "it needs a path, such as /mesos ('/' is not supported)"],
    ["zk://a:1/", "it needs a path, such as /mesos ('/' is not supported)"],
    ["zk:///m", "it names no server, or has a comma too many"],
    ["zk://a:1,/m", "it names no server, or has a comma too many"],
    ["zk://a:0/m", "'a:0' has no valid port; expected 1 to 65535"],
    ["zk://a:65536/m", "'a:65536' has no valid port; expected 1 to 65535"],
    ["zk://a:x/m", "'a:x' is not host:port"],
    ["zk://::1/m", "write the IPv6 address in brackets: [::1]:2181"],
    ["zk://[a]:1/m", "'a' is no IPv6 address"],
    ["zk://1.2.3:1/m", "'1.2.3' is no host name"],
    ["zk://a b:1/m", "'a b' is no host name"],
    ["zk://a:1/m//n", "the path '/m//n' has the segment ''"],
    ["zk://a:1/../n", "the path '/../n' has the segment '..'"],
    ["zk://a:1/m\u0001", "the path has characters that ZooKeeper does not take"],
    ["zk://secret@a:1/m", "what stands before the '@' must be user:password"],
    ["zk://:secret@a:1/m", "what stands before the '@' must be user:password"],
  ] as const) {
    it(`are refused: ${JSON.stringify(url)}`, () => {
      expect(() => parseZooKeeperUrl(url))
        .to.throw(`The ZooKeeper URL cannot be used: ${why}`)
        .with.property("message")
        .that.does.not.contain("secret");
    });
  }

  it("never show credentials, valid or not", () => {
    const password = "S3CR3T";
    fc.assert(
      fc.property(fc.string(), fc.string(), (servers, path) => {
        fc.pre(!servers.includes(password) && !path.includes(password));
        try {
          expect(describeUrl(parseZooKeeperUrl(`zk://u:${password}@${servers}/${path}`))).not.to.contain(
            password,
          );
        } catch (error) {
          expect(String(error)).not.to.contain(password);
        }
      }),
    );
  });
});
