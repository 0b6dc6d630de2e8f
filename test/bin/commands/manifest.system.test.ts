import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { packageRoot } from "../../../core/flags/package-root.js";
import { plainPlugin, TestFolder } from "../../core/manifest/folder.js";

/** Runs the `tepui` that was compiled together with this test. */
function tepui(...args: string[]) {
  const main = new URL("../../../bin/main.js", import.meta.url).href;
  const script = `process.exitCode = await (await import(${JSON.stringify(main)})).main("tepui", process.argv.slice(1))`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", script, "--", ...args],
    { encoding: "utf8", env: { PATH: process.env.PATH } },
  );
  return { status, stdout, stderr };
}

describe("tepui manifest and tepui plugins", function () {
  this.timeout(60_000);
  let folder: TestFolder;
  beforeEach(() => {
    folder = new TestFolder();
    folder.write("stamp.mjs", plainPlugin("stamp"));
  });
  afterEach(() => folder.remove());

  it("validate a file by itself, without what only a command line can give", () => {
    const file = folder.write(
      "agent.yaml",
      "target: agent\nextends: agent\nplugins: [{ use: ./stamp.mjs, before: agent }]\n",
    );
    expect(tepui("manifest", "validate", file)).to.deep.equal({
      status: 0,
      stdout: `${file}: a valid manifest for the agent\n`,
      stderr: "",
    });
  });

  it("list every problem, each with the file and the line where it was written", () => {
    const base = folder.write("base.yaml", "target: agent\nextends: agent\nplugins:\n  - use: htp-server\n");
    const file = folder.write(
      "own.yaml",
      "target: agent\nextends: ./base.yaml\nplugins:\n  - use: agent\n    config: { max_completed_frameworks: many }\n",
    );
    const { status, stdout, stderr } = tepui("manifest", "validate", file);
    expect([status, stdout]).to.deep.equal([1, ""]);
    expect(stderr).to.match(new RegExp(`^${base}:4: plugin 'htp-server': .*did you mean 'http-server'`, "m"));
    expect(stderr).to.match(new RegExp(`^${file}:5: plugin 'agent': config.max_completed_frameworks: `, "m"));
  });

  it("explain where values come from, across files", () => {
    const file = folder.write(
      "agent.yaml",
      "target: agent\nextends: agent\nplugins:\n  - ./stamp.mjs\n  - use: http-server\n    config: { max_connections: 9 }\nsettings:\n  port: 5099\n",
    );
    const { status, stdout, stderr } = tepui(
      ...["manifest", "explain", "agent", `--manifest=${file}`, `--work_dir=${folder.path}`],
      "--master=127.0.0.1:5050",
    );
    expect([status, stderr]).to.deep.equal([0, ""]);
    expect(stdout).to.contain(`use: http-server # shipped, ${join(packageRoot, "manifests", "agent.yaml")}:`);
    expect(stdout).to.contain(`max_connections: 9 # ${file}:6`);
    expect(stdout).to.contain(`port: 5099 # ${file}:8`);
    expect(stdout).to.contain(`use: ${join(folder.path, "stamp.mjs")} # path, ${file}:4`);
  });

  it("show what a daemon is made of, without any flags", () => {
    const listed = tepui("plugins", "ls", "--of", "agent");
    expect([listed.status, listed.stderr]).to.deep.equal([0, ""]);
    expect(listed.stdout).to.match(/^mesos-containerizer +1\.0\.0 +shipped +tepui\.containerizer@/m);
    const inspected = tepui("plugins", "inspect", "drf-allocator");
    expect([inspected.status, inspected.stderr]).to.deep.equal([0, ""]);
    expect(inspected.stdout).to.match(/^provides +tepui\.allocator 1\.0 \(one\)$/m);
    expect(tepui("plugins", "inspect", "nobody").status).to.equal(1);
  });
});
