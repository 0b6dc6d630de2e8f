import { writeSync } from "node:fs";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { openRegistry } from "./open-registry.js";

/** Admits agents for ever, some at a time, and prints the number of each as soon as it is acknowledged. */
async function write(directory: string, first: number): Promise<never> {
  const registry = openRegistry(directory);
  await registry.recover({ id: "m", capabilities: [] });
  for (let number = first; ; number += 5) {
    const batch = [0, 1, 2, 3, 4].map(async (offset) => {
      const id = { value: `agent-${number + offset}` };
      await registry.apply({ kind: "admit-agent", agent: AgentInfo.fromPartial({ id, hostname: "h" }) });
      writeSync(1, `${number + offset}\n`);
    });
    await Promise.all(batch);
  }
}

await write(process.argv[2] ?? "", Number(process.argv[3] ?? 0));
