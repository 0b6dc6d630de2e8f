// For every message type: what is written is read back the same, as JSON and as binary.
import type { DescMessage } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import type { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { isMessageName, type MessageCodec, messageNames, wire } from "../../proto/json/index.js";
import { messages, type Plain } from "./arbitrary-messages.js";
import { descriptorOf, descriptors, isRequired, shownDefault } from "./descriptors.js";

const RUNS = { numRuns: 25, seed: 20_261_122 };

function codecOf(type: DescMessage): MessageCodec<Plain> {
  if (!isMessageName(type.typeName)) throw new Error(type.typeName);
  return wire(type.typeName) as MessageCodec<unknown> as MessageCodec<Plain>;
}

/** What JSON makes of a message: shown defaults are set, enum numbers without a name are gone. */
function throughJson(type: DescMessage, message: Plain): Plain {
  const shown: Plain = {};
  for (const field of type.fields) {
    let value = message[field.name];
    const nested = field.message;
    const known = (number: unknown) =>
      field.enum === undefined || field.enum.values.some((each) => each.number === number);
    if (field.fieldKind === "list") {
      const items = (value as unknown[]).filter(known);
      value = nested === undefined ? items : items.map((item) => throughJson(nested, item as Plain));
    } else if (field.fieldKind === "map") {
      const entries = Object.entries(value as Plain);
      value = Object.fromEntries(
        entries.map(([key, item]) => [key, nested === undefined ? item : throughJson(nested, item as Plain)]),
      );
    } else if (value !== undefined) {
      if (nested !== undefined) value = throughJson(nested, value as Plain);
      else if (!known(value)) value = undefined;
    }
    shown[field.name] = value ?? shownDefault(field);
  }
  return shown;
}

describe("every message", () => {
  it("has a codec under its full name, and there are as many as Mesos has", () => {
    expect(messageNames.length).to.be.greaterThan(450);
    for (const name of messageNames) expect(wire(name).name).to.equal(name);
    expect(isMessageName("mesos.v1.Offer")).to.equal(true);
    expect(isMessageName("mesos.v1.offer")).to.equal(false);
    expect(isMessageName("constructor")).to.equal(false);
  });

  for (const type of descriptors) {
    it(`${type.typeName} survives binary`, () => {
      const codec = codecOf(type);
      fc.assert(
        fc.property(messages(type), (message) => {
          expect(codec.decode(codec.encode(message))).to.deep.equal(message);
        }),
        RUNS,
      );
    });

    it(`${type.typeName} survives JSON`, () => {
      const codec = codecOf(type);
      fc.assert(
        fc.property(messages(type), (message) => {
          const text = codec.json.write(message);
          const read = codec.json.read(text);
          expect(read).to.deep.equal(throughJson(type, message));
          expect(codec.json.write(read)).to.equal(text);
        }),
        RUNS,
      );
    });
  }
});

describe("a message without one of its required fields", () => {
  const withRequired = descriptors.filter((type) => type.fields.some(isRequired));

  it("is refused by every form, which names the field", () => {
    expect(withRequired.length).to.be.greaterThan(150);
    for (const type of withRequired) {
      const codec = codecOf(type);
      for (const field of type.fields.filter(isRequired)) {
        const [message] = fc.sample(messages(type), { ...RUNS, numRuns: 1 });
        const lacking = { ...message, [field.name]: undefined };
        expect(codec.missingRequired(lacking)).to.deep.equal([field.name]);
        expect(codec.missingRequired(message!)).to.deep.equal([]);
        expect(() => codec.decode(codec.encode(lacking))).to.throw(`Missing required fields: ${field.name}`);
        // JSON shows the default of a field that has one.
        if (shownDefault(field) !== undefined) continue;
        expect(() => codec.json.read(codec.json.write(lacking))).to.throw(
          `Missing required fields: ${field.name}`,
        );
      }
    }
  });

  it("is found at any depth", () => {
    const call = wire("mesos.v1.scheduler.Call");
    const lacking = call.json.read(
      '{"accept":{"operations":[{"type":"LAUNCH"},{"type":"LAUNCH","launch":{}}]}}',
    );
    lacking.accept!.operations[1]!.launch!.task_infos.push({
      ...wire("mesos.v1.TaskInfo").json.read(
        '{"name":"a","task_id":{"value":"a"},"agent_id":{"value":"a"},"resources":{"name":"cpus","type":"SCALAR"}}',
      ),
      task_id: {},
      limits: { cpus: {} },
    });
    expect(call.missingRequired(lacking)).to.deep.equal([
      "accept.operations[1].launch.task_infos[0].task_id.value",
      'accept.operations[1].launch.task_infos[0].limits["cpus"].value',
    ]);
  });

  it("may be a required enum that has an unknown number", () => {
    const status = wire("mesos.v1.TaskStatus");
    expect(
      descriptorOf("mesos.v1.TaskStatus").fields.some((field) => field.name === "state" && isRequired(field)),
    ).to.equal(true);
    expect(
      status.missingRequired({
        ...status.json.read('{"task_id":{"value":"t"},"state":"TASK_LOST"}'),
        state: 4242 as TaskState,
      }),
    ).to.deep.equal(["state"]);
  });
});
