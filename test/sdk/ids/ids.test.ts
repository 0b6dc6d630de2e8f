import { expect } from "chai";
import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import { validateContainerId, validateId } from "../../../sdk/ids/index.js";

describe("ids", () => {
  for (const id of [
    "a",
    "task.1",
    "...",
    " ",
    "a b",
    "ä",
    "x".repeat(255),
    "17285b4a-c5a1-47c8-ae0e-e54e3265a6e7-S0",
  ]) {
    it(`may be '${id}'`, () => {
      expect(validateId(id)).to.equal(undefined);
    });
  }

  const bad: [string, string][] = [
    ["", "ID must not be empty"],
    ["x".repeat(256), "ID must not be greater than 255 characters"],
    ["ä".repeat(128), "ID must not be greater than 255 characters"],
    [".", "'.' is disallowed"],
    ["..", "'..' is disallowed"],
    ...["a/b", "a\\b", "a\nb", "a\0b", "a\x7fb"].map((id): [string, string] => [
      id,
      `'${id}' contains invalid characters`,
    ]),
  ];
  for (const [id, text] of bad) {
    it(`may not be ${JSON.stringify(id.slice(0, 8))} (${id.length})`, () => {
      expect(validateId(id)).to.equal(text);
    });
  }
});

describe("container ids", () => {
  const nested = (...values: string[]): ContainerID =>
    values.reduce<ContainerID | undefined>(
      (parent, value) => (parent === undefined ? { value } : { value, parent }),
      undefined,
    )!;

  it("may be nested", () => {
    expect(validateContainerId(nested("parent", "child"))).to.equal(undefined);
    expect(validateContainerId({ value: "x".repeat(242) })).to.equal(undefined);
  });

  const invalid = (id: string) => `'ContainerID.value' '${id}' contains invalid characters`;
  const bad: [string, ContainerID, string][] = [
    ["an empty one", {}, "ID must not be empty"],
    ["a period", { value: "a.b" }, invalid("a.b")],
    ["a space", { value: "a b" }, invalid("a b")],
    ["a slash", { value: "a/b" }, "'a/b' contains invalid characters"],
    [
      "a long one",
      { value: "x".repeat(243) },
      `'ContainerID.value' '${"x".repeat(243)}' exceeds the maximum length (242)`,
    ],
    ["a bad parent", nested("a.b", "child"), `'ContainerID.parent' is invalid: ${invalid("a.b")}`],
    [
      "a bad grandparent",
      nested("..", "child", "grandchild"),
      "'ContainerID.parent' is invalid: 'ContainerID.parent' is invalid: '..' is disallowed",
    ],
  ];
  for (const [what, id, text] of bad) {
    it(`may not have ${what}`, () => {
      expect(validateContainerId(id)).to.equal(text);
    });
  }

  it("may not be nested without end", () => {
    expect(validateContainerId(nested(...Array.from({ length: 100_000 }, () => "c")))).to.match(
      /containers are nested more than 32 deep$/,
    );
  });
});
