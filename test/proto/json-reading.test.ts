// Mesos's rules for JSON from clients, with the texts that clients see.
import { expect } from "chai";
import { JsonCodecError, JsonSyntaxError, jsonOf, parseJson } from "../../proto/json/index.js";

const call = jsonOf("mesos.v1.scheduler.Call");
const task = jsonOf("mesos.v1.TaskInfo");

function failure(read: () => unknown): Error {
  try {
    read();
  } catch (error) {
    if (error instanceof JsonCodecError || error instanceof JsonSyntaxError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** Message and path of the error that reading `text` as a scheduler call gives. */
function refusal(text: string): [string, string] {
  const error = failure(() => call.read(text));
  expect(error).to.be.instanceOf(JsonCodecError);
  return [error.message, (error as JsonCodecError).path];
}

describe("JSON of the right shape", () => {
  it("may have unknown keys, and null for absent", () => {
    const text =
      '{"type":"KILL","flavour":{"of":["the","month"]},"kill":{"task_id":{"value":"a"},"agent_id":null}}';
    expect(call.read(text).kill).to.deep.equal({
      task_id: { value: "a" },
      agent_id: undefined,
      kill_policy: undefined,
    });
  });

  it("may have a bare value where a list is expected", () => {
    expect(call.read('{"decline":{"offer_ids":{"value":"O"}}}').decline?.offer_ids).to.deep.equal([
      { value: "O" },
    ]);
    expect(call.read('{"revive":{"roles":"dev"}}').revive?.roles).to.deep.equal(["dev"]);
  });

  it("may have null among the items of a list", () => {
    expect(call.read('{"revive":{"roles":["a",null,"b"]}}').revive?.roles).to.deep.equal(["a", "b"]);
  });

  it("may have numbers and booleans as strings", () => {
    const filters = jsonOf("mesos.v1.Filters");
    expect(filters.read('{"refuse_seconds":"1e1"}').refuse_seconds).to.equal(10);
    expect(filters.read('{"refuse_seconds":"Infinity"}').refuse_seconds).to.equal(Infinity);
    const status = jsonOf("mesos.v1.CommandInfo");
    expect(status.read('{"shell":"false"}').shell).to.equal(false);
    expect(jsonOf("mesos.v1.Address").read('{"port":"80"}').port).to.equal(80);
  });

  it("may have integers with a zero fraction", () => {
    expect(jsonOf("mesos.v1.Address").read('{"port":80.0}').port).to.equal(80);
    expect(jsonOf("mesos.v1.Address").read('{"port":"8e1"}').port).to.equal(80);
    expect(jsonOf("mesos.v1.TimeInfo").read('{"nanoseconds":1.0}').nanoseconds).to.equal(1n);
  });

  it("has 64-bit integers without loss, bare or as strings", () => {
    const time = jsonOf("mesos.v1.TimeInfo");
    for (const value of [
      "1795333238859785984",
      "-9223372036854775808",
      "9223372036854775807",
      "9007199254740993",
    ]) {
      expect(time.read(`{"nanoseconds":${value}}`).nanoseconds).to.equal(BigInt(value));
      expect(time.read(`{"nanoseconds": "${value}" }`).nanoseconds).to.equal(BigInt(value));
      expect(time.read(`{ "x" : ":${value}," , "nanoseconds" :\t${value}\n}`).nanoseconds).to.equal(
        BigInt(value),
      );
    }
  });

  it("leaves strings alone that look like long integers", () => {
    const text =
      '[1795333238859785984,":1795333238859785984,","\\\\",1795333238859785984.5,"\\"",{"1795333238859785984":2}]';
    expect(parseJson(text)).to.deep.equal([
      1795333238859785984n,
      ":1795333238859785984,",
      "\\",
      1795333238859786000,
      '"',
      { "1795333238859785984": 2 },
    ]);
    expect(parseJson("1795333238859785984")).to.equal(1795333238859785984n);
    expect(parseJson("123456789012345678901234567890")).to.equal(123456789012345680000000000000);
  });

  it("has no value for an enum name nobody knows, unless the field is required", () => {
    expect(call.read('{"type":"LEVITATE"}').type).to.equal(undefined);
    expect(
      refusal('{"accept":{"operations":[{"launch":{"task_infos":[{"resources":[{"type":"MOOD"}]}]}}]}}'),
    ).to.deep.equal([
      "Failed to find enum for 'MOOD' for field 'accept.operations[0].launch.task_infos[0].resources[0].type'",
      "accept.operations[0].launch.task_infos[0].resources[0].type",
    ]);
  });

  it("keeps the last of a oneof", () => {
    const selector = jsonOf("mesos.v1.scheduler.AttributeConstraint.Selector");
    expect(selector.read('{"attribute_name":"rack","pseudoattribute_type":"ZONE"}')).to.deep.equal({
      pseudoattribute_type: 3,
      attribute_name: undefined,
    });
  });

  it("has base64 for bytes, with or without white space", () => {
    expect(task.fromValue(complete({ data: "AP8=" })).data).to.deep.equal(Buffer.from([0, 255]));
    expect(task.fromValue(complete({ data: "AP\n8=" })).data).to.deep.equal(Buffer.from([0, 255]));
  });

  it("may use any key in a map, and none of them reaches a prototype", () => {
    const text = '{"role":"r","limits":{"__proto__":{"value":1},"constructor":{"value":2}}}';
    const config = jsonOf("mesos.v1.quota.QuotaConfig").read(text);
    expect(Object.entries(config.limits)).to.deep.equal([
      ["__proto__", { value: 1 }],
      ["constructor", { value: 2 }],
    ]);
    expect("toString" in config.limits).to.equal(false);
    expect(jsonOf("mesos.v1.quota.QuotaConfig").write(config)).to.equal(
      text.replace("1}", "1.0}").replace("2}", "2.0}"),
    );
    expect(call.read('{"__proto__":{"type":"KILL"}}').type).to.equal(undefined);
  });
});

function complete(more: object): object {
  return { name: "a", task_id: { value: "a" }, agent_id: { value: "a" }, ...more };
}

describe("JSON of the wrong shape", () => {
  const wrong = (json: string, kind: string, path: string): void => {
    expect(refusal(json)).to.deep.equal([`Not expecting a JSON ${kind} for field '${path}'`, path]);
  };

  it("is refused with the full path of the field", () => {
    wrong('{"type":5}', "number", "type");
    wrong('{"type":12345678901234567890}', "number", "type");
    wrong('{"kill":"t"}', "string", "kill");
    wrong('{"kill":[]}', "array", "kill");
    wrong('{"kill":{"task_id":{"value":true}}}', "boolean", "kill.task_id.value");
    wrong('{"revive":{"roles":["a",{}]}}', "object", "revive.roles[1]");
    wrong('{"revive":{"roles":[["a"]]}}', "array", "revive.roles[0]");
    wrong(
      '{"subscribe":{"offer_constraints":{"role_constraints":{"dev":7}}}}',
      "number",
      'subscribe.offer_constraints.role_constraints["dev"]',
    );
  });

  it("is refused when it is no object at all", () => {
    for (const text of ["[]", "5", '"x"', "null"])
      expect(refusal(text)).to.deep.equal(["Expecting a JSON object", ""]);
  });

  it("is refused where a text is no number or no boolean", () => {
    expect(refusal('{"decline":{"filters":{"refuse_seconds":"soon"}}}')[0]).to.equal(
      "Failed to parse 'soon' as a JSON number for field 'decline.filters.refuse_seconds'",
    );
    expect(failure(() => jsonOf("mesos.v1.CommandInfo").read('{"shell":"yes"}')).message).to.equal(
      "Failed to parse 'yes' as a JSON boolean for field 'shell'",
    );
  });

  it("is refused where an integer does not fit", () => {
    const port = (value: string): string =>
      failure(() => jsonOf("mesos.v1.Address").read(`{"port":${value}}`)).message;
    expect(port("80.5")).to.equal("Expecting an integer, not 80.5, for field 'port'");
    expect(port("2147483648")).to.equal("Number 2147483648 is out of range for field 'port'");
    expect(port('"-12345678901"')).to.equal("Number -12345678901 is out of range for field 'port'");
    const time = (value: string): string =>
      failure(() => jsonOf("mesos.v1.TimeInfo").read(`{"nanoseconds":${value}}`)).message;
    expect(time("9223372036854775808")).to.equal(
      "Number 9223372036854775808 is out of range for field 'nanoseconds'",
    );
    expect(time("1e400")).to.equal("Expecting an integer, not Infinity, for field 'nanoseconds'");
    expect(time(`"${"9".repeat(1000)}"`)).to.equal(
      "Expecting an integer, not Infinity, for field 'nanoseconds'",
    );
  });

  it("is refused where bytes are not base64", () => {
    const path = "accept.operations[0].launch.task_infos[0].data";
    const text = '{"accept":{"operations":{"launch":{"task_infos":{"data":"a*b"}}}}}';
    expect(
      refusal(
        text
          .replace('"operations":{', '"operations":[{')
          .replace('"task_infos":{', '"task_infos":[{')
          .replace("}}}}}", "}]}}]}}"),
      ),
    ).to.deep.equal([`Failed to base64 decode bytes field '${path}': Invalid character '*'`, path]);
  });

  it("is refused for missing required fields, all of them named, after everything else", () => {
    expect(refusal('{"subscribe":{"framework_info":{"name":"f"}}}')).to.deep.equal([
      "Missing required fields: subscribe.framework_info.user",
      "subscribe.framework_info.user",
    ]);
    expect(failure(() => jsonOf("mesos.v1.executor.Call").read('{"type":"SUBSCRIBE"}')).message).to.equal(
      "Missing required fields: executor_id, framework_id",
    );
    expect(refusal('{"subscribe":{"framework_info":{}},"kill":{"task_id":{}}}')[0]).to.equal(
      "Missing required fields: subscribe.framework_info.user, subscribe.framework_info.name, kill.task_id.value",
    );
    wrong('{"subscribe":{"framework_info":{}},"kill":{"task_id":[]}}', "array", "kill.task_id");
  });

  it("is refused where it nests without end", () => {
    const parents = (depth: number): string =>
      `${'{"value":"c","parent":'.repeat(depth)}{"value":"c"}${"}".repeat(depth)}`;
    const id = jsonOf("mesos.v1.ContainerID");
    expect(id.write(id.read(parents(90)))).to.equal(parents(90));
    expect(failure(() => id.read(parents(100))).message).to.match(
      /^Nested deeper than 100 levels: field 'parent\.parent\./,
    );
    expect(failure(() => id.read(parents(100_000))).message).to.match(/^Nested deeper than 100 levels/);
    expect(call.read(`{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`).type).to.equal(undefined);
    expect(call.read(`{"x":${"[".repeat(100_000)}1795333238859785984${"]".repeat(100_000)}}`).type).to.equal(
      undefined,
    );
  });
});

describe("text that is not JSON", () => {
  const near = (text: string): string => {
    const error = failure(() => call.read(text));
    expect(error).to.be.instanceOf(JsonSyntaxError);
    return error.message;
  };

  it("is refused with the line and what stands there", () => {
    expect(near("")).to.equal("syntax error at line 1 near: ");
    expect(near("{")).to.equal("syntax error at line 1 near: ");
    expect(near("{x")).to.equal("syntax error at line 1 near: x");
    expect(near("x")).to.equal("syntax error at line 1 near: x");
    expect(near('{"type":\n"KILL",\n oops: 1}\n{')).to.equal("syntax error at line 3 near: oops: 1}");
    expect(near('{"a" 1}')).to.equal("syntax error at line 1 near: 1}");
    expect(near('{"a":1,}')).to.equal("syntax error at line 1 near: }");
    expect(near('{"a":[1 2]}')).to.equal("syntax error at line 1 near: 2]}");
    expect(near('{"a":tru}')).to.equal("syntax error at line 1 near: }");
    expect(near('{"a":"b')).to.equal("syntax error at line 1 near: ");
    expect(near('{"a":"\\q"}')).to.equal('syntax error at line 1 near: \\q"}');
    expect(near('{"a":{"b":[{}]}')).to.equal("syntax error at line 1 near: ");
    expect(near("{\n")).to.equal("syntax error at line 1 near: ");
    expect(near('{"a":1795333238859785984,}')).to.equal("syntax error at line 1 near: }");
    expect(near('{"a":1, 1795333238859785984:2}')).to.equal(
      "syntax error at line 1 near: 1795333238859785984:2}",
    );
  });

  it("is refused when more follows", () => {
    expect(near("{} {} ")).to.equal("Parsed JSON included non-whitespace trailing characters: {}");
  });

  it("is refused however deep it nests", () => {
    expect(near("[".repeat(200_000))).to.equal("syntax error at line 1 near: ");
    expect(near('{"a":'.repeat(200_000))).to.equal("syntax error at line 1 near: ");
  });
});
