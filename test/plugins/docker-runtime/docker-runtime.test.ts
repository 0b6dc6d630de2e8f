import { expect } from "chai";
import { DockerRuntime } from "../../../plugins/docker-runtime/docker-runtime.js";
import { launchCommand } from "../../../plugins/docker-runtime/launch-command.js";
import { ContainerInfo_Type, Image_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { ImageConfig } from "../../../sdk/contracts/image.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { requestFor } from "../../support/container-request.js";

const EMPTY: ImageConfig = {
  environment: {},
  entrypoint: [],
  command: [],
  workingDirectory: undefined,
  user: undefined,
  labels: {},
  stopSignal: undefined,
};

describe("docker/runtime", () => {
  describe("decides what to run", () => {
    const ENTRY = ["/entry", "e1"];
    const CMD = ["/cmd", "c1"];
    /** As Mesos's table: rows by what the framework says, columns by Entrypoint and Cmd: neither, Cmd, Entrypoint, both. */
    const rows: readonly (readonly [
      string,
      boolean,
      string | undefined,
      string[],
      readonly (string | RegExp | undefined)[],
    ])[] = [
      [
        "no shell, no value, no arguments",
        false,
        undefined,
        [],
        [/No executable/, "/cmd c1", "/entry e1", "/entry e1 /cmd c1"],
      ],
      [
        "no shell, no value, arguments",
        false,
        undefined,
        ["a"],
        [/No executable/, "/cmd a", "/entry e1 a", "/entry e1 a"],
      ],
      ["no shell, value, no arguments", false, "v", [], [undefined, undefined, undefined, undefined]],
      ["no shell, value, arguments", false, "v", ["v", "a"], [undefined, undefined, undefined, undefined]],
      ["shell, no value, no arguments", true, undefined, [], Array(4).fill(/no command value/)],
      ["shell, no value, arguments", true, undefined, ["a"], Array(4).fill(/no command value/)],
      ["shell, value", true, "v", [], [undefined, undefined, undefined, undefined]],
      ["shell, value, arguments", true, "v", ["a"], [undefined, undefined, undefined, undefined]],
    ];
    for (const [name, shell, value, words, columns] of rows) {
      it(`with ${name}`, () => {
        const configs = [
          [[], []],
          [[], CMD],
          [ENTRY, []],
          [ENTRY, CMD],
        ] as const;
        for (const [index, [entrypoint, command]] of configs.entries()) {
          const decide = (): string | undefined => {
            const decided = launchCommand(
              { shell, uris: [], arguments: words, ...(value !== undefined && { value }) },
              { ...EMPTY, entrypoint: [...entrypoint], command: [...command] },
            );
            if (decided !== undefined) expect(decided.program).to.equal(decided.argv[0]);
            return decided?.argv.join(" ");
          };
          const expected = columns[index];
          if (expected instanceof RegExp) expect(decide, String(index)).to.throw(expected);
          else expect(decide(), String(index)).to.equal(expected);
        }
      });
    }

    it("with a shell where the framework does not say", () => {
      expect(() => launchCommand({ uris: [], arguments: [] }, { ...EMPTY, command: CMD })).to.throw(
        /Shell specified/,
      );
    });
  });

  const request = (config: Partial<ImageConfig>, more: Partial<ContainerRequest> = {}): ContainerRequest =>
    requestFor("c", {
      container: {
        type: ContainerInfo_Type.MESOS,
        mesos: { image: { type: Image_Type.DOCKER, docker: { name: "a" } } },
        volumes: [],
        network_infos: [],
      },
      directory: "/sandbox",
      image: { rootfs: { path: "/rootfs", mounts: [] }, config: { ...EMPTY, ...config } },
      ...more,
    });

  it("contributes environment, directory and command, and never the user", async () => {
    const logger = new MemoryLogger();
    const contribution = await new DockerRuntime(logger).prepare(
      request(
        { environment: { PATH: "/own" }, workingDirectory: "/srv", user: "web", command: ["/run"] },
        { command: { shell: false, uris: [], arguments: [] } },
      ),
    );
    expect(contribution).to.deep.equal({
      environment: { PATH: "/own" },
      workingDirectory: "/srv",
      command: { program: "/run", argv: ["/run"] },
    });
    expect(logger.lines[0]).to.deep.include({ level: "warn" });
    expect(logger.lines[0]!.fields).to.deep.include({ user: "web", container: "c" });
  });

  it("leaves directory and command as they are where the image says nothing", async () => {
    expect(await new DockerRuntime(new MemoryLogger()).prepare(request({}))).to.deep.equal({
      environment: {},
    });
  });

  it("contributes nothing without an image, or with one of another type", async () => {
    const isolator = new DockerRuntime(new MemoryLogger());
    expect(await isolator.prepare(request({}, { image: undefined }))).to.equal(undefined);
    const appc = request({ command: ["/run"] });
    appc.container!.mesos!.image!.type = Image_Type.APPC;
    expect(await isolator.prepare(appc)).to.equal(undefined);
  });
});
