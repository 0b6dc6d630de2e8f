import { Launcher } from "../../sdk/contracts/launcher.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { PERL_SHIM } from "./perl-shim.js";
import { PosixLauncher } from "./posix-launcher.js";

const SUPERVISOR = new URL("./supervisor.js", import.meta.url).pathname;

export default definePlugin({
  name: "posix-launcher",
  version: "1.0.0",
  description: "Runs containers as plain process trees under shims that outlive the agent",
  targets: ["agent"],
  provides: [Launcher],
  setup(ctx) {
    const launcher = new PosixLauncher({
      helpers: [
        ["perl", "-e", PERL_SHIM],
        [process.execPath, SUPERVISOR],
      ],
      logger: ctx.logger,
    });
    ctx.bind(Launcher, launcher);
    return { start: () => launcher.start(), stop: () => launcher.stop() };
  },
});
