import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { packageRoot } from "../../../core/flags/package-root.js";
import { decodeMasterInfo, encodeMasterInfo } from "../../../plugins/zookeeper-election/master-info-node.js";
import { membersOf } from "../../../plugins/zookeeper-election/member.js";
import { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";

/** What a master of Mesos 1.12 wrote. */
const CAPTURED = readFileSync(
  join(packageRoot, "test/plugins/zookeeper-election/fixtures/json.info.json"),
  "utf8",
);

describe("candidates in ZooKeeper", () => {
  it("are the nodes with Mesos's labels and a sequence number, lowest first", () => {
    const names = [
      "log_replicas",
      "json.info_0000000012",
      "info_0000000003",
      "tepui_registry",
      "other_0000000001",
      "0000000007",
      "json.info_",
      "json.info_12",
      "json.info_-2147483647",
      "xjson.info_0000000001",
    ];
    expect(membersOf(names).map(({ name, format }) => [name, format])).to.deep.equal([
      ["json.info_-2147483647", "json"],
      ["info_0000000003", "protobuf"],
      ["0000000007", "pid"],
      ["json.info_0000000012", "json"],
    ]);
  });

  it("write what Mesos writes, and read it", () => {
    const info = decodeMasterInfo("json", Buffer.from(CAPTURED));
    expect(info).to.deep.include({ pid: "master@127.0.0.1:15050", ip: 16_777_343, version: "1.12.0" });
    expect(info.address).to.deep.equal({ hostname: "localhost", ip: "127.0.0.1", port: 15_050 });
    expect(JSON.parse(encodeMasterInfo(info).toString())).to.deep.equal(JSON.parse(CAPTURED));
  });

  it("of older masters are understood, too", () => {
    const info = MasterInfo.fromPartial({
      id: "m",
      ip: 16_777_343,
      port: 5050,
      pid: "master@127.0.0.1:5050",
    });
    expect(decodeMasterInfo("protobuf", Buffer.from(MasterInfo.encode(info).finish())).id).to.equal("m");
    expect(decodeMasterInfo("pid", Buffer.from("master@127.0.0.1:5050"))).to.deep.include({
      pid: "master@127.0.0.1:5050",
      ip: 16_777_343,
      port: 5050,
    });
    const address = { ip: "10.0.0.1", port: 5051 };
    const bare = JSON.stringify({ id: "m", ip: 1, port: 5051, address });
    expect(decodeMasterInfo("json", Buffer.from(bare)).pid).to.equal("master@10.0.0.1:5051");
  });

  for (const [format, data] of [
    ["json", "{"],
    ["json", "[]"],
    ["json", '{"id":"m"}'],
    ["protobuf", "\n\u0001m"],
    ["protobuf", "\u00ff\u00ff"],
    ["pid", "master@10.0.0.1"],
    ["pid", "master@10.0.0.1:99999"],
    ["pid", "master@10.0.0:5050"],
  ] as const) {
    it(`are refused where they say nothing: ${format} ${JSON.stringify(data)}`, () => {
      expect(() => decodeMasterInfo(format, Buffer.from(data))).to.throw(Error);
    });
  }
});
