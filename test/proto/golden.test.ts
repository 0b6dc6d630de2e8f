// Bytes written out by hand from the protobuf encoding rules, so that the two directions of one codec cannot agree on an error.
import { expect } from "chai";
import { type MessageName, type MessageTypes, wire } from "../../proto/json/index.js";

interface Golden<N extends MessageName> {
  readonly name: N;
  /** Hexadecimal, one field each, in the order of declaration: the order in which we write. */
  readonly fields: readonly string[];
  readonly json: string;
}

const golden = <N extends MessageName>(name: N, fields: readonly string[], json: string): Golden<N> => ({
  name,
  fields,
  json,
});

const bytesOf = (fields: readonly string[]): Buffer =>
  Buffer.from(fields.join("").replaceAll(" ", ""), "hex");

/** The order of numbers, in which other implementations write; items of a list keep their order. */
const byNumber = (fields: readonly string[]): string[] =>
  [...fields].sort((a, b) => Number.parseInt(a.slice(0, 2), 16) - Number.parseInt(b.slice(0, 2), 16));

const cases = [
  golden(
    "mesos.v1.TaskStatus",
    // task_id { value: "t" }; state TASK_STARTING, which is 0 and yet there; timestamp 1.5; uuid 00 ff; healthy false
    ["0a 03 0a 01 74", "10 00", "31 000000000000f83f", "5a 02 00 ff", "40 00"],
    '{"task_id":{"value":"t"},"state":"TASK_STARTING","timestamp":1.5,"uuid":"AP8=","healthy":false}',
  ),
  golden(
    "mesos.v1.FrameworkInfo",
    // user, name, failover_timeout 0, checkpoint false, role "*" (each its default, yet set), roles, capability MULTI_ROLE
    [
      "0a 04 726f6f74",
      "12 01 66",
      "21 0000000000000000",
      "28 00",
      "32 01 2a",
      "62 03 646576",
      "62 01 62",
      "52 02 08 06",
    ],
    '{"user":"root","name":"f","failover_timeout":0.0,"checkpoint":false,"role":"*","roles":["dev","b"],"capabilities":[{"type":"MULTI_ROLE"}]}',
  ),
  golden(
    "mesos.v1.Offer",
    // id, framework_id, agent_id, hostname; cpus 1.5; ports 31000-32000
    [
      "0a 03 0a 01 4f",
      "12 03 0a 01 46",
      "1a 03 0a 01 53",
      "22 01 68",
      "2a 13 0a 04 63707573 10 00 1a 09 09 000000000000f83f",
      "2a 15 0a 05 706f727473 10 01 22 0a 0a 08 08 98f201 10 80fa01",
    ],
    '{"id":{"value":"O"},"framework_id":{"value":"F"},"agent_id":{"value":"S"},"hostname":"h","resources":[' +
      '{"name":"cpus","type":"SCALAR","scalar":{"value":1.5}},' +
      '{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":31000,"end":32000}]}}]}',
  ),
  golden(
    "mesos.internal.RegisterSlaveMessage",
    // slave { hostname "h", port 5051, checkpoint true }; version "1"; capability MULTI_ROLE; resource_version_uuid 01
    ["0a 08 0a 01 68 40 bb27 38 01", "12 01 31", "22 02 08 01", "2a 03 0a 01 01"],
    '{"slave":{"hostname":"h","port":5051,"checkpoint":true},"version":"1","agent_capabilities":[{"type":"MULTI_ROLE"}],' +
      '"resource_version_uuid":{"value":"AQ=="}}',
  ),
  golden(
    "mesos.v1.TimeInfo",
    // -1 takes ten bytes
    ["08 ffffffffffffffffff01"],
    '{"nanoseconds":-1}',
  ),
  golden(
    "mesos.v1.quota.QuotaConfig",
    // role "r"; limits { "cpus": { value: 2 } }: a map is a list of entries
    ["0a 01 72", "1a 11 0a 04 63707573 12 09 09 0000000000000040"],
    '{"role":"r","limits":{"cpus":{"value":2.0}}}',
  ),
  golden(
    "mesos.scheduler.Call",
    // framework_id; SUBSCRIBE; subscribe { framework_info { user "u", name "n" }, force true, suppressed_roles "r" }:
    // here the v0 numbers differ from v1's
    ["0a 03 0a 01 46", "10 01", "1a 0d 0a 06 0a 01 75 12 01 6e 10 01 1a 01 72"],
    '{"framework_id":{"value":"F"},"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n",' +
      '"failover_timeout":0.0,"checkpoint":false},"force":true,"suppressed_roles":["r"]}}',
  ),
];

describe("golden bytes", () => {
  for (const { name, fields, json } of cases) {
    const codec = wire(name as "mesos.v1.Offer");

    it(`${name} decodes, whatever the order of its fields`, () => {
      expect(codec.json.write(codec.decode(bytesOf(fields)))).to.equal(json);
      expect(codec.json.write(codec.decode(bytesOf(byNumber(fields))))).to.equal(json);
    });

    it(`${name} encodes`, () => {
      const message: MessageTypes["mesos.v1.Offer"] = codec.json.read(json);
      const again = codec.decode(bytesOf(fields));
      expect(Buffer.from(codec.encode(again)).toString("hex")).to.equal(bytesOf(fields).toString("hex"));
      expect(codec.decode(codec.encode(message))).to.deep.equal(message);
    });
  }

  it("an unset default is shown in JSON but not sent in binary", () => {
    const filters = wire("mesos.v1.Filters");
    expect(filters.encode({}).length).to.equal(0);
    expect(filters.json.write({})).to.equal('{"refuse_seconds":5.0}');
    expect(filters.decode(new Uint8Array()).refuse_seconds).to.equal(undefined);
  });
});
