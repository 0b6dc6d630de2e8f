import { expect } from "chai";
import {
  ancestorsOf,
  isInSubtree,
  isStrictSubrole,
  parentOf,
  validateRole,
  validateRoles,
} from "../../../sdk/roles/index.js";

describe("role names", () => {
  for (const role of ["*", "ads", "ads/web", "a/b/c", "r.o-l_e", "a-", "...", "a/..b", "über"]) {
    it(`may be ${role}`, () => {
      expect(validateRole(role)).to.equal(undefined);
    });
  }

  const component = (name: string, why: string) => `Role component '${name}' is invalid because it ${why}`;
  const bad: [string, string][] = [
    ["", "Role names cannot be the empty string"],
    ["/a", "Role '/a' cannot start with a slash"],
    ["/", "Role '/' cannot start with a slash"],
    ["a/", "Role 'a/' cannot end with a slash"],
    ["a//b", "Role 'a//b' cannot contain two adjacent slashes"],
    [".", "Role '.' cannot include '.' as a component"],
    ["a/./b", "Role 'a/./b' cannot include '.' as a component"],
    ["..", "Role '..' cannot include '..' as a component"],
    ["a/*", "Role 'a/*' cannot include '*' as a component"],
    ["-a", component("-a", "starts with a dash")],
    ["a/-b", component("-b", "starts with a dash")],
    ...[" ", "\t", "\n", "\v", "\f", "\r", "\x7f"].map((space): [string, string] => [
      `a/b${space}c`,
      component(`b${space}c`, "contains backspace or whitespace"),
    ]),
  ];
  for (const [role, text] of bad) {
    it(`may not be ${JSON.stringify(role)}`, () => {
      expect(validateRole(role)).to.equal(text);
    });
  }

  it("are checked one by one in a list", () => {
    expect(validateRoles(["a", "/b", "-c"])).to.equal("Role '/b' cannot start with a slash");
    expect(validateRoles([])).to.equal(undefined);
  });
});

describe("the role hierarchy", () => {
  it("tells what lies below what", () => {
    expect(isStrictSubrole("a/b", "a")).to.equal(true);
    expect(isStrictSubrole("a/b/c", "a")).to.equal(true);
    expect(isStrictSubrole("a", "a")).to.equal(false);
    expect(isStrictSubrole("ab", "a")).to.equal(false);
    expect(isStrictSubrole("a", "a/b")).to.equal(false);
    expect(isInSubtree("a", "a")).to.equal(true);
    expect(isInSubtree("b", "a")).to.equal(false);
  });

  it("lists what lies above, nearest first", () => {
    expect(ancestorsOf("a/b/c")).to.deep.equal(["a/b", "a"]);
    expect(ancestorsOf("a")).to.deep.equal([]);
    expect(parentOf("a/b/c")).to.equal("a/b");
    expect(parentOf("a")).to.equal(undefined);
  });
});
