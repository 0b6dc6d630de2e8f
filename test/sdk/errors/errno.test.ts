import { readFileSync } from "node:fs";
import { expect } from "chai";
import { errnoOf } from "../../../sdk/errors/index.js";

describe("the code of an error", () => {
  it("is the one that the operating system gave", () => {
    try {
      readFileSync("/nonexistent/file");
      expect.fail("it is there");
    } catch (error) {
      expect(errnoOf(error)).to.equal("ENOENT");
    }
  });

  it("is not there where an error has none, or what was thrown is no error", () => {
    for (const thrown of [
      new Error("ENOENT"),
      Object.assign(new Error(), { code: 2 }),
      { code: "ENOENT" },
      null,
    ])
      expect(errnoOf(thrown)).to.equal(undefined);
  });
});
