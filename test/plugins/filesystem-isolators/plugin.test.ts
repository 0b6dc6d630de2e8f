import { expect } from "chai";
import { createTestKernel, override } from "../../../core/testing/index.js";
import filesystemIsolators from "../../../plugins/filesystem-isolators/index.js";
import { Isolator } from "../../../sdk/contracts/isolator.js";
import { Launcher } from "../../../sdk/contracts/launcher.js";

const launcher = (name: string) =>
  override(Launcher, {
    name,
    launch: () => Promise.reject(new Error("not asked for")),
    reattach: async () => undefined,
    signal: async () => false,
    destroy: async () => undefined,
    forget: async () => undefined,
  });

const names = async (isolation: string, name: string): Promise<string[]> => {
  const test = await createTestKernel({
    plugins: [filesystemIsolators],
    target: "agent",
    settings: { isolation, work_dir: "/srv" },
    overrides: [launcher(name)],
  });
  const found = test.kernel.getAll(Isolator).map((isolator) => isolator.name);
  await test.stop();
  return found;
};

const failure = (isolation: string, name: string): Promise<string> =>
  names(isolation, name).then(
    (found) => found.join(),
    (error: unknown) => String(error instanceof Error && error.cause ? `${error} ${error.cause}` : error),
  );

describe("the filesystem isolators", () => {
  it("are filesystem/posix where none is named", async () => {
    expect(await names("posix/cpu", "posix")).to.deep.equal(["filesystem/posix"]);
    expect(await names("filesystem/posix", "linux")).to.deep.equal(["filesystem/posix"]);
  });

  it("exclude each other", async () => {
    expect(await failure("filesystem/posix,filesystem/linux", "linux")).to.match(
      /'filesystem\/posix' and 'filesystem\/linux' exclude each other/,
    );
  });

  it("say what they need", async () => {
    if (process.geteuid?.() !== 0) {
      expect(await failure("filesystem/linux", "linux")).to.match(/needs root privileges/);
      return;
    }
    for (const name of ["filesystem/linux", "filesystem/shared"])
      expect(await failure(name, "posix"), name).to.match(
        /needs the launcher 'linux', and 'posix' is loaded: add --launcher=linux/,
      );
  });
});
