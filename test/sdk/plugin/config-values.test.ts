import { expect } from "chai";
import { bytesText, durationText, z } from "../../../sdk/plugin/index.js";

describe("config values in Mesos's text forms", () => {
  const schema = z.strictObject({ every: durationText("1secs"), size: bytesText("64MB") });

  it("have defaults in natural form", () => {
    expect(schema.parse({})).to.deep.equal({ every: 1000, size: 64 * 1024 * 1024 });
  });

  it("take texts and numbers", () => {
    expect(schema.parse({ every: "1.5mins", size: 7 })).to.deep.equal({ every: 90_000, size: 7 });
  });

  it("name the field and what was expected", () => {
    const { error } = schema.safeParse({ every: "soon" });
    expect(error?.issues[0]?.path).to.deep.equal(["every"]);
    expect(error?.issues[0]?.message).to.contain("10secs");
  });
});
