import { spawn } from "node:child_process";
import { once } from "node:events";

export interface NamespaceServer {
  /** Of a process in a network namespace of its own. */
  readonly pid: number;
  /** Where it answers HTTP, on its loopback interface: `/404` with that status, `/silent` never. */
  readonly port: number;
  stop(): Promise<void>;
}

const SCRIPT = `
require("child_process").execFileSync("ip", ["link", "set", "lo", "up"]);
const server = require("http").createServer((request, response) => {
  if (request.url === "/silent") return;
  response.statusCode = Number(request.url.slice(1)) || 200;
  response.end("ok");
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

export async function startNamespaceServer(): Promise<NamespaceServer> {
  const child = spawn("unshare", ["--net", process.execPath, "-e", SCRIPT], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    pid: child.pid!,
    port: Number(line.toString()),
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
