import { expect } from "chai";
import logrotateLogger from "../../../plugins/logrotate-logger/index.js";
import { rotationsFor } from "../../../plugins/logrotate-logger/overrides.js";
import { keptFiles } from "../../../plugins/logrotate-logger/rotation.js";

const module = (parameters: Record<string, string>, name = "org_apache_mesos_LogrotateContainerLogger") => ({
  libraries: [
    {
      file: "/usr/lib/liblogrotate_container_logger.so",
      modules: [{ name, parameters: Object.entries(parameters).map(([key, value]) => ({ key, value })) }],
    },
  ],
});

const read = (config: unknown) => logrotateLogger.config!.safeParse(config);

describe("settings of the logrotate logger", () => {
  it("are those of Mesos's module, from --modules", () => {
    const { modules } = read({
      modules: module({
        max_stdout_size: "5MB",
        logrotate_stdout_options: "rotate 9\ncompress",
        launcher_dir: "/usr/libexec/mesos",
        libprocess_num_worker_threads: "4",
      }),
    }).data as { modules: Record<string, unknown> };
    expect(modules.max_stdout_size).to.equal(5 * 1024 * 1024);
    expect(modules.logrotate_stdout_options).to.equal("rotate 9\ncompress");
    expect(read({ modules: module({ anything: "goes" }, "other_module") }).success).to.equal(true);
  });

  it("are refused where Mesos refuses them", () => {
    const problem = (parameters: Record<string, string>) =>
      String(read({ modules: module(parameters) }).error?.message);
    expect(problem({ max_stdout_size: "4KB" })).to.equal("undefined");
    expect(problem({ max_stdout_size: "4095B" })).to.match(/at least 4096 bytes/);
    expect(problem({ max_stderr_size: "much" })).to.match(/max_stderr_size/);
    expect(problem({ max_size: "1MB" })).to.match(/max_size/);
  });

  it("need no logrotate where they only count files", () => {
    expect([undefined, "", " \n", "rotate 5", "\n  rotate 0\n"].map(keptFiles)).to.deep.equal([
      0, 0, 0, 5, 0,
    ]);
    expect(["rotate 5\ncompress", "copytruncate", "rotate x"].map(keptFiles)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  describe("of one container", () => {
    const command = (variables: Record<string, string>) => ({
      uris: [],
      arguments: [],
      environment: { variables: Object.entries(variables).map(([name, value]) => ({ name, value })) },
    });
    const general = { max_stdout_size: 8192, logrotate_stdout_options: "rotate 3" };

    it("come from variables with the prefix, the others from the agent", () => {
      const found = rotationsFor(
        command({
          CONTAINER_LOGGER_MAX_STDOUT_SIZE: "1MB",
          CONTAINER_LOGGER_LOGROTATE_STDERR_OPTIONS: "rotate 1",
          PATH: "/bin",
        }),
        "CONTAINER_LOGGER_",
        general,
      );
      expect(found).to.deep.equal({
        max_stdout_size: 1024 * 1024,
        logrotate_stdout_options: "rotate 3",
        logrotate_stderr_options: "rotate 1",
      });
      expect(rotationsFor({ uris: [], arguments: [] }, "CONTAINER_LOGGER_", general)).to.deep.equal(general);
    });

    it("fail its launch where they make no sense", () => {
      const refused = (variables: Record<string, string>) => {
        try {
          rotationsFor(command(variables), "LOG_", general);
          return "taken";
        } catch (error) {
          return String(error);
        }
      };
      expect(refused({ LOG_MAX_STDOUT_SIZE: "1" })).to.match(
        /Failed to load container logger settings: max_stdout_size/,
      );
      expect(refused({ LOG_LEVEL: "debug" })).to.match(/settings: .*level/);
      expect(refused({ LOGLEVEL: "debug" })).to.equal("taken");
    });
  });
});
