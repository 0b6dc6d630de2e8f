import { expect } from "chai";
import fc from "fast-check";
import { CommandInfo, ExecutorInfo, Task } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  commandJson,
  executorFieldsJson,
  fieldsJson,
  memo,
  sortedFields,
  taskJson,
} from "../../../sdk/v0-json/index.js";

/** A value with the keys of all its objects sorted. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(entries.map(([key, inner]) => [key, sorted(inner)]));
}

describe("sorted fields", () => {
  it("are those of the text, in order, whatever they hold", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        const fields = sortedFields(text);
        expect(fields.map(([name]) => name)).to.deep.equal([...Object.keys(object)].sort());
        expect(JSON.parse(fieldsJson(fields))).to.deep.equal(JSON.parse(text));
        // Integer-like keys come first in an object, so the order is looked at in the text.
        // What went through text is compared: JSON has no -0.
        const parsed = JSON.parse(text) as Record<string, unknown>;
        for (const [name, value] of fields)
          expect(sorted(JSON.parse(value))).to.deep.equal(sorted(parsed[name]));
      }),
    );
  });

  it("keep the form of numbers, and sort what is nested", () => {
    expect(fieldsJson(sortedFields('{"b":1.0,"a":[{"d":1,"c":2.50}]}'))).to.equal(
      '{"a":[{"c":2.50,"d":1}],"b":1.0}',
    );
  });
});

describe("the text of a task", () => {
  it("shows what is set, by Mesos's names", () => {
    const task = Task.fromPartial({
      name: 'with "quotes"',
      task_id: { value: "t" },
      framework_id: { value: "f" },
      agent_id: { value: "a" },
      executor_id: { value: "e" },
      state: 1,
      user: "nobody",
      limits: { cpus: { value: 2 }, mem: { value: Number.POSITIVE_INFINITY } },
      discovery: { visibility: 1, name: "d" },
      statuses: [
        {
          state: 1,
          timestamp: 3,
          labels: { labels: [{ key: "k" }] },
          healthy: false,
          container_status: {
            network_infos: [
              { name: "net", groups: ["g"], port_mappings: [{ host_port: 1, container_port: 2 }] },
            ],
            executor_pid: 7,
          },
        },
      ],
    });
    expect(JSON.parse(taskJson(task))).to.deep.equal({
      id: "t",
      name: 'with "quotes"',
      framework_id: "f",
      executor_id: "e",
      slave_id: "a",
      state: "TASK_RUNNING",
      resources: { disk: 0, mem: 0, gpus: 0, cpus: 0 },
      limits: { cpus: 2, mem: "Infinity" },
      role: "",
      statuses: [
        {
          state: "TASK_RUNNING",
          timestamp: 3,
          labels: [{ key: "k" }],
          container_status: {
            network_infos: [
              { groups: ["g"], name: "net", port_mappings: [{ host_port: 1, container_port: 2 }] },
            ],
          },
          healthy: false,
        },
      ],
      user: "nobody",
      discovery: { visibility: "CLUSTER", name: "d" },
    });
  });
});

describe("the text of an executor", () => {
  it("shows its command with arguments and URIs", () => {
    const command = CommandInfo.fromPartial({
      shell: false,
      value: "/bin/x",
      arguments: ["x", "y"],
      environment: { variables: [{ name: "A", value: "1" }] },
      uris: [{ value: "http://u", executable: true }, { value: "/file" }],
    });
    expect(JSON.parse(commandJson(command))).to.deep.include({
      shell: false,
      value: "/bin/x",
      argv: ["x", "y"],
      uris: [
        { value: "http://u", executable: true },
        { value: "/file", executable: false },
      ],
    });
    const info = ExecutorInfo.fromPartial({ executor_id: { value: "e" }, type: 1, command });
    expect(JSON.parse(`{${executorFieldsJson(info)}}`)).to.include({
      executor_id: "e",
      type: "DEFAULT",
      name: "",
    });
  });
});

describe("memo", () => {
  it("computes once for each object", () => {
    let count = 0;
    const next = memo((_key: object) => ++count);
    const one = {};
    expect([next(one), next({}), next(one)]).to.deep.equal([1, 2, 1]);
  });
});
