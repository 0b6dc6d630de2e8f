/**
 * `npm run bench -- load [--only=TEXT]`: what asks more of a real master than it can do at once, each of a fresh one: the longest time in which
 * it answered /health meanwhile, and the most memory that it had.
 */
import { parseArgs } from "node:util";
import { startDaemon } from "../support/daemons.js";
import { HealthProbe } from "../support/health-probe.js";
import { LOAD_SCENARIOS } from "../support/load-scenarios.js";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });

for (const { name, run } of LOAD_SCENARIOS.filter((one) => one.name.includes(values.only))) {
  const master = await startDaemon("mesos-master", [
    "--registry=in_memory",
    "--allocation_interval=50ms",
    "--logging_level=ERROR",
  ]);
  try {
    const probe = new HealthProbe(master.port);
    const began = performance.now();
    await run(master);
    const seconds = (performance.now() - began) / 1000;
    const { answers, longest } = await probe.stop();
    console.log(
      `${name}: ${seconds.toFixed(1)} s; /health answered ${answers} times, at the latest after ${longest.toFixed(0)} ms; ` +
        `peak memory ${master.memory().peak.toFixed(0)} MB`,
    );
  } finally {
    await master.stop();
  }
}
