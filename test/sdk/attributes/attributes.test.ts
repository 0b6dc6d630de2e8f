import { expect } from "chai";
import { type Attribute, Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { jsonOf } from "../../../proto/json/index.js";
import {
  attributesFromJson,
  attributesJson,
  attributeText,
  containsAttributes,
  parseAttributes,
  sameAttributes,
  validateAttribute,
} from "../../../sdk/attributes/index.js";

const parse = (text: string): Attribute[] => {
  const result = parseAttributes(text);
  if (!result.ok) throw new Error(result.error);
  return result.value;
};
const errorOf = (result: { ok: boolean; error?: string }): string | undefined =>
  result.ok ? undefined : result.error;

describe("attributes", () => {
  const text = "cpus:45.55;port:[10000-20000,30000-50000];rack:r1,s;zone:west:1\nlevel:0";

  it("are read from text", () => {
    expect(parse(text)).to.deep.equal([
      { name: "cpus", type: Value_Type.SCALAR, scalar: { value: 45.55 } },
      {
        name: "port",
        type: Value_Type.RANGES,
        ranges: {
          range: [
            { begin: 10000, end: 20000 },
            { begin: 30000, end: 50000 },
          ],
        },
      },
      { name: "rack", type: Value_Type.TEXT, text: { value: "r1,s" } },
      { name: "zone", type: Value_Type.TEXT, text: { value: "west:1" } },
      { name: "level", type: Value_Type.SCALAR, scalar: { value: 0 } },
    ]);
    expect(parse("")).to.deep.equal([]);
    expect(parse("a:b c")[0]?.text?.value).to.equal("bc");
  });

  it("come back from JSON", () => {
    const json = `[${parse(text).map(jsonOf("mesos.v1.Attribute").write).join(",")}]`;
    expect(parse(json).map(attributeText)).to.deep.equal(parse(text).map(attributeText));
    expect(sameAttributes(parse(json), parse(text))).to.equal(true);
  });

  const errors: [string, string][] = [
    ["rack", "Invalid attribute key:value pair 'rack'"],
    ["rack:", "Invalid attribute key:value pair 'rack:'"],
    [":r1", "Invalid attribute key:value pair ':r1'"],
    ["zones:{a,b}", "Bad type for attribute zones text {a,b} type SET"],
    ["p:[1-", "Failed to parse attribute p text [1- error Mismatched brackets"],
    ["p:[2-1]", "Invalid ranges attribute 'p': begin > end"],
    ['[{"name":"a","type":"SET","set":{"item":["a"]}}]', "Sets not supported for attribute 'a'"],
    ['[{"name":"a","type":"TEXT"}]', "Invalid text attribute 'a'"],
    [
      '[{"name":"a"}]',
      "Some JSON attributes were not formatted properly: Missing required fields: type (in item 1 of the list)",
    ],
  ];
  for (const [bad, error] of errors) {
    it(`refuse ${bad}`, () => {
      expect(errorOf(parseAttributes(bad))).to.equal(error);
    });
  }

  it("must be a list in JSON", () => {
    expect(errorOf(attributesFromJson({}))).to.equal(
      "Some JSON attributes were not formatted properly: Expecting a JSON array",
    );
  });

  it("are checked in messages", () => {
    expect(validateAttribute({ type: Value_Type.TEXT, text: { value: "a" } })).to.equal(
      "Empty attribute name",
    );
    expect(validateAttribute({ name: "a" })).to.equal("Invalid type of attribute 'a'");
    expect(validateAttribute({ name: "a", type: Value_Type.SCALAR })).to.equal(
      "Invalid scalar attribute 'a'",
    );
    expect(validateAttribute({ name: "a", type: Value_Type.RANGES })).to.equal(
      "Invalid ranges attribute 'a'",
    );
    expect(parse(text).map(validateAttribute)).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("are compared in any order", () => {
    expect(sameAttributes(parse("a:1;b:[1-2,3-4];c:x"), parse("c:x;b:[1-4];a:1.0001"))).to.equal(true);
    expect(sameAttributes(parse("a:1"), parse("a:one"))).to.equal(false);
    expect(sameAttributes(parse("a:1;b:2"), parse("a:1;a:1"))).to.equal(false);
    expect(containsAttributes(parse("a:1;b:2"), parse("b:2"))).to.equal(true);
    expect(containsAttributes(parse("b:2"), parse("a:1;b:2"))).to.equal(false);
  });

  it("are shown as the endpoints and the logs do", () => {
    expect(attributesJson(parse("rack:r1;level:2;half:1.23456;ports:[1-2,5-6]"))).to.equal(
      '{"rack":"r1","level":2.0,"half":1.23456,"ports":"[1-2, 5-6]"}',
    );
    expect(attributesJson([])).to.equal("{}");
    expect(parse("rack:r1;level:2;ports:[1-2]").map(attributeText)).to.deep.equal([
      "rack=r1",
      "level=2",
      "ports=[1-2]",
    ]);
  });
});
