import { expect } from "chai";
import { createTestKernel, TestKernel } from "../../../core/testing/index.js";
import { Settings } from "../../../sdk/contracts/settings.js";
import { definePlugin, z } from "../../../sdk/plugin/index.js";

describe("createTestKernel", () => {
  const seen: unknown[] = [];
  const plugin = definePlugin({
    name: "p",
    version: "1.0.0",
    config: z.strictObject({
      port: z.number(),
      allocation_interval: z.number(),
      own: z.string().default("x"),
    }),
    setup(ctx) {
      seen.push(ctx.config);
    },
  });

  it("gives plugins the settings of the daemon as a daemon would", async () => {
    await using test = await createTestKernel({
      plugins: [plugin],
      settings: { allocation_interval: "5secs", made_up: 3 },
      config: { p: { own: "y" } },
    });
    expect(seen.pop()).to.deep.equal({ port: 5050, allocation_interval: 5000, own: "y" });
    const settings = test.kernel.get(Settings);
    expect(settings.boolean("root_submissions")).to.equal(true);
    expect(settings.flags.get("allocation_interval")).to.equal("5secs");
    expect(settings.number("made_up")).to.equal(3);
  });

  it("checks the settings that it knows", () => {
    const broken = () => new TestKernel({ plugins: [], settings: { port: "x" } });
    expect(broken).to.throw(/the test's settings: settings.port: must be an integer/);
  });
});
