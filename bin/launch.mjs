// Starts the compiled command, or says what to do when nothing is compiled yet.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @param {"tepui" | "mesos-master" | "mesos-agent" | "mesos-execute"} name */
export async function launch(name) {
  const compiled = new URL("../dist/bin/main.js", import.meta.url);
  if (!existsSync(fileURLToPath(compiled))) {
    process.stderr.write(`${name}: not built yet; run 'npm run build' in the checkout\n`);
    process.exit(1);
  }
  const { main } = await import(compiled.href);
  process.exitCode = await main(name, process.argv.slice(2));
}
