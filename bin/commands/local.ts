import { join } from "node:path";
import { loadFlags } from "../../core/flags/load-flags.js";
import { LOCAL_FLAGS } from "../../core/flags/local-flags.js";
import { usage } from "../../core/flags/usage.js";
import { messageOf } from "../../sdk/errors/index.js";
import { LocalCluster } from "../local-cluster.js";

const MASTER_GRPC_OFFSET = 5;

/** `tepui local`: a master on `--port` and agents on the following ports, until Ctrl-C. */
export async function runLocal(argv: readonly string[]): Promise<number> {
  const { given, problems, others } = loadFlags(LOCAL_FLAGS, { args: argv, environment: process.env });
  const flag = (name: string): unknown =>
    given.get(name)?.value.value ?? LOCAL_FLAGS.find((spec) => spec.name === name)?.default;
  const strays = others.map((word) => `'${word}' is not a flag`);
  if (problems.length + strays.length > 0) {
    for (const problem of [...problems, ...strays]) process.stderr.write(`tepui local: ${problem}\n`);
    return 1;
  }
  if (flag("help") === true) {
    process.stdout.write(usage("tepui local", LOCAL_FLAGS));
    return 0;
  }
  const told = new Promise<undefined>((resolve) => {
    process.once("SIGINT", () => resolve(undefined));
    process.once("SIGTERM", () => resolve(undefined));
  });
  const port = Number(flag("port"));
  const count = Number(flag("num_slaves"));
  try {
    const cluster = await LocalCluster.start({
      ip: String(flag("ip") ?? "127.0.0.1"),
      masterPort: port,
      agentPorts: Array.from({ length: count }, (_, index) => port + 1 + index),
      grpcPort: port + MASTER_GRPC_OFFSET + count - 1,
      workDir: join(String(flag("work_dir")), "local"),
    });
    process.stdout.write(
      `master http://${cluster.master}, gRPC ${cluster.grpc}, ${count} agent(s); Ctrl-C ends them\n`,
    );
    const failure = await Promise.race([cluster.failed, told]);
    await cluster.stop();
    if (failure === undefined) return 0;
    process.stderr.write(`tepui local: ${failure}\n`);
    return 1;
  } catch (error) {
    process.stderr.write(`tepui local: ${messageOf(error)}\n`);
    return 1;
  }
}
