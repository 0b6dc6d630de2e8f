import { expect } from "chai";
import { snapshotJson } from "../../../plugins/metrics-endpoint/snapshot.js";
import {
  hostFigures,
  publishSystemFigures,
  systemStatsJson,
} from "../../../plugins/metrics-endpoint/system.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

describe("metrics endpoint", () => {
  it("writes every metric as a double, sorted by name, and leaves out what has no value", () => {
    const metrics = new MetricsRegistry(new VirtualClock());
    metrics.counter("master/tasks").inc(3);
    metrics.gauge("b/nothing", () => Number.NaN);
    metrics.gauge('a/"quoted"', () => 0.25);
    metrics.gauge("c/large", () => 16393580544);
    metrics.gauge("c/broken", () => {
      throw new Error("cannot be read");
    });
    expect(snapshotJson(metrics)).to.equal(
      '{"a/\\"quoted\\"":0.25,"c/large":16393580544.0,"master/tasks":3.0}',
    );
  });

  it("publishes the figures of the machine", () => {
    const metrics = new MetricsRegistry(new VirtualClock());
    publishSystemFigures(metrics, hostFigures());
    const snapshot = metrics.snapshot();
    expect([...snapshot.keys()]).to.deep.equal([
      "system/cpus_total",
      "system/load_15min",
      "system/load_1min",
      "system/load_5min",
      "system/mem_free_bytes",
      "system/mem_total_bytes",
    ]);
    expect(snapshot.get("system/mem_free_bytes")).to.be.lessThan(snapshot.get("system/mem_total_bytes")!);
  });

  it("writes loads as doubles and counts as integers in /system/stats.json", () => {
    const json = systemStatsJson({
      load: () => [0, 1.5, 2],
      cpus: 2,
      totalMemory: () => 1024,
      freeMemory: () => 512,
    });
    expect(json).to.equal(
      '{"avg_load_15min":2.0,"avg_load_1min":0.0,"avg_load_5min":1.5,' +
        '"cpus_total":2,"mem_free_bytes":512,"mem_total_bytes":1024}',
    );
  });
});
