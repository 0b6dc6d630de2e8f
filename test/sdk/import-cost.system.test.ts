import { execFileSync } from "node:child_process";
import { expect } from "chai";

describe("importing the sdk", () => {
  it("loads neither grpc-js nor undici before a client connects", () => {
    const sdk = new URL("../../sdk/index.js", import.meta.url).href;
    const program = `
      import { createRequire } from "node:module";
      const sdk = await import(${JSON.stringify(sdk)});
      new sdk.SchedulerClient({ master: "localhost", framework: { name: "x" } });
      console.log(Object.keys(createRequire(import.meta.url).cache).join("\\n"));`;
    const loaded = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(loaded).to.not.match(/node_modules\/(@grpc|undici)/);
    // Both are CommonJS, which is what makes them visible here at all.
    const control = execFileSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { createRequire } from "node:module"; await import(${JSON.stringify(
          new URL("../../proto/gen/tepui/v1/scheduler.js", import.meta.url).href,
        )}); await import(${JSON.stringify(import.meta.resolve("undici"))});
        console.log(Object.keys(createRequire(import.meta.url).cache).join("\\n"));`,
      ],
      { encoding: "utf8" },
    );
    expect(control)
      .to.match(/node_modules\/@grpc/)
      .and.match(/node_modules\/undici/);
  });
});
