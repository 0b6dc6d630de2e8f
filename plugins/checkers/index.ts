import { Checker } from "../../sdk/contracts/checker.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { CommandChecker } from "./command-checker.js";
import { GrpcChecker } from "./grpc-checker.js";
import { HttpChecker } from "./http-checker.js";
import { CheckHelper } from "./network/check-helper.js";
import { Network } from "./network/network.js";
import { TcpChecker } from "./tcp-checker.js";

export default definePlugin({
  name: "checkers",
  version: "1.0.0",
  description: "Checks tasks by commands, HTTP, TCP and gRPC",
  targets: ["agent"],
  provides: [Checker],
  setup(ctx) {
    const helper = new CheckHelper(ctx.logger);
    const network = new Network(helper);
    ctx.bind(Checker, new CommandChecker(), { key: "command" });
    ctx.bind(Checker, new TcpChecker(network), { key: "tcp" });
    ctx.bind(Checker, new GrpcChecker(network), { key: "grpc" });
    const http = new HttpChecker(network);
    for (const key of ["http", "https"]) ctx.bind(Checker, http, { key });
    return { stop: async () => helper.stop() };
  },
});
