import { expect } from "chai";
import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  parseResourceList,
  parseResources,
  parseValue,
  resourcesFromJson,
} from "../../../sdk/resources/index.js";
import { fixed, messages, ranges, resources, scalar, set, unwrap } from "./build.js";

const errorOf = (result: { ok: boolean; error?: string }): string | undefined =>
  result.ok ? undefined : result.error;

describe("values as text", () => {
  const values: [string, unknown][] = [
    ["45.55", { type: Value_Type.SCALAR, scalar: { value: 45.55 } }],
    ["1e3", { type: Value_Type.SCALAR, scalar: { value: 1000 } }],
    ["+.5", { type: Value_Type.SCALAR, scalar: { value: 0.5 } }],
    ["0x10", { type: Value_Type.SCALAR, scalar: { value: 16 } }],
    ["1 000", { type: Value_Type.SCALAR, scalar: { value: 1000 } }],
    [
      "[10000-20000, 30000-50000]",
      {
        type: Value_Type.RANGES,
        ranges: {
          range: [
            { begin: 10000, end: 20000 },
            { begin: 30000, end: 50000 },
          ],
        },
      },
    ],
    ["[5-6,1-4]", { type: Value_Type.RANGES, ranges: { range: [{ begin: 1, end: 6 }] } }],
    ["[]", { type: Value_Type.RANGES, ranges: { range: [] } }],
    ["{sda1, sda2}", { type: Value_Type.SET, set: { item: ["sda1", "sda2"] } }],
    ...["123abc,s", "inf", "-inf", "infinity", "nan", "-1", "-0x10", "1e999", "0x", "1.0f"].map(
      (text): [string, unknown] => [text, { type: Value_Type.TEXT, text: { value: text } }],
    ),
  ];
  for (const [text, value] of values) {
    it(`reads ${text}`, () => {
      expect(unwrap(parseValue(text))).to.deep.equal(value);
    });
  }

  const errors: [string, string][] = [
    ["  ", "Expecting non-empty string"],
    ["{aa,b}}", "Mismatched brackets"],
    ["[1-2]]", "Mismatched brackets"],
    ["]1-2[", "Mismatched brackets"],
    ["(1", "Mismatched brackets"],
    ["[1-2b]", "Expecting non-negative integers in '1'"],
    ["[1-18446744073709551616]", "Expecting non-negative integers in '1'"],
    ["[1-2,3]", 'Expecting one or more "ranges"'],
    ["a[1-2]", "Unexpected '[' found"],
    ["a{b}", "Unexpected '{' found"],
    ["7.63918e-313", "Subnormal values not supported"],
    ["-7.63918e-313", "Subnormal values not supported"],
  ];
  for (const [text, error] of errors) {
    it(`refuses '${text}'`, () => {
      expect(errorOf(parseValue(text))).to.equal(error);
    });
  }
});

describe("resources as text", () => {
  it("are read as written", () => {
    expect(messages("cpus:0.5; mem(ads):1024;ports:[31000-32000];zones:{a,b};cpus:0")).to.deep.equal([
      scalar("cpus", 0.5),
      scalar("mem", 1024, { reservations: [fixed("ads")] }),
      ranges("ports", [[31000, 32000]]),
      set("zones", ["a", "b"]),
      scalar("cpus", 0),
    ]);
    expect(messages("")).to.deep.equal([]);
  });

  it("are put under the default role where they name none", () => {
    const total = unwrap(parseResources("cpus:1;mem(*):2;disk(dev):3", "ads"));
    expect(total.reserved("ads").cpus).to.equal(1);
    expect(total.unreserved().mem).to.equal(2);
    expect(total.reserved("dev").disk).to.equal(3);
  });

  it("add up", () => {
    expect(String(resources("cpus:1;cpus:2;ports:[1-2];ports:[3-4]"))).to.equal("cpus:3; ports:[1-4]");
  });

  const errors: [string, string][] = [
    ["cpus(role1)", "Bad value for resources, missing or extra ':' in cpus(role1)"],
    ["cpus:1:2", "Bad value for resources, missing or extra ':' in cpus:1:2"],
    ["cpus:", "Bad value for resources, missing or extra ':' in cpus:"],
    ["cpus(role1:1", "Bad value for resources, mismatched parentheses in cpus(role1:1"],
    ["cpus)(role1:1", "Bad value for resources, mismatched parentheses in cpus)(role1:1"],
    [
      "ports:[1-2b]",
      "Failed to parse resource ports value [1-2b] error Expecting non-negative integers in '1'",
    ],
    ["cpus:many", "Bad type for resource cpus value many type TEXT"],
    ["cpus:-1", "Bad type for resource cpus value -1 type TEXT"],
    ["cpus:0.00001", "Invalid scalar resource: value <= 0"],
    ["ports:[2-1]", "Invalid ranges resource: begin > end"],
    ["zones:{a,a}", "Invalid set resource: duplicated elements"],
    ["(ads):1", "Empty resource name"],
    ["cpus():1", "Role names cannot be the empty string"],
    ["cpus(a/):1", "Role 'a/' cannot end with a slash"],
    [
      "foo(role1):1;foo(role2):[0-1]",
      "Resources with the same name ('foo') but different types are not allowed",
    ],
    ["gpus:1.5", "The 'gpus' resource must be an unsigned integer"],
  ];
  for (const [text, error] of errors) {
    it(`refuse ${text}`, () => {
      expect(errorOf(parseResources(text))).to.equal(error);
    });
  }
});

describe("resources as JSON", () => {
  const cpus = { name: "cpus", type: "SCALAR", scalar: { value: 54.44 } };
  const parse = (...list: unknown[]) => parseResources(JSON.stringify(list));

  it("are read in every format", () => {
    expect(unwrap(parse({ ...cpus, role: "*" })).unreserved().cpus).to.equal(54.44);
    expect(unwrap(parse({ ...cpus, role: "ads" })).reserved("ads").cpus).to.equal(54.44);
    expect(
      unwrap(parse({ ...cpus, reservations: [{ type: "STATIC", role: "ads" }] })).reserved("ads").cpus,
    ).to.equal(54.44);
  });

  it("are put under the default role where they name none", () => {
    const list = unwrap(resourcesFromJson([cpus, { ...cpus, role: "*" }], "ads"));
    expect(list.map((message) => message.role)).to.deep.equal(["ads", "*"]);
  });

  it("keep what a text cannot say", () => {
    const text = String(
      unwrap(
        parse({
          name: "disk",
          type: "SCALAR",
          scalar: { value: 8 },
          disk: { source: { type: "MOUNT", mount: { root: "/m" } } },
        }),
      ),
    );
    expect(text).to.equal("disk[MOUNT:/m]:8");
  });

  const format = "Some JSON resources were not formatted properly: ";
  const errors: [string, string | RegExp, string][] = [
    [
      "a missing type",
      `${format}Missing required fields: type (in item 2 of the list)`,
      JSON.stringify([cpus, { name: "a" }]),
    ],
    [
      "a list of lists",
      /^Some JSON resources were not formatted properly: .*item 1/,
      JSON.stringify([[cpus]]),
    ],
    [
      "an unknown type",
      /^Some JSON resources were not formatted properly: .*item 1/,
      JSON.stringify([{ ...cpus, type: "FLOAT" }]),
    ],
    [
      "a missing comma",
      /^Some JSON resources were not formatted properly: syntax error/,
      '[{"name":"a"} {"name":"b"}]',
    ],
    [
      "text after the list",
      /^Some JSON resources were not formatted properly: Parsed JSON included non-whitespace trailing characters/,
      `${JSON.stringify([cpus])}once upon a time`,
    ],
    [
      "an object in place of the list",
      /^Bad value for resources, missing or extra ':' in \{/,
      JSON.stringify(cpus),
    ],
    ["an empty name", "Empty resource name", JSON.stringify([{ ...cpus, name: "" }])],
    [
      "a negative amount",
      "Invalid scalar resource: value <= 0",
      JSON.stringify([{ ...cpus, scalar: { value: -1 } }]),
    ],
    [
      "one name with two types",
      "Resources with the same name ('cpus') but different types are not allowed",
      JSON.stringify([cpus, { name: "cpus", type: "SET", set: { item: ["a"] } }]),
    ],
    [
      "a persistent volume",
      "Persistent volumes cannot be specified at the command line",
      JSON.stringify([
        { name: "disk", type: "SCALAR", scalar: { value: 1 }, disk: { persistence: { id: "v" } } },
      ]),
    ],
    [
      "a revocable resource",
      "Revocable resources cannot be specified at the command line; do not include a 'revocable' key in the resources JSON",
      JSON.stringify([{ ...cpus, revocable: {} }]),
    ],
    [
      "a dynamic reservation",
      "Dynamic reservations cannot be specified at the command line; do not include a reservation with DYNAMIC type in the resources JSON",
      JSON.stringify([{ ...cpus, reservations: [{ type: "DYNAMIC", role: "ads" }] }]),
    ],
    [
      "a dynamic reservation for everyone",
      'Invalid reservation: role "*" cannot be dynamically reserved',
      JSON.stringify([{ ...cpus, role: "*", reservation: {} }]),
    ],
  ];
  for (const [what, error, text] of errors) {
    it(`refuse ${what}`, () => {
      const found = errorOf(parseResources(text));
      if (typeof error === "string") expect(found).to.equal(error);
      else expect(found).to.match(error);
    });
  }

  it("must be a list", () => {
    expect(errorOf(resourcesFromJson({}))).to.equal(`${format}Expecting a JSON array`);
    expect(errorOf(parseResourceList("[1]"))).to.match(/item 1/);
  });
});
