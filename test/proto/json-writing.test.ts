// The forms of Mesos's JSON that clients see.
import { expect } from "chai";
import { TaskState, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { jsonOf, wire } from "../../proto/json/index.js";

describe("JSON text", () => {
  const scalar = (value: number): string => jsonOf("mesos.v1.Value.Scalar").write({ value });

  it("shows doubles with a fraction or an exponent", () => {
    const shown = [
      [15, "15.0"],
      [0, "0.0"],
      [-0, "-0.0"],
      [0.1, "0.1"],
      [1795333239.12906, "1795333239.12906"],
      [2147483648, "2147483648.0"],
      [1e20, "100000000000000000000.0"],
      [1e21, "1e21"],
      [-1.5e300, "-1.5e300"],
      [0.000001, "0.000001"],
      [1e-7, "1e-7"],
      [Infinity, '"Infinity"'],
      [-Infinity, '"-Infinity"'],
      [NaN, '"NaN"'],
    ] as const;
    for (const [value, text] of shown) expect(scalar(value)).to.equal(`{"value":${text}}`);
  });

  it("shows 64-bit integers as bare numbers", () => {
    expect(jsonOf("mesos.v1.TimeInfo").write({ nanoseconds: 9223372036854775807n })).to.equal(
      '{"nanoseconds":9223372036854775807}',
    );
    expect(jsonOf("mesos.v1.Value.Range").write({ begin: 31000, end: 32000 })).to.equal(
      '{"begin":31000,"end":32000}',
    );
  });

  it("shows defaults of unset fields, but not of deprecated ones", () => {
    expect(jsonOf("mesos.v1.CommandInfo").write({ uris: [], arguments: [] })).to.equal('{"shell":true}');
    const framework = wire("mesos.v1.FrameworkInfo").json.read('{"user":"u","name":"n"}');
    expect(
      jsonOf("mesos.v1.FrameworkInfo").write({
        ...framework,
        failover_timeout: undefined,
        checkpoint: undefined,
      }),
    ).to.equal('{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}');
  });

  it("leaves out empty lists and maps, except in the operator answers that Mesos writes list by list", () => {
    expect(jsonOf("mesos.v1.scheduler.Event.Offers").write({ offers: [] })).to.equal("{}");
    expect(jsonOf("mesos.v1.quota.QuotaConfig").write({ role: "r", guarantees: {}, limits: {} })).to.equal(
      '{"role":"r"}',
    );
    const empty = {
      pending_tasks: [],
      tasks: [],
      unreachable_tasks: [],
      completed_tasks: [],
      orphan_tasks: [],
    };
    expect(jsonOf("mesos.v1.master.Response.GetTasks").write(empty)).to.equal(
      '{"tasks":[],"unreachable_tasks":[],"completed_tasks":[]}',
    );
  });

  it("leaves out enum numbers that have no name", () => {
    const task = wire("mesos.v1.TaskStatus").json.read('{"task_id":{"value":"t"},"state":"TASK_RUNNING"}');
    expect(jsonOf("mesos.v1.TaskStatus").write({ ...task, state: 4242 as TaskState })).to.equal(
      '{"task_id":{"value":"t"}}',
    );
    expect(jsonOf("mesos.v1.TaskStatus").write({ ...task, state: TaskState.TASK_LOST })).to.contain(
      '"state":"TASK_LOST"',
    );
    expect(jsonOf("mesos.v1.Resource").write({ ...resource(), type: Value_Type.SET })).to.contain(
      '"type":"SET"',
    );
  });

  it("escapes strings as JSON must", () => {
    const text = 'quote " backslash \\ line\nfeed \u0000 \u2028 é 😀 lone \ud800';
    const written = jsonOf("mesos.v1.TaskID").write({ value: text });
    expect(JSON.parse(written)).to.deep.equal({ value: text });
  });

  it("shows a google.protobuf.Duration as the plain message it is", () => {
    expect(jsonOf("google.protobuf.Duration").write({ seconds: 60n, nanos: 0 })).to.equal('{"seconds":60}');
    expect(jsonOf("google.protobuf.Duration").write({ seconds: 0n, nanos: 5 })).to.equal('{"nanos":5}');
    expect(jsonOf("google.protobuf.Duration").read('{"seconds":"60"}').seconds).to.equal(60n);
  });
});

function resource() {
  return jsonOf("mesos.v1.Resource").read('{"name":"x","type":"SCALAR"}');
}
