import { Launcher } from "../../../sdk/contracts/launcher.js";
import { definePlugin } from "../../../sdk/plugin/index.js";
import { PERL_HELPER } from "../perl/program.js";
import { ShimLauncher } from "../shim/shim-launcher.js";
import { posixCommand } from "./posix-command.js";

const SUPERVISOR = new URL("./supervisor.js", import.meta.url).pathname;

export default definePlugin({
  name: "posix-launcher",
  version: "1.0.0",
  description: "Runs containers as plain process trees under shims that outlive the agent",
  targets: ["agent"],
  provides: [Launcher],
  setup(ctx) {
    const launcher = new ShimLauncher({
      name: "posix",
      helpers: [
        ["perl", "-e", PERL_HELPER],
        [process.execPath, SUPERVISOR],
      ],
      logger: ctx.logger,
      command: posixCommand,
    });
    ctx.bind(Launcher, launcher);
    return {
      start: async () => {
        await launcher.start();
      },
      stop: () => launcher.stop(),
    };
  },
});
